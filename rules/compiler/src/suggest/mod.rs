//! From messages that were missed and honest ones: the words that would separate them, as a draft of a rule.
//!
//! ```text
//! missed, ham → folded → sequences with their messages (grams) → alone or in pairs, greedily (select) → TOML (draft)
//! ```
//!
//! A draft is in shadow, and what it says was counted, not understood: a person reads it before it goes anywhere.

mod draft;
mod grams;
mod select;

use yumen_rules::verdict::Typology;

use crate::limits::{SUGGEST_HAM_MAX, SUGGEST_MISSED_MAX};

pub use draft::masked;

/// What to draft.
#[derive(Clone, Debug)]
pub struct SuggestOptions {
    /// The rule's id.
    pub id: String,
    /// Its practice.
    pub typology: Typology,
    /// Honest messages that one member of the rule may hit.
    pub ham_max: usize,
}

/// A word, or two that must stand together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// One or two literals.
    pub words: Vec<String>,
    /// Missed messages that have it.
    pub missed: usize,
    /// Honest messages that have it.
    pub ham: usize,
}

/// A draft.
#[derive(Clone, Debug, Default)]
pub struct Suggestion {
    /// The words it is made of, in the order they were chosen.
    pub members: Vec<Member>,
    /// Missed messages that were looked at.
    pub missed: usize,
    /// Of these, those that it catches.
    pub covered: usize,
    /// Honest messages that were looked at.
    pub ham: usize,
    /// Of these, those that it hits.
    pub ham_hits: usize,
    /// The rule as TOML; empty where nothing separates.
    pub toml: String,
}

/// Drafts a rule. Messages beyond the limits aren't looked at.
#[must_use]
pub fn suggest(missed: &[&str], ham: &[&str], options: &SuggestOptions) -> Suggestion {
    let missed = missed.get(..missed.len().min(SUGGEST_MISSED_MAX)).unwrap_or_default();
    let ham = ham.get(..ham.len().min(SUGGEST_HAM_MAX)).unwrap_or_default();
    let least = if missed.len() > 3 { 2 } else { 1 };
    let grams = grams::grams(missed, ham, least);
    let chosen = select::select(&grams, (missed.len(), ham.len()), least, options.ham_max);
    let toml = if chosen.members.is_empty() {
        String::new()
    } else {
        draft::toml(&chosen, missed, ham, &grams, options)
    };
    Suggestion {
        members: chosen.members,
        missed: missed.len(),
        covered: chosen.covered.iter().filter(|covered| **covered).count(),
        ham: ham.len(),
        ham_hits: chosen.ham_hit.iter().filter(|hit| **hit).count(),
        toml,
    }
}
