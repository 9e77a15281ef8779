//! A block: up to 256 keys by Elias and Fano ("Efficient storage and retrieval by content and address of static files", J. ACM 21,
//! 1974), and what each stands for.

use super::CHECKSUM;
use super::set::NumberSet;
use crate::limits::{NUMBER_HIGH_WORDS_MAX, NUMBER_LOW_BITS_MAX};
use crate::pack::read::{u32_at, u64_at};

/// Length of a block's header in bytes.
pub const BLOCK_HEADER_LEN: usize = 8;

/// A block. What it is read from may go on behind it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block<'b> {
    bytes: &'b [u8],
    keys: usize,
    low_bits: u32,
    words: usize,
    value_bits: u32,
}

impl<'b> Block<'b> {
    /// The block at the beginning of `bytes`; `None` where its header isn't valid.
    #[inline]
    pub(super) fn parse(bytes: &'b [u8], value_bits: u32) -> Option<Self> {
        let [_, _, _, _, keys, low_bits, w0, w1] = *bytes.first_chunk::<BLOCK_HEADER_LEN>()?;
        let words = usize::from(u16::from_le_bytes([w0, w1]));
        let low_bits = u32::from(low_bits);
        let valid = (1..=NUMBER_HIGH_WORDS_MAX).contains(&words) && low_bits <= NUMBER_LOW_BITS_MAX;
        valid.then_some(Self { bytes, keys: usize::from(keys) + 1, low_bits, words, value_bits })
    }

    /// Its length in bytes.
    pub(super) fn len(&self) -> usize {
        (self.values_at() + (self.keys * self.value_bits as usize).div_ceil(8)).next_multiple_of(8)
    }

    /// How many keys it has.
    pub(super) const fn keys(&self) -> u64 {
        self.keys as u64
    }

    /// Whether its checksum is right.
    pub(super) fn is_whole(&self) -> bool {
        let checked = self.bytes.get(4..self.len());
        checked.is_some_and(|checked| CHECKSUM.checksum(checked) == u32_at(self.bytes, 0))
    }

    /// What the key stands for that lies `difference` behind the block's first.
    #[inline]
    pub(super) fn find(&self, difference: u64) -> Option<u64> {
        let high = usize::try_from(difference >> self.low_bits).ok()?;
        let wanted = difference & mask(self.low_bits);
        // Bits of keys with this high part stand behind as many zeros.
        let start = if high == 0 { 0 } else { self.zero(high - 1)? + 1 };
        let mut from = start - high;
        let mut to = (from + self.ones_from(start)).min(self.keys);
        while from < to {
            let middle = from + (to - from) / 2;
            let low = self.low(middle);
            if low == wanted {
                return Some(self.value(middle));
            }
            if low < wanted {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        None
    }

    /// The differences with what they stand for, in their order.
    fn nth(&self, nth: usize, bit: usize) -> (u64, u64) {
        let high = (bit - nth) as u64;
        (high << self.low_bits | self.low(nth), self.value(nth))
    }

    /// The first one among the high bits, from `bit` on.
    fn one_from(&self, bit: usize) -> Option<usize> {
        let mut at = bit / 64;
        let mut word = self.word(at)? & (u64::MAX << (bit % 64));
        while word == 0 {
            at += 1;
            word = self.word(at)?;
        }
        Some(at * 64 + word.trailing_zeros() as usize)
    }

    /// Where the high bits have their zero number `nth`, counted from 0.
    #[inline]
    fn zero(&self, mut nth: usize) -> Option<usize> {
        let mut at = 0;
        loop {
            let word = self.word(at)?;
            let zeros = word.count_zeros() as usize;
            if nth < zeros {
                return Some(at * 64 + select(!word, nth));
            }
            nth -= zeros;
            at += 1;
        }
    }

    /// How many ones follow one another from `bit` on.
    #[inline]
    fn ones_from(&self, bit: usize) -> usize {
        let mut at = bit;
        while let Some(word) = self.word(at / 64) {
            let left = 64 - at % 64;
            let ones = (!(word >> (at % 64))).trailing_zeros() as usize;
            at += ones.min(left);
            if ones < left {
                break;
            }
        }
        at - bit
    }

    #[inline]
    fn word(&self, at: usize) -> Option<u64> {
        (at < self.words).then(|| u64_at(self.bytes, BLOCK_HEADER_LEN + 8 * at))
    }

    #[inline]
    fn low(&self, nth: usize) -> u64 {
        packed(self.bytes, self.lows_at(), nth, self.low_bits)
    }

    #[inline]
    fn value(&self, nth: usize) -> u64 {
        packed(self.bytes, self.values_at(), nth, self.value_bits)
    }

    const fn lows_at(&self) -> usize {
        BLOCK_HEADER_LEN + 8 * self.words
    }

    const fn values_at(&self) -> usize {
        self.lows_at() + (self.keys * self.low_bits as usize).div_ceil(8)
    }
}

const fn mask(bits: u32) -> u64 {
    (1 << bits) - 1
}

/// Number `nth` of those that stand from byte `at` on in `bits` bits each, 56 at most.
#[inline]
fn packed(bytes: &[u8], at: usize, nth: usize, bits: u32) -> u64 {
    let bit = nth * bits as usize;
    (u64_at(bytes, at + bit / 8) >> (bit % 8)) & mask(bits)
}

/// Where `word` has its one number `nth`, counted from 0; it has more.
#[inline]
fn select(mut word: u64, mut nth: usize) -> usize {
    let mut at = 0;
    let mut width = 32;
    while width > 0 {
        let ones = (word & mask(width)).count_ones() as usize;
        if nth >= ones {
            nth -= ones;
            word >>= width;
            at += width as usize;
        }
        width /= 2;
    }
    at
}

/// The keys of a list in their order, each with its place in the palette.
#[derive(Clone, Debug)]
pub struct Entries<'b> {
    set: NumberSet<'b>,
    block: u32,
    open: Option<(Block<'b>, u64)>,
    nth: usize,
    bit: usize,
}

impl<'b> Entries<'b> {
    /// From a block on.
    pub(super) const fn new(set: NumberSet<'b>, block: u32) -> Self {
        Self { set, block, open: None, nth: 0, bit: 0 }
    }
}

impl Iterator for Entries<'_> {
    type Item = (u64, u16);

    fn next(&mut self) -> Option<(u64, u16)> {
        loop {
            let (block, first) = match self.open {
                Some(open) => open,
                None => {
                    let open = (self.set.block(self.block)?, self.set.first_key(self.block)?);
                    (self.nth, self.bit) = (0, 0);
                    *self.open.insert(open)
                }
            };
            let bit = block.one_from(self.bit).filter(|bit| self.nth < block.keys && *bit >= self.nth);
            let Some(bit) = bit else {
                self.open = None;
                self.block = self.block.checked_add(1)?;
                continue;
            };
            let (difference, value) = block.nth(self.nth, bit);
            self.nth += 1;
            self.bit = bit + 1;
            return Some((first.wrapping_add(difference), u16::try_from(value).unwrap_or(u16::MAX)));
        }
    }
}

impl Block<'_> {
    /// Whether there are as many ones as keys, the keys rise from difference 0 to below `end`, and all have a place in the palette.
    pub(super) fn is_in_order(&self, end: u64, palette: u16) -> bool {
        let ones: u32 = (0..self.words).filter_map(|at| self.word(at)).map(u64::count_ones).sum();
        if ones as usize != self.keys {
            return false;
        }
        let (mut bit, mut before) = (0, None);
        for nth in 0..self.keys {
            let Some(at) = self.one_from(bit) else { return false };
            // A high part that doesn't fit beside its low bits would come out as another.
            let high = (at - nth) as u64;
            if high.leading_zeros() < self.low_bits {
                return false;
            }
            let (difference, value) = self.nth(nth, at);
            let rises = before.map_or(difference == 0, |before| before < difference);
            if !rises || difference >= end || value >= u64::from(palette) {
                return false;
            }
            before = Some(difference);
            bit = at + 1;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ones_are_selected() {
        let word = 0x8000_0000_0001_0005u64;
        assert_eq!([0, 1, 2, 3].map(|nth| select(word, nth)), [0, 2, 16, 63]);
        assert_eq!(select(u64::MAX, 63), 63);
    }
}
