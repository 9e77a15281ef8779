//! FWD, between ISMGs, and its response. The number fields keep 21 octets in 3.0; 3.0 adds pseudonyms beside them.

use super::submit::{emit_only_v3, only_v3};
use super::{Code, MsgId, Version};
use crate::emit::Writer;
use crate::error::{EmitError, ParseError};
use crate::octets::{Step, array, be_u64, counted, octets, u8};

const PSEUDO_BYTES: usize = 32;
const NUMBER_BYTES: usize = 21;

/// FWD. Octet strings are as on the wire, padding included; shorter ones are filled with NUL on the right. Fields that
/// only 3.0 has are empty or 0 in 2.0 (named as in the specification's table, C-15).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fwd<'a> {
    /// Code of the ISMG that forwards, 6 octets.
    pub source_id: &'a [u8],
    /// Code of the ISMG that receives, 6 octets.
    pub destination_id: &'a [u8],
    /// Gateways passed.
    pub nodes_count: u8,
    /// 0 MT, 1 MO, 2 MT report, 3 MO report.
    pub msg_fwd_type: u8,
    /// The message's id.
    pub msg_id: MsgId,
    /// Pieces of the message, from 1.
    pub pk_total: u8,
    /// This piece, from 1.
    pub pk_number: u8,
    /// 0 no report, 1 report, 2 a billing record.
    pub registered_delivery: u8,
    /// Priority.
    pub msg_level: u8,
    /// 10 octets.
    pub service_id: &'a [u8],
    /// Who is charged.
    pub fee_user_type: u8,
    /// 21 octets.
    pub fee_terminal_id: &'a [u8],
    /// 3.0: 32 octets.
    pub fee_terminal_pseudo: &'a [u8],
    /// 3.0.
    pub fee_terminal_user_type: u8,
    /// TP-PID.
    pub tp_pid: u8,
    /// TP-UDHI.
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
    /// The sender, 21 octets.
    pub src_id: &'a [u8],
    /// 3.0: 32 octets.
    pub src_pseudo: &'a [u8],
    /// 3.0.
    pub src_user_type: u8,
    /// 3.0.
    pub src_type: u8,
    /// How many destinations; must be 1, read as it is.
    pub destination_count: u8,
    /// Their numbers, 21 octets each.
    pub destinations: &'a [u8],
    /// 3.0: 32 octets.
    pub dest_pseudo: &'a [u8],
    /// 3.0.
    pub dest_user_type: u8,
    /// Up to 255 octets.
    pub msg_content: &'a [u8],
    /// `Reserve` or `LinkID`: all that is left of the PDU (C-4).
    pub trailer: &'a [u8],
}

impl<'a> Fwd<'a> {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`].
    pub fn parse(body: &'a [u8], version: Version) -> Result<Self, ParseError> {
        let (rest, head) = Self::parse_head(body, version)?;
        let (rest, src_id) = octets(rest, NUMBER_BYTES)?;
        let (rest, src_pseudo) = pseudo(rest, version)?;
        let (rest, src_user_type) = only_v3(rest, version)?;
        let (rest, src_type) = only_v3(rest, version)?;
        let (rest, destination_count) = u8(rest)?;
        let (rest, destinations) = octets(rest, NUMBER_BYTES * usize::from(destination_count))?;
        let (rest, dest_pseudo) = pseudo(rest, version)?;
        let (rest, dest_user_type) = only_v3(rest, version)?;
        let (trailer, msg_content) = counted(rest)?;
        Ok(Self {
            src_id,
            src_pseudo,
            src_user_type,
            src_type,
            destination_count,
            destinations,
            dest_pseudo,
            dest_user_type,
            msg_content,
            trailer,
            ..head
        })
    }

    /// The fields before `Src_Id`.
    fn parse_head(body: &'a [u8], version: Version) -> Step<'a, Self> {
        let (rest, source_id) = octets(body, 6)?;
        let (rest, destination_id) = octets(rest, 6)?;
        let (rest, [nodes_count, msg_fwd_type]) = array(rest)?;
        let (rest, msg_id) = be_u64(rest)?;
        let (rest, [pk_total, pk_number, registered_delivery, msg_level]) = array(rest)?;
        let (rest, service_id) = octets(rest, 10)?;
        let (rest, fee_user_type) = u8(rest)?;
        let (rest, fee_terminal_id) = octets(rest, NUMBER_BYTES)?;
        let (rest, fee_terminal_pseudo) = pseudo(rest, version)?;
        let (rest, fee_terminal_user_type) = only_v3(rest, version)?;
        let (rest, [tp_pid, tp_udhi, msg_fmt]) = array(rest)?;
        let (rest, msg_src) = octets(rest, 6)?;
        let (rest, fee_type) = octets(rest, 2)?;
        let (rest, fee_code) = octets(rest, 6)?;
        let (rest, valid_time) = octets(rest, 17)?;
        let (rest, at_time) = octets(rest, 17)?;
        let head = Self {
            source_id,
            destination_id,
            nodes_count,
            msg_fwd_type,
            msg_id: MsgId(msg_id),
            pk_total,
            pk_number,
            registered_delivery,
            msg_level,
            service_id,
            fee_user_type,
            fee_terminal_id,
            fee_terminal_pseudo,
            fee_terminal_user_type,
            tp_pid,
            tp_udhi,
            msg_fmt,
            msg_src,
            fee_type,
            fee_code,
            valid_time,
            at_time,
            ..Self::default()
        };
        Ok((rest, head))
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::TooLong`]; [`EmitError::NotInVersion`] for a field of 3.0 in 2.0; [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>, version: Version) -> Result<(), EmitError> {
        if self.destinations.len() != NUMBER_BYTES * usize::from(self.destination_count) {
            return Err(EmitError::TooLong("Dest_Id"));
        }
        self.emit_head(out, version)?;
        out.fixed("Src_Id", self.src_id, NUMBER_BYTES)?;
        emit_pseudo(out, version, "Src_Pseudo", self.src_pseudo)?;
        emit_only_v3(out, version, "Src_UserType", self.src_user_type)?;
        emit_only_v3(out, version, "Src_type", self.src_type)?;
        out.u8(self.destination_count)?;
        out.octets(self.destinations)?;
        emit_pseudo(out, version, "Dest_Pseudo", self.dest_pseudo)?;
        emit_only_v3(out, version, "Dest_UserType", self.dest_user_type)?;
        out.counted("Msg_Content", self.msg_content)?;
        out.octets(self.trailer)
    }

    fn emit_head(&self, out: &mut Writer<'_>, version: Version) -> Result<(), EmitError> {
        out.fixed("Source_Id", self.source_id, 6)?;
        out.fixed("Destination_Id", self.destination_id, 6)?;
        out.octets(&[self.nodes_count, self.msg_fwd_type])?;
        out.u64(self.msg_id.0)?;
        out.octets(&[self.pk_total, self.pk_number, self.registered_delivery, self.msg_level])?;
        out.fixed("Service_Id", self.service_id, 10)?;
        out.u8(self.fee_user_type)?;
        out.fixed("Fee_terminal_Id", self.fee_terminal_id, NUMBER_BYTES)?;
        emit_pseudo(out, version, "Fee_terminal_Pseudo", self.fee_terminal_pseudo)?;
        emit_only_v3(out, version, "Fee_terminal_UserType", self.fee_terminal_user_type)?;
        out.octets(&[self.tp_pid, self.tp_udhi, self.msg_fmt])?;
        out.fixed("Msg_src", self.msg_src, 6)?;
        out.fixed("FeeType", self.fee_type, 2)?;
        out.fixed("FeeCode", self.fee_code, 6)?;
        out.fixed("Valid_Time", self.valid_time, 17)?;
        out.fixed("At_Time", self.at_time, 17)
    }
}

fn pseudo(input: &[u8], version: Version) -> Step<'_, &[u8]> {
    octets(input, if version.is_v3() { PSEUDO_BYTES } else { 0 })
}

fn emit_pseudo(
    out: &mut Writer<'_>,
    version: Version,
    field: &'static str,
    value: &[u8],
) -> Result<(), EmitError> {
    match version {
        Version::V3 => out.fixed(field, value, PSEUDO_BYTES),
        Version::V2 if value.is_empty() => Ok(()),
        Version::V2 => Err(EmitError::NotInVersion(field)),
    }
}

/// FWD_RESP: 23 octets in 2.0, 26 in 3.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FwdResp {
    /// That of the FWD.
    pub msg_id: MsgId,
    /// That of the FWD.
    pub pk_total: u8,
    /// That of the FWD.
    pub pk_number: u8,
    /// See [`result`](super::result).
    pub result: Code,
}

impl FwdResp {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`] for any length but 11 and 14.
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let (rest, msg_id) = be_u64(body)?;
        let (rest, [pk_total, pk_number]) = array(rest)?;
        let result = Code::from_octets(rest).ok_or(ParseError::Truncated)?;
        Ok(Self { msg_id: MsgId(msg_id), pk_total, pk_number, result })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.u64(self.msg_id.0)?;
        out.octets(&[self.pk_total, self.pk_number])?;
        self.result.emit(out)
    }
}
