//! Two packs on the same messages: what would newly be blocked, and what would newly be let through.

use std::collections::BTreeMap;

use serde_json::{Value, json as object};
use yumen_matcher::LoadedPack;

use crate::corpus::Corpus;
use crate::eval::{Outcome, Run};

/// A message that the packs disagree about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its line in the corpus, from 1.
    pub line: usize,
    /// Its label.
    pub label: String,
    /// Whether the new pack blocks it and the old one doesn't; otherwise the other way round.
    pub blocked: bool,
    /// Score by the pack that blocks it.
    pub score: u8,
    /// The rules of the pack that blocks it.
    pub rules: Vec<String>,
    /// The message.
    pub text: String,
}

/// Counts of a label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LabelChange {
    /// Messages.
    pub records: usize,
    /// Blocked by the old pack.
    pub old: usize,
    /// Blocked by the new one.
    pub new: usize,
    /// Newly blocked.
    pub blocked: usize,
    /// Newly let through.
    pub allowed: usize,
}

/// What differs.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// By label.
    pub labels: BTreeMap<String, LabelChange>,
    /// In the order of the corpus.
    pub changes: Vec<Change>,
    /// Nanoseconds a message with the old pack and with the new one.
    pub ns: (f64, f64),
}

/// Compares two runs over one corpus.
#[must_use]
pub fn compare(corpus: &Corpus, old: (&LoadedPack, &Run), new: (&LoadedPack, &Run)) -> Comparison {
    let mut comparison = Comparison { ns: (old.1.ns_mean, new.1.ns_mean), ..Comparison::default() };
    let outcomes = old.1.outcomes.iter().zip(&new.1.outcomes);
    for (record, (before, after)) in corpus.records.iter().zip(outcomes) {
        let (was, is) = (before.action.blocks(), after.action.blocks());
        let label = comparison.labels.entry(corpus.label(record).to_owned()).or_default();
        for (count, yes) in [
            (&mut label.records, true),
            (&mut label.old, was),
            (&mut label.new, is),
            (&mut label.blocked, is && !was),
            (&mut label.allowed, was && !is),
        ] {
            *count = count.saturating_add(usize::from(yes));
        }
        if was == is {
            continue;
        }
        let (pack, outcome): (&LoadedPack, &Outcome) = if is { (new.0, after) } else { (old.0, before) };
        comparison.changes.push(Change {
            line: record.line,
            label: corpus.label(record).to_owned(),
            blocked: is,
            score: outcome.score,
            rules: outcome.rules.iter().map(|&rule| pack.pack().rule_id(rule).to_owned()).collect(),
            text: corpus.text(record).to_owned(),
        });
    }
    comparison
}

impl Comparison {
    /// As one JSON object.
    #[must_use]
    pub fn json(&self) -> Value {
        let change = |change: &Change| {
            object!({
                "line": change.line, "label": change.label, "change": if change.blocked { "blocked" } else { "allowed" },
                "score": change.score, "rules": change.rules, "text": change.text,
            })
        };
        let labels = self.labels.iter().map(|(label, row)| {
            object!({
                "label": label, "records": row.records, "old_blocked": row.old, "new_blocked": row.new,
                "newly_blocked": row.blocked, "newly_allowed": row.allowed,
            })
        });
        object!({
            "labels": labels.collect::<Vec<_>>(),
            "changes": self.changes.iter().map(change).collect::<Vec<_>>(),
            "old_ns_per_message": self.ns.0,
            "new_ns_per_message": self.ns.1,
        })
    }
}
