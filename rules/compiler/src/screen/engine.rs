//! The engine as a judge: what an enforcing gateway would do.

use std::sync::Arc;

use yumen_matcher::{LoadedPack, Worker, WorkerError};
use yumen_rules::engine::Site;
use yumen_rules::policy::Policy;
use yumen_rules::verdict::Action;
use yumen_wire::event::Event;

use super::{Judge, Opinion};

/// Judges with a pack and a policy.
pub struct EngineJudge {
    worker: Worker,
    policy: Policy,
}

impl EngineJudge {
    /// One for each of `threads` workers.
    ///
    /// # Errors
    /// [`WorkerError`], when the engine has no memory for a thread.
    pub fn several(pack: &Arc<LoadedPack>, policy: Policy, threads: usize) -> Result<Vec<Self>, WorkerError> {
        (0..threads.max(1)).map(|_| Ok(Self { worker: Worker::new(Arc::clone(pack))?, policy })).collect()
    }
}

impl Judge for EngineJudge {
    fn judge(&mut self, event: &Event<'_>) -> Result<Opinion, String> {
        let pack = Arc::clone(self.worker.pack());
        let judgement = self.worker.judge(&Site::DEFAULT, event).map_err(|error| error.to_string())?;
        if judgement.fired.is_empty() {
            return Ok(Opinion::default());
        }
        let verdict = self.policy.decide(&judgement);
        Ok(Opinion {
            action: Some(verdict.action),
            typology: verdict.typology.filter(|_| verdict.action != Action::Allow),
            score: verdict.score,
            rules: judgement.effective().map(|fired| pack.pack().rule_id(fired.rule).to_owned()).collect(),
        })
    }
}
