//! The table of numbers in shards, each behind its own lock.

use crate::limits::{NUMBERS_PER_BUSY, SHARDS};
use std::sync::{Mutex, MutexGuard, PoisonError};
use yumen_rules::behave::{Busy, Entry, Measure, Slot, State, Table, WAYS};

/// All shards.
pub(super) struct Store {
    shards: Vec<Mutex<Shard>>,
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
        Self { shards: (0..SHARDS).map(|_| shard()).collect() }
    }

    /// Bytes that the table takes.
    pub(super) fn bytes(&self) -> usize {
        let of_shard = |shard: &Mutex<Shard>| {
            let shard = held(shard);
            size_of_val(shard.slots.as_slice()) + size_of_val(shard.busy.as_slice())
        };
        self.shards.iter().map(of_shard).sum()
    }

    pub(super) fn attempt(&self, key: u64, entry: Entry) {
        self.with(key, |table| table.attempt(key, entry));
    }

    pub(super) fn outcome(&self, key: u64, peer: u32, state: State, ring_s: u32, time_s: u32) {
        self.with(key, |table| table.outcome(key, peer, state, ring_s, time_s));
    }

    pub(super) fn measure(&self, key: u64, measure: Measure, window_s: u32, now_s: u32) -> i64 {
        self.with(key, |table| table.measure(key, measure, window_s, now_s)).unwrap_or(measure.unknown())
    }

    fn with<R>(&self, key: u64, then: impl FnOnce(&mut Table<'_>) -> R) -> Option<R> {
        // The lower half chooses the shard, the table's set is chosen by the upper one.
        let at = usize::try_from(key & 0xFFFF_FFFF).unwrap_or(0) % SHARDS;
        let shard = &mut *held(self.shards.get(at).filter(|_| key != 0)?);
        Some(then(&mut Table::new(&mut shard.slots, &mut shard.busy)))
    }
}

/// Counts are whole after every change, so a panic elsewhere spoils nothing.
fn held(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}
