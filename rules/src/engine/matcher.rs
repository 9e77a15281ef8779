//! What the engine asks of a pattern matcher.

use crate::signal::View;

/// Finds the patterns of a pack in a text. A server has Hyperscan behind it, a device an automaton.
pub trait Matcher {
    /// Reports the patterns of `view` that `text` (valid UTF-8) has, each at least once, in any order.
    ///
    /// # Errors
    /// [`MatchError`] where the matcher itself failed; not for anything in `text`.
    fn scan(&mut self, view: View, text: &[u8], hits: &mut HitSink<'_>) -> Result<(), MatchError>;
}

/// The matcher failed: a defect of the library or of its memory, not of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatchError {
    /// The library's own code.
    pub code: i32,
}

impl core::fmt::Display for MatchError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "the pattern matcher failed with code {}", self.code)
    }
}

impl core::error::Error for MatchError {}

/// A pattern that the text has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hit {
    /// Index of the pattern in the pack.
    pub pattern: u32,
    /// Offset in the pattern's view, in bytes, just past (one of) its matches.
    pub end: u32,
}

/// Where a matcher puts its hits.
#[derive(Debug)]
pub struct HitSink<'s> {
    hits: &'s mut [Hit],
    len: usize,
    marks: &'s mut [u32],
    stamp: u32,
    overflowed: bool,
}

impl<'s> HitSink<'s> {
    /// An empty one. `marks` has one element a pattern; those that carry `stamp` count as hit already.
    pub fn new(hits: &'s mut [Hit], marks: &'s mut [u32], stamp: u32) -> Self {
        Self { hits, len: 0, marks, stamp, overflowed: false }
    }

    /// Takes a hit; a second one of the same pattern is ignored.
    #[inline]
    pub fn push(&mut self, pattern: u32, end: u32) {
        let Some(mark) = self.marks.get_mut(pattern as usize) else { return };
        if *mark == self.stamp {
            return;
        }
        *mark = self.stamp;
        match self.hits.get_mut(self.len) {
            Some(slot) => {
                *slot = Hit { pattern, end };
                self.len += 1;
            }
            None => self.overflowed = true,
        }
    }

    /// The hits, and whether there were more than fit.
    #[must_use]
    pub fn finish(self) -> (&'s [Hit], bool) {
        (self.hits.get(..self.len).unwrap_or_default(), self.overflowed)
    }
}
