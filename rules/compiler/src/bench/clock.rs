//! The processor's time of this thread.

use rustix::time::{ClockId, clock_gettime};

/// A moment of it.
#[derive(Clone, Copy, Debug)]
pub struct CpuClock(f64);

impl CpuClock {
    /// This moment.
    #[must_use]
    pub fn now() -> Self {
        let now = clock_gettime(ClockId::ThreadCPUTime);
        Self(now.tv_sec as f64 * 1e9 + now.tv_nsec as f64)
    }

    /// Nanoseconds since then.
    #[must_use]
    pub fn elapsed_ns(self) -> f64 {
        Self::now().0 - self.0
    }
}
