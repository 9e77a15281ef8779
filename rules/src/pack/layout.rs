//! Where everything is: made once from the bytes of a pack, after every byte has been checked.

use super::canary::CanaryOwner;
use super::header::{HEADER_LEN, Header, SECTION_ENTRY_LEN, SIGNATURE_LEN};
use super::node::{EXIT_FALSE, EXIT_TRUE, Node, Test};
use super::read::{u16_at, u32_at};
use super::view::{ListKind, Pack};
use super::{PackError, SectionKind};
use crate::classify;
use crate::limits::{
    CONDITION_NODES_MAX, GROUPS_MAX, PATTERNS_MAX, PROTECTIONS_MAX, RULES_MAX, STRING_BYTES_MAX,
    SUPPRESSIONS_MAX,
};
use crate::signal::View;

/// A section's place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    /// Offset of its first byte.
    pub(super) at: usize,
    /// Length in bytes.
    pub(super) len: usize,
    /// Number of records.
    pub(super) count: u32,
}

/// The places of a pack's parts. It borrows nothing, so that a pack's owner can keep it beside the bytes.
#[derive(Clone, Debug)]
pub struct Layout {
    pub(super) header: Header,
    pub(super) spans: [Span; SectionKind::COUNT],
    pub(super) views: [u32; View::COUNT],
}

impl Layout {
    /// Checks the whole of a pack, except its signature: every offset, index, string, order and condition. After this, access
    /// through [`Layout::pack`] finds what it looks for.
    ///
    /// # Errors
    /// The first defect found.
    pub fn new_checked(bytes: &[u8]) -> Result<Self, PackError> {
        let header = Header::new_checked(bytes)?;
        let mut layout = Self { header, spans: section_table(bytes, &header)?, views: [0; View::COUNT] };
        for (kind, limit) in LIMITS {
            if layout.span(kind).count as usize > limit {
                return Err(PackError::SectionLength(kind));
            }
        }
        layout.check_lengths(bytes)?;
        layout.check_strings(bytes)?;
        let pack = layout.pack(bytes);
        check_csr(
            &pack,
            SectionKind::PatternGroups,
            layout.count(SectionKind::Patterns),
            layout.count(SectionKind::Groups),
        )?;
        check_csr(
            &pack,
            SectionKind::GroupRules,
            layout.count(SectionKind::Groups),
            layout.count(SectionKind::Rules),
        )?;
        check_records(&pack)?;
        let mut views = [0; View::COUNT];
        for pattern in pack.patterns() {
            if let Some(count) = views.get_mut(pattern.view as usize) {
                *count += 1;
            }
        }
        layout.views = views;
        Ok(layout)
    }

    /// The pack: `bytes` are those that [`Layout::new_checked`] saw. (With others the accessors answer nonsense, and don't panic.)
    #[must_use]
    pub const fn pack<'p>(&'p self, bytes: &'p [u8]) -> Pack<'p> {
        Pack::new(bytes, self)
    }

    /// What the pack says about itself.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    #[inline]
    pub(super) fn span(&self, kind: SectionKind) -> Span {
        self.spans.get(kind.slot()).copied().unwrap_or_default()
    }

    fn count(&self, kind: SectionKind) -> u32 {
        self.span(kind).count
    }

    fn check_lengths(&self, bytes: &[u8]) -> Result<(), PackError> {
        for &kind in SectionKind::ALL {
            let span = self.span(kind);
            let expected = match kind {
                SectionKind::Strings => {
                    let offsets = (span.count as usize + 1) * 4;
                    let blob = u32_at(bytes, span.at + offsets.saturating_sub(4)) as usize;
                    if span.len < offsets { None } else { offsets.checked_add(blob) }
                }
                SectionKind::PatternGroups => csr_len(self.count(SectionKind::Patterns), span.count),
                SectionKind::GroupRules => csr_len(self.count(SectionKind::Groups), span.count),
                SectionKind::Classifier => {
                    classify::section_len(bytes.get(span.at..).unwrap_or_default(), span.count)
                }
                _ => (span.count as usize).checked_mul(kind.record_len()),
            };
            if expected != Some(span.len) {
                return Err(PackError::SectionLength(kind));
            }
        }
        Ok(())
    }

    fn check_strings(&self, bytes: &[u8]) -> Result<(), PackError> {
        let span = self.span(SectionKind::Strings);
        let bad = |index: u32| PackError::Record(SectionKind::Strings, index);
        let offsets_len = (span.count as usize + 1) * 4;
        let blob = bytes.get(span.at + offsets_len..span.at + span.len).ok_or(bad(0))?;
        let blob = core::str::from_utf8(blob).map_err(|_| bad(0))?;
        if u32_at(bytes, span.at) != 0 {
            return Err(bad(0));
        }
        for index in 0..span.count {
            let at = span.at + index as usize * 4;
            let (from, to) = (u32_at(bytes, at) as usize, u32_at(bytes, at + 4) as usize);
            if from > to || to - from > STRING_BYTES_MAX || blob.get(from..to).is_none() {
                return Err(bad(index));
            }
        }
        Ok(())
    }
}

const LIMITS: [(SectionKind, usize); 5] = [
    (SectionKind::Patterns, PATTERNS_MAX),
    (SectionKind::Groups, GROUPS_MAX),
    (SectionKind::Rules, RULES_MAX),
    (SectionKind::Suppressions, SUPPRESSIONS_MAX),
    (SectionKind::Protections, PROTECTIONS_MAX),
];

const FLAG_CRITICAL: u16 = 1;

fn section_table(bytes: &[u8], header: &Header) -> Result<[Span; SectionKind::COUNT], PackError> {
    let mut spans = [None; SectionKind::COUNT];
    let table_end = HEADER_LEN + usize::from(header.sections) * SECTION_ENTRY_LEN;
    let sections_end = bytes.len().saturating_sub(SIGNATURE_LEN);
    let mut end = table_end;
    for entry in 0..usize::from(header.sections) {
        let at = HEADER_LEN + entry * SECTION_ENTRY_LEN;
        let (kind, flags) = (u16_at(bytes, at), u16_at(bytes, at + 2));
        let span = Span {
            at: u32_at(bytes, at + 4) as usize,
            len: u32_at(bytes, at + 8) as usize,
            count: u32_at(bytes, at + 12),
        };
        let span_end = span.at.checked_add(span.len).ok_or(PackError::Sections)?;
        let gap_is_zero =
            bytes.get(end..span.at).is_some_and(|gap| gap.len() < 8 && gap.iter().all(|&byte| byte == 0));
        if !span.at.is_multiple_of(8) || !gap_is_zero || span_end > sections_end || flags > FLAG_CRITICAL {
            return Err(PackError::Sections);
        }
        end = span_end;
        match SectionKind::from_wire(kind).and_then(|kind| spans.get_mut(kind.slot())) {
            Some(slot @ None) => *slot = Some(span),
            Some(Some(_)) => return Err(PackError::Sections),
            None if flags & FLAG_CRITICAL != 0 => return Err(PackError::UnknownSection(kind)),
            None => {}
        }
    }
    let tail_is_zero =
        bytes.get(end..sections_end).is_some_and(|gap| gap.len() < 8 && gap.iter().all(|&byte| byte == 0));
    if !tail_is_zero {
        return Err(PackError::Sections);
    }
    let mut found = [Span::default(); SectionKind::COUNT];
    for ((slot, span), kind) in found.iter_mut().zip(spans).zip(SectionKind::ALL) {
        let may_be_absent =
            matches!(kind, SectionKind::Classifier | SectionKind::Automaton | SectionKind::Redress);
        let optional = may_be_absent.then(Span::default);
        *slot = span.or(optional).ok_or(PackError::MissingSection(*kind))?;
    }
    Ok(found)
}

fn csr_len(keys: u32, items: u32) -> Option<usize> {
    (keys as usize + 1).checked_add(items as usize)?.checked_mul(4)
}

fn check_csr(pack: &Pack<'_>, kind: SectionKind, keys: u32, values: u32) -> Result<(), PackError> {
    let span = pack.layout().span(kind);
    let offset = |key: u32| u32_at(pack.bytes(), span.at + key as usize * 4);
    if offset(0) != 0 || offset(keys) != span.count {
        return Err(PackError::Record(kind, 0));
    }
    for key in 0..keys {
        if offset(key) > offset(key + 1) {
            return Err(PackError::Record(kind, key));
        }
    }
    let items = span.at + (keys as usize + 1) * 4;
    match (0..span.count).find(|&item| u32_at(pack.bytes(), items + item as usize * 4) >= values) {
        Some(item) => Err(PackError::Record(kind, item)),
        None => Ok(()),
    }
}

/// Checks every record of every table by reading it as its accessor does, and the indices in it.
fn check_records(pack: &Pack<'_>) -> Result<(), PackError> {
    use SectionKind as S;
    let strings = pack.count(S::Strings);
    let all = |kind: S, valid: &dyn Fn(u32) -> Option<bool>| match (0..pack.count(kind))
        .find(|&index| valid(index) != Some(true))
    {
        Some(index) => Err(PackError::Record(kind, index)),
        None => Ok(()),
    };
    let string = |at: u32| at < strings;
    let range =
        |kind: S, first: u32, len: u32| first.checked_add(len).is_some_and(|end| end <= pack.count(kind));
    if pack.count(S::Classifier) > 0 && pack.classifier_checked().is_none() {
        return Err(PackError::Record(S::Classifier, 0));
    }
    all(S::Patterns, &|index| {
        let pattern = pack.pattern_checked(index)?;
        Some(string(pattern.0) && !pack.string_bytes(pattern.0).is_empty())
    })?;
    all(S::Groups, &|index| {
        let group = pack.group(index)?;
        Some(string(group.name) && 1 <= group.trigger && group.trigger <= group.need)
    })?;
    all(S::Rules, &|index| {
        let rule = pack.rule(index)?;
        let known = string(rule.id) && string(rule.title_zh) && string(rule.title_en);
        Some(
            known && (1..=100).contains(&rule.score) && condition_is_valid(pack, rule.first_node, rule.nodes),
        )
    })?;
    all(S::Nodes, &|index| pack.node(index).map(|_| true))?;
    all(S::Always, &|index| Some(pack.u32_record(S::Always, index) < pack.count(S::Rules)))?;
    all(S::Lists, &|index| {
        let list = pack.list(index)?;
        let sorted = (list.first..list.first + list.len.saturating_sub(1)).all(|at| {
            let (a, b) = (pack.u32_record(S::ListEntries, at), pack.u32_record(S::ListEntries, at + 1));
            pack.string_bytes(a) < pack.string_bytes(b)
        });
        let _: ListKind = list.kind;
        Some(string(list.name) && range(S::ListEntries, list.first, list.len) && sorted)
    })?;
    all(S::ListEntries, &|index| Some(string(pack.u32_record(S::ListEntries, index))))?;
    all(S::Organisations, &|index| {
        let organisation = pack.organisation(index)?;
        Some(string(organisation.name) && range(S::Domains, organisation.domains_first, organisation.domains))
    })?;
    for kind in [S::Numbers, S::NumberPrefixes, S::Signatures] {
        all(kind, &|index| {
            let (key, organisation) = pack.key(kind, index)?;
            let sorted = index == 0
                || pack
                    .key(kind, index - 1)
                    .is_some_and(|(before, _)| pack.string_bytes(before) <= pack.string_bytes(key));
            Some(
                string(key)
                    && organisation < pack.count(S::Organisations)
                    && sorted
                    && !pack.string_bytes(key).is_empty(),
            )
        })?;
    }
    all(S::Domains, &|index| Some(string(pack.u32_record(S::Domains, index))))?;
    all(S::Suppressions, &|index| {
        let suppression = pack.suppression(index)?;
        let known = string(suppression.id) && string(suppression.title_zh) && string(suppression.title_en);
        let ranged = range(S::SuppressedRules, suppression.rules_first, suppression.rules);
        Some(known && ranged && condition_is_valid(pack, suppression.first_node, suppression.nodes))
    })?;
    all(S::SuppressedRules, &|index| {
        Some(pack.u32_record(S::SuppressedRules, index) < pack.count(S::Rules))
    })?;
    all(S::Protections, &|index| {
        let protection = pack.protection(index)?;
        Some(string(protection.id) && condition_is_valid(pack, protection.first_node, protection.nodes))
    })?;
    all(S::Canaries, &|index| {
        let (text, owner, _) = pack.canary_checked(index)?;
        Some(
            string(text)
                && match owner {
                    CanaryOwner::Rule(rule) => rule < pack.count(S::Rules),
                    CanaryOwner::Suppression(suppression) => suppression < pack.count(S::Suppressions),
                },
        )
    })?;
    all(S::Redress, &|index| {
        let redress = pack.redress_record(index)?;
        let of_rule = redress.rule.is_none_or(|rule| rule < pack.count(S::Rules));
        Some(of_rule && redress.sentences.into_iter().all(string))
    })
}

fn condition_is_valid(pack: &Pack<'_>, first: u32, nodes: u16) -> bool {
    use SectionKind as S;
    let fits = first.checked_add(u32::from(nodes)).is_some_and(|end| end <= pack.count(S::Nodes));
    if !fits || nodes == 0 || usize::from(nodes) > CONDITION_NODES_MAX {
        return false;
    }
    (0..nodes).all(|position| {
        let Some(Node { test, on_true, on_false }) = pack.node(first + u32::from(position)) else {
            return false;
        };
        let leads_forward =
            |exit: u16| matches!(exit, EXIT_TRUE | EXIT_FALSE) || (exit > position && exit < nodes);
        let operand_is_valid = match test {
            Test::Group(group) | Test::GroupCount(group, ..) => group < pack.count(S::Groups),
            Test::FieldText(_, string) | Test::FieldStartsWith(_, string) => string < pack.count(S::Strings),
            Test::FieldIn(_, list) => list < pack.count(S::Lists),
            Test::Listed(query, ..) => query.list < pack.count(S::Strings),
            Test::Constant(_)
            | Test::Field(_)
            | Test::FieldInt(..)
            | Test::SenderKind(_)
            | Test::SignatureKind(_)
            | Test::Behaviour(..) => true,
        };
        leads_forward(on_true) && leads_forward(on_false) && operand_is_valid
    })
}
