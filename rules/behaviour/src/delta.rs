//! What a gateway tells the others of its site: every attempt and outcome, as it was counted.
//!
//! ```text
//! attempt, outcome → Outbox (bounded) → batch: gateway, number of the first delta, deltas → … → another gateway's table
//! ```
//!
//! Deltas are numbered by their gateway, so that one that comes twice counts once, and one that was counted before a restart
//! isn't counted again after it.

use std::collections::VecDeque;

use yumen_rules::behave::{Entry, State, Subject};

use crate::limits::OUTBOX_DELTAS_MAX;

/// Subjects that a delta has keys for.
pub(crate) const SUBJECTS: usize = Subject::ALL.len();
/// Bytes of a delta in a batch.
pub const DELTA_BYTES: usize = 1 + 1 + 1 + 1 + 4 + 8 * SUBJECTS + 4 + 4;
/// Bytes of a batch before its deltas.
pub const BATCH_HEAD_BYTES: usize = 1 + 8 + 8;
const VERSION: u8 = 1;

/// One thing that was counted. All numbers little-endian in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delta {
    pub(crate) kind: Kind,
    pub(crate) time_s: u32,
    /// By [`Subject`]; 0 for none.
    pub(crate) keys: [u64; SUBJECTS],
    /// An attempt's [`Entry::bits`], or an outcome's peer; as the caller, pair and prefix see it.
    pub(crate) from_caller: u32,
    /// The same, as the callee and the campaign see it.
    pub(crate) from_callee: u32,
}

/// What was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Attempt,
    Outcome { state: State, ring_s: u8 },
}

impl Delta {
    /// What a subject sees of it.
    pub(crate) const fn seen_by(&self, subject: Subject) -> u32 {
        match subject {
            Subject::Caller | Subject::Pair | Subject::Prefix => self.from_caller,
            Subject::Callee | Subject::Campaign => self.from_callee,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let (kind, state, ring_s) = match self.kind {
            Kind::Attempt => (0, 0, 0),
            Kind::Outcome { state, ring_s } => (1, state as u8, ring_s),
        };
        out.extend_from_slice(&[kind, state, ring_s, 0]);
        out.extend_from_slice(&self.time_s.to_le_bytes());
        self.keys.iter().for_each(|key| out.extend_from_slice(&key.to_le_bytes()));
        out.extend_from_slice(&self.from_caller.to_le_bytes());
        out.extend_from_slice(&self.from_callee.to_le_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<4>()?;
        let (time_s, mut rest) = rest.split_first_chunk::<4>()?;
        let mut keys = [0; SUBJECTS];
        for key in &mut keys {
            let (bytes, after) = rest.split_first_chunk::<8>()?;
            *key = u64::from_le_bytes(*bytes);
            rest = after;
        }
        let (from_caller, rest) = rest.split_first_chunk::<4>()?;
        let (from_callee, _) = rest.split_first_chunk::<4>()?;
        let kind = match *head {
            [0, ..] => Kind::Attempt,
            [1, state, ring_s, _] => Kind::Outcome { state: State::from_wire(state)?, ring_s },
            _ => return None,
        };
        Some(Self {
            kind,
            time_s: u32::from_le_bytes(*time_s),
            keys,
            from_caller: u32::from_le_bytes(*from_caller),
            from_callee: u32::from_le_bytes(*from_callee),
        })
    }

    /// The attempt as a subject's entry.
    pub(crate) const fn entry(&self, subject: Subject) -> Entry {
        Entry { time_s: if self.time_s == 0 { 1 } else { self.time_s }, bits: self.seen_by(subject) }
    }
}

/// Deltas of one gateway in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Whose.
    pub gateway: u64,
    /// The number of the first; they rise by one.
    pub first: u64,
    /// In the order in which they were counted.
    pub deltas: Vec<Delta>,
}

impl Batch {
    /// As bytes: version, gateway, first number, deltas.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(BATCH_HEAD_BYTES + self.deltas.len() * DELTA_BYTES);
        out.push(VERSION);
        out.extend_from_slice(&self.gateway.to_le_bytes());
        out.extend_from_slice(&self.first.to_le_bytes());
        self.deltas.iter().for_each(|delta| delta.write(&mut out));
        out
    }

    /// From bytes; `None` where they aren't a batch of this version.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&version, rest) = bytes.split_first()?;
        let (gateway, rest) = rest.split_first_chunk::<8>()?;
        let (first, rest) = rest.split_first_chunk::<8>()?;
        if version != VERSION || !rest.len().is_multiple_of(DELTA_BYTES) {
            return None;
        }
        let deltas = rest.chunks_exact(DELTA_BYTES).map(Delta::read).collect::<Option<_>>()?;
        Some(Self { gateway: u64::from_le_bytes(*gateway), first: u64::from_le_bytes(*first), deltas })
    }
}

/// Deltas that wait to be sent. When there is no room, the oldest go: the newest are what the next decisions rest on.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiting: VecDeque<Delta>,
    /// The number of the first that waits.
    first: u64,
    dropped: u64,
}

impl Outbox {
    pub(crate) fn push(&mut self, delta: Delta) {
        if self.waiting.len() >= OUTBOX_DELTAS_MAX {
            self.waiting.pop_front();
            self.first = self.first.saturating_add(1);
            self.dropped = self.dropped.saturating_add(1);
        }
        self.waiting.push_back(delta);
    }

    /// The number that the next delta gets.
    pub(crate) fn next(&self) -> u64 {
        self.first.saturating_add(self.waiting.len() as u64)
    }

    /// The first ones, up to `most`, which stay until they are [`Self::sent`].
    pub(crate) fn batch(&self, gateway: u64, most: usize) -> Option<Batch> {
        let deltas: Vec<Delta> = self.waiting.iter().take(most).copied().collect();
        (!deltas.is_empty()).then_some(Batch { gateway, first: self.first, deltas })
    }

    /// Forgets what was sent.
    pub(crate) fn sent(&mut self, batch: &Batch) {
        let until = batch.first.saturating_add(batch.deltas.len() as u64);
        let gone =
            usize::try_from(until.saturating_sub(self.first)).unwrap_or(usize::MAX).min(self.waiting.len());
        self.waiting.drain(..gone);
        self.first = self.first.max(until);
    }

    pub(crate) const fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn delta(number: u32) -> Delta {
        Delta { kind: Kind::Attempt, time_s: number, keys: [7; SUBJECTS], from_caller: 1, from_callee: 2 }
    }

    #[test]
    fn a_full_outbox_drops_the_oldest_and_counts() {
        let mut outbox = Outbox { first: 100, ..Outbox::default() };
        (0..u32::try_from(OUTBOX_DELTAS_MAX).expect("small") + 3)
            .for_each(|number| outbox.push(delta(number)));
        assert_eq!((outbox.dropped(), outbox.waiting()), (3, OUTBOX_DELTAS_MAX));
        let batch = outbox.batch(9, 10).expect("some wait");
        assert_eq!((batch.first, batch.deltas.len(), batch.deltas[0].time_s), (103, 10, 3));
        outbox.sent(&batch);
        outbox.sent(&batch);
        assert_eq!(outbox.batch(9, 1).map(|batch| batch.first), Some(113));
        assert_eq!(outbox.next(), 103 + OUTBOX_DELTAS_MAX as u64);
    }

    proptest! {
        #[test]
        fn batches_come_back(
            gateway in any::<u64>(),
            first in any::<u64>(),
            deltas in prop::collection::vec((any::<u32>(), any::<[u64; SUBJECTS]>(), any::<u32>(), 0u8..9), 0..20),
        ) {
            let of = |(time_s, keys, from_caller, state): (u32, [u64; SUBJECTS], u32, u8)| Delta {
                kind: State::from_wire(state).map_or(Kind::Attempt, |state| Kind::Outcome { state, ring_s: 9 }),
                time_s,
                keys,
                from_caller,
                from_callee: !from_caller,
            };
            let batch = Batch { gateway, first, deltas: deltas.into_iter().map(of).collect() };
            prop_assert_eq!(Batch::from_bytes(&batch.to_bytes()), Some(batch));
        }

        #[test]
        fn any_bytes_are_a_batch_or_none(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Some(batch) = Batch::from_bytes(&bytes) {
                prop_assert_eq!(batch.deltas.len() * DELTA_BYTES + BATCH_HEAD_BYTES, bytes.len());
            }
        }
    }
}
