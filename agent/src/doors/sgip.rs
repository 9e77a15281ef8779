//! SGIP as a session sees it.
//!
//! SGIP has a connection for each direction, and only the side that opened it sends commands on it. A listener stands in
//! one of them: SP → SMG (Submit), or SMG → SP (Deliver, Report), where the SMG is the client. So it is the command, not
//! the side, that says which way a message goes.

use super::config::ListenerConfig;
use super::protocol::{Coded, Extras, Message, Pdu, Protocol, Side};
use crate::enforce::Manner;
use crate::limits::{ANSWER_BYTES_MAX, SGIP_BLOCKED_MAX};
use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use yumen_wire::event::{Direction, Door};
use yumen_wire::frame::Framing;
use yumen_wire::limits::SGIP_PDU_BYTES_MIN;
use yumen_wire::sgip::{self, CommandId, Header, MessageView, Sequence, result};
use yumen_wire::text::Coding;

/// What a rejected Submit is answered with. SGIP has no value for content and leaves none to vendors; a format error is
/// taken for good by every client, where 11 (busy) and 88 ask for another try.
pub const REJECT_RESULT: u8 = result::BAD_PARAMETER;

/// An SGIP connection pair.
#[derive(Debug)]
pub struct Sgip {
    framing: Framing,
    reject_result: u8,
    blocked: Blocked,
}

/// The commands that were blocked last, by their octets. A client that missed an answer sends the same command again; it
/// is answered again (G-4), and is no second message.
#[derive(Debug, Default)]
struct Blocked {
    hasher: RandomState,
    commands: VecDeque<(u64, Manner)>,
}

impl Blocked {
    fn find(&self, octets: &[u8]) -> Option<Manner> {
        if self.commands.is_empty() {
            return None;
        }
        let hash = self.hasher.hash_one(octets);
        self.commands.iter().find(|(known, _)| *known == hash).map(|(_, manner)| *manner)
    }

    fn add(&mut self, octets: &[u8], manner: Manner) {
        // What is put off is judged anew, and what can't be read has no sighting that could come twice.
        if !matches!(manner, Manner::Reject | Manner::Drop) || self.find(octets).is_some() {
            return;
        }
        if self.commands.len() >= SGIP_BLOCKED_MAX {
            self.commands.pop_front();
        }
        self.commands.push_back((self.hasher.hash_one(octets), manner));
    }
}

impl Sgip {
    /// For a new pair of that listener.
    #[must_use]
    pub fn new(config: &ListenerConfig) -> Self {
        let configured = config.reject_status.and_then(|status| u8::try_from(status).ok());
        Self {
            framing: Framing::SGIP.with_limit(config.pdu_bytes_max),
            reject_result: configured.unwrap_or(REJECT_RESULT),
            blocked: Blocked::default(),
        }
    }
}

impl Protocol for Sgip {
    const DOOR: Door = Door::Sgip;
    const HEADER_BYTES: usize = SGIP_PDU_BYTES_MIN;

    fn framing(&self) -> Framing {
        self.framing
    }

    fn read<'a>(&mut self, _side: Side, octets: &'a [u8], _time_ms: u64) -> Pdu<'a> {
        let Ok(pdu) = sgip::Pdu::new_checked(octets) else { return Pdu::Other };
        let id = pdu.command_id();
        if id.is_response() {
            return Pdu::Response;
        }
        match id {
            CommandId::SUBMIT | CommandId::DELIVER => {}
            CommandId::REPORT => return Pdu::Receipt,
            _ if id.name().is_some() => return Pdu::Request,
            _ => return Pdu::Other,
        }
        if let Some(manner) = self.blocked.find(octets) {
            return Pdu::Again(manner);
        }
        let Ok(view) = MessageView::parse(&pdu) else { return Pdu::Malformed };
        let (destination, destinations) = view.destination();
        Pdu::Message(Message {
            direction: if id == CommandId::SUBMIT { Direction::Submit } else { Direction::Deliver },
            originator: view.source,
            destination,
            destinations,
            text: Coded { coding: Coding::from_cmpp(view.message_coding), data: view.user_data() },
            extras: Extras::None,
            part: view.concatenation(),
        })
    }

    fn answer(&mut self, _side: Side, octets: &[u8], manner: Manner, _time_ms: u64, out: &mut Vec<u8>) {
        let Ok(pdu) = sgip::Pdu::new_checked(octets) else { return };
        let is_submit = pdu.command_id() == CommandId::SUBMIT;
        let code = match manner {
            Manner::Malformed => result::BAD_PARAMETER,
            Manner::Defer => result::BUSY,
            Manner::Reject if is_submit => self.reject_result,
            // The SMG is told that it arrived: any error would make it try again. No id is made up: a message's id is its
            // sequence number.
            Manner::Reject | Manner::Drop => result::OK,
        };
        emit(&pdu.header(), code, out);
        self.blocked.add(octets, manner);
    }

    fn frame_error(&mut self, _side: Side, start: &[u8], out: &mut Vec<u8>) {
        let word = |at: usize| {
            start.get(at..at + 4).and_then(|octets| octets.try_into().ok()).map_or(0, u32::from_be_bytes)
        };
        let request =
            Header::new(CommandId(word(4)), Sequence { node: word(8), time: word(12), count: word(16) });
        // A syntax error closes the connection; a command that can be told is answered first.
        if matches!(
            request.command_id,
            CommandId::BIND
                | CommandId::SUBMIT
                | CommandId::DELIVER
                | CommandId::REPORT
                | CommandId::USER_RPT
        ) {
            emit(&request, result::BAD_LENGTH, out);
        }
    }
}

fn emit(request: &Header, code: u8, out: &mut Vec<u8>) {
    let mut buffer = [0; ANSWER_BYTES_MAX];
    let written = sgip::emit_response(request, code, &mut buffer);
    if let Some(answer) = written.ok().and_then(|length| buffer.get(..length)) {
        out.extend_from_slice(answer);
    }
}
