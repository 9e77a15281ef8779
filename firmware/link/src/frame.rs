//! Frames on the line.
//!
//! ```text
//! frame = COBS(kind | session | sequence | message | CRC-32) | 0
//! ```
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 1 | 1 message, 2 acknowledgement |
//! | 1 | 4 | session: a number that the sender of the message chose when it started |
//! | 5 | 2 | sequence number of the message; rises by 1, and comes round |
//! | 7 | | the message; nothing in an acknowledgement |
//! | at the end | 4 | CRC-32 (ISO HDLC) of all before it |
//!
//! All integers are little endian.

use crc::{CRC_32_ISO_HDLC, Crc};
use heapless::Vec;

pub use crate::limits::MESSAGE_BYTES_MAX;

const CHECK: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
/// Bytes before the message.
const HEAD_BYTES: usize = 7;
const CHECK_BYTES: usize = 4;
const RECORD_BYTES_MAX: usize = HEAD_BYTES + MESSAGE_BYTES_MAX + CHECK_BYTES;
/// Bytes of a frame: COBS adds one in 254 and one more, and the end.
pub const FRAME_BYTES_MAX: usize = RECORD_BYTES_MAX + RECORD_BYTES_MAX / 254 + 2;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Message,
    Acknowledgement,
}

/// Before the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) kind: Kind,
    pub(crate) session: u32,
    pub(crate) sequence: u16,
}

pub(crate) type Frame = Vec<u8, FRAME_BYTES_MAX>;

/// A frame; `None` where the message is too long for it.
pub(crate) fn framed<const N: usize>(head: Head, message: &[u8]) -> Option<Vec<u8, N>> {
    let mut record = Vec::<u8, RECORD_BYTES_MAX>::new();
    let kind = match head.kind {
        Kind::Message => 1,
        Kind::Acknowledgement => 2,
    };
    record.push(kind).ok()?;
    record.extend_from_slice(&head.session.to_le_bytes()).ok()?;
    record.extend_from_slice(&head.sequence.to_le_bytes()).ok()?;
    record.extend_from_slice(message).ok()?;
    record.extend_from_slice(&CHECK.checksum(&record).to_le_bytes()).ok()?;
    let mut frame = Vec::<u8, N>::new();
    frame.resize_default(N).ok()?;
    let written = cobs::try_encode(&record, &mut frame).ok()?;
    if written >= N {
        return None;
    }
    frame.truncate(written);
    frame.push(0).ok()?;
    Some(frame)
}

/// Takes the bytes of a line apart into frames. What has a wrong check is dropped: it comes again.
#[derive(Debug)]
pub struct Frames {
    frame: Frame,
    record: [u8; FRAME_BYTES_MAX],
    is_too_long: bool,
}

impl Default for Frames {
    fn default() -> Self {
        Self::new()
    }
}

impl Frames {
    /// Empty.
    #[must_use]
    pub const fn new() -> Self {
        Self { frame: Frame::new(), record: [0; FRAME_BYTES_MAX], is_too_long: false }
    }

    /// Takes a byte; head and message where it ends a frame that is whole.
    pub(crate) fn push(&mut self, byte: u8) -> Option<(Head, &[u8])> {
        if byte != 0 {
            self.is_too_long |= self.frame.push(byte).is_err();
            return None;
        }
        let is_too_long = core::mem::take(&mut self.is_too_long);
        let decoded = cobs::decode(&self.frame, &mut self.record);
        self.frame.clear();
        if is_too_long {
            return None;
        }
        let length = decoded.ok()?.frame_size();
        let (record, check) = self.record.get(..length)?.split_last_chunk::<CHECK_BYTES>()?;
        if CHECK.checksum(record) != u32::from_le_bytes(*check) {
            return None;
        }
        let ([kind, s0, s1, s2, s3, q0, q1], message) = record.split_first_chunk::<HEAD_BYTES>()?;
        let head = Head {
            kind: match kind {
                1 => Kind::Message,
                2 => Kind::Acknowledgement,
                _ => return None,
            },
            session: u32::from_le_bytes([*s0, *s1, *s2, *s3]),
            sequence: u16::from_le_bytes([*q0, *q1]),
        };
        Some((head, message))
    }
}
