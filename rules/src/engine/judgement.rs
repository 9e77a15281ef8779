//! What judging an event found.

use core::ops::Range;

use super::facts::Found;
use super::listed::ListHit;
use super::matcher::Hit;
use crate::classify::{Scores, Signals};
use crate::extract::Extract;
use crate::fold::{Hints, Stats};
use crate::limits::LISTED_MAX;
use crate::number::Number;
use crate::pack::node::Test;
use crate::pack::{Pack, Rule};
use crate::policy::noisy_or;
use crate::signal::{Protected, View};
use crate::verdict::{Ladder, Typology};

/// A rule that held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fired {
    /// Its index in the pack.
    pub rule: u32,
    /// The practice.
    pub typology: Typology,
    /// How far the pack lets it go.
    pub ladder: Ladder,
    /// 1 to 100.
    pub score: u8,
    /// One bit per protected class that it may block all the same.
    pub overrides: u8,
    /// The suppression that took it back, by its index in the pack.
    pub suppressed_by: Option<u32>,
    /// Its condition asks the classifier.
    pub by_classifier: bool,
}

impl Fired {
    /// A place in a scratch. All of it is zero, so that a device needs no image of its storage in flash.
    pub const EMPTY: Self = Self {
        rule: 0,
        typology: Typology::DebtCollection,
        ladder: Ladder::Shadow,
        score: 0,
        overrides: 0,
        suppressed_by: None,
        by_classifier: false,
    };

    pub(super) const fn new(index: u32, rule: &Rule) -> Self {
        Self {
            rule: index,
            typology: rule.typology,
            ladder: rule.ladder,
            score: rule.score,
            overrides: rule.overrides,
            suppressed_by: None,
            by_classifier: rule.by_classifier,
        }
    }
}

/// A set of protected classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProtectedSet(u8);

impl ProtectedSet {
    /// Not protected.
    pub const NONE: Self = Self(0);

    /// With a class added.
    #[must_use]
    pub const fn with(self, class: Protected) -> Self {
        Self(self.0 | 1 << class as u8)
    }

    /// Whether a class is in it.
    #[must_use]
    pub const fn has(self, class: Protected) -> bool {
        self.0 & 1 << class as u8 != 0
    }

    /// Whether it is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// One bit per class, as in a pack.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The classes in it.
    pub fn iter(self) -> impl Iterator<Item = Protected> {
        Protected::ALL.into_iter().filter(move |&class| self.has(class))
    }

    /// Whether a rule names every class in it, and so may block.
    #[must_use]
    pub const fn is_overridden_by(self, fired: &Fired) -> bool {
        self.0 & !fired.overrides == 0
    }
}

/// What judging an event found. It borrows the scratch.
#[derive(Debug)]
pub struct Judgement<'s> {
    /// The rules that held, in the order of the pack; those taken back included.
    pub fired: &'s [Fired],
    /// The patterns that hit, in the order they were found.
    pub hits: &'s [Hit],
    /// The classes that protect the event. Looked at only when a rule fired and wasn't taken back.
    pub protected: ProtectedSet,
    /// What folding noticed.
    pub stats: Stats,
    /// More hits or fired rules than there was storage for: some are missing.
    pub overflowed: bool,
    /// The text was longer than the scratch: its end wasn't judged.
    pub truncated: bool,
    pub(crate) views: [&'s [u8]; View::COUNT],
    pub(crate) facts: Found<'s>,
}

/// A pattern that hit, where it hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Index of the pattern in the pack.
    pub pattern: u32,
    /// The view that `span` counts in.
    pub view: View,
    /// Bytes of the view: of a literal exactly, of a regular expression its end, since where it began takes another search.
    pub span: Range<usize>,
    /// Whether it is a regular expression.
    pub regex: bool,
}

impl Judgement<'static> {
    /// Nothing found, in nothing.
    pub const NOTHING: Self = Self {
        fired: &[],
        hits: &[],
        protected: ProtectedSet::NONE,
        stats: Stats {
            chars: 0,
            digits: 0,
            letters: 0,
            disguised: 0,
            hidden: 0,
            accents: 0,
            emoji: 0,
            truncated: false,
            hints: Hints(0),
        },
        overflowed: false,
        truncated: false,
        views: [&[]; View::COUNT],
        facts: Found {
            sender: None,
            extract: None,
            signature: "",
            classified: None,
            listed: [None; LISTED_MAX],
        },
    };
}

impl<'s> Judgement<'s> {
    /// The rules that held and weren't taken back.
    pub fn effective(&self) -> impl Iterator<Item = &'s Fired> + use<'s> {
        self.fired.iter().filter(|fired| fired.suppressed_by.is_none())
    }

    /// The score of a typology by all its rules, whatever their ladders: 0 to 100.
    #[must_use]
    pub fn score(&self, typology: Typology) -> u8 {
        noisy_or(self.effective().filter(|fired| fired.typology == typology).map(|fired| fired.score))
    }

    /// A view of the text, as it was scanned; empty where the pack has no patterns for it (the folded and the plain one are
    /// always there).
    #[must_use]
    pub fn view(&self, view: View) -> &'s [u8] {
        self.views.get(view as usize).copied().unwrap_or_default()
    }

    /// The contacts and the signature's place. `None` where no rule fired and no rule asked.
    #[must_use]
    pub const fn extract(&self) -> Option<&Extract<'s>> {
        self.facts.extract.as_ref()
    }

    /// The originator. `None` where there is none, or where no rule fired and no rule asked.
    #[must_use]
    pub const fn sender(&self) -> Option<&Number<'s>> {
        self.facts.sender.as_ref()
    }

    /// What the classifier says of each typology, and of which signals. `None` where no rule asked.
    #[must_use]
    pub const fn classified(&self) -> Option<(Scores, Signals)> {
        self.facts.classified
    }

    /// What number lists said of numbers that are in them, of those that a rule asked.
    pub fn listed(&self) -> impl Iterator<Item = ListHit> {
        self.facts.listed.iter().copied().flatten()
    }

    /// The folded signature; empty where there is none, or where no rule fired and no rule asked.
    #[must_use]
    pub const fn signature(&self) -> &'s str {
        self.facts.signature
    }

    /// Where a hit stands.
    #[must_use]
    pub fn evidence(&self, pack: &Pack<'_>, hit: &Hit) -> Option<Evidence> {
        let pattern = pack.pattern(hit.pattern)?;
        let end = hit.end as usize;
        let start = if pattern.regex { end } else { end.saturating_sub(pattern.text.len()) };
        Some(Evidence { pattern: hit.pattern, view: pattern.view, span: start..end, regex: pattern.regex })
    }

    /// The hits that a rule's condition refers to. For reports: it walks the condition for every hit.
    pub fn evidence_of<'a>(&'a self, pack: &'a Pack<'a>, rule: u32) -> impl Iterator<Item = Evidence> + 'a {
        let nodes =
            pack.rule(rule).map_or(0..0, |rule| rule.first_node..rule.first_node + u32::from(rule.nodes));
        let asks = move |group| {
            nodes.clone().filter_map(|node| pack.node(node)).any(|node| match node.test {
                Test::Group(asked) | Test::GroupCount(asked, ..) => asked == group,
                _ => false,
            })
        };
        let hits = self.hits.iter().filter(move |hit| pack.groups_of(hit.pattern).any(&asks));
        hits.filter_map(move |hit| self.evidence(pack, hit))
    }
}
