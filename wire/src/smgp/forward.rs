//! Forward, between SMGWs, and its response.

use super::submit::NUMBER_BYTES;
use super::{MsgId, Tlvs};
use crate::emit::Writer;
use crate::error::{EmitError, ParseError};
use crate::octets::{array, be_u32, counted, octets, u8};

/// Forward. Octet strings are as on the wire, padding included; shorter ones are filled with NUL on the right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forward<'a> {
    /// The message's id.
    pub msg_id: MsgId,
    /// 6 octets.
    pub dest_smgw_no: &'a [u8],
    /// 6 octets.
    pub src_smgw_no: &'a [u8],
    /// 6 octets.
    pub smc_no: &'a [u8],
    /// 0 MO, 6 MT, 7 point to point.
    pub msg_type: u8,
    /// 0 is a report, 1 wants one, 2 does not (M-14: not the values of `NeedReport`).
    pub report_flag: u8,
    /// 0 to 3.
    pub priority: u8,
    /// 10 octets.
    pub service_id: &'a [u8],
    /// 2 octets.
    pub fee_type: &'a [u8],
    /// 6 octets.
    pub fee_code: &'a [u8],
    /// 6 octets.
    pub fixed_fee: &'a [u8],
    /// How the text is coded.
    pub msg_format: u8,
    /// 17 octets.
    pub valid_time: &'a [u8],
    /// 17 octets.
    pub at_time: &'a [u8],
    /// The sender, 21 octets.
    pub src_term_id: &'a [u8],
    /// The receiver, 21 octets.
    pub dest_term_id: &'a [u8],
    /// Who is charged, 21 octets.
    pub charge_term_id: &'a [u8],
    /// Up to 255 octets.
    pub msg_content: &'a [u8],
    /// 8 octets.
    pub reserve: [u8; 8],
    /// Optional parameters.
    pub tlvs: Tlvs<'a>,
}

impl<'a> Forward<'a> {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`].
    pub fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let (rest, msg_id) = array(body)?;
        let (rest, dest_smgw_no) = octets(rest, 6)?;
        let (rest, src_smgw_no) = octets(rest, 6)?;
        let (rest, smc_no) = octets(rest, 6)?;
        let (rest, [msg_type, report_flag, priority]) = array(rest)?;
        let (rest, service_id) = octets(rest, 10)?;
        let (rest, fee_type) = octets(rest, 2)?;
        let (rest, fee_code) = octets(rest, 6)?;
        let (rest, fixed_fee) = octets(rest, 6)?;
        let (rest, msg_format) = u8(rest)?;
        let (rest, valid_time) = octets(rest, 17)?;
        let (rest, at_time) = octets(rest, 17)?;
        let (rest, src_term_id) = octets(rest, NUMBER_BYTES)?;
        let (rest, dest_term_id) = octets(rest, NUMBER_BYTES)?;
        let (rest, charge_term_id) = octets(rest, NUMBER_BYTES)?;
        let (rest, msg_content) = counted(rest)?;
        let (rest, reserve) = array(rest)?;
        Ok(Self {
            msg_id: MsgId(msg_id),
            dest_smgw_no,
            src_smgw_no,
            smc_no,
            msg_type,
            report_flag,
            priority,
            service_id,
            fee_type,
            fee_code,
            fixed_fee,
            msg_format,
            valid_time,
            at_time,
            src_term_id,
            dest_term_id,
            charge_term_id,
            msg_content,
            reserve,
            tlvs: Tlvs::new(rest),
        })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::TooLong`], [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.octets(&self.msg_id.0)?;
        out.fixed("DestSMGWNo", self.dest_smgw_no, 6)?;
        out.fixed("SrcSMGWNo", self.src_smgw_no, 6)?;
        out.fixed("SMCNo", self.smc_no, 6)?;
        out.octets(&[self.msg_type, self.report_flag, self.priority])?;
        out.fixed("ServiceID", self.service_id, 10)?;
        out.fixed("FeeType", self.fee_type, 2)?;
        out.fixed("FeeCode", self.fee_code, 6)?;
        out.fixed("FixedFee", self.fixed_fee, 6)?;
        out.u8(self.msg_format)?;
        out.fixed("ValidTime", self.valid_time, 17)?;
        out.fixed("AtTime", self.at_time, 17)?;
        out.fixed("SrcTermID", self.src_term_id, NUMBER_BYTES)?;
        out.fixed("DestTermID", self.dest_term_id, NUMBER_BYTES)?;
        out.fixed("ChargeTermID", self.charge_term_id, NUMBER_BYTES)?;
        out.counted("MsgContent", self.msg_content)?;
        out.octets(&self.reserve)?;
        out.octets(self.tlvs.octets())
    }
}

/// `Forward_Resp`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ForwardResp<'a> {
    /// That of the Forward.
    pub msg_id: MsgId,
    /// 0 taken.
    pub status: u32,
    /// `PkTotal`, `PkNumber`.
    pub tlvs: Tlvs<'a>,
}

impl<'a> ForwardResp<'a> {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`].
    pub fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let (rest, msg_id) = array(body)?;
        let (rest, status) = be_u32(rest)?;
        Ok(Self { msg_id: MsgId(msg_id), status, tlvs: Tlvs::new(rest) })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.octets(&self.msg_id.0)?;
        out.u32(self.status)?;
        out.octets(self.tlvs.octets())
    }
}
