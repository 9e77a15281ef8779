//! Results and statuses: one octet in 2.0, four in 3.0.

use super::Version;
use crate::emit::Writer;
use crate::error::EmitError;

/// A `Result`, `Status` or `Success_Id`, as wide as it came. Peers use the other version's width now and then (C-9), so
/// it is read by the PDU's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// 2.0.
    Narrow(u8),
    /// 3.0.
    Wide(u32),
}

impl Code {
    /// As wide as `version` has it; a value above 255 is 255 in 2.0.
    #[must_use]
    pub fn new(version: Version, value: u32) -> Self {
        match version {
            Version::V2 => Self::Narrow(u8::try_from(value).unwrap_or(u8::MAX)),
            Version::V3 => Self::Wide(value),
        }
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> u32 {
        match self {
            Self::Narrow(value) => value as u32,
            Self::Wide(value) => value,
        }
    }

    /// Success.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        self.value() == 0
    }

    /// One or four octets.
    pub(super) const fn from_octets(octets: &[u8]) -> Option<Self> {
        match *octets {
            [value] => Some(Self::Narrow(value)),
            [a, b, c, d] => Some(Self::Wide(u32::from_be_bytes([a, b, c, d]))),
            _ => None,
        }
    }

    pub(super) fn emit(self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        match self {
            Self::Narrow(value) => out.u8(value),
            Self::Wide(value) => out.u32(value),
        }
    }
}

/// `Result` of SUBMIT_RESP, DELIVER_RESP and FWD_RESP. 10 to 13 are 3.0's; 100 to 199 are the vendor's.
pub mod result {
    /// Taken.
    pub const OK: u32 = 0;
    /// Bad structure.
    pub const BAD_STRUCTURE: u32 = 1;
    /// Bad command.
    pub const BAD_COMMAND: u32 = 2;
    /// Duplicate `Sequence_Id`.
    pub const DUPLICATE_SEQUENCE: u32 = 3;
    /// Bad length.
    pub const BAD_LENGTH: u32 = 4;
    /// Bad fee code.
    pub const BAD_FEE_CODE: u32 = 5;
    /// The message is too long.
    pub const TOO_LONG: u32 = 6;
    /// Bad service code.
    pub const BAD_SERVICE: u32 = 7;
    /// Too fast: the sender tries again.
    pub const FLOW_CONTROL: u32 = 8;
    /// SUBMIT: this ISMG doesn't serve that charged number; FWD: wrong forwarding; DELIVER: another error.
    pub const OTHER: u32 = 9;
    /// Bad `Src_Id`.
    pub const BAD_SRC_ID: u32 = 10;
    /// Bad `Msg_src`.
    pub const BAD_MSG_SRC: u32 = 11;
    /// Bad `Fee_terminal_Id`.
    pub const BAD_FEE_TERMINAL: u32 = 12;
    /// Bad `Dest_terminal_Id`.
    pub const BAD_DEST_TERMINAL: u32 = 13;
}

/// `Status` of CONNECT_RESP; 5 and above: other errors.
pub mod status {
    /// Connected.
    pub const OK: u32 = 0;
    /// Bad structure.
    pub const BAD_STRUCTURE: u32 = 1;
    /// Bad source address.
    pub const BAD_SOURCE: u32 = 2;
    /// Authentication failed.
    pub const BAD_DIGEST: u32 = 3;
    /// The version is too high.
    pub const VERSION_TOO_HIGH: u32 = 4;
}
