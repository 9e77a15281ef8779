//! A list, looked at through its layout.

use super::block::{Block, Entries};
use super::key::Key;
use super::{HEADER_LEN, Listed, NumbersError, PALETTE_LEN, RANGE_LEN, RANGE_OF_PREFIX, SAMPLE_EVERY};

/// A list: total accessors over bytes that [`super::Layout`] has checked.
#[derive(Clone, Copy, Debug)]
pub struct NumberSet<'b> {
    pub(super) blocks: &'b [u8],
    pub(super) firsts: &'b [[u8; 8]],
    pub(super) offsets: &'b [[u8; 4]],
    pub(super) samples: &'b [[u8; 8]],
    pub(super) ranges: &'b [[u8; RANGE_LEN]],
    pub(super) palette: &'b [[u8; PALETTE_LEN]],
    pub(super) value_bits: u32,
    pub(super) entries: u64,
}

/// A range of keys with what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first key.
    pub first: u64,
    /// The last one, itself in it.
    pub last: u64,
    /// Its place in the palette.
    pub value: u16,
    /// Longer numbers that begin so belong to it.
    pub longer: bool,
}

impl Range {
    /// From a record; `None` where it isn't valid.
    #[must_use]
    pub fn from_wire(record: &[u8; RANGE_LEN]) -> Option<Self> {
        let (first, rest) = record.split_first_chunk::<8>()?;
        let (last, rest) = rest.split_first_chunk::<8>()?;
        let [v0, v1, flags, 0, 0, 0, 0, 0] = *rest else { return None };
        let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
        let longer = match flags {
            0 => false,
            RANGE_OF_PREFIX => true,
            _ => return None,
        };
        (first <= last).then_some(Self { first, last, value: u16::from_le_bytes([v0, v1]), longer })
    }

    /// To a record.
    #[must_use]
    pub fn to_wire(self) -> [u8; RANGE_LEN] {
        let flags = if self.longer { RANGE_OF_PREFIX } else { 0 };
        let pieces: [&[u8]; 4] =
            [&self.first.to_le_bytes(), &self.last.to_le_bytes(), &self.value.to_le_bytes(), &[flags]];
        let mut record = [0; RANGE_LEN];
        for (slot, byte) in record.iter_mut().zip(pieces.into_iter().flatten()) {
            *slot = *byte;
        }
        record
    }
}

impl<'b> NumberSet<'b> {
    /// What the list says of a number in canonical form ([`crate::number`]); `None` where it isn't in it.
    #[inline]
    #[must_use]
    pub fn lookup(&self, canonical: &str) -> Option<Listed> {
        let key = Key::of(canonical)?;
        self.listed(self.value_of(key)?)
    }

    /// A key's place in the palette.
    #[inline]
    #[must_use]
    pub fn value_of(&self, key: Key) -> Option<u16> {
        let single = if key.cut { None } else { self.single(key.value) };
        single.or_else(|| self.in_range(key))
    }

    /// What a place in the palette stands for.
    #[inline]
    #[must_use]
    pub fn listed(&self, value: u16) -> Option<Listed> {
        Listed::from_wire(*self.palette.get(usize::from(value))?)
    }

    /// How many single numbers it has.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.entries
    }

    /// Whether it has no single number and no range.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries == 0 && self.ranges.is_empty()
    }

    /// The single numbers' keys in their order, each with its place in the palette.
    #[must_use]
    pub const fn entries(&self) -> Entries<'b> {
        Entries::new(*self, 0)
    }

    /// The ranges in their order.
    pub fn ranges(&self) -> impl Iterator<Item = Range> + use<'b> {
        self.ranges.iter().filter_map(Range::from_wire)
    }

    /// The palette.
    pub fn palette(&self) -> impl Iterator<Item = Listed> + use<'b> {
        self.palette.iter().filter_map(|record| Listed::from_wire(*record))
    }

    #[inline]
    fn single(&self, key: u64) -> Option<u16> {
        let sample =
            self.samples.partition_point(|first| u64::from_le_bytes(*first) <= key).checked_sub(1)?;
        let from = sample * SAMPLE_EVERY;
        let group = self.firsts.get(from..(from + SAMPLE_EVERY).min(self.firsts.len()))?;
        let nth = group.partition_point(|first| u64::from_le_bytes(*first) <= key).checked_sub(1)?;
        let first = u64::from_le_bytes(*group.get(nth)?);
        let block = self.block(u32::try_from(from + nth).ok()?)?;
        block.find(key.checked_sub(first)?).and_then(|value| u16::try_from(value).ok())
    }

    #[inline]
    fn in_range(&self, key: Key) -> Option<u16> {
        let first =
            |record: &[u8; RANGE_LEN]| record.first_chunk().map_or(0, |first| u64::from_le_bytes(*first));
        let at = self.ranges.partition_point(|record| first(record) <= key.value).checked_sub(1)?;
        let range = Range::from_wire(self.ranges.get(at)?)?;
        (key.value <= range.last && (range.longer || !key.cut)).then_some(range.value)
    }

    #[inline]
    pub(super) fn block(&self, index: u32) -> Option<Block<'b>> {
        let offset = u32::from_le_bytes(*self.offsets.get(usize::try_from(index).ok()?)?);
        let at = usize::try_from(offset).ok()?.checked_mul(8)?;
        if index as usize >= self.firsts.len() {
            return None;
        }
        Block::parse(self.blocks.get(at..)?, self.value_bits)
    }

    pub(super) fn first_key(&self, index: u32) -> Option<u64> {
        self.firsts.get(usize::try_from(index).ok()?).map(|first| u64::from_le_bytes(*first))
    }

    /// Checks everything but the checksum of the index.
    pub(super) fn check(&self, index_at: usize) -> Result<(), NumbersError> {
        let palette = u16::try_from(self.palette.len()).map_err(|_| NumbersError::Header)?;
        let wrong = (0..palette).find(|&value| self.listed(value).is_none());
        wrong.map_or(Ok(()), |value| Err(NumbersError::Palette(value)))?;
        let mut next = 0;
        for (record, index) in self.ranges.iter().zip(0..) {
            let range = Range::from_wire(record).filter(|range| range.first >= next && range.value < palette);
            next = range.and_then(|range| range.last.checked_add(1)).ok_or(NumbersError::Range(index))?;
        }
        let blocks = u32::try_from(self.firsts.len()).map_err(|_| NumbersError::Header)?;
        let (mut at, mut entries) = (0, 0u64);
        for index in 0..blocks {
            let (keys, len) = self.check_block(index, at, palette)?;
            at += len;
            entries += keys;
        }
        let end = self.offsets.last().map(|offset| u32::from_le_bytes(*offset));
        if end.map(u64::from) != Some(at / 8) || usize::try_from(at) != Ok(index_at - HEADER_LEN) {
            return Err(NumbersError::Index(blocks));
        }
        if entries == self.entries { Ok(()) } else { Err(NumbersError::Header) }
    }

    /// Checks the block that must begin `at` bytes behind the header; gives its keys and its length in bytes.
    fn check_block(&self, index: u32, at: u64, palette: u16) -> Result<(u64, u64), NumbersError> {
        let place = usize::try_from(index).map_err(|_| NumbersError::Header)?;
        let offset = self.offsets.get(place).map(|offset| u64::from(u32::from_le_bytes(*offset)) * 8);
        let first = self.first_key(index).ok_or(NumbersError::Index(index))?;
        let next = self.firsts.get(place + 1).map_or(u64::MAX, |next| u64::from_le_bytes(*next));
        let sampled = !place.is_multiple_of(SAMPLE_EVERY)
            || self
                .samples
                .get(place / SAMPLE_EVERY)
                .is_some_and(|sample| u64::from_le_bytes(*sample) == first);
        if offset != Some(at) || next <= first || !sampled {
            return Err(NumbersError::Index(index));
        }
        let block =
            self.block(index).filter(|block| block.is_whole() && block.is_in_order(next - first, palette));
        let block = block.ok_or(NumbersError::Block(index))?;
        Ok((block.keys(), block.len() as u64))
    }
}
