//! What a pack does on labelled messages: per label, practice and rule, with the honest messages it would block.
//!
//! ```text
//! corpus × pack → outcomes, costs (run) → Evaluation (counted) → text, JSON, page
//! ```

mod html;
mod json;
mod render;
mod run;

use std::collections::BTreeMap;

use yumen_matcher::LoadedPack;
use yumen_rules::verdict::{Action, Typology};

use crate::corpus::{Corpus, Meaning};

pub use html::html;
pub use json::json;
pub use render::render;
pub use run::{Outcome, RuleCost, Run, RunError, run, run_as_sent};

/// Counts of the messages of one label, or of one label and variant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Messages.
    pub records: usize,
    /// Blocked.
    pub blocked: usize,
    /// Let pass and reported.
    pub flagged: usize,
    /// Those blocked, by the practice the verdict names.
    pub named: BTreeMap<Typology, usize>,
}

/// One practice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypologyRow {
    /// Which.
    pub typology: Typology,
    /// Messages labelled with it.
    pub labelled: usize,
    /// Of these, blocked, whatever the verdict names.
    pub caught: usize,
    /// Messages blocked whose verdict names it.
    pub named: usize,
    /// Of these, labelled with it.
    pub right: usize,
    /// Of these, honest.
    pub ham: usize,
    /// Of these, of an unknown label.
    pub unknown: usize,
}

impl TypologyRow {
    /// Caught of labelled; `None` where none is labelled.
    #[must_use]
    pub fn recall(&self) -> Option<f64> {
        ratio(self.caught, self.labelled)
    }

    /// Of the blocked that name it and have a known label, those that are no honest messages.
    #[must_use]
    pub fn precision(&self) -> Option<f64> {
        let known = self.named.saturating_sub(self.unknown);
        ratio(known.saturating_sub(self.ham), known)
    }
}

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleRow {
    /// Its id.
    pub id: String,
    /// Its practice.
    pub typology: Typology,
    /// 1 to 100.
    pub score: u8,
    /// Messages it fired for and wasn't taken back.
    pub hits: usize,
    /// Of these, labelled with its practice.
    pub right: usize,
    /// Of these, labelled with another practice, or as fraud of any kind.
    pub other: usize,
    /// Of these, honest.
    pub ham: usize,
    /// Of the honest ones, blocked in the end.
    pub ham_blocked: usize,
    /// Messages it was taken back for.
    pub suppressed: usize,
    /// Messages labelled with its practice.
    pub labelled: usize,
    /// Its condition's evaluations a message.
    pub evaluations: f64,
    /// Nanoseconds of its condition a message.
    pub ns: f64,
}

impl RuleRow {
    /// Of its hits with a known label, those that are no honest messages.
    #[must_use]
    pub fn precision(&self) -> Option<f64> {
        let scam = self.right.saturating_add(self.other);
        ratio(scam, scam.saturating_add(self.ham))
    }

    /// Of the messages labelled with its practice, those it fired for.
    #[must_use]
    pub fn recall(&self) -> Option<f64> {
        ratio(self.right, self.labelled)
    }
}

/// A message that came out otherwise than its label wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Its line in the corpus, from 1.
    pub line: usize,
    /// Its label.
    pub label: String,
    /// What was done.
    pub action: Action,
    /// The practice that the verdict names.
    pub typology: Option<Typology>,
    /// 0 to 100.
    pub score: u8,
    /// The rules that fired.
    pub rules: Vec<String>,
    /// The message.
    pub text: String,
}

/// What a pack does on a corpus.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The pack's name and serial.
    pub pack: (String, u64),
    /// All messages.
    pub total: Row,
    /// All that are to be caught.
    pub scam: Row,
    /// All honest ones.
    pub ham: Row,
    /// By label, in the order of the corpus.
    pub labels: Vec<(String, Meaning, Row)>,
    /// By variant, of the messages to be caught; empty where there is only one.
    pub variants: Vec<(String, Row)>,
    /// By practice.
    pub typologies: Vec<TypologyRow>,
    /// By rule, in the order of the pack.
    pub rules: Vec<RuleRow>,
    /// Honest messages that are blocked.
    pub false_positives: Vec<Wrong>,
    /// Messages to be caught that aren't blocked.
    pub missed: Vec<Wrong>,
    /// Processor time a message in nanoseconds.
    pub ns_mean: f64,
}

impl Row {
    fn count(&mut self, outcome: &Outcome) {
        self.records = self.records.saturating_add(1);
        self.flagged = self.flagged.saturating_add(usize::from(outcome.action == Action::Flag));
        if outcome.action.blocks() {
            self.blocked = self.blocked.saturating_add(1);
            if let Some(typology) = outcome.typology {
                let named = self.named.entry(typology).or_default();
                *named = named.saturating_add(1);
            }
        }
    }

    /// Blocked of all; `None` where there are none.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        ratio(self.blocked, self.records)
    }
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Counts what a run found.
#[must_use]
pub fn evaluate(pack: &LoadedPack, corpus: &Corpus, run: &Run) -> Evaluation {
    let mut evaluation = Evaluation {
        pack: (pack.header().name().to_owned(), pack.header().serial),
        total: Row::default(),
        scam: Row::default(),
        ham: Row::default(),
        labels: corpus
            .labels
            .iter()
            .map(|(label, meaning)| (label.clone(), *meaning, Row::default()))
            .collect(),
        variants: corpus.variants.iter().map(|variant| (variant.clone(), Row::default())).collect(),
        typologies: Typology::ALL.map(empty).to_vec(),
        rules: rules(pack, run),
        false_positives: Vec::new(),
        missed: Vec::new(),
        ns_mean: run.ns_mean,
    };
    for (record, outcome) in corpus.records.iter().zip(&run.outcomes) {
        let meaning = corpus.meaning(record);
        evaluation.total.count(outcome);
        if let Some((_, _, row)) = evaluation.labels.get_mut(record.label) {
            row.count(outcome);
        }
        if meaning.is_scam() {
            evaluation.scam.count(outcome);
            if let Some((_, row)) = evaluation.variants.get_mut(record.variant) {
                row.count(outcome);
            }
        }
        if meaning == Meaning::Ham {
            evaluation.ham.count(outcome);
        }
        count_typologies(&mut evaluation.typologies, meaning, outcome);
        count_rules(&mut evaluation.rules, meaning, outcome);
        let wrong = || Wrong {
            line: record.line,
            label: corpus.label(record).to_owned(),
            action: outcome.action,
            typology: outcome.typology,
            score: outcome.score,
            rules: outcome.rules.iter().map(|&rule| pack.pack().rule_id(rule).to_owned()).collect(),
            text: corpus.text(record).to_owned(),
        };
        match (meaning, outcome.action.blocks()) {
            (Meaning::Ham, true) => evaluation.false_positives.push(wrong()),
            (Meaning::Practice(_) | Meaning::Scam, false) => evaluation.missed.push(wrong()),
            _ => {}
        }
    }
    let labelled: BTreeMap<Typology, usize> =
        evaluation.typologies.iter().map(|row| (row.typology, row.labelled)).collect();
    for rule in &mut evaluation.rules {
        rule.labelled = labelled.get(&rule.typology).copied().unwrap_or(0);
    }
    evaluation.variants.retain(|(_, row)| row.records > 0);
    if evaluation.variants.len() < 2 {
        evaluation.variants.clear();
    }
    evaluation
}

const fn empty(typology: Typology) -> TypologyRow {
    TypologyRow { typology, labelled: 0, caught: 0, named: 0, right: 0, ham: 0, unknown: 0 }
}

fn rules(pack: &LoadedPack, run: &Run) -> Vec<RuleRow> {
    let (pack, timed) = (pack.pack(), run.timed.max(1) as f64);
    let row = |(index, rule): (u32, yumen_rules::pack::Rule)| {
        let cost = run.costs.get(index as usize).copied().unwrap_or_default();
        RuleRow {
            id: pack.string(rule.id).to_owned(),
            typology: rule.typology,
            score: rule.score,
            hits: 0,
            right: 0,
            other: 0,
            ham: 0,
            ham_blocked: 0,
            suppressed: 0,
            labelled: 0,
            evaluations: cost.evaluations as f64 / timed,
            ns: cost.ns / timed,
        }
    };
    pack.rules().map(row).collect()
}

fn count_typologies(rows: &mut [TypologyRow], meaning: Meaning, outcome: &Outcome) {
    let blocked = outcome.action.blocks();
    for row in rows {
        if meaning == Meaning::Practice(row.typology) {
            row.labelled = row.labelled.saturating_add(1);
            row.caught = row.caught.saturating_add(usize::from(blocked));
        }
        if blocked && outcome.typology == Some(row.typology) {
            row.named = row.named.saturating_add(1);
            let right = meaning == Meaning::Practice(row.typology);
            row.right = row.right.saturating_add(usize::from(right));
            row.ham = row.ham.saturating_add(usize::from(meaning == Meaning::Ham));
            row.unknown = row.unknown.saturating_add(usize::from(meaning == Meaning::Unknown));
        }
    }
}

fn count_rules(rows: &mut [RuleRow], meaning: Meaning, outcome: &Outcome) {
    for &rule in &outcome.rules {
        let Some(row) = rows.get_mut(rule as usize) else { continue };
        row.hits = row.hits.saturating_add(1);
        match meaning {
            Meaning::Practice(typology) if typology == row.typology => {
                row.right = row.right.saturating_add(1)
            }
            Meaning::Practice(_) | Meaning::Scam => row.other = row.other.saturating_add(1),
            Meaning::Ham => {
                row.ham = row.ham.saturating_add(1);
                row.ham_blocked = row.ham_blocked.saturating_add(usize::from(outcome.action.blocks()));
            }
            Meaning::Unknown => {}
        }
    }
    for &rule in &outcome.suppressed {
        if let Some(row) = rows.get_mut(rule as usize) {
            row.suppressed = row.suppressed.saturating_add(1);
        }
    }
}
