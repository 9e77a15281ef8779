//! The engine as a judge: what an enforcing gateway would do.

use std::sync::Arc;

use yumen_behaviour::limits::NUMBERS_REPLAYED;
use yumen_behaviour::{Behaviour, Ending, Timeline};
use yumen_matcher::{LoadedPack, Worker, WorkerError};
use yumen_rules::engine::{NoLists, NumberLists, Site};
use yumen_rules::language::Language;
use yumen_rules::policy::Policy;
use yumen_rules::verdict::Action;
use yumen_wire::event::Event;

use super::{Judge, Opinion};

/// Judges with a pack and a policy.
pub struct EngineJudge {
    worker: Worker,
    policy: Policy,
    timeline: Option<Timeline>,
    lists: Arc<dyn NumberLists + Send>,
}

impl EngineJudge {
    /// One for each of `threads` workers. Nobody counts: each message is judged for itself.
    ///
    /// # Errors
    /// [`WorkerError`], when the engine has no memory for a thread.
    pub fn several(pack: &Arc<LoadedPack>, policy: Policy, threads: usize) -> Result<Vec<Self>, WorkerError> {
        let one = || {
            Ok(Self {
                worker: Worker::new(Arc::clone(pack))?,
                policy,
                timeline: None,
                lists: Arc::new(NoLists),
            })
        };
        (0..threads.max(1)).map(|_| one()).collect()
    }

    /// One that counts how numbers behave, by the records' own times. It must see all records in their order.
    ///
    /// # Errors
    /// [`WorkerError`], when the engine has no memory for a thread.
    pub fn over_time(pack: &Arc<LoadedPack>, policy: Policy) -> Result<Self, WorkerError> {
        let timeline = Some(Timeline::new(Arc::new(Behaviour::new(NUMBERS_REPLAYED))));
        let worker = Worker::new(Arc::clone(pack))?;
        Ok(Self { worker, policy, timeline, lists: Arc::new(NoLists) })
    }

    /// With the number lists that conditions ask.
    #[must_use]
    pub fn with_lists(self, lists: Arc<dyn NumberLists + Send>) -> Self {
        Self { lists, ..self }
    }
}

impl Judge for EngineJudge {
    fn judge(&mut self, event: &Event<'_>) -> Result<Opinion, String> {
        self.judge_record(event, None)
    }

    fn judge_record(&mut self, event: &Event<'_>, ending: Option<Ending>) -> Result<Opinion, String> {
        let pack = Arc::clone(self.worker.pack());
        let timeline = self.timeline.as_mut().filter(|_| event.time_ms > 0);
        let site = match timeline {
            Some(timeline) => {
                timeline.attempt(event);
                timeline.follow(event, ending.unwrap_or_default());
                Site { behaviour: timeline.behaviour().as_ref(), ..Site::DEFAULT }
            }
            None => Site::DEFAULT,
        };
        let site = Site { lists: self.lists.as_ref(), ..site };
        let judgement = self.worker.judge(&site, event).map_err(|error| error.to_string())?;
        if judgement.fired.is_empty() {
            return Ok(Opinion::default());
        }
        let verdict = self.policy.decide(&judgement);
        Ok(Opinion {
            action: Some(verdict.action),
            typology: verdict.typology.filter(|_| verdict.action != Action::Allow),
            score: verdict.score,
            reason: verdict
                .typology
                .filter(|_| verdict.action.blocks())
                .map_or_else(String::new, |typology| {
                    pack.pack().redress(verdict.rule, typology, Language::of(event.text)).to_owned()
                }),
            rules: judgement.effective().map(|fired| pack.pack().rule_id(fired.rule).to_owned()).collect(),
        })
    }
}
