//! Runs of ASCII in the folded text, with words that were spaced out put together again.

use crate::fold::digits::{chinese_digit, width};

/// Longest cluster in bytes; a longer run is cut at a space where it has one.
pub(super) const CLUSTER_LEN_MAX: usize = 192;
/// Digits written in Chinese are taken as digits where that many digits of either kind stand side by side.
const CHINESE_RUN_MIN: usize = 7;

/// A run of ASCII, and digits written in Chinese as ASCII. Words of one character are put together: `v x 8 8` is
/// `vx88`.
pub(super) struct Cluster {
    bytes: [u8; CLUSTER_LEN_MAX],
    offsets: [u32; CLUSTER_LEN_MAX],
    len: usize,
    /// Where it ends in the folded text.
    pub(super) end: usize,
}

impl Cluster {
    /// Room for one.
    pub(super) const fn new() -> Self {
        Self { bytes: [0; CLUSTER_LEN_MAX], offsets: [0; CLUSTER_LEN_MAX], len: 0, end: 0 }
    }

    /// Too short for a contact.
    pub(super) const fn is_short(&self) -> bool {
        self.len < SHORTEST
    }

    /// Reads the next cluster at or after `from`; whether there is one.
    pub(super) fn read_next(&mut self, text: &[u8], from: usize, chinese: bool) -> bool {
        let mut at = from;
        while let Some(byte) = text.get(at) {
            if byte.is_ascii_alphanumeric() || chinese && starts_chinese(text, at) {
                self.read(text, at, chinese);
                return true;
            }
            at += width(text, at);
        }
        false
    }

    fn read(&mut self, text: &[u8], start: usize, chinese: bool) {
        self.len = 0;
        self.end = start;
        let cluster = self;
        let mut digits_before = 0;
        let mut in_chinese = false;
        let mut was_wide = false;
        while let Some(&byte) = text.get(cluster.end) {
            let wide = !byte.is_ascii();
            if wide && !in_chinese {
                in_chinese = chinese && chinese_run(text, cluster.end, digits_before) >= CHINESE_RUN_MIN;
            }
            let char = match (wide, chinese_digit(text.get(cluster.end..cluster.end + 3).unwrap_or_default()))
            {
                (false, _) => byte,
                (true, Some(digit)) if in_chinese => digit,
                _ => break,
            };
            // What is written in another way may be another number.
            let changed = digits_before > 0 && char.is_ascii_digit() && wide != was_wide;
            if changed && !cluster.push(b'-') {
                break;
            }
            was_wide = wide;
            digits_before = if char.is_ascii_digit() { digits_before + 1 } else { 0 };
            if char == b' ' && cluster.is_spaced_out(text) {
                cluster.end += 1;
                continue;
            }
            if char == b' ' && cluster.len + WORD_LEN_MAX > CLUSTER_LEN_MAX || !cluster.push(char) {
                break;
            }
            cluster.end += width(text, cluster.end);
        }
    }

    fn push(&mut self, byte: u8) -> bool {
        let (Some(slot), Some(offset)) = (self.bytes.get_mut(self.len), self.offsets.get_mut(self.len))
        else {
            return false;
        };
        *slot = byte;
        *offset = u32::try_from(self.end).unwrap_or(u32::MAX);
        self.len += 1;
        true
    }

    /// Whether the space at `end` stands between two words of one character each.
    fn is_spaced_out(&self, text: &[u8]) -> bool {
        let is_end = |byte: Option<&u8>| byte.is_none_or(|byte| *byte == b' ' || !byte.is_ascii());
        let before = self.end.checked_sub(2).and_then(|at| text.get(at));
        is_end(before) && is_end(text.get(self.end + 2)) && text.get(self.end + 1).is_some_and(u8::is_ascii)
    }

    /// The bytes.
    pub(super) fn text(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// The byte of the folded text that a byte of the cluster stands at.
    pub(super) fn offset(&self, at: usize) -> u32 {
        match self.offsets.get(at) {
            Some(offset) if at < self.len => *offset,
            _ => u32::try_from(self.end).unwrap_or(u32::MAX),
        }
    }

    /// Takes a range out, so that it is not read as something else too.
    pub(super) fn blank(&mut self, start: usize, end: usize) {
        if let Some(range) = self.bytes.get_mut(start..end.min(self.len)) {
            range.fill(TAKEN);
        }
    }
}

/// Bytes of the shortest contact.
const SHORTEST: usize = 4;
/// Stands where something was taken out.
const TAKEN: u8 = 0;
/// A cluster is cut at a space that leaves less room than a word of this length.
const WORD_LEN_MAX: usize = 64;

/// Whether a number with digits written in Chinese starts at `at`.
fn starts_chinese(text: &[u8], at: usize) -> bool {
    let digit = text.get(at..at + 3).and_then(chinese_digit);
    digit.is_some() && chinese_run(text, at, 0) >= CHINESE_RUN_MIN
}

/// Digits of either kind side by side from `at`, with `before` of them already.
fn chinese_run(text: &[u8], at: usize, before: usize) -> usize {
    let mut at = at;
    let mut run = before;
    while run < CHINESE_RUN_MIN {
        match text.get(at) {
            Some(byte) if byte.is_ascii_digit() => run += 1,
            Some(b' ' | b'-') => {}
            Some(byte)
                if !byte.is_ascii() && chinese_digit(text.get(at..at + 3).unwrap_or_default()).is_some() =>
            {
                run += 1;
            }
            _ => break,
        }
        at += width(text, at);
    }
    run
}
