//! Records → what an event is made of.

use std::borrow::Cow;

use serde_json::Value;
use yumen_wire::event::Channel;

use super::calls::{self, CallRecord};
use super::{Column, Format, Options};

/// Which columns are what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    format: Format,
    text: Place,
    from: Option<Place>,
    to: Option<Place>,
    label: Option<Place>,
    /// Whether the first record is a header, which isn't answered.
    pub(super) header: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Last,
    Index(usize),
    Key(String),
}

/// What a record says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) from: Cow<'a, str>,
    pub(super) to: Cow<'a, str>,
    pub(super) label: Cow<'a, str>,
    /// Milliseconds since the Unix epoch; 0 where unknown.
    pub(super) time_ms: u64,
    /// What a call's record says beside; `None` for a message.
    pub(super) call: Option<CallRecord>,
}

/// Names that make a CSV's first record a header.
const TEXT_NAMES: [&str; 7] = ["text", "content", "message", "sms", "短信", "内容", "正文"];

impl Layout {
    /// By the options and the first record. An error names a column that isn't there.
    pub(super) fn new(options: &Options, first: &[u8]) -> Result<Self, String> {
        let format = options.format;
        if format == Format::JsonLines {
            let key = |column: &Option<Column>, name: &str| match column {
                Some(Column::Name(name)) => Place::Key(name.clone()),
                Some(Column::Number(number)) => Place::Key(number.to_string()),
                None => Place::Key(name.to_owned()),
            };
            return Ok(Self {
                format,
                text: key(&options.text, "text"),
                from: Some(key(&options.from, "from")),
                to: Some(key(&options.to, "to")),
                label: options.label.is_some().then(|| key(&options.label, "label")),
                header: false,
            });
        }
        let first = String::from_utf8_lossy(first);
        let names: Vec<String> = columns(format, &first).map(|name| name.trim().to_lowercase()).collect();
        let wanted = [&options.text, &options.from, &options.to, &options.label];
        let named = wanted.iter().any(|column| matches!(column, Some(Column::Name(_))));
        let looks_like_one =
            format == Format::Csv && names.iter().any(|name| TEXT_NAMES.contains(&name.as_str()));
        let header = options.header.unwrap_or(named || looks_like_one);
        let place = |column: &Option<Column>| match column {
            None => Ok(None),
            Some(Column::Number(number)) => Ok(Some(Place::Index(number.saturating_sub(1)))),
            Some(Column::Name(name)) => match names.iter().position(|known| *known == name.to_lowercase()) {
                Some(index) if header => Ok(Some(Place::Index(index))),
                _ => Err(name.clone()),
            },
        };
        let known_text =
            header.then(|| names.iter().position(|name| TEXT_NAMES.contains(&name.as_str()))).flatten();
        Ok(Self {
            format,
            text: place(&options.text)?.or(known_text.map(Place::Index)).unwrap_or(Place::Last),
            from: place(&options.from)?,
            to: place(&options.to)?,
            label: place(&options.label)?,
            header,
        })
    }

    /// Reads a record, or says what is wrong with it.
    pub(super) fn fields<'a>(&self, record: &'a [u8]) -> Result<Fields<'a>, &'static str> {
        match self.format {
            Format::JsonLines => self.object(record),
            Format::Tsv | Format::Csv => self.row(String::from_utf8_lossy(record)),
        }
    }

    fn row<'a>(&self, record: Cow<'a, str>) -> Result<Fields<'a>, &'static str> {
        let columns: Vec<Cow<'a, str>> = match record {
            Cow::Borrowed(record) => columns(self.format, record).collect(),
            Cow::Owned(record) => {
                columns(self.format, &record).map(|field| Cow::Owned(field.into_owned())).collect()
            }
        };
        let column = |place: &Place| match place {
            Place::Last => columns.last().cloned(),
            Place::Index(index) => columns.get(*index).cloned(),
            Place::Key(_) => None,
        };
        let optional = |place: &Option<Place>| place.as_ref().and_then(&column).unwrap_or_default();
        Ok(Fields {
            text: column(&self.text).ok_or("no such column")?,
            from: optional(&self.from),
            to: optional(&self.to),
            label: optional(&self.label),
            time_ms: 0,
            call: None,
        })
    }

    fn object<'a>(&self, record: &[u8]) -> Result<Fields<'a>, &'static str> {
        let Ok(value) = serde_json::from_slice::<Value>(record) else { return Err("not JSON") };
        let Value::Object(object) = value else { return Err("not a JSON object") };
        let field = |place: &Place| match place {
            Place::Key(key) => object.get(key).and_then(calls::word),
            Place::Last | Place::Index(_) => None,
        };
        let optional = |place: &Option<Place>| place.as_ref().and_then(&field);
        // Call records have words of their own for the two sides.
        let side = |place, other: &str| {
            optional(place).or_else(|| object.get(other).and_then(calls::word)).unwrap_or_default()
        };
        let channel = calls::channel(&object)?;
        let text = match channel {
            Some(_) => field(&self.text).unwrap_or_default(),
            None => field(&self.text).ok_or("no text")?,
        };
        Ok(Fields {
            text: Cow::Owned(text),
            from: Cow::Owned(side(&self.from, "caller")),
            to: Cow::Owned(side(&self.to, "callee")),
            label: Cow::Owned(optional(&self.label).unwrap_or_default()),
            time_ms: object.get("time").and_then(time_ms).unwrap_or(0),
            call: (channel == Some(Channel::Call)).then(|| CallRecord::of(&object)),
        })
    }
}

/// The columns of a row.
pub(super) fn columns(format: Format, record: &str) -> Box<dyn Iterator<Item = Cow<'_, str>> + '_> {
    match format {
        Format::Csv => Box::new(Csv { rest: Some(record) }),
        Format::Tsv | Format::JsonLines => Box::new(record.split('\t').map(Cow::Borrowed)),
    }
}

struct Csv<'a> {
    rest: Option<&'a str>,
}

impl<'a> Iterator for Csv<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest?;
        let Some(quoted) = rest.strip_prefix('"') else {
            let (field, after) =
                rest.split_once(',').map_or((rest, None), |(field, after)| (field, Some(after)));
            self.rest = after;
            return Some(Cow::Borrowed(field));
        };
        let mut value = String::new();
        let mut open = quoted;
        loop {
            let Some((part, after)) = open.split_once('"') else {
                value.push_str(open);
                self.rest = None;
                return Some(Cow::Owned(value));
            };
            value.push_str(part);
            match after.strip_prefix('"') {
                Some(after) => {
                    value.push('"');
                    open = after;
                }
                None => {
                    let (tail, next) =
                        after.split_once(',').map_or((after, None), |(tail, next)| (tail, Some(next)));
                    value.push_str(tail);
                    self.rest = next;
                    return Some(Cow::Owned(value));
                }
            }
        }
    }
}

/// Milliseconds since the Unix epoch from a number of them, or from an RFC 3339 time.
fn time_ms(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => rfc3339_ms(text),
        _ => None,
    }
}

pub(super) fn rfc3339_ms(text: &str) -> Option<u64> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let rest = text.get(19..)?;
    let zone = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let offset_minutes = match zone.as_bytes() {
        [] | [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), ..] => {
            let minutes = zone.get(1..3)?.parse::<i64>().ok()? * 60 + zone.get(4..6)?.parse::<i64>().ok()?;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    let seconds =
        days_since_epoch(year, month, day) * 86_400 + hour * 3600 + (minute - offset_minutes) * 60 + second;
    u64::try_from(seconds).ok()?.checked_mul(1000)
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant's `days_from_civil`).
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::Output;

    fn options(format: Format) -> Options {
        Options {
            format,
            text: None,
            from: None,
            to: None,
            label: None,
            header: None,
            cdr: None,
            threads: 1,
            output: Output::JsonLines,
        }
    }

    fn text(options: &Options, first: &str, record: &str) -> String {
        let layout = Layout::new(options, first.as_bytes()).expect("columns there");
        layout.fields(record.as_bytes()).expect("well formed").text.into_owned()
    }

    #[test]
    fn the_last_column_of_a_tsv_is_the_text() {
        assert_eq!(text(&options(Format::Tsv), "ham\t你好", "ham\tplain\t你好"), "你好");
        assert_eq!(text(&options(Format::Tsv), "你好", "你好"), "你好");
    }

    #[test]
    fn a_csv_header_names_the_text() {
        let csv = options(Format::Csv);
        assert_eq!(text(&csv, "id,Text,label", "1,\"a, \"\"b\"\"\",spam"), "a, \"b\"");
        assert!(!Layout::new(&csv, b"1,hello").expect("columns there").header);
    }

    #[test]
    fn columns_are_found_by_name_or_number() {
        let mut tsv = options(Format::Tsv);
        tsv.text = Some(Column::Number(1));
        assert_eq!(text(&tsv, "a\tb", "a\tb"), "a");
        tsv.text = Some(Column::Name("body".to_owned()));
        assert_eq!(text(&tsv, "id\tbody\tx", "1\t正文\ty"), "正文");
        assert_eq!(Layout::new(&tsv, b"1\t2").expect_err("no such name"), "body");
    }

    #[test]
    fn objects_give_text_and_addresses() {
        let layout = Layout::new(&options(Format::JsonLines), b"").expect("keys");
        let line = r#"{"text":"你好","from":"10690000","to":13800000000,"time":"2024-06-18T19:42:07+08:00"}"#;
        let fields = layout.fields(line.as_bytes()).expect("well formed");
        assert_eq!((&*fields.text, &*fields.from, &*fields.to), ("你好", "10690000", "13800000000"));
        assert_eq!(fields.time_ms, 1_718_710_927_000);
        assert_eq!(layout.fields(b"{\"from\":1}"), Err("no text"));
        let message = layout.fields(br#"{"channel":"sms","caller":"10690000","callee":"13800000000"}"#);
        assert_eq!(
            message.map(|fields| (fields.from.into_owned(), fields.call)),
            Ok(("10690000".to_owned(), None))
        );
        assert_eq!(layout.fields(b"{\"channel\":\"fax\"}"), Err("unknown channel"));
        assert_eq!(layout.fields(b"[1]"), Err("not a JSON object"));
        assert_eq!(layout.fields(b"{"), Err("not JSON"));
    }

    proptest::proptest! {
        #[test]
        fn any_record_is_answered(record in proptest::collection::vec(proptest::num::u8::ANY, 0..80)) {
            for format in [Format::Tsv, Format::Csv, Format::JsonLines] {
                let layout = Layout::new(&options(format), &record).expect("no names asked for");
                let _ = layout.fields(&record);
            }
        }

        #[test]
        fn any_time_ends(text in "\\PC{0,30}") {
            let _ = rfc3339_ms(&text);
        }
    }
}
