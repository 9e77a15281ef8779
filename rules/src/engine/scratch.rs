//! The storage that judging an event needs. It is never cleared: marks count only when they carry the stamp of the event
//! at hand.

use super::judgement::Fired;
use super::matcher::Hit;
use crate::extract::Contact;
use crate::fold::folded_len_max;
use crate::limits::{
    CONTACT_VALUES_BYTES_MAX, CONTACTS_MAX, FIRED_MAX, HITS_MAX, SIGNATURE_BYTES_MAX, TEXT_BYTES_MAX,
};
use crate::number::CANONICAL_LEN_MAX;
use crate::pack::{Pack, SectionKind};

/// Storage for one event. The text buffers may be of any size (what doesn't fit isn't judged, and said in
/// [`super::Judgement::truncated`]); the marks must fit the pack.
#[derive(Debug)]
pub struct Scratch<'s> {
    /// For the views of the text.
    pub texts: Texts<'s>,
    /// What was hit.
    pub marks: Marks<'s>,
    /// For hits.
    pub hits: &'s mut [Hit],
    /// One a rule.
    pub triggered: &'s mut [u32],
    /// For the rules that fired.
    pub fired: &'s mut [Fired],
    /// For contacts.
    pub contacts: &'s mut [Contact],
    /// For the values of contacts, in bytes.
    pub values: &'s mut [u8],
    /// For the originator in canonical form.
    pub number: &'s mut [u8; CANONICAL_LEN_MAX],
}

/// Buffers for the views of a text, in bytes.
#[derive(Debug)]
pub struct Texts<'s> {
    /// For the folded text.
    pub folded: &'s mut [u8],
    /// For the squeezed text.
    pub squeezed: &'s mut [u8],
    /// For the text by sound.
    pub sound: &'s mut [u8],
    /// For the folded signature.
    pub signature: &'s mut [u8],
}

/// Marks of what an event hit. All zero at first, and never touched by the caller after that.
#[derive(Debug)]
pub struct Marks<'s> {
    /// One a pattern.
    pub patterns: &'s mut [u32],
    /// One a group.
    pub groups: &'s mut [GroupMark],
    /// One a rule.
    pub rules: &'s mut [u32],
    /// The stamp of the last event.
    pub generation: &'s mut u32,
}

/// How many different members of a group hit, if the stamp is that of the event at hand.
#[derive(Clone, Copy, Debug, Default)]
pub struct GroupMark {
    pub(super) stamp: u32,
    pub(super) count: u16,
}

impl GroupMark {
    /// Never hit.
    pub const EMPTY: Self = Self { stamp: 0, count: 0 };
}

/// How many elements each slice of a [`Scratch`] needs for a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScratchSize {
    /// Bytes for the folded text.
    pub folded: usize,
    /// Bytes for the squeezed text.
    pub squeezed: usize,
    /// Bytes for the text by sound.
    pub sound: usize,
    /// Bytes for the folded signature.
    pub signature: usize,
    /// Contacts.
    pub contacts: usize,
    /// Bytes for the values of contacts.
    pub values: usize,
    /// Hits.
    pub hits: usize,
    /// Marks of patterns.
    pub patterns: usize,
    /// Marks of groups.
    pub groups: usize,
    /// Marks of rules, and rules to evaluate.
    pub rules: usize,
    /// Rules that fired.
    pub fired: usize,
}

impl ScratchSize {
    /// What a pack needs for texts up to [`TEXT_BYTES_MAX`].
    #[must_use]
    pub fn of(pack: &Pack<'_>) -> Self {
        let patterns = pack.count(SectionKind::Patterns) as usize;
        let rules = pack.count(SectionKind::Rules) as usize;
        let folded = folded_len_max(TEXT_BYTES_MAX);
        let wanted = |view, len| if pack.patterns_of(view) > 0 { len } else { 0 };
        Self {
            folded,
            squeezed: wanted(crate::signal::View::Squeezed, folded),
            sound: wanted(crate::signal::View::Sound, folded * 2),
            signature: folded_len_max(SIGNATURE_BYTES_MAX),
            contacts: CONTACTS_MAX,
            values: CONTACT_VALUES_BYTES_MAX,
            hits: patterns.min(HITS_MAX),
            patterns,
            groups: pack.count(SectionKind::Groups) as usize,
            rules,
            fired: rules.min(FIRED_MAX),
        }
    }
}

impl Scratch<'_> {
    pub(super) fn fits(&self, pack: &Pack<'_>) -> bool {
        let count = |kind| pack.count(kind) as usize;
        self.marks.patterns.len() >= count(SectionKind::Patterns)
            && self.marks.groups.len() >= count(SectionKind::Groups)
            && self.marks.rules.len().min(self.triggered.len()) >= count(SectionKind::Rules)
    }
}

impl Marks<'_> {
    /// The stamp of the next event. When the counter comes round, marks of four thousand million events ago would count
    /// again: only then are they cleared.
    pub(super) fn next_generation(&mut self) -> u32 {
        *self.generation = self.generation.wrapping_add(1);
        if *self.generation == 0 {
            self.patterns.fill(0);
            self.groups.fill(GroupMark::default());
            self.rules.fill(0);
            *self.generation = 1;
        }
        *self.generation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_that_comes_round_clears_the_marks() {
        let mut generation = u32::MAX;
        let (mut patterns, mut rules) = ([1, u32::MAX], [1]);
        let mut groups = [GroupMark { stamp: 1, count: 7 }];
        let mut marks = Marks {
            patterns: &mut patterns,
            groups: &mut groups,
            rules: &mut rules,
            generation: &mut generation,
        };
        assert_eq!(marks.next_generation(), 1);
        assert_eq!((patterns, rules, groups[0].stamp), ([0, 0], [0], 0));
    }
}
