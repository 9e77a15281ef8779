//! Submit.

use crate::emit::Writer;
use crate::error::{EmitError, ParseError};
use crate::octets::{array, be_u32, octets, u8};

pub(super) const NUMBER_BYTES: usize = 21;

/// Submit. Text fields are as on the wire, padding included; shorter ones are filled with NUL on the right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Submit<'a> {
    /// The SP's access number, 21 octets.
    pub sp_number: &'a [u8],
    /// Who pays, 21 octets.
    pub charge_number: &'a [u8],
    /// How many destinations.
    pub user_count: u8,
    /// Their numbers, 21 octets each.
    pub user_numbers: &'a [u8],
    /// 5 octets.
    pub corp_id: &'a [u8],
    /// 10 octets.
    pub service_type: &'a [u8],
    /// 0 none, 1 free, 2 per message, 3 monthly, 4 the SP collects.
    pub fee_type: u8,
    /// 6 octets.
    pub fee_value: &'a [u8],
    /// 6 octets.
    pub given_value: &'a [u8],
    /// 0 receivable, 1 received.
    pub agent_flag: u8,
    /// What made the SP send it.
    pub more_late_to_mt_flag: u8,
    /// 0 to 9.
    pub priority: u8,
    /// 16 octets.
    pub expire_time: &'a [u8],
    /// 16 octets.
    pub schedule_time: &'a [u8],
    /// 0 report on failure, 1 always, 2 never, 3 billing record.
    pub report_flag: u8,
    /// TP-PID.
    pub tp_pid: u8,
    /// TP-UDHI.
    pub tp_udhi: u8,
    /// How the text is coded.
    pub message_coding: u8,
    /// 0.
    pub message_type: u8,
    /// Any length that the PDU has room for.
    pub message_content: &'a [u8],
    /// `Reserve`: all that is left of the PDU.
    pub trailer: &'a [u8],
}

impl<'a> Submit<'a> {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`].
    pub fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let (rest, sp_number) = octets(body, NUMBER_BYTES)?;
        let (rest, charge_number) = octets(rest, NUMBER_BYTES)?;
        let (rest, user_count) = u8(rest)?;
        let (rest, user_numbers) = octets(rest, NUMBER_BYTES * usize::from(user_count))?;
        let (rest, corp_id) = octets(rest, 5)?;
        let (rest, service_type) = octets(rest, 10)?;
        let (rest, fee_type) = u8(rest)?;
        let (rest, fee_value) = octets(rest, 6)?;
        let (rest, given_value) = octets(rest, 6)?;
        let (rest, [agent_flag, more_late_to_mt_flag, priority]) = array(rest)?;
        let (rest, expire_time) = octets(rest, 16)?;
        let (rest, schedule_time) = octets(rest, 16)?;
        let (rest, [report_flag, tp_pid, tp_udhi, message_coding, message_type]) = array(rest)?;
        let (trailer, message_content) = content(rest)?;
        Ok(Self {
            sp_number,
            charge_number,
            user_count,
            user_numbers,
            corp_id,
            service_type,
            fee_type,
            fee_value,
            given_value,
            agent_flag,
            more_late_to_mt_flag,
            priority,
            expire_time,
            schedule_time,
            report_flag,
            tp_pid,
            tp_udhi,
            message_coding,
            message_type,
            message_content,
            trailer,
        })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::TooLong`], [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        if self.user_numbers.len() != NUMBER_BYTES * usize::from(self.user_count) {
            return Err(EmitError::TooLong("UserNumber"));
        }
        out.fixed("SPNumber", self.sp_number, NUMBER_BYTES)?;
        out.fixed("ChargeNumber", self.charge_number, NUMBER_BYTES)?;
        out.u8(self.user_count)?;
        out.octets(self.user_numbers)?;
        out.fixed("CorpId", self.corp_id, 5)?;
        out.fixed("ServiceType", self.service_type, 10)?;
        out.u8(self.fee_type)?;
        out.fixed("FeeValue", self.fee_value, 6)?;
        out.fixed("GivenValue", self.given_value, 6)?;
        out.octets(&[self.agent_flag, self.more_late_to_mt_flag, self.priority])?;
        out.fixed("ExpireTime", self.expire_time, 16)?;
        out.fixed("ScheduleTime", self.schedule_time, 16)?;
        out.octets(&[self.report_flag, self.tp_pid, self.tp_udhi, self.message_coding, self.message_type])?;
        emit_content(out, self.message_content)?;
        out.octets(self.trailer)
    }
}

/// Octets behind their length in four octets.
pub(super) fn content(input: &[u8]) -> crate::octets::Step<'_, &[u8]> {
    let (rest, length) = be_u32(input)?;
    let length = usize::try_from(length).map_err(|_| nom::Err::Error(ParseError::Truncated))?;
    octets(rest, length)
}

pub(super) fn emit_content(out: &mut Writer<'_>, content: &[u8]) -> Result<(), EmitError> {
    out.u32(u32::try_from(content.len()).map_err(|_| EmitError::TooLong("MessageContent"))?)?;
    out.octets(content)
}
