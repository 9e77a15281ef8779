//! One multi-part message: the parts that came, and what became of them.

use super::joined::Joined;
use super::{Admission, Grade, Part, Settlement, TableCounters, Ticket};
use crate::limits::PART_OVERHEAD_BYTES;
use std::sync::atomic::Ordering;
use std::time::Instant;
use yumen_rules::verdict::Action;
use yumen_wire::event::Segments;
use yumen_wire::text::Coding;

/// Whether a part belongs to the message being received, or to what a receiver may still hold from before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Era {
    Ghost,
    Current,
}

#[derive(Debug)]
pub(super) struct Fragment {
    pub(super) number: u8,
    era: Era,
    pub(super) coding: Coding,
    pub(super) has_udh: bool,
    pub(super) octets: Box<[u8]>,
    stopped: bool,
}

#[derive(Debug)]
pub(super) struct Message {
    pub(super) birth: u64,
    pub(super) generation: u64,
    total: u8,
    /// Ordered by number, then era; at most one of each.
    fragments: Vec<Fragment>,
    pub(super) bytes: usize,
    pub(super) touched: Instant,
    pub(super) second_chance: bool,
    pub(super) condemned: Option<Action>,
    pub(super) reported: Option<Grade>,
}

impl Message {
    pub(super) const fn new(generation: u64, total: u8, now: Instant) -> Self {
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

    pub(super) fn admit(
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

    pub(super) fn settle(&mut self, number: u8, settlement: Settlement) {
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
    pub(super) fn is_done(&self) -> bool {
        self.fragments.is_empty()
            || (self.condemned.is_none()
                && self.is_complete()
                && self.fragments.iter().all(|held| held.era == Era::Current))
    }

    pub(super) fn is_complete(&self) -> bool {
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
    pub(super) fn join(&self, joined: &mut Joined) {
        joined.clear();
        let mut forked = false;
        for (at, fragment) in self.fragments.iter().enumerate() {
            let newer = self.fragments.get(at + 1).is_some_and(|next| next.number == fragment.number);
            forked |= newer;
            if !newer {
                joined.push(fragment);
            }
        }
        joined.begin_second();
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
