//! What is kept of a number with more attempts than a slot holds: counts in time buckets, and a sketch of its peers.
//!
//! Buckets stand on seven levels, each four times as wide as the one before, 16 a level. A window is answered from the
//! finest level that covers it, by all buckets that touch it: the answer holds everything in the window and at most what
//! one bucket's width lies before it, [`width_for`] seconds: at most 4/15 of the window, or 2 s.

use super::entry::{Entry, State};

/// Levels.
pub const LEVELS: usize = 7;
/// Buckets of a level.
pub const LEVEL_BUCKETS: usize = 16;
/// Cells of the sketch of peers.
pub const CELLS: usize = 256;

/// Counts of one stretch of time. Saturating: never above the truth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Bucket {
    /// Which stretch: its time divided by the level's width, and 1; 0 where empty.
    pub stamp: u32,
    /// By [`Counter`].
    pub counts: [u16; COUNTERS],
}

/// What a bucket counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Counter {
    /// Attempts and messages.
    Attempts = 0,
    /// Answered.
    Answered = 1,
    /// Cancelled or failed.
    Unanswered = 2,
    /// Answered and over within a few seconds.
    Short = 3,
    /// Answered and over.
    Ended = 4,
    /// One-time passwords; of calls, attempts of callers for whom nobody vouches.
    Marked = 5,
    /// Attempts of callers whose number was verified.
    Verified = 6,
    /// Attempts of callers whose number failed its check.
    FailedCheck = 7,
    /// Attempts of virtual operators' numbers.
    Virtual = 8,
    /// Refused here.
    Blocked = 9,
}

/// How many there are.
pub const COUNTERS: usize = 10;

/// Time buckets of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Busy {
    /// Whose; 0 where free.
    pub key: u64,
    /// When something last happened, in seconds since the Unix epoch.
    pub last_s: u32,
    /// 0.
    pub reserved: u32,
    /// Level by level.
    pub buckets: [[Bucket; LEVEL_BUCKETS]; LEVELS],
    /// When a peer of each cell was last seen; 0 for never.
    pub cells: [u32; CELLS],
}

/// Width of a level's buckets in seconds.
const fn width(level: usize) -> u32 {
    2 << (2 * level)
}

/// The finest level that covers a window.
fn level_for(window_s: u32) -> usize {
    let covers = |&level: &usize| u64::from(width(level)) * (LEVEL_BUCKETS as u64 - 1) >= u64::from(window_s);
    (0..LEVELS).find(covers).unwrap_or(LEVELS - 1)
}

/// How far, in seconds, an answer about a window may reach beyond it.
#[must_use]
pub fn width_for(window_s: u32) -> u32 {
    width(level_for(window_s))
}

impl Busy {
    /// Free.
    pub const FREE: Self = Self {
        key: 0,
        last_s: 0,
        reserved: 0,
        buckets: [[Bucket { stamp: 0, counts: [0; COUNTERS] }; LEVEL_BUCKETS]; LEVELS],
        cells: [0; CELLS],
    };

    /// Counts something at a time. Of two stretches that share a bucket, the one nearer to now keeps it: what comes late
    /// doesn't drive out what is new, and what lies ahead after a clock was set back doesn't keep its place.
    pub fn add(&mut self, time_s: u32, counts: &[(Counter, u16)], now_s: u32) {
        if counts.iter().all(|(_, count)| *count == 0) {
            return;
        }
        for (level, buckets) in self.buckets.iter_mut().enumerate() {
            let stamp = time_s / width(level) + 1;
            let Some(bucket) = buckets.get_mut(stamp as usize % LEVEL_BUCKETS) else { continue };
            if bucket.stamp != stamp {
                let now = now_s / width(level) + 1;
                if bucket.stamp != 0 && bucket.stamp.abs_diff(now) < stamp.abs_diff(now) {
                    continue;
                }
                *bucket = Bucket { stamp, ..Bucket::default() };
            }
            for &(counter, count) in counts {
                if let Some(place) = bucket.counts.get_mut(counter as usize) {
                    *place = place.saturating_add(count);
                }
            }
        }
    }

    /// Counts an attempt, and what is known of its outcome.
    pub fn push(&mut self, entry: Entry, peer_hash: u64, now_s: u32) {
        if entry.time_s.abs_diff(now_s) <= self.last_s.abs_diff(now_s) {
            self.last_s = entry.time_s;
        }
        let one = |is: bool| u16::from(is);
        self.add(
            entry.time_s,
            &[
                (Counter::Attempts, 1),
                (Counter::Marked, one(entry.otp() || entry.unvouched())),
                (Counter::Verified, one(entry.verified())),
                (Counter::FailedCheck, one(entry.failed_check())),
                (Counter::Virtual, one(entry.virtual_operator())),
            ],
            now_s,
        );
        self.settle(entry.time_s, State::Pending, entry, now_s);
        self.see(entry.time_s, peer_hash, now_s);
    }

    /// Counts that an attempt went from a state to the one it has now.
    pub fn settle(&mut self, time_s: u32, from: State, entry: Entry, now_s: u32) {
        let state = entry.state();
        let one = |is: bool| u16::from(is);
        let newly = |is: bool, was: bool| one(is && !was);
        self.add(
            time_s,
            &[
                (Counter::Answered, newly(state.is_answered(), from.is_answered())),
                (Counter::Unanswered, newly(state.is_unanswered(), from.is_unanswered())),
                (Counter::Short, newly(state == State::Short, from == State::Short)),
                (Counter::Ended, one(matches!(state, State::Ended | State::Short))),
                (Counter::Blocked, newly(state == State::Blocked, from == State::Blocked)),
            ],
            now_s,
        );
    }

    fn see(&mut self, time_s: u32, peer_hash: u64, now_s: u32) {
        let at = usize::try_from(peer_hash % CELLS as u64).unwrap_or(0);
        if let Some(cell) = self.cells.get_mut(at)
            && (*cell == 0 || time_s.abs_diff(now_s) <= cell.abs_diff(now_s))
        {
            *cell = time_s;
        }
    }

    /// A counter over a window, and at most [`width_for`] before it.
    #[must_use]
    pub fn sum(&self, counter: Counter, now_s: u32, window_s: u32) -> u32 {
        let level = level_for(window_s);
        let width = width(level);
        let first = now_s.saturating_sub(window_s.saturating_sub(1)) / width + 1;
        let last = now_s.saturating_add(window_s.saturating_sub(1)) / width + 1;
        let Some(buckets) = self.buckets.get(level) else { return 0 };
        let counted = buckets.iter().filter(|bucket| (first..=last).contains(&bucket.stamp));
        counted.map(|bucket| u32::from(bucket.counts.get(counter as usize).copied().unwrap_or(0))).sum()
    }

    /// Different peers in a window, by linear counting, less three standard errors and not less than the cells seen:
    /// above the truth in about one of 700 cases, saturating at about a thousand.
    #[must_use]
    pub fn distinct(&self, now_s: u32, window_s: u32) -> u32 {
        let seen = |&&cell: &&u32| cell != 0 && cell.abs_diff(now_s) < window_s;
        let cells = self.cells.iter().filter(seen).count();
        super::sketch::peers(cells)
    }
}
