//! What is counted, for `/metrics`.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use std::time::Duration;
use yumen_exchange::check::Defect;

/// Why a message was refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Reason {
    /// [`Defect::code`].
    reason: &'static str,
}

/// What came of an appeal: `opened`, `upheld`, `rejected`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Came {
    /// The word for it.
    outcome: &'static str,
}

/// The hub's counters.
#[derive(Debug)]
pub struct Metrics {
    /// Sightings committed.
    pub sightings: Counter,
    /// Sightings that were there already.
    pub duplicates: Counter,
    /// Messages refused, by reason.
    pub refusals: Family<Reason, Counter>,
    /// Transactions.
    pub commits: Counter,
    /// Transactions that failed and were tried again.
    pub commit_failures: Counter,
    /// How long a transaction took, in seconds.
    pub commit_seconds: Histogram,
    /// Connections to the broker that were lost or not to be had.
    pub session_failures: Counter,
    /// Live streams open.
    pub streams: Gauge,
    /// Clues that wait for a decision.
    pub clues: Gauge,
    /// Appeals that wait for an answer.
    pub appeals: Gauge,
    /// Of these, those that wait too long.
    pub appeals_overdue: Gauge,
    /// Appeals that became overdue.
    pub escalations: Counter,
    /// Appeals, by what came of them.
    pub appeal_outcomes: Family<Came, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            sightings: Counter::default(),
            duplicates: Counter::default(),
            refusals: Family::default(),
            commits: Counter::default(),
            commit_failures: Counter::default(),
            commit_seconds: Histogram::new(exponential_buckets(0.001, 2.0, 12)),
            session_failures: Counter::default(),
            streams: Gauge::default(),
            clues: Gauge::default(),
            appeals: Gauge::default(),
            appeals_overdue: Gauge::default(),
            escalations: Counter::default(),
            appeal_outcomes: Family::default(),
        }
    }
}

impl Metrics {
    /// Makes all of them known.
    pub fn register(&self, registry: &mut Registry) {
        let hub = registry.sub_registry_with_prefix("yumen_hub");
        hub.register("sightings", "Sightings committed", self.sightings.clone());
        hub.register("duplicates", "Sightings that were there already", self.duplicates.clone());
        hub.register("refusals", "Messages refused", self.refusals.clone());
        hub.register("commits", "Transactions", self.commits.clone());
        hub.register(
            "commit_failures",
            "Transactions that failed and were tried again",
            self.commit_failures.clone(),
        );
        hub.register("commit_seconds", "Duration of a transaction", self.commit_seconds.clone());
        hub.register(
            "session_failures",
            "Connections to the broker lost or not to be had",
            self.session_failures.clone(),
        );
        hub.register("streams", "Live streams open", self.streams.clone());
        hub.register("clues", "Clues that wait for a decision", self.clues.clone());
        hub.register("appeals", "Appeals that wait for an answer", self.appeals.clone());
        hub.register("appeals_overdue", "Appeals that wait too long", self.appeals_overdue.clone());
        hub.register("appeal_escalations", "Appeals that became overdue", self.escalations.clone());
        hub.register("appeal_outcomes", "Appeals opened and answered", self.appeal_outcomes.clone());
    }

    pub(crate) fn committed(&self, new: usize, duplicates: usize, took: Duration) {
        self.sightings.inc_by(new as u64);
        self.duplicates.inc_by(duplicates as u64);
        self.commits.inc();
        self.commit_seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn appeal(&self, came: &'static str) {
        self.appeal_outcomes.get_or_create(&Came { outcome: came }).inc();
    }

    pub(crate) fn refused(&self, defect: Defect) {
        self.refusals.get_or_create(&Reason { reason: defect.code() }).inc();
    }
}
