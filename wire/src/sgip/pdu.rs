//! The header, and a whole PDU.

use super::{Body, CommandId};
use crate::emit::Writer;
use crate::error::{EmitError, ParseError};
use crate::limits::SGIP_PDU_BYTES_MIN;
use crate::octets::{Step, be_u32};

/// A sequence number: three words, repeated by the response and by every relay. The time stays a number, it needn't be
/// a date (G-5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sequence {
    /// The node where the command originated; not always the TCP peer.
    pub node: u32,
    /// mmddhhmmss as a decimal number.
    pub time: u32,
    /// Counts within the time, wrapping.
    pub count: u32,
}

impl Sequence {
    pub(super) fn parse(input: &[u8]) -> Step<'_, Self> {
        let (rest, node) = be_u32(input)?;
        let (rest, time) = be_u32(rest)?;
        let (rest, count) = be_u32(rest)?;
        Ok((rest, Self { node, time, count }))
    }

    pub(super) fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.u32(self.node)?;
        out.u32(self.time)?;
        out.u32(self.count)
    }
}

/// The header without its length, which follows from the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the PDU is.
    pub command_id: CommandId,
    /// Pairs a response with its request, and names the message.
    pub sequence: Sequence,
}

impl Header {
    /// A header.
    #[must_use]
    pub const fn new(command_id: CommandId, sequence: Sequence) -> Self {
        Self { command_id, sequence }
    }

    /// The header of the response to this request.
    #[must_use]
    pub const fn response(&self) -> Self {
        Self { command_id: self.command_id.response(), sequence: self.sequence }
    }

    /// Writes it with a length of 0, which [`Writer::finish`] sets.
    pub(super) fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.u32(0)?;
        out.u32(self.command_id.0)?;
        self.sequence.emit(out)
    }
}

/// One whole PDU.
#[derive(Clone, Copy, Debug)]
pub struct Pdu<'a> {
    octets: &'a [u8],
    header: Header,
    body: &'a [u8],
}

impl<'a> Pdu<'a> {
    /// A view of `octets`, which are exactly one PDU.
    ///
    /// # Errors
    /// [`ParseError::Truncated`] below 20 octets, [`ParseError::LengthMismatch`] where `Message Length` isn't the length
    /// of `octets`.
    #[inline]
    pub fn new_checked(octets: &'a [u8]) -> Result<Self, ParseError> {
        if octets.len() < SGIP_PDU_BYTES_MIN {
            return Err(ParseError::Truncated);
        }
        let (rest, announced) = be_u32::<_, ParseError>(octets)?;
        if usize::try_from(announced) != Ok(octets.len()) {
            return Err(ParseError::LengthMismatch { announced, actual: octets.len() });
        }
        let (rest, command_id) = be_u32::<_, ParseError>(rest)?;
        let (body, sequence) = Sequence::parse(rest)?;
        Ok(Self { octets, header: Header { command_id: CommandId(command_id), sequence }, body })
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
    pub const fn sequence(&self) -> Sequence {
        self.header.sequence
    }

    /// What follows the header.
    #[must_use]
    pub const fn body_octets(&self) -> &'a [u8] {
        self.body
    }

    /// The meaning of the body.
    ///
    /// # Errors
    /// [`ParseError`] where a known command's body isn't laid out as the specification says.
    pub fn parse(&self) -> Result<Body<'a>, ParseError> {
        Body::parse(self)
    }
}
