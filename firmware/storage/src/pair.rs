//! Two of a kind, of which one is in use: the decisions, without any flash.
//!
//! ```text
//! in use ── update verified ──► trial ── confirmed ──► in use
//!   ▲                             │ failed, or started too often without being confirmed
//!   └───── the other slot ◄───────┘
//! ```

/// One of the two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Slot {
    /// The first.
    #[default]
    A = 0,
    /// The second.
    B = 1,
}

impl Slot {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::A, Self::B];

    /// The one that this isn't.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// This one's of two things.
    pub const fn of<T>(self, [a, b]: &[T; 2]) -> &T {
        match self {
            Self::A => a,
            Self::B => b,
        }
    }

    const fn of_mut<T>(self, [a, b]: &mut [T; 2]) -> &mut T {
        match self {
            Self::A => a,
            Self::B => b,
        }
    }
}

/// How often what is on trial may start without being confirmed.
pub const TRIES: u8 = 3;

/// What is known of two slots. Serials of packs and versions of images only rise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pair {
    /// The slot in use.
    pub active: Slot,
    /// What each slot holds; 0 for nothing.
    pub serials: [u64; 2],
    /// The highest serial that was ever in use and confirmed: nothing that isn't newer is taken.
    pub floor: u64,
    /// The serial that failed its trial last; it isn't tried again.
    pub refused: u64,
    /// Starts that are left to what is on trial; 0 while nothing is.
    pub tries: u8,
    /// Whether the slot in use is on trial.
    pub is_on_trial: bool,
}

/// What starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// From which slot; `None` where neither holds anything valid.
    pub slot: Option<Slot>,
    /// What must be kept before it starts.
    pub pair: Pair,
    /// The trial of the other slot ended with this start.
    pub has_given_up: bool,
}

impl Pair {
    /// What is in use, by its serial.
    #[must_use]
    pub const fn serial(&self) -> u64 {
        *self.active.of(&self.serials)
    }

    /// Whether an update of this serial is taken now.
    #[must_use]
    pub const fn takes(&self, serial: u64) -> bool {
        !self.is_on_trial && serial > self.floor && serial > self.serial() && serial != self.refused
    }

    /// A verified update stands in the spare slot.
    #[must_use]
    pub const fn with_trial(mut self, serial: u64) -> Self {
        self.active = self.active.other();
        *self.active.of_mut(&mut self.serials) = serial;
        self.is_on_trial = true;
        self.tries = TRIES;
        self
    }

    /// The spare slot is about to be overwritten.
    #[must_use]
    pub const fn with_spare_emptied(mut self) -> Self {
        *self.active.other().of_mut(&mut self.serials) = 0;
        self
    }

    /// What is in use did what it is for.
    #[must_use]
    pub const fn confirmed(mut self) -> Self {
        self.is_on_trial = false;
        self.tries = 0;
        if self.serial() > self.floor {
            self.floor = self.serial();
        }
        self
    }

    /// What is on trial failed: the other slot again.
    #[must_use]
    pub const fn given_up(mut self) -> Self {
        if self.is_on_trial {
            self.refused = self.serial();
            self.is_on_trial = false;
            self.tries = 0;
            self.active = self.active.other();
        }
        self
    }

    /// What to start, where `found` are the serials of what was verified in each slot (`None` where it isn't valid).
    #[must_use]
    pub fn boot(self, found: [Option<u64>; 2]) -> Chosen {
        let is_there =
            |pair: &Self, slot: Slot| slot.of(&found).is_some_and(|serial| serial == *slot.of(&pair.serials));
        let mut pair = self;
        let mut has_given_up = false;
        if pair.is_on_trial {
            if pair.tries > 0 && is_there(&pair, pair.active) {
                pair.tries -= 1;
                return Chosen { slot: Some(pair.active), pair, has_given_up };
            }
            pair = pair.given_up();
            has_given_up = true;
        }
        if is_there(&pair, pair.active) {
            return Chosen { slot: Some(pair.active), pair, has_given_up };
        }
        // What was in use is damaged, or the state never knew: whichever of both is valid and newest.
        let newest = Slot::BOTH
            .into_iter()
            .filter_map(|slot| Some((slot.of(&found).filter(|serial| *serial != pair.refused)?, slot)))
            .max_by_key(|(serial, _)| *serial);
        if let Some((serial, slot)) = newest {
            pair.active = slot;
            pair.serials = found.map(Option::unwrap_or_default);
            pair.floor = pair.floor.max(serial);
        }
        Chosen { slot: newest.map(|(_, slot)| slot), pair, has_given_up }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: Pair =
        Pair { active: Slot::A, serials: [5, 0], floor: 5, refused: 0, tries: 0, is_on_trial: false };

    #[test]
    fn serials_only_rise() {
        assert!(!OLD.takes(4) && !OLD.takes(5) && OLD.takes(6));
        let tried = OLD.with_trial(6);
        assert!(!tried.takes(7), "what is on trial isn't overwritten, nor what it may go back to");
        let failed = tried.given_up();
        assert_eq!((failed.active, failed.floor), (Slot::A, 5));
        assert!(!failed.takes(6) && failed.takes(7));
        let done = tried.confirmed();
        assert_eq!((done.active, done.floor), (Slot::B, 6));
        assert!(!done.takes(6) && done.takes(7));
    }

    #[test]
    fn a_trial_that_is_never_confirmed_ends() {
        let mut pair = OLD.with_trial(6);
        for _ in 0..TRIES {
            let chosen = pair.boot([Some(5), Some(6)]);
            assert_eq!((chosen.slot, chosen.has_given_up), (Some(Slot::B), false));
            pair = chosen.pair;
        }
        let chosen = pair.boot([Some(5), Some(6)]);
        assert_eq!((chosen.slot, chosen.has_given_up, chosen.pair.refused), (Some(Slot::A), true, 6));
    }

    #[test]
    fn what_is_damaged_gives_way_to_what_is_not() {
        let chosen = OLD.with_trial(6).boot([Some(5), None]);
        assert_eq!((chosen.slot, chosen.has_given_up), (Some(Slot::A), true));
        let pair = OLD.with_trial(6).confirmed();
        assert_eq!(pair.boot([Some(5), None]).slot, Some(Slot::A));
        assert_eq!(pair.boot([Some(5), None]).pair.floor, 6, "the counter doesn't fall with it");
        assert_eq!(pair.boot([None, None]).slot, None);
        // A slot whose contents aren't what the state says isn't what was in use.
        assert_eq!(pair.boot([Some(5), Some(4)]).slot, Some(Slot::A));
    }

    #[test]
    fn a_factory_fresh_flash_takes_what_is_there() {
        let chosen = Pair::default().boot([Some(3), None]);
        assert_eq!((chosen.slot, chosen.pair.floor, chosen.pair.serial()), (Some(Slot::A), 3, 3));
        assert_eq!(Pair::default().boot([Some(3), Some(9)]).slot, Some(Slot::B));
    }
}
