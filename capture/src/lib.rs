//! Captured packets → messages and call attempts.
//!
//! ```text
//! file or interface → Packet → link → IP (fragments) → UDP | TCP (streams) | SCTP (chunks → SCCP segments) → Item
//! ```
//!
//! Whatever a packet holds, nothing here fails: what can't be read is counted and passed over. Memory is bounded by
//! [`limits`], the oldest goes first. Time is that of the packets.

#![forbid(unsafe_code)]

mod dissect;
mod fields;
mod fragments;
pub mod limits;
mod link;
mod reader;
mod recent;
mod sctp;
mod ss7;
mod stream;
mod tcp;

pub use dissect::{Counters, Dissector};
pub use fields::fields;
pub use reader::{Packet, ReadError, Reader};
pub use stream::{Piece, Stream};

use std::net::SocketAddr;

/// Something a protocol says, whole.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// Number of the packet that completed it, from 1.
    pub frame: u64,
    /// When that packet was captured, microseconds since the Unix epoch.
    pub time_us: u64,
    /// Who sent it.
    pub source: SocketAddr,
    /// Who it was sent to.
    pub destination: SocketAddr,
    /// What it says.
    pub payload: Payload<'a>,
}

/// What an [`Item`] says.
#[derive(Clone, Copy, Debug)]
pub enum Payload<'a> {
    /// One SMPP PDU.
    Smpp(&'a [u8]),
    /// One CMPP PDU.
    Cmpp(&'a [u8]),
    /// One SMGP PDU.
    Smgp(&'a [u8]),
    /// One SGIP PDU.
    Sgip(&'a [u8]),
    /// One SIP message, its body included.
    Sip(&'a [u8]),
    /// One TCAP message, its SCCP segments put together.
    Tcap(&'a [u8]),
}
