//! The rules' own tests: every `hit` must fire its rule, no `miss` may; scenarios are played to the whole pack.
//!
//! ```text
//! draft → pack bytes → engine → each text judged (observed) → a diagnostic at each text that fails, with the reason
//! ```

mod sequences;

use std::sync::Arc;

use yumen_matcher::{LoadOptions, LoadedPack, Worker};
use yumen_rules::engine::{ConditionId, Site};
use yumen_rules::language::Language;
use yumen_rules::pack::Pack;
use yumen_rules::policy::{Policy, TypologyPolicy};
use yumen_rules::verdict::{Action, Typology};
use yumen_wire::event::{Address, Event};

use crate::build::{BuildError, BuildOptions, pack_bytes};
use crate::diagnostic::{Defect, Diagnostic, Diagnostics, Words};
use crate::explain::{Known, Leaf, Recorder, Tree};
use crate::report::Report;
use crate::source::tree::{RuleSource, SuppressSource, TestSource};

/// What a run of the tests did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TestSummary {
    /// Texts that were judged.
    pub texts: usize,
    /// Sequences that were played.
    pub sequences: usize,
    /// Those that failed, of both.
    pub failed: usize,
    /// `hit` texts that an enforcing gateway would block.
    pub hits_blocked: usize,
    /// `hit` texts of rules.
    pub hits: usize,
}

/// Runs the tests of sources that are right otherwise; what fails is added to the report's diagnostics.
///
/// # Errors
/// [`BuildError`], when no pack can be made or loaded: then nothing was tested.
pub fn run(report: &mut Report) -> Result<TestSummary, BuildError> {
    let bytes = pack_bytes(report, &BuildOptions::default())?;
    let loaded = Arc::new(LoadedPack::load_untried(&bytes, &LoadOptions::ANYTHING)?);
    let worker = Worker::new(Arc::clone(&loaded))?;
    let mut run = Run { worker, loaded, summary: TestSummary::default(), out: &mut report.diagnostics };
    for (index, rule) in (0..).zip(&report.tree.rules) {
        run.rule(index, rule, &report.tree.suppressions);
        run.rule_sequences(index, rule, &report.tree.suppressions);
        run.redress(index, rule);
    }
    for (index, suppression) in (0..).zip(&report.tree.suppressions) {
        run.suppression(index, suppression);
        run.suppression_sequences(index, suppression);
    }
    report.tree.scenarios.iter().for_each(|scenario| run.scenario(scenario));
    Ok(run.summary)
}

struct Run<'a> {
    worker: Worker,
    loaded: Arc<LoadedPack>,
    summary: TestSummary,
    out: &'a mut Diagnostics,
}

/// What came of one text for one condition.
struct Judged {
    held: bool,
    suppressed_by: Option<u32>,
    blocked: bool,
    why: Option<Words>,
}

impl Run<'_> {
    fn rule(&mut self, index: u32, rule: &RuleSource, suppressions: &[SuppressSource]) {
        let id = || rule.id.value.clone();
        for test in &rule.hits {
            let Some(judged) = self.judge(ConditionId::Rule(index), test) else { continue };
            self.summary.hits = self.summary.hits.saturating_add(1);
            self.summary.hits_blocked = self.summary.hits_blocked.saturating_add(usize::from(judged.blocked));
            if let (true, Some(by)) = (judged.held, judged.suppressed_by) {
                let suppression = suppressions.get(by as usize);
                let defect = Defect::HitSuppressed {
                    id: id(),
                    suppression: suppression
                        .map(|suppression| suppression.id.value.clone())
                        .unwrap_or_default(),
                };
                let mut diagnostic = Diagnostic::at(test.text.span, defect);
                if let Some(suppression) = suppression {
                    diagnostic =
                        diagnostic.and(suppression.id.span, Words::new("由它撤回", "taken back by this"));
                }
                self.fail(diagnostic);
            } else if !judged.held {
                let (why_zh, why_en) = split(judged.why);
                self.fail(Diagnostic::at(test.text.span, Defect::HitMissed { id: id(), why_zh, why_en }));
            }
        }
        for test in &rule.misses {
            let Some(judged) = self.judge(ConditionId::Rule(index), test) else { continue };
            if judged.held && judged.suppressed_by.is_none() {
                let (why_zh, why_en) = split(judged.why);
                self.fail(Diagnostic::at(test.text.span, Defect::MissHit { id: id(), why_zh, why_en }));
            }
        }
    }

    /// What a blocked person is told must not have what the rule looks for: it would teach the sender, and be blocked itself.
    fn redress(&mut self, index: u32, rule: &RuleSource) {
        let typology = rule.typology.unwrap_or(Typology::Fraud);
        // A cue is made of words that honest people use too: its score says nothing alone.
        let reported = TypologyPolicy::default().flag_at;
        let span = rule.redress.as_ref().map_or(rule.id.span, |(_, span)| *span);
        for language in Language::ALL {
            let loaded = Arc::clone(&self.loaded);
            let sentence = loaded.pack().redress(Some(index), typology, language);
            let event = Event::text_only(sentence);
            let fired = match self.worker.judge(&Site::DEFAULT, &event) {
                Ok(judgement) => {
                    judgement.effective().any(|fired| fired.rule == index && fired.score >= reported)
                }
                Err(_) => false,
            };
            if fired {
                let (id, sentence) = (rule.id.value.clone(), sentence.to_owned());
                self.fail(Diagnostic::at(span, Defect::RedressGivesAway { id, sentence }));
            }
        }
    }

    fn suppression(&mut self, index: u32, suppression: &SuppressSource) {
        let id = || suppression.id.value.clone();
        for (tests, wanted) in [(&suppression.hits, true), (&suppression.misses, false)] {
            for test in tests {
                let Some(judged) = self.judge(ConditionId::Suppression(index), test) else { continue };
                if judged.held == wanted {
                    continue;
                }
                let (why_zh, why_en) = split(judged.why);
                let defect = if wanted {
                    Defect::SuppressMissed { id: id(), why_zh, why_en }
                } else {
                    Defect::SuppressHit { id: id(), why_zh, why_en }
                };
                self.fail(Diagnostic::at(test.text.span, defect));
            }
        }
    }

    fn fail(&mut self, diagnostic: Diagnostic) {
        self.summary.failed = self.summary.failed.saturating_add(1);
        self.out.push(diagnostic);
    }

    /// Judges a text and looks at one condition. `None` when the engine failed, which is reported.
    fn judge(&mut self, condition: ConditionId, test: &TestSource) -> Option<Judged> {
        self.summary.texts = self.summary.texts.saturating_add(1);
        let event = Event {
            originator: Address::new(test.from.as_ref().map_or("", |from| &from.value)),
            destination: Address::new(test.to.as_ref().map_or("", |to| &to.value)),
            ..Event::text_only(&test.text.value)
        };
        let mut recorder = Recorder::default();
        let site = Site { lists: &test.listed, ..Site::DEFAULT };
        let judgement = match self.worker.judge_observed(&site, &event, &mut recorder) {
            Ok(judgement) => judgement,
            Err(error) => {
                let diagnostic =
                    Diagnostic::at(test.text.span, Defect::NotBuilt { reason: error.to_string() });
                self.summary.failed = self.summary.failed.saturating_add(1);
                self.out.push(diagnostic);
                return None;
            }
        };
        let pack = self.loaded.pack();
        let held = recorder.held(condition);
        let fired = judgement.fired.iter().find(|fired| condition == ConditionId::Rule(fired.rule));
        let tree = condition_tree(pack, &Known::new(pack, &judgement, &recorder), condition);
        Some(Judged {
            held,
            suppressed_by: fired.and_then(|fired| fired.suppressed_by),
            blocked: Policy::enforcing().decide(&judgement).action >= Action::Hold,
            why: tree.map(|tree| reasons(&tree)),
        })
    }
}

fn condition_tree(pack: Pack<'_>, known: &Known<'_>, condition: ConditionId) -> Option<Tree> {
    match condition {
        ConditionId::Rule(index) => {
            let rule = pack.rule(index)?;
            known.tree(pack.string(rule.id), rule.condition())
        }
        ConditionId::Suppression(index) => {
            let suppression = pack.suppression(index)?;
            known.tree(pack.string(suppression.id), suppression.condition())
        }
        ConditionId::Protection(index) => {
            let protection = pack.protection(index)?;
            known.tree(pack.string(protection.id), protection.condition())
        }
    }
}

/// The tests that decided, in words.
fn reasons(tree: &Tree) -> Words {
    let leaves = tree.decisive();
    let listed = |held: &str, not_held: &str, comma: &str| {
        let part = |leaf: &&Leaf| format!("`{}` {}", leaf.shown(), if leaf.held { held } else { not_held });
        leaves.iter().map(part).collect::<Vec<_>>().join(comma)
    };
    Words::new(listed("成立", "不成立", "，"), listed("holds", "doesn't hold", ", "))
}

fn split(why: Option<Words>) -> (String, String) {
    why.map_or_else(
        || ("条件复杂".to_owned(), "the condition is complex".to_owned()),
        |words| (words.zh, words.en),
    )
}
