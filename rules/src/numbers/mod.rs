//! Number lists, format version 1: up to a few thousand million telephone numbers with a score each, looked up where they lie.
//!
//! ```text
//! bytes → Header (readable before anything is trusted) → Layout::new_checked (once: every length, order, block and checksum)
//!       → NumberSet (zero-copy, total accessors) → lookup(canonical number) → Listed
//! ```
//!
//! The answer is exact: a number that isn't in the list is never found in it. All integers are little endian. A file is
//! `header | blocks | first keys | offsets | samples | ranges | palette | checksum | signature`; nothing stands between them but the
//! zeros named below.
//!
//! # Keys
//! A number in canonical form ([`crate::number`]) of `n` digits, 18 at most, is the integer `10^n + digits`, and that plus `2^62` where a
//! `+` stands before it. No two numbers have one key, and numbers of one length keep their order. A longer number has no key; it
//! can still be in a range by its first 18 digits.
//!
//! # Header (128 bytes)
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 8 | magic `YUMENNUM` |
//! | 8 | 2 | format version, 1 |
//! | 10 | 2 | entries of the palette, 1 to 1,024 |
//! | 12 | 4 | 0 |
//! | 16 | 8 | serial |
//! | 24 | 8 | created, seconds since the Unix epoch |
//! | 32 | 8 | expires, seconds since the Unix epoch; refused from then on |
//! | 40 | 8 | single numbers in all blocks |
//! | 48 | 48 | name: 1 to 48 of a-z, 0-9, `-` and `_`, padded with NUL |
//! | 96 | 8 | total length in bytes, signature included |
//! | 104 | 8 | where the first keys stand; a multiple of 8 |
//! | 112 | 4 | number of blocks |
//! | 116 | 4 | number of ranges |
//! | 120 | 8 | key id: the first 8 bytes of the signing key's public half; 0 while unsigned |
//!
//! # Blocks
//! From byte 128 on, each on a multiple of 8. A block has 1 to 256 keys that rise, coded by Elias and Fano as differences from its first:
//! each difference is cut into `l` low bits and a high part `h`; the `i`-th difference (from 0) is bit `h + i` of the high bits.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | CRC-32C of the rest of the block |
//! | 4 | 1 | keys, less one |
//! | 5 | 1 | `l`, 0 to 56 |
//! | 6 | 2 | `w`: 64-bit words of the high bits, 1 to 16 |
//! | 8 | `8w` | high bits, the lowest bit of a word first |
//! | | `⌈l·keys / 8⌉` | low bits, packed, the lowest first |
//! | | `⌈v·keys / 8⌉` | what each key stands for: its place in the palette, in `v` bits, as few as the palette needs |
//! | | | zeros up to a multiple of 8 |
//!
//! # Index
//! | part | record |
//! |---|---|
//! | first keys | 8: the first key of each block |
//! | offsets | 4: where each block begins, in units of 8 bytes from byte 128; one more at the end |
//! | samples | 8: every 64th first key, from the first on |
//! | ranges | 24: first key (8), last key (8), place in the palette (2), flags (1: bit 0, longer numbers that begin so belong to it), 0 (5); they rise and don't overlap |
//! | palette | 2: score, 1 to 100 (1), typology plus one, or 0 for none (1) |
//!
//! A single number's entry counts before a range's.
//!
//! # Checksum and signature
//! CRC-32C (4) of the header without its key id and of the index, then zeros up to a multiple of 8. Ed25519 (64) over every byte before it, all
//! zero in a list that isn't signed yet.

mod block;
mod header;
mod key;
mod layout;
mod set;

pub use block::{BLOCK_HEADER_LEN, Entries};
pub use header::{HEADER_LEN, Header, MAGIC, SIGNATURE_LEN, is_name};
pub use key::{Key, KeySpan, canonical, spans};
pub use layout::Layout;
pub use set::{NumberSet, Range};

use crate::verdict::Typology;

/// The format version this crate reads and the compiler writes.
pub const FORMAT_VERSION: u16 = 1;
/// First keys from one sample to the next.
pub const SAMPLE_EVERY: usize = 64;
/// Length of a range's record in bytes.
pub const RANGE_LEN: usize = 24;
/// Length of a palette's record in bytes.
pub const PALETTE_LEN: usize = 2;
/// Flag of a range that longer numbers belong to.
pub const RANGE_OF_PREFIX: u8 = 1;
/// The highest score.
pub const SCORE_MAX: u8 = 100;

/// The checksum of blocks and of the index: CRC-32C.
pub const CHECKSUM: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);

/// What a list says of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Listed {
    /// 1 to 100.
    pub score: u8,
    /// The practice it is listed for, where the list says so.
    pub typology: Option<Typology>,
}

impl Listed {
    /// From a palette's record; `None` where it isn't valid.
    #[must_use]
    pub const fn from_wire([score, typology]: [u8; PALETTE_LEN]) -> Option<Self> {
        if score == 0 || score > SCORE_MAX {
            return None;
        }
        match typology {
            0 => Some(Self { score, typology: None }),
            _ => match Typology::from_wire(typology - 1) {
                None => None,
                typology => Some(Self { score, typology }),
            },
        }
    }

    /// To a palette's record.
    #[must_use]
    pub const fn to_wire(self) -> [u8; PALETTE_LEN] {
        match self.typology {
            None => [self.score, 0],
            Some(typology) => [self.score, typology as u8 + 1],
        }
    }
}

/// Bits that a place in a palette takes.
#[must_use]
pub const fn value_width(palette: u16) -> u32 {
    u16::BITS - palette.saturating_sub(1).leading_zeros()
}

/// Why bytes aren't a number list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumbersError {
    /// Shorter than its header, or of another length than it names.
    Length,
    /// Not a number list at all.
    Magic,
    /// Another format version.
    Format(u16),
    /// A header field has a value that isn't defined.
    Header,
    /// The checksum of header and index isn't right.
    Checksum,
    /// The index contradicts itself at this block.
    Index(u32),
    /// A block isn't what its checksum says, or its keys don't rise.
    Block(u32),
    /// A range is out of order, or has a value that isn't defined.
    Range(u32),
    /// An entry of the palette isn't valid.
    Palette(u16),
}

impl core::fmt::Display for NumbersError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Length => f.write_str("its length isn't the length its header names"),
            Self::Magic => f.write_str("not a number list (no magic)"),
            Self::Format(version) => {
                write!(f, "format version {version}, this program reads {FORMAT_VERSION}")
            }
            Self::Header => f.write_str("a header field is not valid"),
            Self::Checksum => f.write_str("the checksum of header and index is not right"),
            Self::Index(block) => write!(f, "the index is not valid at block {block}"),
            Self::Block(block) => write!(f, "block {block} is not valid"),
            Self::Range(range) => write!(f, "range {range} is not valid"),
            Self::Palette(entry) => write!(f, "entry {entry} of the palette is not valid"),
        }
    }
}

impl core::error::Error for NumbersError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_numbers_are_frozen() {
        assert_eq!(MAGIC, *b"YUMENNUM");
        assert_eq!((FORMAT_VERSION, HEADER_LEN, BLOCK_HEADER_LEN, SIGNATURE_LEN), (1, 128, 8, 64));
        assert_eq!((RANGE_LEN, PALETTE_LEN, SAMPLE_EVERY, RANGE_OF_PREFIX), (24, 2, 64, 1));
        assert_eq!(CHECKSUM.checksum(b"123456789"), 0xE306_9283);
        assert_eq!([1, 2, 3, 16, 17, 1024].map(value_width), [0, 1, 2, 4, 5, 10]);
    }

    #[test]
    fn a_palette_has_scores_of_1_to_100_and_known_typologies() {
        for listed in [
            Listed { score: 1, typology: None },
            Listed { score: 100, typology: Some(Typology::Fraud) },
            Listed { score: 60, typology: Some(Typology::DebtCollection) },
        ] {
            assert_eq!(Listed::from_wire(listed.to_wire()), Some(listed));
        }
        for wrong in [[0, 0], [101, 0], [50, 9], [50, 255]] {
            assert_eq!(Listed::from_wire(wrong), None);
        }
    }
}
