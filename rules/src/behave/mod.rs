//! How numbers have been behaving: what a condition such as `caller.attempts("10m") > 60` asks.
//!
//! ```text
//! Event ──► observe (attempt, outcome) ──► windows ──► Behaviour::measure ──► condition
//! ```
//!
//! The engine only asks; who counts, and in what storage, is the caller's.

mod busy;
mod entry;
mod key;
mod sketch;
mod slot;
mod table;

use yumen_wire::event::Event;

pub use busy::{Bucket, Busy, CELLS, COUNTERS, Counter, LEVEL_BUCKETS, LEVELS, width_for};
pub use entry::{Entry, Marks, State};
pub use key::{Keys, Party, is_softswitch, is_unvouched, marks, mix};
pub use slot::{SLOT_ENTRIES, Slot};
pub use table::{Room, Table, WAYS};

/// Shortest window, in seconds.
pub const WINDOW_S_MIN: u32 = 10;
/// Longest window, in seconds.
pub const WINDOW_S_MAX: u32 = 86_400;
/// What [`Measure::AnsweredRatio`] is out of.
pub const RATIO_ONE: i64 = 1000;
/// An answered call that is over within this many milliseconds is short.
pub const SHORT_CALL_MS: u64 = 6_000;
/// A call that rings for longer than this many seconds isn't under way any more.
pub const PENDING_S_MAX: u32 = 180;
/// A call that was answered longer ago isn't under way any more: its end was lost.
pub const UNDER_WAY_S_MAX: u32 = 4 * 3600;
/// Called numbers that are at most so far apart follow each other.
pub const SEQUENTIAL_GAP: u32 = 5;

/// Whom a measure is about, as seen from the event that is judged. The numbers are part of the pack format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Subject {
    /// The originator.
    Caller = 0,
    /// The destination.
    Callee = 1,
    /// The originator towards this destination.
    Pair = 2,
    /// All numbers that share the originator's prefix.
    Prefix = 3,
    /// Messages like this one, whoever sends them (by template digest).
    Campaign = 4,
}

/// What is measured within a window. The numbers are part of the pack format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Measure {
    /// Call attempts or messages, this one included.
    Attempts = 0,
    /// Answered calls.
    Answered = 1,
    /// Answered, of those attempts whose outcome is known, in thousandths; 1000 where none is known.
    AnsweredRatio = 2,
    /// Answered calls that ended within a few seconds.
    ShortCalls = 3,
    /// Different numbers called by the caller.
    DistinctCallees = 4,
    /// Different numbers that called the callee.
    DistinctCallers = 5,
    /// Longest run of called numbers that follow each other.
    Sequential = 6,
    /// Mean ring time in milliseconds of the attempts whose outcome is known.
    RingMs = 7,
    /// Calls under way now; its window is ignored.
    Concurrent = 8,
    /// Messages in the form of a one-time password.
    Otps = 9,
    /// Attempts of callers for whom nobody vouches ([`is_unvouched`]).
    Unvouched = 10,
    /// Attempts of callers whose number was verified.
    Verified = 11,
    /// Attempts of callers whose number failed its check.
    FailedChecks = 12,
    /// Attempts of virtual operators' numbers.
    Virtual = 13,
    /// Attempts that were refused here.
    Blocked = 14,
    /// Complaints of those who were called or written to, by call and by message alike.
    Complaints = 15,
}

impl Subject {
    /// All of them, in the order of their wire values.
    pub const ALL: [Self; 5] = [Self::Caller, Self::Callee, Self::Pair, Self::Prefix, Self::Campaign];

    /// The name in a condition.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Callee => "callee",
            Self::Pair => "pair",
            Self::Prefix => "prefix",
            Self::Campaign => "campaign",
        }
    }

    /// From the wire value of a pack.
    #[must_use]
    pub fn from_wire(value: u8) -> Option<Self> {
        Self::ALL.get(usize::from(value)).copied()
    }
}

impl Measure {
    /// All of them, in the order of their wire values.
    pub const ALL: [Self; 16] = [
        Self::Attempts,
        Self::Answered,
        Self::AnsweredRatio,
        Self::ShortCalls,
        Self::DistinctCallees,
        Self::DistinctCallers,
        Self::Sequential,
        Self::RingMs,
        Self::Concurrent,
        Self::Otps,
        Self::Unvouched,
        Self::Verified,
        Self::FailedChecks,
        Self::Virtual,
        Self::Blocked,
        Self::Complaints,
    ];

    /// The name in a condition.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Attempts => "attempts",
            Self::Answered => "answered",
            Self::AnsweredRatio => "answered_ratio",
            Self::ShortCalls => "short_calls",
            Self::DistinctCallees => "distinct_callees",
            Self::DistinctCallers => "distinct_callers",
            Self::Sequential => "sequential",
            Self::RingMs => "ring_ms",
            Self::Concurrent => "concurrent",
            Self::Otps => "otps",
            Self::Unvouched => "unvouched",
            Self::Verified => "verified",
            Self::FailedChecks => "failed_checks",
            Self::Virtual => "virtual",
            Self::Blocked => "blocked",
            Self::Complaints => "complaints",
        }
    }

    /// From the wire value of a pack.
    #[must_use]
    pub fn from_wire(value: u8) -> Option<Self> {
        Self::ALL.get(usize::from(value)).copied()
    }

    /// Whether it can be asked about a subject.
    #[must_use]
    pub const fn suits(self, subject: Subject) -> bool {
        match self {
            Self::DistinctCallees | Self::Sequential => matches!(subject, Subject::Caller | Subject::Prefix),
            Self::DistinctCallers => matches!(subject, Subject::Callee | Subject::Campaign),
            Self::Complaints => !matches!(subject, Subject::Campaign),
            _ => true,
        }
    }

    /// The answer where nothing is known.
    #[must_use]
    pub const fn unknown(self) -> i64 {
        match self {
            Self::AnsweredRatio => RATIO_ONE,
            _ => 0,
        }
    }
}

/// One question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Query {
    /// About whom.
    pub subject: Subject,
    /// What.
    pub measure: Measure,
    /// Over the last so many seconds, 10 to 86,400.
    pub window_s: u32,
}

/// Who knows how numbers have been behaving.
pub trait Behaviour: core::fmt::Debug + Sync {
    /// The answer for `event`, as of its time. 0 where nothing is known.
    fn measure(&self, event: &Event<'_>, query: Query) -> i64;
}

/// Nobody counts: every measure is 0, and [`Measure::AnsweredRatio`] is 1000.
#[derive(Clone, Copy, Debug)]
pub struct Unobserved;

impl Behaviour for Unobserved {
    fn measure(&self, _event: &Event<'_>, query: Query) -> i64 {
        query.measure.unknown()
    }
}

#[cfg(test)]
mod tests;
