//! Letters and digits only.

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
/// A word of look-alikes is only looked at that far for a digit, bytes to either side.
const WORD_LEN_MAX: usize = 24;

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

/// The digit that the character at `at` is, or looks like where it stands.
pub(crate) fn digit(text: &[u8], at: usize) -> Option<u8> {
    let byte = *text.get(at)?;
    match byte {
        b'0'..=b'9' => Some(byte),
        b'a'..=b'z' => look_alike(byte).filter(|_| is_number_word(text, at)),
        0xe0..=0xef => chinese_digit(text.get(at..at + 3)?),
        _ => None,
    }
}

fn look_alike(byte: u8) -> Option<u8> {
    Some(match byte {
        b'o' => b'0',
        b'l' | b'i' => b'1',
        b'z' => b'2',
        b's' => b'5',
        b'b' => b'8',
        _ => return None,
    })
}

/// Whether the word around a look-alike letter has a digit and no letters but look-alikes, or is that letter alone.
fn is_number_word(text: &[u8], at: usize) -> bool {
    let is_word = |byte: &&u8| byte.is_ascii_alphanumeric();
    let before =
        text.get(at.saturating_sub(WORD_LEN_MAX)..at).unwrap_or_default().iter().rev().take_while(is_word);
    let after =
        text.get(at + 1..text.len().min(at + WORD_LEN_MAX)).unwrap_or_default().iter().take_while(is_word);
    let (mut digits, mut letters) = (0, 0);
    for &byte in before.chain(after) {
        digits += usize::from(byte.is_ascii_digit());
        letters += usize::from(byte.is_ascii_alphabetic());
        if byte.is_ascii_alphabetic() && look_alike(byte).is_none() {
            return false;
        }
    }
    digits > 0 || letters == 0
}

/// `零`, `幺`, `一` to `九`, `伍`, `陆`.
pub(crate) fn chinese_digit(char: &[u8]) -> Option<u8> {
    Some(match core::str::from_utf8(char).ok()? {
        "零" => b'0',
        "一" | "幺" => b'1',
        "二" => b'2',
        "三" => b'3',
        "四" => b'4',
        "五" | "伍" => b'5',
        "六" | "陆" => b'6',
        "七" => b'7',
        "八" => b'8',
        "九" => b'9',
        _ => return None,
    })
}

/// Bytes of the character at `at`, never 0.
pub(crate) fn width(text: &[u8], at: usize) -> usize {
    match text.get(at) {
        Some(0xc0..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..) => 4,
        _ => 1,
    }
}
