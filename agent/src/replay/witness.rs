//! Judges, and remembers what was judged and how.

use crate::behaviour::Behaviour;
use crate::pipeline::{Judge, Judged, Unjudged};
use std::sync::{Arc, Mutex, PoisonError};
use yumen_matcher::{LoadedPack, Worker, WorkerError};
use yumen_rules::engine::Site;
use yumen_rules::policy::Policy;
use yumen_rules::verdict::{Action, Typology};
use yumen_wire::event::{Event, Segments};

/// What was judged since it was last asked. Of several readings of a message the worst counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) text: String,
    pub(super) segments: Option<Segments>,
    pub(super) action: Option<Action>,
    pub(super) typology: Option<Typology>,
    pub(super) score: u8,
    pub(super) rules: Vec<String>,
}

pub(super) struct Witness {
    worker: Mutex<Worker>,
    seen: Mutex<Seen>,
    policy: Policy,
    behaviour: Arc<Behaviour>,
}

impl Witness {
    pub(super) fn new(
        pack: Arc<LoadedPack>,
        policy: Policy,
        behaviour: Arc<Behaviour>,
    ) -> Result<Self, WorkerError> {
        let worker = Mutex::new(Worker::new(pack)?);
        Ok(Self { worker, seen: Mutex::default(), policy, behaviour })
    }

    /// What was seen; it is forgotten here.
    pub(super) fn take(&self) -> Seen {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Judge for Witness {
    fn judge(&self, event: &Event<'_>, then: &mut dyn FnMut(Judged<'_>)) -> Result<(), Unjudged> {
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        let pack = Arc::clone(worker.pack());
        let site = Site { behaviour: self.behaviour.as_ref(), ..Site::DEFAULT };
        let judgement = worker.judge(&site, event).map_err(Unjudged::Engine)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let verdict = self.policy.decide(&judgement);
        if seen.action.is_none_or(|action| action < verdict.action) {
            *seen = Seen {
                text: event.text.to_owned(),
                segments: event.segments,
                action: Some(verdict.action),
                typology: verdict.typology.filter(|_| verdict.action != Action::Allow),
                score: if judgement.fired.is_empty() { 0 } else { verdict.score },
                rules: judgement
                    .effective()
                    .map(|fired| pack.pack().rule_id(fired.rule).to_owned())
                    .collect(),
            };
        }
        drop(seen);
        then(Judged { judgement: &judgement, pack: pack.pack() });
        Ok(())
    }
}

impl std::fmt::Debug for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Witness").finish_non_exhaustive()
    }
}
