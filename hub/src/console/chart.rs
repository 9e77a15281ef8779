//! Charts as SVG, made here: no script, no other host. Each has a table beside it for who can't see it.

use crate::decay::{DEFAULT, Decay};
use crate::store::IndicatorDay;
use std::fmt::Write as _;

/// Width and height in the drawing's own units.
const WIDTH: u64 = 960;
const HEIGHT: u64 = 120;
/// So high that it could still be seen.
const BAR_MIN: u64 = 2;
const DAY_MS: u64 = 86_400_000;

/// Bars over time.
pub(super) struct Chart {
    pub(super) title: &'static str,
    pub(super) bars: Vec<Bar>,
    /// The highest bar's value.
    pub(super) most: String,
    pub(super) sum: String,
    pub(super) first: String,
    pub(super) last: String,
    /// What the first column of the table is.
    pub(super) unit: &'static str,
}

/// One bar.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) x: u64,
    pub(super) y: u64,
    pub(super) width: u64,
    pub(super) height: u64,
    pub(super) name: String,
    pub(super) value: u64,
}

impl Chart {
    /// Of points from `first` to `last`, both included; those that aren't there are 0.
    pub(super) fn new(
        (title, unit): (&'static str, &'static str),
        points: &[(u64, u64)],
        (first, last): (u64, u64),
        name: impl Fn(u64) -> String,
    ) -> Self {
        let most = points.iter().map(|(_, value)| *value).max().unwrap_or(0);
        let count = last.saturating_sub(first).saturating_add(1);
        let step = WIDTH / count.max(1);
        let value = |at: u64| {
            points
                .binary_search_by_key(&at, |(at, _)| *at)
                .ok()
                .and_then(|found| points.get(found))
                .map_or(0, |p| p.1)
        };
        let bars = (first..=last).zip(0u64..).map(|(at, index)| {
            let value = value(at);
            let height = if value == 0 { 0 } else { (value * HEIGHT / most.max(1)).max(BAR_MIN) };
            let width = step.saturating_sub(2).max(1);
            Bar { x: index * step, y: HEIGHT - height.min(HEIGHT), width, height, name: name(at), value }
        });
        let bars: Vec<Bar> = bars.collect();
        let sum: u64 = points.iter().map(|(_, value)| *value).sum();
        Self {
            title,
            most: super::view::grouped(most),
            sum: super::view::grouped(sum),
            first: name(first),
            last: name(last),
            bars,
            unit,
        }
    }
}

/// An indicator's days: the score as a line, hits as bars.
pub(super) struct History {
    pub(super) bars: Vec<Bar>,
    /// Points of the score's line.
    pub(super) line: String,
    /// Where it stops being enforced.
    pub(super) threshold_y: u64,
    pub(super) rows: Vec<HistoryRow>,
    pub(super) first: String,
    pub(super) last: String,
}

/// A day in the table.
pub(super) struct HistoryRow {
    pub(super) day: String,
    pub(super) score: u64,
    pub(super) hits: u64,
    pub(super) members: u64,
}

/// So many days are drawn.
pub(super) const HISTORY_DAYS: u64 = 30;

impl History {
    /// Up to now, by what was seen on each day; `disputes` halve the score as they do now.
    pub(super) fn new(days: &[IndicatorDay], disputes: u64, now_ms: u64) -> Self {
        let today = now_ms / DAY_MS;
        let first = today.saturating_sub(HISTORY_DAYS - 1);
        let most = days.iter().map(|day| day.hits).max().unwrap_or(0).max(1);
        let step = WIDTH / HISTORY_DAYS;
        let (mut line, mut bars, mut rows) = (String::new(), Vec::new(), Vec::new());
        let mut seen = days.iter().peekable();
        let mut last_ms = 0;
        for (day, index) in (first..=today).zip(0u64..) {
            let mut here = None;
            while let Some(one) = seen.next_if(|one| one.day <= day) {
                last_ms = one.last_ms;
                here = Some(one).filter(|one| one.day == day);
            }
            let end_ms = ((day + 1) * DAY_MS - 1).min(now_ms);
            let score = if last_ms == 0 { 0.0 } else { DEFAULT.disputed(last_ms, end_ms, disputes) };
            let score = whole(score);
            let x = index * step;
            let _ = write!(line, "{},{} ", x + step / 2, HEIGHT - score * HEIGHT / 100);
            let hits = here.map_or(0, |one| one.hits);
            let height = if hits == 0 { 0 } else { (hits * HEIGHT / most / 2).max(BAR_MIN) };
            let name = day_name(day);
            bars.push(Bar {
                x,
                y: HEIGHT - height,
                width: step - 4,
                height,
                name: name.clone(),
                value: hits,
            });
            rows.push(HistoryRow { day: name, score, hits, members: here.map_or(0, |one| one.members) });
        }
        let Decay { threshold, .. } = DEFAULT;
        let threshold_y = HEIGHT - whole(threshold) * HEIGHT / 100;
        let (first, last) = (day_name(first), day_name(today));
        Self { bars, line, threshold_y, rows, first, last }
    }
}

/// 0 to 100.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was put between 0 and 100")]
pub(super) fn whole(score: f64) -> u64 {
    score.clamp(0.0, 100.0).round() as u64
}

/// `2026-11-25`, of days since the Unix epoch.
pub(super) fn day_name(day: u64) -> String {
    let text = yumen_exchange::time::format(day.saturating_mul(DAY_MS));
    text.get(..10).unwrap_or_default().to_owned()
}

/// `11-25 07:00`, of hours since the Unix epoch.
pub(super) fn hour_name(hour: u64) -> String {
    let text = yumen_exchange::time::format(hour.saturating_mul(3_600_000));
    let part = |range| text.get(range).unwrap_or_default();
    format!("{} {}", part(5..10), part(11..16))
}

/// Days since the Unix epoch, of `2026-11-25`.
pub(super) fn day_of(text: &str) -> Option<u64> {
    Some(yumen_exchange::time::parse(&format!("{text}T00:00:00Z"))? / DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_on_the_ground_and_the_least_can_be_seen() {
        let chart = Chart::new(("t", "u"), &[(5, 1), (7, 1000)], (5, 8), day_name);
        let heights: Vec<u64> = chart.bars.iter().map(|bar| bar.height).collect();
        assert_eq!(heights, [BAR_MIN, 0, HEIGHT, 0]);
        assert!(chart.bars.iter().all(|bar| bar.y + bar.height == HEIGHT && bar.x + bar.width <= WIDTH));
        assert_eq!((&chart.first[..], &chart.sum[..]), ("1970-01-06", "1,001"));
        assert!(Chart::new(("t", "u"), &[], (0, 0), day_name).bars.iter().all(|bar| bar.height == 0));
    }

    #[test]
    fn the_score_falls_between_sightings_and_halves_with_a_dispute() {
        let now = 40 * DAY_MS + 1;
        let seen = |day: u64| IndicatorDay { day, members: 1, hits: 2, last_ms: (day + 1) * DAY_MS - 1 };
        let scores = |history: &History| history.rows.iter().map(|row| row.score).collect::<Vec<_>>();
        let history = History::new(&[seen(3), seen(20), seen(23)], 0, now);
        assert_eq!(history.rows.len(), 30);
        let all = scores(&history);
        // Day 11 is the first that is drawn: day 3 is eight days behind.
        assert_eq!((all[0], all[9], all[12]), (7, 80, 80));
        assert!(all[10] < 80 && all[11] < all[10] && all[29] == 0);
        let disputed = scores(&History::new(&[seen(20)], 1, now));
        assert_eq!(disputed[9], 40);
    }

    #[test]
    fn days_are_read_and_written() {
        assert_eq!(day_of(&day_name(20_000)), Some(20_000));
        assert_eq!((day_of("yesterday"), day_of("2026-13-01")), (None, None));
        assert_eq!(hour_name(25), "01-02 01:00");
    }
}
