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

use crate::doors::protocol::Coded;
use crate::enforce::OnFailure;
use crate::limits::{PART_OVERHEAD_BYTES, REASSEMBLY_SHARDS, REASSEMBLY_SWEEP_STEPS};
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use yumen_rules::verdict::Action;
use yumen_wire::event::{Direction, Segments};
use yumen_wire::text::Coding;
use yumen_wire::udh::{Reference, UserData};

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

/// What tells one message from another.
#[derive(Clone, Copy, Debug)]
pub struct MessageKey<'a> {
    /// The listener's number.
    pub listener: u16,
    /// Submit or deliver.
    pub direction: Direction,
    /// As on the wire, without padding.
    pub originator: &'a [u8],
    /// As on the wire, without padding; the first of several.
    pub destination: &'a [u8],
    /// The concatenation reference, of its kind.
    pub reference: Reference,
    /// Parts announced.
    pub total: u8,
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

/// The raw user data of the parts so far, in one or two variants (two where a part came with different octets).
/// Reused from message to message.
#[derive(Debug, Default)]
pub struct Joined {
    octets: Vec<u8>,
    pieces: Vec<Piece>,
    second: usize,
}

/// One part's place in [`Joined`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The part's number.
    pub number: u8,
    /// How its octets stand for text.
    pub coding: Coding,
    has_udh: bool,
    range: Range<usize>,
}

impl Joined {
    /// The variants: pieces in the order of their numbers.
    pub fn variants(&self) -> impl Iterator<Item = &[Piece]> {
        let (first, second) = self.pieces.split_at_checked(self.second).unwrap_or((&[], &[]));
        [first, second].into_iter().filter(|pieces| !pieces.is_empty())
    }

    /// A piece's user data.
    #[must_use]
    pub fn coded(&self, piece: &Piece) -> Coded<'_> {
        let octets = self.octets.get(piece.range.clone()).unwrap_or_default();
        Coded { coding: piece.coding, data: UserData { octets, has_udh: piece.has_udh } }
    }

    fn clear(&mut self) {
        self.octets.clear();
        self.pieces.clear();
        self.second = 0;
    }

    fn push(&mut self, fragment: &Fragment) {
        let start = self.octets.len();
        self.octets.extend_from_slice(&fragment.octets);
        let range = start..self.octets.len();
        self.pieces.push(Piece {
            number: fragment.number,
            coding: fragment.coding,
            has_udh: fragment.has_udh,
            range,
        });
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

#[derive(Debug, Default)]
struct Shard {
    bytes: usize,
    messages: HashMap<Box<[u8]>, Message>,
    /// Key and birth of every message once, in the order they are looked at; one whose message is gone is skipped
    /// when it comes up.
    queue: VecDeque<(Box<[u8]>, u64)>,
}

impl Shard {
    fn of(&mut self, key: &[u8], ticket: Ticket) -> Option<&mut Message> {
        self.messages.get_mut(key).filter(|message| message.generation == ticket.generation)
    }

    fn born(&mut self, key: &[u8], birth: u64) -> Option<&mut Message> {
        self.messages.get_mut(key).filter(|message| message.birth == birth)
    }

    /// The message of that key; a new one where there is none.
    fn of_key(&mut self, key: &[u8], new: impl FnOnce() -> Message) -> &mut Message {
        if !self.messages.contains_key(key) {
            // Keys of forgotten messages may linger; keep the queue no longer than twice what is alive.
            if self.queue.len() > 2 * self.messages.len() + 16 {
                let messages = &self.messages;
                self.queue
                    .retain(|(key, birth)| messages.get(key).is_some_and(|message| message.birth == *birth));
            }
        }
        self.messages.entry(key.into()).or_insert_with_key(|key| {
            let message = new();
            self.bytes += message.bytes;
            self.queue.push_back((key.clone(), message.birth));
            message
        })
    }

    fn remove(&mut self, key: &[u8]) -> Option<Message> {
        let gone = self.messages.remove(key)?;
        self.bytes -= gone.bytes;
        Some(gone)
    }
}

/// Whether a part belongs to the message being received, or to what a receiver may still hold from before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Era {
    Ghost,
    Current,
}

#[derive(Debug)]
struct Fragment {
    number: u8,
    era: Era,
    coding: Coding,
    has_udh: bool,
    octets: Box<[u8]>,
    stopped: bool,
}

#[derive(Debug)]
struct Message {
    birth: u64,
    generation: u64,
    total: u8,
    /// Ordered by number, then era; at most one of each.
    fragments: Vec<Fragment>,
    bytes: usize,
    touched: Instant,
    second_chance: bool,
    condemned: Option<Action>,
    reported: Option<Grade>,
}

impl Message {
    const fn new(generation: u64, total: u8, now: Instant) -> Self {
        Self {
            birth: generation,
            generation,
            total,
            fragments: Vec::new(),
            bytes: PART_OVERHEAD_BYTES,
            touched: now,
            second_chance: false,
            condemned: None,
            reported: None,
        }
    }

    fn admit(
        &mut self,
        part: Part<'_>,
        counters: &TableCounters,
        next_generation: impl FnOnce() -> u64,
    ) -> Admission {
        let same = self.holds(&part);
        if same == Some(true) {
            counters.duplicates.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(action) = self.condemned {
            // A stopped message that was seen whole makes room for another one under the same reference, as soon as
            // other octets come; until then whatever comes belongs to it.
            if !self.is_complete() || same == Some(true) {
                if same.is_none() {
                    self.insert(part, true);
                }
                return Admission::Condemned(action);
            }
            self.start_over(next_generation());
        } else if self.is_complete() {
            self.start_over(next_generation());
        }
        match self.holds(&part) {
            Some(true) => {}
            Some(false) => {
                counters.conflicts.fetch_add(1, Ordering::Relaxed);
                self.haunt(part.number);
                self.insert(part, false);
            }
            None => self.insert(part, false),
        }
        let segments = Segments { received: self.received(), total: self.total };
        Admission::Judge { segments, ticket: Ticket { generation: self.generation, number: part.number } }
    }

    fn settle(&mut self, number: u8, settlement: Settlement) {
        match settlement {
            Settlement::Passed => {}
            Settlement::Deferred => self.remove(number, Era::Current),
            Settlement::Condemned(action) => {
                self.condemned = Some(action);
                if let Some(fragment) = self.fragments.iter_mut().find(|held| held.is(number, Era::Current)) {
                    fragment.stopped = true;
                }
            }
        }
    }

    /// Nothing more needs to be known: every part passed, and no receiver holds a leftover.
    fn is_done(&self) -> bool {
        self.fragments.is_empty()
            || (self.condemned.is_none()
                && self.is_complete()
                && self.fragments.iter().all(|held| held.era == Era::Current))
    }

    fn is_complete(&self) -> bool {
        self.received() >= self.total
    }

    fn received(&self) -> u8 {
        let current = self.fragments.iter().filter(|held| held.era == Era::Current).count();
        u8::try_from(current).unwrap_or(u8::MAX)
    }

    /// Whether the part came before: with the same octets, with others, or (`None`) not at all.
    fn holds(&self, part: &Part<'_>) -> Option<bool> {
        let held = self.fragments.iter().find(|held| held.is(part.number, Era::Current))?;
        Some(*held.octets == *part.text.data.octets && held.coding == part.text.coding)
    }

    fn insert(&mut self, part: Part<'_>, stopped: bool) {
        self.bytes += part.text.data.octets.len() + PART_OVERHEAD_BYTES;
        let place =
            self.fragments.partition_point(|held| (held.number, held.era) < (part.number, Era::Current));
        let fragment = Fragment {
            number: part.number,
            era: Era::Current,
            coding: part.text.coding,
            has_udh: part.text.data.has_udh,
            octets: part.text.data.octets.into(),
            stopped,
        };
        self.fragments.insert(place, fragment);
    }

    fn remove(&mut self, number: u8, era: Era) {
        let Some(place) = self.fragments.iter().position(|held| held.is(number, era)) else { return };
        let gone = self.fragments.remove(place);
        self.bytes -= gone.octets.len() + PART_OVERHEAD_BYTES;
    }

    /// Makes the part a ghost, in place of an older one.
    fn haunt(&mut self, number: u8) {
        self.remove(number, Era::Ghost);
        if let Some(fragment) = self.fragments.iter_mut().find(|held| held.is(number, Era::Current)) {
            fragment.era = Era::Ghost;
        }
    }

    /// A new message under the same key. Of a message that was stopped, a receiver still holds the parts that had
    /// passed; a complete one it has shown and forgotten.
    fn start_over(&mut self, generation: u64) {
        let was_stopped = self.condemned.take().is_some();
        let numbers: Vec<(u8, bool)> = self
            .fragments
            .iter()
            .filter(|held| held.era == Era::Current)
            .map(|held| (held.number, was_stopped && !held.stopped))
            .collect();
        for (number, held_by_receiver) in numbers {
            if held_by_receiver {
                self.haunt(number);
            } else {
                self.remove(number, Era::Current);
            }
        }
        self.generation = generation;
        self.reported = None;
    }

    /// First variant: the newest octets of each part. Second, where a part has two: the oldest.
    fn join(&self, joined: &mut Joined) {
        joined.clear();
        let mut forked = false;
        for (at, fragment) in self.fragments.iter().enumerate() {
            let newer = self.fragments.get(at + 1).is_some_and(|next| next.number == fragment.number);
            forked |= newer;
            if !newer {
                joined.push(fragment);
            }
        }
        joined.second = joined.pieces.len();
        if !forked {
            return;
        }
        let mut last = None;
        for fragment in &self.fragments {
            if last != Some(fragment.number) {
                joined.push(fragment);
            }
            last = Some(fragment.number);
        }
    }
}

impl Fragment {
    fn is(&self, number: u8, era: Era) -> bool {
        self.number == number && self.era == era
    }
}

impl MessageKey<'_> {
    fn octets(&self) -> Vec<u8> {
        let (originator, destination) = (canonical(self.originator), canonical(self.destination));
        let (kind, reference) = match self.reference {
            Reference::Narrow(reference) => (8, u16::from(reference)),
            Reference::Wide(reference) => (16, reference),
            Reference::Sar(reference) => (17, reference),
            Reference::Unnumbered => (0, 0),
        };
        let mut octets = Vec::with_capacity(9 + originator.len() + destination.len());
        octets.extend_from_slice(&self.listener.to_be_bytes());
        octets.extend_from_slice(&[self.direction as u8, kind]);
        octets.extend_from_slice(&reference.to_be_bytes());
        octets.push(self.total);
        octets.extend_from_slice(originator);
        octets.push(0);
        octets.extend_from_slice(destination);
        octets
    }
}

/// A number without the prefixes that may stand before one part's and not before the next's.
fn canonical(number: &[u8]) -> &[u8] {
    let number = number.strip_prefix(b"+").unwrap_or(number);
    let number = number.strip_prefix(b"00").unwrap_or(number);
    match number.strip_prefix(b"86") {
        Some(rest) if rest.len() == 11 && rest.first() == Some(&b'1') => rest,
        _ => number,
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    // A shard is consistent between any two statements that can panic: there are none.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
