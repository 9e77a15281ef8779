//! The header, and a whole PDU.

use super::{Body, CommandId, Version};
use crate::emit::Writer;
use crate::error::{EmitError, ParseError};
use crate::limits::SMGP_PDU_BYTES_MIN;

/// The header without its length, which follows from the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the PDU is.
    pub command_id: CommandId,
    /// Pairs a response with its request.
    pub sequence_id: u32,
}

impl Header {
    /// A header.
    #[must_use]
    pub const fn new(command_id: CommandId, sequence_id: u32) -> Self {
        Self { command_id, sequence_id }
    }

    /// The header of the response to this request.
    #[must_use]
    pub const fn response(&self) -> Self {
        Self { command_id: self.command_id.response(), sequence_id: self.sequence_id }
    }

    /// Writes it with a length of 0, which [`Writer::finish`] sets.
    pub(super) fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.u32(0)?;
        out.u32(self.command_id.0)?;
        out.u32(self.sequence_id)
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
    /// [`ParseError::Truncated`] below 12 octets, [`ParseError::LengthMismatch`] where `PacketLength` isn't the length
    /// of `octets`.
    #[inline]
    pub fn new_checked(octets: &'a [u8]) -> Result<Self, ParseError> {
        let Some((&header, _)) = octets.split_first_chunk::<SMGP_PDU_BYTES_MIN>() else {
            return Err(ParseError::Truncated);
        };
        let [l0, l1, l2, l3, i0, i1, i2, i3, s0, s1, s2, s3] = header;
        let announced = u32::from_be_bytes([l0, l1, l2, l3]);
        if usize::try_from(announced) != Ok(octets.len()) {
            return Err(ParseError::LengthMismatch { announced, actual: octets.len() });
        }
        let header = Header {
            command_id: CommandId(u32::from_be_bytes([i0, i1, i2, i3])),
            sequence_id: u32::from_be_bytes([s0, s1, s2, s3]),
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

    /// Pairs a response with its request.
    #[must_use]
    pub const fn sequence_id(&self) -> u32 {
        self.header.sequence_id
    }

    /// What follows the header.
    #[must_use]
    pub fn body_octets(&self) -> &'a [u8] {
        self.octets.get(SMGP_PDU_BYTES_MIN..).unwrap_or_default()
    }

    /// The meaning of the body, laid out as `version` has it.
    ///
    /// # Errors
    /// [`ParseError`] where the body isn't laid out so.
    pub fn parse(&self, version: Version) -> Result<Body<'a>, ParseError> {
        Body::parse(self, version)
    }
}
