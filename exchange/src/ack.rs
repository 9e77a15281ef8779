//! The end-to-end acknowledgement: which sightings stand in the hub's database, or never will.
//!
//! A PUBACK only says that the broker took a message. A broker that keeps its messages in memory (the embedded one
//! does) forgets them when it is killed, so an agent that follows a hub deletes a sighting from its spool only when
//! an [`Ack`] on `…/ack` names it, and publishes it again when none comes. An acknowledgement that is lost does no
//! harm: the sighting comes again, the hub drops it by its id, and acknowledges it again.
//!
//! The type is not part of a CloudEvent: it is transport, as a PUBACK is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use crate::limits::{ACK_BYTES_MAX, ACK_IDS_MAX};

/// What the hub did with sightings of one agent. At most [`ACK_IDS_MAX`] ids in both lists together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ack {
    /// Committed, now or before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub committed: Vec<Uuid>,
    /// Refused for good: sending them again can't help.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refusal>,
}

/// A sighting that the hub will never take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// The sighting's id.
    #[schemars(with = "String")]
    pub id: Uuid,
    /// [`Defect::code`](crate::check::Defect::code).
    pub reason: String,
}

impl Ack {
    /// How many sightings it names.
    #[must_use]
    pub fn len(&self) -> usize {
        self.committed.len() + self.refused.len()
    }

    /// Whether it names none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
