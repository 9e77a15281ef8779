//! Folded range → original range.

use core::ops::Range;

use super::pass::{Pass, Trace};

/// The bytes of `text` that a range of its folded view came from: separators at the ends left out, those between
/// included. `scratch` is room to fold again into, as large as the first time: this is for hits only.
#[must_use]
pub fn origin(text: &str, folded: Range<usize>, scratch: &mut [u8]) -> Range<usize> {
    let mut pass = Pass::new(scratch, Finder { folded, reading: 0..0, start: None, end: None });
    pass.run(text.as_bytes());
    let found = pass.into_trace();
    let start = found.start.unwrap_or(text.len());
    start..found.end.unwrap_or(start).max(start)
}

/// Looks for the sources of the first and the last byte.
struct Finder {
    folded: Range<usize>,
    reading: Range<usize>,
    start: Option<usize>,
    end: Option<usize>,
}

impl Trace for Finder {
    fn reading(&mut self, start: usize, end: usize) {
        self.reading = start..end;
    }

    fn wrote(&mut self, start: usize, end: usize) {
        let first = self.folded.start;
        // A part that was joined keeps its own start and takes the end of what it was joined with.
        if start <= first && first < end {
            self.start = Some(self.start.map_or(self.reading.start, |known| known.min(self.reading.start)));
        }
        if start < self.folded.end && self.folded.end <= end {
            self.end = Some(self.end.map_or(self.reading.end, |known| known.max(self.reading.end)));
        }
    }
}
