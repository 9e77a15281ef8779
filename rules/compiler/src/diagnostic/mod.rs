//! What is wrong with a source, where, and what to do about it, in Chinese and English.
//!
//! ```text
//! 错误[E032]：条件里有未知的名字 `threa`
//! error[E032]: unknown name `threa` in the condition
//!   --> packs/debt/a.toml:7:9
//!    |
//!  7 | when = "threa && debt"
//!    |         ^^^^^
//!    = 帮助：是不是想写 `threat`？
//!    = help: did you mean `threat`?
//! ```

mod defect;
mod json;
mod render;

pub use defect::Defect;
pub use json::json_lines;
pub use render::{Lang, render};

use std::collections::HashSet;

use crate::limits::DIAGNOSTICS_MAX;
use crate::source::{FileId, Span};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The pack can be built.
    Warning,
    /// It can't.
    Error,
}

/// The same words in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Words {
    /// Both at once.
    #[must_use]
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

/// One finding.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// What is wrong.
    pub defect: Defect,
    /// Where; absent where it is about no place in particular.
    pub span: Option<Span>,
    /// Other places that matter, with what they are.
    pub others: Vec<(Span, Words)>,
    /// What to do, beside what the defect says by itself.
    pub help: Vec<Words>,
}

impl Diagnostic {
    /// A finding at a place.
    #[must_use]
    pub fn at(span: Span, defect: Defect) -> Self {
        Self { defect, span: Some(span), others: Vec::new(), help: Vec::new() }
    }

    /// A finding about the build as a whole.
    #[must_use]
    pub fn general(defect: Defect) -> Self {
        Self { defect, span: None, others: Vec::new(), help: Vec::new() }
    }

    /// With another place.
    #[must_use]
    pub fn and(mut self, span: Span, words: Words) -> Self {
        self.others.push((span, words));
        self
    }

    /// With advice.
    #[must_use]
    pub fn help(mut self, words: Words) -> Self {
        self.help.push(words);
        self
    }

    /// With the nearest of the known words, when one is near.
    #[must_use]
    pub fn nearest<'a>(self, written: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(written, known) {
            Some(near) => {
                self.help(Words::new(format!("是不是想写 `{near}`？"), format!("did you mean `{near}`?")))
            }
            None => self,
        }
    }
}

/// The findings of a run.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
}

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        match diagnostic.defect.severity() {
            Severity::Error => self.errors = self.errors.saturating_add(1),
            Severity::Warning => self.warnings = self.warnings.saturating_add(1),
        }
        if self.found.len() < DIAGNOSTICS_MAX {
            self.found.push(diagnostic);
        }
    }

    /// Adds one without advice.
    pub fn at(&mut self, span: Span, defect: Defect) {
        self.push(Diagnostic::at(span, defect));
    }

    /// Of files that aren't TOML, keeps only where they aren't: the rest follows from what couldn't be read.
    pub fn without_consequences(&mut self) {
        let is_syntax = |diagnostic: &Diagnostic| matches!(diagnostic.defect, Defect::Syntax { .. });
        let broken: HashSet<FileId> = self
            .found
            .iter()
            .filter(|found| is_syntax(found))
            .filter_map(|found| Some(found.span?.file))
            .collect();
        if broken.is_empty() {
            return;
        }
        let found = std::mem::take(&mut self.found);
        *self = Self::default();
        let stands =
            |found: &Diagnostic| is_syntax(found) || found.span.is_none_or(|at| !broken.contains(&at.file));
        found.into_iter().filter(stands).for_each(|diagnostic| self.push(diagnostic));
    }

    /// Keeps those that are wanted.
    pub fn retain(&mut self, wanted: impl Fn(&Diagnostic) -> bool) {
        let found = std::mem::take(&mut self.found);
        *self = Self::default();
        found
            .into_iter()
            .filter(|diagnostic| wanted(diagnostic))
            .for_each(|diagnostic| self.push(diagnostic));
    }

    /// How many errors there are.
    #[must_use]
    pub const fn errors(&self) -> usize {
        self.errors
    }

    /// How many warnings there are.
    #[must_use]
    pub const fn warnings(&self) -> usize {
        self.warnings
    }

    /// Whether anything was found.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.errors == 0 && self.warnings == 0
    }

    /// The findings in the order of the sources.
    #[must_use]
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut sorted: Vec<_> = self.found.iter().collect();
        sorted
            .sort_by_key(|diagnostic| (diagnostic.span.is_some(), diagnostic.span, diagnostic.defect.code()));
        sorted
    }
}

/// The known word that a written one most likely meant.
fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(written, word), word))
        .filter(|&(distance, word)| distance <= word.chars().count().max(3) / 3)
        .min()
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_near() {
        assert_eq!(nearest("titel", ["title", "title_en", "when"]), Some("title"));
        assert_eq!(nearest("debts", ["debt", "threat"]), Some("debt"));
        assert_eq!(nearest("colour", ["score", "when"]), None);
    }
}
