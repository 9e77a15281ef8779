//! Tests that are sequences of calls or messages: `{ events = [{ repeat = 60, over = "5m", from = "1700000{0001}", … }] }`.

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use yumen_behaviour::Finish;
use yumen_wire::event::{Attestation, Trunk, Verstat};

use super::listed::ListedSource;
use super::map::Span;
use super::reader::{Reader, Section};
use super::template::Template;
use super::text::Text;
use super::tree::{ScenarioSource, Tree};
use crate::cel::window_seconds;
use crate::diagnostic::Defect;
use crate::limits::{SEQUENCE_EVENTS_MAX, SEQUENCE_MS_MAX};
use crate::screen::calls::{attestation, trunk, verstat};

/// Calls and messages one after the other, and which of them must be caught.
#[derive(Clone, Debug)]
pub struct SequenceSource {
    /// What it plays.
    pub name: String,
    /// Minutes after midnight, local time, at which it begins.
    pub start_min: u32,
    /// By which attempt at the latest; the last one where it says nothing.
    pub by: By,
    /// Number lists.
    pub listed: ListedSource,
    /// What happens, run by run.
    pub runs: Vec<RunSource>,
    /// The whole table.
    pub span: Span,
}

/// By which attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// Any.
    #[default]
    Last,
    /// This one, from 1.
    Attempt(u32),
    /// Within so many percent of them; a fraction of an attempt is a whole one.
    Percent(u32),
}

impl By {
    /// The attempt of `all`.
    #[must_use]
    pub fn of(self, all: u32) -> u32 {
        match self {
            Self::Last => all,
            Self::Attempt(attempt) => attempt.min(all),
            Self::Percent(percent) => {
                let share = (u64::from(all) * u64::from(percent)).div_ceil(100);
                u32::try_from(share).unwrap_or(all).clamp(1, all.max(1))
            }
        }
    }
}

/// Events of one kind. What is a list is gone through again and again.
#[derive(Clone, Debug)]
pub struct RunSource {
    /// When it begins, in milliseconds after the sequence did; where it says nothing, when the run before it is over.
    pub at_ms: Option<u64>,
    /// How many events.
    pub repeat: u32,
    /// Milliseconds from an event to the next.
    pub every_ms: Vec<u64>,
    /// Originators.
    pub from: Vec<Template>,
    /// Destinations.
    pub to: Vec<Template>,
    /// Texts; empty for calls.
    pub text: Vec<Template>,
    /// How calls end.
    pub outcome: Vec<Finish>,
    /// How long they ring, in milliseconds.
    pub ring_ms: Vec<u64>,
    /// How long they talk, in milliseconds.
    pub talk_ms: Vec<u64>,
    /// What the network says of the caller.
    pub verstat: Vec<Verstat>,
    /// How far a provider vouches.
    pub attestation: Vec<Option<Attestation>>,
    /// User agents.
    pub agent: Vec<String>,
    /// Where they come from.
    pub trunk: Trunk,
    /// The caller asks not to be shown.
    pub private: bool,
    /// Other traffic: it is no attempt that must be caught, or must not.
    pub background: bool,
    /// The whole table.
    pub span: Span,
}

const SEQUENCE_FIELDS: [&str; 5] = ["name", "start", "by", "listed", "events"];
const SCENARIO_FIELDS: [&str; 8] = ["id", "title", "title_en", "expect", "start", "by", "listed", "events"];
const RUN_FIELDS: [&str; 16] = [
    "at",
    "repeat",
    "every",
    "over",
    "from",
    "to",
    "text",
    "outcome",
    "ring",
    "talk",
    "verstat",
    "attestation",
    "agent",
    "trunk",
    "private",
    "background",
];

/// What a scenario expects of the whole pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Blocked, by an enforcing gateway.
    Block,
    /// Flagged or blocked.
    Flag,
    /// Never blocked.
    Pass,
    /// Never flagged either.
    Clean,
}

const EXPECTATIONS: [&str; 4] = ["block", "flag", "pass", "clean"];

fn expectation(word: &str) -> Option<Expect> {
    Some(match word {
        "block" => Expect::Block,
        "flag" => Expect::Flag,
        "pass" => Expect::Pass,
        "clean" => Expect::Clean,
        _ => return None,
    })
}

impl Reader<'_> {
    /// A test that has `events`.
    pub(super) fn sequence(&mut self, section: Section<'_>) -> Option<SequenceSource> {
        self.only(section, &SEQUENCE_FIELDS);
        let name = self.words(section, "name");
        self.sequence_of(section, name)
    }

    /// `[[scenario]]`.
    pub(super) fn scenario(&mut self, section: Section<'_>, tree: &mut Tree) {
        self.only(section, &SCENARIO_FIELDS);
        self.required(section, "expect");
        let expect = self.word(section, "expect", &EXPECTATIONS, expectation);
        let title_zh = self.words(section, "title");
        let title_en = self.words(section, "title_en");
        let id = self.required(section, "id");
        let sequence = self.sequence_of(section, title_zh.clone());
        if let (Some(id), Some(expect), Some(sequence)) = (id, expect, sequence) {
            tree.scenarios.push(ScenarioSource { id, title_zh, title_en, expect, sequence });
        }
    }

    fn sequence_of(&mut self, section: Section<'_>, name: String) -> Option<SequenceSource> {
        let start_min = match self.text(section, "start") {
            None => START_MIN,
            Some(written) => clock(&written.value).unwrap_or_else(|| {
                self.out.at(written.span, Defect::BadClock { value: written.value.clone() });
                START_MIN
            }),
        };
        let by = self.by(section);
        let listed = self.listed(section);
        let Some(value) = section.table.get("events") else {
            let defect = Defect::MissingField { field: "events".to_owned(), place: section.place.to_owned() };
            self.out.at(section.span, defect);
            return None;
        };
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong_type(value, "events", "表的数组", "an array of tables");
            return None;
        };
        let runs: Vec<RunSource> = items.iter().filter_map(|item| self.run(item)).collect();
        let events: u64 = runs.iter().map(|run| u64::from(run.repeat)).sum();
        if runs.is_empty() || runs.iter().all(|run| run.background) {
            self.out.at(self.span(value), Defect::EmptySequence { runs: runs.len().to_string() });
        } else if events > SEQUENCE_EVENTS_MAX {
            let limit = SEQUENCE_EVENTS_MAX.to_string();
            self.out.at(self.span(value), Defect::LongSequence { events: events.to_string(), limit });
        }
        Some(SequenceSource { name, start_min, by, listed, runs, span: section.span })
    }

    fn by(&mut self, section: Section<'_>) -> By {
        let Some(value) = section.table.get("by") else { return By::Last };
        let found = match value.get_ref() {
            DeValue::Integer(_) => {
                let attempt = self.integer(section, "by").and_then(|(number, _)| u32::try_from(number).ok());
                attempt.filter(|&attempt| attempt > 0).map(By::Attempt)
            }
            DeValue::String(text) => {
                let percent = text.strip_suffix('%').and_then(|percent| percent.trim().parse().ok());
                percent.filter(|percent| (1..=100).contains(percent)).map(By::Percent)
            }
            _ => None,
        };
        found.unwrap_or_else(|| {
            let range = value.span();
            let value = self.source.get(range.clone()).unwrap_or_default().to_owned();
            let span = Span {
                file: self.file,
                start: super::reader::offset(range.start),
                end: super::reader::offset(range.end),
            };
            self.out.at(span, Defect::BadBy { value });
            By::Last
        })
    }

    fn run(&mut self, item: &Spanned<DeValue<'_>>) -> Option<RunSource> {
        let DeValue::Table(table) = item.get_ref() else {
            self.wrong_type(item, "events", "表：{ from = …, to = … }", "a table: { from = …, to = … }");
            return None;
        };
        let section = Section { table, place: "events", span: self.span(item) };
        self.only(section, &RUN_FIELDS);
        let repeat = match self.integer(section, "repeat") {
            None => 1,
            Some((number, span)) => {
                let repeat = u32::try_from(number).ok().filter(|&repeat| repeat > 0);
                repeat.unwrap_or_else(|| {
                    self.out.at(span, Defect::NumberRange { number: number.to_string() });
                    1
                })
            }
        };
        let over_ms = self.durations(section, "over").first().copied();
        let every_ms = match over_ms {
            Some(over_ms) => vec![over_ms / u64::from(repeat)],
            None => self.durations(section, "every"),
        };
        let from = self.templates(section, "from");
        let to = self.templates(section, "to");
        for (field, missing) in [("from", from.is_empty()), ("to", to.is_empty())] {
            if missing && !table.contains_key(field) {
                let defect = Defect::MissingField { field: field.to_owned(), place: "events".to_owned() };
                self.out.at(section.span, defect);
            }
        }
        Some(RunSource {
            at_ms: self.durations(section, "at").first().copied(),
            repeat,
            every_ms,
            from,
            to,
            text: self.templates(section, "text"),
            outcome: self.word_list(section, "outcome", &FINISHES, Finish::from_word),
            ring_ms: self.durations(section, "ring"),
            talk_ms: self.durations(section, "talk"),
            verstat: self.word_list(section, "verstat", &VERSTATS, verstat_of),
            attestation: self.word_list(section, "attestation", &["A", "B", "C", "none"], attestation_of),
            agent: self.texts(section, "agent").into_iter().map(|agent| agent.value).collect(),
            trunk: self.word(section, "trunk", &TRUNKS, trunk).unwrap_or_default(),
            private: self.flag(table, "private"),
            background: self.flag(table, "background"),
            span: section.span,
        })
    }

    fn flag(&mut self, table: &DeTable<'_>, field: &str) -> bool {
        match table.get(field).map(|value| (value, value.get_ref())) {
            None => false,
            Some((_, DeValue::Boolean(flag))) => *flag,
            Some((value, _)) => {
                self.wrong_type(value, field, "真或假", "true or false");
                false
            }
        }
    }

    fn durations(&mut self, section: Section<'_>, field: &str) -> Vec<u64> {
        let texts = self.texts(section, field);
        texts.iter().filter_map(|text| self.duration(text)).collect()
    }

    fn duration(&mut self, text: &Text) -> Option<u64> {
        let ms = match text.value.strip_suffix("ms") {
            Some(ms) => ms.parse().ok(),
            None => window_seconds(&text.value).map(|seconds| u64::from(seconds) * 1000),
        };
        let ms = ms.filter(|&ms| ms <= SEQUENCE_MS_MAX);
        if ms.is_none() {
            self.out.at(text.span, Defect::BadDuration { value: text.value.clone() });
        }
        ms
    }

    fn templates(&mut self, section: Section<'_>, field: &str) -> Vec<Template> {
        let texts = self.texts(section, field);
        let mut templates = Vec::new();
        for text in &texts {
            match Template::parse(&text.value) {
                Some(template) => templates.push(template),
                None => self.out.at(text.span, Defect::BadTemplate { value: text.value.clone() }),
            }
        }
        templates
    }
}

const START_MIN: u32 = 10 * 60;
const FINISHES: [&str; 6] = ["answered", "cancelled", "no-answer", "busy", "failed", "unknown"];
const VERSTATS: [&str; 4] = ["passed", "failed", "not-validated", "none"];
const TRUNKS: [&str; 3] = ["own", "domestic", "international"];

fn verstat_of(word: &str) -> Option<Verstat> {
    match verstat(word) {
        Verstat::Absent => (word == "none").then_some(Verstat::Absent),
        said => Some(said),
    }
}

fn attestation_of(word: &str) -> Option<Option<Attestation>> {
    match attestation(word) {
        None => (word == "none").then_some(None),
        said => Some(said),
    }
}

/// `22:10` → minutes after midnight.
fn clock(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_attempts_is_rounded_up() {
        assert_eq!((By::Percent(20).of(60), By::Percent(20).of(9), By::Percent(1).of(3)), (12, 2, 1));
        assert_eq!((By::Attempt(5).of(3), By::Last.of(7)), (3, 7));
    }

    #[test]
    fn clocks() {
        assert_eq!(clock("22:10"), Some(22 * 60 + 10));
        assert_eq!((clock("24:00"), clock("9"), clock("9:61")), (None, None, None));
    }
}
