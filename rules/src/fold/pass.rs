//! The pass: one walk over the text, one state.
//!
//! Runs of Han characters that stay as they are and runs of ASCII go through tight loops; everything else through a
//! table of 16-bit codes. Separators wait in `keep` until it is known what they stand between.

use super::join::{self, Joined};
use super::scan::{LOWER, code_of, decode, is_thousands, plain_bytes};
use super::table::{
    ACCENT, DIGIT_WORD, EMOJI, FOREIGN, HIDDEN, INVITATION, KEYCAP, MARK, ODD, PART, SAME, SPACE, TEXT, TEXTS,
};
use super::{Folded, Hints, Stats};

/// Folds `text` into `out`. [`super::folded_len_max`] bytes always suffice; where `out` is shorter, what doesn't
/// fit is left out and said in [`Stats::truncated`].
#[must_use]
pub fn fold<'b>(text: &str, out: &'b mut [u8]) -> Folded<'b> {
    let mut pass = Pass::new(out, ());
    pass.run(text.as_bytes());
    let stats = pass.finish();
    let len = pass.len;
    Folded { bytes: out.get(..len).unwrap_or_default(), stats }
}

/// The text as it was sent, but for the case of ASCII: what a search for plain words would see. It stands where the folded
/// text stands when the worth of folding is measured.
#[must_use]
pub fn as_sent<'b>(text: &str, out: &'b mut [u8]) -> Folded<'b> {
    let mut len = text.len().min(out.len());
    while !text.is_char_boundary(len) {
        len -= 1;
    }
    let mut stats = Stats { truncated: len < text.len(), hints: Hints(u8::MAX), ..Stats::default() };
    let out = out.get_mut(..len).unwrap_or_default();
    for (to, from) in out.iter_mut().zip(text.bytes()) {
        *to = from.to_ascii_lowercase();
        stats.chars += u32::from(from & 0xc0 != 0x80);
        stats.digits += u32::from(from.is_ascii_digit());
        stats.letters += u32::from(from.is_ascii_alphabetic());
    }
    Folded { bytes: out, stats }
}

/// Told where each piece of output came from; `()` in the hot path.
pub(super) trait Trace {
    /// The next output comes from these bytes of the text.
    fn reading(&mut self, start: usize, end: usize);
    /// Output was written, or what stood there was rewritten.
    fn wrote(&mut self, start: usize, end: usize);
}

impl Trace for () {
    #[inline(always)]
    fn reading(&mut self, _start: usize, _end: usize) {}
    #[inline(always)]
    fn wrote(&mut self, _start: usize, _end: usize) {}
}

/// What the last character of the output is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// There is none.
    Start,
    /// Not ASCII.
    Wide,
    /// A letter or digit of ASCII.
    Ascii,
    /// A percent sign.
    Percent,
}

/// Nothing waits.
const NOTHING: u8 = 0;
/// `:/` waits.
const COLON_SLASH: u8 = 1;
/// `://` waits.
const SCHEME: u8 = 2;
/// `--` waits, as punycode has it.
const DASHES: u8 = 4;
/// Separators wait that become a space; other values of `keep` are the one character that waits.
const BLANK: u8 = 3;

/// The gap has ordinary punctuation or space.
const GAP_ORDINARY: u8 = 1;
/// The gap has an odd symbol.
const GAP_ODD: u8 = 2;
/// The gap has an emoji.
const GAP_EMOJI: u8 = 4;

pub(super) struct Pass<'b, T> {
    out: &'b mut [u8],
    pub(super) len: usize,
    last: Last,
    keep: u8,
    gap: u8,
    /// The part of split characters the output ends with, its index plus one; 0 where it doesn't.
    part: u16,
    /// Where the run of wide characters at the end of the output starts.
    segment: usize,
    /// How many runs of one character there were one after the other.
    singles: u32,
    /// Look-alikes that count if the text has no letters of foreign scripts.
    script: u32,
    foreign: u32,
    digit_words: u32,
    stats: Stats,
    trace: T,
}

impl<'b, T: Trace> Pass<'b, T> {
    pub(super) fn new(out: &'b mut [u8], trace: T) -> Self {
        Self {
            out,
            len: 0,
            last: Last::Start,
            keep: NOTHING,
            gap: 0,
            part: 0,
            segment: 0,
            singles: 0,
            script: 0,
            foreign: 0,
            digit_words: 0,
            stats: Stats::default(),
            trace,
        }
    }

    pub(super) fn run(&mut self, text: &[u8]) {
        let mut at = 0;
        while !self.stats.truncated {
            if self.part == 0 {
                at += self.plain_run(text.get(at..).unwrap_or_default(), at);
            }
            let rest = text.get(at..).unwrap_or_default();
            let Some(&lead) = rest.first() else { return };
            if LOWER[usize::from(lead)] != 0 {
                at += self.ascii_run(rest, at);
                continue;
            }
            self.stats.chars += 1;
            if lead.is_ascii() {
                self.trace.reading(at, at + 1);
                self.ascii_mark(lead, rest.get(1..).unwrap_or_default());
                at += 1;
                continue;
            }
            let (char, used) = decode(rest);
            self.trace.reading(at, at + used);
            self.char(char, rest.get(used..).unwrap_or_default());
            at += used;
        }
    }

    pub(super) fn into_trace(self) -> T {
        self.trace
    }

    fn finish(&mut self) -> Stats {
        if self.foreign == 0 {
            self.stats.disguised += self.script;
        }
        if self.digit_words >= DIGIT_WORDS_MIN {
            self.stats.hints = self.stats.hints.with(Hints::CHINESE_DIGITS);
        }
        self.stats
    }

    /// Copies Han characters that stay, as many as there are; gives the bytes.
    #[inline(always)]
    fn plain_run(&mut self, text: &[u8], at: usize) -> usize {
        if text.first().is_none_or(|lead| lead & 0xf0 != 0xe0) {
            return 0;
        }
        let target = self.out.get_mut(self.len..).unwrap_or_default();
        let room = text.len().min(target.len());
        let (text, target) =
            (text.get(..room).unwrap_or_default(), target.get_mut(..room).unwrap_or_default());
        let run = plain_bytes(text, target);
        if run > 0 {
            self.close_gap();
            self.last = Last::Wide;
            self.trace_run(at, run, 3);
            self.len += run;
            self.stats.chars += u32::try_from(run / 3).unwrap_or(u32::MAX);
        }
        run
    }

    /// Letters and digits of ASCII, as many as there are; gives the bytes.
    #[inline]
    fn ascii_run(&mut self, text: &[u8], at: usize) -> usize {
        self.trace.reading(at, at + 1);
        self.open_ascii();
        let target = self.out.get_mut(self.len..).unwrap_or_default();
        let mut run = 0;
        let mut digits = 0;
        for (from, to) in text.iter().zip(target) {
            let lower = LOWER[usize::from(*from)];
            if lower == 0 {
                break;
            }
            *to = lower;
            digits += u32::from(lower <= b'9');
            run += 1;
        }
        self.trace_run(at, run, 1);
        let chars = u32::try_from(run).unwrap_or(u32::MAX);
        self.stats.chars += chars;
        self.stats.digits += digits;
        self.stats.letters += chars.saturating_sub(digits);
        self.stats.truncated |= run == 0;
        self.len += run;
        run
    }

    /// Traces a run of characters of `width` bytes.
    #[inline(always)]
    fn trace_run(&mut self, at: usize, run: usize, width: usize) {
        if size_of::<T>() > 0 {
            for offset in (0..run).step_by(width) {
                self.trace.reading(at + offset, at + offset + width);
                self.trace.wrote(self.len + offset, self.len + offset + width);
            }
        }
    }

    /// One character that isn't part of a run; `rest` is what follows it.
    #[inline(always)]
    fn char(&mut self, char: u32, rest: &[u8]) {
        let code = code_of(char);
        match code {
            0..0x80 => self.ascii(code.to_le_bytes()[0], rest),
            0x80..SAME => self.wide(u32::from(code)),
            MARK | SPACE => self.separate(GAP_ORDINARY),
            SAME | INVITATION | DIGIT_WORD | PART..TEXT => self.wide_coded(char, code),
            FOREIGN => {
                self.foreign += 1;
                self.wide_coded(char, code);
            }
            ODD => self.separate(GAP_ODD),
            EMOJI => {
                self.stats.emoji += 1;
                self.separate(GAP_EMOJI);
            }
            HIDDEN => {
                self.stats.hidden += 1;
                self.stats.disguised += u32::from(self.last != Last::Start && self.gap & GAP_EMOJI == 0);
            }
            ACCENT => {
                self.stats.accents += 1;
                self.script += u32::from(self.last == Last::Wide && self.gap == 0);
            }
            KEYCAP => self.stats.disguised += u32::from(self.last == Last::Ascii),
            _ => self.text(code, rest),
        }
    }

    /// A text that stands for the character.
    #[inline(never)]
    fn text(&mut self, code: u16, rest: &[u8]) {
        let Some(&(text, disguise)) = TEXTS.get(usize::from(code - TEXT)) else { return };
        let digit = text.as_bytes().first().is_some_and(u8::is_ascii_digit);
        match disguise {
            0 => {}
            2 => self.script += 1,
            3 if digit => self.stats.disguised += u32::from(self.last == Last::Ascii && self.keep == NOTHING),
            _ => self.stats.disguised += 1,
        }
        for char in text.chars() {
            match u8::try_from(char) {
                Ok(byte) if byte.is_ascii() => self.ascii(byte, rest),
                _ => self.wide(u32::from(char)),
            }
        }
    }

    /// A wide character that the table gave, and that has a code of its own.
    fn wide(&mut self, char: u32) {
        let code = code_of(char);
        self.foreign += u32::from(code == FOREIGN);
        self.wide_coded(char, code);
    }

    fn wide_coded(&mut self, char: u32, code: u16) {
        self.close_gap();
        self.notice(code);
        let may_join = self.last == Last::Wide && (self.part != 0 || (PART..TEXT).contains(&code));
        self.last = Last::Wide;
        if may_join
            && let Some(before) = self.ending(self.len)
            && let Some(joined) = join::joined(before, self.part, char, code)
        {
            return self.rewrite(joined);
        }
        let mut bytes = [0; 4];
        let char = char::from_u32(char).unwrap_or(char::REPLACEMENT_CHARACTER);
        self.push(char.encode_utf8(&mut bytes).as_bytes());
        self.part = join::left_part(code);
    }

    /// The last character becomes `joined`; that may join in turn with the one before.
    #[cold]
    fn rewrite(&mut self, joined: Joined) {
        let mut joined = joined;
        loop {
            self.stats.disguised += 1;
            let start = self.len.saturating_sub(3);
            let char = char::from_u32(joined.char).unwrap_or(char::REPLACEMENT_CHARACTER);
            if let Some(slot) = self.out.get_mut(start..self.len).filter(|_| char.len_utf8() == 3) {
                char.encode_utf8(slot);
            }
            self.trace.wrote(start, self.len);
            let code = code_of(joined.char);
            self.notice(code);
            self.part = join::left_part(code);
            let Some(before) = self.ending(start) else { return };
            let before_part = join::left_part(code_of(before));
            let Some(again) = join::joined(before, before_part, joined.char, code) else { return };
            self.len = start;
            joined = again;
        }
    }

    fn notice(&mut self, code: u16) {
        match code {
            INVITATION => self.stats.hints = self.stats.hints.with(Hints::INVITATION),
            DIGIT_WORD => self.digit_words += 1,
            _ => {}
        }
    }

    /// The character of three bytes that ends at `end` of the output.
    fn ending(&self, end: usize) -> Option<u32> {
        let &[lead, middle, last] = self.out.get(end.checked_sub(3)?..end)? else { return None };
        (lead & 0xf0 == 0xe0)
            .then(|| u32::from(lead & 15) << 12 | u32::from(middle & 63) << 6 | u32::from(last & 63))
    }

    fn ascii(&mut self, byte: u8, rest: &[u8]) {
        if byte.is_ascii_alphanumeric() {
            self.open_ascii();
            self.stats.digits += u32::from(byte.is_ascii_digit());
            self.stats.letters += u32::from(byte.is_ascii_alphabetic());
            self.push(&[byte.to_ascii_lowercase()]);
            return;
        }
        self.ascii_mark(byte, rest);
    }

    /// A character of ASCII that is no letter or digit.
    #[inline]
    fn ascii_mark(&mut self, byte: u8, rest: &[u8]) {
        match byte {
            b'%' if self.ends_with_digit() => {
                self.keep = NOTHING;
                self.gap = 0;
                self.push(b"%");
                self.last = Last::Percent;
            }
            b',' if self.keep == NOTHING && is_thousands(rest) && self.ends_with_digit() => {}
            b'.' | b'/' | b':' | b'@' | b'-' | b'_' => {
                if byte == b'@' {
                    self.stats.hints = self.stats.hints.with(Hints::AT);
                }
                self.gap |= if byte == b'_' { GAP_ODD } else { GAP_ORDINARY };
                self.keep = match (self.keep, byte) {
                    (NOTHING, _) if self.last == Last::Ascii => byte,
                    (b'-', b'-') => DASHES,
                    (b':', b'/') => COLON_SLASH,
                    (COLON_SLASH, b'/') => SCHEME,
                    _ => BLANK,
                };
            }
            b'*' | b'#' | b'^' | b'\\' | b'`' | b'$' => self.separate(GAP_ODD),
            _ => self.separate(GAP_ORDINARY),
        }
    }

    fn ends_with_digit(&self) -> bool {
        self.len.checked_sub(1).and_then(|at| self.out.get(at)).is_some_and(u8::is_ascii_digit)
    }

    fn separate(&mut self, gap: u8) {
        self.gap |= gap;
        self.keep = BLANK;
    }

    /// A letter or digit of ASCII comes: what waits stays between two of them.
    #[inline]
    fn open_ascii(&mut self) {
        if self.keep != NOTHING {
            if self.last == Last::Ascii {
                match self.keep {
                    BLANK => self.push(b" "),
                    COLON_SLASH => self.push(b" "),
                    DASHES => self.push(b"--"),
                    SCHEME => self.push(b"://"),
                    byte => self.push(&[byte]),
                }
            }
            self.keep = NOTHING;
            self.gap = 0;
        }
        self.part = 0;
        self.last = Last::Ascii;
    }

    /// A wide character comes: what waits is dropped, and counted where it splits a word.
    #[inline(always)]
    fn close_gap(&mut self) {
        if self.keep != NOTHING {
            self.drop_gap();
        } else if self.last != Last::Wide {
            self.segment = self.len;
            self.singles = 0;
        }
    }

    fn drop_gap(&mut self) {
        let before = self.len.saturating_sub(self.segment) / 3;
        let short = if self.gap & GAP_EMOJI == 0 { 1 } else { 2 };
        if self.last != Last::Wide {
            self.singles = 0;
        } else if self.gap == GAP_ODD {
            self.stats.disguised += 1;
        } else if before <= short {
            self.singles += 1;
            self.stats.disguised += match self.singles {
                1 => 0,
                2 => 2,
                _ => 1,
            };
        } else {
            self.singles = 0;
        }
        self.segment = self.len;
        self.keep = NOTHING;
        self.gap = 0;
    }

    fn push(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        match self.out.get_mut(self.len..end) {
            Some(slot) if !self.stats.truncated => {
                slot.copy_from_slice(bytes);
                self.trace.wrote(self.len, end);
                self.len = end;
            }
            _ => self.stats.truncated = true,
        }
    }
}

/// As many digit words as a telephone number hardly does without.
const DIGIT_WORDS_MIN: u32 = 4;
