//! The one place of the agent that reads the wall clock. Everything else takes time as an argument.

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since the Unix epoch, UTC; 0 if the clock stands before it.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn now_us() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}

/// Milliseconds since the Unix epoch, UTC; 0 if the clock stands before it.
#[must_use]
pub fn now_ms() -> u64 {
    now_us() / 1000
}

/// Seconds since the Unix epoch, UTC.
#[must_use]
pub fn now_s() -> u64 {
    now_ms() / 1000
}
