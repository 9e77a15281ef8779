//! INVITE server transactions behind their final answer (RFC 3261 §17.2.1): Completed until the ACK, Confirmed for T4.

use super::key::Key;
use crate::limits::{SIP_T1, SIP_T2, SIP_T4};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// All that are remembered, at most so many.
#[derive(Debug)]
pub(super) struct Transactions {
    known: HashMap<Key, Transaction>,
    timers: BinaryHeap<Reverse<(Instant, Key)>>,
    /// Confirmed ones, the oldest first: they make room when it is short. Ended ones may still stand in it.
    confirmed: VecDeque<Key>,
    max: usize,
}

#[derive(Debug)]
struct Transaction {
    /// The final answer; empty once it was acknowledged.
    answer: Vec<u8>,
    to: SocketAddr,
    /// Timer G, doubling up to T2; `None` over a stream, where nothing is sent again.
    resend: Option<Duration>,
    /// Timer H (no ACK came) or I (no more ACKs will come).
    ends: Instant,
    /// The timer of this one that counts; others of its key are old.
    due: Instant,
    confirmed: bool,
}

/// What is known of a request's transaction.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Known<'a> {
    /// Nothing.
    New,
    /// It has its answer, which is sent once more.
    Answered(&'a [u8]),
    /// It was answered, and the answer acknowledged.
    Confirmed,
}

impl Transactions {
    pub(super) fn new(max: usize) -> Self {
        Self { known: HashMap::new(), timers: BinaryHeap::new(), confirmed: VecDeque::new(), max }
    }

    pub(super) fn look(&self, key: Key) -> Known<'_> {
        match self.known.get(&key) {
            None => Known::New,
            Some(found) if found.confirmed => Known::Confirmed,
            Some(found) => Known::Answered(&found.answer),
        }
    }

    /// Transactions whose ACK is outstanding, and those whose isn't.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Room for one more; the oldest acknowledged one is forgotten for it where that helps.
    pub(super) fn make_room(&mut self) -> bool {
        while self.known.len() >= self.max {
            let Some(oldest) = self.confirmed.pop_front() else { return false };
            self.known.remove(&oldest);
        }
        true
    }

    /// Remembers a final answer. The caller made room.
    pub(super) fn complete(
        &mut self,
        key: Key,
        answer: &[u8],
        to: SocketAddr,
        over_stream: bool,
        now: Instant,
    ) {
        let ends = now + 64 * SIP_T1;
        let resend = (!over_stream).then_some(SIP_T1);
        let due = resend.map_or(ends, |wait| now + wait);
        let made = Transaction { answer: answer.to_vec(), to, resend, ends, due, confirmed: false };
        self.known.insert(key, made);
        self.set_timer(due, key);
    }

    /// An ACK came.
    pub(super) fn confirm(&mut self, key: Key, now: Instant) {
        let Some(found) = self.known.get_mut(&key).filter(|found| !found.confirmed) else { return };
        if found.resend.is_none() {
            // Timer I is zero over a stream.
            self.known.remove(&key);
            return;
        }
        found.confirmed = true;
        found.answer = Vec::new();
        found.resend = None;
        found.ends = now + SIP_T4;
        found.due = found.ends;
        let due = found.due;
        self.confirmed.push_back(key);
        self.set_timer(due, key);
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.timers.peek().map(|Reverse((due, _))| *due)
    }

    /// Ends what is over and hands what is to be sent again to `send`; returns how many never had their ACK.
    pub(super) fn handle_timeout(&mut self, now: Instant, mut send: impl FnMut(SocketAddr, &[u8])) -> u64 {
        let mut unacknowledged = 0;
        while let Some(Reverse((due, key))) =
            self.timers.peek().copied().filter(|Reverse((due, _))| *due <= now)
        {
            self.timers.pop();
            let Some(found) = self.known.get_mut(&key).filter(|found| found.due == due) else { continue };
            if found.ends <= now {
                unacknowledged += u64::from(!found.confirmed);
                self.known.remove(&key);
                continue;
            }
            let wait = found.resend.map_or(SIP_T2, |wait| (2 * wait).min(SIP_T2));
            if found.resend.is_some() {
                send(found.to, &found.answer);
                found.resend = Some(wait);
            }
            found.due = (now + wait).min(found.ends);
            let due = found.due;
            self.timers.push(Reverse((due, key)));
        }
        while self.confirmed.front().is_some_and(|key| !self.known.contains_key(key)) {
            self.confirmed.pop_front();
        }
        unacknowledged
    }

    /// Old timers stay in the heap until they are due: more than a few for each transaction are thrown out at once.
    fn set_timer(&mut self, due: Instant, key: Key) {
        self.timers.push(Reverse((due, key)));
        if self.timers.len() > 4 * self.max {
            let known = &self.known;
            self.timers.retain(|Reverse((due, key))| known.get(key).is_some_and(|found| found.due == *due));
        }
        if self.confirmed.len() > 2 * self.max {
            let known = &self.known;
            self.confirmed.retain(|key| known.contains_key(key));
        }
    }
}
