//! What agents and the hub say to each other. Every type here is a wire format: a change of meaning is a new
//! version of its `type` or `dataschema`, never an edit. The JSON of each stands in `tests/golden/`.
//!
//! ```text
//! agent: Hit → Envelope → spool → sighting ──MQTT──→ hub: check → commit ──→ ack ──MQTT──→ agent: delete
//! agent: Status (retained, last will)      ──MQTT──→ hub
//! ```

pub mod ack;
pub mod asyncapi;
pub mod check;
pub mod enrol;
pub mod limits;
pub mod retract;
pub mod rollout;
pub mod seal;
pub mod sighting;
pub mod status;
pub mod time;
pub mod topic;
