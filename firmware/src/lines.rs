//! Bytes of a UART → lines, wherever they were split.

use crate::limits::LINE_BYTES_MAX;
use heapless::Vec;

/// Collects lines. LF ends one, with the CR before it (V.250 §5.7.1 with S3 and S4 as modems have them); empty lines are dropped;
/// `> ` at the start of a line is one by itself, as no end of line follows it (3GPP TS 27.005 §3.5.1).
#[derive(Debug, Default)]
pub struct Lines {
    line: Vec<u8, LINE_BYTES_MAX>,
    is_too_long: bool,
}

impl Lines {
    /// Empty.
    #[must_use]
    pub const fn new() -> Self {
        Self { line: Vec::new(), is_too_long: false }
    }

    /// Takes a byte; a line, without its end, where this ends one. What is too long for a line is dropped to its end and
    /// given as [`Taken::TooLong`].
    pub fn push(&mut self, byte: u8) -> Taken {
        match byte {
            b'\r' => Taken::Nothing,
            b'\n' => {
                if core::mem::take(&mut self.is_too_long) {
                    self.line.clear();
                    return Taken::TooLong;
                }
                if self.line.is_empty() {
                    Taken::Nothing
                } else {
                    Taken::Line(core::mem::take(&mut self.line))
                }
            }
            // A modem that resets sends NUL and the like before its first line.
            0..=8 | 11..=31 | 127.. if self.line.is_empty() => Taken::Nothing,
            _ => {
                if self.line.push(byte).is_err() {
                    self.is_too_long = true;
                }
                if self.line == b"> " {
                    return Taken::Line(core::mem::take(&mut self.line));
                }
                Taken::Nothing
            }
        }
    }
}

/// What came of a byte.
#[derive(Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is no heap to put a line on")]
pub enum Taken {
    /// The line goes on.
    Nothing,
    /// A line.
    Line(Vec<u8, LINE_BYTES_MAX>),
    /// A line that was longer than any that can be meant.
    TooLong,
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::string::String;

    fn lines(bytes: &[u8]) -> std::vec::Vec<String> {
        let mut lines = Lines::new();
        let taken = bytes.iter().filter_map(|&byte| match lines.push(byte) {
            Taken::Line(line) => Some(String::from_utf8_lossy(&line).into_owned()),
            Taken::TooLong => Some("(too long)".into()),
            Taken::Nothing => None,
        });
        taken.collect()
    }

    #[test]
    fn ends_prompts_and_noise() {
        assert_eq!(lines(b"\r\n+CMT: ,23\r\n0791\r\n\r\nOK\r\n"), ["+CMT: ,23", "0791", "OK"]);
        assert_eq!(lines(b"\r\n> "), ["> "]);
        assert_eq!(lines(b"\0\0\xFFRDY\r\n"), ["RDY"]);
    }

    #[test]
    fn a_line_beyond_all_measure_is_dropped_to_its_end() {
        let mut bytes = [b'A'; LINE_BYTES_MAX + 5];
        bytes[LINE_BYTES_MAX + 4] = b'\n';
        assert_eq!(lines(&bytes), ["(too long)"]);
    }

    proptest! {
        #[test]
        fn no_line_holds_an_end(bytes: std::vec::Vec<u8>) {
            for line in lines(&bytes) {
                prop_assert!(!line.is_empty() && !line.contains(['\r', '\n']));
            }
        }
    }
}
