//! Septets, packed into octets (3GPP TS 23.038 §6.1.2.1) and not, and what they stand for.

use super::unit::{REPLACEMENT, UNITS, UnitWriter};
use super::{Decoded, Shifts};

/// Leads to the extension table.
pub(super) const ESCAPE: u8 = 0x1B;
const SPACE: u16 = 0x20;

/// How many septets `octets` hold behind `fill_bits`. The wire counts octets where TP-UDL counts septets: seven spare
/// bits at the end are a septet then, or nothing.
#[must_use]
pub const fn packed_septets(octets: usize, fill_bits: u8) -> usize {
    (octets * 8).saturating_sub(fill_bits as usize) / 7
}

/// Walks packed septets. A last septet of zeros that fits into spare bits exactly is padding, and left out.
#[derive(Clone, Debug)]
struct Septets<'a> {
    octets: &'a [u8],
    fill_bits: usize,
    next: usize,
    count: usize,
}

impl<'a> Septets<'a> {
    fn new(octets: &'a [u8], fill_bits: u8) -> Self {
        let mut count = packed_septets(octets.len(), fill_bits);
        let fill_bits = usize::from(fill_bits);
        let ends_with_the_octet = (octets.len() * 8).saturating_sub(fill_bits).is_multiple_of(7);
        if ends_with_the_octet && octets.last().is_some_and(|last| last >> 1 == 0) {
            count = count.saturating_sub(1);
        }
        Self { octets, fill_bits, next: 0, count }
    }
}

impl Iterator for Septets<'_> {
    type Item = u8;

    #[inline]
    fn next(&mut self) -> Option<u8> {
        if self.next == self.count {
            return None;
        }
        let septet = septet_at(self.octets, self.fill_bits + self.next * 7)?;
        self.next += 1;
        Some(septet)
    }
}

/// The seven bits from `bit` on.
fn septet_at(octets: &[u8], bit: usize) -> Option<u8> {
    let low = *octets.get(bit / 8)?;
    let high = octets.get(bit / 8 + 1).copied().unwrap_or(0);
    let [septet, _] = (u16::from_le_bytes([low, high]) >> (bit % 8) & 0x7F).to_le_bytes();
    Some(septet)
}

/// Unpacks `count` septets behind `fill_bits` into `out`, one an octet, and returns how many there were: fewer where
/// `octets` or `out` end before.
pub fn unpack(octets: &[u8], fill_bits: u8, count: usize, out: &mut [u8]) -> usize {
    let mut written = 0;
    for (septet, slot) in (0..count).zip(out) {
        match septet_at(octets, usize::from(fill_bits) + septet * 7) {
            Some(value) if usize::from(fill_bits) + septet * 7 + 7 <= octets.len() * 8 => *slot = value,
            _ => break,
        }
        written += 1;
    }
    written
}

/// Packs `septets` behind `fill_bits` zeros into `out` and returns the octets taken; `None` where they don't fit.
pub fn pack(septets: &[u8], fill_bits: u8, out: &mut [u8]) -> Option<usize> {
    let octets = (septets.len() * 7 + usize::from(fill_bits)).div_ceil(8);
    let out = out.get_mut(..octets)?;
    out.fill(0);
    for (index, &septet) in septets.iter().enumerate() {
        let bit = usize::from(fill_bits) + index * 7;
        let [low, high] = (u16::from(septet & 0x7F) << (bit % 8)).to_le_bytes();
        if let Some(slot) = out.get_mut(bit / 8) {
            *slot |= low;
        }
        if let Some(slot) = out.get_mut(bit / 8 + 1) {
            *slot |= high;
        }
    }
    Some(octets)
}

/// Septets one an octet: runs without escapes go through the table at once.
pub(super) fn gsm7(octets: &[u8], shifts: Shifts, out: &mut str) -> Decoded {
    let mut septets = SeptetWriter::new(shifts, out);
    for run in octets.chunks(UNITS) {
        septets.push_run(run);
    }
    septets.finish()
}

/// Septets packed behind `fill_bits`.
pub(super) fn gsm7_packed(octets: &[u8], fill_bits: u8, shifts: Shifts, out: &mut str) -> Decoded {
    let mut septets = SeptetWriter::new(shifts, out);
    for septet in Septets::new(octets, fill_bits) {
        septets.push(septet);
    }
    septets.finish()
}

struct SeptetWriter<'o> {
    locking: &'static [u16; 128],
    single: &'static [u16; 128],
    escaped: bool,
    lossy: bool,
    units: UnitWriter<'o>,
}

impl<'o> SeptetWriter<'o> {
    fn new(shifts: Shifts, out: &'o mut str) -> Self {
        let (locking, single) = shifts.tables();
        Self { locking, single, escaped: false, lossy: false, units: UnitWriter::new(out) }
    }

    fn push_run(&mut self, run: &[u8]) {
        let plain = run.iter().fold(true, |plain, &septet| plain & septet.is_ascii() & (septet != ESCAPE));
        if plain && !self.escaped {
            let locking = self.locking;
            self.units.push_run(run, |septet| locking[usize::from(septet & 0x7F)]);
            return;
        }
        for &septet in run {
            self.push(septet);
        }
    }

    #[inline]
    fn push(&mut self, septet: u8) {
        let Some(&unit) = self.locking.get(usize::from(septet)) else {
            self.lossy = true;
            self.escaped = false;
            return self.units.push(REPLACEMENT);
        };
        if self.escaped {
            self.escaped = false;
            // What the extension table hasn't is shown as the character of the main table; a second escape, for a
            // table that isn't defined, as a space (TS 23.038 §6.2.1.1).
            self.units.push(match self.single.get(usize::from(septet)) {
                Some(0) | None if septet == ESCAPE => SPACE,
                Some(0) | None => unit,
                Some(&extended) => extended,
            });
        } else if septet == ESCAPE {
            self.escaped = true;
        } else {
            self.units.push(unit);
        }
    }

    fn finish(self) -> Decoded {
        Decoded { lossy: self.lossy, ..self.units.finish() }
    }
}
