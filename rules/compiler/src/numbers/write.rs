//! Keys in order → the file, block by block.

use std::io::{self, Seek, SeekFrom, Write};

use yumen_rules::limits::{NUMBER_BLOCK_MAX, NUMBER_LOW_BITS_MAX, NUMBER_RANGES_MAX};
use yumen_rules::numbers::{
    BLOCK_HEADER_LEN, CHECKSUM, HEADER_LEN, Header, Listed, Range, SAMPLE_EVERY, SIGNATURE_LEN, value_width,
};

/// Why a list can't be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The file.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Keys that don't rise.
    #[error("keys don't rise")]
    Order,
    /// A place that the palette doesn't have.
    #[error("a value isn't in the palette")]
    Value,
    /// More blocks, ranges or bytes than the format counts.
    #[error("too much for one list")]
    TooLarge,
}

/// Writes a list; what it keeps in memory is the index, a tenth of a byte for a number.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    palette: Vec<Listed>,
    keys: Vec<u64>,
    values: Vec<u16>,
    block: Vec<u8>,
    firsts: Vec<u64>,
    offsets: Vec<u32>,
    at: u64,
    entries: u64,
}

/// What another block costs, in bits: its header, its part of the index, and zeros at its end.
const BLOCK_COST_BITS: usize = 24 * 8;

impl<W: Write + Seek> Writer<W> {
    /// Begins a list whose numbers stand for what `palette` has.
    ///
    /// # Errors
    /// [`WriteError::Io`], and [`WriteError::TooLarge`] for a palette that is.
    pub fn new(mut out: W, palette: Vec<Listed>) -> Result<Self, WriteError> {
        let most = usize::from(yumen_rules::limits::NUMBER_PALETTE_MAX);
        if palette.is_empty() || palette.len() > most {
            return Err(WriteError::TooLarge);
        }
        out.write_all(&[0; HEADER_LEN])?;
        Ok(Self {
            out,
            palette,
            keys: Vec::with_capacity(NUMBER_BLOCK_MAX),
            values: Vec::with_capacity(NUMBER_BLOCK_MAX),
            block: Vec::new(),
            firsts: Vec::new(),
            offsets: Vec::new(),
            at: 0,
            entries: 0,
        })
    }

    /// Adds a key, higher than those before, that stands for place `value` of the palette.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn push(&mut self, key: u64, value: u16) -> Result<(), WriteError> {
        if usize::from(value) >= self.palette.len() {
            return Err(WriteError::Value);
        }
        if let (Some(&first), Some(&last)) = (self.keys.first(), self.keys.last()) {
            if key <= last {
                return Err(WriteError::Order);
            }
            if self.keys.len() == NUMBER_BLOCK_MAX || is_cut_before(key, first, last, self.keys.len()) {
                self.flush()?;
            }
        } else if key == u64::MAX {
            return Err(WriteError::Order);
        }
        self.keys.push(key);
        self.values.push(value);
        self.entries += 1;
        Ok(())
    }

    /// Writes the rest: `header` says what isn't known from the numbers. The list isn't signed yet, and has room for it.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn finish(mut self, header: &Header, ranges: &[Range]) -> Result<W, WriteError> {
        self.flush()?;
        let count = |len: usize| u32::try_from(len).map_err(|_| WriteError::TooLarge);
        if count(ranges.len())? > NUMBER_RANGES_MAX {
            return Err(WriteError::TooLarge);
        }
        self.offsets.push(u32::try_from(self.at / 8).map_err(|_| WriteError::TooLarge)?);
        let index_at = HEADER_LEN as u64 + self.at;
        let index = self.index(ranges);
        let unsigned = index_at + index.len() as u64 + 4;
        let mut header = *header;
        header.palette = u16::try_from(self.palette.len()).map_err(|_| WriteError::TooLarge)?;
        (header.entries, header.index_at) = (self.entries, index_at);
        header.total_len = unsigned.next_multiple_of(8) + SIGNATURE_LEN as u64;
        (header.blocks, header.ranges) = (count(self.firsts.len())?, count(ranges.len())?);
        let header = header.emit();
        let mut digest = CHECKSUM.digest();
        digest.update(header.get(..Header::KEY_ID_AT).unwrap_or_default());
        digest.update(&index);
        self.out.write_all(&index)?;
        self.out.write_all(&digest.finalize().to_le_bytes())?;
        let padding = usize::try_from(unsigned.next_multiple_of(8) - unsigned).unwrap_or(0);
        self.out.write_all(&vec![0; padding + SIGNATURE_LEN])?;
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&header)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn index(&self, ranges: &[Range]) -> Vec<u8> {
        let mut index = Vec::with_capacity(self.firsts.len() * 13 + ranges.len() * 24);
        self.firsts.iter().for_each(|first| index.extend_from_slice(&first.to_le_bytes()));
        self.offsets.iter().for_each(|offset| index.extend_from_slice(&offset.to_le_bytes()));
        let samples = self.firsts.iter().step_by(SAMPLE_EVERY);
        samples.for_each(|first| index.extend_from_slice(&first.to_le_bytes()));
        ranges.iter().for_each(|range| index.extend_from_slice(&range.to_wire()));
        self.palette.iter().for_each(|listed| index.extend_from_slice(&listed.to_wire()));
        index
    }

    fn flush(&mut self) -> Result<(), WriteError> {
        let Some(&first) = self.keys.first() else { return Ok(()) };
        let palette = u16::try_from(self.palette.len()).map_err(|_| WriteError::TooLarge)?;
        encode(&self.keys, &self.values, value_width(palette), &mut self.block)?;
        self.firsts.push(first);
        self.offsets.push(u32::try_from(self.at / 8).map_err(|_| WriteError::TooLarge)?);
        self.out.write_all(&self.block)?;
        self.at += self.block.len() as u64;
        self.keys.clear();
        self.values.clear();
        Ok(())
    }
}

/// Whether a key behind a gap is better off in the next block: in this one it would make the low bits of all keys longer by more than a
/// block costs.
fn is_cut_before(key: u64, first: u64, last: u64, keys: usize) -> bool {
    let before = low_bits(last - first, keys);
    let with = low_bits(key - first, keys + 1);
    let longer = with.saturating_sub(before) as usize;
    with > NUMBER_LOW_BITS_MAX || longer * keys > BLOCK_COST_BITS
}

/// The low bits of keys that lie within `span`: as many as leave the high part one step a key or two.
fn low_bits(span: u64, keys: usize) -> u32 {
    (span / keys.max(1) as u64).checked_ilog2().unwrap_or(0)
}

fn encode(keys: &[u64], values: &[u16], value_bits: u32, out: &mut Vec<u8>) -> Result<(), WriteError> {
    let (Some(&first), Some(&last)) = (keys.first(), keys.last()) else { return Err(WriteError::Order) };
    let low = low_bits(last - first, keys.len());
    let bits = usize::try_from((last - first) >> low).map_err(|_| WriteError::TooLarge)? + keys.len();
    let mut high = vec![0u64; bits.div_ceil(64)];
    let mut lows = Bits::default();
    for (nth, &key) in keys.iter().enumerate() {
        let difference = key - first;
        let bit = usize::try_from(difference >> low).map_err(|_| WriteError::TooLarge)? + nth;
        *high.get_mut(bit / 64).ok_or(WriteError::TooLarge)? |= 1 << (bit % 64);
        lows.push(difference & ((1 << low) - 1), low);
    }
    let mut packed = Bits::default();
    values.iter().for_each(|&value| packed.push(value.into(), value_bits));
    out.clear();
    out.extend_from_slice(&[0; 4]);
    out.push(u8::try_from(keys.len() - 1).map_err(|_| WriteError::TooLarge)?);
    out.push(u8::try_from(low).map_err(|_| WriteError::TooLarge)?);
    out.extend_from_slice(&u16::try_from(high.len()).map_err(|_| WriteError::TooLarge)?.to_le_bytes());
    debug_assert_eq!(out.len(), BLOCK_HEADER_LEN);
    high.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
    out.extend_from_slice(&lows.finish());
    out.extend_from_slice(&packed.finish());
    out.resize(out.len().next_multiple_of(8), 0);
    let checksum = CHECKSUM.checksum(out.get(4..).unwrap_or_default()).to_le_bytes();
    if let Some(place) = out.first_chunk_mut() {
        *place = checksum;
    }
    Ok(())
}

/// Numbers of few bits, packed, the lowest first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    word: u128,
    held: u32,
}

impl Bits {
    fn push(&mut self, value: u64, bits: u32) {
        self.word |= u128::from(value) << self.held;
        self.held += bits;
        while self.held >= 8 {
            let [byte, ..] = self.word.to_le_bytes();
            self.bytes.push(byte);
            self.word >>= 8;
            self.held -= 8;
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.held > 0 {
            let [byte, ..] = self.word.to_le_bytes();
            self.bytes.push(byte);
        }
        self.bytes
    }
}
