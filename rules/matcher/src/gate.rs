//! Whether the Hyperscan that the process was linked to can be trusted.
//!
//! Two libraries carry the name `libhs.so.5`. Intel's Hyperscan 5.4 finds what it should; releases of Vectorscan before 5.4.13
//! miss matches of ordinary fraud patterns. So the version is checked, and patterns known to go wrong are tried, once a process.

use std::sync::OnceLock;

use ::hyperscan::{BlockDatabase, Builder, Matching, Pattern, PatternFlags, Patterns, Platform, Scratch};

/// Why Hyperscan isn't used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GateFailure {
    /// The processor lacks SSSE3.
    #[error("the processor lacks SSSE3, which Hyperscan needs")]
    Processor,
    /// A version that isn't known to be right.
    #[error(
        "library version {0} isn't one known to be right (Intel Hyperscan 5.4.0 to 5.4.2, Vectorscan from 5.4.13)"
    )]
    Version(String),
    /// It misses a match that is there.
    #[error("library version {version} misses a match of {pattern:?}")]
    Missed {
        /// The library's version.
        version: String,
        /// The pattern.
        pattern: &'static str,
    },
    /// It can't compile or scan at all.
    #[error("library version {version} fails: {reason}")]
    Broken {
        /// The library's version.
        version: String,
        /// Its own words.
        reason: String,
    },
}

/// The version of the Hyperscan in use, or why it isn't used. Found out once a process, and said in the log where it isn't.
///
/// # Errors
/// [`GateFailure`].
pub fn hyperscan() -> Result<&'static str, &'static GateFailure> {
    static GATE: OnceLock<Result<String, GateFailure>> = OnceLock::new();
    let gate = GATE.get_or_init(|| {
        let checked = check();
        if let Err(failure) = &checked {
            tracing::warn!(%failure, "Hyperscan is not used; the Rust engine is right but slower");
        }
        checked
    });
    gate.as_ref().map(String::as_str)
}

fn check() -> Result<String, GateFailure> {
    Platform::is_valid().map_err(|_| GateFailure::Processor)?;
    let full = ::hyperscan::version_str().to_string_lossy();
    let version = full.split(' ').next().unwrap_or_default().to_owned();
    if !is_known_good(&version) {
        return Err(GateFailure::Version(version));
    }
    for canary in CANARIES {
        let found = canary
            .found()
            .map_err(|error| GateFailure::Broken { version: version.clone(), reason: error.to_string() })?;
        if !found {
            return Err(GateFailure::Missed { version, pattern: canary.pattern });
        }
    }
    Ok(version)
}

/// Intel's releases end with 5.4.2 and are right; Vectorscan's start after that and are right from 5.4.13.
fn is_known_good(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten(), parts.next().flatten()) {
        (Some(5), Some(4), Some(patch)) => (cfg!(target_arch = "x86_64") && patch <= 2) || patch >= 13,
        (Some(5), Some(minor), Some(_)) => minor > 4,
        _ => false,
    }
}

/// A pattern that a defective library misses, and the parts of a text that has it.
struct Canary {
    pattern: &'static str,
    dotall: bool,
    head: &'static str,
    tail: &'static str,
}

const CANARIES: [Canary; 4] = [
    Canary { pattern: r"python.*\*\s*刷单", dotall: false, head: "python", tail: "*  刷单" },
    Canary { pattern: r"(?:安全账户|微信).*-\s*$", dotall: false, head: "安全账户", tail: "-  " },
    Canary { pattern: r"^.*\*\s*返利$", dotall: false, head: "", tail: "* 返利" },
    Canary { pattern: r"curl.*\|\s*python", dotall: true, head: "curl", tail: "|   python" },
];

impl Canary {
    /// Whether the pattern is found alone and in company, with texts of every length before and between its parts: the defects
    /// depend on where in a vector register a match begins.
    fn found(&self) -> Result<bool, ::hyperscan::Error> {
        let alone = vec![self.compiled(0)];
        let company = ["退保", "征信修复", r"[0-9]{11}"].into_iter().zip(1..);
        let together =
            alone.iter().cloned().chain(company.map(|(text, id)| pattern(text, PatternFlags::empty(), id)));
        for patterns in [alone.clone(), together.collect()] {
            let database: BlockDatabase = Patterns(patterns).build()?;
            let scratch = database.alloc_scratch()?;
            for filling in (0..FILLING_MAX).step_by(3) {
                let before = if self.head.is_empty() { String::new() } else { "a".repeat(filling) };
                let between = "请".repeat(filling / 2) + &"x".repeat(filling % 7);
                let text = format!("{before}{}{between}{}", self.head, self.tail);
                if !finds(&database, &scratch, &text)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn compiled(&self, id: usize) -> Pattern {
        let flags = if self.dotall { PatternFlags::DOTALL } else { PatternFlags::empty() };
        pattern(self.pattern, flags, id)
    }
}

/// Longer than the widest vector register, in characters.
const FILLING_MAX: usize = 130;

fn pattern(expression: &str, flags: PatternFlags, id: usize) -> Pattern {
    Pattern {
        expression: expression.to_owned(),
        flags: flags | PatternFlags::UTF8 | PatternFlags::SINGLEMATCH,
        id: Some(id),
        ext: ::hyperscan::ExprExt::default(),
        som: None,
    }
}

fn finds(database: &BlockDatabase, scratch: &Scratch, text: &str) -> Result<bool, ::hyperscan::Error> {
    let mut found = false;
    database.scan(text, scratch, |id: u32, _: u64, _: u64, _: u32| {
        found |= id == 0;
        Matching::Continue
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_miss_matches_are_refused() {
        for refused in ["5.4.9", "5.4.12", "5.3.2", "4.7.0", "", "5.4"] {
            assert!(!is_known_good(refused), "{refused}");
        }
        assert_eq!(is_known_good("5.4.0"), cfg!(target_arch = "x86_64"));
        assert!(is_known_good("5.4.13") && is_known_good("5.5.0"));
    }

    #[test]
    fn canaries_have_what_they_look_for() {
        for canary in CANARIES {
            let flags = if canary.dotall { "(?s)" } else { "" };
            let regex = regex::Regex::new(&format!("{flags}{}", canary.pattern)).unwrap();
            assert!(regex.is_match(&format!("{}请x{}", canary.head, canary.tail)), "{}", canary.pattern);
        }
    }

    #[test]
    fn the_installed_library_is_right_or_says_why_not() {
        match hyperscan() {
            Ok(version) => assert!(is_known_good(version)),
            Err(failure) => assert!(!failure.to_string().is_empty()),
        }
    }
}
