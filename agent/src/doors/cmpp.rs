//! CMPP as a session sees it.

use super::config::ListenerConfig;
use super::ident::CmppIds;
use super::protocol::{Message, Pdu, Protocol, Side, append_answer};
use crate::enforce::Manner;
use yumen_wire::cmpp::{
    self, CommandId, Connect, Header, MessageResp, MessageView, MsgId, Version, result, status,
};
use yumen_wire::event::Door;
use yumen_wire::frame::Framing;
use yumen_wire::limits::CMPP_PDU_BYTES_MIN;
use yumen_wire::udh::UserData;

/// What a rejected SUBMIT is answered with: the first of the values left to vendors (100 to 199). None of those that CMPP
/// defines (0 to 99) says "refused for its content", and clients take any but 8 (flow control) for good.
pub const REJECT_RESULT: u32 = 100;

/// A CMPP connection pair.
#[derive(Debug)]
pub struct Cmpp {
    framing: Framing,
    reject_result: u32,
    /// What CONNECT asked for, until the response's length tells.
    version: Version,
    ids: CmppIds,
    sequence_id: u32,
}

impl Cmpp {
    /// For a new pair of that listener.
    #[must_use]
    pub fn new(config: &ListenerConfig) -> Self {
        Self {
            framing: Framing::CMPP.with_limit(config.pdu_bytes_max),
            reject_result: config.reject_status.unwrap_or(REJECT_RESULT),
            version: Version::V2,
            ids: CmppIds::new(),
            sequence_id: 0,
        }
    }

    fn learn(&mut self, pdu: &cmpp::Pdu<'_>, time_ms: u64) {
        match pdu.command_id() {
            CommandId::CONNECT_RESP => {
                if let Some(version) = Version::of_connect_resp(pdu.octets().len()) {
                    self.version = version;
                }
            }
            CommandId::SUBMIT_RESP => {
                if let Ok(response) = MessageResp::parse(pdu.body_octets()) {
                    self.ids.learn(response.msg_id, time_ms);
                }
            }
            _ => {}
        }
    }

    fn message<'a>(&self, side: Side, pdu: &cmpp::Pdu<'a>) -> Pdu<'a> {
        let Ok(view) = MessageView::parse(pdu, self.version) else { return Pdu::Malformed };
        if side == Side::Server && view.is_report() {
            return Pdu::Receipt;
        }
        // From an SP a "report" is a message like any other.
        let data = UserData { octets: view.msg_content, has_udh: view.has_udh() };
        Pdu::Message(Message::with_format(
            side.direction(),
            view.source,
            view.destination(),
            view.msg_fmt,
            data,
            view.concatenation(),
        ))
    }

    fn emit(&self, header: Header, body: &cmpp::Body<'_>, out: &mut Vec<u8>) {
        append_answer(out, |buffer| cmpp::emit(&header, body, self.version, buffer));
    }
}

impl Protocol for Cmpp {
    const DOOR: Door = Door::Cmpp;
    const HEADER_BYTES: usize = CMPP_PDU_BYTES_MIN;

    fn framing(&self) -> Framing {
        self.framing
    }

    fn read<'a>(&mut self, side: Side, octets: &'a [u8], time_ms: u64) -> Pdu<'a> {
        let Ok(pdu) = cmpp::Pdu::new_checked(octets) else { return Pdu::Other };
        let id = pdu.command_id();
        if id.is_response() {
            self.learn(&pdu, time_ms);
            return Pdu::Response;
        }
        if id.carries_message() {
            return self.message(side, &pdu);
        }
        if id == CommandId::CONNECT
            && let Ok(connect) = Connect::parse(pdu.body_octets())
            && let Some(version) = Version::from_wire(connect.version)
        {
            self.version = version;
        }
        if id.name().is_some() { Pdu::Request } else { Pdu::Other }
    }

    fn answer(&mut self, side: Side, octets: &[u8], manner: Manner, time_ms: u64, out: &mut Vec<u8>) {
        let Ok(pdu) = cmpp::Pdu::new_checked(octets) else { return };
        let (result, msg_id) = match (manner, side) {
            (Manner::Malformed, _) => (result::BAD_STRUCTURE, MsgId(0)),
            // Both mean: not now. A centre that meets an error tries again.
            (Manner::Defer, _) => (result::FLOW_CONTROL, MsgId(0)),
            (Manner::Drop, Side::Client) => (result::OK, self.ids.make(time_ms)),
            (Manner::Drop | Manner::Reject, Side::Server) => (result::OK, MsgId(0)),
            (Manner::Reject, Side::Client) => (self.reject_result, MsgId(0)),
        };
        append_answer(out, |buffer| cmpp::emit_response(&pdu, self.version, result, msg_id, buffer));
    }

    fn frame_error(&mut self, side: Side, start: &[u8], out: &mut Vec<u8>) {
        let word = |at: usize| {
            start.get(at..at + 4).and_then(|octets| octets.try_into().ok()).map_or(0, u32::from_be_bytes)
        };
        let request = Header { command_id: CommandId(word(4)), sequence_id: word(8) };
        let code = |value| cmpp::Code::new(self.version, value);
        let bad_length = MessageResp { msg_id: MsgId(0), result: code(result::BAD_LENGTH) };
        match request.command_id {
            CommandId::SUBMIT | CommandId::DELIVER => {
                self.emit(request.response(), &cmpp::Body::MessageResp(bad_length), out);
            }
            CommandId::CONNECT if side == Side::Client => {
                let refused = cmpp::ConnectResp {
                    status: code(status::BAD_STRUCTURE),
                    authenticator_ismg: [0; 16],
                    version: self.version.wire(),
                };
                self.emit(request.response(), &cmpp::Body::ConnectResp(refused), out);
            }
            _ => {
                self.sequence_id = self.sequence_id.wrapping_add(1);
                let terminate = Header { command_id: CommandId::TERMINATE, sequence_id: self.sequence_id };
                self.emit(terminate, &cmpp::Body::EMPTY, out);
            }
        }
    }
}
