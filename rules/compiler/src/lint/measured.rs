//! What only messages show.

use std::collections::HashMap;

use crate::diagnostic::{Defect, Diagnostic, Words};
use crate::eval::{Evaluation, RuleRow, Run};
use crate::report::Report;

/// Fewer messages say nothing about what never hits.
const RECORDS_MIN: usize = 200;
/// Hits that two rules need before it is said that they hit together.
const TOGETHER_MIN: usize = 10;
/// Fewer timed messages show cold caches, not conditions.
const TIMED_MIN: u64 = 100;
/// Nanoseconds a message from which a condition is slow.
const SLOW_NS: f64 = 200.0;

/// Adds what a run over labelled messages shows.
pub fn measured(report: &mut Report, evaluation: &Evaluation, run: &Run) {
    let mut found = Vec::new();
    let together = together(run);
    for (index, (row, source)) in evaluation.rules.iter().zip(&report.tree.rules).enumerate() {
        let mut say = |defect| found.push(Diagnostic::at(source.id.span, defect));
        let id = || row.id.clone();
        if row.hits + row.suppressed == 0 && evaluation.total.records >= RECORDS_MIN {
            say(Defect::NeverHit { id: id(), records: evaluation.total.records.to_string() });
        }
        if is_broad(row) {
            let (ham, hits) = (row.ham.to_string(), row.hits.to_string());
            say(Defect::TooBroad { id: id(), ham, hits });
        }
        if row.ns >= SLOW_NS && run.timed >= TIMED_MIN {
            say(Defect::Slow { id: id(), ns: format!("{:.0}", row.ns) });
        }
        for (other, (other_row, other_source)) in
            evaluation.rules.iter().zip(&report.tree.rules).enumerate().skip(index.saturating_add(1))
        {
            let shared = together.get(&(index, other)).copied().unwrap_or(0);
            let all = row.hits.max(other_row.hits);
            if shared >= TOGETHER_MIN && shared == all && row.typology == other_row.typology {
                let defect =
                    Defect::Together { id: id(), other: other_row.id.clone(), shared: shared.to_string() };
                let label = Words::new("另一条", "the other");
                found.push(Diagnostic::at(source.id.span, defect).and(other_source.id.span, label));
            }
        }
    }
    found.into_iter().for_each(|diagnostic| report.diagnostics.push(diagnostic));
}

/// At least three honest messages, and as many of them as of others.
fn is_broad(row: &RuleRow) -> bool {
    row.ham >= 3 && row.ham >= row.right.saturating_add(row.other)
}

/// How often two rules fired for the same message.
fn together(run: &Run) -> HashMap<(usize, usize), usize> {
    let mut counts = HashMap::new();
    for outcome in &run.outcomes {
        for (at, &first) in outcome.rules.iter().enumerate() {
            for &second in outcome.rules.iter().skip(at.saturating_add(1)) {
                let pair = (first.min(second) as usize, first.max(second) as usize);
                let count: &mut usize = counts.entry(pair).or_default();
                *count = count.saturating_add(1);
            }
        }
    }
    counts
}
