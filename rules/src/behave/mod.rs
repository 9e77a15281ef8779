//! How numbers have been behaving: what a condition such as `caller.attempts("10m") > 60` asks.
//!
//! ```text
//! Event ──► observe (attempt, outcome) ──► windows ──► Behaviour::measure ──► condition
//! ```
//!
//! The engine only asks; who counts, and in what storage, is the caller's.

use yumen_wire::event::Event;

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
        match query.measure {
            Measure::AnsweredRatio => 1000,
            _ => 0,
        }
    }
}
