//! What the pages show, ready to be written.

use super::RANGES;
use super::words::{Lang, Words};
use crate::agents::{Agent, Health};
use crate::sightings::Query;
use crate::store::Row;
use crate::titles::Titles;
use std::fmt::Write as _;
use uuid::Uuid;
use yumen_exchange::sighting::{Indicator, RuleHit};
use yumen_exchange::time;
use yumen_rules::verdict::Typology;

/// Width of the evidence ruler in its own units.
const RULER: u64 = 1000;
/// So narrow that it could still be seen.
const MARK_MIN: u64 = 6;
/// Indicators shown in a row.
const ROW_INDICATORS_MAX: usize = 3;

/// A sighting in the list.
pub(super) struct RowView<'a> {
    pub(super) arrival: i64,
    pub(super) id: Uuid,
    pub(super) time: String,
    pub(super) clock: String,
    pub(super) verdict: &'a str,
    pub(super) verdict_word: &'a str,
    pub(super) typology: &'a str,
    pub(super) score: u8,
    pub(super) rule: String,
    pub(super) more_rules: usize,
    pub(super) indicators: Vec<IndicatorView<'a>>,
    pub(super) more_indicators: usize,
    pub(super) member: &'a str,
    pub(super) agent: &'a str,
}

/// An indicator with the word for its kind.
pub(super) struct IndicatorView<'a> {
    pub(super) kind: &'a str,
    pub(super) value: &'a str,
    pub(super) origin: &'a str,
    /// Where sightings with the same value are.
    pub(super) address: String,
}

impl<'a> RowView<'a> {
    pub(super) fn new(row: &'a Row, titles: &Titles, t: &Words) -> Self {
        let data = &row.data;
        let shown = data.indicators.iter().take(ROW_INDICATORS_MAX);
        Self {
            arrival: row.arrival,
            id: row.id,
            time: time::format(row.time_ms),
            clock: clock(row.time_ms),
            verdict: &data.verdict,
            verdict_word: t.term(&data.verdict),
            typology: t.term(&data.typology),
            score: data.score,
            rule: data.rules.first().map_or_else(|| "—".to_owned(), |rule| title(rule, titles, t)),
            more_rules: data.rules.len().saturating_sub(1),
            indicators: shown.map(|indicator| IndicatorView::new(indicator, t)).collect(),
            more_indicators: data.indicators.len().saturating_sub(ROW_INDICATORS_MAX),
            member: &row.member,
            agent: &row.agent,
        }
    }
}

impl<'a> IndicatorView<'a> {
    fn new(indicator: &'a Indicator, t: &Words) -> Self {
        Self {
            kind: t.term(&indicator.kind),
            value: &indicator.value,
            origin: t.term(&indicator.origin),
            address: format!("/?indicator={}", escaped(&indicator.value)),
        }
    }
}

/// A sighting opened.
pub(super) struct DetailView<'a> {
    pub(super) row: RowView<'a>,
    pub(super) received: String,
    pub(super) received_clock: String,
    pub(super) rules: Vec<RuleView<'a>>,
    pub(super) indicators: Vec<IndicatorView<'a>>,
    pub(super) pack: &'a str,
    pub(super) serial: u64,
    pub(super) channel: &'a str,
    pub(super) door: &'a str,
    pub(super) direction: &'a str,
    pub(super) listener: &'a str,
    pub(super) segments: (u8, u8),
    pub(super) destinations: u16,
    pub(super) chars: u32,
    pub(super) victim: &'a str,
    pub(super) template: &'a str,
    /// Whether it was kept back.
    pub(super) is_blocked: bool,
}

/// A rule that fired.
pub(super) struct RuleView<'a> {
    pub(super) id: &'a str,
    pub(super) title: String,
    pub(super) score: u8,
    pub(super) marks: Vec<Mark>,
    /// `4–9, 12–15`.
    pub(super) places: String,
}

/// A piece of evidence on the ruler.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) x: u64,
    pub(super) width: u64,
}

impl<'a> DetailView<'a> {
    pub(super) fn new(row: &'a Row, titles: &Titles, t: &Words) -> Self {
        let data = &row.data;
        Self {
            row: RowView::new(row, titles, t),
            received: time::format(row.received_ms),
            received_clock: clock(row.received_ms),
            rules: data.rules.iter().map(|rule| RuleView::new(rule, data.text_chars, titles, t)).collect(),
            indicators: data.indicators.iter().map(|indicator| IndicatorView::new(indicator, t)).collect(),
            pack: &data.pack.name,
            serial: data.pack.serial,
            channel: t.term(&data.channel),
            door: t.term(&data.door),
            direction: t.term(&data.direction),
            listener: &data.listener,
            segments: data.segments,
            destinations: data.destinations,
            chars: data.text_chars,
            victim: data.victim.as_deref().unwrap_or("—"),
            template: data.template.as_deref().unwrap_or("—"),
            is_blocked: crate::appeals::is_blocked(row),
        }
    }
}

impl<'a> RuleView<'a> {
    fn new(rule: &'a RuleHit, chars: u32, titles: &Titles, t: &Words) -> Self {
        let places: Vec<String> = rule.spans.iter().map(|(start, end)| format!("{start}–{end}")).collect();
        Self {
            id: &rule.id,
            title: title(rule, titles, t),
            score: rule.score,
            marks: rule.spans.iter().map(|&span| Mark::new(span, chars)).collect(),
            places: places.join(", "),
        }
    }
}

impl Mark {
    fn new((start, end): (u32, u32), chars: u32) -> Self {
        let at = |char: u32| u64::from(char) * RULER / u64::from(chars.max(1));
        let (x, end) = (at(start).min(RULER - MARK_MIN), at(end).min(RULER));
        Self { x, width: end.saturating_sub(x).max(MARK_MIN) }
    }
}

/// An agent in the strip.
pub(super) struct AgentView<'a> {
    pub(super) member: &'a str,
    pub(super) agent: &'a str,
    pub(super) health: &'static str,
    pub(super) health_word: &'static str,
    pub(super) heard: String,
    pub(super) pack: Option<String>,
    pub(super) judged: String,
    pub(super) blocked: String,
    pub(super) spool: String,
    pub(super) dropped: Option<String>,
}

impl<'a> AgentView<'a> {
    pub(super) fn new(agent: &'a Agent, now_ms: u64, t: &Words) -> Self {
        let health = match agent.health {
            Health::Online => "online",
            Health::Impaired => "impaired",
            Health::Silent => "silent",
            Health::Offline => "offline",
        };
        let status = &agent.status;
        Self {
            member: &agent.member,
            agent: &agent.agent,
            health,
            health_word: t.term(health),
            heard: ago(now_ms.saturating_sub(agent.heard_ms), t),
            pack: status.pack.as_ref().map(|pack| format!("{} #{}", pack.name, pack.serial)),
            judged: grouped(status.judged),
            blocked: grouped(status.blocked),
            spool: grouped(status.spool_records),
            dropped: (status.spool_dropped > 0).then(|| grouped(status.spool_dropped)),
        }
    }
}

/// How many sightings of a typology or an institution there were.
pub(super) struct Share {
    pub(super) typology: String,
    pub(super) address: String,
    pub(super) count: String,
    /// Of the largest one, in units of the ruler.
    pub(super) width: u64,
}

impl Share {
    /// `shown` gives the word for a name, and where its sightings are.
    pub(super) fn of(counts: &[(String, u64)], shown: impl Fn(&str) -> (String, String)) -> Vec<Self> {
        let largest = counts.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
        let share = |(name, count): &(String, u64)| {
            let (typology, address) = shown(name);
            let width = (count.saturating_mul(RULER) / largest).max(MARK_MIN);
            Self { typology, address, count: grouped(*count), width }
        };
        counts.iter().map(share).collect()
    }
}

/// The form, as it was sent.
pub(super) struct FilterView {
    pub(super) typologies: Vec<Choice>,
    pub(super) verdicts: Vec<Choice>,
    pub(super) ranges: Vec<Choice>,
    pub(super) member: String,
    pub(super) agent: String,
    pub(super) indicator: String,
    pub(super) active: bool,
    typology: String,
    verdict: String,
    range: String,
}

/// A choice of a select.
pub(super) struct Choice {
    pub(super) value: &'static str,
    pub(super) word: &'static str,
    pub(super) chosen: bool,
}

/// The choices of a select.
pub(super) fn choices(values: &[&'static str], chosen: Option<&str>, t: &'static Words) -> Vec<Choice> {
    let choice = |value: &&'static str| Choice { value, word: t.term(value), chosen: chosen == Some(value) };
    values.iter().map(choice).collect()
}

/// The practices, as choices.
pub(super) fn typologies(chosen: Option<&str>, t: &'static Words) -> Vec<Choice> {
    choices(&Typology::ALL.map(Typology::id), chosen, t)
}

/// Where the pages before and behind are.
pub(super) struct Pager {
    pub(super) newer: Option<String>,
    pub(super) next: Option<String>,
}

impl Pager {
    /// Of a list at `path` with these parameters, on a page from 0.
    pub(super) fn new(path: &str, own: &[(&str, &str)], page: u32, next: Option<u32>) -> Self {
        let to = |page: u32| {
            let page = page.to_string();
            let number = [("page", &page[..])];
            let own = own.iter().chain(number.iter().filter(|(_, page)| *page != "0"));
            address(path, own.copied())
        };
        Self { newer: page.checked_sub(1).map(to), next: next.map(to) }
    }
}

/// A path with those parameters that have a value.
fn address<'a>(path: &str, parameters: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut address = path.to_owned();
    let mut joint = '?';
    for (key, value) in parameters.filter(|(_, value)| !value.is_empty()) {
        // Writing to a String can't fail.
        let _ = write!(address, "{joint}{key}={}", escaped(value));
        joint = '&';
    }
    address
}

impl FilterView {
    pub(super) fn new(query: &Query, range: Option<&str>, t: &'static Words) -> Self {
        let filter = &query.filter;
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let range = range.unwrap_or_default();
        let range_words = [t.range_hour, t.range_day, t.range_week, t.range_month];
        let ranges = RANGES.iter().zip(range_words);
        Self {
            typologies: typologies(filter.typology.as_deref(), t),
            verdicts: choices(&yumen_exchange::check::VERDICTS, filter.verdict.as_deref(), t),
            ranges: ranges
                .map(|(&(value, _), word)| Choice { value, word, chosen: value == range })
                .collect(),
            member: text(&filter.member),
            agent: text(&filter.agent),
            indicator: text(&filter.indicator),
            active: *filter != crate::store::Filter::default() || query.before.is_some(),
            typology: text(&filter.typology),
            verdict: text(&filter.verdict),
            range: range.to_owned(),
        }
    }

    /// The page with this filter, beginning behind a sighting.
    pub(super) fn address(&self, before: Option<Uuid>) -> String {
        let before = before.map(|id| id.to_string()).unwrap_or_default();
        self.query("/", &[("range", &self.range), ("before", &before)])
    }

    /// The stream with this filter.
    pub(super) fn live_address(&self) -> String {
        self.query("/console/rows", &[])
    }

    fn query(&self, path: &str, more: &[(&str, &String)]) -> String {
        let own = [
            ("typology", &self.typology),
            ("verdict", &self.verdict),
            ("member", &self.member),
            ("agent", &self.agent),
            ("indicator", &self.indicator),
        ];
        address(path, own.iter().chain(more).map(|(key, value)| (*key, &value[..])))
    }
}

/// A rule's title where it is known, its id otherwise.
pub(super) fn title(rule: &RuleHit, titles: &Titles, t: &Words) -> String {
    if rule.id.rsplit('/').next() == Some(crate::complaints::REPORTED_RULE) {
        return t.w.reported_rule.to_owned();
    }
    let title = titles.of(&rule.id).map(|title| match t.lang {
        Lang::En if !title.en.is_empty() => &title.en,
        _ => &title.zh,
    });
    title.filter(|title| !title.is_empty()).unwrap_or(&rule.id).clone()
}

/// `11-23 10:02:00` in UTC; the script turns it into local time.
fn clock(time_ms: u64) -> String {
    let text = time::format(time_ms);
    let part = |range| text.get(range).unwrap_or_default();
    format!("{} {}", part(5..10), part(11..19))
}

fn ago(age_ms: u64, t: &Words) -> String {
    let (count, unit) = match age_ms / 1000 {
        seconds @ 0..120 => (seconds, t.ago_s),
        seconds @ 120..7_200 => (seconds / 60, t.ago_min),
        seconds @ 7_200..172_800 => (seconds / 3_600, t.ago_h),
        seconds => (seconds / 86_400, t.ago_d),
    };
    format!("{count} {unit}")
}

/// `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Percent-encoded, for a value in a URL.
pub(super) fn escaped(value: &str) -> String {
    let mut escaped = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stay_on_the_ruler_and_can_be_seen() {
        assert_eq!(Mark::new((0, 10), 20), Mark { x: 0, width: 500 });
        assert_eq!(Mark::new((20, 20), 20), Mark { x: RULER - MARK_MIN, width: MARK_MIN });
        assert_eq!(Mark::new((0, 0), 0), Mark { x: 0, width: MARK_MIN });
        let beyond = Mark::new((5, u32::MAX), 6);
        assert_eq!(beyond.x + beyond.width, RULER);
    }

    #[test]
    fn numbers_and_addresses_are_written_for_people_and_machines() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(escaped("a b&微"), "a%20b%26%E5%BE%AE");
        assert_eq!(clock(1_763_920_920_123), "11-23 18:02:00");
    }
}
