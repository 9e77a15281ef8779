//! Other platforms: what the hub gives them, and what it takes from them.
//!
//! ```text
//! known, shared (store) → entries → STIX objects ─┬→ TAXII 2.1 collections, bundles
//!                                 → MISP events ──┼→ a feed (manifest.json, hashes.csv, an event a file)
//!                                 → lines ────────┴→ CSV
//! STIX, MISP, CSV → candidates → known good? → clues (an analyst decides)
//! ```
//!
//! Nothing here has a member's name, a person's number or pseudonym, or a text: what leaves is an indicator, its practice,
//! counts and times.

mod accept;
mod candidates;
mod csv;
mod export;
mod known_good;
mod misp;
mod objects;
mod pattern;
mod rate;
mod read;
mod stix;
mod taxii;

pub use candidates::{Candidate, ImportError, Parsed, Skipped, import};
pub(crate) use export::new_clues;
pub use export::{Collection, write, write_misp};
pub use known_good::KnownGood;
pub use rate::Rate;
pub use read::Format;
pub use stix::Stix;

pub(crate) use export::routes as export_routes;
pub(crate) use taxii::{BASE as TAXII_BASE, routes as taxii_routes};

use crate::config;

/// What the hub is for other platforms.
#[derive(Debug)]
pub struct Platforms {
    /// Makes STIX objects.
    pub stix: Stix,
    /// How often a caller may ask.
    pub rate: Rate,
}

impl Platforms {
    /// As the configuration has it.
    #[must_use]
    pub fn new(options: &config::Platforms) -> Self {
        Self { stix: Stix::new(&options.identity), rate: Rate::default() }
    }
}
