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
        if let (true, Some(typology)) = (action != Action::Allow, opinion.typology) {
            let count = self.typologies.entry(typology).or_default();
            *count = count.saturating_add(1);
        }
    }

    fn add(&mut self, other: &Self) {
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
