//! The header: what a list says about itself.

use super::{FORMAT_VERSION, NumbersError};
use crate::limits::{NUMBER_PALETTE_MAX, NUMBER_RANGES_MAX};
use crate::pack::read::{chunk, padded, text, u16_at, u32_at, u64_at};

/// The first bytes of every number list.
pub const MAGIC: [u8; 8] = *b"YUMENNUM";
/// Length of the header in bytes.
pub const HEADER_LEN: usize = 128;
/// Length of the signature in bytes.
pub const SIGNATURE_LEN: usize = 64;

const NAME_LEN: usize = 48;

/// The header of a list, readable before anything else is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Entries of the palette.
    pub palette: u16,
    /// Rises with every list of a name.
    pub serial: u64,
    /// Seconds since the Unix epoch.
    pub created_s: u64,
    /// Seconds since the Unix epoch; the list is refused from then on.
    pub expires_s: u64,
    /// Single numbers.
    pub entries: u64,
    /// Total length in bytes, signature included.
    pub total_len: u64,
    /// Where the first keys stand.
    pub index_at: u64,
    /// Number of blocks.
    pub blocks: u32,
    /// Number of ranges.
    pub ranges: u32,
    /// The first 8 bytes of the public key it is said to be signed with.
    pub key_id: [u8; 8],
    name: [u8; NAME_LEN],
}

/// Whether it is a name of a list, as conditions and configurations have it: 1 to 48 of a-z, 0-9, `-` and `_`.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let valid = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    (1..=NAME_LEN).contains(&name.len()) && name.bytes().all(valid)
}

impl Header {
    /// Where the header holds the key id.
    pub const KEY_ID_AT: usize = 120;
    /// The longest name in bytes.
    pub const NAME_LEN_MAX: usize = NAME_LEN;

    /// Of a list that isn't written yet: its lengths are 0. `None` where the name is none ([`is_name`]).
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let mut padded = [0; NAME_LEN];
        padded.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        is_name(name).then_some(Self {
            palette: 0,
            serial: 0,
            created_s: 0,
            expires_s: 0,
            entries: 0,
            total_len: 0,
            index_at: 0,
            blocks: 0,
            ranges: 0,
            key_id: [0; 8],
            name: padded,
        })
    }

    /// Reads the header and checks everything that needs no other part of the file than its length.
    ///
    /// # Errors
    /// [`NumbersError::Magic`], [`NumbersError::Length`], [`NumbersError::Format`], [`NumbersError::Header`].
    pub fn new_checked(bytes: &[u8]) -> Result<Self, NumbersError> {
        if !bytes.starts_with(&MAGIC) {
            return Err(NumbersError::Magic);
        }
        if bytes.len() < HEADER_LEN + SIGNATURE_LEN {
            return Err(NumbersError::Length);
        }
        let format = u16_at(bytes, 8);
        if format != FORMAT_VERSION {
            return Err(NumbersError::Format(format));
        }
        let header = Self::read(bytes);
        if usize::try_from(header.total_len) != Ok(bytes.len()) {
            return Err(NumbersError::Length);
        }
        let valid = u32_at(bytes, 12) == 0
            && (1..=NUMBER_PALETTE_MAX).contains(&header.palette)
            && header.ranges <= NUMBER_RANGES_MAX
            && header.index_at.is_multiple_of(8)
            && is_name(header.name())
            && padded(&header.name);
        if valid { Ok(header) } else { Err(NumbersError::Header) }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        text(&self.name)
    }

    /// To its bytes.
    #[must_use]
    pub fn emit(&self) -> [u8; HEADER_LEN] {
        let mut out = [0; HEADER_LEN];
        let mut put = |at: usize, bytes: &[u8]| {
            for (slot, byte) in out.iter_mut().skip(at).zip(bytes) {
                *slot = *byte;
            }
        };
        put(0, &MAGIC);
        put(8, &FORMAT_VERSION.to_le_bytes());
        put(10, &self.palette.to_le_bytes());
        put(16, &self.serial.to_le_bytes());
        put(24, &self.created_s.to_le_bytes());
        put(32, &self.expires_s.to_le_bytes());
        put(40, &self.entries.to_le_bytes());
        put(48, &self.name);
        put(96, &self.total_len.to_le_bytes());
        put(104, &self.index_at.to_le_bytes());
        put(112, &self.blocks.to_le_bytes());
        put(116, &self.ranges.to_le_bytes());
        put(Self::KEY_ID_AT, &self.key_id);
        out
    }

    fn read(bytes: &[u8]) -> Self {
        Self {
            palette: u16_at(bytes, 10),
            serial: u64_at(bytes, 16),
            created_s: u64_at(bytes, 24),
            expires_s: u64_at(bytes, 32),
            entries: u64_at(bytes, 40),
            total_len: u64_at(bytes, 96),
            index_at: u64_at(bytes, 104),
            blocks: u32_at(bytes, 112),
            ranges: u32_at(bytes, 116),
            key_id: chunk(bytes, Self::KEY_ID_AT),
            name: chunk(bytes, 48),
        }
    }
}
