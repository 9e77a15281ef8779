//! Tries next hops in turn, cancels, and gives up.

use super::super::transport::{Flow, Place};
use super::local::Branch;
use super::output::{Destination, Outputs};
use super::route::{Target, rewritten};
use super::transaction::{Attempt, Cancel, Server, State, Transaction, first_resend, longer};
use super::write::{self, Onward};
use super::{Proxy, side};
use crate::doors::counters::Counters;
use crate::doors::session::Now;
use crate::limits::{SIP_T1, SIP_T4};
use std::sync::Arc;
use std::time::{Duration, Instant};
use yumen_wire::sip::{Message, Request};

/// Timers B, D, F, H, J, L and M.
pub(super) const TRANSACTION_TIME: Duration = Duration::from_millis(64 * 500);
const _: () = assert!(TRANSACTION_TIME.as_millis() == 64 * SIP_T1.as_millis());

impl Proxy {
    /// Sends the request to the next place that it can go to; `false` where there is none left.
    pub(super) fn next_attempt(
        &mut self,
        transaction: &mut Transaction,
        now: Now,
        out: &mut Outputs,
    ) -> bool {
        let Some((plan, _permit)) = &transaction.onward else { return false };
        let (place, hop, others) = match &plan.target {
            Target::Place(place) if transaction.attempts.is_empty() => (place.clone(), None, false),
            Target::Place(_) => return false,
            Target::Hops { .. } => {
                let Some(hop) = self.hops.next(transaction.tried, now.instant) else { return false };
                let Some(place) = self.hops.place(hop).cloned() else { return false };
                transaction.tried |= 1 << hop;
                (place, Some(hop), self.hops.next(transaction.tried, now.instant).is_some())
            }
        };
        let branch = self.new_branch();
        let Some(sent) = self.write_attempt(transaction, &place, branch) else { return false };
        out.push(Destination::To { place: place.clone(), branch }, &sent);
        if !transaction.attempts.is_empty() {
            Counters::add(&self.gate.counters.hop_failovers);
        }
        let patience =
            if others { self.settings.hop_timeout.min(TRANSACTION_TIME) } else { TRANSACTION_TIME };
        transaction.attempts.push(Attempt {
            branch,
            hop,
            state: State::Calling,
            is_late: false,
            sent,
            ack: Vec::new(),
            resend: first_resend(&place, now.instant),
            ends: now.instant + patience,
            cancel: None,
            place,
        });
        self.table.branch(branch, transaction.key);
        true
    }

    fn write_attempt(&self, transaction: &Transaction, place: &Arc<Place>, branch: u64) -> Option<Vec<u8>> {
        let (plan, _) = transaction.onward.as_ref()?;
        let message = Message::new_checked(&transaction.request).ok()?;
        let request = Request::check(&message).ok()?;
        let mark = self.loop_mark(&message, &request);
        let mut sent = Vec::new();
        self.write_onward(
            &message,
            &request,
            plan,
            (transaction.reply_to, transaction.source),
            place,
            Branch { id: branch, mark },
            &mut sent,
        );
        Some(sent)
    }

    /// A request as that place gets it.
    #[expect(clippy::too_many_arguments, reason = "what a request is written from")]
    pub(super) fn write_onward(
        &self,
        message: &Message<'_>,
        request: &Request<'_>,
        plan: &super::route::Plan,
        (reply_to, source): (Flow, std::net::SocketAddr),
        place: &Place,
        branch: Branch,
        out: &mut Vec<u8>,
    ) {
        let rewrite = matches!(plan.target, Target::Hops { rewrite: true });
        let uri = match &plan.uri {
            Some(uri) => uri.clone(),
            None if rewrite => rewritten(&request.uri, place),
            None => request.uri.whole.to_vec(),
        };
        let (host, port) = self.local.sent_by(place.transport);
        let via = format!("SIP/2.0/{} {host}:{port};branch={branch};rport", place.transport.as_str());
        let mut record = String::new();
        if plan.record {
            let token = self.local.token(request.call_id);
            let mut line = |transport| {
                let (host, port) = self.local.sent_by(transport);
                record += &format!("Record-Route: <sip:{token}@{host}:{port}{};lr>\r\n", side(transport));
            };
            line(place.transport);
            // Each side comes back the way it knows (RFC 5658 §4).
            if reply_to.transport != place.transport {
                line(reply_to.transport);
            }
        }
        let onward = Onward { plan, uri: &uri, via, record, source, transport: place.transport };
        write::request(message, request, &onward, out);
    }

    /// Tells every attempt under way that the caller gave up (RFC 3261 §16.10). One that nothing came back from yet is told
    /// as soon as something does (§9.1).
    pub(super) fn cancel_attempts(&mut self, transaction: &mut Transaction, now: Now, out: &mut Outputs) {
        for attempt in &mut transaction.attempts {
            if attempt.state == State::Proceeding {
                cancel(attempt, now.instant, out);
            }
        }
    }

    /// A timer of a transaction is due.
    pub(super) fn tick(&mut self, transaction: &mut Transaction, now: Now, out: &mut Outputs) {
        if let Some((_, pause)) = transaction.resend.filter(|(due, _)| *due <= now.instant) {
            out.push(Destination::Back(transaction.reply_to), &transaction.response);
            let pause = longer(pause, true);
            transaction.resend = Some((now.instant + pause, pause));
        }
        if transaction.ends.is_some_and(|ends| ends <= now.instant) {
            transaction.server = Server::Over;
            (transaction.ends, transaction.resend) = (None, None);
        }
        for at in 0..transaction.attempts.len() {
            let is_invite = transaction.is_invite;
            let Some(attempt) = transaction.attempts.get_mut(at) else { break };
            resend(attempt, is_invite, now.instant, out);
            if attempt.state != State::Over && attempt.ends <= now.instant {
                self.timed_out(transaction, at, now, out);
            }
        }
    }

    /// An attempt had its time.
    fn timed_out(&mut self, transaction: &mut Transaction, at: usize, now: Now, out: &mut Outputs) {
        let is_invite = transaction.is_invite;
        let Some(attempt) = transaction.attempts.get_mut(at) else { return };
        match attempt.state {
            State::Calling => {
                attempt.state = State::Abandoned;
                attempt.is_late = true;
                attempt.resend = None;
                attempt.ends = now.instant + TRANSACTION_TIME;
                if let Some(hop) = attempt.hop {
                    self.hops.missed(hop, now.instant, &self.gate.counters);
                }
                self.failed(transaction, TIMEOUT, now, out);
            }
            // Timer C: it rang for too long (RFC 3261 §16.8).
            State::Proceeding if is_invite && attempt.cancel.is_none() => cancel(attempt, now.instant, out),
            State::Proceeding => {
                attempt.state = State::Over;
                attempt.resend = None;
                attempt.cancel = None;
                // It rang somewhere, so it is tried nowhere else.
                transaction.tried = u64::MAX;
                self.failed(transaction, TIMEOUT, now, out);
            }
            State::Completed | State::Accepted | State::Abandoned | State::Over => {
                attempt.state = State::Over;
                attempt.resend = None;
            }
        }
    }

    /// An attempt couldn't be sent (RFC 3261 §16.9).
    pub(super) fn lost(&mut self, transaction: &mut Transaction, branch: u64, now: Now, out: &mut Outputs) {
        let Some(attempt) = transaction.attempt(branch) else { return };
        if !matches!(attempt.state, State::Calling | State::Proceeding) {
            return;
        }
        attempt.state = State::Over;
        (attempt.resend, attempt.cancel) = (None, None);
        if let Some(hop) = attempt.hop {
            self.hops.missed(hop, now.instant, &self.gate.counters);
        }
        self.failed(transaction, super::super::screen::UNAVAILABLE, now, out);
    }

    /// An attempt came to nothing: the next hop's turn, or the caller is told.
    pub(super) fn failed(
        &mut self,
        transaction: &mut Transaction,
        status: &'static str,
        now: Now,
        out: &mut Outputs,
    ) {
        if transaction.server != Server::Proceeding {
            return;
        }
        if transaction.cancelled {
            return self.answer(transaction, CANCELLED, b"", now, out);
        }
        if self.next_attempt(transaction, now, out) {
            return;
        }
        if let Some(best) = transaction.best.take() {
            return self.pass_back(transaction, 503, &best, now, out);
        }
        if transaction.is_invite || status != TIMEOUT {
            return self.answer(transaction, status, b"", now, out);
        }
        // Who asked has given up too: a 408 would be of no use (RFC 4320 §4.2).
        transaction.server = Server::Over;
    }
}

/// Sends CANCEL after an attempt that something came back from.
pub(super) fn cancel(attempt: &mut Attempt, now: Instant, out: &mut Outputs) {
    if attempt.cancel.is_some() {
        return;
    }
    let octets = write::sibling(&attempt.sent, "CANCEL", None);
    out.push(Destination::To { place: attempt.place.clone(), branch: 0 }, &octets);
    attempt.ends = now + TRANSACTION_TIME;
    attempt.cancel = Some(Cancel { octets, resend: first_resend(&attempt.place, now) });
}

/// Timers A and E, of the request and of its CANCEL.
fn resend(attempt: &mut Attempt, is_invite: bool, now: Instant, out: &mut Outputs) {
    if let Some((_, pause)) = attempt.resend.filter(|(due, _)| *due <= now) {
        let to = Destination::To { place: attempt.place.clone(), branch: attempt.branch };
        out.push(to, &attempt.sent);
        let pause = longer(pause, !is_invite);
        attempt.resend = Some((now + pause, pause));
    }
    let Some(cancel) = &mut attempt.cancel else { return };
    if let Some((_, pause)) = cancel.resend.filter(|(due, _)| *due <= now) {
        out.push(Destination::To { place: attempt.place.clone(), branch: 0 }, &cancel.octets);
        let pause = longer(pause, true);
        cancel.resend = Some((now + pause, pause));
    }
}

/// Timer K, and D: how long what comes again is taken and answered.
pub(super) fn absorb_time(place: &Place, is_invite: bool) -> Duration {
    match (place.transport.is_stream(), is_invite) {
        (true, _) => Duration::ZERO,
        (false, true) => TRANSACTION_TIME,
        (false, false) => SIP_T4,
    }
}

pub(super) const TIMEOUT: &str = "408 Request Timeout";
pub(super) const CANCELLED: &str = "487 Request Terminated";
