//! How numbers have been behaving, as this agent has seen it: what every door feeds, and what conditions ask.
//!
//! ```text
//! door → attempt(Event) → [judge: caller.attempts("10m") > 60] → outcome(answered, ended, …)
//!             └──────────────── windows (rules/behave) ─────────────────┘
//! ```

use yumen_rules::behave::{self, Query};
use yumen_wire::event::Event;

/// How a call attempt went on. A door tells as many of these as it learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// Somebody picked up.
    Answered {
        /// How long it rang.
        ring_ms: u64,
    },
    /// An answered call is over.
    Ended {
        /// How long they talked.
        duration_ms: u64,
    },
    /// The caller gave up before anybody picked up.
    Cancelled {
        /// How long it rang.
        ring_ms: u64,
    },
    /// Busy, no answer, unreachable.
    Failed,
    /// Yumen, or the policy of its site, refused it.
    Blocked,
}

/// How numbers have been behaving.
#[derive(Debug, Default)]
pub struct Behaviour {}

impl Behaviour {
    /// Counts a message or a call attempt. Before it is judged, so that the measures include it; once for each.
    pub fn attempt(&self, _event: &Event<'_>) {}

    /// Learns how a call went on. `caller` and `callee` as in the event's addresses, `time_ms` since the Unix epoch.
    pub fn outcome(&self, _caller: &str, _callee: &str, _outcome: CallOutcome, _time_ms: u64) {}
}

impl behave::Behaviour for Behaviour {
    fn measure(&self, event: &Event<'_>, query: Query) -> i64 {
        behave::Unobserved.measure(event, query)
    }
}
