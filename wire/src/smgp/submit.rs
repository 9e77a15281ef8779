//! Submit, and the response that Submit and Deliver share.

use super::{Tlvs, Version};
use crate::emit::Writer;
use crate::error::{EmitError, ParseError};
use crate::octets::{Step, array, be_u32, counted, end, octets, u8};

/// A `MsgID`: BCD in the specification, any octets in the field, so opaque (M-2).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct MsgId(pub [u8; 10]);

impl core::fmt::Debug for MsgId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// Submit. Octet strings are as on the wire, padding included; shorter ones are filled with NUL on the right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Submit<'a> {
    /// 0 MO, 6 MT, 7 point to point.
    pub msg_type: u8,
    /// 0 no report, 1 report.
    pub need_report: u8,
    /// 0 to 3.
    pub priority: u8,
    /// 10 octets.
    pub service_id: &'a [u8],
    /// 2 octets.
    pub fee_type: &'a [u8],
    /// 6 octets.
    pub fee_code: &'a [u8],
    /// 6 octets; empty in 1.3 (M-4).
    pub fixed_fee: &'a [u8],
    /// How the text is coded.
    pub msg_format: u8,
    /// 17 octets.
    pub valid_time: &'a [u8],
    /// 17 octets.
    pub at_time: &'a [u8],
    /// The sender, 21 octets.
    pub src_term_id: &'a [u8],
    /// Who is charged, 21 octets.
    pub charge_term_id: &'a [u8],
    /// How many destinations.
    pub destination_count: u8,
    /// Their numbers, 21 octets each.
    pub destinations: &'a [u8],
    /// Up to 255 octets.
    pub msg_content: &'a [u8],
    /// 8 octets.
    pub reserve: [u8; 8],
    /// Optional parameters.
    pub tlvs: Tlvs<'a>,
}

pub(super) const NUMBER_BYTES: usize = 21;

impl<'a> Submit<'a> {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`].
    pub fn parse(body: &'a [u8], version: Version) -> Result<Self, ParseError> {
        let (rest, [msg_type, need_report, priority]) = array(body)?;
        let (rest, service_id) = octets(rest, 10)?;
        let (rest, fee_type) = octets(rest, 2)?;
        let (rest, fee_code) = octets(rest, 6)?;
        let (rest, fixed_fee) = fixed_fee(rest, version)?;
        let (rest, msg_format) = u8(rest)?;
        let (rest, valid_time) = octets(rest, 17)?;
        let (rest, at_time) = octets(rest, 17)?;
        let (rest, src_term_id) = octets(rest, NUMBER_BYTES)?;
        let (rest, charge_term_id) = octets(rest, NUMBER_BYTES)?;
        let (rest, destination_count) = u8(rest)?;
        let (rest, destinations) = octets(rest, NUMBER_BYTES * usize::from(destination_count))?;
        let (rest, msg_content) = counted(rest)?;
        let (rest, reserve) = array(rest)?;
        Ok(Self {
            msg_type,
            need_report,
            priority,
            service_id,
            fee_type,
            fee_code,
            fixed_fee,
            msg_format,
            valid_time,
            at_time,
            src_term_id,
            charge_term_id,
            destination_count,
            destinations,
            msg_content,
            reserve,
            tlvs: Tlvs::new(rest),
        })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::TooLong`]; [`EmitError::NotInVersion`] for a `fixed_fee` in 1.3; [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>, version: Version) -> Result<(), EmitError> {
        if self.destinations.len() != NUMBER_BYTES * usize::from(self.destination_count) {
            return Err(EmitError::TooLong("DestTermID"));
        }
        out.octets(&[self.msg_type, self.need_report, self.priority])?;
        out.fixed("ServiceID", self.service_id, 10)?;
        out.fixed("FeeType", self.fee_type, 2)?;
        out.fixed("FeeCode", self.fee_code, 6)?;
        match version {
            Version::V3 => out.fixed("FixedFee", self.fixed_fee, 6)?,
            Version::V1 if self.fixed_fee.is_empty() => {}
            Version::V1 => return Err(EmitError::NotInVersion("FixedFee")),
        }
        out.u8(self.msg_format)?;
        out.fixed("ValidTime", self.valid_time, 17)?;
        out.fixed("AtTime", self.at_time, 17)?;
        out.fixed("SrcTermID", self.src_term_id, NUMBER_BYTES)?;
        out.fixed("ChargeTermID", self.charge_term_id, NUMBER_BYTES)?;
        out.u8(self.destination_count)?;
        out.octets(self.destinations)?;
        out.counted("MsgContent", self.msg_content)?;
        out.octets(&self.reserve)?;
        out.octets(self.tlvs.octets())
    }
}

fn fixed_fee(input: &[u8], version: Version) -> Step<'_, &[u8]> {
    octets(input, if version == Version::V1 { 0 } else { 6 })
}

/// `Submit_Resp` or `Deliver_Resp`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageResp {
    /// `Submit_Resp`: given by the SMGW. `Deliver_Resp`: that of the Deliver.
    pub msg_id: MsgId,
    /// 0 taken.
    pub status: u32,
}

impl MessageResp {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`], [`ParseError::TrailingOctets`].
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let (rest, msg_id) = array(body)?;
        let (rest, status) = be_u32(rest)?;
        end(rest)?;
        Ok(Self { msg_id: MsgId(msg_id), status })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.octets(&self.msg_id.0)?;
        out.u32(self.status)
    }
}
