//! Responses: to their attempt, and back to who asked.

use super::super::answer::{self, Answer};
use super::Proxy;
use super::attempts::{TRANSACTION_TIME, absorb_time, cancel};
use super::dialogs::Dialog;
use super::local::Branch;
use super::output::{Destination, Outputs};
use super::transaction::{Server, State, Transaction};
use super::write;
use crate::behaviour::CallOutcome;
use crate::doors::counters::Counters;
use crate::doors::session::Now;
use crate::limits::SIP_T1;
use yumen_wire::sip::{Message, Response};

impl Proxy {
    pub(super) fn response(&mut self, message: &Message<'_>, now: Now, out: &mut Outputs) {
        let Ok(response) = Response::check(message) else {
            return Counters::add(&self.gate.counters.malformed);
        };
        // Stray ones go nowhere (RFC 6026 §7.3).
        let Some(branch) = response.via.branch().and_then(Branch::parse) else { return };
        if self.hops.answered(branch.id, response.status, now.instant, &self.gate.counters) {
            return;
        }
        let Some(mut transaction) = self.table.take_branch(branch.id) else { return };
        match response.method {
            b"CANCEL" => cancel_answered(&mut transaction, branch.id, response.status),
            method if (method == b"INVITE") == transaction.is_invite => {
                self.take_response(&mut transaction, branch.id, message, &response, now, out);
            }
            _ => {}
        }
        self.table.put(transaction);
    }

    fn take_response(
        &mut self,
        transaction: &mut Transaction,
        branch: u64,
        message: &Message<'_>,
        response: &Response<'_>,
        now: Now,
        out: &mut Outputs,
    ) {
        let (is_invite, cancelled) = (transaction.is_invite, transaction.cancelled);
        let server = transaction.server;
        let over = server != Server::Proceeding;
        let Some(attempt) = transaction.attempt(branch) else { return };
        if let Some(hop) = attempt.hop.filter(|_| response.status != 503) {
            self.hops.heard(hop, &self.gate.counters);
        }
        let is_late = attempt.is_late;
        match (response.status, attempt.state) {
            (100..=199, State::Calling | State::Proceeding | State::Abandoned) => {
                attempt.state = State::Proceeding;
                if is_invite {
                    attempt.resend = None;
                    if attempt.cancel.is_none() {
                        attempt.ends = now.instant + self.settings.ring_timeout;
                    }
                    // The caller gave up, or another hop has its turn: this one is told now.
                    if cancelled || is_late || over {
                        cancel(attempt, now.instant, out);
                    }
                } else {
                    // It is there, so it has all the time that there is.
                    attempt.ends = attempt.ends.max(now.instant + TRANSACTION_TIME);
                }
                if response.status > 100 && !is_late && !over {
                    self.provisional(transaction, message, response, now, out);
                }
            }
            (200..=299, State::Calling | State::Proceeding | State::Abandoned) if is_invite => {
                attempt.state = State::Accepted;
                (attempt.resend, attempt.cancel) = (None, None);
                attempt.ends = now.instant + TRANSACTION_TIME;
                self.accepted(transaction, branch, message, response, now, out);
            }
            // Sent again until its ACK, which goes end to end: so does this.
            (200..=299, State::Accepted) if server == Server::Accepted => {
                self.write_back(transaction, message, response, out);
            }
            (300..=699, State::Completed) if is_invite => {
                out.push(Destination::To { place: attempt.place.clone(), branch: 0 }, &attempt.ack);
            }
            (200..=699, State::Calling | State::Proceeding | State::Abandoned) => {
                attempt.state = State::Completed;
                (attempt.resend, attempt.cancel) = (None, None);
                attempt.ends = now.instant + absorb_time(&attempt.place, is_invite);
                if is_invite {
                    attempt.ack = write::sibling(&attempt.sent, "ACK", Some(response.to));
                    out.push(Destination::To { place: attempt.place.clone(), branch: 0 }, &attempt.ack);
                }
                let hop = attempt.hop;
                if !is_late {
                    self.finished(transaction, (message, response), hop, now, out);
                }
            }
            _ => {}
        }
    }

    fn provisional(
        &mut self,
        transaction: &mut Transaction,
        message: &Message<'_>,
        response: &Response<'_>,
        now: Now,
        out: &mut Outputs,
    ) {
        if let Some(call) = transaction.call.as_mut().filter(|_| matches!(response.status, 180 | 183)) {
            call.ringing_ms.get_or_insert(now.time_ms);
        }
        transaction.response = self.write_back(transaction, message, response, out);
    }

    /// The call is answered: at once to the caller, and by the first that did.
    fn accepted(
        &mut self,
        transaction: &mut Transaction,
        branch: u64,
        message: &Message<'_>,
        response: &Response<'_>,
        now: Now,
        out: &mut Outputs,
    ) {
        if !matches!(transaction.server, Server::Proceeding | Server::Accepted) {
            return;
        }
        self.write_back(transaction, message, response, out);
        if transaction.server == Server::Accepted {
            return;
        }
        transaction.server = Server::Accepted;
        transaction.ends = Some(now.instant + TRANSACTION_TIME);
        self.table.rest(transaction.key);
        for other in transaction.attempts.iter_mut().filter(|other| other.branch != branch) {
            if other.state == State::Proceeding {
                cancel(other, now.instant, out);
            }
        }
        let place = transaction.attempt(branch).map(|attempt| attempt.place.clone());
        let (Some(call), Some(place)) = (transaction.call.take(), place) else { return };
        let dialog = Dialog { parties: call.parties.clone(), answered_ms: now.time_ms, place };
        if self.dialogs.open(call.dialog, dialog) {
            let ring_ms = now.time_ms.saturating_sub(call.ringing_ms.unwrap_or(now.time_ms));
            Counters::add(&self.gate.counters.calls_answered);
            self.tell(&call.parties, CallOutcome::Answered { ring_ms }, now);
        }
    }

    /// A final answer, to an INVITE or to anything else: another hop's turn, or back to who asked.
    fn finished(
        &mut self,
        transaction: &mut Transaction,
        (message, response): (&Message<'_>, &Response<'_>),
        hop: Option<usize>,
        now: Now,
        out: &mut Outputs,
    ) {
        if transaction.server != Server::Proceeding {
            return;
        }
        let mut octets = Vec::new();
        let back_over = transaction.reply_to.transport;
        write::response(message, &response.via, response.content_length, back_over, &mut octets);
        if response.status == 503 {
            if let Some(hop) = hop {
                self.hops.missed(hop, now.instant, &self.gate.counters);
            }
            transaction.best = Some(octets);
            return self.failed(transaction, super::super::screen::UNAVAILABLE, now, out);
        }
        self.pass_back(transaction, response.status, &octets, now, out);
    }

    /// Sends a final answer of somebody else's back.
    pub(super) fn pass_back(
        &mut self,
        transaction: &mut Transaction,
        status: u16,
        octets: &[u8],
        now: Now,
        out: &mut Outputs,
    ) {
        out.push(Destination::Back(transaction.reply_to), octets);
        transaction.response = octets.to_vec();
        if matches!(status, 401 | 407)
            && let Some(call) = transaction.call.take()
        {
            self.challenges.add(call.challenge, call.parties, now.instant);
        }
        self.settle(transaction, now);
    }

    /// Answers by ourselves, for good.
    pub(super) fn answer(
        &mut self,
        transaction: &mut Transaction,
        status: &str,
        headers: &[u8],
        now: Now,
        out: &mut Outputs,
    ) {
        let Ok(message) = Message::new_checked(&transaction.request) else {
            transaction.server = Server::Over;
            return;
        };
        let answer = Answer { status, headers, source: transaction.source, tag: Some(transaction.key.tag()) };
        let to = Destination::Back(transaction.reply_to);
        let written = out.write(to, |octets| answer::write(&message, &answer, octets)).to_vec();
        transaction.response = written;
        self.settle(transaction, now);
    }

    /// The server side has its final answer, which wasn't a 2xx to an INVITE.
    fn settle(&mut self, transaction: &mut Transaction, now: Now) {
        let over_stream = transaction.reply_to.transport.is_stream();
        transaction.server = Server::Completed;
        transaction.resend =
            (transaction.is_invite && !over_stream).then_some((now.instant + SIP_T1, SIP_T1));
        let waits = transaction.is_invite || !over_stream;
        transaction.ends = Some(if waits { now.instant + TRANSACTION_TIME } else { now.instant });
        if !transaction.is_invite {
            self.table.rest(transaction.key);
        }
        let Some(call) = transaction.call.take() else { return };
        let ring_ms = now.time_ms.saturating_sub(call.ringing_ms.unwrap_or(now.time_ms));
        if transaction.cancelled {
            Counters::add(&self.gate.counters.calls_cancelled);
            self.tell(&call.parties, CallOutcome::Cancelled { ring_ms }, now);
        } else {
            self.tell(&call.parties, CallOutcome::Failed, now);
        }
    }

    fn write_back(
        &self,
        transaction: &Transaction,
        message: &Message<'_>,
        response: &Response<'_>,
        out: &mut Outputs,
    ) -> Vec<u8> {
        let back_over = transaction.reply_to.transport;
        let written = out.write(Destination::Back(transaction.reply_to), |octets| {
            write::response(message, &response.via, response.content_length, back_over, octets);
        });
        written.to_vec()
    }
}

/// The CANCEL arrived: it isn't sent again. Whether it was in time, the INVITE's own answer says.
fn cancel_answered(transaction: &mut Transaction, branch: u64, status: u16) {
    if let Some(cancel) = transaction.attempt(branch).and_then(|attempt| attempt.cancel.as_mut())
        && status >= 200
    {
        cancel.resend = None;
    }
}
