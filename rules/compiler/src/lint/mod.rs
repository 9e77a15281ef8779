//! What is right and still not wise: words that decide alone, rules that another makes useless, patterns that can't do what they seem
//! to; with labelled messages also what never hits, hits honest messages, hits together, or costs much.
//!
//! ```text
//! Report (tree, draft) → words, regexes, conditions → + corpus (measured) → − `# yumen: allow(W101)` (silence) → Report
//! ```

mod conditions;
mod measured;
mod patterns;
mod silence;

use crate::report::Report;

pub use measured::measured;

/// Adds what is unwise to a report of sources that are right.
pub fn lint(report: &mut Report) {
    if !report.is_buildable() {
        return;
    }
    let Report { tree, draft, diagnostics, .. } = report;
    patterns::lint(tree, draft, diagnostics);
    conditions::lint(tree, draft, diagnostics);
}

/// Takes out the warnings that a comment in the sources allows. Errors stay.
pub fn silence(report: &mut Report) {
    let Report { sources, diagnostics, .. } = report;
    diagnostics.retain(|diagnostic| !silence::is_allowed(sources, diagnostic));
}
