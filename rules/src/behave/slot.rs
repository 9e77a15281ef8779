//! A number's newest attempts, exactly: 128 bytes.

use super::entry::{Entry, State};
use super::{PENDING_S_MAX, UNDER_WAY_S_MAX};

/// Attempts that a slot keeps.
pub const SLOT_ENTRIES: usize = 14;

/// What is kept of every number. All zero is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Slot {
    /// Whose; 0 where free.
    pub key: u64,
    /// When something last happened, in seconds since the Unix epoch.
    pub last_s: u32,
    /// 1 where [`super::Busy`] buckets were opened for the number.
    pub busy: u8,
    /// 0.
    pub reserved: [u8; 3],
    /// In no order.
    pub entries: [Entry; SLOT_ENTRIES],
}

impl Slot {
    /// Free.
    pub const FREE: Self = Self {
        key: 0,
        last_s: 0,
        busy: 0,
        reserved: [0; 3],
        entries: [Entry { time_s: 0, bits: 0 }; SLOT_ENTRIES],
    };

    /// Adds an attempt in a free place, or in that of the one that lies farthest from now; an attempt that lies farther than all
    /// others is left out.
    pub fn push(&mut self, entry: Entry, now_s: u32) {
        if entry.time_s.abs_diff(now_s) <= self.last_s.abs_diff(now_s) {
            self.last_s = entry.time_s;
        }
        let distance = |entry: &Entry| match entry.time_s {
            0 => u32::MAX,
            time_s => time_s.abs_diff(now_s),
        };
        let farthest = self.entries.iter_mut().max_by_key(|place| distance(place));
        if let Some(place) = farthest
            && distance(place) >= distance(&entry)
        {
            *place = entry;
        }
    }

    /// The attempt that the next one replaces; `None` where there is a free place.
    #[must_use]
    pub fn next_to_leave(&self, now_s: u32) -> Option<Entry> {
        if self.entries.iter().any(|entry| entry.time_s == 0) {
            return None;
        }
        self.entries.iter().copied().max_by_key(|entry| entry.time_s.abs_diff(now_s))
    }

    /// The newest attempt towards `peer` in one of `states`, to be changed.
    pub fn find(&mut self, peer: u32, states: &[State]) -> Option<&mut Entry> {
        let wanted =
            |entry: &&mut Entry| entry.time_s != 0 && entry.peer() == peer && states.contains(&entry.state());
        self.entries.iter_mut().filter(wanted).max_by_key(|entry| entry.time_s)
    }

    /// The attempts within a window.
    pub fn within(&self, now_s: u32, window_s: u32) -> impl Iterator<Item = Entry> + '_ {
        self.entries.iter().copied().filter(move |entry| entry.is_within(now_s, window_s))
    }

    /// Whether every attempt of the window is still among the entries, given that all are told to [`Self::push`]: there is a
    /// free place, or one that lies outside of the window, which would have left before any inside.
    #[must_use]
    pub fn covers(&self, now_s: u32, window_s: u32) -> bool {
        self.entries.iter().any(|entry| !entry.is_within(now_s, window_s))
    }

    /// How many entries hold.
    pub fn count(&self, now_s: u32, window_s: u32, holds: impl Fn(Entry) -> bool) -> u32 {
        let counted = self.within(now_s, window_s).filter(|&entry| holds(entry)).count();
        u32::try_from(counted).unwrap_or(u32::MAX)
    }

    /// Different peers. Two that agree in their low 20 bits count as one.
    #[must_use]
    pub fn distinct(&self, now_s: u32, window_s: u32) -> u32 {
        let (peers, len) = self.sorted(now_s, window_s);
        let peers = peers.get(..len).unwrap_or_default();
        let changes = peers.windows(2).filter(|pair| matches!(pair, [a, b] if a != b)).count();
        u32::try_from(changes + usize::from(len > 0)).unwrap_or(0)
    }

    /// The longest run of peers that follow each other with at most `gap` between two.
    #[must_use]
    pub fn sequential(&self, now_s: u32, window_s: u32, gap: u32) -> u32 {
        let (peers, len) = self.sorted(now_s, window_s);
        let (mut longest, mut run) = (u32::from(len > 0), u32::from(len > 0));
        for pair in peers.get(..len).unwrap_or_default().windows(2) {
            let [a, b] = pair else { continue };
            match b - a {
                0 => continue,
                step if step <= gap => run += 1,
                _ => run = 1,
            }
            longest = longest.max(run);
        }
        longest
    }

    /// Calls under way: ringing, or answered and not over.
    #[must_use]
    pub fn concurrent(&self, now_s: u32) -> u32 {
        self.count(now_s, UNDER_WAY_S_MAX, |entry| match entry.state() {
            State::Pending => entry.is_within(now_s, PENDING_S_MAX),
            State::Answered => true,
            _ => false,
        })
    }

    fn sorted(&self, now_s: u32, window_s: u32) -> ([u32; SLOT_ENTRIES], usize) {
        let mut peers = [0; SLOT_ENTRIES];
        let mut len = 0;
        for (place, entry) in peers.iter_mut().zip(self.within(now_s, window_s)) {
            *place = entry.peer();
            len += 1;
        }
        if let Some(peers) = peers.get_mut(..len) {
            peers.sort_unstable();
        }
        (peers, len)
    }
}

const _: () = assert!(size_of::<Slot>() == 128, "two cache lines");
