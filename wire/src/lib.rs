//! Bytes → views → [`Event`](event::Event).
//!
//! # The panic contract
//! Nothing in this crate allocates, blocks, reads a clock, or panics, on any input. A view is made by
//! `new_checked`, which proves that its fixed part lies inside the frame; accessors of a checked view are total.
//! Whatever is wrong with bytes from outside comes back as an error that names the defect.
//!
//! Every protocol has the same verbs: [`frame`] finds the length of the next PDU in a byte stream, `new_checked`
//! makes a view of one PDU, `parse` makes a value of a view, `emit` writes a value back. What parses is emitted
//! byte for byte as it came. `MessageView` is the short way for a gateway: one pass over a PDU that carries
//! text, the same fields for every protocol, no more of the frame touched than needed.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub mod address;
pub mod cmpp;
pub mod emit;
pub mod error;
pub mod event;
pub mod frame;
pub mod limits;
mod octets;
pub mod sgip;
pub mod sigtran;
pub mod sip;
pub mod smgp;
pub mod smpp;
pub mod text;
pub mod tpdu;
pub mod udh;
