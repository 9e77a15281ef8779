//! Requests: checked, judged, sent on.

use super::super::answer::{self, Answer};
use super::super::key::Key;
use super::super::screen::{self, Parties, RETRY_LATER, Screened, UNAVAILABLE};
use super::super::transport::Flow;
use super::attempts::CANCELLED;
use super::local::Branch;
use super::output::{Destination, Outputs};
use super::route::{self, Plan, Target};
use super::transaction::{CallRecord, Server, Transaction};
use super::{Proxy, write};
use crate::behaviour::CallOutcome;
use crate::doors::counters::Counters;
use crate::doors::session::Now;
use crate::enforce::{self, Ruling, Waiver};
use std::hash::BuildHasher;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use yumen_wire::sip::{Message, Name, Request};

/// What became of a request that asked to go on.
enum Judged {
    /// A ruling; for a call, what its outcome is told by.
    Done(Ruling, Option<CallRecord>),
    /// Its signature is wrong, and this door refuses that.
    Refused(&'static str),
    /// Its certificate is being fetched.
    Waits(Duration),
}

impl Proxy {
    pub(super) fn request(
        &mut self,
        message: &Message<'_>,
        request: &Request<'_>,
        flow: Flow,
        now: Now,
        out: &mut Outputs,
    ) {
        let key = self.keys.of(request);
        match request.method {
            b"ACK" => return self.ack(message, request, key, flow, now, out),
            b"CANCEL" => return self.cancel(message, request, key, flow, now, out),
            _ => {}
        }
        if let Some(transaction) = self.table.take(key) {
            Counters::add(&self.gate.counters.requests_again);
            if !transaction.response.is_empty() {
                out.push(Destination::Back(transaction.reply_to), &transaction.response);
            }
            return self.table.put(transaction);
        }
        if self.waiting.holds(key) {
            return Counters::add(&self.gate.counters.requests_again);
        }
        let refuse = |status: &str, headers: &[u8], out: &mut Outputs| {
            write::reply(message, request, flow, (status, headers, key.tag()), out);
        };
        if let Some((status, headers)) = self.refusal(message, request) {
            return refuse(status, &headers, out);
        }
        let begins = request.to.tag().is_none();
        let judged = begins && matches!(request.method, b"INVITE" | b"MESSAGE");
        let sheds = judged
            && self.weighed.take().unwrap_or_else(|| {
                self.overload.sheds(flow.address.ip(), screen::caller(request), now.instant)
            });
        if judged && (self.draining || sheds) || !self.table.make_room() {
            Counters::add(&self.gate.counters.shed);
            return refuse(UNAVAILABLE, RETRY_LATER, out);
        }
        self.start(message, request, flow, (now, None), out);
    }

    /// Finds the way of a request that isn't refused, and whether it may go it. `until` is when one that waited has waited
    /// long enough.
    pub(super) fn start(
        &mut self,
        message: &Message<'_>,
        request: &Request<'_>,
        flow: Flow,
        (now, until): (Now, Option<Instant>),
        out: &mut Outputs,
    ) {
        let key = self.keys.of(request);
        let plan = match self.plan(message, request) {
            Ok(plan) => plan,
            Err(status) => return write::reply(message, request, flow, (status, b"", key.tag()), out),
        };
        let mut judged = self.judge(message, request, now, until.is_some_and(|until| until <= now.instant));
        if let Judged::Waits(wait) = judged {
            let due = until.unwrap_or(now.instant + wait);
            if self.waiting.add(key, message.octets(), flow, due) {
                if until.is_none() {
                    let to = Destination::Back(write::back(&request.via, flow));
                    let answer = trying(flow.address);
                    out.write(to, |octets| answer::write(message, &answer, octets));
                }
                return;
            }
            judged = self.judge(message, request, now, true);
        }
        self.begin(message, request, (key, flow, plan, judged), now, out);
    }

    /// What is answered without being remembered (RFC 3261 §16.3).
    fn refusal(&self, message: &Message<'_>, request: &Request<'_>) -> Option<(&'static str, Vec<u8>)> {
        let begins = request.to.tag().is_none();
        if request.method == b"OPTIONS"
            && begins
            && (request.max_forwards == Some(0)
                || request.uri.user.is_empty() && self.local.is_ours(&request.uri))
        {
            return Some(match answer::unsupported(message, Name::Require) {
                Some(headers) => ("420 Bad Extension", headers),
                None => ("200 OK", ALLOW.to_vec()),
            });
        }
        if request.max_forwards == Some(0) {
            return Some(("483 Too Many Hops", Vec::new()));
        }
        if let Some(headers) = answer::unsupported(message, Name::ProxyRequire) {
            return Some(("420 Bad Extension", headers));
        }
        if self.local.has_looped(message, self.loop_mark(message, request)) {
            return Some(("482 Loop Detected", Vec::new()));
        }
        None
    }

    fn plan(&self, message: &Message<'_>, request: &Request<'_>) -> Result<Plan, &'static str> {
        let from_caller = self.dialog_id(request.call_id, request.from.tag());
        let from_callee = self.dialog_id(request.call_id, request.to.tag());
        let dialog = match self.dialogs.get(from_caller) {
            Some(dialog) => Some((dialog, true)),
            None => self.dialogs.get(from_callee).map(|dialog| (dialog, false)),
        };
        route::plan(message, request, &self.local, dialog)
    }

    fn begin(
        &mut self,
        message: &Message<'_>,
        request: &Request<'_>,
        (key, flow, plan, judged): (Key, Flow, Plan, Judged),
        now: Now,
        out: &mut Outputs,
    ) {
        let is_invite = request.method == b"INVITE";
        let mut transaction = Box::new(Transaction {
            key,
            is_invite,
            request: message.octets().to_vec(),
            source: flow.address,
            reply_to: write::back(&request.via, flow),
            onward: None,
            server: Server::Proceeding,
            response: Vec::new(),
            resend: None,
            ends: None,
            attempts: Vec::new(),
            tried: 0,
            cancelled: false,
            best: None,
            call: None,
            due: None,
            cost: 0,
        });
        if request.method == b"BYE" {
            self.hung_up(request, now);
        }
        match judged {
            Judged::Done(Ruling::Pass(permit), call) => {
                transaction.call = call;
                if is_invite {
                    self.trying(&mut transaction, message, out);
                }
                transaction.onward = Some((plan, permit));
                if !self.next_attempt(&mut transaction, now, out) {
                    self.answer(&mut transaction, UNAVAILABLE, RETRY_LATER, now, out);
                }
            }
            Judged::Done(Ruling::Block(manner), _) => {
                let (status, headers) = self.screen.refusal(manner);
                let headers = headers.to_vec();
                self.answer(&mut transaction, status, &headers, now, out);
            }
            Judged::Refused(status) => self.answer(&mut transaction, status, b"", now, out),
            // The last look doesn't wait.
            Judged::Waits(_) => self.answer(&mut transaction, UNAVAILABLE, RETRY_LATER, now, out),
        }
        self.table.put(transaction);
    }

    /// Calls and messages that begin are judged; what belongs to a dialog isn't.
    fn judge(&mut self, message: &Message<'_>, request: &Request<'_>, now: Now, last: bool) -> Judged {
        let waived = || Judged::Done(Ruling::Pass(enforce::waive(Waiver::NotAMessage)), None);
        if request.to.tag().is_some() {
            return waived();
        }
        match request.method {
            b"INVITE" => {
                let challenge = self.challenge_id(request);
                let has = |name| message.header(name).is_some();
                if (has(Name::ProxyAuthorization) || has(Name::Authorization))
                    && let Some(parties) = self.challenges.take(challenge, now.instant)
                {
                    let call = self.record(request, parties, challenge);
                    return Judged::Done(Ruling::Pass(enforce::waive(Waiver::JudgedBefore)), Some(call));
                }
                match self.screen.call(message, request, now, last) {
                    Screened::Done(_, Some(status), _) => Judged::Refused(status),
                    Screened::Done(ruling, None, parties) => {
                        Judged::Done(ruling, Some(self.record(request, parties, challenge)))
                    }
                    Screened::Waits(wait) => Judged::Waits(wait),
                }
            }
            b"MESSAGE" => match self.screen.text(message, request, now) {
                Some(ruling) => Judged::Done(ruling, None),
                None => waived(),
            },
            _ => waived(),
        }
    }

    fn record(&self, request: &Request<'_>, parties: Parties, challenge: u64) -> CallRecord {
        let dialog = self.dialog_id(request.call_id, request.from.tag());
        CallRecord { parties, ringing_ms: None, dialog, challenge }
    }

    /// 100 Trying: the caller stops sending again.
    fn trying(&self, transaction: &mut Transaction, message: &Message<'_>, out: &mut Outputs) {
        let answer = trying(transaction.source);
        let to = Destination::Back(transaction.reply_to);
        let written = out.write(to, |octets| answer::write(message, &answer, octets));
        transaction.response = written.to_vec();
    }

    /// The ACK of a refusal of ours ends here; that of a 2xx goes on to whom it answers.
    fn ack(
        &mut self,
        message: &Message<'_>,
        request: &Request<'_>,
        key: Key,
        flow: Flow,
        now: Now,
        out: &mut Outputs,
    ) {
        if let Some(mut transaction) = self.table.take(key) {
            let is_absorbed = transaction.server != Server::Accepted;
            if transaction.server == Server::Completed && transaction.is_invite {
                transaction.server = Server::Confirmed;
                transaction.resend = None;
                let over_stream = transaction.reply_to.transport.is_stream();
                let wait = if over_stream { Duration::ZERO } else { crate::limits::SIP_T4 };
                transaction.ends = Some(now.instant + wait);
                self.table.rest(key);
            }
            self.table.put(transaction);
            if is_absorbed {
                return;
            }
        }
        // What was answered without being remembered has a tag made of its key.
        let is_own = request.to.tag() == Some(format!("{:016x}", key.tag()).as_bytes());
        if is_own || request.to.tag().is_none() || request.max_forwards == Some(0) {
            return;
        }
        let mark = self.loop_mark(message, request);
        let (Ok(mut plan), false) = (self.plan(message, request), self.local.has_looped(message, mark))
        else {
            return;
        };
        plan.record = false;
        let place = match &plan.target {
            Target::Place(place) => place.clone(),
            Target::Hops { .. } => {
                match self.hops.next(0, now.instant).and_then(|hop| self.hops.place(hop)) {
                    Some(place) => place.clone(),
                    None => return,
                }
            }
        };
        // The same branch for an ACK that comes again: it has no transaction (RFC 3261 §16.11).
        let branch = Branch { id: self.secret.hash_one(key), mark };
        let to = Destination::To { place: place.clone(), branch: 0 };
        let source = (write::back(&request.via, flow), flow.address);
        out.write(to, |octets| self.write_onward(message, request, &plan, source, &place, branch, octets));
    }

    /// Hop by hop: answered here, and said on to whoever was asked (RFC 3261 §16.10).
    fn cancel(
        &mut self,
        message: &Message<'_>,
        request: &Request<'_>,
        key: Key,
        flow: Flow,
        now: Now,
        out: &mut Outputs,
    ) {
        if let Some(waits) = self.waiting.remove(key) {
            write::reply(message, request, flow, ("200 OK", b"", key.tag()), out);
            if let Ok(invite) = Message::new_checked(&waits.octets)
                && let Ok(asked) = Request::check(&invite)
            {
                write::reply(&invite, &asked, waits.came_by, (CANCELLED, b"", key.tag()), out);
            }
            return;
        }
        let found = self.table.take(key);
        let status = if found.is_some() { "200 OK" } else { "481 Call/Transaction Does Not Exist" };
        write::reply(message, request, flow, (status, b"", key.tag()), out);
        let Some(mut transaction) = found else { return };
        if transaction.is_invite && transaction.server == Server::Proceeding && !transaction.cancelled {
            transaction.cancelled = true;
            if transaction.attempts.is_empty() {
                self.answer(&mut transaction, CANCELLED, b"", now, out);
            } else {
                self.cancel_attempts(&mut transaction, now, out);
            }
        }
        self.table.put(transaction);
    }

    /// Somebody hung up.
    fn hung_up(&mut self, request: &Request<'_>, now: Now) {
        let ids = [request.from.tag(), request.to.tag()].map(|tag| self.dialog_id(request.call_id, tag));
        let Some(dialog) = ids.into_iter().find_map(|id| self.dialogs.close(id)) else { return };
        let duration_ms = now.time_ms.saturating_sub(dialog.answered_ms);
        self.tell(&dialog.parties, CallOutcome::Ended { duration_ms }, now);
    }

    pub(super) fn tell(&self, parties: &Parties, outcome: CallOutcome, now: Now) {
        self.gate.behaviour().outcome(&parties.caller, &parties.callee, outcome, now.time_ms);
    }

    fn dialog_id(&self, call_id: &[u8], tag: Option<&[u8]>) -> u64 {
        self.secret.hash_one((call_id, tag))
    }

    /// The same for the same call with a password.
    fn challenge_id(&self, request: &Request<'_>) -> u64 {
        let (from, uri) = (request.from.uri.whole, request.uri.whole);
        self.secret.hash_one((request.call_id, request.from.tag(), from, uri))
    }
}

/// The caller stops sending again.
const fn trying(source: SocketAddr) -> Answer<'static> {
    Answer { status: "100 Trying", headers: b"", source, tag: None }
}

const ALLOW: &[u8] = b"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, MESSAGE, REFER, SUBSCRIBE, NOTIFY, REGISTER\r\n";
