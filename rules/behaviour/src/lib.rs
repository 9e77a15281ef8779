//! How numbers have been behaving, as this agent has seen it: what every door feeds, and what conditions ask.
//!
//! ```text
//! door → attempt(Event) → [judge: caller.attempts("10m") > 60] → outcome(answered, ended, …)
//!             └──────────────── windows (rules/behave) ─────────────────┘
//! ```

#![forbid(unsafe_code)]

mod delta;
mod form;
pub mod limits;
mod snapshot;
mod store;
mod timeline;

use std::sync::{Mutex, MutexGuard, PoisonError};

use delta::{Delta, Kind, Outbox};
use limits::{GATEWAYS_MAX, NUMBERS, NUMBERS_PER_BUSY};
use store::Store;

pub use delta::{BATCH_HEAD_BYTES, Batch, DELTA_BYTES};
pub use snapshot::{Restored, SnapshotError};
pub use timeline::{Ending, Finish, Timeline};

use yumen_rules::behave::{self, Entry, Keys, Marks, Measure, Party, Query, State, Subject};
use yumen_wire::event::{Channel, Event};

/// How a call attempt went on. A door tells as many of these as it learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// Somebody picked up.
    Answered {
        /// How long it rang.
        ring_ms: u64,
    },
    /// An answered call is over.
    Ended {
        /// How long they talked.
        duration_ms: u64,
    },
    /// The caller gave up before anybody picked up.
    Cancelled {
        /// How long it rang.
        ring_ms: u64,
    },
    /// Busy, no answer, unreachable.
    Failed,
    /// Yumen, or the policy of its site, refused it.
    Blocked,
}

/// How numbers have been behaving.
#[derive(Debug)]
pub struct Behaviour {
    store: Store,
    secret: u64,
    /// Who this gateway is among those that share.
    gateway: u64,
    outbox: Option<Mutex<Outbox>>,
    others: Mutex<Others>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self::new(NUMBERS)
    }
}

/// What the counters are doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Places that are taken.
    pub tracked: u64,
    /// Numbers that were forgotten for others.
    pub evicted: u64,
    /// Bytes that the table takes, taken or not.
    pub bytes: u64,
    /// Deltas that wait to be sent.
    pub waiting: u64,
    /// Deltas that found no room to wait.
    pub dropped: u64,
    /// Deltas of other gateways that were counted.
    pub received: u64,
}

impl Behaviour {
    /// With room for so many roles of numbers, for this process alone.
    #[must_use]
    pub fn new(numbers: usize) -> Self {
        Self::with_secret(numbers, random())
    }

    /// With a secret that others have too, or that was kept. It keeps people from choosing numbers that fall together.
    #[must_use]
    pub fn with_secret(numbers: usize, secret: u64) -> Self {
        let others = Mutex::new(Others::default());
        Self { store: Store::new(numbers), secret, gateway: random().max(1), outbox: None, others }
    }

    /// Keeps what is counted for other gateways, until [`Self::sent`] says that they have it.
    #[must_use]
    pub fn sharing(self) -> Self {
        Self { outbox: Some(Mutex::default()), ..self }
    }

    /// How many roles fit into so much memory.
    #[must_use]
    pub const fn numbers_in(bytes: usize) -> usize {
        let of_many = NUMBERS_PER_BUSY * size_of::<behave::Slot>() + size_of::<behave::Busy>();
        bytes / of_many * NUMBERS_PER_BUSY
    }

    /// Counts a message or a call attempt. Before it is judged, so that the measures include it; once for each.
    pub fn attempt(&self, event: &Event<'_>) {
        let (keys, otp) = self.keys_and_form(event);
        let state = match event.channel {
            Channel::Sms => State::Message,
            Channel::Call => State::Pending,
        };
        let marks = behave::marks(event, otp);
        let time_s = seconds(event.time_ms);
        let bits = |subject| Entry::new(time_s, keys.peer_of(subject), state, marks).bits;
        let (from_caller, from_callee) = (bits(Subject::Caller), bits(Subject::Callee));
        let keys = Subject::ALL.map(|subject| keys.of(subject));
        let delta = Delta { kind: Kind::Attempt, time_s, keys, from_caller, from_callee };
        self.apply(&delta, time_s);
        self.tell(delta);
    }

    /// Learns how a call went on. `caller` and `callee` as in the event's addresses, `time_ms` since the Unix epoch.
    pub fn outcome(&self, caller: &str, callee: &str, outcome: CallOutcome, time_ms: u64) {
        let keys = self.keys(caller, callee, Channel::Call);
        let (state, ring_ms) = match outcome {
            CallOutcome::Answered { ring_ms } => (State::Answered, ring_ms),
            CallOutcome::Ended { duration_ms } if duration_ms <= behave::SHORT_CALL_MS => (State::Short, 0),
            CallOutcome::Ended { .. } => (State::Ended, 0),
            CallOutcome::Cancelled { ring_ms } => (State::Cancelled, ring_ms),
            CallOutcome::Failed => (State::Failed, 0),
            CallOutcome::Blocked => (State::Blocked, 0),
        };
        let time_s = seconds(time_ms);
        let peer = |subject| Entry::new(time_s, keys.peer_of(subject), state, Marks::NONE).peer();
        let (from_caller, from_callee) = (peer(Subject::Caller), peer(Subject::Callee));
        let ring_s = u8::try_from(ring_ms / 1000).unwrap_or(u8::MAX);
        let keys = Subject::ALL.map(|subject| keys.of(subject));
        let kind = Kind::Outcome { state, ring_s };
        let delta = Delta { kind, time_s, keys, from_caller, from_callee };
        self.apply(&delta, time_s);
        self.tell(delta);
    }

    /// What it is doing.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let (tracked, evicted) = self.store.counts();
        let (waiting, dropped) = self.outbox.as_ref().map_or((0, 0), |outbox| {
            let outbox = held(outbox);
            (outbox.waiting() as u64, outbox.dropped())
        });
        let received = held(&self.others).received;
        Stats { tracked, evicted, bytes: self.bytes() as u64, waiting, dropped, received }
    }

    /// Counts a complaint of `callee` about `caller`, whether it called or wrote. `time_ms` since the Unix epoch.
    pub fn complaint(&self, caller: &str, callee: &str, time_ms: u64) {
        let keys = self.keys(caller, callee, Channel::Call);
        let time_s = seconds(time_ms);
        let bits = |subject| Entry::new(time_s, keys.peer_of(subject), State::Message, Marks::NONE).bits;
        let (from_caller, from_callee) = (bits(Subject::Caller), bits(Subject::Callee));
        let keys = Subject::ALL.map(|subject| keys.complaints_about(subject));
        let delta = Delta { kind: Kind::Attempt, time_s, keys, from_caller, from_callee };
        self.apply(&delta, time_s);
        self.tell(delta);
    }

    /// Bytes that the counters take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.store.bytes()
    }

    /// The deltas that wait, up to `most`. They wait on until [`Self::sent`].
    #[must_use]
    pub fn batch(&self, most: usize) -> Option<Batch> {
        held(self.outbox.as_ref()?).batch(self.gateway, most)
    }

    /// A batch is where the other gateways find it.
    pub fn sent(&self, batch: &Batch) {
        if let Some(outbox) = &self.outbox {
            held(outbox).sent(batch);
        }
    }

    /// Counts what another gateway counted, or this one before it was restarted, once. `now_ms` is the time here.
    pub fn receive(&self, batch: &Batch, now_ms: u64) {
        if batch.gateway == self.gateway {
            return;
        }
        let mut others = held(&self.others);
        let skip = others.known(batch.gateway).saturating_sub(batch.first);
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let new = batch.deltas.get(skip.min(batch.deltas.len())..).unwrap_or_default();
        others.learn(batch.gateway, batch.first.saturating_add(batch.deltas.len() as u64));
        others.received = others.received.saturating_add(new.len() as u64);
        drop(others);
        let now_s = seconds(now_ms);
        new.iter().for_each(|delta| self.apply(delta, now_s));
    }

    /// The place in what is shared that was read last, as [`Self::read_until`] was told.
    #[must_use]
    pub fn position(&self) -> (u64, u64) {
        held(&self.others).position
    }

    /// Keeps the place in what is shared.
    pub fn read_until(&self, position: (u64, u64)) {
        held(&self.others).position = position;
    }

    fn apply(&self, delta: &Delta, now_s: u32) {
        for (subject, key) in Subject::ALL.into_iter().zip(delta.keys) {
            match delta.kind {
                Kind::Attempt => self.store.attempt(key, delta.entry(subject), now_s),
                Kind::Outcome { state, ring_s } => {
                    let peer = delta.seen_by(subject);
                    self.store.outcome(key, peer, state, ring_s.into(), delta.time_s, now_s);
                }
            }
        }
    }

    fn tell(&self, delta: Delta) {
        if let Some(outbox) = &self.outbox {
            held(outbox).push(delta);
        }
    }

    fn keys(&self, caller: &str, callee: &str, channel: Channel) -> Keys {
        let party = |number| Party::new(number, self.secret);
        Keys { caller: party(caller), callee: party(callee), campaign: 0, channel }
    }

    /// The keys, and whether the text has the form of a one-time password.
    fn keys_and_form(&self, event: &Event<'_>) -> (Keys, bool) {
        let keys = self.keys(event.originator.digits, event.destination.digits, event.channel);
        if event.channel == Channel::Call || event.text.is_empty() {
            return (keys, false);
        }
        let (campaign, otp) = form::of(event.text);
        (Keys { campaign, ..keys }, otp)
    }
}

/// What is known of the other gateways.
#[derive(Debug, Default)]
struct Others {
    /// The number of the next delta of each, the one heard of last at the end.
    next: Vec<(u64, u64)>,
    position: (u64, u64),
    received: u64,
}

impl Others {
    fn known(&self, gateway: u64) -> u64 {
        self.next.iter().find(|(known, _)| *known == gateway).map_or(0, |(_, next)| *next)
    }

    fn learn(&mut self, gateway: u64, next: u64) {
        let next = next.max(self.known(gateway));
        self.next.retain(|(known, _)| *known != gateway);
        if self.next.len() >= GATEWAYS_MAX {
            self.next.remove(0);
        }
        self.next.push((gateway, next));
    }
}

/// By the system's own randomness.
fn random() -> u64 {
    std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0)
}

/// Counts are whole after every change, so a panic elsewhere spoils nothing.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl behave::Behaviour for Behaviour {
    fn measure(&self, event: &Event<'_>, query: Query) -> i64 {
        let keys = match query.subject {
            Subject::Campaign => self.keys_and_form(event).0,
            _ => self.keys(event.originator.digits, event.destination.digits, event.channel),
        };
        let now_s = seconds(event.time_ms);
        if query.measure == Measure::Complaints {
            let key = Keys { channel: Channel::Call, ..keys }.complaints_about(query.subject);
            return self.store.measure(key, query.measure, query.window_s, now_s);
        }
        self.store.measure(keys.of(query.subject), query.measure, query.window_s, now_s)
    }
}

fn seconds(ms: u64) -> u32 {
    u32::try_from(ms / 1000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
