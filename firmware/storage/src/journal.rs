//! Records appended to sectors that are used in turn: what the state and the ring are made of.
//!
//! | sector | size | field |
//! |---|---|---|
//! | 0 | 4 | magic `YJR1` |
//! | 4 | 4 | sequence number, which rises with every sector begun |
//! | 8 | 4 | CRC-32 of the two |
//! | 12 | 4 | all ones |
//! | 16 | | records, without gaps |
//!
//! | record | size | field |
//! |---|---|---|
//! | 0 | 2 | length in bytes |
//! | 2 | 2 | its complement |
//! | 4 | 4 | CRC-32 of length and bytes |
//! | 8 | 4 | all ones while it counts; anything else once it was dropped |
//! | 12 | | the bytes, padded with ones to whole words |
//!
//! All integers are little endian. How it survives a power cut:
//! - A record counts from the moment its last word is there: its CRC covers it whole.
//! - A torn record whose length can be read is passed over; behind one whose length can't, the sector isn't used any further.
//! - A sector's magic is cleared before it is erased, so that an erasure that was cut, and brings bits back in whatever way,
//!   brings no record back. Until a sector has a whole header again, it holds nothing.
//! - The sector that gives way is one without a record that counts, be it the newest; only where there is none, the oldest.
//!
//! The `sequential-storage` crate was tried first. Where an erasure is cut so that its page holds nonsense, which is what
//! `NorFlash::erase` allows, its map came to answer `Corrupted` for good about once in a thousand cuts; this doesn't.

use crate::{Flash, StoreError};
use core::ops::Range;
use crc::{CRC_32_ISO_HDLC, Crc};

const CHECK: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
const MAGIC: [u8; 4] = *b"YJR1";
const SECTOR_HEAD: u32 = 16;
const RECORD_HEAD: u32 = 12;
const GONE_AT: u32 = 8;
const COUNTS: [u8; 4] = [0xFF; 4];
/// Bytes of a record.
pub(crate) const BYTES_MAX: usize = 512;
/// Words that are written must not be longer than this.
const WORD_BYTES_MAX: usize = 4;

/// Records in a part of the flash.
#[derive(Debug)]
pub(crate) struct Journal<'f, F> {
    flash: &'f mut F,
    region: Range<u32>,
    sector: u32,
}

/// Where a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    at: u32,
    length: u32,
    counts: bool,
}

/// What a sector was found to hold.
#[derive(Clone, Copy, Debug)]
struct Sector {
    at: u32,
    /// `None` where its header isn't whole.
    sequence: Option<u32>,
}

impl<'f, F: Flash> Journal<'f, F> {
    pub(crate) fn new(flash: &'f mut F, region: Range<u32>) -> Result<Self, StoreError> {
        let sector = u32::try_from(F::ERASE_SIZE).map_err(|_| StoreError::Layout)?;
        if F::WRITE_SIZE > WORD_BYTES_MAX || sector <= SECTOR_HEAD + RECORD_HEAD {
            return Err(StoreError::Layout);
        }
        Ok(Self { flash, region, sector })
    }

    /// A record's bytes.
    pub(crate) fn bytes(&self, place: Place) -> &[u8] {
        let from = place.at.saturating_add(RECORD_HEAD);
        self.flash.bytes(from..from.saturating_add(place.length))
    }

    /// The newest record, dropped or not.
    pub(crate) fn newest(&self) -> Option<Place> {
        self.records().last()
    }

    /// The oldest record that counts.
    pub(crate) fn oldest(&self) -> Option<Place> {
        self.live().next()
    }

    /// All records that count, the oldest first.
    pub(crate) fn live(&self) -> impl Iterator<Item = Place> + '_ {
        self.records().filter(|place| place.counts)
    }

    /// Drops a record.
    pub(crate) fn drop(&mut self, place: Place) -> Result<(), StoreError> {
        self.write(place.at.saturating_add(GONE_AT), &[0; 4])
    }

    /// Appends a record; when this returns, it counts. `keeps` says which records a sector mustn't lose for it; tells whether there
    /// was no other way.
    pub(crate) fn append(&mut self, bytes: &[u8], keeps: impl Fn(Place) -> bool) -> Result<bool, StoreError> {
        let length = u16::try_from(bytes.len()).map_err(|_| StoreError::TooLong)?;
        let room = RECORD_HEAD.saturating_add(padded(u32::from(length)));
        if bytes.len() > BYTES_MAX || room > self.sector - SECTOR_HEAD {
            return Err(StoreError::TooLong);
        }
        let current = self.current();
        let free =
            current.and_then(|current| self.end_of(current.at)).filter(|&(at, until)| at + room <= until);
        let (at, displaced) = match free {
            Some((at, _)) => (at, false),
            None => self.begin_sector(keeps)?,
        };
        let place = Place { at, length: length.into(), counts: true };
        self.write_record(at, length, bytes)?;
        // What was written is read: a cell that doesn't hold its charge is no place for a record.
        if self.record(at).is_some_and(|record| record == place) && self.bytes(place) == bytes {
            Ok(displaced)
        } else {
            Err(StoreError::Flash)
        }
    }

    fn write_record(&mut self, at: u32, length: u16, bytes: &[u8]) -> Result<(), StoreError> {
        let [l0, l1] = length.to_le_bytes();
        let [c0, c1, c2, c3] = check_of(length, bytes).to_le_bytes();
        self.write(at, &[l0, l1, !l0, !l1, c0, c1, c2, c3])?;
        let (words, rest) = bytes.as_chunks::<4>();
        let from = at.saturating_add(RECORD_HEAD);
        self.write(from, words.as_flattened())?;
        if rest.is_empty() {
            return Ok(());
        }
        let mut last = [0xFF; 4];
        last.iter_mut().zip(rest).for_each(|(slot, byte)| *slot = *byte);
        self.write(from.saturating_add(u32::from(length) / 4 * 4), &last)
    }

    /// The sector that records are appended to.
    fn current(&self) -> Option<Sector> {
        self.sectors().filter(|sector| sector.sequence.is_some()).max_by_key(|sector| sector.sequence)
    }

    /// Begins a sector; tells where its first record goes, and whether records that should be kept had to give way.
    fn begin_sector(&mut self, keeps: impl Fn(Place) -> bool) -> Result<(u32, bool), StoreError> {
        let next = self.current().and_then(|sector| sector.sequence).unwrap_or(0).saturating_add(1);
        let has_kept = |sector: &Sector| {
            sector.sequence.is_some() && self.records_of(sector.at).any(|place| place.counts && keeps(place))
        };
        // Those without a header first, then by age; the one that is written to now is the newest of all.
        let by_age = |sector: &Sector| sector.sequence.unwrap_or(0);
        let expendable = self.sectors().filter(|sector| !has_kept(sector)).min_by_key(by_age);
        let victim = expendable.or_else(|| self.sectors().min_by_key(by_age)).ok_or(StoreError::Layout)?;
        let displaced = expendable.is_none();
        if victim.sequence.is_some() {
            self.write(victim.at, &[0; 4])?;
        }
        let end = victim.at.saturating_add(self.sector);
        self.flash.erase(victim.at, end).map_err(|_| StoreError::Flash)?;
        let named = [MAGIC, next.to_le_bytes()];
        let [magic, sequence] = named;
        let check = CHECK.checksum(named.as_flattened()).to_le_bytes();
        self.write(victim.at, [magic, sequence, check].as_flattened())?;
        Ok((victim.at.saturating_add(SECTOR_HEAD), displaced))
    }

    fn sectors(&self) -> impl Iterator<Item = Sector> + '_ {
        let step = usize::try_from(self.sector).unwrap_or(usize::MAX);
        self.region.clone().step_by(step).map(|at| Sector { at, sequence: self.sequence(at) })
    }

    fn sequence(&self, at: u32) -> Option<u32> {
        let head: &[u8; 12] = self.flash.bytes(at..at.saturating_add(12)).first_chunk()?;
        let [m0, m1, m2, m3, s0, s1, s2, s3, check @ ..] = *head;
        let is_whole = [m0, m1, m2, m3] == MAGIC
            && CHECK.checksum(head.first_chunk::<8>()?) == u32::from_le_bytes(check);
        is_whole.then_some(u32::from_le_bytes([s0, s1, s2, s3]))
    }

    /// All records, the oldest first: of the sectors by their sequence numbers, which are distinct.
    fn records(&self) -> impl Iterator<Item = Place> + '_ {
        let mut after = 0;
        core::iter::from_fn(move || {
            let next = self
                .sectors()
                .filter(|sector| sector.sequence.is_some_and(|sequence| sequence > after))
                .min_by_key(|sector| sector.sequence)?;
            after = next.sequence?;
            Some(next.at)
        })
        .flat_map(|at| self.records_of(at))
    }

    /// The whole records of a sector.
    fn records_of(&self, sector: u32) -> impl Iterator<Item = Place> + '_ {
        let mut at = sector.saturating_add(SECTOR_HEAD);
        let end = sector.saturating_add(self.sector);
        core::iter::from_fn(move || {
            loop {
                let length = self.length(at, end)?;
                let here = at;
                at = at.saturating_add(RECORD_HEAD).saturating_add(padded(length));
                if let Some(place) = self.record(here) {
                    return Some(place);
                }
            }
        })
    }

    /// Where the next record of a sector goes, and where the sector ends; `None` where it isn't used any further.
    fn end_of(&self, sector: u32) -> Option<(u32, u32)> {
        let end = sector.saturating_add(self.sector);
        let mut at = sector.saturating_add(SECTOR_HEAD);
        while let Some(length) = self.length(at, end) {
            at = at.saturating_add(RECORD_HEAD).saturating_add(padded(length));
        }
        let is_blank = self.flash.bytes(at..end).iter().all(|&byte| byte == 0xFF);
        (at < end && is_blank).then_some((at, end))
    }

    /// The length that a record names, where it can be one.
    fn length(&self, at: u32, end: u32) -> Option<u32> {
        let head: &[u8; 4] = self.flash.bytes(at..at.checked_add(RECORD_HEAD)?).first_chunk()?;
        let [l0, l1, n0, n1] = *head;
        let length = u32::from(u16::from_le_bytes([l0, l1]));
        let behind = at.checked_add(RECORD_HEAD)?.checked_add(padded(length))?;
        ([!l0, !l1] == [n0, n1] && behind <= end).then_some(length)
    }

    /// The record at a place, where it is whole.
    fn record(&self, at: u32) -> Option<Place> {
        let head: &[u8; 12] = self.flash.bytes(at..at.checked_add(RECORD_HEAD)?).first_chunk()?;
        let [l0, l1, _, _, c0, c1, c2, c3, counts @ ..] = *head;
        let length = u16::from_le_bytes([l0, l1]);
        let place = Place { at, length: length.into(), counts: counts == COUNTS };
        let bytes = self.bytes(place);
        let is_whole = bytes.len() == usize::from(length)
            && check_of(length, bytes) == u32::from_le_bytes([c0, c1, c2, c3]);
        is_whole.then_some(place)
    }

    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), StoreError> {
        self.flash.write(at, bytes).map_err(|_| StoreError::Flash)
    }
}

fn check_of(length: u16, bytes: &[u8]) -> u32 {
    let mut digest = CHECK.digest();
    digest.update(&length.to_le_bytes());
    digest.update(bytes);
    digest.finalize()
}

const fn padded(length: u32) -> u32 {
    length.next_multiple_of(4)
}
