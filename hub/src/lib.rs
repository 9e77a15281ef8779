//! The sharing hub, its first room: sightings come in over MQTT, stand in a database once each, and can be looked at.
//!
//! ```text
//! broker (embedded or external) → ingest → store ← sightings, agents (logic) ← api (JSON, SSE), console (pages)
//! ```

pub mod accounts;
pub mod agents;
pub mod api;
pub mod appeals;
pub mod audit;
pub mod bench;
pub mod broker;
pub mod ca;
pub mod cli;
pub mod clock;
pub mod clues;
pub mod complaints;
pub mod config;
pub mod console;
pub mod decay;
pub mod drafting;
pub mod duty;
pub mod enrol;
pub mod hub;
pub mod ingest;
pub mod limits;
pub mod metrics;
pub mod platforms;
pub mod rulebook;
pub mod secret;
pub mod share;
pub mod sightings;
pub mod store;
pub mod titles;
pub mod trust;
