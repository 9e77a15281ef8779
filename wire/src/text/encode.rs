//! UTF-8 → octets, for peers, demonstrations and tests: a gateway forwards what came.

use core::fmt;

use encoding_rs::{EncoderResult, GB18030};

use super::Shifts;

/// Why a text can't be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodeError {
    /// The output is too small.
    BufferFull,
    /// The coding hasn't that character.
    Unmappable(char),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BufferFull => f.write_str("the output buffer is too small"),
            Self::Unmappable(character) => write!(f, "the coding hasn't {character:?}"),
        }
    }
}

impl core::error::Error for EncodeError {}

/// Encodes into septets, one an octet, and returns how many; [`pack`](super::pack) packs them.
///
/// # Errors
/// [`EncodeError`].
pub fn encode_gsm7(text: &str, shifts: Shifts, out: &mut [u8]) -> Result<usize, EncodeError> {
    const ESCAPE: u8 = 0x1B;
    let (locking, single) = shifts.tables();
    let mut writer = Octets { out, written: 0 };
    for character in text.chars() {
        let unit = u16::try_from(u32::from(character)).map_err(|_| EncodeError::Unmappable(character))?;
        let at = |table: &[u16; 128]| {
            (0u8..)
                .zip(table)
                .find(|&(septet, &entry)| entry == unit && septet != ESCAPE)
                .map(|(septet, _)| septet)
        };
        match (at(locking), at(single)) {
            (Some(septet), _) => writer.push(&[septet])?,
            (None, Some(septet)) if unit != 0 => writer.push(&[ESCAPE, septet])?,
            _ => return Err(EncodeError::Unmappable(character)),
        }
    }
    Ok(writer.written)
}

/// Encodes as UTF-16, big-endian, without a byte order mark.
///
/// # Errors
/// [`EncodeError::BufferFull`].
pub fn encode_ucs2(text: &str, out: &mut [u8]) -> Result<usize, EncodeError> {
    let mut writer = Octets { out, written: 0 };
    for unit in text.encode_utf16() {
        writer.push(&unit.to_be_bytes())?;
    }
    Ok(writer.written)
}

/// Encodes as ISO 8859-1; ASCII is part of it.
///
/// # Errors
/// [`EncodeError`].
pub fn encode_latin1(text: &str, out: &mut [u8]) -> Result<usize, EncodeError> {
    let mut writer = Octets { out, written: 0 };
    for character in text.chars() {
        let octet = u8::try_from(u32::from(character)).map_err(|_| EncodeError::Unmappable(character))?;
        writer.push(&[octet])?;
    }
    Ok(writer.written)
}

/// Encodes as GB 18030. The output needs 4 octets beyond the text.
///
/// # Errors
/// [`EncodeError`].
pub fn encode_gb18030(text: &str, out: &mut [u8]) -> Result<usize, EncodeError> {
    let mut encoder = GB18030.new_encoder();
    match encoder.encode_from_utf8_without_replacement(text, out, true) {
        (EncoderResult::InputEmpty, _, written) => Ok(written),
        (EncoderResult::OutputFull, _, _) => Err(EncodeError::BufferFull),
        (EncoderResult::Unmappable(character), _, _) => Err(EncodeError::Unmappable(character)),
    }
}

struct Octets<'o> {
    out: &'o mut [u8],
    written: usize,
}

impl Octets<'_> {
    fn push(&mut self, octets: &[u8]) -> Result<(), EncodeError> {
        let end = self.written + octets.len();
        self.out.get_mut(self.written..end).ok_or(EncodeError::BufferFull)?.copy_from_slice(octets);
        self.written = end;
        Ok(())
    }
}
