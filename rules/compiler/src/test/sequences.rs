//! Sequences: a rule's own, a suppression's, and whole scenarios.

use std::ops::ControlFlow;

use yumen_rules::engine::{ConditionId, JudgeError};
use yumen_rules::policy::Policy;
use yumen_rules::verdict::Action;

use super::{Run, condition_tree, reasons, split};
use crate::diagnostic::{Defect, Diagnostic, Words};
use crate::explain::{Known, Recorder};
use crate::sequence::{Steps, attempts, play, play_observed, steps};
use crate::source::Span;
use crate::source::sequence::{Expect, SequenceSource};
use crate::source::tree::{RuleSource, ScenarioSource, SuppressSource};

/// When a rule caught something of a sequence.
#[derive(Default)]
struct Caught {
    first: Option<u32>,
    /// Where it held and was taken back, before.
    suppressed: Option<(u32, u32)>,
    /// Whether an enforcing gateway would have blocked in time.
    blocked: bool,
    /// The run of the first one caught.
    run: usize,
}

impl Run<'_> {
    pub(super) fn rule_sequences(&mut self, index: u32, rule: &RuleSource, suppressions: &[SuppressSource]) {
        for sequence in &rule.hit_sequences {
            self.summary.hits = self.summary.hits.saturating_add(1);
            let result = self.hit_sequence(index, rule, sequence, suppressions);
            self.engine_failed(sequence.span, result);
        }
        for sequence in &rule.miss_sequences {
            let result = self.miss_sequence(index, rule, sequence);
            self.engine_failed(sequence.span, result);
        }
    }

    fn hit_sequence(
        &mut self,
        index: u32,
        rule: &RuleSource,
        sequence: &SequenceSource,
        suppressions: &[SuppressSource],
    ) -> Result<(), JudgeError> {
        let steps = steps(sequence);
        let all = attempts(&steps);
        let by = sequence.by.of(all);
        let caught = self.caught(index, &steps, by)?;
        self.summary.hits_blocked = self.summary.hits_blocked.saturating_add(usize::from(caught.blocked));
        let id = rule.id.value.clone();
        match (caught.first, caught.suppressed) {
            (Some(first), _) if first <= by => return Ok(()),
            (_, Some((_, suppression))) => {
                let taken = suppressions.get(suppression as usize);
                let suppression = taken.map(|taken| taken.id.value.clone()).unwrap_or_default();
                let diagnostic = Diagnostic::at(sequence.span, Defect::HitSuppressed { id, suppression });
                let words = Words::new("由它撤回", "taken back by this");
                self.fail(match taken {
                    Some(taken) => diagnostic.and(taken.id.span, words),
                    None => diagnostic,
                });
            }
            (first, None) => {
                let (why_zh, why_en) = self.why(ConditionId::Rule(index), &steps, by)?;
                let all = all.to_string();
                let defect = match first {
                    None => Defect::SequenceMissed { id, all, why_zh, why_en },
                    Some(first) => {
                        let (first, by) = (first.to_string(), by.to_string());
                        Defect::SequenceLate { id, first, by, all, why_zh, why_en }
                    }
                };
                self.fail(Diagnostic::at(sequence.span, defect));
            }
        }
        Ok(())
    }

    fn miss_sequence(
        &mut self,
        index: u32,
        rule: &RuleSource,
        sequence: &SequenceSource,
    ) -> Result<(), JudgeError> {
        let steps = steps(sequence);
        let caught = self.caught(index, &steps, 0)?;
        let Some(at) = caught.first else { return Ok(()) };
        let (why_zh, why_en) = self.why(ConditionId::Rule(index), &steps, at)?;
        let (id, all) = (rule.id.value.clone(), attempts(&steps).to_string());
        let defect = Defect::SequenceHit { id, at: at.to_string(), all, why_zh, why_en };
        self.fail(pointing(Diagnostic::at(sequence.span, defect), sequence, caught.run));
        Ok(())
    }

    fn caught(&mut self, rule: u32, steps: &Steps<'_>, by: u32) -> Result<Caught, JudgeError> {
        self.summary.sequences = self.summary.sequences.saturating_add(1);
        let mut caught = Caught::default();
        let policy = Policy::enforcing();
        play(&mut self.worker, steps, |attempt, step, judgement| {
            if attempt <= by && !caught.blocked {
                caught.blocked = policy.decide(judgement).action >= Action::Hold;
            }
            match judgement.fired.iter().find(|fired| fired.rule == rule) {
                Some(fired) if fired.suppressed_by.is_none() => {
                    caught.first.get_or_insert(attempt);
                    caught.run = step.run;
                }
                Some(fired) => {
                    caught.suppressed = caught.suppressed.or(fired.suppressed_by.map(|by| (attempt, by)));
                }
                None => {}
            }
            // Once it is caught, what is left to learn is whether it would have been blocked in time.
            if caught.first.is_some() && (attempt >= by || caught.blocked) {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        Ok(caught)
    }

    pub(super) fn suppression_sequences(&mut self, index: u32, suppression: &SuppressSource) {
        for (sequences, wanted) in [(&suppression.hit_sequences, true), (&suppression.miss_sequences, false)]
        {
            for sequence in sequences {
                let result = self.suppression_sequence(index, suppression, sequence, wanted);
                self.engine_failed(sequence.span, result);
            }
        }
    }

    fn suppression_sequence(
        &mut self,
        index: u32,
        suppression: &SuppressSource,
        sequence: &SequenceSource,
        wanted: bool,
    ) -> Result<(), JudgeError> {
        self.summary.sequences = self.summary.sequences.saturating_add(1);
        let condition = ConditionId::Suppression(index);
        let steps = steps(sequence);
        let by = sequence.by.of(attempts(&steps));
        let mut first = None;
        let observer = |_| Some(Recorder::default());
        play_observed(&mut self.worker, &steps, observer, |attempt, _, _, recorder: Option<&Recorder>| {
            if recorder.is_some_and(|recorder| recorder.held(condition)) {
                first = Some(attempt);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        let id = suppression.id.value.clone();
        let defect = match first {
            Some(at) if !wanted => {
                let (why_zh, why_en) = self.why(condition, &steps, at)?;
                Defect::SuppressHit { id, why_zh, why_en }
            }
            first if wanted && first.is_none_or(|first| first > by) => {
                let (why_zh, why_en) = self.why(condition, &steps, by)?;
                Defect::SuppressMissed { id, why_zh, why_en }
            }
            _ => return Ok(()),
        };
        self.fail(Diagnostic::at(sequence.span, defect));
        Ok(())
    }

    pub(super) fn scenario(&mut self, scenario: &ScenarioSource) {
        let result = self.play_scenario(scenario);
        self.engine_failed(scenario.sequence.span, result);
    }

    fn play_scenario(&mut self, scenario: &ScenarioSource) -> Result<(), JudgeError> {
        self.summary.sequences = self.summary.sequences.saturating_add(1);
        let steps = steps(&scenario.sequence);
        let all = attempts(&steps);
        let by = scenario.sequence.by.of(all);
        let policy = Policy::enforcing();
        let least = match scenario.expect {
            Expect::Block | Expect::Pass => Action::Hold,
            Expect::Flag | Expect::Clean => Action::Flag,
        };
        let loaded = std::sync::Arc::clone(&self.loaded);
        let pack = loaded.pack();
        let mut first: Option<(u32, usize, Action, String)> = None;
        play(&mut self.worker, &steps, |attempt, step, judgement| {
            let action = policy.decide(judgement).action;
            if action < least {
                return ControlFlow::Continue(());
            }
            let rules: Vec<&str> = judgement.effective().map(|fired| pack.rule_id(fired.rule)).collect();
            first = Some((attempt, step.run, action, rules.join(", ")));
            ControlFlow::Break(())
        })?;
        let id = scenario.id.value.clone();
        let all = all.to_string();
        match (scenario.expect, first) {
            (Expect::Block | Expect::Flag, first) => {
                let at = first.map(|(at, ..)| at);
                if at.is_none_or(|at| at > by) {
                    let first = at.map_or_else(|| "-".to_owned(), |at| at.to_string());
                    let defect = Defect::ScenarioMissed { id, by: by.to_string(), all, first };
                    self.fail(Diagnostic::at(scenario.id.span, defect));
                }
            }
            (Expect::Pass | Expect::Clean, Some((at, run, action, rules))) => {
                let action = action.name().to_owned();
                let defect = Defect::ScenarioCaught { id, at: at.to_string(), all, action, rules };
                self.fail(pointing(Diagnostic::at(scenario.id.span, defect), &scenario.sequence, run));
            }
            (Expect::Pass | Expect::Clean, None) => {}
        }
        Ok(())
    }

    /// Why a condition came out as it did at an attempt.
    fn why(
        &mut self,
        condition: ConditionId,
        steps: &Steps<'_>,
        at: u32,
    ) -> Result<(String, String), JudgeError> {
        let loaded = std::sync::Arc::clone(&self.loaded);
        let pack = loaded.pack();
        let mut why = None;
        let observer = |attempt| (attempt == at).then(Recorder::default);
        play_observed(
            &mut self.worker,
            steps,
            observer,
            |attempt, _, judgement, recorder: Option<&Recorder>| {
                if let Some(recorder) = recorder {
                    let tree = condition_tree(pack, &Known::new(pack, judgement, recorder), condition);
                    why = tree.map(|tree| reasons(&tree));
                }
                if attempt >= at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        )?;
        Ok(split(why))
    }

    fn engine_failed(&mut self, span: Span, result: Result<(), JudgeError>) {
        if let Err(error) = result {
            self.fail(Diagnostic::at(span, Defect::NotBuilt { reason: error.to_string() }));
        }
    }
}

/// With the run that it is about.
fn pointing(diagnostic: Diagnostic, sequence: &SequenceSource, run: usize) -> Diagnostic {
    match sequence.runs.get(run) {
        Some(run) => diagnostic.and(run.span, Words::new("在这一段里", "in this run")),
        None => diagnostic,
    }
}
