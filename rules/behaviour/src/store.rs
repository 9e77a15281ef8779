//! The table of numbers in shards, each behind its own lock.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use yumen_rules::behave::{Busy, Entry, Measure, Room, Slot, State, Table, WAYS};

use crate::held;
use crate::limits::{NUMBERS_PER_BUSY, SHARDS};

/// All shards.
pub(super) struct Store {
    shards: Vec<Mutex<Shard>>,
    tracked: AtomicU64,
    evicted: AtomicU64,
}

struct Shard {
    slots: Vec<Slot>,
    busy: Vec<Busy>,
}

impl Store {
    /// With room for `numbers`.
    pub(super) fn new(numbers: usize) -> Self {
        let of_shard = |all: usize| (all / SHARDS).next_multiple_of(WAYS).max(WAYS);
        let shard = || {
            let busy = of_shard(numbers / NUMBERS_PER_BUSY);
            Mutex::new(Shard { slots: vec![Slot::FREE; of_shard(numbers)], busy: vec![Busy::FREE; busy] })
        };
        Self {
            shards: (0..SHARDS).map(|_| shard()).collect(),
            tracked: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
        }
    }

    /// Bytes that the table takes.
    pub(super) fn bytes(&self) -> usize {
        let of_shard = |shard: &Mutex<Shard>| {
            let shard = held(shard);
            size_of_val(shard.slots.as_slice()) + size_of_val(shard.busy.as_slice())
        };
        self.shards.iter().map(of_shard).sum()
    }

    /// Places that are taken, and numbers that were forgotten for others.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.tracked.load(Ordering::Relaxed), self.evicted.load(Ordering::Relaxed))
    }

    pub(super) fn attempt(&self, key: u64, entry: Entry, now_s: u32) {
        match self.with(key, |table| table.attempt(key, entry, now_s)) {
            Some(Room::Taken) => self.tracked.fetch_add(1, Ordering::Relaxed),
            Some(Room::Evicted) => self.evicted.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
    }

    pub(super) fn outcome(&self, key: u64, peer: u32, state: State, ring_s: u32, time_s: u32, now_s: u32) {
        self.with(key, |table| table.outcome(key, peer, state, ring_s, time_s, now_s));
    }

    pub(super) fn measure(&self, key: u64, measure: Measure, window_s: u32, now_s: u32) -> i64 {
        self.with(key, |table| table.measure(key, measure, window_s, now_s)).unwrap_or(measure.unknown())
    }

    /// What is kept, shard by shard: each is locked for as long as its copy takes.
    pub(super) fn kept(&self) -> impl Iterator<Item = (Vec<Slot>, Vec<Busy>)> + '_ {
        self.shards.iter().map(|shard| {
            let shard = held(shard);
            let slots = shard.slots.iter().copied().filter(|slot| slot.key != 0).collect();
            let busy = shard.busy.iter().copied().filter(|busy| busy.key != 0).collect();
            (slots, busy)
        })
    }

    pub(super) fn restore(&self, slot: &Slot, now_s: u32) -> bool {
        let restored = self.with(slot.key, |table| table.restore(slot, now_s)).unwrap_or(false);
        self.tracked.fetch_add(u64::from(restored), Ordering::Relaxed);
        restored
    }

    pub(super) fn restore_busy(&self, busy: &Busy, now_s: u32) -> bool {
        self.with(busy.key, |table| table.restore_busy(busy, now_s)).unwrap_or(false)
    }

    fn with<R>(&self, key: u64, then: impl FnOnce(&mut Table<'_>) -> R) -> Option<R> {
        // The lower half chooses the shard, the table's set is chosen by the upper one.
        let at = usize::try_from(key & 0xFFFF_FFFF).unwrap_or(0) % SHARDS;
        let shard = &mut *held(self.shards.get(at).filter(|_| key != 0)?);
        Some(then(&mut Table::new(&mut shard.slots, &mut shard.busy)))
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}
