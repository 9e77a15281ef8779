//! SMPP as a session sees it.

use super::config::ListenerConfig;
use super::ident::SmppIds;
use super::protocol::{Coded, Extras, Message, Pdu, Protocol, Side};
use crate::enforce::Manner;
use crate::limits::ANSWER_BYTES_MAX;
use yumen_wire::event::{Direction, Door};
use yumen_wire::frame::Framing;
use yumen_wire::limits::SMPP_PDU_BYTES_MIN;
use yumen_wire::smpp::{self, CommandId, CommandStatus, Header, MessageResp, MessageView, SubmitMultiResp};
use yumen_wire::text::Coding;

/// What a rejected submit is answered with. Clients take it for good: it is none of the statuses that ask for another
/// try (`ESME_RTHROTTLED`, `ESME_RMSGQFUL`, `ESME_RX_T_APPN`, `ESME_RSYSERR`), and 3.4 already defines it.
pub const REJECT_STATUS: CommandStatus = CommandStatus::ESME_RSUBMITFAIL;

/// An SMPP connection pair.
#[derive(Debug)]
pub struct Smpp {
    framing: Framing,
    default_alphabet: Coding,
    reject_status: CommandStatus,
    ids: SmppIds,
}

impl Smpp {
    /// For a new pair of that listener.
    #[must_use]
    pub fn new(config: &ListenerConfig) -> Self {
        Self {
            framing: Framing::SMPP.with_limit(config.pdu_bytes_max),
            default_alphabet: config.default_alphabet,
            reject_status: config.reject_status.map_or(REJECT_STATUS, CommandStatus),
            ids: SmppIds::new(),
        }
    }

    fn message<'a>(&self, side: Side, pdu: &smpp::Pdu<'a>) -> Pdu<'a> {
        let Ok(view) = MessageView::parse(pdu) else { return Pdu::Malformed };
        // Only the centre reports; what an ESME calls a receipt is a text of its own.
        if side == Side::Server && view.is_report() {
            return Pdu::Receipt;
        }
        // A replacement keeps the coding of the message it replaces, which passed long ago.
        let coding = view.data_coding.map_or(self.default_alphabet, |data_coding| {
            Coding::from_smpp(data_coding, self.default_alphabet)
        });
        let (destination, destinations) = view.destination();
        let extras = if view.has_several_texts() { Extras::Smpp(view.texts()) } else { Extras::None };
        Pdu::Message(Message {
            direction: direction(side),
            originator: view.source,
            destination,
            destinations,
            text: Coded { coding, data: view.user_data() },
            extras,
            part: view.concatenation(),
        })
    }

    fn learn(&mut self, pdu: &smpp::Pdu<'_>) {
        if !pdu.command_status().is_ok() {
            return;
        }
        let id = match pdu.command_id() {
            CommandId::SUBMIT_SM_RESP | CommandId::DATA_SM_RESP => {
                MessageResp::parse(pdu.body_octets()).ok().and_then(|response| response.message_id)
            }
            CommandId::SUBMIT_MULTI_RESP => {
                SubmitMultiResp::parse(pdu.body_octets()).ok().and_then(|response| response.message_id)
            }
            _ => None,
        };
        if let Some(id) = id {
            self.ids.learn(id);
        }
    }

    fn status(&self, side: Side, command_id: CommandId, manner: Manner) -> CommandStatus {
        match (manner, side) {
            (Manner::Malformed, _) => CommandStatus::ESME_RINVCMDLEN,
            (Manner::Defer, Side::Client) => CommandStatus::ESME_RTHROTTLED,
            (Manner::Defer, Side::Server) => CommandStatus::ESME_RX_T_APPN,
            // The centre is told that the message arrived: any error would make it try again, or report it undelivered.
            (Manner::Drop, _) | (Manner::Reject, Side::Server) => CommandStatus::ESME_ROK,
            (Manner::Reject, Side::Client) if command_id == CommandId::REPLACE_SM => {
                CommandStatus::ESME_RREPLACEFAIL
            }
            (Manner::Reject, Side::Client) => self.reject_status,
        }
    }
}

impl Protocol for Smpp {
    const DOOR: Door = Door::Smpp;
    const HEADER_BYTES: usize = SMPP_PDU_BYTES_MIN;

    fn framing(&self) -> Framing {
        self.framing
    }

    fn read<'a>(&mut self, side: Side, octets: &'a [u8], _time_ms: u64) -> Pdu<'a> {
        let Ok(pdu) = smpp::Pdu::new_checked(octets) else { return Pdu::Other };
        let id = pdu.command_id();
        if id.is_response() {
            if side == Side::Server {
                self.learn(&pdu);
            }
            return Pdu::Response;
        }
        if id.carries_message() {
            return self.message(side, &pdu);
        }
        match id {
            CommandId::OUTBIND | CommandId::ALERT_NOTIFICATION => Pdu::Other,
            _ if id.name().is_some() => Pdu::Request,
            _ => Pdu::Other,
        }
    }

    fn answer(&mut self, side: Side, octets: &[u8], manner: Manner, _time_ms: u64, out: &mut Vec<u8>) {
        let Ok(pdu) = smpp::Pdu::new_checked(octets) else { return };
        let header = pdu.header();
        let status = self.status(side, header.command_id, manner);
        let mut buffer = [0; ANSWER_BYTES_MAX];
        let written = if side == Side::Client && status.is_ok() {
            self.ids.make(|id| smpp::emit_response(&header, status, id, &mut buffer))
        } else {
            smpp::emit_response(&header, status, b"", &mut buffer)
        };
        if let Some(answer) = written.ok().and_then(|length| buffer.get(..length)) {
            out.extend_from_slice(answer);
        }
    }

    fn frame_error(&mut self, _side: Side, start: &[u8], out: &mut Vec<u8>) {
        // The sequence number is given back where it came; 0 stands for one that can't be told (SMPP 3.4 §4.3).
        let sequence_number =
            start.get(12..16).and_then(|octets| octets.try_into().ok()).map_or(0, u32::from_be_bytes);
        let header = Header {
            command_id: CommandId::GENERIC_NACK,
            command_status: CommandStatus::ESME_RINVCMDLEN,
            sequence_number,
        };
        let mut buffer = [0; ANSWER_BYTES_MAX];
        if let Some(answer) =
            smpp::emit(&header, &smpp::Body::EMPTY, &mut buffer).ok().and_then(|length| buffer.get(..length))
        {
            out.extend_from_slice(answer);
        }
    }
}

const fn direction(side: Side) -> Direction {
    match side {
        Side::Client => Direction::Submit,
        Side::Server => Direction::Deliver,
    }
}
