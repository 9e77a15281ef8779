//! NOR flash as it fails: programming only clears bits, a power cut tears the word that is programmed and leaves the sector
//! that is erased half old, half ones, half nonsense.

use core::ops::Range;
use yumen_storage::Flash;
use yumen_storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase,
    check_read, check_write,
};

/// Bytes of a sector.
pub(crate) const SECTOR: usize = 1024;
/// Bytes of a word.
pub(crate) const WORD: usize = 4;

/// Why an access failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The power is off.
    PowerCut,
    /// The program did what flash can't.
    Misuse(NorFlashErrorKind),
}

impl NorFlashError for Fault {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::PowerCut => NorFlashErrorKind::Other,
            Self::Misuse(kind) => *kind,
        }
    }
}

/// The flash. What it holds outlives power cuts.
#[derive(Clone, Debug)]
pub(crate) struct Nor {
    bytes: Vec<u8>,
    /// Words and sectors until the power is cut; `None` for never.
    until_cut: Option<u32>,
    is_off: bool,
    random: u64,
}

impl Nor {
    /// Erased.
    pub(crate) fn new(sectors: usize, seed: u64) -> Self {
        Self { bytes: vec![0xFF; sectors * SECTOR], until_cut: None, is_off: false, random: seed | 1 }
    }

    /// Cuts the power while the `after`th word or sector from now on is written or erased.
    pub(crate) fn cut_after(&mut self, after: u32) {
        self.until_cut = Some(after);
    }

    /// The power is back. Tells whether it was off.
    pub(crate) fn restore(&mut self) -> bool {
        self.until_cut = None;
        std::mem::take(&mut self.is_off)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        // xorshift64*: a seed gives the same run everywhere.
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) % end.max(1)
    }

    /// Whether this step is the one in which the power is cut.
    fn is_cut(&mut self) -> bool {
        match &mut self.until_cut {
            Some(0) => {
                self.is_off = true;
                true
            }
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        }
    }

    fn byte(&mut self) -> u8 {
        self.below(256) as u8
    }

    fn tear_word(&mut self, at: usize, word: &[u8]) {
        for (offset, wanted) in word.iter().enumerate() {
            let old = self.bytes[at + offset];
            // Any of the bits that were to be cleared may be.
            self.bytes[at + offset] = (old & wanted) | (old & self.byte());
        }
    }

    fn tear_sector(&mut self, at: usize) {
        let way = self.below(4);
        let border = self.below(SECTOR as u64 + 1) as usize;
        for offset in 0..SECTOR {
            let old = self.bytes[at + offset];
            self.bytes[at + offset] = match way {
                0 if offset < border => 0xFF,
                1 if offset >= border => 0xFF,
                // Bits come up in no order.
                2 => old | self.byte(),
                // Nonsense: charge that is neither.
                3 => self.byte(),
                _ => old,
            };
        }
    }
}

impl ErrorType for Nor {
    type Error = Fault;
}

impl ReadNorFlash for Nor {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Fault> {
        if self.is_off {
            return Err(Fault::PowerCut);
        }
        check_read(self, offset, bytes.len()).map_err(Fault::Misuse)?;
        let at = offset as usize;
        bytes.copy_from_slice(&self.bytes[at..at + bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl NorFlash for Nor {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Fault> {
        if self.is_off {
            return Err(Fault::PowerCut);
        }
        check_erase(self, from, to).map_err(Fault::Misuse)?;
        for at in (from as usize..to as usize).step_by(SECTOR) {
            if self.is_cut() {
                self.tear_sector(at);
                return Err(Fault::PowerCut);
            }
            self.bytes[at..at + SECTOR].fill(0xFF);
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Fault> {
        if self.is_off {
            return Err(Fault::PowerCut);
        }
        check_write(self, offset, bytes.len()).map_err(Fault::Misuse)?;
        for (number, word) in bytes.chunks(WORD).enumerate() {
            let at = offset as usize + number * WORD;
            if self.is_cut() {
                self.tear_word(at, word);
                return Err(Fault::PowerCut);
            }
            for (slot, byte) in self.bytes[at..].iter_mut().zip(word) {
                *slot &= byte;
            }
        }
        Ok(())
    }
}

impl MultiwriteNorFlash for Nor {}

impl Flash for Nor {
    fn bytes(&self, range: Range<u32>) -> &[u8] {
        self.bytes.get(range.start as usize..range.end as usize).unwrap_or_default()
    }
}
