//! The header: what a pack says about itself.

use super::read::{chunk, padded, text, u16_at, u32_at, u64_at};
use super::{ENGINE_VERSION, FORMAT_VERSION, PackError};
use crate::engine::FOLD_VERSION;
use crate::limits::{PACK_BYTES_MAX, SECTIONS_MAX};

/// The first bytes of every pack.
pub const MAGIC: [u8; 8] = *b"YUMENPCK";
/// Length of the header in bytes.
pub const HEADER_LEN: usize = 128;
/// Length of an entry of the section table in bytes.
pub const SECTION_ENTRY_LEN: usize = 16;
/// Length of the signature in bytes.
pub const SIGNATURE_LEN: usize = 64;

const CHANNEL_AT: usize = 48;
const CHANNEL_LEN: usize = 16;
const NAME_AT: usize = 64;
const NAME_LEN: usize = 48;
const KEY_ID_AT: usize = 112;

/// The header of a pack, readable before anything else is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Number of sections.
    pub sections: u16,
    /// Total length in bytes, signature included.
    pub total_len: u32,
    /// Rises with every pack of a name and channel.
    pub serial: u64,
    /// Seconds since the Unix epoch.
    pub created_s: u64,
    /// Seconds since the Unix epoch; the pack is refused from then on.
    pub expires_s: u64,
    /// The oldest engine that understands it.
    pub engine_version: u16,
    /// The folding tables its literals went through.
    pub fold_version: u16,
    /// The first 8 bytes of the public key it is said to be signed with.
    pub key_id: [u8; 8],
    channel: [u8; CHANNEL_LEN],
    name: [u8; NAME_LEN],
}

impl Header {
    /// Where the header holds the key id.
    pub const KEY_ID_AT: usize = KEY_ID_AT;
    /// The longest channel in bytes.
    pub const CHANNEL_LEN_MAX: usize = CHANNEL_LEN;
    /// The longest name in bytes.
    pub const NAME_LEN_MAX: usize = NAME_LEN;

    /// Reads the header and checks everything that needs no other part of the file than its length.
    ///
    /// # Errors
    /// [`PackError::Magic`], [`PackError::Length`], [`PackError::TooLarge`], [`PackError::Format`], [`PackError::Engine`],
    /// [`PackError::Fold`], [`PackError::Header`].
    pub fn new_checked(bytes: &[u8]) -> Result<Self, PackError> {
        if bytes.len() > PACK_BYTES_MAX {
            return Err(PackError::TooLarge);
        }
        if !bytes.starts_with(&MAGIC) {
            return Err(PackError::Magic);
        }
        if bytes.len() < HEADER_LEN + SIGNATURE_LEN {
            return Err(PackError::Length);
        }
        let format = u16_at(bytes, 8);
        if format != FORMAT_VERSION {
            return Err(PackError::Format(format));
        }
        let header = Self::read(bytes);
        if header.total_len as usize != bytes.len() {
            return Err(PackError::Length);
        }
        if header.engine_version > ENGINE_VERSION {
            return Err(PackError::Engine(header.engine_version));
        }
        if u32::from(header.fold_version) != FOLD_VERSION {
            return Err(PackError::Fold(header.fold_version));
        }
        let reserved = u32_at(bytes, 44) != 0 || u64_at(bytes, 120) != 0;
        if reserved
            || usize::from(header.sections) > SECTIONS_MAX
            || !padded(&header.channel)
            || !padded(&header.name)
        {
            return Err(PackError::Header);
        }
        Ok(header)
    }

    /// The release channel.
    #[must_use]
    pub fn channel(&self) -> &str {
        text(&self.channel)
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        text(&self.name)
    }

    fn read(bytes: &[u8]) -> Self {
        Self {
            sections: u16_at(bytes, 10),
            total_len: u32_at(bytes, 12),
            serial: u64_at(bytes, 16),
            created_s: u64_at(bytes, 24),
            expires_s: u64_at(bytes, 32),
            engine_version: u16_at(bytes, 40),
            fold_version: u16_at(bytes, 42),
            key_id: chunk(bytes, KEY_ID_AT),
            channel: chunk(bytes, CHANNEL_AT),
            name: chunk(bytes, NAME_AT),
        }
    }
}
