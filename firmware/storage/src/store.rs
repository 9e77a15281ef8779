//! Everything together: what is in use, updates, the ring.

use crate::Flash;
use crate::journal::Journal;
use crate::layout::Regions;
use crate::pair::{Chosen, Pair, Slot};
use crate::ring::{Pushed, RECORD_BYTES_MAX, Ring};
use crate::state::State;
use core::ops::Range;

/// Why the store can't do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The parts of the flash don't fit it.
    Layout,
    /// Reading, programming or erasing failed.
    Flash,
    /// A record is longer than any can be.
    TooLong,
}

/// Why an update isn't taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateError {
    /// Not newer than what is or was in use, or the one that failed before, or another is on trial.
    NotNewer,
    /// It doesn't fit its slot.
    TooLarge,
    /// A piece doesn't follow the one before it, or there is no update under way.
    OutOfOrder,
    /// Not signed by the device's key, not whole, not for this device, or not what was announced.
    Invalid,
    /// The flash failed.
    Flash,
}

impl From<StoreError> for UpdateError {
    fn from(_: StoreError) -> Self {
        Self::Flash
    }
}

/// What is kept twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The rule pack.
    Pack,
    /// The program itself.
    Image,
}

/// Says what a slot holds.
pub trait Check {
    /// The serial of the pack that a slot begins with, or the version of its image, where its signature and every byte of it was
    /// found right.
    fn serial(&self, kind: Kind, slot: &[u8]) -> Option<u64>;
}

/// An update under way. It is forgotten with the power, and begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Update {
    kind: Kind,
    serial: u64,
    length: u32,
    written: u32,
    erased: u32,
}

/// A device's flash.
#[derive(Debug)]
pub struct Store<F> {
    flash: F,
    regions: Regions,
    state: State,
    update: Option<Update>,
}

impl<F: Flash> Store<F> {
    /// Opens it: what was kept is read, nothing is written but what repairs a torn page.
    ///
    /// # Errors
    /// The regions don't fit the flash, or it can't be read.
    pub fn open(mut flash: F, regions: Regions) -> Result<Self, StoreError> {
        let sector = u32::try_from(F::ERASE_SIZE).map_err(|_| StoreError::Layout)?;
        let capacity = u32::try_from(flash.capacity()).map_err(|_| StoreError::Layout)?;
        if !regions.is_sound(sector, capacity) {
            return Err(StoreError::Layout);
        }
        let state = State::load(&mut flash, regions.state.clone())?;
        Ok(Self { flash, regions, state, update: None })
    }

    /// What is kept.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// The flash, given back.
    #[must_use]
    pub fn into_flash(self) -> F {
        self.flash
    }

    /// A slot's bytes.
    #[must_use]
    pub fn slot(&self, kind: Kind, slot: Slot) -> &[u8] {
        self.flash.bytes(self.region(kind, slot))
    }

    /// Chooses what starts, and keeps the choice. The bootloader asks for the image, the program for the pack; the program's is a
    /// start of the device.
    ///
    /// # Errors
    /// The choice can't be kept.
    pub fn start(&mut self, kind: Kind, check: &impl Check) -> Result<Chosen, StoreError> {
        let found = Slot::BOTH.map(|slot| check.serial(kind, self.slot(kind, slot)));
        let chosen = self.pair(kind).boot(found);
        let mut state = self.state;
        if kind == Kind::Pack {
            state.starts = state.starts.saturating_add(1);
        }
        *pair_mut(&mut state, kind) = chosen.pair;
        self.keep(state)?;
        Ok(chosen)
    }

    /// What is on trial did what it is for.
    ///
    /// # Errors
    /// It can't be kept.
    pub fn confirm(&mut self, kind: Kind) -> Result<(), StoreError> {
        self.change(kind, Pair::confirmed)
    }

    /// What is on trial failed: the other slot is in use again.
    ///
    /// # Errors
    /// It can't be kept.
    pub fn give_up(&mut self, kind: Kind) -> Result<(), StoreError> {
        self.change(kind, Pair::given_up)
    }

    /// Begins an update of `length` bytes.
    ///
    /// # Errors
    /// [`UpdateError`].
    pub fn begin(&mut self, kind: Kind, serial: u64, length: u32) -> Result<(), UpdateError> {
        self.update = None;
        if !self.pair(kind).takes(serial) {
            return Err(UpdateError::NotNewer);
        }
        let spare = self.region(kind, self.pair(kind).active.other());
        if length == 0 || length > spare.end.saturating_sub(spare.start) {
            return Err(UpdateError::TooLarge);
        }
        // What stood there counts no more from now on, so that no later start takes half of it for something.
        self.change(kind, Pair::with_spare_emptied)?;
        self.update = Some(Update { kind, serial, length, written: 0, erased: spare.start });
        Ok(())
    }

    /// Writes the next piece; all but the last have a multiple of the flash's word in bytes.
    ///
    /// # Errors
    /// [`UpdateError`]; the update is over then, but for [`UpdateError::OutOfOrder`].
    pub fn write(&mut self, at: u32, piece: &[u8]) -> Result<(), UpdateError> {
        let Some(mut update) = self.update else { return Err(UpdateError::OutOfOrder) };
        let length = u32::try_from(piece.len()).map_err(|_| UpdateError::TooLarge)?;
        let end = at.checked_add(length).ok_or(UpdateError::TooLarge)?;
        if at != update.written || end > update.length {
            return Err(UpdateError::OutOfOrder);
        }
        let word = F::WRITE_SIZE;
        if !piece.len().is_multiple_of(word) && end != update.length {
            return Err(UpdateError::OutOfOrder);
        }
        self.update = None;
        let from = self.region(update.kind, self.pair(update.kind).active.other()).start;
        let sector = u32::try_from(F::ERASE_SIZE).map_err(|_| UpdateError::Flash)?;
        while update.erased < from.saturating_add(end) {
            let next = update.erased.saturating_add(sector);
            self.flash.erase(update.erased, next).map_err(|_| UpdateError::Flash)?;
            update.erased = next;
        }
        let (whole, rest) = piece.split_at(piece.len() / word * word);
        self.flash.write(from.saturating_add(at), whole).map_err(|_| UpdateError::Flash)?;
        if !rest.is_empty() {
            let mut last = [0xFF; WORD_MAX];
            for (slot, byte) in last.iter_mut().zip(rest) {
                *slot = *byte;
            }
            let behind = from.saturating_add(end).saturating_sub(u32::try_from(rest.len()).unwrap_or(0));
            let last = last.get(..word).ok_or(UpdateError::Flash)?;
            self.flash.write(behind, last).map_err(|_| UpdateError::Flash)?;
        }
        update.written = end;
        self.update = Some(update);
        Ok(())
    }

    /// How far the update under way has come: bytes written and bytes in all.
    #[must_use]
    pub fn progress(&self) -> Option<(Kind, u32, u32)> {
        self.update.map(|update| (update.kind, update.written, update.length))
    }

    /// The whole of the update was written: verified, it goes on trial. `try_out` says whether it does what it is for before it is
    /// used at all (a pack's canaries).
    ///
    /// # Errors
    /// [`UpdateError`]; what is in use stays in use.
    pub fn finish(
        &mut self,
        check: &impl Check,
        try_out: impl FnOnce(&[u8]) -> bool,
    ) -> Result<(), UpdateError> {
        let Some(update) = self.update.take() else { return Err(UpdateError::OutOfOrder) };
        if update.written != update.length {
            return Err(UpdateError::OutOfOrder);
        }
        let slot = self.slot(update.kind, self.pair(update.kind).active.other());
        if check.serial(update.kind, slot) != Some(update.serial) || !try_out(slot) {
            return Err(UpdateError::Invalid);
        }
        Ok(self.change(update.kind, |pair| pair.with_trial(update.serial))?)
    }

    /// The serial of what is linked into the program: nothing that isn't newer is taken.
    ///
    /// # Errors
    /// It can't be kept.
    pub fn raise_floor(&mut self, kind: Kind, serial: u64) -> Result<(), StoreError> {
        self.change(kind, |pair| Pair { floor: pair.floor.max(serial), ..pair })
    }

    /// The settings as they were kept last, written to `buffer`; empty where there are none.
    ///
    /// # Errors
    /// The region doesn't fit the flash.
    pub fn settings<'b>(&mut self, buffer: &'b mut [u8; RECORD_BYTES_MAX]) -> Result<&'b [u8], StoreError> {
        let journal = Journal::new(&mut self.flash, self.regions.settings.clone())?;
        let kept = journal.newest().map(|place| journal.bytes(place)).unwrap_or_default();
        let out = buffer.get_mut(..kept.len()).ok_or(StoreError::TooLong)?;
        out.copy_from_slice(kept);
        Ok(out)
    }

    /// Keeps the settings, all of them: before this returns, the next start finds those before.
    ///
    /// # Errors
    /// The flash failed, or they are longer than [`RECORD_BYTES_MAX`].
    pub fn keep_settings(&mut self, settings: &[u8]) -> Result<(), StoreError> {
        let mut journal = Journal::new(&mut self.flash, self.regions.settings.clone())?;
        let newest = journal.newest();
        journal.append(settings, |place| Some(place) == newest).map(|_| ())
    }

    /// Keeps a sighting.
    ///
    /// # Errors
    /// As [`Ring::push`].
    pub fn push(&mut self, record: &[u8]) -> Result<Pushed, StoreError> {
        self.ring().push(&mut self.flash, record)
    }

    /// The oldest sighting.
    ///
    /// # Errors
    /// As [`Ring::oldest`].
    pub fn oldest<'b>(
        &mut self,
        buffer: &'b mut [u8; RECORD_BYTES_MAX],
    ) -> Result<Option<&'b [u8]>, StoreError> {
        self.ring().oldest(&mut self.flash, buffer)
    }

    /// Drops the oldest sighting.
    ///
    /// # Errors
    /// As [`Ring::pop`].
    pub fn pop(&mut self) -> Result<(), StoreError> {
        self.ring().pop(&mut self.flash)
    }

    /// Shows all sightings, the oldest first.
    ///
    /// # Errors
    /// As [`Ring::each`].
    pub fn each(&mut self, see: impl FnMut(&[u8])) -> Result<(), StoreError> {
        self.ring().each(&mut self.flash, see)
    }

    const fn pair(&self, kind: Kind) -> Pair {
        match kind {
            Kind::Pack => self.state.packs,
            Kind::Image => self.state.images,
        }
    }

    fn region(&self, kind: Kind, slot: Slot) -> Range<u32> {
        let regions = match kind {
            Kind::Pack => &self.regions.packs,
            Kind::Image => &self.regions.images,
        };
        slot.of(regions).clone()
    }

    fn ring(&self) -> Ring {
        Ring::new(self.regions.ring.clone())
    }

    fn change(&mut self, kind: Kind, to: impl FnOnce(Pair) -> Pair) -> Result<(), StoreError> {
        let mut state = self.state;
        let pair = pair_mut(&mut state, kind);
        *pair = to(*pair);
        self.keep(state)
    }

    fn keep(&mut self, state: State) -> Result<(), StoreError> {
        if state != self.state {
            state.save(&mut self.flash, self.regions.state.clone())?;
            self.state = state;
        }
        Ok(())
    }
}

/// The longest word of a flash, in bytes.
const WORD_MAX: usize = 32;

const fn pair_mut(state: &mut State, kind: Kind) -> &mut Pair {
    match kind {
        Kind::Pack => &mut state.packs,
        Kind::Image => &mut state.images,
    }
}
