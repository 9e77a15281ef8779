//! SGIP as a session sees it.
//!
//! SGIP has a connection for each direction, and only the side that opened it sends commands on it. A listener stands in
//! one of them: SP → SMG (Submit), or SMG → SP (Deliver, Report), where the SMG is the client. So it is the command, not
//! the side, that says which way a message goes.

use super::config::ListenerConfig;
use super::protocol::{Message, Pdu, Protocol, Side, append_answer};
use crate::enforce::Manner;
use crate::limits::SGIP_BLOCKED_MAX;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use yumen_wire::event::{Direction, Door};
use yumen_wire::frame::Framing;
use yumen_wire::limits::SGIP_PDU_BYTES_MIN;
use yumen_wire::sgip::{self, CommandId, Header, MessageView, Sequence, result};

/// What a rejected Submit is answered with. SGIP has no value for content and leaves none to vendors; a format error is
/// taken for good by every client, where 11 (busy) and 88 ask for another try.
pub const REJECT_RESULT: u8 = result::BAD_PARAMETER;

/// An SGIP connection pair.
#[derive(Debug)]
pub struct Sgip {
    framing: Framing,
    reject_result: u8,
    blocked: Arc<Blocked>,
}

/// The commands that a listener blocked last, by their octets, which the sender's node and its sequence are part of. A client
/// that missed an answer sends the same command again, on the same connection or on its next one; it is answered again (G-4),
/// and is no second message.
#[derive(Debug, Default)]
pub struct Blocked {
    hasher: RandomState,
    commands: Mutex<Commands>,
}

#[derive(Debug, Default)]
struct Commands {
    manners: HashMap<u64, Manner>,
    order: VecDeque<u64>,
}

impl Blocked {
    fn find(&self, octets: &[u8]) -> Option<Manner> {
        let commands = self.commands();
        if commands.order.is_empty() {
            return None;
        }
        commands.manners.get(&self.hasher.hash_one(octets)).copied()
    }

    fn add(&self, octets: &[u8], manner: Manner) {
        // What is put off is judged anew, and what can't be read has no sighting that could come twice.
        if !matches!(manner, Manner::Reject | Manner::Drop) {
            return;
        }
        let hash = self.hasher.hash_one(octets);
        let mut commands = self.commands();
        if commands.manners.insert(hash, manner).is_some() {
            return;
        }
        commands.order.push_back(hash);
        if commands.order.len() > SGIP_BLOCKED_MAX
            && let Some(oldest) = commands.order.pop_front()
        {
            commands.manners.remove(&oldest);
        }
    }

    /// It is whole after every change, so a panic elsewhere spoils nothing.
    fn commands(&self) -> MutexGuard<'_, Commands> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sgip {
    /// For a new pair of that listener, which remembers nothing of others.
    #[must_use]
    pub fn new(config: &ListenerConfig) -> Self {
        Self::with_memory(config, Arc::default())
    }

    /// For a new pair of that listener, with what was blocked on its others.
    #[must_use]
    pub fn with_memory(config: &ListenerConfig, blocked: Arc<Blocked>) -> Self {
        let configured = config.reject_status.and_then(|status| u8::try_from(status).ok());
        Self {
            framing: Framing::SGIP.with_limit(config.pdu_bytes_max),
            reject_result: configured.unwrap_or(REJECT_RESULT),
            blocked,
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
        Pdu::Message(Message::with_format(
            if id == CommandId::SUBMIT { Direction::Submit } else { Direction::Deliver },
            view.source,
            view.destination(),
            view.message_coding,
            view.user_data(),
            view.concatenation(),
        ))
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
    append_answer(out, |buffer| sgip::emit_response(request, code, buffer));
}
