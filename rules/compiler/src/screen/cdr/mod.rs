//! CDR files: rows of CSV → records of calls, in the order in which the calls began.
//!
//! ```text
//! row → columns by the map → {"channel":"call","time":…,"caller":…} → heap of CDR_REORDER_MAX → the earliest goes on
//! ```
//!
//! A switch writes a row when a call ends, so rows stand in that order; behaviour is counted in that of their beginnings.
//! A row that can't be read is answered in its place, with its file, line and column.

mod map;

pub use map::{CdrMap, MapError, Role};

use super::fields::{columns, rfc3339_ms};
use super::split::{Batch, Record, Records, Splitter};
use super::{Format, ScreenError};
use crate::limits::CDR_REORDER_MAX;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, BufRead};
use yumen_behaviour::Finish;

/// Rows on their way.
pub(super) struct Cdr<R> {
    rows: Splitter<R>,
    file: String,
    places: Vec<(Role, usize)>,
    zone_minutes: i64,
    waiting: BinaryHeap<Reverse<Waiting>>,
    latest_ms: u64,
    ended: bool,
}

/// A row that waits for its turn.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    time_ms: u64,
    line: u64,
    record: Result<String, String>,
}

impl<R: BufRead> Cdr<R> {
    /// Reads the header, where there is one. `file` is what errors name.
    pub(super) fn new(input: R, map: &CdrMap, file: &str) -> Result<Self, ScreenError> {
        let mut rows = Splitter::new(input, Format::Csv);
        let mut header = Batch::default();
        if map.has_header() {
            rows.record(&mut header).map_err(ScreenError::Read)?;
        }
        let names = header.records.first().map(|record| row(&header, record)).unwrap_or_default();
        let places = map.places(&names).map_err(ScreenError::NoSuchColumn)?;
        let (file, zone_minutes) = (file.to_owned(), map.zone_minutes);
        let waiting = BinaryHeap::new();
        Ok(Self { rows, file, places, zone_minutes, waiting, latest_ms: 0, ended: false })
    }

    fn fill(&mut self) -> io::Result<()> {
        while !self.ended && self.waiting.len() < CDR_REORDER_MAX {
            let mut read = Batch::default();
            self.ended = !self.rows.record(&mut read)?;
            for record in &read.records {
                if read.bytes.get(record.range.clone()).is_none_or(<[u8]>::is_empty) {
                    continue;
                }
                let call = match &record.defect {
                    Some(defect) => Err(defect.to_string()),
                    None => self.call(&row(&read, record)),
                };
                // What can't be read stands where it was met.
                let (time_ms, record_of) = match call {
                    Ok((time_ms, record)) => (time_ms, Ok(record)),
                    Err(defect) => (self.latest_ms, Err(format!("{}:{}: {defect}", self.file, record.line))),
                };
                self.latest_ms = time_ms;
                self.waiting.push(Reverse(Waiting { time_ms, line: record.line, record: record_of }));
            }
        }
        Ok(())
    }

    /// When the call began, and its record as `screen` reads those of JSON lines.
    fn call(&self, row: &[String]) -> Result<(u64, String), String> {
        let find =
            |wanted: Role| self.places.iter().find(|(role, _)| *role == wanted).map(|(_, index)| *index);
        let optional =
            |role: Role| find(role).and_then(|index| row.get(index)).map_or("", |text| text.trim());
        let named =
            |role: Role| format!("column {} ({})", find(role).map_or(0, |index| index + 1), role.word());
        for role in [Role::Caller, Role::Callee, Role::Start] {
            if find(role).is_none_or(|index| index >= row.len()) {
                return Err(format!("{} isn't there: the row has {}", named(role), row.len()));
            }
        }
        let time = |role: Role| match optional(role) {
            text if is_nothing(text) => Ok(None),
            text => match time_ms(text, self.zone_minutes) {
                Some(time_ms) => Ok(Some(time_ms)),
                None => Err(format!("{}: `{text}` isn't a time", named(role))),
            },
        };
        let seconds = |role: Role| match optional(role) {
            "" => Ok(None),
            text => match text.parse::<f64>() {
                Ok(seconds) if (0.0..=SECONDS_MAX).contains(&seconds) => Ok(Some(seconds)),
                _ => Err(format!("{}: `{text}` isn't a number of seconds", named(role))),
            },
        };
        let start = time(Role::Start)?.ok_or_else(|| format!("{} is empty", named(Role::Start)))?;
        let flag = flag(optional(Role::Answered));
        let answered = if flag.is_some() { None } else { time(Role::Answered)? };
        let (ended, talk, total) = (time(Role::Ended)?, seconds(Role::Duration)?, seconds(Role::Total)?);
        let between = |from: u64, to: u64| to.saturating_sub(from);
        let whole = total.map(milliseconds).or_else(|| ended.map(|ended| between(start, ended)));
        let talk = talk.map(milliseconds).or_else(|| answered.zip(ended).map(|(from, to)| between(from, to)));
        let finish = finish(
            flag.unwrap_or(answered.is_some() || talk.is_some_and(|talk| talk > 0)),
            optional(Role::Outcome),
        );
        let talk = if finish == Finish::Answered { talk.unwrap_or(0) } else { 0 };
        let ring = answered.map(|at| between(start, at)).or_else(|| whole.map(|whole| between(talk, whole)));
        let mut record = Map::new();
        let mut put = |key: &str, value: Value| record.insert(key.to_owned(), value);
        put("channel", "call".into());
        put("time", start.into());
        put("caller", optional(Role::Caller).into());
        put("callee", optional(Role::Callee).into());
        put("outcome", word(finish).into());
        put("ring_ms", ring.unwrap_or(0).into());
        put("duration_ms", talk.into());
        put("display_name", display_name(optional(Role::Name)).into());
        put("user_agent", optional(Role::UserAgent).into());
        Ok((start, Value::Object(record).to_string()))
    }
}

impl<R: BufRead> Records for Cdr<R> {
    fn record(&mut self, batch: &mut Batch) -> io::Result<bool> {
        self.fill()?;
        let Some(Reverse(Waiting { line, record, .. })) = self.waiting.pop() else { return Ok(false) };
        let start = batch.bytes.len();
        let defect = match record {
            Ok(record) => {
                batch.bytes.extend_from_slice(record.as_bytes());
                None
            }
            Err(defect) => Some(Cow::Owned(defect)),
        };
        batch.records.push(Record { line, range: start..batch.bytes.len(), defect });
        Ok(true)
    }
}

fn row(batch: &Batch, record: &Record) -> Vec<String> {
    let text = String::from_utf8_lossy(batch.bytes.get(record.range.clone()).unwrap_or_default());
    columns(Format::Csv, &text).map(Cow::into_owned).collect()
}

/// How it ended, by whether it was answered and by the word for it.
fn finish(answered: bool, outcome: &str) -> Finish {
    // FreeSWITCH's cause of a caller that gave up.
    if outcome.eq_ignore_ascii_case("ORIGINATOR_CANCEL") {
        return Finish::Cancelled;
    }
    let known = Finish::from_word(&outcome.replace(' ', "-"));
    match known {
        Some(finish) if finish != Finish::Answered || answered => finish,
        _ if answered => Finish::Answered,
        // Asterisk's ANSWERED without an answer: an application took it, and nobody talked.
        Some(finish) => finish,
        None if outcome.is_empty() => Finish::Unknown,
        None => Finish::Failed,
    }
}

fn word(finish: Finish) -> &'static str {
    Finish::WORDS.iter().find(|(_, known)| *known == finish).map_or("unknown", |(word, _)| word)
}

/// `"Own Name" <+86…>` → `Own Name`.
fn display_name(text: &str) -> &str {
    text.split('<').next().unwrap_or_default().trim().trim_matches('"')
}

/// What stands for no time.
fn is_nothing(text: &str) -> bool {
    text.is_empty() || text == "0" || text.starts_with("0000-00-00")
}

fn flag(text: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match () {
        () if is(&["yes", "true", "y", "1", "answered"]) => Some(true),
        () if is(&["no", "false", "n"]) => Some(false),
        () => None,
    }
}

/// Seconds, milliseconds or microseconds since the Unix epoch, or a date and time; without a zone in that of the file.
fn time_ms(text: &str, zone_minutes: i64) -> Option<u64> {
    if text.bytes().all(|octet| octet.is_ascii_digit()) {
        let number: u64 = text.parse().ok()?;
        return Some(match text.len() {
            ..=11 => number.checked_mul(1000)?,
            12..=14 => number,
            _ => number / 1000,
        });
    }
    let has_zone = text.get(19..)?.contains(['Z', 'z', '+', '-']);
    let ms = rfc3339_ms(text)?;
    let ahead_ms = if has_zone { 0 } else { zone_minutes.checked_mul(60_000)? };
    u64::try_from(i64::try_from(ms).ok()?.checked_sub(ahead_ms)?).ok()
}

fn milliseconds(seconds: f64) -> u64 {
    // The range is checked where it is read.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to a week")]
    let ms = (seconds * 1000.0) as u64;
    ms
}

/// A week.
const SECONDS_MAX: f64 = 604_800.0;

#[cfg(test)]
mod tests;
