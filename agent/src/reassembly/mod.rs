//! Multi-part messages: the text so far, over all sessions of a listener.
//!
//! ```text
//! part → admit (joined: the raw user data of all parts so far) → decode, judge → settle (passed, stopped, condemned)
//! ```
//!
//! Parts are never held back: a sender whose window is one would wait for ever. Each part is judged together with
//! those that came before it; once that text is bad the message is condemned, and whatever part comes next stops.
//!
//! A receiver keeps what passed. So when a part number comes again with other octets, both are remembered (the older
//! one as a [`Era::Ghost`]), and the text is judged with either: a bad message can't be smuggled in by sending a part twice.
//!
//! The lock of a shard is held while parts are stored and copied out, never while anything is judged.

mod joined;
mod key;
mod message;
mod shard;

pub use joined::{Joined, Piece};
pub use key::MessageKey;

use crate::doors::protocol::Coded;
use crate::enforce::OnFailure;
use crate::limits::{PART_OVERHEAD_BYTES, REASSEMBLY_SHARDS, REASSEMBLY_SWEEP_STEPS};
use message::Message;
use shard::{Shard, lock};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};
use yumen_rules::verdict::Action;
use yumen_wire::event::Segments;

/// Bounds of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableLimits {
    /// Messages that are not complete, or that were stopped.
    pub messages_max: usize,
    /// Bytes of user data, bookkeeping included.
    pub bytes_max: usize,
    /// How long a message is remembered after its last part.
    pub age_max: Duration,
}

impl Default for TableLimits {
    fn default() -> Self {
        Self {
            messages_max: crate::limits::REASSEMBLY_MESSAGES_MAX,
            bytes_max: crate::limits::REASSEMBLY_BYTES_MAX,
            age_max: crate::limits::REASSEMBLY_AGE_MAX,
        }
    }
}

/// One part, as it came.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// From 1 to the total.
    pub number: u8,
    /// Its user data.
    pub text: Coded<'a>,
}

/// What became of a part that was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Judge what was joined, and [`settle`](Table::settle).
    Judge {
        /// Parts so far, this one included.
        segments: Segments,
        /// For settling.
        ticket: Ticket,
    },
    /// The message is bad already: this part stops as well.
    Condemned(Action),
    /// There is no room for it.
    NoRoom,
}

/// Names a part between [`Table::admit`] and [`Table::settle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    generation: u64,
    number: u8,
}

/// How a part was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It goes on.
    Passed,
    /// It stops, and so does the rest of the message.
    Condemned(Action),
    /// It stops for now, and may come again.
    Deferred,
}

/// How grave a hit is. Of one message each grade is reported once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// A rule in shadow fired.
    Shadow,
    /// The message is flagged.
    Flag,
    /// The message is stopped.
    Block,
}

impl Grade {
    /// Of a report that states `action`.
    #[must_use]
    pub const fn of(action: Action) -> Self {
        match action {
            Action::Allow => Self::Shadow,
            Action::Flag | Action::Hold => Self::Flag,
            Action::Reject | Action::Drop => Self::Block,
        }
    }
}

/// What happened in the table since start.
#[derive(Debug, Default)]
pub struct TableCounters {
    /// Parts handed in.
    pub parts: AtomicU64,
    /// Parts that came again with the same octets.
    pub duplicates: AtomicU64,
    /// Parts that came again with other octets.
    pub conflicts: AtomicU64,
    /// Messages whose last part passed.
    pub completed: AtomicU64,
    /// Messages forgotten before they were complete, because no part came for too long.
    pub expired: AtomicU64,
    /// Messages forgotten before they were complete, because others needed the room.
    pub evicted: AtomicU64,
    /// Parts that found no room.
    pub refused: AtomicU64,
}

/// The table. One for the whole agent; locks are per shard, and only multi-part messages come here.
#[derive(Debug)]
pub struct Table {
    limits: TableLimits,
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
    bytes: AtomicUsize,
    generations: AtomicU64,
    counters: TableCounters,
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(limits: TableLimits) -> Self {
        Self {
            limits,
            shards: (0..REASSEMBLY_SHARDS).map(|_| Mutex::new(Shard::default())).collect(),
            hasher: RandomState::new(),
            bytes: AtomicUsize::new(0),
            generations: AtomicU64::new(0),
            counters: TableCounters::default(),
        }
    }

    /// What happened since start.
    #[must_use]
    pub const fn counters(&self) -> &TableCounters {
        &self.counters
    }

    /// Bytes held now.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Messages held now.
    #[must_use]
    pub fn messages(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).messages.len()).sum()
    }

    /// Takes a part in and writes the message so far to `joined`. When there is no room, fail-open forgets the oldest
    /// messages of the shard for it.
    pub fn admit(
        &self,
        key: &MessageKey<'_>,
        part: Part<'_>,
        now: Instant,
        short: OnFailure,
        joined: &mut Joined,
    ) -> Admission {
        self.counters.parts.fetch_add(1, Ordering::Relaxed);
        let key_octets = key.octets();
        let mut shard = self.shard(&key_octets);
        self.sweep(&mut shard, now);
        let needs = part.text.data.octets.len() + 2 * PART_OVERHEAD_BYTES;
        if !self.make_room(&mut shard, &key_octets, needs, short) {
            self.counters.refused.fetch_add(1, Ordering::Relaxed);
            return Admission::NoRoom;
        }
        let next_generation = || self.generations.fetch_add(1, Ordering::Relaxed);
        let before = shard.bytes;
        let message = shard.of_key(&key_octets, || Message::new(next_generation(), key.total, now));
        message.touched = now;
        message.second_chance = true;
        let had = message.bytes;
        let admission = message.admit(part, &self.counters, next_generation);
        if matches!(admission, Admission::Judge { .. }) {
            message.join(joined);
        }
        let has = message.bytes;
        shard.bytes = shard.bytes + has - had;
        self.account(before, shard.bytes);
        admission
    }

    /// Whether a hit is graver than what was reported of this message before: then, and only then, it is to be reported.
    pub fn grade(&self, key: &MessageKey<'_>, ticket: Ticket, grade: Grade) -> bool {
        let key_octets = key.octets();
        let mut shard = self.shard(&key_octets);
        match shard.of(&key_octets, ticket) {
            Some(message) => message
                .reported
                .replace(grade.max(message.reported.unwrap_or(grade)))
                .is_none_or(|before| before < grade),
            None => true,
        }
    }

    /// Remembers how a part was decided.
    pub fn settle(&self, key: &MessageKey<'_>, ticket: Ticket, settlement: Settlement) {
        let key_octets = key.octets();
        let mut shard = self.shard(&key_octets);
        let before = shard.bytes;
        let Some(message) = shard.of(&key_octets, ticket) else { return };
        let had = message.bytes;
        message.settle(ticket.number, settlement);
        let (has, forget) = (message.bytes, message.is_done());
        if settlement == Settlement::Passed && message.is_complete() && message.condemned.is_none() {
            self.counters.completed.fetch_add(1, Ordering::Relaxed);
        }
        shard.bytes = shard.bytes + has - had;
        if forget {
            shard.remove(&key_octets);
        }
        self.account(before, shard.bytes);
    }

    fn shard(&self, key: &[u8]) -> MutexGuard<'_, Shard> {
        let hash = self.hasher.hash_one(key);
        let at = usize::try_from(hash % REASSEMBLY_SHARDS as u64).unwrap_or_default();
        // `at` is below the number of shards; the first one is as good as any other.
        #[expect(clippy::indexing_slicing, reason = "taken modulo the length")]
        lock(&self.shards[at])
    }

    fn account(&self, before: usize, after: usize) {
        if after >= before {
            self.bytes.fetch_add(after - before, Ordering::Relaxed);
        } else {
            self.bytes.fetch_sub(before - after, Ordering::Relaxed);
        }
    }

    /// Forgets a few of the oldest messages that outlived their age; called on every part, so that no timer is needed.
    fn sweep(&self, shard: &mut Shard, now: Instant) {
        for _ in 0..REASSEMBLY_SWEEP_STEPS {
            let Some((key, birth)) = shard.queue.pop_front() else { return };
            let Some(message) = shard.born(&key, birth) else { continue };
            if now.saturating_duration_since(message.touched) > self.limits.age_max {
                self.forget(shard, &key, &self.counters.expired);
            } else {
                shard.queue.push_back((key, birth));
            }
        }
    }

    fn forget(&self, shard: &mut Shard, key: &[u8], counter: &AtomicU64) {
        let before = shard.bytes;
        if shard.remove(key).is_some_and(|gone| !gone.is_complete()) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        self.account(before, shard.bytes);
    }

    /// Room for `needs` bytes more in the message of that key. Fail-open takes it from the messages that waited longest
    /// without a part (second chance); fail-closed takes it from nobody.
    fn make_room(&self, shard: &mut Shard, key: &[u8], needs: usize, short: OnFailure) -> bool {
        let messages_max = (self.limits.messages_max / REASSEMBLY_SHARDS).max(1);
        let bytes_max = self.limits.bytes_max / REASSEMBLY_SHARDS;
        let mut looks = 2 * shard.queue.len() + 1;
        loop {
            let is_new = !shard.messages.contains_key(key);
            if (!is_new || shard.messages.len() < messages_max) && shard.bytes + needs <= bytes_max {
                return true;
            }
            if short == OnFailure::Closed || looks == 0 {
                return false;
            }
            looks -= 1;
            let Some((oldest, birth)) = shard.queue.pop_front() else { return false };
            match shard.born(&oldest, birth) {
                // The message itself stays as long as another can go.
                Some(message) if message.second_chance || *oldest == *key => {
                    message.second_chance = false;
                    shard.queue.push_back((oldest, birth));
                }
                Some(_) => self.forget(shard, &oldest, &self.counters.evicted),
                None => {}
            }
        }
    }
}
