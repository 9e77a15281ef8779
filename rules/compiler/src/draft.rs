//! A pack between its source and its bytes: everything checked and resolved, nothing encoded yet.
//! The language side (`source`, `check`) makes a [`PackDraft`], the format side (`emit`) takes it.

use yumen_rules::behave::Query;
use yumen_rules::engine::ListSubject;
use yumen_rules::language::Language;
use yumen_rules::signal::{Field, Protected, View};
use yumen_rules::verdict::{Ladder, Typology};

/// Index into [`PackDraft::patterns`].
pub type PatternIndex = usize;
/// Index into [`PackDraft::groups`].
pub type GroupIndex = usize;
/// Index into [`PackDraft::lists`].
pub type ListIndex = usize;

/// A whole pack.
#[derive(Clone, Debug, Default)]
pub struct PackDraft {
    /// Name of the pack.
    pub name: String,
    /// Release channel, `stable` or `canary`.
    pub channel: String,
    /// Rises with every pack of a name and channel.
    pub serial: u64,
    /// Seconds since the Unix epoch.
    pub created_s: u64,
    /// Seconds since the Unix epoch; the pack is refused from then on.
    pub expires_s: u64,
    /// Distinct patterns; literals already folded for their view.
    pub patterns: Vec<PatternDraft>,
    /// Named sets of patterns, as conditions refer to them.
    pub groups: Vec<GroupDraft>,
    /// Rules in source order.
    pub rules: Vec<RuleDraft>,
    /// Lists that conditions refer to.
    pub lists: Vec<ListDraft>,
    /// Organisations with their numbers, signatures and domains.
    pub senders: Vec<SenderDraft>,
    /// What takes a rule's hit back.
    pub suppressions: Vec<SuppressDraft>,
    /// What makes an event protected, beside the built-in classes.
    pub protections: Vec<ProtectDraft>,
    /// The classifier's section ([`yumen_rules::classify`]); empty where there is none.
    pub classifier: Vec<u8>,
    /// The automaton's section ([`crate::edge`]); empty but in packs for small devices.
    pub automaton: Vec<u8>,
    /// What the person who was blocked is told, by typology.
    pub redress: Vec<(Typology, RedressTexts)>,
}

/// A sentence for the person who was blocked, by [`Language`]; empty where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RedressTexts(pub [String; Language::COUNT]);

impl RedressTexts {
    /// Whether there is no sentence in any language.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(String::is_empty)
    }
}

/// One pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PatternDraft {
    /// A folded literal, or a regular expression in the common subset of Hyperscan and the `regex` crate.
    pub text: String,
    /// Whether `text` is a regular expression.
    pub regex: bool,
    /// What it is matched against.
    pub view: View,
}

/// A named set of patterns.
#[derive(Clone, Debug)]
pub struct GroupDraft {
    /// `rule-id/name`, or the name of a shared `[[group]]`; for explanations.
    pub name: String,
    /// Members.
    pub patterns: Vec<PatternIndex>,
    /// How many different members must hit for the group to hold: 1 for `any`, all of them for `all`.
    pub need: u16,
}

/// One rule.
#[derive(Clone, Debug)]
pub struct RuleDraft {
    /// `debt-collection/threatens-contacts`.
    pub id: String,
    /// The practice.
    pub typology: Typology,
    /// Chinese title.
    pub title_zh: String,
    /// English title; may be empty.
    pub title_en: String,
    /// Applies to messages.
    pub sms: bool,
    /// Applies to calls.
    pub call: bool,
    /// How far the rule itself may go; a pack's default is `Shadow`.
    pub ladder: Ladder,
    /// 1 to 100.
    pub score: u8,
    /// The protected classes this rule may block all the same.
    pub overrides: Vec<Protected>,
    /// The condition.
    pub when: Expr,
    /// The rule's own tests: what it must catch.
    pub hits: Vec<String>,
    /// The rule's own tests: what it must not catch.
    pub misses: Vec<String>,
    /// What the person who was blocked is told, where it is more than the typology's sentence.
    pub redress: RedressTexts,
}

/// A list.
#[derive(Clone, Debug)]
pub struct ListDraft {
    /// Its name.
    pub name: String,
    /// How entries are compared.
    pub kind: ListKind,
    /// Canonical entries, sorted, distinct.
    pub entries: Vec<String>,
}

/// How a list's entries are compared with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ListKind {
    /// Equal.
    Exact = 0,
    /// The field starts with the entry (number ranges).
    Prefix = 1,
    /// The field is the entry or a subdomain of it.
    Domain = 2,
}

/// An organisation of the sender registry.
#[derive(Clone, Debug)]
pub struct SenderDraft {
    /// `中国工商银行`.
    pub organisation: String,
    /// `bank`, `court`, `police`, `regulator`, `operator`, `insurer`, `broker`, `platform`, `courier`, `emergency`, `government`, `other`.
    pub kind: String,
    /// Numbers in canonical form; a trailing `*` makes a prefix.
    pub numbers: Vec<String>,
    /// Folded signatures.
    pub signatures: Vec<String>,
    /// Domains, lower case.
    pub domains: Vec<String>,
}

/// Takes back hits.
#[derive(Clone, Debug)]
pub struct SuppressDraft {
    /// For explanations.
    pub id: String,
    /// Chinese reason.
    pub title_zh: String,
    /// English reason.
    pub title_en: String,
    /// The rules it takes back, by index; empty means every rule of `typologies`.
    pub rules: Vec<usize>,
    /// The typologies it takes back; empty with empty `rules` means all.
    pub typologies: Vec<Typology>,
    /// The condition.
    pub when: Expr,
    /// Must be suppressed (tests).
    pub hits: Vec<String>,
    /// Must not be suppressed (tests).
    pub misses: Vec<String>,
}

/// Makes an event protected.
#[derive(Clone, Debug)]
pub struct ProtectDraft {
    /// For explanations.
    pub id: String,
    /// The class.
    pub class: Protected,
    /// The condition.
    pub when: Expr,
}

/// A checked condition. Types are right by construction of `check`: boolean where a condition is expected.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// `true` or `false`.
    Bool(bool),
    /// The group holds.
    Group(GroupIndex),
    /// How many different members of the group hit, compared: `threat.count >= 2`.
    GroupCount(GroupIndex, Compare, u32),
    /// A boolean field.
    Field(Field),
    /// An integer field, compared.
    FieldInt(Field, Compare, i64),
    /// A text field equals a text.
    FieldText(Field, String),
    /// A text field starts with a text.
    FieldStartsWith(Field, String),
    /// A text field in a list.
    FieldIn(Field, ListIndex),
    /// `sender.kind == "bank"`: the registry's kind of the originator's organisation.
    SenderKind(String),
    /// `signature.kind == "bank"`: the registry's kind of the signature's organisation.
    SignatureKind(String),
    /// How a number has been behaving, compared; ratios in thousandths.
    Behaviour(Query, Compare, i64),
    /// The score that a number list gives a number, compared; 0 for one that isn't in it.
    Listed(ListQuestion, Compare, i64),
    /// Both (short-circuit).
    And(Vec<Expr>),
    /// Either (short-circuit).
    Or(Vec<Expr>),
    /// Not.
    Not(Box<Expr>),
}

/// A question to a number list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListQuestion {
    /// Whose number.
    pub subject: ListSubject,
    /// The list's name.
    pub list: String,
    /// Only what is listed for this practice counts.
    pub typology: Option<Typology>,
}

impl Expr {
    /// Whether it asks the classifier anywhere.
    #[must_use]
    pub fn asks_classifier(&self) -> bool {
        match self {
            Self::FieldInt(field, ..) => field.classified().is_some(),
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::asks_classifier),
            Self::Not(inner) => inner.asks_classifier(),
            _ => false,
        }
    }
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

impl Compare {
    /// Whether `left` and `right` are in this relation.
    #[must_use]
    pub const fn holds(self, left: i64, right: i64) -> bool {
        match self {
            Self::Eq => left == right,
            Self::Ne => left != right,
            Self::Lt => left < right,
            Self::Le => left <= right,
            Self::Gt => left > right,
            Self::Ge => left >= right,
        }
    }
}
