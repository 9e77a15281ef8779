//! Judges a file of messages: the way anybody tries a pack without a network.
//!
//! ```text
//! input → batches of records (split) → workers: fields → Event → judge → answer → output, in the order of the input
//! ```
//!
//! Every record gets one answer, malformed ones too: they are allowed, and their answer says what is wrong.

mod answer;
pub(crate) mod calls;
mod cdr;
mod engine;
mod fields;
mod pipeline;
mod split;
mod summary;

use std::path::Path;

use yumen_behaviour::Ending;
use yumen_rules::verdict::{Action, Typology};
use yumen_wire::event::Event;

pub use answer::Output;
pub use calls::looks_like_records_over_time;
pub use cdr::{CdrMap, MapError, Role};
pub use engine::EngineJudge;
pub use pipeline::{ScreenError, screen};
pub use summary::{OverTime, Summary, Tally};

/// How the input is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A record a line, columns separated by tabs; the last column is the text.
    Tsv,
    /// RFC 4180: quoted fields may hold commas, quotes and line ends.
    Csv,
    /// An object a line with `text` and, where known, `from`, `to`, `time`; or a record of a call.
    JsonLines,
}

impl Format {
    /// By a file's extension; [`Format::Tsv`] where it says nothing (a plain list of messages is a TSV of one column).
    #[must_use]
    pub fn of_path(path: &Path) -> Self {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("csv") => Self::Csv,
            Some("jsonl" | "ndjson" | "json") => Self::JsonLines,
            _ => Self::Tsv,
        }
    }
}

/// A column by its number from 1 or by its name in the header (in an object, its key).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// By number, from 1.
    Number(usize),
    /// By name.
    Name(String),
}

impl Column {
    /// From a command line: digits are a number.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.parse() {
            Ok(number) if number > 0 => Self::Number(number),
            _ => Self::Name(text.to_owned()),
        }
    }
}

/// What to read from where.
#[derive(Clone, Debug)]
pub struct Options {
    /// How the input is written.
    pub format: Format,
    /// The text; by default the last column, or `text`.
    pub text: Option<Column>,
    /// The originator.
    pub from: Option<Column>,
    /// The destination.
    pub to: Option<Column>,
    /// A label to count by.
    pub label: Option<Column>,
    /// Whether the first record names the columns; `None` decides by itself: a CSV's first record is a header when it
    /// has a column called `text`, `content`, `message`, `sms`, `短信`, `内容` or `正文`, or one that an option names.
    pub header: Option<bool>,
    /// The columns of a CDR file, and its name; the format is [`Format::JsonLines`] then.
    pub cdr: Option<(CdrMap, String)>,
    /// Worker threads, at least 1.
    pub threads: usize,
    /// What is written.
    pub output: Output,
}

/// What a judge says about one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opinion {
    /// What is to be done; `None` is [`Action::Allow`].
    pub action: Option<Action>,
    /// The practice, where something is to be done.
    pub typology: Option<Typology>,
    /// 0 to 100.
    pub score: u8,
    /// The ids of the rules that fired and weren't suppressed.
    pub rules: Vec<String>,
    /// What the person who was blocked is told, in the language of the message; empty where nothing is blocked.
    pub reason: String,
}

/// What judges messages; each worker thread has one.
pub trait Judge: Send {
    /// Judges an event.
    ///
    /// # Errors
    /// What to say in the answer: the message is allowed then.
    fn judge(&mut self, event: &Event<'_>) -> Result<Opinion, String>;

    /// Judges an event of a record that also says how it ended.
    ///
    /// # Errors
    /// As [`Judge::judge`].
    fn judge_record(&mut self, event: &Event<'_>, _ending: Option<Ending>) -> Result<Opinion, String> {
        self.judge(event)
    }
}

impl<J: Judge + ?Sized> Judge for Box<J> {
    fn judge(&mut self, event: &Event<'_>) -> Result<Opinion, String> {
        (**self).judge(event)
    }

    fn judge_record(&mut self, event: &Event<'_>, ending: Option<Ending>) -> Result<Opinion, String> {
        (**self).judge_record(event, ending)
    }
}
