//! Where the parts of a list lie, once they were checked.

use super::header::Header;
use super::set::NumberSet;
use super::{CHECKSUM, HEADER_LEN, NumbersError, PALETTE_LEN, RANGE_LEN, SAMPLE_EVERY, SIGNATURE_LEN};
use crate::pack::read::u32_at;

/// Where the parts of a list lie.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    header: Header,
    /// First keys, offsets, samples, ranges, palette, checksum.
    parts: [usize; 6],
}

impl Layout {
    /// Checks every byte: takes as long as reading them does.
    ///
    /// # Errors
    /// [`NumbersError`]: the first thing that isn't right.
    pub fn new_checked(bytes: &[u8]) -> Result<Self, NumbersError> {
        let header = Header::new_checked(bytes)?;
        let layout = Self { header, parts: parts(&header, bytes.len()).ok_or(NumbersError::Length)? };
        let [index_at, .., checksum_at] = layout.parts;
        let mut digest = CHECKSUM.digest();
        digest.update(bytes.get(..Header::KEY_ID_AT).unwrap_or_default());
        digest.update(bytes.get(index_at..checksum_at).unwrap_or_default());
        if digest.finalize() != u32_at(bytes, checksum_at) {
            return Err(NumbersError::Checksum);
        }
        layout.set(bytes).check(index_at)?;
        Ok(layout)
    }

    /// The list in the bytes that were checked. In others the answers are wrong, and nothing worse.
    #[inline]
    #[must_use]
    pub fn set<'b>(&self, bytes: &'b [u8]) -> NumberSet<'b> {
        let [firsts, offsets, samples, ranges, palette, checksum] = self.parts;
        let part = |from: usize, to: usize| bytes.get(from..to).unwrap_or_default();
        NumberSet {
            blocks: bytes.get(HEADER_LEN..).unwrap_or_default(),
            firsts: part(firsts, offsets).as_chunks().0,
            offsets: part(offsets, samples).as_chunks().0,
            samples: part(samples, ranges).as_chunks().0,
            ranges: part(ranges, palette).as_chunks().0,
            palette: part(palette, checksum).as_chunks().0,
            value_bits: super::value_width(self.header.palette),
            entries: self.header.entries,
        }
    }

    /// What the list says about itself.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }
}

/// Where the parts of the index begin; `None` where they don't fill the file.
fn parts(header: &Header, len: usize) -> Option<[usize; 6]> {
    let blocks = usize::try_from(header.blocks).ok()?;
    let firsts = usize::try_from(header.index_at).ok().filter(|at| *at >= HEADER_LEN)?;
    let offsets = firsts.checked_add(blocks.checked_mul(8)?)?;
    let samples = offsets.checked_add(blocks.checked_add(1)?.checked_mul(4)?)?;
    let ranges = samples.checked_add(blocks.div_ceil(SAMPLE_EVERY).checked_mul(8)?)?;
    let palette = ranges.checked_add(usize::try_from(header.ranges).ok()?.checked_mul(RANGE_LEN)?)?;
    let checksum = palette.checked_add(usize::from(header.palette).checked_mul(PALETTE_LEN)?)?;
    let end = checksum.checked_add(4)?.checked_next_multiple_of(8)?.checked_add(SIGNATURE_LEN)?;
    (end == len).then_some([firsts, offsets, samples, ranges, palette, checksum])
}
