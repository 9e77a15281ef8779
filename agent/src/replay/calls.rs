//! SIP messages → call attempts and their outcomes.

use super::row::{Row, Subject};
use super::witness::Witness;
use crate::behaviour::{Behaviour, CallOutcome};
use crate::doors::session::Now;
use crate::limits::REPLAY_CALLS_MAX;
use crate::pipeline::Gate;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use yumen_capture::Item;
use yumen_wire::event::{Address, Call, Channel, Direction, Door, Event};

/// Calls under way, by their Call-ID: the same INVITE is seen once a hop and once a retransmission.
#[derive(Debug)]
pub(super) struct Calls {
    behaviour: Arc<Behaviour>,
    open: HashMap<String, Open>,
    order: VecDeque<String>,
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

    /// Takes a SIP message; the row of an attempt, where it is the first INVITE of one.
    pub(super) fn message(
        &mut self,
        octets: &[u8],
        item: &Item<'_>,
        now: Now,
        gate: &Gate,
        witness: &Witness,
    ) -> Option<Row> {
        let message = Message::parse(octets)?;
        if self.open.contains_key(message.call_id) {
            self.goes_on(&message, item.time_us, now.time_ms);
            return None;
        }
        if message.method() != "INVITE" || message.to.contains(";tag=") {
            return None;
        }
        let (caller, callee) = (user(message.from), user(message.uri));
        let event = Event {
            channel: Channel::Call,
            direction: Direction::Submit,
            door: Door::Capture,
            originator: Address::new(caller),
            destination: Address::new(callee),
            call: Call {
                asserted: Address::new(user(message.asserted)),
                user_agent: message.user_agent,
                ..Call::NONE
            },
            time_ms: now.time_ms,
            ..Event::text_only("")
        };
        self.behaviour.attempt(&event);
        // What would have been done is in what the witness saw.
        let _decided = gate.screen_call(&event, now);
        let mut row = Row::new("sip", Subject::Call, item);
        row.from = caller.to_owned();
        row.to = callee.to_owned();
        row.judged(&witness.take());
        self.remember(message.call_id, caller, callee, item.time_us);
        Some(row)
    }

    fn remember(&mut self, call_id: &str, caller: &str, callee: &str, invited_us: u64) {
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
    fn goes_on(&mut self, message: &Message<'_>, time_us: u64, time_ms: u64) {
        let Some(open) = self.open.get_mut(message.call_id).filter(|open| !open.over) else { return };
        let ms_since = |us: u64| time_us.saturating_sub(us) / 1000;
        let is_invite = message.sequence.ends_with("INVITE");
        let outcome = match (message.method(), message.status()) {
            ("CANCEL", _) if open.answered_us.is_none() => {
                CallOutcome::Cancelled { ring_ms: ms_since(open.invited_us) }
            }
            ("BYE", _) => match open.answered_us {
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

/// The few fields of a SIP message that an attempt is known by (RFC 3261 §7).
#[derive(Debug, Default)]
struct Message<'a> {
    start: &'a str,
    uri: &'a str,
    from: &'a str,
    to: &'a str,
    call_id: &'a str,
    sequence: &'a str,
    user_agent: &'a str,
    asserted: &'a str,
}

impl<'a> Message<'a> {
    /// `None` where its head isn't UTF-8, or where it has no Call-ID.
    fn parse(octets: &'a [u8]) -> Option<Self> {
        let end = octets.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(octets.len());
        let mut lines = std::str::from_utf8(octets.get(..end)?).ok()?.lines();
        let start = lines.next()?;
        let mut message = Self { start, uri: start.split(' ').nth(1)?, ..Self::default() };
        for line in lines {
            let Some((name, value)) = line.split_once(':') else { continue };
            let field = match name.trim_end().to_ascii_lowercase().as_str() {
                "from" | "f" => &mut message.from,
                "to" | "t" => &mut message.to,
                "call-id" | "i" => &mut message.call_id,
                "cseq" => &mut message.sequence,
                "user-agent" => &mut message.user_agent,
                "p-asserted-identity" => &mut message.asserted,
                _ => continue,
            };
            if field.is_empty() {
                *field = value.trim();
            }
        }
        (!message.call_id.is_empty()).then_some(message)
    }

    fn method(&self) -> &'a str {
        self.start.split(' ').next().unwrap_or_default()
    }

    fn status(&self) -> Option<u16> {
        self.start.strip_prefix("SIP/2.0 ")?.split(' ').next()?.parse().ok()
    }
}

/// The user part of the URI in a header: `"Name" <sip:+8613800000001@host>;tag=1` → `+8613800000001`.
fn user(value: &str) -> &str {
    // A display name in quotes may hold anything.
    let value = value.rsplit_once('"').map_or(value, |(_, rest)| rest);
    let uri = value.split_once('<').map_or(value, |(_, rest)| rest);
    let uri = uri.split('>').next().unwrap_or(uri);
    let Some((_scheme, rest)) = uri.split_once(':') else { return "" };
    let user = rest.split_once('@').map_or(rest, |(user, _host)| user);
    user.split([';', ':', '?']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_of_all_kinds_of_headers() {
        assert_eq!(user("\"A <b>\" <sip:+8613800000001@10.0.0.1:5060>;tag=x"), "+8613800000001");
        assert_eq!(user("sip:10086@example.invalid;transport=tcp"), "10086");
        assert_eq!(user("<tel:+8613800000001;phone-context=x>"), "+8613800000001");
        assert_eq!(user(""), "");
    }
}
