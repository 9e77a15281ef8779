//! How often a caller may ask: a collection of a million objects is read in a thousand pages, and not in ten thousand.

use crate::limits::{PLATFORM_CALLERS_MAX, PLATFORM_REQUESTS_MAX};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

const WINDOW_MS: u64 = 60_000;

/// Requests by caller in the running minute.
#[derive(Debug, Default)]
pub struct Rate(Mutex<HashMap<String, (u64, u32)>>);

impl Rate {
    /// Whether this caller may ask once more now; otherwise in how many seconds.
    ///
    /// # Errors
    /// Seconds to wait.
    pub fn admits(&self, caller: &str, now_ms: u64) -> Result<(), u64> {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.len() >= PLATFORM_CALLERS_MAX && !asked.contains_key(caller) {
            asked.retain(|_, (since_ms, _)| now_ms.saturating_sub(*since_ms) < WINDOW_MS);
            if asked.len() >= PLATFORM_CALLERS_MAX {
                return Err(WINDOW_MS / 1000);
            }
        }
        let (since_ms, count) = asked.entry(caller.to_owned()).or_insert((now_ms, 0));
        if now_ms.saturating_sub(*since_ms) >= WINDOW_MS {
            (*since_ms, *count) = (now_ms, 0);
        }
        *count = count.saturating_add(1);
        if *count <= PLATFORM_REQUESTS_MAX {
            return Ok(());
        }
        Err(since_ms.saturating_add(WINDOW_MS).saturating_sub(now_ms).div_ceil(1000).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_may_ask_so_often_a_minute_and_others_are_not_held_up() {
        let rate = Rate::default();
        assert!((0..PLATFORM_REQUESTS_MAX).all(|_| rate.admits("a", 1_000).is_ok()));
        assert_eq!(rate.admits("a", 31_000), Err(30));
        assert_eq!(rate.admits("b", 31_000), Ok(()));
        assert_eq!(rate.admits("a", 61_000), Ok(()));
    }
}
