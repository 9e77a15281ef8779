//! SUBMIT, and the response that SUBMIT and DELIVER share.

use super::{Code, MsgId, Version};
use crate::emit::Writer;
use crate::error::{EmitError, ParseError};
use crate::octets::{array, be_u64, counted, octets, u8};

/// SUBMIT. Octet strings are as on the wire, padding included; shorter ones are filled with NUL on the right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Submit<'a> {
    /// 0 in a request.
    pub msg_id: MsgId,
    /// Pieces of the message, from 1.
    pub pk_total: u8,
    /// This piece, from 1.
    pub pk_number: u8,
    /// 0 no report, 1 report.
    pub registered_delivery: u8,
    /// Priority.
    pub msg_level: u8,
    /// 10 octets.
    pub service_id: &'a [u8],
    /// Who is charged: 0 destination, 1 source, 2 SP, 3 `fee_terminal_id`.
    pub fee_user_type: u8,
    /// 21 octets in 2.0 (a string, C-11), 32 in 3.0.
    pub fee_terminal_id: &'a [u8],
    /// 3.0: 0 real number, 1 pseudonym.
    pub fee_terminal_type: u8,
    /// TP-PID.
    pub tp_pid: u8,
    /// TP-UDHI; see [`has_udh`](super::MessageView::has_udh).
    pub tp_udhi: u8,
    /// How the text is coded.
    pub msg_fmt: u8,
    /// `SP_Id`, 6 octets.
    pub msg_src: &'a [u8],
    /// 2 octets.
    pub fee_type: &'a [u8],
    /// 6 octets.
    pub fee_code: &'a [u8],
    /// 17 octets.
    pub valid_time: &'a [u8],
    /// 17 octets.
    pub at_time: &'a [u8],
    /// Shown as the sender, 21 octets.
    pub src_id: &'a [u8],
    /// How many destinations.
    pub destination_count: u8,
    /// Their numbers, [`Version::terminal_id_bytes`] each.
    pub destinations: &'a [u8],
    /// 3.0: one octet for all of them (C-5).
    pub dest_terminal_type: u8,
    /// Up to 255 octets.
    pub msg_content: &'a [u8],
    /// `Reserve` or `LinkID`: all that is left of the PDU (C-4).
    pub trailer: &'a [u8],
}

impl<'a> Submit<'a> {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`].
    pub fn parse(body: &'a [u8], version: Version) -> Result<Self, ParseError> {
        let terminal = version.terminal_id_bytes();
        let (rest, msg_id) = be_u64(body)?;
        let (rest, [pk_total, pk_number, registered_delivery, msg_level]) = array(rest)?;
        let (rest, service_id) = octets(rest, 10)?;
        let (rest, fee_user_type) = u8(rest)?;
        let (rest, fee_terminal_id) = octets(rest, terminal)?;
        let (rest, fee_terminal_type) = only_v3(rest, version)?;
        let (rest, [tp_pid, tp_udhi, msg_fmt]) = array(rest)?;
        let (rest, msg_src) = octets(rest, 6)?;
        let (rest, fee_type) = octets(rest, 2)?;
        let (rest, fee_code) = octets(rest, 6)?;
        let (rest, valid_time) = octets(rest, 17)?;
        let (rest, at_time) = octets(rest, 17)?;
        let (rest, src_id) = octets(rest, 21)?;
        let (rest, destination_count) = u8(rest)?;
        let (rest, destinations) = octets(rest, terminal * usize::from(destination_count))?;
        let (rest, dest_terminal_type) = only_v3(rest, version)?;
        let (trailer, msg_content) = counted(rest)?;
        Ok(Self {
            msg_id: MsgId(msg_id),
            pk_total,
            pk_number,
            registered_delivery,
            msg_level,
            service_id,
            fee_user_type,
            fee_terminal_id,
            fee_terminal_type,
            tp_pid,
            tp_udhi,
            msg_fmt,
            msg_src,
            fee_type,
            fee_code,
            valid_time,
            at_time,
            src_id,
            destination_count,
            destinations,
            dest_terminal_type,
            msg_content,
            trailer,
        })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::TooLong`]; [`EmitError::NotInVersion`] for a type of 3.0 in 2.0; [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>, version: Version) -> Result<(), EmitError> {
        let terminal = version.terminal_id_bytes();
        if self.destinations.len() != terminal * usize::from(self.destination_count) {
            return Err(EmitError::TooLong("Dest_terminal_Id"));
        }
        out.u64(self.msg_id.0)?;
        out.octets(&[self.pk_total, self.pk_number, self.registered_delivery, self.msg_level])?;
        out.fixed("Service_Id", self.service_id, 10)?;
        out.u8(self.fee_user_type)?;
        out.fixed("Fee_terminal_Id", self.fee_terminal_id, terminal)?;
        emit_only_v3(out, version, "Fee_terminal_type", self.fee_terminal_type)?;
        out.octets(&[self.tp_pid, self.tp_udhi, self.msg_fmt])?;
        out.fixed("Msg_src", self.msg_src, 6)?;
        out.fixed("FeeType", self.fee_type, 2)?;
        out.fixed("FeeCode", self.fee_code, 6)?;
        out.fixed("ValId_Time", self.valid_time, 17)?;
        out.fixed("At_Time", self.at_time, 17)?;
        out.fixed("Src_Id", self.src_id, 21)?;
        out.u8(self.destination_count)?;
        out.octets(self.destinations)?;
        emit_only_v3(out, version, "Dest_terminal_type", self.dest_terminal_type)?;
        out.counted("Msg_Content", self.msg_content)?;
        out.octets(self.trailer)
    }

    /// Pads `numbers` into `out` as `destinations` has them, and says how many there are and how many octets they take.
    ///
    /// # Errors
    /// [`EmitError::TooLong`] for a number or for more than 255; [`EmitError::BufferFull`].
    pub fn pad_destinations(
        numbers: &[&[u8]],
        version: Version,
        out: &mut [u8],
    ) -> Result<(u8, usize), EmitError> {
        let count = u8::try_from(numbers.len()).map_err(|_| EmitError::TooLong("Dest_terminal_Id"))?;
        let mut writer = Writer::new(out);
        for number in numbers {
            writer.fixed("Dest_terminal_Id", number, version.terminal_id_bytes())?;
        }
        Ok((count, writer.written()))
    }
}

/// An octet that 2.0 doesn't have.
pub(super) fn only_v3(input: &[u8], version: Version) -> crate::octets::Step<'_, u8> {
    if version.is_v3() { u8(input) } else { Ok((input, 0)) }
}

pub(super) fn emit_only_v3(
    out: &mut Writer<'_>,
    version: Version,
    field: &'static str,
    value: u8,
) -> Result<(), EmitError> {
    match (version, value) {
        (Version::V3, value) => out.u8(value),
        (Version::V2, 0) => Ok(()),
        (Version::V2, _) => Err(EmitError::NotInVersion(field)),
    }
}

/// SUBMIT_RESP or DELIVER_RESP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageResp {
    /// SUBMIT_RESP: given by the ISMG. DELIVER_RESP: that of the DELIVER.
    pub msg_id: MsgId,
    /// See [`result`](super::result).
    pub result: Code,
}

impl MessageResp {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`] for any length but 9 and 12.
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let (rest, msg_id) = be_u64(body)?;
        let result = Code::from_octets(rest).ok_or(ParseError::Truncated)?;
        Ok(Self { msg_id: MsgId(msg_id), result })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.u64(self.msg_id.0)?;
        self.result.emit(out)
    }
}
