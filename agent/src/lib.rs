//! The gateway daemon.
//!
//! ```text
//! socket → doors (sans-IO sessions) → pipeline (Event → Verdict) → enforce (Permit or the protocol's own answer)
//!                                         └→ report (Sighting) → spool → mqtt → hub
//! ```

pub mod clock;
pub mod config;
