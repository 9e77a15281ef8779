//! The table of numbers: storage handed in, fixed.
//!
//! A number's place is one of eight, by its key. A new number takes a free one of them, or the one that has been silent
//! for longest: that number is forgotten, so its counts begin again at 0. The same holds for the buckets of busy numbers:
//! one that loses them is counted by its slot alone, up to [`super::SLOT_ENTRIES`].

use super::busy::{Busy, Counter};
use super::entry::{Entry, Marks, State};
use super::slot::Slot;
use super::{Measure, RATIO_ONE, SEQUENTIAL_GAP, UNDER_WAY_S_MAX, WINDOW_S_MAX};

/// What became of the place that a number asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// It was there before.
    Own,
    /// It took a free one.
    Taken,
    /// Another number was forgotten for it.
    Evicted,
    /// There is no storage, or nobody to count.
    None,
}

impl Room {
    const fn of(found: u64, key: u64) -> Self {
        match found {
            0 => Self::Taken,
            found if found == key => Self::Own,
            _ => Self::Evicted,
        }
    }
}

/// Places that a key may have.
pub const WAYS: usize = 8;

/// The table. Keys that are 0 stand for nobody.
#[derive(Debug)]
pub struct Table<'s> {
    slots: &'s mut [Slot],
    busy: &'s mut [Busy],
}

impl<'s> Table<'s> {
    /// Over storage that was filled with [`Slot::FREE`] and [`Busy::FREE`], or by a table before.
    #[must_use]
    pub fn new(slots: &'s mut [Slot], busy: &'s mut [Busy]) -> Self {
        Self { slots, busy }
    }

    /// Counts an attempt for a key. `now_s` is the time by whoever counts: later than the entry's where it comes late. Tells
    /// whether another number was forgotten for it.
    pub fn attempt(&mut self, key: u64, entry: Entry, now_s: u32) -> Room {
        let Some(slot) = take(self.slots, key, now_s, |slot| (slot.key, slot.last_s)) else {
            return Room::None;
        };
        let room = Room::of(slot.key, key);
        if slot.key != key {
            *slot = Slot { key, ..Slot::FREE };
        }
        let full = slot.next_to_leave(now_s).is_some_and(|leaving| leaving.is_within(now_s, WINDOW_S_MAX));
        if slot.busy == 0 && full {
            slot.busy = 1;
            if let Some(busy) = open(self.busy, key, now_s) {
                slot.entries.iter().for_each(|old| busy.push(*old, peer_hash(key, *old), now_s));
            }
        }
        slot.push(entry, now_s);
        if slot.busy != 0
            && let Some(busy) = open(self.busy, key, now_s)
        {
            busy.push(entry, peer_hash(key, entry), now_s);
        }
        room
    }

    /// Puts a number back as it was kept elsewhere. Where its places are taken by numbers nearer to now, it isn't.
    pub fn restore(&mut self, kept: &Slot, now_s: u32) -> bool {
        restore(self.slots, kept, now_s, |slot| (slot.key, slot.last_s))
    }

    /// Puts a number's buckets back.
    pub fn restore_busy(&mut self, kept: &Busy, now_s: u32) -> bool {
        restore(self.busy, kept, now_s, |busy| (busy.key, busy.last_s))
    }

    /// Tells how an attempt towards `peer` (low bits) went on. What isn't remembered is counted at `time_s`.
    pub fn outcome(&mut self, key: u64, peer: u32, state: State, ring_s: u32, time_s: u32, now_s: u32) {
        let Some(slot) = find_mut(self.slots, key, |slot| slot.key) else { return };
        let open_states: &[State] = match state {
            State::Ended | State::Short => &[State::Answered],
            _ => &[State::Pending],
        };
        let is_busy = slot.busy != 0;
        let (from, changed) = match slot.find(peer, open_states) {
            Some(entry) => {
                let from = entry.state();
                let ring_s = if from == State::Pending { ring_s } else { entry.ring_s() };
                *entry = entry.with_state(state).with_ring_s(ring_s);
                (from, *entry)
            }
            None if is_busy => {
                let from = open_states.first().copied().unwrap_or(State::Pending);
                (from, Entry::new(time_s, peer.into(), state, Marks::NONE).with_ring_s(ring_s))
            }
            None => return,
        };
        if is_busy && let Some(busy) = find_mut(self.busy, key, |busy| busy.key) {
            busy.settle(changed.time_s, from, changed, now_s);
        }
    }

    /// A measure of a key.
    #[must_use]
    pub fn measure(&self, key: u64, measure: Measure, window_s: u32, now_s: u32) -> i64 {
        let Some(slot) = find(self.slots, key, |slot| slot.key) else { return measure.unknown() };
        let busy = || find(self.busy, key, |busy| busy.key);
        let busy = if slot.busy == 0 || slot.covers(now_s, window_s) { None } else { busy() };
        Reader { slot, busy, window_s, now_s }.measure(measure)
    }
}

/// Where a peer falls in the sketch. By the low bits of its number, which are all that the entries keep; keyed, so that
/// nobody can choose numbers that fall together.
const fn peer_hash(key: u64, entry: Entry) -> u64 {
    super::key::mix(key ^ entry.peer() as u64)
}

struct Reader<'t> {
    slot: &'t Slot,
    busy: Option<&'t Busy>,
    window_s: u32,
    now_s: u32,
}

impl Reader<'_> {
    fn measure(&self, measure: Measure) -> i64 {
        let (slot, now, window) = (self.slot, self.now_s, self.window_s);
        match measure {
            // Complaints are kept under keys of their own, an attempt each.
            Measure::Attempts | Measure::Complaints => self.count(Counter::Attempts, |_| true).into(),
            Measure::Answered => self.answered().into(),
            Measure::AnsweredRatio => {
                let answered = self.answered();
                let known = answered
                    .saturating_add(self.count(Counter::Unanswered, |entry| entry.state().is_unanswered()));
                i64::from(answered).saturating_mul(RATIO_ONE).checked_div(known.into()).unwrap_or(RATIO_ONE)
            }
            Measure::ShortCalls => self.count(Counter::Short, |entry| entry.state() == State::Short).into(),
            Measure::DistinctCallees | Measure::DistinctCallers => {
                let sketched = self.busy.map_or(0, |busy| busy.distinct(now, window));
                sketched.max(slot.distinct(now, window)).into()
            }
            Measure::Sequential => slot.sequential(now, window, SEQUENTIAL_GAP).into(),
            Measure::RingMs => self.ring_ms(),
            Measure::Concurrent => {
                let under_way = self.busy_sum_of(Counter::Answered, UNDER_WAY_S_MAX);
                let over = self.busy_sum_of(Counter::Ended, UNDER_WAY_S_MAX);
                under_way.saturating_sub(over).max(slot.concurrent(now)).into()
            }
            Measure::Otps => self.count(Counter::Marked, Entry::otp).into(),
            Measure::Unvouched => self.count(Counter::Marked, Entry::unvouched).into(),
            Measure::Verified => self.count(Counter::Verified, Entry::verified).into(),
            Measure::FailedChecks => self.count(Counter::FailedCheck, Entry::failed_check).into(),
            Measure::Virtual => self.count(Counter::Virtual, Entry::virtual_operator).into(),
            Measure::Blocked => self.count(Counter::Blocked, |entry| entry.state() == State::Blocked).into(),
        }
    }

    fn count(&self, counter: Counter, holds: impl Fn(Entry) -> bool) -> u32 {
        match self.busy {
            Some(busy) => busy.sum(counter, self.now_s, self.window_s),
            None => self.slot.count(self.now_s, self.window_s, holds),
        }
    }

    fn answered(&self) -> u32 {
        self.count(Counter::Answered, |entry| entry.state().is_answered())
    }

    fn busy_sum_of(&self, counter: Counter, window_s: u32) -> u32 {
        self.busy.map_or(0, |busy| busy.sum(counter, self.now_s, window_s))
    }

    /// By the newest attempts: a mean of more would say nothing else.
    fn ring_ms(&self) -> i64 {
        let rang = |entry: &Entry| entry.state().is_answered() || entry.state() == State::Cancelled;
        let (mut sum, mut count) = (0i64, 0i64);
        for entry in self.slot.within(self.now_s, self.window_s).filter(rang) {
            sum += i64::from(entry.ring_s());
            count += 1;
        }
        sum.saturating_mul(1000).checked_div(count).unwrap_or(0)
    }
}

fn open(busy: &mut [Busy], key: u64, time_s: u32) -> Option<&mut Busy> {
    let place = take(busy, key, time_s, |busy| (busy.key, busy.last_s))?;
    if place.key != key {
        *place = Busy { key, ..Busy::FREE };
    }
    Some(place)
}

fn restore<T: Copy>(places: &mut [T], kept: &T, now_s: u32, of: impl Fn(&T) -> (u64, u32)) -> bool {
    let (key, last_s) = of(kept);
    let Some(place) = take(places, key, now_s, &of) else { return false };
    let (found, found_s) = of(place);
    let gives_way = found == 0 || last_s.abs_diff(now_s) < found_s.abs_diff(now_s);
    if gives_way {
        *place = *kept;
    }
    gives_way
}

/// The places that a key may have.
fn set<T>(places: &[T], key: u64) -> core::ops::Range<usize> {
    let sets = places.len() / WAYS;
    if key == 0 || sets == 0 {
        return 0..0;
    }
    // The upper half chooses: shards may have been chosen by the lower one.
    let at = usize::try_from((key >> 32) % (sets as u64)).unwrap_or(0) * WAYS;
    at..at + WAYS
}

fn find<T>(places: &[T], key: u64, key_of: impl Fn(&T) -> u64) -> Option<&T> {
    places.get(set(places, key))?.iter().find(|place| key_of(place) == key)
}

fn find_mut<T>(places: &mut [T], key: u64, key_of: impl Fn(&T) -> u64) -> Option<&mut T> {
    let range = set(places, key);
    places.get_mut(range)?.iter_mut().find(|place| key_of(place) == key)
}

/// The key's own place, or the one that it takes. One whose time lies far ahead, after a clock was set back, counts as
/// silent too.
fn take<T>(places: &mut [T], key: u64, now_s: u32, of: impl Fn(&T) -> (u64, u32)) -> Option<&mut T> {
    let range = set(places, key);
    let rank = |place: &T| match of(place) {
        (found, _) if found == key => u64::MAX,
        (0, _) => u64::from(u32::MAX) + 1,
        (_, last_s) => last_s.abs_diff(now_s).into(),
    };
    places.get_mut(range)?.iter_mut().max_by_key(|place| rank(place))
}
