//! What a device keeps in NOR flash so that no power cut loses it.
//!
//! ```text
//! bootloader: State → Pair::boot (image) → jump          program: State → Pair::boot (pack) → Guard
//! update: begin → write … → finish (verified) → trial → confirm, or the other slot again
//! sighting → ring → link → acknowledged → popped
//! ```
//!
//! Everything here works on any [`Flash`]: a board's, QEMU's, or the simulation of the tests, which cuts the power in the middle
//! of words and of erasures. What is kept twice is chosen between by one record ([`State`]), and a slot counts for nothing before
//! its signature was verified: a power cut leaves the old one or the new one in use, and never neither.
//!
//! Records are kept in journals (`journal.rs` says how, and why not by a crate).
#![no_std]
#![forbid(unsafe_code)]

pub mod image;
mod journal;
pub mod layout;
mod pair;
pub mod ring;
pub mod signature;
mod state;
mod store;

pub use embedded_storage::nor_flash;
pub use layout::Regions;
pub use pair::{Chosen, Pair, Slot, TRIES};
pub use ring::{Pushed, Ring};
pub use state::{STATE_BYTES, State};
pub use store::{Check, Kind, Store, StoreError, UpdateError};

use core::ops::Range;
use embedded_storage::nor_flash::MultiwriteNorFlash;

/// Flash that is read where it lies, and in whose words more bits may be cleared later (as in an STM32F4's, and in NOR chips).
pub trait Flash: MultiwriteNorFlash {
    /// What lies there; empty where the range leads out of the flash.
    fn bytes(&self, range: Range<u32>) -> &[u8];
}

impl<F: Flash> Flash for &mut F {
    fn bytes(&self, range: Range<u32>) -> &[u8] {
        F::bytes(self, range)
    }
}
