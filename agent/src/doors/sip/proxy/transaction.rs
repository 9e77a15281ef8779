//! What a proxy remembers of a request: its server side, and each attempt to have it served.

use super::super::key::Key;
use super::super::screen::Parties;
use super::super::transport::{Flow, Place};
use super::route::Plan;
use crate::enforce::Permit;
use crate::limits::{SIP_T1, SIP_T2};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// One request, until nobody asks for it any more.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) key: Key,
    pub(super) is_invite: bool,
    /// As it came; emptied once nothing is written from it any more.
    pub(super) request: Vec<u8>,
    /// Where it came from.
    pub(super) source: SocketAddr,
    /// Where its answers go.
    pub(super) reply_to: Flow,
    /// How it is sent on, and the right to do so; `None` where it is answered here.
    pub(super) onward: Option<(Plan, Permit)>,
    pub(super) server: Server,
    /// What was last answered.
    pub(super) response: Vec<u8>,
    /// Timer G: when the answer is sent again, and the pause after that.
    pub(super) resend: Option<(Instant, Duration)>,
    /// Timers H, I, J and L (RFC 6026): when the server side is over.
    pub(super) ends: Option<Instant>,
    pub(super) attempts: Vec<Attempt>,
    /// Next hops that had their turn, a bit each.
    pub(super) tried: u64,
    /// The caller gave up.
    pub(super) cancelled: bool,
    /// The answer of a hop that another may better.
    pub(super) best: Option<Vec<u8>>,
    pub(super) call: Option<CallRecord>,
    /// The timer that counts in the table's heap, and the bytes counted for this.
    pub(super) due: Option<Instant>,
    pub(super) cost: usize,
}

/// A call attempt whose outcome is awaited.
#[derive(Clone, Debug)]
pub(super) struct CallRecord {
    pub(super) parties: Parties,
    /// When it first rang, in milliseconds since the Unix epoch.
    pub(super) ringing_ms: Option<u64>,
    /// What names its dialog, and its challenge.
    pub(super) dialog: u64,
    pub(super) challenge: u64,
}

/// The server side (RFC 3261 §17.2, RFC 6026 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Server {
    /// No final answer yet.
    Proceeding,
    /// A 2xx was sent on: its ACK goes end to end, the answerer sends it again.
    Accepted,
    /// Another final answer was sent: it is sent again until its ACK, or to a request that comes again.
    Completed,
    /// The ACK came.
    Confirmed,
    /// Over.
    Over,
}

/// One try at one place: a client transaction (RFC 3261 §17.1, RFC 6026 §8.4).
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) branch: u64,
    pub(super) place: Arc<Place>,
    /// Which next hop, where it is one.
    pub(super) hop: Option<usize>,
    pub(super) state: State,
    /// Nothing came back in time, and another had its turn.
    pub(super) is_late: bool,
    /// As it was sent; emptied with the final answer.
    pub(super) sent: Vec<u8>,
    /// The ACK for a refusal.
    pub(super) ack: Vec<u8>,
    /// Timers A and E.
    pub(super) resend: Option<(Instant, Duration)>,
    /// Timers B, C, D, F, K and M.
    pub(super) ends: Instant,
    pub(super) cancel: Option<Cancel>,
}

/// A CANCEL on its way: a transaction of its own, of which only the resending matters.
#[derive(Debug)]
pub(super) struct Cancel {
    pub(super) octets: Vec<u8>,
    pub(super) resend: Option<(Instant, Duration)>,
}

/// The client side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing came back yet.
    Calling,
    /// A provisional answer came.
    Proceeding,
    /// A refusal, or any final answer to another request than INVITE.
    Completed,
    /// A 2xx to an INVITE.
    Accepted,
    /// Nothing came in time, and another has its turn: a late answer is still understood.
    Abandoned,
    /// Over.
    Over,
}

impl Transaction {
    /// The next moment at which something is to be done.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let of_attempts =
            self.attempts.iter().filter(|attempt| attempt.state != State::Over).flat_map(|attempt| {
                let cancel = attempt.cancel.as_ref().and_then(|cancel| cancel.resend);
                [Some(attempt.ends), attempt.resend.map(|of| of.0), cancel.map(|of| of.0)]
            });
        of_attempts.chain([self.ends, self.resend.map(|of| of.0)]).flatten().min()
    }

    /// Nobody asks for it any more.
    pub(super) fn is_over(&self) -> bool {
        self.server == Server::Over && self.attempts.iter().all(|attempt| attempt.state == State::Over)
    }

    /// Somebody still waits: the caller for an answer, or we for the ACK.
    pub(super) const fn is_open(&self) -> bool {
        matches!(self.server, Server::Proceeding)
            || (matches!(self.server, Server::Completed) && self.is_invite)
    }

    /// Bytes that it takes, near enough.
    pub(super) fn bytes(&self) -> usize {
        let of_attempt = |attempt: &Attempt| {
            let cancel = attempt.cancel.as_ref().map_or(0, |cancel| cancel.octets.capacity());
            size_of::<Attempt>() + attempt.sent.capacity() + attempt.ack.capacity() + cancel
        };
        size_of::<Self>()
            + TABLES_BYTES
            + self.request.capacity()
            + self.response.capacity()
            + self.best.as_ref().map_or(0, Vec::capacity)
            + self.attempts.iter().map(of_attempt).sum::<usize>()
    }

    /// Drops what nothing is written from any more.
    pub(super) fn slim(&mut self) {
        if self.server == Server::Proceeding {
            return;
        }
        self.request = Vec::new();
        self.best = None;
        if self.server != Server::Completed {
            self.response = Vec::new();
        }
        for attempt in &mut self.attempts {
            if !matches!(attempt.state, State::Calling | State::Proceeding | State::Abandoned) {
                attempt.sent = Vec::new();
            }
        }
    }

    pub(super) fn attempt(&mut self, branch: u64) -> Option<&mut Attempt> {
        self.attempts.iter_mut().find(|attempt| attempt.branch == branch)
    }
}

/// The pause that follows one: doubled, up to T2 where that holds.
pub(super) fn longer(pause: Duration, up_to_t2: bool) -> Duration {
    let doubled = 2 * pause;
    if up_to_t2 { doubled.min(SIP_T2) } else { doubled }
}

/// The first resending, where anything is sent again.
pub(super) fn first_resend(place: &Place, now: Instant) -> Option<(Instant, Duration)> {
    (!place.transport.is_stream()).then(|| (now + SIP_T1, SIP_T1))
}

/// Of the maps and the heap, for each transaction.
const TABLES_BYTES: usize = 160;
