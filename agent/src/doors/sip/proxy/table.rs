//! All transactions that are remembered: by their key, by the branches of their attempts, by their timers.

use super::super::key::Key;
use super::transaction::{Server, Transaction};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::time::Instant;

/// At most so many, in at most so many bytes.
#[derive(Debug)]
pub(super) struct Table {
    known: HashMap<Key, Box<Transaction>>,
    branches: HashMap<u64, Key>,
    timers: BinaryHeap<Reverse<(Instant, Key)>>,
    /// Those that were answered, the oldest first: they make room when it is short. Ended ones may still stand in it.
    resting: VecDeque<Key>,
    bytes: usize,
    max: usize,
    bytes_max: usize,
}

impl Table {
    pub(super) fn new(max: usize, bytes_max: usize) -> Self {
        Self {
            known: HashMap::new(),
            branches: HashMap::new(),
            timers: BinaryHeap::new(),
            resting: VecDeque::new(),
            bytes: 0,
            max,
            bytes_max,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn open(&self) -> usize {
        self.known.values().filter(|transaction| transaction.is_open()).count()
    }

    /// Takes a transaction out, to be changed and put back.
    pub(super) fn take(&mut self, key: Key) -> Option<Box<Transaction>> {
        self.known.remove(&key)
    }

    pub(super) fn take_branch(&mut self, branch: u64) -> Option<Box<Transaction>> {
        self.take(*self.branches.get(&branch)?)
    }

    /// The next one whose timer is due.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Box<Transaction>> {
        loop {
            let Reverse((due, key)) = self.timers.peek().copied().filter(|Reverse((due, _))| *due <= now)?;
            self.timers.pop();
            if self.known.get(&key).is_some_and(|found| found.due == Some(due)) {
                let mut found = self.known.remove(&key)?;
                found.due = None;
                return Some(found);
            }
        }
    }

    /// A branch leads to this transaction from now on.
    pub(super) fn branch(&mut self, branch: u64, key: Key) {
        self.branches.insert(branch, key);
    }

    /// Puts a transaction in, or back; one that is over is forgotten.
    pub(super) fn put(&mut self, mut transaction: Box<Transaction>) {
        if transaction.is_over() {
            return self.forget(&transaction);
        }
        transaction.slim();
        let cost = transaction.bytes();
        self.bytes = (self.bytes + cost).saturating_sub(transaction.cost);
        transaction.cost = cost;
        let key = transaction.key;
        let due = transaction.next_due();
        if due != transaction.due {
            transaction.due = due;
            if let Some(due) = due {
                self.timers.push(Reverse((due, key)));
            }
        }
        self.known.insert(key, transaction);
        self.sweep();
    }

    /// It may make room from now on.
    pub(super) fn rest(&mut self, key: Key) {
        self.resting.push_back(key);
    }

    /// Room for one more; the oldest answered ones are forgotten for it where that helps.
    pub(super) fn make_room(&mut self) -> bool {
        while self.known.len() >= self.max || self.bytes >= self.bytes_max {
            let Some(oldest) = self.resting.pop_front() else { return false };
            if let Some(found) = self.known.remove(&oldest) {
                if found.server == Server::Proceeding {
                    self.known.insert(oldest, found);
                } else {
                    self.forget(&found);
                }
            }
        }
        true
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.timers.peek().map(|Reverse((due, _))| *due)
    }

    fn forget(&mut self, transaction: &Transaction) {
        self.bytes = self.bytes.saturating_sub(transaction.cost);
        for attempt in &transaction.attempts {
            self.branches.remove(&attempt.branch);
        }
    }

    /// Old entries stay in heap and queue until their turn: more than a few for each transaction are thrown out at once.
    fn sweep(&mut self) {
        let known = &self.known;
        if self.timers.len() > 1024 + 4 * known.len() {
            self.timers
                .retain(|Reverse((due, key))| known.get(key).is_some_and(|found| found.due == Some(*due)));
        }
        if self.resting.len() > 1024 + 2 * known.len() {
            self.resting.retain(|key| known.contains_key(key));
        }
    }
}
