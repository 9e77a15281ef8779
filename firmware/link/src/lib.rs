//! What a device and an agent say to each other over a serial line.
//!
//! ```text
//! message (postcard) → Endpoint: sequence number, CRC, COBS → line → Endpoint of the other side → accepted → acknowledged
//! ```
//!
//! Each side sends one message at a time and repeats it until the other acknowledges it; the other does so when it has taken care of
//! it (an agent: when its spool has the sighting), and not before. Sans-IO and without an allocator: the board, the agent and
//! the tests run this same code.
#![no_std]
#![forbid(unsafe_code)]

mod endpoint;
mod frame;
pub mod limits;
mod message;

pub use endpoint::{Endpoint, Event, SendError};
pub use frame::{FRAME_BYTES_MAX, Frames, MESSAGE_BYTES_MAX};
pub use message::{
    Cause, Contact, Counters, Down, Fault, Hello, Kind, Outcome, PROTOCOL, RuleHit, Sighting, Up, Update,
    from_bytes, to_bytes,
};
