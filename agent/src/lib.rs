//! The gateway daemon.
//!
//! ```text
//! socket → doors (sans-IO sessions) → pipeline (Event → Verdict) → enforce (Permit or the protocol's own answer)
//!                                         └→ report (Sighting) → spool → mqtt → hub
//! ```

pub mod api;
pub mod behaviour;
pub mod bench;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod doors;
pub mod enforce;
pub mod enrol;
pub mod http;
pub mod identity;
pub mod limits;
pub mod metrics;
pub mod mqtt;
pub mod numbers;
pub mod packs;
pub mod pipeline;
pub mod pseudonym;
pub mod reassembly;
pub mod replay;
pub mod report;
mod serial;
pub mod shared;
pub mod spool;
pub mod stir;
pub mod tap;
pub mod telemetry;
pub mod text;
