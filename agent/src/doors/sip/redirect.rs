//! The redirect server, without its sockets.

use super::SipConfig;
use super::answer::{self, Answer};
use super::key::{Key, Keys};
use super::overload::Overload;
use super::screen::{self, RETRY_LATER, Screen, Screened, UNAVAILABLE};
use super::transactions::{Known, Transactions};
use super::waiting::Waiting;
use crate::doors::counters::Counters;
use crate::doors::session::Now;
use crate::enforce::{Cause, Ruling};
use crate::pipeline::Gate;
use crate::stir::Stir;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;
use yumen_wire::sip::{Defect, Message, Name, Request, Scheme, StartLine, Uri, Via};

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

/// Now, and for a call that waited: until when it may.
type Moment = (Now, Option<Instant>);

/// A redirect server: requests in, answers out.
#[derive(Debug)]
pub struct Redirect {
    config: SipConfig,
    gate: Arc<Gate>,
    screen: Screen,
    keys: Keys,
    transactions: Transactions,
    overload: Overload,
    contacts: Vec<u8>,
    waiting: Waiting<Peer>,
    /// Whether the message in hand was weighed already, and found to be too much.
    weighed: Option<bool>,
    draining: bool,
}

impl Redirect {
    /// A server that judges by `gate`.
    #[must_use]
    pub fn new(config: SipConfig, gate: Arc<Gate>, now: Instant) -> Self {
        Self {
            transactions: Transactions::new(config.transactions_max),
            screen: Screen::new(&config, gate.clone()),
            config,
            gate,
            keys: Keys::default(),
            overload: Overload::new(now),
            contacts: Vec::new(),
            waiting: Waiting::default(),
            weighed: None,
            draining: false,
        }
    }

    /// Verifies callers' signatures too.
    #[must_use]
    pub fn with_stir(mut self, stir: Option<Arc<Stir>>) -> Self {
        self.screen.verify_by(stir);
        self
    }

    /// Takes one message, a datagram or a frame of a stream.
    pub fn handle(&mut self, octets: &[u8], peer: Peer, now: Now, out: &mut Answers) {
        let counters = &self.gate.counters;
        Counters::add(&counters.pdus_from_client);
        // Over a stream what has no answer never comes again.
        self.weighed = if peer.over_stream {
            None
        } else {
            self.overload.glance(octets, peer.address.ip(), now.instant)
        };
        if self.weighed == Some(true) && !self.overload.tells() {
            Counters::add(&counters.shed);
            return;
        }
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
            Ok(request) => self.serve(&message, &request, peer, (now, None), out),
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

    /// When [`Self::resume`] wants to be called at the latest; `None` while no call waits for a certificate.
    #[must_use]
    pub fn poll_waiting(&self) -> Option<Instant> {
        self.waiting.poll_timeout()
    }

    /// A certificate came, or will not come, or some call waited for long enough: calls that wait are looked at again,
    /// those of one peer, or all.
    pub fn resume(&mut self, of: Option<Peer>, now: Now, out: &mut Answers) {
        for waits in self.waiting.take_all() {
            if of.is_none_or(|peer| peer == waits.came_by) {
                self.again(&waits.octets, waits.came_by, (now, Some(waits.until)), out);
            } else {
                self.waiting.put_back(waits);
            }
        }
    }

    /// A stream is gone, and with it whoever waited there.
    pub fn gone(&mut self, peer: Peer) {
        self.waiting.forget(|came_by| *came_by == peer);
    }

    fn again(&mut self, octets: &[u8], peer: Peer, now: Moment, out: &mut Answers) {
        let Ok(message) = Message::new_checked(octets) else { return };
        let Ok(request) = Request::check(&message) else { return };
        let key = self.keys.of(&request);
        self.judge(&message, &request, key, peer, now, out);
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
        self.transactions.len() + self.waiting.len()
    }

    fn serve(
        &mut self,
        message: &Message<'_>,
        request: &Request<'_>,
        peer: Peer,
        (now, until): Moment,
        out: &mut Answers,
    ) {
        let key = self.keys.of(request);
        match request.method {
            b"INVITE" => self.invite(message, request, key, peer, (now, until), out),
            b"ACK" => self.transactions.confirm(key, now.instant),
            b"CANCEL" if self.waiting.holds(key) => {
                reply(message, request, peer, key, "200 OK", b"", out);
                self.give_up(key, now, out);
            }
            // Its answer is final already: the CANCEL is right, and changes nothing (RFC 3261 §9.2).
            b"CANCEL" if self.transactions.look(key) != Known::New => {
                reply(message, request, peer, key, "200 OK", b"", out);
            }
            b"OPTIONS" => match super::answer::unsupported(message, Name::Require) {
                Some(headers) => reply(message, request, peer, key, "420 Bad Extension", &headers, out),
                None => reply(message, request, peer, key, "200 OK", ALLOW, out),
            },
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
        (now, until): Moment,
        out: &mut Answers,
    ) {
        if self.waiting.holds(key) {
            Counters::add(&self.gate.counters.requests_again);
            return;
        }
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
        let sheds = self
            .weighed
            .take()
            .unwrap_or_else(|| self.overload.sheds(peer.address.ip(), screen::caller(request), now.instant));
        if self.draining || sheds {
            Counters::add(&self.gate.counters.shed);
            return reply(message, request, peer, key, UNAVAILABLE, RETRY_LATER, out);
        }
        self.judge(message, request, key, peer, (now, until), out);
    }

    fn judge(
        &mut self,
        message: &Message<'_>,
        request: &Request<'_>,
        key: Key,
        peer: Peer,
        (now, until): Moment,
        out: &mut Answers,
    ) {
        let last = until.is_some_and(|until| until <= now.instant);
        let remembered = self.transactions.make_room();
        let (ruling, refused) = if remembered {
            match self.screen.call(message, request, now, last) {
                Screened::Done(ruling, refused, _) => (ruling, refused),
                Screened::Waits(wait) => {
                    let due = until.unwrap_or(now.instant + wait);
                    if !self.waiting.add(key, message.octets(), peer, due) {
                        return self.judge(message, request, key, peer, (now, Some(now.instant)), out);
                    }
                    if until.is_none() {
                        let answer =
                            Answer { status: "100 Trying", headers: b"", source: peer.address, tag: None };
                        out.write(destination(request, peer), message, &answer);
                    }
                    return;
                }
            }
        } else {
            (self.gate.undecided(Cause::MemoryShort), None)
        };
        let octets = match refused {
            Some(status) => {
                let answer = Answer { status, headers: b"", source: peer.address, tag: Some(key.tag()) };
                out.write(destination(request, peer), message, &answer)
            }
            None => self.answer(message, request, key, peer, &ruling, out),
        };
        if remembered {
            let to = destination(request, peer);
            self.transactions.complete(key, octets, to, peer.over_stream, now.instant);
        }
    }

    /// The caller gave up while its call waited.
    fn give_up(&mut self, key: Key, now: Now, out: &mut Answers) {
        let Some(waits) = self.waiting.remove(key) else { return };
        let Ok(message) = Message::new_checked(&waits.octets) else { return };
        let Ok(request) = Request::check(&message) else { return };
        let peer = waits.came_by;
        let answer = Answer {
            status: "487 Request Terminated",
            headers: b"",
            source: peer.address,
            tag: Some(key.tag()),
        };
        let to = destination(&request, peer);
        let octets = out.write(to, &message, &answer);
        if self.transactions.make_room() {
            self.transactions.complete(key, octets, to, peer.over_stream, now.instant);
        }
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
            Ruling::Block(manner) => self.screen.refusal(*manner),
        };
        let answer = Answer { status, headers, source: peer.address, tag: Some(key.tag()) };
        out.write(destination(request, peer), message, &answer)
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

/// To where its Via says, or where that can't be read, to where it came from.
fn refuse_malformed(message: &Message<'_>, defect: Defect, peer: Peer, out: &mut Answers) {
    let Some(header) = message.header(Name::Via) else { return };
    let to = match Via::parse_first(header.value) {
        Some(via) if !peer.over_stream => answer::destination(&via, peer.address),
        _ => peer.address,
    };
    let status = format!("{} {defect}", defect.status());
    out.write(to, message, &Answer { status: &status, headers: b"", source: peer.address, tag: Some(0) });
}

const ALLOW: &[u8] = b"Allow: INVITE, ACK, CANCEL, OPTIONS\r\n";
