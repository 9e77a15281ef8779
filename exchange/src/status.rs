//! What an agent says of itself: retained at `…/status`, with the same shape as its last will.

use crate::sighting::PackRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::limits::REFUSED_MAX;

/// An agent's state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// False in the last will and after a clean stop.
    pub online: bool,
    /// Milliseconds since the Unix epoch when this was written.
    pub time_ms: u64,
    /// When the connection began that this is said on, likewise: a status of an earlier connection that comes again is
    /// told from the present one by it. 0 from an agent that doesn't say.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub session_ms: u64,
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
    /// Packs and retractions that were refused since start, by reason; at most [`REFUSED_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refused>,
}

/// What an agent refused of what was to come from the hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refused {
    /// `pack` or `retractions`.
    pub what: String,
    /// `bad-signature`, `foreign-key`, `older`, `expired`, `damaged`, …
    pub reason: String,
    /// How often since start.
    pub count: u64,
    /// The last time, in milliseconds since the Unix epoch.
    pub last_ms: u64,
}

impl Status {
    /// Whether this may follow `last`. One of an earlier connection, or of an earlier moment, is an old one that somebody
    /// says again; a last will is written when its connection begins, and may follow anything said on that connection.
    #[must_use]
    pub const fn may_follow(&self, last: &Self) -> bool {
        self.session_ms > last.session_ms
            || (self.session_ms == last.session_ms && (!self.online || self.time_ms >= last.time_ms))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
const fn is_zero(value: &u64) -> bool {
    *value == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_status_does_not_follow_a_newer_one() {
        let status = |online, session_ms, time_ms| Status {
            online,
            time_ms,
            session_ms,
            version: String::new(),
            pack: None,
            spool_records: 0,
            spool_dropped: 0,
            judged: 0,
            blocked: 0,
            refused: Vec::new(),
        };
        let last = status(true, 100, 150);
        assert!(
            status(true, 100, 150).may_follow(&last),
            "the retained one comes again to a hub that was away"
        );
        assert!(status(true, 100, 151).may_follow(&last) && !status(true, 100, 149).may_follow(&last));
        assert!(status(false, 100, 100).may_follow(&last), "the last will of this connection");
        assert!(!status(false, 50, 50).may_follow(&last), "the last will of an earlier one");
        assert!(status(true, 200, 200).may_follow(&status(false, 100, 100)));
        assert!(!status(true, 100, 150).may_follow(&status(false, 200, 200)));
    }
}
