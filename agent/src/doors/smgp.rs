//! SMGP as a session sees it.

use super::config::ListenerConfig;
use super::ident::SmgpIds;
use super::protocol::{Message, Pdu, Protocol, Side, append_answer};
use crate::enforce::Manner;
use yumen_wire::event::Door;
use yumen_wire::frame::Framing;
use yumen_wire::limits::SMGP_PDU_BYTES_MIN;
use yumen_wire::smgp::{
    self, CommandId, Header, Login, LoginResp, MessageResp, MessageView, MsgId, Version, status,
};
use yumen_wire::udh::UserData;

/// What a rejected Submit is answered with: the first of the values left to vendors. None of those that SMGP defines says
/// "refused for its content", and clients take any but 1 (busy) for good.
pub const REJECT_STATUS: u32 = status::VENDOR_FIRST;

/// An SMGP connection pair.
#[derive(Debug)]
pub struct Smgp {
    framing: Framing,
    reject_status: u32,
    /// What Login said: 1.3 has another Submit (M-4).
    version: Version,
    ids: SmgpIds,
    sequence_id: u32,
}

impl Smgp {
    /// For a new pair of that listener.
    #[must_use]
    pub fn new(config: &ListenerConfig) -> Self {
        Self {
            framing: Framing::SMGP.with_limit(config.pdu_bytes_max),
            reject_status: config.reject_status.unwrap_or(REJECT_STATUS),
            version: Version::V3,
            ids: SmgpIds::new(),
            sequence_id: 0,
        }
    }

    fn message<'a>(&self, side: Side, pdu: &smgp::Pdu<'a>) -> Pdu<'a> {
        let Ok(view) = MessageView::parse(pdu, self.version) else { return Pdu::Malformed };
        // Only the centre reports; what a client calls a report is a text of its own.
        if side == Side::Server && view.is_report() {
            return Pdu::Receipt;
        }
        let data = UserData { octets: view.msg_content, has_udh: view.has_udh() };
        Pdu::Message(Message::with_format(
            side.direction(),
            view.source,
            view.destination(),
            view.msg_format,
            data,
            view.concatenation(),
        ))
    }

    fn emit(&self, header: Header, body: &smgp::Body<'_>, out: &mut Vec<u8>) {
        append_answer(out, |buffer| smgp::emit(&header, body, self.version, buffer));
    }
}

impl Protocol for Smgp {
    const DOOR: Door = Door::Smgp;
    const HEADER_BYTES: usize = SMGP_PDU_BYTES_MIN;

    fn framing(&self) -> Framing {
        self.framing
    }

    fn read<'a>(&mut self, side: Side, octets: &'a [u8], time_ms: u64) -> Pdu<'a> {
        let Ok(pdu) = smgp::Pdu::new_checked(octets) else { return Pdu::Other };
        let id = pdu.command_id();
        if id.is_response() {
            if id == CommandId::SUBMIT_RESP
                && side == Side::Server
                && let Ok(response) = MessageResp::parse(pdu.body_octets())
                && response.status == status::OK
            {
                self.ids.learn(response.msg_id, time_ms);
            }
            return Pdu::Response;
        }
        if id.carries_message() {
            return self.message(side, &pdu);
        }
        if id == CommandId::LOGIN
            && side == Side::Client
            && let Ok(login) = Login::parse(pdu.body_octets())
        {
            self.version = Version::from_wire(login.client_version);
        }
        if id.name().is_some() { Pdu::Request } else { Pdu::Other }
    }

    fn answer(&mut self, side: Side, octets: &[u8], manner: Manner, time_ms: u64, out: &mut Vec<u8>) {
        let Ok(pdu) = smgp::Pdu::new_checked(octets) else { return };
        let none = MsgId::default();
        let (code, msg_id) = match (manner, side) {
            (Manner::Malformed, _) => (status::BAD_STRUCTURE, none),
            // Not now: who meets it tries again.
            (Manner::Defer, _) => (status::BUSY, none),
            (Manner::Drop, Side::Client) => (status::OK, self.ids.make(time_ms)),
            // The centre is told that it arrived: any error would make it try again.
            (Manner::Drop | Manner::Reject, Side::Server) => (status::OK, none),
            (Manner::Reject, Side::Client) => (self.reject_status, none),
        };
        append_answer(out, |buffer| smgp::emit_response(&pdu, self.version, code, msg_id, buffer));
    }

    fn frame_error(&mut self, side: Side, start: &[u8], out: &mut Vec<u8>) {
        let word = |at: usize| {
            start.get(at..at + 4).and_then(|octets| octets.try_into().ok()).map_or(0, u32::from_be_bytes)
        };
        let request = Header::new(CommandId(word(4)), word(8));
        match request.command_id {
            CommandId::SUBMIT | CommandId::DELIVER => {
                let refused = MessageResp { msg_id: MsgId::default(), status: status::BAD_STRUCTURE };
                self.emit(request.response(), &smgp::Body::MessageResp(refused), out);
            }
            CommandId::LOGIN if side == Side::Client => {
                let refused = LoginResp {
                    status: status::BAD_STRUCTURE,
                    authenticator_server: [0; 16],
                    server_version: self.version.wire(),
                };
                self.emit(request.response(), &smgp::Body::LoginResp(refused), out);
            }
            _ => {
                self.sequence_id = self.sequence_id.wrapping_add(1);
                self.emit(Header::new(CommandId::EXIT, self.sequence_id), &smgp::Body::EMPTY, out);
            }
        }
    }
}
