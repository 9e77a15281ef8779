//! The pack's own tests, run on the machine that is to use it, with the engine it is to use.

use std::sync::Arc;

use yumen_rules::engine::{ConditionId, Observer, Site};
use yumen_rules::pack::{Canary, CanaryOwner, Pack};
use yumen_wire::event::Event;

use crate::loaded::LoadedPack;
use crate::refusal::Refusal;
use crate::worker::Worker;

/// Runs all of them.
///
/// # Errors
/// The first one that fails, as [`Refusal::Canary`].
pub(crate) fn run(pack: &Arc<LoadedPack>) -> Result<(), Refusal> {
    let mut worker = Worker::new(Arc::clone(pack)).map_err(|error| Refusal::Matcher(error.to_string()))?;
    for canary in pack.pack().canaries() {
        let hit = hits(&mut worker, &canary).map_err(|error| Refusal::Matcher(error.to_string()))?;
        if hit != canary.hit {
            let owner = owner(&pack.pack(), canary.owner).to_owned();
            return Err(Refusal::Canary { owner, text: canary.text.to_owned(), expected: canary.hit });
        }
    }
    Ok(())
}

/// Whether the owner's condition holds for the text; for a rule also that nothing takes the hit back.
fn hits(worker: &mut Worker, canary: &Canary<'_>) -> Result<bool, yumen_rules::engine::JudgeError> {
    let event = Event::text_only(canary.text);
    match canary.owner {
        CanaryOwner::Rule(rule) => {
            let judgement = worker.judge(&Site::DEFAULT, &event)?;
            Ok(judgement.effective().any(|fired| fired.rule == rule))
        }
        CanaryOwner::Suppression(suppression) => {
            let mut watch = Watch { id: ConditionId::Suppression(suppression), held: false };
            worker.judge_observed(&Site::DEFAULT, &event, &mut watch)?;
            Ok(watch.held)
        }
    }
}

fn owner<'p>(pack: &Pack<'p>, owner: CanaryOwner) -> &'p str {
    match owner {
        CanaryOwner::Rule(rule) => pack.rule_id(rule),
        CanaryOwner::Suppression(index) => {
            pack.suppression(index).map_or("", |suppression| pack.string(suppression.id))
        }
    }
}

struct Watch {
    id: ConditionId,
    held: bool,
}

impl Observer for Watch {
    fn condition(&mut self, condition: ConditionId, held: bool) {
        self.held |= held && condition == self.id;
    }
}
