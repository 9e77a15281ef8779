//! What an agent says of itself: retained at `…/status`, with the same shape as its last will.

use crate::sighting::PackRef;
use serde::{Deserialize, Serialize};

/// An agent's state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// False in the last will and after a clean stop.
    pub online: bool,
    /// Milliseconds since the Unix epoch when this was written.
    pub time_ms: u64,
    /// The program's version.
    pub version: String,
    /// The active pack; none while the agent runs without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack: Option<PackRef>,
    /// Sightings in the spool that the broker hasn't acknowledged.
    pub spool_records: u64,
    /// Sightings dropped since start because the spool was full.
    pub spool_dropped: u64,
    /// Messages judged since start.
    pub judged: u64,
    /// Messages blocked since start.
    pub blocked: u64,
}
