//! The text of a message, in memory that is used again and again.

use crate::doors::protocol::Coded;
use crate::reassembly::{Joined, Piece};
use yumen_wire::limits::TEXT_GROWTH_MAX;
use yumen_wire::text::{Coding, Decoded, Decoder, decode, decode_segment};

/// How a receiver may read what it got. Receivers differ, so a gateway judges every reading that gives another text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Each part for itself: a character split between two parts is lost.
    Apart,
    /// The parts' octets in one.
    Joined,
    /// The same, with UCS-2 big-endian whatever it looks like.
    BigEndian,
}

impl Reading {
    /// The next reading that gives another text than those before it, by what this one found.
    #[must_use]
    pub const fn next(self, found: Found) -> Option<Self> {
        match self {
            Self::Apart if found.lossy => Some(Self::Joined),
            Self::Apart | Self::Joined if found.little_endian => Some(Self::BigEndian),
            _ => None,
        }
    }
}

/// What decoding noticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Something wasn't text in its coding.
    pub lossy: bool,
    /// UCS-2 was read little-endian.
    pub little_endian: bool,
    /// A part is missing.
    pub gaps: bool,
}

/// A decoded text. It grows to the longest message there was, and then allocates no more.
#[derive(Debug, Default)]
pub struct Text {
    /// Valid UTF-8 all over; the text is `buffer[..used]`.
    buffer: String,
    used: usize,
}

impl Text {
    /// What was decoded.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.buffer.get(..self.used).unwrap_or_default()
    }

    /// Forgets the text, and keeps no more than `kept_bytes` of memory.
    pub fn clear(&mut self, kept_bytes: usize) {
        self.used = 0;
        if self.buffer.len() > kept_bytes {
            self.buffer = String::new();
        }
    }

    /// Appends a text.
    pub fn push(&mut self, text: Coded<'_>, reading: Reading) -> Found {
        let coding = coding(text.coding, reading);
        self.write(text.data.octets.len(), |out| decode_segment(coding, &text.data.parts(), out))
    }

    /// Appends what stands for a missing part, or keeps two texts from reading as one.
    pub fn push_gap(&mut self) {
        let _decoded = self.write(GAP.len(), |out| decode(Coding::Utf8, GAP.as_bytes(), out));
    }

    /// Appends the parts there are, with a gap for each run of missing ones.
    pub fn push_joined(&mut self, joined: &Joined, pieces: &[Piece], total: u8, reading: Reading) -> Found {
        let mut found = Found::default();
        let mut last: Option<&Piece> = None;
        let mut decoder = Decoder::new(Coding::Binary);
        for piece in pieces {
            let follows = piece.number == last.map_or(0, |last| last.number).saturating_add(1);
            if !follows {
                self.flush(&mut decoder);
                self.push_gap();
                found.gaps = true;
            }
            let text = joined.coded(piece);
            if reading == Reading::Apart {
                found.add(self.push(text, reading));
            } else {
                if !follows || last.is_none_or(|last| last.coding != piece.coding) {
                    self.flush(&mut decoder);
                    decoder = Decoder::new(coding(piece.coding, reading));
                }
                // What is carried over from the part before comes on top.
                let bytes = text.data.octets.len() + CARRY_BYTES_MAX;
                found.add(self.write(bytes, |out| decoder.feed(&text.data.parts(), out)));
            }
            last = Some(piece);
        }
        if last.is_none_or(|last| last.number == total) {
            found.lossy |= self.flush(&mut decoder);
        } else {
            self.push_gap();
            found.gaps = true;
        }
        found
    }

    fn flush(&mut self, decoder: &mut Decoder) -> bool {
        self.write(CARRY_BYTES_MAX, |out| decoder.flush(out)).lossy
    }

    fn write(&mut self, octets: usize, decode: impl FnOnce(&mut str) -> Decoded) -> Found {
        let needed = self.used + octets * TEXT_GROWTH_MAX + DECODER_SLACK_BYTES;
        while self.buffer.len() < needed {
            let more = needed.next_power_of_two() - self.buffer.len();
            self.buffer.extend(std::iter::repeat_n('\0', more));
        }
        let out = self.buffer.get_mut(self.used..).unwrap_or_default();
        let decoded = decode(out);
        self.used += decoded.written;
        Found { lossy: decoded.lossy, little_endian: decoded.little_endian, gaps: false }
    }
}

impl Found {
    fn add(&mut self, other: Self) {
        self.lossy |= other.lossy;
        self.little_endian |= other.little_endian;
        self.gaps |= other.gaps;
    }
}

fn coding(coding: Coding, reading: Reading) -> Coding {
    if reading == Reading::BigEndian && coding == Coding::Ucs2 { Coding::Ucs2BigEndian } else { coding }
}

/// What a decoder may need beyond the growth of its input.
const DECODER_SLACK_BYTES: usize = 4;
/// Octets of an incomplete character that a decoder keeps.
const CARRY_BYTES_MAX: usize = 3;

/// Stands for what is missing. Folding drops separators and what can't be seen, so a gap is a word of letters that no
/// pattern has (Vai `ꔀ`), long enough that `.{0,20}` doesn't reach across it.
const GAP: &str = "ꔀꔀꔀꔀꔀꔀꔀꔀꔀꔀꔀꔀꔀꔀꔀꔀꔀꔀꔀꔀꔀꔀꔀꔀꔀꔀꔀꔀꔀꔀꔀꔀ";

#[cfg(test)]
mod tests {
    use super::*;
    use yumen_rules::fold::{fold, folded_len_max};

    #[test]
    fn folding_does_not_close_a_gap() {
        let mut buffer = vec![0; folded_len_max(1024)];
        let text = format!("爆通{GAP}讯录");
        let folded = fold(&text, &mut buffer);
        let folded = std::str::from_utf8(folded.bytes()).unwrap();
        assert!(!folded.contains("爆通讯录"), "{folded}");
        let between = folded.split("爆通").nth(1).and_then(|rest| rest.split("讯录").next()).unwrap();
        assert!(between.chars().count() > 20, "a short wildcard reaches across: {folded}");
    }
}
