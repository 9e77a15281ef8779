//! What came out of a file, counted.

use std::collections::BTreeMap;
use std::fmt;

use yumen_rules::verdict::{Action, Typology};

use super::Opinion;
use crate::limits::SCREEN_LABELS_MAX;

/// Counts of some records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records.
    pub records: u64,
    /// Those to be blocked (held, rejected, dropped).
    pub blocked: u64,
    /// Those to be flagged.
    pub flagged: u64,
    /// Those that were malformed, or couldn't be judged.
    pub malformed: u64,
    /// The first of them that was flagged or blocked, counted from 1.
    pub first_caught: Option<u64>,
    /// The first of them that was blocked, counted from 1.
    pub first_blocked: Option<u64>,
    /// Those blocked or flagged, by practice.
    pub typologies: BTreeMap<Typology, u64>,
}

/// Counts of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// All records.
    pub total: Tally,
    /// By label, where a label column was named. Labels beyond the limit are counted together under `…`.
    pub labels: BTreeMap<String, Tally>,
}

impl Summary {
    pub(super) fn count(&mut self, label: Option<&str>, opinion: &Opinion, malformed: bool) {
        self.total.count(opinion, malformed);
        if let Some(label) = label {
            self.label(label).count(opinion, malformed);
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.total.add(&other.total);
        for (label, tally) in &other.labels {
            self.label(label).add(tally);
        }
    }

    fn label(&mut self, label: &str) -> &mut Tally {
        let full = self.labels.len() >= SCREEN_LABELS_MAX && !self.labels.contains_key(label);
        let label = if full { "…" } else { label };
        if !self.labels.contains_key(label) {
            self.labels.insert(label.to_owned(), Tally::default());
        }
        self.labels.entry(label.to_owned()).or_default()
    }
}

impl Tally {
    fn count(&mut self, opinion: &Opinion, malformed: bool) {
        let action = opinion.action.unwrap_or(Action::Allow);
        self.records = self.records.saturating_add(1);
        self.malformed = self.malformed.saturating_add(u64::from(malformed));
        self.blocked = self.blocked.saturating_add(u64::from(action.blocks()));
        self.flagged = self.flagged.saturating_add(u64::from(action == Action::Flag));
        let first = |before: Option<u64>, is: bool| before.or_else(|| is.then_some(self.records));
        (self.first_caught, self.first_blocked) =
            (first(self.first_caught, action != Action::Allow), first(self.first_blocked, action.blocks()));
        if let (true, Some(typology)) = (action != Action::Allow, opinion.typology) {
            let count = self.typologies.entry(typology).or_default();
            *count = count.saturating_add(1);
        }
    }

    fn add(&mut self, other: &Self) {
        let later = |first: Option<u64>| first.map(|at| at.saturating_add(self.records));
        self.first_caught = self.first_caught.or_else(|| later(other.first_caught));
        self.first_blocked = self.first_blocked.or_else(|| later(other.first_blocked));
        self.records = self.records.saturating_add(other.records);
        self.malformed = self.malformed.saturating_add(other.malformed);
        self.blocked = self.blocked.saturating_add(other.blocked);
        self.flagged = self.flagged.saturating_add(other.flagged);
        for (typology, count) in &other.typologies {
            let sum = self.typologies.entry(*typology).or_default();
            *sum = sum.saturating_add(*count);
        }
    }

    fn percent(&self, count: u64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "shown with two decimals")]
        let (count, records) = (count as f64, self.records.max(1) as f64);
        count * 100.0 / records
    }
}

/// Labels as scenarios over time: when each was caught first.
///
/// ```text
/// bomb_evening          20 attempts  caught at 2 (10 %)  blocked at 4 (20 %)  17 blocked, 2 flagged
/// relatives_call         9 attempts  -                   -                     0 blocked, 0 flagged
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OverTime<'s>(pub &'s Summary);

impl fmt::Display for OverTime<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.labels.keys().map(|label| label.chars().count()).max().unwrap_or(0);
        for (label, tally) in &self.0.labels {
            let at = |words: &str, first: Option<u64>| {
                first
                    .map_or_else(|| "-".to_owned(), |at| format!("{words} {at} ({:.0} %)", tally.percent(at)))
            };
            writeln!(
                f,
                "{label:<width$}  {:>4} attempts  {:<19}  {:<20}  {:>3} blocked, {} flagged",
                tally.records,
                at("caught at", tally.first_caught),
                at("blocked at", tally.first_blocked),
                tally.blocked,
                tally.flagged
            )?;
        }
        line(f, "total 合计", &self.0.total)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, "total 合计", &self.total)?;
        self.labels.iter().try_for_each(|(label, tally)| line(f, label, tally))
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, tally: &Tally) -> fmt::Result {
    write!(
        f,
        "{name}: {} messages, {} blocked ({:.2} %), {} flagged",
        tally.records,
        tally.blocked,
        tally.percent(tally.blocked),
        tally.flagged
    )?;
    if tally.malformed > 0 {
        write!(f, ", {} malformed", tally.malformed)?;
    }
    let separators = std::iter::once(" — ").chain(std::iter::repeat(", "));
    for (separator, (typology, count)) in separators.zip(&tally.typologies) {
        write!(f, "{separator}{} {count}", typology.id())?;
    }
    writeln!(f)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opinion(action: Action) -> Opinion {
        Opinion { action: Some(action), ..Opinion::default() }
    }

    #[test]
    fn the_first_one_caught_is_counted_through_batches() {
        let (mut first, mut second) = (Summary::default(), Summary::default());
        first.count(Some("a"), &opinion(Action::Allow), false);
        first.count(Some("a"), &opinion(Action::Flag), false);
        second.count(Some("b"), &opinion(Action::Allow), false);
        second.count(Some("a"), &opinion(Action::Reject), false);
        first.add(&second);
        let tally = &first.labels["a"];
        assert_eq!((tally.first_caught, tally.first_blocked), (Some(2), Some(3)));
        assert_eq!(first.labels["b"].first_caught, None);
        let shown = OverTime(&first).to_string();
        assert!(shown.starts_with("a     3 attempts  caught at 2 (67 %)   blocked at 3 (100 %)"), "{shown}");
    }
}
