//! Zero-copy access to a checked pack. Nothing here can fail: an index that isn't valid gives an empty answer.

use super::SectionKind;
use core::ops::Range;

use super::canary::{Canary, CanaryOwner};
use super::header::Header;
use super::layout::Layout;
use super::node::{NODE_LEN, Node};
use super::read::{u8_at, u16_at, u32_at};
use super::registry::{Organisation, OrganisationKind};
use crate::classify::Model;
use crate::language::Language;
use crate::signal::{Protected, View};
use crate::verdict::{Ladder, Typology};

/// Index into the strings of a pack.
pub type StringId = u32;

/// A checked pack.
#[derive(Clone, Copy, Debug)]
pub struct Pack<'p> {
    bytes: &'p [u8],
    layout: &'p Layout,
}

/// A pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pattern<'p> {
    /// Its index, which is the id that a matcher reports.
    pub index: u32,
    /// A folded literal, or a regular expression.
    pub text: &'p str,
    /// Whether `text` is a regular expression.
    pub regex: bool,
    /// What it is matched against.
    pub view: View,
}

/// A named set of patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: StringId,
    /// How many different members must hit for it to hold.
    pub need: u16,
    /// How many different members must hit for the rules that wait for it to be evaluated.
    pub trigger: u16,
    /// How many members it has.
    pub members: u32,
}

/// A rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its id, `debt-collection/threatens-contacts`.
    pub id: StringId,
    /// Chinese title.
    pub title_zh: StringId,
    /// English title; may be empty.
    pub title_en: StringId,
    /// The practice.
    pub typology: Typology,
    /// Applies to messages.
    pub sms: bool,
    /// Applies to calls.
    pub call: bool,
    /// How far it may go.
    pub ladder: Ladder,
    /// 1 to 100.
    pub score: u8,
    /// One bit per [`Protected`] class that it may block all the same.
    pub overrides: u8,
    /// Its condition asks the classifier.
    pub by_classifier: bool,
    pub(crate) first_node: u32,
    pub(crate) nodes: u16,
}

/// What takes hits back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// Its id.
    pub id: StringId,
    /// Chinese reason.
    pub title_zh: StringId,
    /// English reason.
    pub title_en: StringId,
    /// One bit per typology; of no account where rules are named.
    pub typologies: u8,
    pub(crate) first_node: u32,
    pub(crate) nodes: u16,
    pub(crate) rules_first: u32,
    pub(crate) rules: u32,
}

/// What makes an event protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protection {
    /// Its id.
    pub id: StringId,
    /// The class.
    pub class: Protected,
    pub(crate) first_node: u32,
    pub(crate) nodes: u16,
}

/// How a list's entries are compared with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ListKind {
    /// Equal.
    Exact = 0,
    /// The field starts with the entry.
    Prefix = 1,
    /// The field is the entry or a subdomain of it.
    Domain = 2,
}

/// Sentences for the person who was blocked, by [`Language`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Redress {
    /// Whose they are; `None` are the typology's own.
    pub(super) rule: Option<u32>,
    pub(super) typology: Typology,
    pub(super) sentences: [StringId; Language::COUNT],
}

/// A list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct List {
    /// Its name.
    pub name: StringId,
    /// How its entries are compared.
    pub kind: ListKind,
    pub(crate) first: u32,
    pub(crate) len: u32,
}

impl List {
    /// Whether it has no entry.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

macro_rules! condition {
    ($($owner:ident),*) => {
        $(impl $owner {
            /// The nodes of its condition, for [`Pack::node`].
            #[must_use]
            pub fn condition(&self) -> Range<u32> {
                self.first_node..self.first_node.saturating_add(self.nodes.into())
            }
        })*
    };
}

condition!(Rule, Suppression, Protection);

/// The organisations behind a number or a signature, by their indices.
#[derive(Clone, Debug)]
pub struct Organisations<'p> {
    pack: Pack<'p>,
    kind: SectionKind,
    range: Range<u32>,
}

impl Organisations<'_> {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }
}

impl Iterator for Organisations<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let at = self.range.next()?;
        self.pack.key(self.kind, at).map(|(_, organisation)| organisation)
    }
}

impl<'p> Pack<'p> {
    pub(super) const fn new(bytes: &'p [u8], layout: &'p Layout) -> Self {
        Self { bytes, layout }
    }

    /// What the pack says about itself.
    #[must_use]
    pub const fn header(&self) -> &'p Header {
        &self.layout.header
    }

    /// How many records a section has.
    #[inline]
    #[must_use]
    pub fn count(&self, kind: SectionKind) -> u32 {
        self.layout.span(kind).count
    }

    /// How many patterns a view has: a view without any need not be computed.
    #[inline]
    #[must_use]
    pub fn patterns_of(&self, view: View) -> u32 {
        self.layout.views.get(view as usize).copied().unwrap_or(0)
    }

    /// The classifier; `None` where the pack has none.
    #[must_use]
    pub fn classifier(&self) -> Option<Model<'p>> {
        Model::new(self.section(SectionKind::Classifier)).filter(|model| !model.is_empty())
    }

    /// The same, each of its bytes checked: what is done once.
    pub(super) fn classifier_checked(&self) -> Option<Model<'p>> {
        Model::new_checked(self.section(SectionKind::Classifier))
    }

    /// The automaton of small devices, not checked; empty where the pack has none.
    #[must_use]
    pub fn automaton(&self) -> &'p [u8] {
        self.section(SectionKind::Automaton)
    }

    fn section(&self, kind: SectionKind) -> &'p [u8] {
        let span = self.layout.span(kind);
        self.bytes.get(span.at..span.at.saturating_add(span.len)).unwrap_or_default()
    }

    /// All patterns.
    pub fn patterns(&self) -> impl Iterator<Item = Pattern<'p>> + use<'p> {
        let pack = *self;
        (0..self.count(SectionKind::Patterns)).filter_map(move |index| pack.pattern(index))
    }

    /// A pattern.
    #[must_use]
    pub fn pattern(&self, index: u32) -> Option<Pattern<'p>> {
        let (text, regex, view) = self.pattern_checked(index)?;
        Some(Pattern { index, text: self.string(text), regex, view })
    }

    /// All rules in source order, with their indices.
    pub fn rules(&self) -> impl Iterator<Item = (u32, Rule)> + use<'p> {
        let pack = *self;
        (0..self.count(SectionKind::Rules)).filter_map(move |index| Some((index, pack.rule(index)?)))
    }

    /// A rule.
    #[inline]
    #[must_use]
    pub fn rule(&self, index: u32) -> Option<Rule> {
        let record: &[u8; 24] = self.record(SectionKind::Rules, index)?;
        let channels = u8_at(record, 13);
        if channels & !3 != 0 || u8_at(record, 16) & !PROTECTED_BITS != 0 || u8_at(record, 17) & !3 != 0 {
            return None;
        }
        Some(Rule {
            id: u32_at(record, 0),
            title_zh: u32_at(record, 4),
            title_en: u32_at(record, 8),
            typology: Typology::from_wire(u8_at(record, 12))?,
            sms: channels & 1 != 0,
            call: channels & 2 != 0,
            ladder: match u8_at(record, 14) {
                0 => Ladder::Shadow,
                1 => Ladder::Flag,
                2 => Ladder::Enforce,
                _ => return None,
            },
            score: u8_at(record, 15),
            overrides: u8_at(record, 16),
            by_classifier: u8_at(record, 17) & 2 != 0,
            nodes: u16_at(record, 18),
            first_node: u32_at(record, 20),
        })
    }

    /// The id of a rule; empty where there is none.
    #[must_use]
    pub fn rule_id(&self, index: u32) -> &'p str {
        self.rule(index).map_or("", |rule| self.string(rule.id))
    }

    /// A group.
    #[inline]
    #[must_use]
    pub fn group(&self, index: u32) -> Option<Group> {
        let record: &[u8; 12] = self.record(SectionKind::Groups, index)?;
        Some(Group {
            name: u32_at(record, 0),
            need: u16_at(record, 4),
            trigger: u16_at(record, 6),
            members: u32_at(record, 8),
        })
    }

    /// The groups a pattern is a member of.
    #[inline]
    pub fn groups_of(&self, pattern: u32) -> impl Iterator<Item = u32> + use<'p> {
        self.csr(SectionKind::PatternGroups, self.count(SectionKind::Patterns), pattern)
    }

    /// The rules to evaluate when a group's trigger is reached.
    #[inline]
    pub fn rules_of(&self, group: u32) -> impl Iterator<Item = u32> + use<'p> {
        self.csr(SectionKind::GroupRules, self.count(SectionKind::Groups), group)
    }

    /// The rules that are always evaluated.
    #[inline]
    pub fn always(&self) -> impl Iterator<Item = u32> + use<'p> {
        let pack = *self;
        (0..self.count(SectionKind::Always)).map(move |index| pack.u32_record(SectionKind::Always, index))
    }

    /// A node of a condition.
    #[inline]
    #[must_use]
    pub fn node(&self, index: u32) -> Option<Node> {
        Node::parse(self.node_record(index)?)
    }

    /// The same, as its bytes.
    #[inline]
    pub(crate) fn node_record(&self, index: u32) -> Option<&'p [u8; NODE_LEN]> {
        self.record(SectionKind::Nodes, index)
    }

    /// A list.
    #[must_use]
    pub fn list(&self, index: u32) -> Option<List> {
        let record: &[u8; 16] = self.record(SectionKind::Lists, index)?;
        let kind = match u8_at(record, 4) {
            0 => ListKind::Exact,
            1 => ListKind::Prefix,
            2 => ListKind::Domain,
            _ => return None,
        };
        Some(List { name: u32_at(record, 0), kind, first: u32_at(record, 8), len: u32_at(record, 12) })
    }

    /// Whether a list has `field`, compared as the list says.
    #[must_use]
    pub fn list_has(&self, list: &List, field: &str) -> bool {
        let entry = |at: u32| self.string_bytes(self.u32_record(SectionKind::ListEntries, list.first + at));
        let has = |key: &[u8]| search(list.len, entry, key).is_ok();
        match list.kind {
            ListKind::Exact => has(field.as_bytes()),
            ListKind::Prefix => longest_prefix(list.len, entry, field.as_bytes()).is_some(),
            ListKind::Domain => has(field.as_bytes()) || parents(field).any(|parent| has(parent.as_bytes())),
        }
    }

    /// Whether a list has the entry `kind:value`.
    #[must_use]
    pub fn list_has_of_kind(&self, list: &List, kind: &str, value: &str) -> bool {
        let entry = |at: u32| self.string_bytes(self.u32_record(SectionKind::ListEntries, list.first + at));
        let key = || kind.bytes().chain([b':']).chain(value.bytes());
        let at = partition(list.len, |at| entry(at).iter().copied().lt(key()));
        at < list.len && entry(at).iter().copied().eq(key())
    }

    /// An organisation.
    #[must_use]
    pub fn organisation(&self, index: u32) -> Option<Organisation> {
        let record: &[u8; 16] = self.record(SectionKind::Organisations, index)?;
        Some(Organisation {
            name: u32_at(record, 0),
            kind: OrganisationKind::from_wire(u8_at(record, 4))?,
            domains_first: u32_at(record, 8),
            domains: u32_at(record, 12),
        })
    }

    /// The organisations a number in canonical form belongs to: by the number itself, or else by the longest prefix.
    #[must_use]
    pub fn organisations_by_number(&self, number: &str) -> Organisations<'p> {
        let number = number.as_bytes();
        let exact = self.equal_range(SectionKind::Numbers, number);
        if !exact.is_empty() {
            return Organisations { pack: *self, kind: SectionKind::Numbers, range: exact };
        }
        let kind = SectionKind::NumberPrefixes;
        let prefix = longest_prefix(self.count(kind), |at| self.key_bytes(kind, at), number);
        let range = prefix.map_or(0..0, |at| self.equal_range(kind, self.key_bytes(kind, at)));
        Organisations { pack: *self, kind, range }
    }

    /// The organisations a folded signature belongs to.
    #[must_use]
    pub fn organisations_by_signature(&self, signature: &str) -> Organisations<'p> {
        let kind = SectionKind::Signatures;
        Organisations { pack: *self, kind, range: self.equal_range(kind, signature.as_bytes()) }
    }

    /// Whether a host is on one of an organisation's domains. `None` where the registry has no domain of it.
    #[must_use]
    pub fn organisation_has_domain(&self, organisation: &Organisation, host: &str) -> Option<bool> {
        if organisation.domains == 0 {
            return None;
        }
        let domain = |at: u32| {
            self.string_bytes(self.u32_record(SectionKind::Domains, organisation.domains_first + at))
        };
        let on = |name: &str| (0..organisation.domains).any(|at| domain(at) == name.as_bytes());
        Some(on(host) || parents(host).any(on))
    }

    /// All suppressions, with their indices.
    pub fn suppressions(&self) -> impl Iterator<Item = (u32, Suppression)> + use<'p> {
        let pack = *self;
        (0..self.count(SectionKind::Suppressions))
            .filter_map(move |index| Some((index, pack.suppression(index)?)))
    }

    /// A suppression.
    #[must_use]
    pub fn suppression(&self, index: u32) -> Option<Suppression> {
        let record: &[u8; 28] = self.record(SectionKind::Suppressions, index)?;
        Some(Suppression {
            id: u32_at(record, 0),
            title_zh: u32_at(record, 4),
            title_en: u32_at(record, 8),
            typologies: u8_at(record, 12),
            nodes: u16_at(record, 14),
            first_node: u32_at(record, 16),
            rules_first: u32_at(record, 20),
            rules: u32_at(record, 24),
        })
    }

    /// Whether a suppression takes back a rule's hit.
    #[must_use]
    pub fn suppresses(&self, suppression: &Suppression, rule: u32, typology: Typology) -> bool {
        let mut named = (0..suppression.rules)
            .map(|at| self.u32_record(SectionKind::SuppressedRules, suppression.rules_first + at));
        if suppression.rules > 0 {
            named.any(|suppressed| suppressed == rule)
        } else {
            suppression.typologies == 0 || suppression.typologies & (1 << typology as u8) != 0
        }
    }

    /// All protections, with their indices.
    pub fn protections(&self) -> impl Iterator<Item = (u32, Protection)> + use<'p> {
        let pack = *self;
        (0..self.count(SectionKind::Protections))
            .filter_map(move |index| Some((index, pack.protection(index)?)))
    }

    /// A protection.
    #[must_use]
    pub fn protection(&self, index: u32) -> Option<Protection> {
        let record: &[u8; 12] = self.record(SectionKind::Protections, index)?;
        let class = Protected::ALL.get(usize::from(u8_at(record, 4))).copied()?;
        Some(Protection {
            id: u32_at(record, 0),
            class,
            nodes: u16_at(record, 6),
            first_node: u32_at(record, 8),
        })
    }

    /// What to say to the person whose message or call was blocked: the rule's own sentence, or its typology's, or what is
    /// said where the pack has none. It names the practice in words for laymen, and nothing of what gave it away.
    #[must_use]
    pub fn redress(&self, rule: Option<u32>, typology: Typology, language: Language) -> &'p str {
        let find = |wanted: &dyn Fn(&Redress) -> bool| {
            (0..self.count(SectionKind::Redress)).find_map(|index| {
                let redress = self.redress_record(index).filter(|redress| wanted(redress))?;
                let sentence = self.string(*redress.sentences.get(language as usize)?);
                (!sentence.is_empty()).then_some(sentence)
            })
        };
        let own = rule.and_then(|rule| find(&|redress| redress.rule == Some(rule)));
        let of_typology = || find(&|redress| redress.rule.is_none() && redress.typology == typology);
        own.or_else(of_typology).unwrap_or(language.redress())
    }

    pub(super) fn redress_record(&self, index: u32) -> Option<Redress> {
        let record: &[u8; 20] = self.record(SectionKind::Redress, index)?;
        if record.get(5..8) != Some(&[0; 3]) {
            return None;
        }
        Some(Redress {
            rule: Some(u32_at(record, 0)).filter(|&rule| rule != u32::MAX),
            typology: Typology::from_wire(u8_at(record, 4))?,
            sentences: [u32_at(record, 8), u32_at(record, 12), u32_at(record, 16)],
        })
    }

    /// The pack's own tests.
    pub fn canaries(&self) -> impl Iterator<Item = Canary<'p>> + use<'p> {
        let pack = *self;
        (0..self.count(SectionKind::Canaries)).filter_map(move |index| {
            let (text, owner, hit) = pack.canary_checked(index)?;
            Some(Canary { text: pack.string(text), owner, hit })
        })
    }

    /// A string; empty where there is none.
    #[must_use]
    pub fn string(&self, id: StringId) -> &'p str {
        core::str::from_utf8(self.string_bytes(id)).unwrap_or("")
    }

    /// A string's bytes, which are UTF-8.
    #[inline]
    #[must_use]
    pub fn string_bytes(&self, id: StringId) -> &'p [u8] {
        let span = self.layout.span(SectionKind::Strings);
        if id >= span.count {
            return &[];
        }
        let at = span.at + id as usize * 4;
        let blob = span.at + (span.count as usize + 1) * 4;
        let (from, to) = (u32_at(self.bytes, at) as usize, u32_at(self.bytes, at + 4) as usize);
        self.bytes.get(blob + from..blob + to).unwrap_or(&[])
    }

    pub(super) const fn bytes(&self) -> &'p [u8] {
        self.bytes
    }

    pub(super) const fn layout(&self) -> &'p Layout {
        self.layout
    }

    pub(super) fn pattern_checked(&self, index: u32) -> Option<(StringId, bool, View)> {
        let record: &[u8; 8] = self.record(SectionKind::Patterns, index)?;
        let [t0, t1, t2, t3, flags @ 0..=1, view, 0, 0] = *record else { return None };
        Some((u32::from_le_bytes([t0, t1, t2, t3]), flags != 0, View::from_wire(view)?))
    }

    pub(super) fn canary_checked(&self, index: u32) -> Option<(StringId, CanaryOwner, bool)> {
        let record: &[u8; 12] = self.record(SectionKind::Canaries, index)?;
        let owner = match u8_at(record, 8) {
            0 => CanaryOwner::Rule(u32_at(record, 4)),
            1 => CanaryOwner::Suppression(u32_at(record, 4)),
            _ => return None,
        };
        match u8_at(record, 9) {
            hit @ 0..=1 => Some((u32_at(record, 0), owner, hit == 1)),
            _ => None,
        }
    }

    pub(super) fn key(&self, kind: SectionKind, index: u32) -> Option<(StringId, u32)> {
        let record: &[u8; 8] = self.record(kind, index)?;
        Some((u32_at(record, 0), u32_at(record, 4)))
    }

    #[inline]
    pub(super) fn u32_record(&self, kind: SectionKind, index: u32) -> u32 {
        self.record::<4>(kind, index).map_or(u32::MAX, |record| u32::from_le_bytes(*record))
    }

    #[inline]
    fn record<const N: usize>(&self, kind: SectionKind, index: u32) -> Option<&'p [u8; N]> {
        let span = self.layout.span(kind);
        if index >= span.count {
            return None;
        }
        self.bytes.get(span.at + index as usize * N..)?.first_chunk()
    }

    #[inline]
    fn csr(&self, kind: SectionKind, keys: u32, key: u32) -> impl Iterator<Item = u32> + use<'p> {
        let span = self.layout.span(kind);
        let items = span.at + (keys as usize + 1) * 4;
        let at = span.at + key as usize * 4;
        let (from, to) = if key < keys {
            (u32_at(self.bytes, at) as usize, u32_at(self.bytes, at + 4) as usize)
        } else {
            (0, 0)
        };
        let slice = self.bytes.get(items + from * 4..items + to * 4).unwrap_or(&[]);
        slice.as_chunks::<4>().0.iter().map(|item| u32::from_le_bytes(*item))
    }

    fn key_bytes(&self, kind: SectionKind, index: u32) -> &'p [u8] {
        self.key(kind, index).map_or(&[], |(string, _)| self.string_bytes(string))
    }

    fn equal_range(&self, kind: SectionKind, key: &[u8]) -> Range<u32> {
        let count = self.count(kind);
        let start = partition(count, |at| self.key_bytes(kind, at) < key);
        let mut end = start;
        while end < count && self.key_bytes(kind, end) == key {
            end += 1;
        }
        start..end
    }
}

const PROTECTED_BITS: u8 = (1 << Protected::ALL.len()) - 1;

/// The first index in `0..len` for which `before` is false, `before` being true for a first part and false after it.
fn partition(len: u32, before: impl Fn(u32) -> bool) -> u32 {
    let (mut low, mut high) = (0, len);
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

fn search<'e>(len: u32, entry: impl Fn(u32) -> &'e [u8], key: &[u8]) -> Result<u32, u32> {
    let at = partition(len, |at| entry(at) < key);
    if at < len && entry(at) == key { Ok(at) } else { Err(at) }
}

/// The longest of the sorted entries that `key` starts with. Where the entry at `key`'s place isn't a prefix of it, one that
/// is can be no longer than what the two share: each round shortens `key` to that.
fn longest_prefix<'e>(len: u32, entry: impl Fn(u32) -> &'e [u8], mut key: &[u8]) -> Option<u32> {
    loop {
        let at = partition(len, |at| entry(at) <= key).checked_sub(1)?;
        let candidate = entry(at);
        if key.starts_with(candidate) {
            return (!candidate.is_empty()).then_some(at);
        }
        let shared = candidate.iter().zip(key).take_while(|(a, b)| a == b).count();
        key = key.get(..shared)?;
    }
}

/// `a.b.c` → `b.c`, `c`.
fn parents(host: &str) -> impl Iterator<Item = &str> {
    host.match_indices('.').filter_map(|(at, _)| host.get(at + 1..))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_is_found_past_nearer_neighbours() {
        let entries: [&[u8]; 5] = [b"10", b"1050", b"10690", b"106900", b"95"];
        let find = |key: &str| longest_prefix(5, |at| entries[at as usize], key.as_bytes());
        assert_eq!(find("1069"), Some(0));
        assert_eq!(find("10690012"), Some(3));
        assert_eq!(find("1069055"), Some(2));
        assert_eq!(find("1051"), Some(0));
        assert_eq!(find("95588"), Some(4));
        assert_eq!(find("11"), None);
        assert_eq!(find(""), None);
    }

    #[test]
    fn a_host_has_its_parents() {
        assert!(parents("a.b.c").eq(["b.c", "c"]));
        assert!(parents("localhost").next().is_none());
    }
}
