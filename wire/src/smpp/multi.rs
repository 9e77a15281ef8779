//! `submit_multi` and its response (SMPP 3.4 §4.5).

use super::sm::{address, emit_address, tail};
use super::{CommandStatus, Sm, Tlvs};
use crate::address::RawAddress;
use crate::emit::Writer;
use crate::error::{EmitError, ParseError};
use crate::octets::{Step, be_u32, c_string, u8};

const FLAG_ADDRESS: u8 = 1;
const FLAG_LIST: u8 = 2;

/// One destination of a `submit_multi` (§4.5.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination<'a> {
    /// A subscriber.
    Address(RawAddress<'a>),
    /// A distribution list stored at the centre.
    List(&'a [u8]),
}

impl Destination<'_> {
    /// Writes it with its flag.
    ///
    /// # Errors
    /// [`EmitError::HoldsNul`], [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        match self {
            Self::Address(to) => {
                out.u8(FLAG_ADDRESS)?;
                emit_address(out, "destination_addr", *to)
            }
            Self::List(name) => {
                out.u8(FLAG_LIST)?;
                out.c_string("dl_name", name)
            }
        }
    }
}

/// The destinations of a `submit_multi`, checked: as many as announced, each whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Destinations<'a> {
    count: u8,
    octets: &'a [u8],
}

impl<'a> Destinations<'a> {
    /// Writes `destinations` into `out`, so that a PDU can be made with them.
    ///
    /// # Errors
    /// [`EmitError::TooLong`] above 255 of them; as [`Destination::emit`].
    pub fn build(destinations: &[Destination<'_>], out: &'a mut [u8]) -> Result<Self, EmitError> {
        let count = u8::try_from(destinations.len()).map_err(|_| EmitError::TooLong("dest_address"))?;
        let mut writer = Writer::new(out);
        for destination in destinations {
            destination.emit(&mut writer)?;
        }
        let written = writer.written();
        Ok(Self { count, octets: out.get(..written).unwrap_or_default() })
    }

    /// How many.
    #[must_use]
    pub const fn count(&self) -> u8 {
        self.count
    }

    pub(super) fn parse(input: &'a [u8]) -> Step<'a, Self> {
        let (start, count) = u8(input)?;
        let mut rest = start;
        for _ in 0..count {
            (rest, _) = destination(rest)?;
        }
        let octets = start.get(..start.len() - rest.len()).unwrap_or_default();
        Ok((rest, Self { count, octets }))
    }
}

impl<'a> IntoIterator for Destinations<'a> {
    type Item = Destination<'a>;
    type IntoIter = DestinationIter<'a>;

    fn into_iter(self) -> DestinationIter<'a> {
        DestinationIter { rest: self.octets }
    }
}

/// Iterates over the destinations of a `submit_multi`.
#[derive(Clone, Debug)]
pub struct DestinationIter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for DestinationIter<'a> {
    type Item = Destination<'a>;

    fn next(&mut self) -> Option<Destination<'a>> {
        let (rest, destination) = destination(self.rest).ok()?;
        self.rest = rest;
        Some(destination)
    }
}

fn destination(input: &[u8]) -> Step<'_, Destination<'_>> {
    let (rest, flag) = u8(input)?;
    match flag {
        FLAG_ADDRESS => address(rest).map(|(rest, to)| (rest, Destination::Address(to))),
        FLAG_LIST => c_string(rest).map(|(rest, name)| (rest, Destination::List(name))),
        other => Err(nom::Err::Error(ParseError::DestinationFlag(other))),
    }
}

/// `submit_multi`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubmitMulti<'a> {
    /// Who receives.
    pub destinations: Destinations<'a>,
    /// All other fields, which are those of a `submit_sm`; its `destination` is left empty.
    pub sm: Sm<'a>,
}

impl<'a> SubmitMulti<'a> {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`], [`ParseError::Unterminated`], [`ParseError::DestinationFlag`].
    pub fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let (rest, service_type) = c_string(body)?;
        let (rest, source) = address(rest)?;
        let (rest, destinations) = Destinations::parse(rest)?;
        let (rest, tail) = tail(rest)?;
        Ok(Self { destinations, sm: Sm { service_type, source, tlvs: Tlvs::new(rest), ..tail } })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::HoldsNul`], [`EmitError::TooLong`], [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.c_string("service_type", self.sm.service_type)?;
        emit_address(out, "source_addr", self.sm.source)?;
        out.u8(self.destinations.count)?;
        out.octets(self.destinations.octets)?;
        self.sm.emit_tail(out)
    }
}

/// A destination that a `submit_multi` didn't reach (§4.5.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsuccessful<'a> {
    /// Who.
    pub destination: RawAddress<'a>,
    /// Why.
    pub status: CommandStatus,
}

/// Destinations that a `submit_multi` didn't reach, checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnsuccessfulSmes<'a> {
    count: u8,
    octets: &'a [u8],
}

impl<'a> UnsuccessfulSmes<'a> {
    /// Writes `failed` into `out`, so that a PDU can be made with them.
    ///
    /// # Errors
    /// [`EmitError::TooLong`] above 255 of them; [`EmitError::HoldsNul`], [`EmitError::BufferFull`].
    pub fn build(failed: &[Unsuccessful<'_>], out: &'a mut [u8]) -> Result<Self, EmitError> {
        let count = u8::try_from(failed.len()).map_err(|_| EmitError::TooLong("unsuccess_sme"))?;
        let mut writer = Writer::new(out);
        for sme in failed {
            emit_address(&mut writer, "destination_addr", sme.destination)?;
            writer.u32(sme.status.0)?;
        }
        let written = writer.written();
        Ok(Self { count, octets: out.get(..written).unwrap_or_default() })
    }

    /// How many.
    #[must_use]
    pub const fn count(&self) -> u8 {
        self.count
    }

    fn parse(input: &'a [u8]) -> Step<'a, Self> {
        let (start, count) = u8(input)?;
        let mut rest = start;
        for _ in 0..count {
            (rest, _) = unsuccessful(rest)?;
        }
        let octets = start.get(..start.len() - rest.len()).unwrap_or_default();
        Ok((rest, Self { count, octets }))
    }
}

impl<'a> IntoIterator for UnsuccessfulSmes<'a> {
    type Item = Unsuccessful<'a>;
    type IntoIter = UnsuccessfulIter<'a>;

    fn into_iter(self) -> UnsuccessfulIter<'a> {
        UnsuccessfulIter { rest: self.octets }
    }
}

/// Iterates over the destinations that weren't reached.
#[derive(Clone, Debug)]
pub struct UnsuccessfulIter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for UnsuccessfulIter<'a> {
    type Item = Unsuccessful<'a>;

    fn next(&mut self) -> Option<Unsuccessful<'a>> {
        let (rest, sme) = unsuccessful(self.rest).ok()?;
        self.rest = rest;
        Some(sme)
    }
}

fn unsuccessful(input: &[u8]) -> Step<'_, Unsuccessful<'_>> {
    let (rest, destination) = address(input)?;
    let (rest, status) = be_u32(rest)?;
    Ok((rest, Unsuccessful { destination, status: CommandStatus(status) }))
}

/// `submit_multi_resp` (§4.5.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubmitMultiResp<'a> {
    /// The centre's id for the message; `None` for a response that ends with its header.
    pub message_id: Option<&'a [u8]>,
    /// Who wasn't reached.
    pub unsuccessful: UnsuccessfulSmes<'a>,
    /// Optional parameters.
    pub tlvs: Tlvs<'a>,
}

impl<'a> SubmitMultiResp<'a> {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`], [`ParseError::Unterminated`].
    pub fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        let (rest, message_id) = c_string(body)?;
        let (rest, unsuccessful) = UnsuccessfulSmes::parse(rest)?;
        Ok(Self { message_id: Some(message_id), unsuccessful, tlvs: Tlvs::new(rest) })
    }

    /// Writes what follows the header. Without `message_id` nothing is written.
    ///
    /// # Errors
    /// [`EmitError::HoldsNul`], [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        let Some(message_id) = self.message_id else { return Ok(()) };
        out.c_string("message_id", message_id)?;
        out.u8(self.unsuccessful.count)?;
        out.octets(self.unsuccessful.octets)?;
        out.octets(self.tlvs.octets())
    }
}
