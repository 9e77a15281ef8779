//! DELIVER: a message of a subscriber, or a status report.

use super::submit::{emit_only_v3, only_v3};
use super::{MsgId, Report, Version};
use crate::emit::Writer;
use crate::error::{EmitError, ParseError};
use crate::octets::{array, be_u64, counted, octets, u8};

/// DELIVER. Octet strings are as on the wire, padding included; shorter ones are filled with NUL on the right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deliver<'a> {
    /// The id of this DELIVER.
    pub msg_id: MsgId,
    /// The SP's number, 21 octets.
    pub dest_id: &'a [u8],
    /// 10 octets.
    pub service_id: &'a [u8],
    /// TP-PID.
    pub tp_pid: u8,
    /// TP-UDHI; see [`has_udh`](super::MessageView::has_udh).
    pub tp_udhi: u8,
    /// How the text is coded.
    pub msg_fmt: u8,
    /// The sender; in a report the destination of the SUBMIT. 21 octets in 2.0, 32 in 3.0.
    pub src_terminal_id: &'a [u8],
    /// 3.0: 0 real number, 1 pseudonym.
    pub src_terminal_type: u8,
    /// 0 a message, 1 a status report.
    pub registered_delivery: u8,
    /// Up to 255 octets.
    pub msg_content: &'a [u8],
    /// `Reserve` or `LinkID`: all that is left of the PDU (C-4).
    pub trailer: &'a [u8],
}

impl<'a> Deliver<'a> {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`].
    pub fn parse(body: &'a [u8], version: Version) -> Result<Self, ParseError> {
        let (rest, msg_id) = be_u64(body)?;
        let (rest, dest_id) = octets(rest, 21)?;
        let (rest, service_id) = octets(rest, 10)?;
        let (rest, [tp_pid, tp_udhi, msg_fmt]) = array(rest)?;
        let (rest, src_terminal_id) = octets(rest, version.terminal_id_bytes())?;
        let (rest, src_terminal_type) = only_v3(rest, version)?;
        let (rest, registered_delivery) = u8(rest)?;
        let (trailer, msg_content) = counted(rest)?;
        Ok(Self {
            msg_id: MsgId(msg_id),
            dest_id,
            service_id,
            tp_pid,
            tp_udhi,
            msg_fmt,
            src_terminal_id,
            src_terminal_type,
            registered_delivery,
            msg_content,
            trailer,
        })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::TooLong`]; [`EmitError::NotInVersion`] for a type of 3.0 in 2.0; [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>, version: Version) -> Result<(), EmitError> {
        out.u64(self.msg_id.0)?;
        out.fixed("Dest_Id", self.dest_id, 21)?;
        out.fixed("Service_Id", self.service_id, 10)?;
        out.octets(&[self.tp_pid, self.tp_udhi, self.msg_fmt])?;
        out.fixed("Src_terminal_Id", self.src_terminal_id, version.terminal_id_bytes())?;
        emit_only_v3(out, version, "Src_terminal_type", self.src_terminal_type)?;
        out.u8(self.registered_delivery)?;
        out.counted("Msg_Content", self.msg_content)?;
        out.octets(self.trailer)
    }

    /// The status report that the content is. `None` for a message, and for a report of a length that no version has
    /// (C-3: such a one passes unread).
    #[must_use]
    pub fn report(&self) -> Option<Report<'a>> {
        if self.registered_delivery == 1 { Report::parse(self.msg_content) } else { None }
    }
}
