//! What can be wrong with bytes from outside, and with values on their way out.

use core::fmt;

/// Why a PDU can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// A field ends after the PDU does.
    Truncated,
    /// A C-octet string without its NUL.
    Unterminated,
    /// The length field says `announced` octets, the PDU has `actual`.
    LengthMismatch {
        /// From the length field.
        announced: u32,
        /// Octets handed in.
        actual: usize,
    },
    /// The PDU is of another kind than asked for.
    WrongCommand(u32),
    /// A `dest_flag` that is neither an address (1) nor a distribution list (2).
    DestinationFlag(u8),
    /// Octets are left after the last field of a PDU that has no open end.
    TrailingOctets(usize),
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Truncated => f.write_str("a field ends after the PDU does"),
            Self::Unterminated => f.write_str("a C-octet string has no NUL"),
            Self::LengthMismatch { announced, actual } => {
                write!(f, "the length field says {announced} octets, the PDU has {actual}")
            }
            Self::WrongCommand(id) => write!(f, "command {id:#010x} isn't the one asked for"),
            Self::DestinationFlag(flag) => write!(f, "destination flag {flag} isn't defined"),
            Self::TrailingOctets(count) => write!(f, "{count} octets follow the last field"),
        }
    }
}

impl core::error::Error for ParseError {}

/// Every parser of this crate reads complete PDUs, so whatever nom itself finds is an end that came too early.
impl nom::error::ParseError<&[u8]> for ParseError {
    fn from_error_kind(_: &[u8], _: nom::error::ErrorKind) -> Self {
        Self::Truncated
    }

    fn append(_: &[u8], _: nom::error::ErrorKind, other: Self) -> Self {
        other
    }
}

impl From<nom::Err<Self>> for ParseError {
    fn from(error: nom::Err<Self>) -> Self {
        match error {
            nom::Err::Error(defect) | nom::Err::Failure(defect) => defect,
            nom::Err::Incomplete(_) => Self::Truncated,
        }
    }
}

/// Why a value can't be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmitError {
    /// The buffer handed in is too small.
    BufferFull,
    /// The named field is longer than the wire allows.
    TooLong(&'static str),
    /// The named C-octet string holds a NUL.
    HoldsNul(&'static str),
    /// The named field of this value doesn't exist in the protocol version asked for.
    NotInVersion(&'static str),
}

impl fmt::Display for EmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::BufferFull => f.write_str("the output buffer is too small"),
            Self::TooLong(field) => write!(f, "{field} is longer than the wire allows"),
            Self::HoldsNul(field) => write!(f, "{field} holds a NUL"),
            Self::NotInVersion(field) => write!(f, "{field} doesn't exist in this version"),
        }
    }
}

impl core::error::Error for EmitError {}
