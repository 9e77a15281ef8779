//! Packets of an interface, as they pass: `yumen tap`. Nothing is enforced, and nothing is sent.
//!
//! ```text
//! AF_PACKET socket (the system drops what isn't read in time, and counts it) → yumen_capture → Replay → rows
//! ```

mod socket;

pub use socket::{Arrival, Dropped, Tap, TapError};
