//! How numbers have been behaving, as this agent has seen it: what every door feeds, and what conditions ask.
//!
//! ```text
//! doors → Behaviour (counters) ⇄ snapshot on disk (keep)
//!             ⇅ deltas, asynchronously (share) ⇄ Redis ⇄ the other gateways of the site
//! ```

pub mod keep;
pub mod share;

pub use yumen_behaviour::{Behaviour, CallOutcome};
