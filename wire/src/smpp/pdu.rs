//! The header, and a whole PDU (SMPP 3.4 §3.2).

use super::{Body, CommandId, CommandStatus};
use crate::emit::Writer;
use crate::error::{EmitError, ParseError};
use crate::limits::SMPP_PDU_BYTES_MIN;

/// The header without its length, which follows from the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the PDU is.
    pub command_id: CommandId,
    /// How a request went; 0 in requests.
    pub command_status: CommandStatus,
    /// Pairs a response with its request.
    pub sequence_number: u32,
}

impl Header {
    /// The header of a request.
    #[must_use]
    pub const fn request(command_id: CommandId, sequence_number: u32) -> Self {
        Self { command_id, command_status: CommandStatus::ESME_ROK, sequence_number }
    }

    /// The header of the response to this request.
    #[must_use]
    pub const fn response(&self, command_status: CommandStatus) -> Self {
        Self { command_id: self.command_id.response(), command_status, sequence_number: self.sequence_number }
    }

    /// Writes it with a length of 0, which [`Writer::finish`] sets.
    pub(super) fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.u32(0)?;
        out.u32(self.command_id.0)?;
        out.u32(self.command_status.0)?;
        out.u32(self.sequence_number)
    }
}

/// One whole PDU.
#[derive(Clone, Copy, Debug)]
pub struct Pdu<'a> {
    octets: &'a [u8],
    header: Header,
}

impl<'a> Pdu<'a> {
    /// A view of `octets`, which are exactly one PDU.
    ///
    /// # Errors
    /// [`ParseError::Truncated`] below 16 octets, [`ParseError::LengthMismatch`] where `command_length` isn't the
    /// length of `octets`.
    #[inline]
    pub fn new_checked(octets: &'a [u8]) -> Result<Self, ParseError> {
        let Some((&header, _)) = octets.split_first_chunk::<SMPP_PDU_BYTES_MIN>() else {
            return Err(ParseError::Truncated);
        };
        let [l0, l1, l2, l3, i0, i1, i2, i3, s0, s1, s2, s3, n0, n1, n2, n3] = header;
        let announced = u32::from_be_bytes([l0, l1, l2, l3]);
        if usize::try_from(announced) != Ok(octets.len()) {
            return Err(ParseError::LengthMismatch { announced, actual: octets.len() });
        }
        let header = Header {
            command_id: CommandId(u32::from_be_bytes([i0, i1, i2, i3])),
            command_status: CommandStatus(u32::from_be_bytes([s0, s1, s2, s3])),
            sequence_number: u32::from_be_bytes([n0, n1, n2, n3]),
        };
        Ok(Self { octets, header })
    }

    /// The PDU as it came.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> Header {
        self.header
    }

    /// What the PDU is.
    #[must_use]
    pub const fn command_id(&self) -> CommandId {
        self.header.command_id
    }

    /// How a request went.
    #[must_use]
    pub const fn command_status(&self) -> CommandStatus {
        self.header.command_status
    }

    /// Pairs a response with its request.
    #[must_use]
    pub const fn sequence_number(&self) -> u32 {
        self.header.sequence_number
    }

    /// What follows the header.
    #[must_use]
    pub fn body_octets(&self) -> &'a [u8] {
        self.octets.get(SMPP_PDU_BYTES_MIN..).unwrap_or_default()
    }

    /// The meaning of the body.
    ///
    /// # Errors
    /// [`ParseError`] where a known command's body isn't laid out as §4 says.
    pub fn parse(&self) -> Result<Body<'a>, ParseError> {
        Body::parse(self)
    }
}
