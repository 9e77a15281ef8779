//! Letters and digits only.

use super::digits::{digit, width};
use super::{Folded, Hints, valid};

/// Letters and digits only: spaces and punctuation dropped, and runs that are digits but for disguise unified
/// (`l38oo…` and `幺三八零零…` → `13800…`). As long as the folded text at most, so a buffer of that size suffices.
///
/// A run is unified where at least five digits, letters that look like one (`o`, `l`, `i`, `z`, `s`, `b`) and Chinese
/// digits stand side by side, half of them digits of either kind. Letters of a word without digits are left alone.
#[must_use]
pub fn squeeze<'b>(folded: &Folded<'_>, out: &'b mut [u8]) -> &'b [u8] {
    let text = folded.bytes();
    let stats = folded.stats();
    let numbers = stats.digits >= DIGITS_MIN || stats.hints.any(Hints::CHINESE_DIGITS);
    let mut len = 0;
    let mut at = 0;
    while at < text.len() {
        let run = if numbers { Run::at(text, at) } else { Run::none(at) };
        if run.is_number() {
            len = run.write(text, out, len);
            at = run.end;
            continue;
        }
        let end = run.end.max(at + width(text, at)).min(text.len());
        for &byte in text.get(at..end).unwrap_or_default() {
            if byte.is_ascii() && !byte.is_ascii_alphanumeric() {
                continue;
            }
            let Some(slot) = out.get_mut(len) else { return valid(out).as_bytes() };
            *slot = byte;
            len += 1;
        }
        at = end;
    }
    out.get(..len).unwrap_or_default()
}

/// Shortest run of digits and look-alikes that is unified.
const RUN_LEN_MIN: usize = 5;
/// Below that many digits in the whole text no run can be half digits.
const DIGITS_MIN: u32 = 3;

/// Digits and what looks like them, side by side in the squeezed text.
struct Run {
    start: usize,
    end: usize,
    len: usize,
    digits: usize,
    disguised: usize,
}

impl Run {
    const fn none(at: usize) -> Self {
        Self { start: at, end: at, len: 0, digits: 0, disguised: 0 }
    }

    fn at(text: &[u8], start: usize) -> Self {
        let mut run = Self::none(start);
        let mut at = start;
        while let Some(&byte) = text.get(at) {
            let width = width(text, at);
            if digit(text, at).is_some() {
                run.len += 1;
                run.digits += usize::from(byte.is_ascii_digit() || !byte.is_ascii());
                run.disguised += usize::from(!byte.is_ascii_digit());
                run.end = at + width;
            } else if !byte.is_ascii() || byte.is_ascii_alphanumeric() {
                break;
            }
            at += width;
        }
        run
    }

    const fn is_number(&self) -> bool {
        self.len >= RUN_LEN_MIN && self.digits * 2 >= self.len && self.disguised > 0
    }

    fn write(&self, text: &[u8], out: &mut [u8], len: usize) -> usize {
        let mut len = len;
        let mut at = self.start;
        while at < self.end {
            if let (Some(digit), Some(slot)) = (digit(text, at), out.get_mut(len)) {
                *slot = digit;
                len += 1;
            }
            at += width(text, at);
        }
        len
    }
}
