//! How numbers have been behaving, as this agent has seen it: what every door feeds, and what conditions ask.

pub use yumen_behaviour::{Behaviour, CallOutcome};
