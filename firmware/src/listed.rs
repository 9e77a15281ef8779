//! The site's own list: its own numbers, which are never blocked by score, and those that are always hung up on.

use crate::limits::LISTED_MAX;
use heapless::{String, Vec};
use yumen_rules::engine::{OwnNumbers, number_matches};
use yumen_rules::number::CANONICAL_LEN_MAX;

/// A number in canonical form; a trailing `*` makes a prefix of it.
pub type Pattern = String<{ CANONICAL_LEN_MAX + 1 }>;

/// The list.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    entries: Vec<(bool, Pattern), LISTED_MAX>,
}

impl Listed {
    /// Empty.
    #[must_use]
    pub const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Adds a number, blocked or the site's own. `false` where there is no room for it, or it can't be one.
    pub fn add(&mut self, is_blocked: bool, number: &str) -> bool {
        let digits = number.strip_suffix('*').unwrap_or(number);
        let legal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'+');
        let Ok(pattern) = Pattern::try_from(number) else { return false };
        if !legal {
            return false;
        }
        self.remove(number);
        self.entries.push((is_blocked, pattern)).is_ok()
    }

    /// Takes a number off the list; tells whether it was there.
    pub fn remove(&mut self, number: &str) -> bool {
        let before = self.entries.len();
        self.entries.retain(|(_, pattern)| pattern != number);
        self.entries.len() < before
    }

    /// Every number, and whether it is blocked.
    pub fn entries(&self) -> impl Iterator<Item = (bool, &str)> {
        self.entries.iter().map(|(is_blocked, pattern)| (*is_blocked, pattern.as_str()))
    }

    /// Whether calls of a number in canonical form are always hung up on.
    #[must_use]
    pub fn blocks(&self, canonical: &str) -> bool {
        self.has(true, canonical)
    }

    fn has(&self, blocked: bool, canonical: &str) -> bool {
        self.entries
            .iter()
            .any(|(is_blocked, pattern)| *is_blocked == blocked && number_matches(pattern, canonical))
    }
}

impl OwnNumbers for Listed {
    fn contains(&self, canonical: &str) -> bool {
        self.has(false, canonical)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_prefixes() {
        let mut listed = Listed::new();
        assert!(listed.add(true, "1700000*") && listed.add(false, "95500"));
        assert!(!listed.add(true, "") && !listed.add(true, "*") && !listed.add(true, "12a"));
        assert!(listed.blocks("17000001234") && !listed.blocks("95500") && listed.contains("95500"));
        assert!(listed.add(true, "95500") && listed.blocks("95500") && !listed.contains("95500"));
        assert!(listed.remove("1700000*") && !listed.remove("1700000*") && !listed.blocks("17000001234"));
    }
}
