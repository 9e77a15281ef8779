//! An image of the device's program, as it lies in a slot.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 8 | magic `YUMENFW1` |
//! | 8 | 4 | length of all of it in bytes, signature included; little endian |
//! | 12 | 4 | version; only rises |
//! | 16 | 16 | the board it runs on, UTF-8, padded with NUL |
//! | 32 | 4 | address that it is linked for |
//! | 36 | 28 | 0 |
//! | 64 | | the program, from its vector table on |
//! | at the end | 64 | Ed25519 over every byte before it |

use crate::signature::{SIGNATURE_LEN, verified};

/// The first bytes.
pub const MAGIC: [u8; 8] = *b"YUMENFW1";
/// Length of the header in bytes.
pub const HEADER_LEN: usize = 64;
/// Length of a board's name in bytes.
pub const BOARD_LEN: usize = 16;

/// A verified image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image<'b> {
    /// Its version.
    pub version: u32,
    /// The address that it is linked for.
    pub address: u32,
    /// The program.
    pub program: &'b [u8],
}

/// The header of an image, before its program.
#[must_use]
pub fn header(board: &str, version: u32, address: u32, program_len: u32) -> [u8; HEADER_LEN] {
    let mut head = [0; HEADER_LEN];
    let extra = HEADER_LEN + SIGNATURE_LEN;
    let length = program_len.saturating_add(u32::try_from(extra).unwrap_or(u32::MAX));
    let parts = [
        (0, &MAGIC[..]),
        (8, &length.to_le_bytes()),
        (12, &version.to_le_bytes()),
        (16, board.as_bytes()),
        (32, &address.to_le_bytes()),
    ];
    for (at, part) in parts {
        let room = if at == 16 { BOARD_LEN } else { part.len() };
        for (slot, byte) in head.iter_mut().skip(at).take(room).zip(part) {
            *slot = *byte;
        }
    }
    head
}

impl<'b> Image<'b> {
    /// The image that a slot begins with, where it is whole, for this board, and signed by `key`.
    #[must_use]
    pub fn in_slot(slot: &'b [u8], board: &str, key: &[u8; 32]) -> Option<Self> {
        let length = length(slot)?;
        let bytes = slot.get(..length)?;
        let named = bytes.get(16..16 + BOARD_LEN)?;
        let end = named.iter().position(|&byte| byte == 0).unwrap_or(BOARD_LEN);
        if named.get(..end)? != board.as_bytes() {
            return None;
        }
        let signed = verified(bytes, key)?;
        Some(Self {
            version: u32_at(signed, 12)?,
            address: u32_at(signed, 32)?,
            program: signed.get(HEADER_LEN..)?,
        })
    }
}

/// The length that the header of a slot's image names.
#[must_use]
pub fn length(slot: &[u8]) -> Option<usize> {
    if slot.first_chunk() != Some(&MAGIC) {
        return None;
    }
    let length = usize::try_from(u32_at(slot, 8)?).ok()?;
    (length >= HEADER_LEN + SIGNATURE_LEN).then_some(length)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}
