//! The redirect server, without its sockets.

use super::SipConfig;
use super::answer::{self, Answer};
use super::key::{Key, Keys};
use super::overload::Overload;
use super::transactions::{Known, Transactions};
use crate::behaviour::CallOutcome;
use crate::doors::counters::Counters;
use crate::doors::session::Now;
use crate::enforce::{Cause, Manner, Ruling};
use crate::pipeline::Gate;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;
use yumen_wire::sip::{
    CallTexts, Defect, Message, Name, Request, Scheme, Source, StartLine, Uri, Via, call_event,
};

/// Where a message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// Over TCP or TLS: answers go back on the same connection, and nothing is sent twice.
    pub over_stream: bool,
}

/// What is to be sent. Reused from call to call.
#[derive(Debug, Default)]
pub struct Answers {
    octets: Vec<u8>,
    messages: Vec<(SocketAddr, Range<usize>)>,
}

impl Answers {
    /// Each message with where it goes; over a stream the address is the connection's.
    pub fn iter(&self) -> impl Iterator<Item = (SocketAddr, &[u8])> {
        self.messages.iter().map(|(to, range)| (*to, self.octets.get(range.clone()).unwrap_or_default()))
    }

    /// Forgets what was sent, keeping the memory.
    pub fn clear(&mut self) {
        self.octets.clear();
        self.messages.clear();
    }

    fn push(&mut self, to: SocketAddr, octets: &[u8]) {
        let start = self.octets.len();
        self.octets.extend_from_slice(octets);
        self.messages.push((to, start..self.octets.len()));
    }

    fn write(&mut self, to: SocketAddr, message: &Message<'_>, answer: &Answer<'_>) -> &[u8] {
        let start = self.octets.len();
        answer::write(message, answer, &mut self.octets);
        self.messages.push((to, start..self.octets.len()));
        self.octets.get(start..).unwrap_or_default()
    }
}

/// A redirect server: requests in, answers out.
#[derive(Debug)]
pub struct Redirect {
    config: SipConfig,
    gate: Arc<Gate>,
    keys: Keys,
    transactions: Transactions,
    overload: Overload,
    /// Headers of a refusal, and of one that may be tried again.
    refusal: Vec<u8>,
    texts: CallTexts,
    contacts: Vec<u8>,
    draining: bool,
}

impl Redirect {
    /// A server that judges by `gate`.
    #[must_use]
    pub fn new(config: SipConfig, gate: Arc<Gate>, now: Instant) -> Self {
        let refusal = config.redress.as_ref().map_or_else(Vec::new, |uri| {
            // RFC 8688 §3.2 names the purpose; it says how to read what lies there.
            format!("Call-Info: <{uri}>;purpose=jwscard\r\n").into_bytes()
        });
        Self {
            transactions: Transactions::new(config.transactions_max),
            config,
            gate,
            keys: Keys::default(),
            overload: Overload::new(now),
            refusal,
            texts: CallTexts::default(),
            contacts: Vec::new(),
            draining: false,
        }
    }

    /// Takes one message, a datagram or a frame of a stream.
    pub fn handle(&mut self, octets: &[u8], peer: Peer, now: Now, out: &mut Answers) {
        let counters = &self.gate.counters;
        Counters::add(&counters.pdus_from_client);
        let Ok(message) = Message::new_checked(octets) else {
            Counters::add(&counters.malformed);
            return;
        };
        let StartLine::Request { method, .. } = message.start() else {
            // Nothing was asked, so no answer is awaited: a stray, or a forged one.
            return;
        };
        let is_ack = method == b"ACK";
        match Request::check(&message) {
            Ok(request) => self.serve(&message, &request, peer, now, out),
            Err(_) if is_ack => {}
            Err(defect) => {
                Counters::add(&counters.malformed);
                refuse_malformed(&message, defect, peer, out);
            }
        }
    }

    /// When [`Self::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.transactions.poll_timeout()
    }

    /// Sends again what has no ACK, and forgets what is over.
    pub fn handle_timeout(&mut self, now: Instant, out: &mut Answers) {
        self.transactions.handle_timeout(now, |to, octets| out.push(to, octets));
    }

    /// Tells that more waits than was served for a while: callers who ask for much are put off.
    pub fn press(&mut self, now: Instant) {
        self.overload.press(now);
    }

    /// Puts new calls off from now on.
    pub const fn drain(&mut self) {
        self.draining = true;
    }

    /// Whether [`Self::drain`] was called.
    #[must_use]
    pub const fn is_draining(&self) -> bool {
        self.draining
    }

    /// Transactions remembered.
    #[must_use]
    pub fn transactions(&self) -> usize {
        self.transactions.len()
    }

    fn serve(
        &mut self,
        message: &Message<'_>,
        request: &Request<'_>,
        peer: Peer,
        now: Now,
        out: &mut Answers,
    ) {
        let key = self.keys.of_invite(request);
        match request.method {
            b"INVITE" => self.invite(message, request, key, peer, now, out),
            b"ACK" => self.transactions.confirm(key, now.instant),
            // Its answer is final already: the CANCEL is right, and changes nothing (RFC 3261 §9.2).
            b"CANCEL" if self.transactions.look(key) != Known::New => {
                reply(message, request, peer, key, "200 OK", b"", out);
            }
            b"OPTIONS" => reply(message, request, peer, key, "200 OK", ALLOW, out),
            b"CANCEL" | b"BYE" | b"PRACK" | b"UPDATE" | b"INFO" => {
                reply(message, request, peer, key, "481 Call/Transaction Does Not Exist", b"", out);
            }
            _ => reply(message, request, peer, key, "405 Method Not Allowed", ALLOW, out),
        }
    }

    fn invite(
        &mut self,
        message: &Message<'_>,
        request: &Request<'_>,
        key: Key,
        peer: Peer,
        now: Now,
        out: &mut Answers,
    ) {
        match self.transactions.look(key) {
            Known::New => {}
            Known::Answered(answer) => {
                Counters::add(&self.gate.counters.requests_again);
                out.push(destination(request, peer), answer);
                return;
            }
            Known::Confirmed => {
                Counters::add(&self.gate.counters.requests_again);
                return;
            }
        }
        if request.to.tag().is_some() {
            // No dialog begins here, so none can be changed here.
            return reply(message, request, peer, key, "481 Call/Transaction Does Not Exist", b"", out);
        }
        if self.draining || self.overload.sheds(peer.address.ip(), request.from.uri.user, now.instant) {
            Counters::add(&self.gate.counters.shed);
            return reply(message, request, peer, key, UNAVAILABLE, RETRY_LATER, out);
        }
        let remembered = self.transactions.make_room();
        let ruling = if remembered {
            self.judge(message, request, now)
        } else {
            self.gate.undecided(Cause::MemoryShort)
        };
        let octets = self.answer(message, request, key, peer, &ruling, out);
        if remembered {
            let to = destination(request, peer);
            self.transactions.complete(key, octets, to, peer.over_stream, now.instant);
        }
    }

    fn judge(&mut self, message: &Message<'_>, request: &Request<'_>, now: Now) -> Ruling {
        let source = Source { trunk: self.config.trunk, trusted: self.config.trusted };
        let event = call_event(message, request, source, now.time_ms, &mut self.texts);
        let behaviour = self.gate.behaviour();
        behaviour.attempt(&event);
        let (ruling, _) = self.gate.screen_call(&event, now);
        if ruling.blocks() {
            let (caller, callee) = (event.originator.digits, event.destination.digits);
            behaviour.outcome(caller, callee, CallOutcome::Blocked, now.time_ms);
        }
        ruling
    }

    fn answer<'o>(
        &mut self,
        message: &Message<'_>,
        request: &Request<'_>,
        key: Key,
        peer: Peer,
        ruling: &Ruling,
        out: &'o mut Answers,
    ) -> &'o [u8] {
        let (status, headers) = match ruling {
            Ruling::Pass(_) => {
                self.write_contacts(&request.uri);
                ("302 Moved Temporarily", &self.contacts[..])
            }
            Ruling::Block(Manner::Reject) => (self.block_status(), &self.refusal[..]),
            // As if nobody were there: who calls isn't told that they were looked at.
            Ruling::Block(Manner::Drop) => ("480 Temporarily Unavailable", &b""[..]),
            Ruling::Block(Manner::Defer) => (UNAVAILABLE, RETRY_LATER),
            Ruling::Block(Manner::Malformed) => ("400 Bad Request", &b""[..]),
        };
        let answer = Answer { status, headers, source: peer.address, tag: Some(key.tag()) };
        out.write(destination(request, peer), message, &answer)
    }

    const fn block_status(&self) -> &'static str {
        match self.config.block_status {
            603 => "603 Decline",
            607 => "607 Unwanted",
            _ => "608 Rejected",
        }
    }

    /// One Contact for each next hop, the preferred first (RFC 3261 §8.3, §20.10).
    fn write_contacts(&mut self, uri: &Uri<'_>) {
        self.contacts.clear();
        for (at, hop) in self.config.next_hops.iter().enumerate() {
            let contacts = &mut self.contacts;
            contacts.extend_from_slice(b"Contact: <");
            contacts.extend_from_slice(if uri.scheme == Scheme::Sips { b"sips:" } else { b"sip:" });
            if !uri.user.is_empty() {
                contacts.extend_from_slice(uri.user);
                contacts.push(b'@');
            }
            contacts.extend_from_slice(hop.as_bytes());
            if uri.scheme == Scheme::Tel {
                contacts.extend_from_slice(b";user=phone");
            } else if let Some(user) = uri.param(b"user") {
                contacts.extend_from_slice(b";user=");
                contacts.extend_from_slice(user);
            }
            let quality = 1000_usize.saturating_sub(100 * at).max(1);
            contacts
                .extend_from_slice(format!(">;q={}.{:03}\r\n", quality / 1000, quality % 1000).as_bytes());
        }
    }
}

fn destination(request: &Request<'_>, peer: Peer) -> SocketAddr {
    if peer.over_stream { peer.address } else { answer::destination(&request.via, peer.address) }
}

/// An answer that nothing is remembered of: the same request gets the same one again.
fn reply(
    message: &Message<'_>,
    request: &Request<'_>,
    peer: Peer,
    key: Key,
    status: &str,
    headers: &[u8],
    out: &mut Answers,
) {
    let answer = Answer { status, headers, source: peer.address, tag: Some(key.tag()) };
    out.write(destination(request, peer), message, &answer);
}

/// Only where it is known whom to answer.
fn refuse_malformed(message: &Message<'_>, defect: Defect, peer: Peer, out: &mut Answers) {
    let Some(via) = message.header(Name::Via).and_then(|header| Via::parse_first(header.value)) else {
        return;
    };
    let to = if peer.over_stream { peer.address } else { answer::destination(&via, peer.address) };
    let status = format!("{} {defect}", defect.status());
    out.write(to, message, &Answer { status: &status, headers: b"", source: peer.address, tag: Some(0) });
}

const ALLOW: &[u8] = b"Allow: INVITE, ACK, CANCEL, OPTIONS\r\n";
const UNAVAILABLE: &str = "503 Service Unavailable";
const RETRY_LATER: &[u8] = b"Retry-After: 5\r\n";
