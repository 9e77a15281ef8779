//! The sharing hub, its first room: sightings come in over MQTT, stand in a database once each, and can be looked at.
//!
//! ```text
//! broker (embedded or external) → ingest → store ← sightings, agents (logic) ← api (JSON, SSE), console (pages)
//! ```

pub mod agents;
pub mod api;
pub mod bench;
pub mod broker;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
pub mod decay;
pub mod duty;
pub mod hub;
pub mod ingest;
pub mod limits;
pub mod metrics;
pub mod share;
pub mod sightings;
pub mod store;
pub mod titles;
