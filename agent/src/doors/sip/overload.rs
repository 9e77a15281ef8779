//! Who is served while more comes than can be: those who ask for little.
//!
//! Counts are kept for a second, by hash, in fixed memory. Two counters a key, of which the lower one counts: a caller is
//! only taken for a heavier one where both are shared.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::time::{Duration, Instant};

const SLOTS: usize = 8192;
const PERIOD: Duration = Duration::from_secs(1);
/// Attempts a second that any caller has, however much comes.
const CALLER_MIN: u32 = 5;
/// The part of the last second's calls that one caller may make up under pressure.
const CALLER_PART: u32 = 100;

/// Counters of the current second.
#[derive(Debug)]
pub(super) struct Overload {
    keys: RandomState,
    counts: Vec<u32>,
    began: Instant,
    served: u32,
    served_before: u32,
    /// Until when the driver's last word holds.
    pressed_until: Option<Instant>,
    untold: u32,
}

impl Overload {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            keys: RandomState::new(),
            counts: vec![0; 2 * SLOTS],
            began: now,
            served: 0,
            served_before: 0,
            pressed_until: None,
            untold: 0,
        }
    }

    /// More waits than could be served for a while.
    pub(super) fn press(&mut self, now: Instant) {
        self.pressed_until = Some(now + PERIOD);
    }

    /// Looks at a datagram before anything is read of it, while more comes than can be served: `None` lets it through
    /// unlooked at, otherwise the answer is whether its caller is put off. Most who are put off aren't even told
    /// ([`Self::tells`]): an answer costs more than all else.
    pub(super) fn glance(&mut self, octets: &[u8], source: IpAddr, now: Instant) -> Option<bool> {
        self.pressed_until.filter(|until| now < *until)?;
        let caller = caller(octets.strip_prefix(b"INVITE ")?)?;
        Some(self.sheds(source, caller, now))
    }

    /// Whether this one of those who are put off is told so.
    pub(super) fn tells(&mut self) -> bool {
        self.untold = self.untold.wrapping_add(1);
        self.untold.is_multiple_of(TOLD_OF)
    }

    /// Counts an attempt, and says whether it is to be shed.
    pub(super) fn sheds(&mut self, source: IpAddr, caller: &[u8], now: Instant) -> bool {
        if now.saturating_duration_since(self.began) >= PERIOD {
            self.began = now;
            self.served_before = std::mem::take(&mut self.served);
            self.counts.fill(0);
        }
        let hash = self.keys.hash_one((source, caller));
        let count = self.count(hash).min(self.count(hash.rotate_left(32) | 1 << 63));
        let pressed = self.pressed_until.is_some_and(|until| now < until);
        let share = (self.served_before / CALLER_PART).max(CALLER_MIN);
        if pressed && count > share {
            return true;
        }
        self.served = self.served.saturating_add(1);
        false
    }

    /// One more in the slot of that hash; its top bit chooses the row.
    fn count(&mut self, hash: u64) -> u32 {
        let row = usize::from(hash >> 63 == 1) * SLOTS;
        let slot = usize::try_from(hash % SLOTS as u64).unwrap_or(0);
        self.counts.get_mut(row + slot).map_or(0, |count| {
            *count = count.saturating_add(1);
            *count
        })
    }
}

/// The user part of From, as it stands; only where it is written as usual. What is written otherwise is read in full.
fn caller(request: &[u8]) -> Option<&[u8]> {
    let at = request.windows(6).position(|window| window == b"\nFrom:" || window.starts_with(b"\nf:"))?;
    let rest = request.get(at + 1..)?;
    let line = rest.get(..rest.iter().position(|&octet| octet == b'\n')?)?;
    let scheme = line.windows(4).position(|window| window == b"sip:" || window == b"tel:")?;
    let uri = line.get(scheme + 4..)?;
    uri.get(..uri.iter().position(|octet| b"@;>".contains(octet))?)
}

/// One of so many is told.
const TOLD_OF: u32 = 16;
