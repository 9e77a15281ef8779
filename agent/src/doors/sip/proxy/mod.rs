//! A transaction-stateful SIP proxy (RFC 3261 §16, §17, RFC 6026), without its sockets.
//!
//! ```text
//! request ─► serve: checks ─► route ─► Screen ─► transaction ─► attempt at a next hop ─► out
//! response ─► respond: its attempt ─► forwarded, or the next hop's turn ◄─ unreachable, timeout
//! ```
//! What is sent on is what came, byte for byte, but for Via, Max-Forwards, Record-Route, the Route that named this proxy
//! and a Request-URI that did. Calls are judged before they are sent on; everything within a dialog goes where the
//! dialog goes. Everything remembered has a limit: a request that finds no room is answered with 503.

mod attempts;
mod connections;
mod dialogs;
mod driver;
mod hops;
mod local;
mod names;
mod output;
mod respond;
mod route;
mod serve;
mod table;
mod transaction;
mod write;

pub(super) use driver::{Sockets, run};
pub use local::{DIALOG_KEY_BYTES, Local};
pub use output::{Destination, Outputs};

use super::SipConfig;
use super::key::Keys;
use super::overload::Overload;
use super::screen::Screen;
use super::transport::{Flow, Transport};
use super::waiting::Waiting;
use crate::doors::counters::Counters;
use crate::doors::session::Now;
use crate::limits::{SIP_CHALLENGES_MAX, SIP_PROXY_BYTES_MAX};
use crate::pipeline::Gate;
use crate::stir::Stir;
use dialogs::{Challenges, Dialogs};
use hops::Hops;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};
use table::Table;
use yumen_wire::sip::{Message, Request, StartLine};

/// What a proxy needs to know beside the door.
#[derive(Clone, Debug)]
pub struct ProxyConfig {
    /// Our name or address in Via and Record-Route; that of `bind` where it is `None`.
    pub advertise: Option<String>,
    /// Names that stand for this proxy, or for what is behind it: a Request-URI with one is rewritten to the next hop.
    pub domains: Vec<String>,
    /// How TLS next hops are connected to.
    pub hop_tls: Option<super::super::config::ClientTls>,
    /// How often each next hop is asked whether it is there; `None` doesn't ask.
    pub keepalive: Option<Duration>,
    /// How long a next hop may take for its first answer before the next is tried.
    pub hop_timeout: Duration,
    /// Timer C: how long it may ring.
    pub ring_timeout: Duration,
    /// Where the key of our Record-Routes is kept, so that dialogs outlive a restart.
    pub dialog_key: std::path::PathBuf,
}

/// A proxy: messages in, messages out.
#[derive(Debug)]
pub struct Proxy {
    settings: ProxyConfig,
    local: Local,
    gate: Arc<Gate>,
    screen: Screen,
    keys: Keys,
    table: Table,
    hops: Hops,
    dialogs: Dialogs,
    challenges: Challenges,
    overload: Overload,
    waiting: Waiting<Flow>,
    /// Whether the message in hand was weighed already, and found to be too much.
    weighed: Option<bool>,
    secret: RandomState,
    branches_made: u64,
    draining: bool,
}

impl Proxy {
    /// A proxy that judges by `gate`.
    #[must_use]
    pub fn new(
        config: &SipConfig,
        settings: ProxyConfig,
        local: Local,
        gate: Arc<Gate>,
        now: Instant,
    ) -> Self {
        Self {
            table: Table::new(config.transactions_max, SIP_PROXY_BYTES_MAX),
            hops: Hops::new(&config.next_hops, settings.keepalive, now),
            dialogs: Dialogs::new(config.transactions_max),
            challenges: Challenges::new(SIP_CHALLENGES_MAX),
            screen: Screen::new(config, gate.clone()),
            keys: Keys::default(),
            overload: Overload::new(now),
            waiting: Waiting::default(),
            weighed: None,
            secret: RandomState::new(),
            branches_made: 0,
            draining: false,
            settings,
            local,
            gate,
        }
    }

    /// Verifies callers' signatures too.
    #[must_use]
    pub fn with_stir(mut self, stir: Option<Arc<Stir>>) -> Self {
        self.screen.verify_by(stir);
        self
    }

    /// Takes one message, a datagram or a frame of a stream.
    pub fn handle(&mut self, octets: &[u8], flow: Flow, now: Now, out: &mut Outputs) {
        let counters = &self.gate.counters;
        // Over a stream what has no answer never comes again.
        self.weighed = if flow.transport.is_stream() {
            None
        } else {
            self.overload.glance(octets, flow.address.ip(), now.instant)
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
            Counters::add(&counters.pdus_from_server);
            return self.response(&message, now, out);
        };
        Counters::add(&counters.pdus_from_client);
        match Request::check(&message) {
            Ok(request) => self.request(&message, &request, flow, now, out),
            Err(_) if method == b"ACK" => {}
            Err(defect) => {
                Counters::add(&counters.malformed);
                write::refuse_malformed(&message, defect, flow, out);
            }
        }
    }

    /// When [`Self::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let waiting = self.waiting.poll_timeout();
        self.table.poll_timeout().into_iter().chain(self.hops.poll_timeout()).chain(waiting).min()
    }

    /// Sends again what has no answer, gives up what had none for too long, and asks next hops whether they are there.
    pub fn handle_timeout(&mut self, now: Now, out: &mut Outputs) {
        while let Some(mut transaction) = self.table.take_due(now.instant) {
            self.tick(&mut transaction, now, out);
            self.table.put(transaction);
        }
        self.hops.handle_timeout(now.instant, &self.local, &self.gate.counters, out);
        if self.waiting.poll_timeout().is_some_and(|due| due <= now.instant) {
            self.resume(now, out);
        }
    }

    /// A certificate came, or will not come: calls that wait for one are looked at again.
    pub fn resume(&mut self, now: Now, out: &mut Outputs) {
        for waits in self.waiting.take_all() {
            let Ok(message) = Message::new_checked(&waits.octets) else { continue };
            let Ok(request) = Request::check(&message) else { continue };
            self.start(&message, &request, waits.came_by, (now, Some(waits.until)), out);
        }
    }

    /// Nothing could be sent to the place of that attempt.
    pub fn unreachable(&mut self, branch: u64, now: Now, out: &mut Outputs) {
        if self.hops.unreachable(branch, now.instant, &self.gate.counters) {
            return;
        }
        let Some(mut transaction) = self.table.take_branch(branch) else { return };
        self.lost(&mut transaction, branch, now, out);
        self.table.put(transaction);
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

    /// Transactions that somebody still waits for.
    #[must_use]
    pub fn open(&self) -> usize {
        self.table.open() + self.waiting.len()
    }

    /// Transactions remembered, and the bytes that they take.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        (self.table.len(), self.table.bytes())
    }

    /// An id that nobody outside can guess.
    fn new_branch(&mut self) -> u64 {
        self.branches_made = self.branches_made.wrapping_add(1);
        self.secret.hash_one(self.branches_made)
    }

    /// What a request that came back here would have the same (RFC 5393 §4.2.1).
    fn loop_mark(&self, message: &Message<'_>, request: &Request<'_>) -> u64 {
        use yumen_wire::sip::Name;
        let other = |name| message.header(name).map(|header| header.value);
        self.secret.hash_one((
            request.uri.whole,
            request.from.tag(),
            request.to.tag(),
            request.call_id,
            request.cseq,
            other(Name::ProxyRequire),
            other(Name::ProxyAuthorization),
        ))
    }
}

/// Of one side of a call in Record-Route and Via.
const fn side(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "",
        Transport::Tcp => ";transport=tcp",
        Transport::Tls => ";transport=tls",
    }
}
