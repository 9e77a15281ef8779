//! Finding PDUs in a byte stream.
//!
//! SMPP, CMPP, SMGP and SGIP all start a PDU with its length in four octets, big-endian, that counts itself.

use core::fmt;

use crate::limits::{
    CMPP_PDU_BYTES_MAX, CMPP_PDU_BYTES_MIN, SGIP_PDU_BYTES_MAX, SGIP_PDU_BYTES_MIN, SMGP_PDU_BYTES_MAX,
    SMGP_PDU_BYTES_MIN, SMPP_PDU_BYTES_MAX, SMPP_PDU_BYTES_MIN,
};

/// What the start of a stream holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Not yet a whole PDU: at least `missing` more octets are needed.
    NeedMore {
        /// Octets, never 0.
        missing: usize,
    },
    /// The first that many octets are one PDU.
    Whole(usize),
}

/// A length field that can't be. The stream can't be followed any further: the session ends with its protocol's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// Shorter than a header.
    TooShort {
        /// Octets, from the length field.
        announced: u32,
    },
    /// Longer than the session takes.
    TooLong {
        /// Octets, from the length field.
        announced: u32,
        /// Octets.
        limit: usize,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooShort { announced } => write!(f, "a PDU of {announced} octets is shorter than a header"),
            Self::TooLong { announced, limit } => {
                write!(f, "a PDU of {announced} octets is longer than the limit of {limit}")
            }
        }
    }
}

impl core::error::Error for FrameError {}

/// How a protocol frames its PDUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    header_bytes: usize,
    pdu_bytes_max: usize,
}

impl Framing {
    /// SMPP 3.4 §3.2 (and 5.0).
    pub const SMPP: Self = Self { header_bytes: SMPP_PDU_BYTES_MIN, pdu_bytes_max: SMPP_PDU_BYTES_MAX };

    /// CMPP 2.0 and 3.0.
    pub const CMPP: Self = Self { header_bytes: CMPP_PDU_BYTES_MIN, pdu_bytes_max: CMPP_PDU_BYTES_MAX };

    /// SMGP.
    pub const SMGP: Self = Self { header_bytes: SMGP_PDU_BYTES_MIN, pdu_bytes_max: SMGP_PDU_BYTES_MAX };

    /// SGIP.
    pub const SGIP: Self = Self { header_bytes: SGIP_PDU_BYTES_MIN, pdu_bytes_max: SGIP_PDU_BYTES_MAX };

    /// The same framing with a limit of its own, octets of a whole PDU. Never below the header.
    #[must_use]
    pub const fn with_limit(self, pdu_bytes_max: usize) -> Self {
        let pdu_bytes_max = if pdu_bytes_max < self.header_bytes { self.header_bytes } else { pdu_bytes_max };
        Self { pdu_bytes_max, ..self }
    }

    /// Octets of the longest PDU that is taken.
    #[must_use]
    pub const fn pdu_bytes_max(self) -> usize {
        self.pdu_bytes_max
    }

    /// Finds the PDU that `stream` starts with. A length is judged as soon as its four octets are there.
    ///
    /// # Errors
    /// [`FrameError`] where the length field can't be.
    #[inline]
    pub const fn frame(self, stream: &[u8]) -> Result<Frame, FrameError> {
        let Some(field) = stream.first_chunk::<4>() else {
            return Ok(Frame::NeedMore { missing: 4 - stream.len() });
        };
        let announced = u32::from_be_bytes(*field);
        let length = announced as usize;
        if length < self.header_bytes {
            return Err(FrameError::TooShort { announced });
        }
        if length > self.pdu_bytes_max {
            return Err(FrameError::TooLong { announced, limit: self.pdu_bytes_max });
        }
        if stream.len() < length {
            return Ok(Frame::NeedMore { missing: length - stream.len() });
        }
        Ok(Frame::Whole(length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_judged_before_the_body_arrives() {
        let frame = |stream: &[u8]| Framing::SMPP.with_limit(100).frame(stream);
        assert_eq!(frame(&[]), Ok(Frame::NeedMore { missing: 4 }));
        assert_eq!(frame(&[0, 0, 0]), Ok(Frame::NeedMore { missing: 1 }));
        assert_eq!(frame(&[0, 0, 0, 15]), Err(FrameError::TooShort { announced: 15 }));
        assert_eq!(frame(&[0, 0, 0, 16]), Ok(Frame::NeedMore { missing: 12 }));
        assert_eq!(frame(&[0, 0, 0, 101]), Err(FrameError::TooLong { announced: 101, limit: 100 }));
        assert_eq!(frame(&[0xFF; 4]), Err(FrameError::TooLong { announced: u32::MAX, limit: 100 }));
    }

    #[test]
    fn one_pdu_is_found_in_front_of_the_next() {
        let mut stream = [0; 40];
        stream[3] = 16;
        assert_eq!(Framing::SMPP.frame(&stream), Ok(Frame::Whole(16)));
        stream[3] = 12;
        assert_eq!(Framing::CMPP.frame(&stream), Ok(Frame::Whole(12)));
    }

    #[test]
    fn a_limit_below_the_header_still_takes_the_header() {
        assert_eq!(Framing::CMPP.with_limit(0).pdu_bytes_max(), 12);
    }
}
