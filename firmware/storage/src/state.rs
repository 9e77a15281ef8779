//! The one record that says what is in use.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 1 | version, 1 |
//! | 1 | 1 | packs: slot in use; bit 7: on trial |
//! | 2 | 1 | packs: starts left |
//! | 3 | 2 | the same for images |
//! | 5 | 3 | 0 |
//! | 8 | 4 | starts of the device, little endian as all that follows |
//! | 12 | 4 | 0 |
//! | 16 | 4 × 8 | packs: serial in slot A, in slot B, floor, refused |
//! | 48 | 4 × 8 | the same for images |

use crate::journal::Journal;
use crate::pair::{Pair, Slot};
use crate::{Flash, StoreError};
use core::ops::Range;

/// Length of the record in bytes.
pub const STATE_BYTES: usize = 80;
const VERSION: u8 = 1;
const ON_TRIAL: u8 = 0x80;

/// What is in use, and how often the device started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Starts, this one included.
    pub starts: u32,
    /// The packs.
    pub packs: Pair,
    /// The images.
    pub images: Pair,
}

impl State {
    /// As it is kept.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; STATE_BYTES] {
        let mut bytes = [0; STATE_BYTES];
        let [a, b] = [flags(&self.packs), flags(&self.images)];
        let head = [VERSION, a[0], a[1], b[0], b[1], 0, 0, 0];
        let words = [words(&self.packs), words(&self.images)];
        let starts = u64::from(self.starts).to_le_bytes();
        let parts = [head, starts].into_iter().chain(words.into_iter().flatten());
        for (slot, part) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(parts) {
            *slot = part;
        }
        bytes
    }

    /// From what was kept; `None` where it isn't a state of this version.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; STATE_BYTES] = bytes.try_into().ok()?;
        let ([head, starts, words @ ..], _) = bytes.as_chunks::<8>() else { return None };
        let [VERSION, pack_slot, pack_tries, image_slot, image_tries, 0, 0, 0] = *head else { return None };
        let (packs, images) = words.split_at_checked(4)?;
        Some(Self {
            starts: u32::try_from(u64::from_le_bytes(*starts)).ok()?,
            packs: pair(pack_slot, pack_tries, packs)?,
            images: pair(image_slot, image_tries, images)?,
        })
    }

    /// Reads it; the default where there is none yet.
    pub(crate) fn load<F: Flash>(flash: &mut F, region: Range<u32>) -> Result<Self, StoreError> {
        let journal = Journal::new(flash, region)?;
        let kept = journal.newest().and_then(|place| Self::from_bytes(journal.bytes(place)));
        Ok(kept.unwrap_or_default())
    }

    /// Keeps it: when this returns, the next start finds it, and before that the one before.
    pub(crate) fn save<F: Flash>(&self, flash: &mut F, region: Range<u32>) -> Result<(), StoreError> {
        let mut journal = Journal::new(flash, region)?;
        let newest = journal.newest();
        journal.append(&self.to_bytes(), |place| Some(place) == newest).map(|_| ())
    }
}

const fn flags(pair: &Pair) -> [u8; 2] {
    [pair.active as u8 | if pair.is_on_trial { ON_TRIAL } else { 0 }, pair.tries]
}

fn words(pair: &Pair) -> [[u8; 8]; 4] {
    let [a, b] = pair.serials;
    [a, b, pair.floor, pair.refused].map(u64::to_le_bytes)
}

fn pair(flags: u8, tries: u8, words: &[[u8; 8]]) -> Option<Pair> {
    let [a, b, floor, refused] = words else { return None };
    let number = |word: &[u8; 8]| u64::from_le_bytes(*word);
    Some(Pair {
        active: match flags & !ON_TRIAL {
            0 => Slot::A,
            1 => Slot::B,
            _ => return None,
        },
        serials: [number(a), number(b)],
        floor: number(floor),
        refused: number(refused),
        tries,
        is_on_trial: flags & ON_TRIAL != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read() {
        let packs = Pair { serials: [7, 8], floor: 7, refused: 3, ..Pair::default() }.with_trial(9);
        let state = State { starts: 4, packs, images: Pair { active: Slot::B, ..Pair::default() } };
        assert_eq!(State::from_bytes(&state.to_bytes()), Some(state));
        assert_eq!(State::from_bytes(&[0xFF; STATE_BYTES]), None);
        assert_eq!(State::from_bytes(&state.to_bytes()[1..]), None);
    }
}
