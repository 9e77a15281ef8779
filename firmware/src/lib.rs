//! The guard on a modem: a board between a GSM or LTE modem and the telephone side.
//!
//! ```text
//! modem (UART) → lines → at (what a line says) → Device: message or call → Guard (pack, automaton) → verdict
//!      ▲                                            │ honest: the bytes as they came → telephone (UART)
//!      └── acknowledgement, deletion, hang-up ◄─────┘ bad: nothing → telephone; a sighting → ring (flash) → link (UART)
//! ```
//!
//! Everything here is sans-IO: bytes and the time go in, bytes come out through [`Wires`]. The host tests it, and a board brings
//! three UARTs, a clock and its flash ([`Board`], `src/board/`). Nothing allocates; every table has its size in [`limits`].
#![no_std]
#![forbid(unsafe_code)]

pub mod at;
mod behaviour;
mod board;
pub mod clock;
pub mod console;
pub mod crash;
pub mod device;
pub mod guard;
pub mod limits;
pub mod lines;
pub mod listed;
pub mod pack;
mod parts;
mod setup;
mod sighting;
mod start;
mod uplink;

pub use board::{Board, Start};
pub use device::{Device, Wires};
pub use guard::{Guard, Loaded, Storage, Verdict};
pub use listed::Listed;
pub use pack::Trust;
pub use sighting::See;
pub use start::{Started, start};
pub use yumen_storage as storage;
