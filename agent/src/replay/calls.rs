//! SIP messages → call attempts and their outcomes.

use super::row::{Row, Subject};
use super::witness::Witness;
use crate::behaviour::{Behaviour, CallOutcome};
use crate::doors::session::Now;
use crate::limits::{REPLAY_CALL_ID_BYTES_MAX, REPLAY_CALLS_MAX};
use crate::pipeline::Gate;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use yumen_capture::Item;
use yumen_wire::event::{Door, Event};
use yumen_wire::sip::{CallTexts, Message, Name, Request, Source, StartLine, call_event};

/// Calls under way, by their Call-ID: the same INVITE is seen once a hop and once a retransmission.
#[derive(Debug)]
pub(super) struct Calls {
    behaviour: Arc<Behaviour>,
    open: HashMap<Vec<u8>, Open>,
    order: VecDeque<Vec<u8>>,
}

#[derive(Debug)]
struct Open {
    caller: String,
    callee: String,
    invited_us: u64,
    answered_us: Option<u64>,
    over: bool,
}

impl Calls {
    pub(super) fn new(behaviour: Arc<Behaviour>) -> Self {
        Self { behaviour, open: HashMap::new(), order: VecDeque::new() }
    }

    /// Takes a SIP message; the row of an attempt, where it is the first INVITE of one. What is wrong with one that a server
    /// must refuse (RFC 3261 §8.2) is shown, and it is judged as a server that takes it all the same would read it.
    pub(super) fn message(
        &mut self,
        octets: &[u8],
        item: &Item<'_>,
        now: Now,
        gate: &Gate,
        witness: &Witness,
    ) -> Option<Row> {
        let message = Message::new_checked(octets).ok()?;
        let call_id = message.header(Name::CallId)?.value;
        if self.open.contains_key(call_id) {
            self.goes_on(call_id, &message, item.time_us, now.time_ms);
            return None;
        }
        let (request, defect) = match Request::check(&message) {
            Ok(request) => (request, None),
            Err(defect) => (Request::read_loosely(&message)?, Some(defect)),
        };
        if request.method != b"INVITE" || request.to.tag().is_some() {
            return None;
        }
        let mut texts = CallTexts::default();
        // A capture doesn't say whose word about a caller counts: everybody's does.
        let source = Source { trusted: true, ..Source::default() };
        let event = call_event(&message, &request, source, now.time_ms, &mut texts);
        let event = Event { door: Door::Capture, ..event };
        self.behaviour.attempt(&event);
        // What would have been done is in what the witness saw.
        let _decided = gate.screen_call(&event, now);
        let mut row = Row::new("sip", Subject::Call, item);
        row.from = event.originator.digits.to_owned();
        row.to = event.destination.digits.to_owned();
        row.judged(&witness.take());
        row.defect = defect.map(|defect| defect.to_string());
        if call_id.len() <= REPLAY_CALL_ID_BYTES_MAX {
            self.remember(call_id, event.originator.digits, event.destination.digits, item.time_us);
        }
        Some(row)
    }

    fn remember(&mut self, call_id: &[u8], caller: &str, callee: &str, invited_us: u64) {
        if self.order.len() >= REPLAY_CALLS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.open.remove(&oldest);
        }
        self.order.push_back(call_id.to_owned());
        let (caller, callee) = (caller.to_owned(), callee.to_owned());
        let open = Open { caller, callee, invited_us, answered_us: None, over: false };
        self.open.insert(call_id.to_owned(), open);
    }

    /// A later message of a call: what it says about the attempt is learned once.
    fn goes_on(&mut self, call_id: &[u8], message: &Message<'_>, time_us: u64, time_ms: u64) {
        let Some(open) = self.open.get_mut(call_id).filter(|open| !open.over) else { return };
        let ms_since = |us: u64| time_us.saturating_sub(us) / 1000;
        let (method, status) = match message.start() {
            StartLine::Request { method, .. } => (method, None),
            StartLine::Response { status, .. } => (&b""[..], Some(status)),
        };
        let is_invite = message.header(Name::CSeq).is_some_and(|header| header.value.ends_with(b"INVITE"));
        let outcome = match (method, status) {
            (b"CANCEL", _) if open.answered_us.is_none() => {
                CallOutcome::Cancelled { ring_ms: ms_since(open.invited_us) }
            }
            (b"BYE", _) => match open.answered_us {
                Some(answered_us) => CallOutcome::Ended { duration_ms: ms_since(answered_us) },
                None => return,
            },
            (_, Some(200..300)) if is_invite && open.answered_us.is_none() => {
                open.answered_us = Some(time_us);
                CallOutcome::Answered { ring_ms: ms_since(open.invited_us) }
            }
            // An INVITE that is asked to authenticate comes again (RFC 3261 §22.2).
            (_, Some(401 | 407)) => return,
            (_, Some(300..)) if is_invite && open.answered_us.is_none() => CallOutcome::Failed,
            _ => return,
        };
        open.over = !matches!(outcome, CallOutcome::Answered { .. });
        self.behaviour.outcome(&open.caller, &open.callee, outcome, time_ms);
    }
}
