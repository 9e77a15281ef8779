//! What the files say, before anything is resolved: the sections with the places of their values.

use yumen_rules::signal::{Protected, View};
use yumen_rules::verdict::{Ladder, Typology};

use super::listed::ListedSource;
use super::map::Span;
use super::sequence::{Expect, SequenceSource};
use super::text::Text;
use crate::draft::{ListKind, RedressTexts};

/// Everything of a build.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// The folders' `[pack]` sections.
    pub modules: Vec<ModuleSource>,
    /// Shared `[[group]]`s.
    pub groups: Vec<GroupSource>,
    /// `[[rule]]`s in source order.
    pub rules: Vec<RuleSource>,
    /// `[[suppress]]`es.
    pub suppressions: Vec<SuppressSource>,
    /// `[[protect]]`s.
    pub protections: Vec<ProtectSource>,
    /// `[[list]]`s.
    pub lists: Vec<ListSource>,
    /// `[[sender]]`s.
    pub senders: Vec<SenderSource>,
    /// `[[scenario]]`s.
    pub scenarios: Vec<ScenarioSource>,
    /// The classifier's section of the pack; empty where there is none.
    pub classifier: Vec<u8>,
    /// `[[redress]]`s.
    pub redress: Vec<RedressSource>,
}

/// `[[redress]]`: what the person who was blocked is told.
#[derive(Clone, Debug)]
pub struct RedressSource {
    /// For which practice.
    pub typology: Option<Typology>,
    /// The sentences.
    pub texts: RedressTexts,
    /// The section's header.
    pub span: Span,
}

/// `[pack]`: a folder's name and titles.
#[derive(Clone, Debug)]
pub struct ModuleSource {
    /// Its name.
    pub name: Text,
    /// Chinese title.
    pub title_zh: String,
    /// English title.
    pub title_en: String,
}

/// `[defaults]` of a folder.
#[derive(Clone, Copy, Debug, Default)]
pub struct Defaults {
    /// For rules that name none.
    pub typology: Option<Typology>,
    /// For rules that name none; [`Ladder::Shadow`] where this is absent too.
    pub ladder: Option<Ladder>,
    /// For rules that name none; messages where this is absent too.
    pub channels: Option<Channels>,
}

/// What a rule applies to.
#[derive(Clone, Copy, Debug)]
pub struct Channels {
    /// Messages.
    pub sms: bool,
    /// Calls.
    pub call: bool,
}

/// `{ any = […], all = […], regex = …, include = […], view = …, need = … }`.
#[derive(Clone, Debug)]
pub struct MatchSource {
    /// One of these is enough (or `need` of them).
    pub any: Vec<Text>,
    /// All of these, beside the others.
    pub all: Vec<Text>,
    /// Regular expressions, members like those of `any`.
    pub regex: Vec<Text>,
    /// Shared groups whose members belong to this one too.
    pub include: Vec<Text>,
    /// The text the patterns are matched against.
    pub view: View,
    /// How many different members of `any`, `regex` and `include`.
    pub need: Option<(u16, Span)>,
    /// The whole table.
    pub span: Span,
}

/// A shared `[[group]]`.
#[derive(Clone, Debug)]
pub struct GroupSource {
    /// Its name in conditions.
    pub id: Text,
    /// Its members.
    pub members: MatchSource,
}

/// A named match of a rule, a suppression or a protection.
#[derive(Clone, Debug)]
pub struct NamedMatch {
    /// Its name in the condition.
    pub name: Text,
    /// Its members.
    pub members: MatchSource,
}

/// A test: a text and, where it matters, who sent it.
#[derive(Clone, Debug)]
pub struct TestSource {
    /// The message.
    pub text: Text,
    /// The originator; absent in a plain string.
    pub from: Option<Text>,
    /// The destination; absent in a plain string.
    pub to: Option<Text>,
    /// Number lists.
    pub listed: ListedSource,
}

/// `[[rule]]`.
#[derive(Clone, Debug)]
pub struct RuleSource {
    /// Its id.
    pub id: Text,
    /// Its own or the folder's.
    pub typology: Option<Typology>,
    /// Chinese title.
    pub title_zh: String,
    /// English title.
    pub title_en: String,
    /// 1 to 100.
    pub score: u8,
    /// Its own or the folder's.
    pub ladder: Ladder,
    /// Its own or the folder's.
    pub channels: Channels,
    /// Protected classes it may block.
    pub overrides: Vec<Protected>,
    /// Its own matches.
    pub matches: Vec<NamedMatch>,
    /// The condition; `None` after an error that was reported.
    pub when: Option<Text>,
    /// What it must catch.
    pub hits: Vec<TestSource>,
    /// What it must not catch.
    pub misses: Vec<TestSource>,
    /// Sequences that it must catch in time.
    pub hit_sequences: Vec<SequenceSource>,
    /// Sequences that it must not catch anything of.
    pub miss_sequences: Vec<SequenceSource>,
    /// Its own sentences for the person who was blocked, and where they stand.
    pub redress: Option<(RedressTexts, Span)>,
    /// The section's header.
    pub span: Span,
}

/// `[[suppress]]`.
#[derive(Clone, Debug)]
pub struct SuppressSource {
    /// Its id.
    pub id: Text,
    /// Chinese reason.
    pub title_zh: String,
    /// English reason.
    pub title_en: String,
    /// Its own matches.
    pub matches: Vec<NamedMatch>,
    /// The condition.
    pub when: Option<Text>,
    /// Globs over rule ids.
    pub rules: Vec<Text>,
    /// Typologies.
    pub typologies: Vec<Typology>,
    /// What it must hold for.
    pub hits: Vec<TestSource>,
    /// What it must not hold for.
    pub misses: Vec<TestSource>,
    /// Sequences that it must hold for in time.
    pub hit_sequences: Vec<SequenceSource>,
    /// Sequences that it must never hold for.
    pub miss_sequences: Vec<SequenceSource>,
    /// The section's header.
    pub span: Span,
}

/// `[[scenario]]`: a sequence that the pack as a whole is tested with.
#[derive(Clone, Debug)]
pub struct ScenarioSource {
    /// Its id.
    pub id: Text,
    /// Chinese title.
    pub title_zh: String,
    /// English title.
    pub title_en: String,
    /// What must come of it.
    pub expect: Expect,
    /// What happens.
    pub sequence: SequenceSource,
}

/// `[[protect]]`.
#[derive(Clone, Debug)]
pub struct ProtectSource {
    /// Its id.
    pub id: Text,
    /// The class.
    pub class: Option<Protected>,
    /// Its own matches.
    pub matches: Vec<NamedMatch>,
    /// The condition.
    pub when: Option<Text>,
    /// The section's header.
    pub span: Span,
}

/// `[[list]]`.
#[derive(Clone, Debug)]
pub struct ListSource {
    /// Its name in conditions.
    pub name: Text,
    /// How entries are compared.
    pub kind: ListKind,
    /// The entries, from the section and its file.
    pub entries: Vec<Text>,
    /// The section's header.
    pub span: Span,
}

/// `[[sender]]`.
#[derive(Clone, Debug)]
pub struct SenderSource {
    /// Its name.
    pub organisation: Text,
    /// Its kind.
    pub kind: String,
    /// Numbers; a trailing `*` makes a prefix.
    pub numbers: Vec<Text>,
    /// Signatures.
    pub signatures: Vec<Text>,
    /// Domains.
    pub domains: Vec<Text>,
}
