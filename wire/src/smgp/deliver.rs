//! Deliver: a message of a subscriber, or a status report.

use super::submit::NUMBER_BYTES;
use super::{MsgId, Report, Tlvs};
use crate::emit::Writer;
use crate::error::{EmitError, ParseError};
use crate::octets::{array, counted, octets};

/// Deliver. Octet strings are as on the wire, padding included; shorter ones are filled with NUL on the right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deliver<'a> {
    /// The id of this Deliver.
    pub msg_id: MsgId,
    /// 0 a message, 1 a status report.
    pub is_report: u8,
    /// How the text is coded.
    pub msg_format: u8,
    /// YYYYMMDDHHMMSS, 14 octets.
    pub recv_time: &'a [u8],
    /// The sender, 21 octets.
    pub src_term_id: &'a [u8],
    /// The SP's number, 21 octets.
    pub dest_term_id: &'a [u8],
    /// Up to 255 octets.
    pub msg_content: &'a [u8],
    /// 8 octets.
    pub reserve: [u8; 8],
    /// Optional parameters.
    pub tlvs: Tlvs<'a>,
}

impl<'a> Deliver<'a> {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`].
    pub fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let (rest, msg_id) = array(body)?;
        let (rest, [is_report, msg_format]) = array(rest)?;
        let (rest, recv_time) = octets(rest, 14)?;
        let (rest, src_term_id) = octets(rest, NUMBER_BYTES)?;
        let (rest, dest_term_id) = octets(rest, NUMBER_BYTES)?;
        let (rest, msg_content) = counted(rest)?;
        let (rest, reserve) = array(rest)?;
        Ok(Self {
            msg_id: MsgId(msg_id),
            is_report,
            msg_format,
            recv_time,
            src_term_id,
            dest_term_id,
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
        out.octets(&[self.is_report, self.msg_format])?;
        out.fixed("RecvTime", self.recv_time, 14)?;
        out.fixed("SrcTermID", self.src_term_id, NUMBER_BYTES)?;
        out.fixed("DestTermID", self.dest_term_id, NUMBER_BYTES)?;
        out.counted("MsgContent", self.msg_content)?;
        out.octets(&self.reserve)?;
        out.octets(self.tlvs.octets())
    }

    /// The status report that the content is; `None` for a message, and for a report that can't be read.
    #[must_use]
    pub fn report(&self) -> Option<Report<'a>> {
        if self.is_report == 1 { Report::parse(self.msg_content) } else { None }
    }
}
