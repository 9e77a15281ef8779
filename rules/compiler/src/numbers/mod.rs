//! Number lists: CSV → the file that gateways map ([`yumen_rules::numbers`]), in bounded memory.
//!
//! ```text
//! lines → number, score, typology (source) → runs of sorted keys on disk (sort) → merged → blocks (write) → index → signature
//!       └ prefixes and ranges → laid flat (ranges) ──────────────────────────────────────────┘
//! ```

mod build;
mod compare;
mod ranges;
mod sort;
mod source;
mod write;

pub use build::{Duplicates, NumbersBuildError, NumbersOptions, Summary, build};
pub use compare::{Change, changes};
pub use source::{LineDefect, LineError};
pub use write::{WriteError, Writer};

use yumen_rules::numbers::{Listed, PALETTE_LEN};

/// What a number stands for while the palette isn't made yet: a palette's record.
pub(crate) type Raw = u16;

fn raw(listed: Listed) -> Raw {
    Raw::from_le_bytes(listed.to_wire())
}

fn listed(raw: Raw) -> Option<Listed> {
    let record: [u8; PALETTE_LEN] = raw.to_le_bytes();
    Listed::from_wire(record)
}

#[cfg(test)]
mod tests;
