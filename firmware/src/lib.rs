//! The guard on a modem: a board between a GSM or LTE modem and the telephone side.
//!
//! ```text
//! modem (UART) → lines → at (what a line says) → Device: message or call → Guard (pack, automaton) → verdict
//!      ▲                                            │ honest: the bytes as they came → telephone (UART)
//!      └── acknowledgement, deletion, hang-up ◄─────┘ bad: nothing → telephone; a report → link (UART)
//! ```
//!
//! Everything here is sans-IO: bytes and the time go in, bytes come out through [`Wires`]. The host tests it, and a board brings
//! three UARTs and a clock (`src/board/`). Nothing allocates; every table has its size in [`limits`].
#![no_std]
#![forbid(unsafe_code)]

pub mod at;
pub mod device;
pub mod guard;
pub mod limits;
pub mod lines;
pub mod link;
pub mod pack;
mod parts;
mod setup;

pub use device::{Device, Wires};
pub use guard::{Guard, Storage, Verdict};
