//! From a message to what is done with it, whatever door it came through.
//!
//! ```text
//! Message → (reassembly: the text so far) → text → Event → Judge → Judgement → thresholds → Verdict
//!                                                                    enforce → Ruling ┘  └→ Reporter (spool)
//! ```
//!
//! Everything here runs on the connection's own task, and nothing waits: a message that passes without a report allocates
//! nothing and takes no lock but those of the behaviour counters' shards, unless it has several parts. A report is in the spool before its sender is answered.

mod ask;
mod gate;

pub use ask::{Asked, Decision};
pub use gate::Gate;

use crate::behaviour::Behaviour;
use crate::reassembly::Table;
use std::sync::Arc;
use yumen_rules::engine::{JudgeError, Judgement};
use yumen_rules::pack::Pack;
use yumen_rules::policy::Verdict;
use yumen_rules::verdict::{Action, Typology};
use yumen_wire::event::Event;

/// Judges events with the pack that is loaded. A swap of the pack is the implementation's part: an event is judged by
/// the old pack or by the new one, never by none.
pub trait Judge: Send + Sync {
    /// Hands the judgement of `event` to `then`, once.
    ///
    /// # Errors
    /// [`Unjudged`]; `then` isn't called then.
    fn judge(&self, event: &Event<'_>, then: &mut dyn FnMut(Judged<'_>)) -> Result<(), Unjudged>;
}

/// What was decided about a call attempt, before the listener's policy made a ruling of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallVerdict {
    /// What the thresholds ask for.
    pub action: Action,
    /// Combined score, 0 to 100.
    pub score: u8,
    /// The typology that decided, where a rule held.
    pub typology: Option<Typology>,
    /// Serial of the pack that it was judged by.
    pub pack_serial: u64,
}

/// A judgement, with the pack it was made by.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// What held.
    pub judgement: &'a Judgement<'a>,
    /// The pack.
    pub pack: Pack<'a>,
}

/// Why there is no judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unjudged {
    /// No pack is loaded.
    NoPack,
    /// The engine failed.
    Engine(JudgeError),
}

/// One hit, as it is reported.
#[derive(Clone, Copy, Debug)]
pub struct Hit<'a> {
    /// The listener's name.
    pub listener: &'a str,
    /// What was judged: for a part of a message, the text so far.
    pub event: &'a Event<'a>,
    /// What held.
    pub judgement: &'a Judgement<'a>,
    /// What the thresholds made of it.
    pub verdict: &'a Verdict,
    /// What was done in the end: the listener's policy may be milder than the verdict. [`Action::Allow`] is a shadow hit.
    pub action: Action,
    /// The pack it was judged by.
    pub pack: Pack<'a>,
    /// What was given out for an appeal; none where the door gives out nothing.
    pub appeal: Option<&'a str>,
}

/// Takes hits.
pub trait Reporter: Send + Sync {
    /// Makes a hit durable before it returns: the blocked sender is answered after that. It must not wait for a sync or
    /// for the network.
    ///
    /// # Errors
    /// [`ReportLost`] where there was no room, or no disk. The message is decided all the same.
    fn report(&self, hit: &Hit<'_>) -> Result<(), ReportLost>;
}

/// A hit could not be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the spool did not take the sighting")]
pub struct ReportLost;

/// Numbers that a pipeline counts for by itself.
const BEHAVIOUR_NUMBERS_ALONE: usize = 1024;

/// What all listeners share.
pub struct Pipeline {
    judge: Arc<dyn Judge>,
    reporter: Arc<dyn Reporter>,
    table: Table,
    behaviour: Arc<Behaviour>,
}

impl Pipeline {
    /// A pipeline that judges by `judge` and reports to `reporter`.
    #[must_use]
    pub fn new(judge: Arc<dyn Judge>, reporter: Arc<dyn Reporter>, table: Table) -> Self {
        // Small: whoever serves more than a test gives its own.
        let behaviour = Arc::new(Behaviour::new(BEHAVIOUR_NUMBERS_ALONE));
        Self { judge, reporter, table, behaviour }
    }

    /// With the behaviour that `judge` asks too.
    #[must_use]
    pub fn with_behaviour(self, behaviour: Arc<Behaviour>) -> Self {
        Self { behaviour, ..self }
    }

    /// How numbers have been behaving: every door counts here.
    #[must_use]
    pub const fn behaviour(&self) -> &Arc<Behaviour> {
        &self.behaviour
    }

    /// The table of multi-part messages.
    #[must_use]
    pub const fn table(&self) -> &Table {
        &self.table
    }
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").field("table", &self.table).finish_non_exhaustive()
    }
}
