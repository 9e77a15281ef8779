//! UTF-16 units → UTF-8, in runs.

use encoding_rs::mem::convert_utf16_to_str_partial;

use super::Decoded;

/// U+FFFD.
pub(super) const REPLACEMENT: u16 = 0xFFFD;

/// Gathers UTF-16 units and converts them in runs.
pub(super) struct UnitWriter<'o> {
    units: [u16; UNITS],
    count: usize,
    out: &'o mut str,
    decoded: Decoded,
}

pub(super) const UNITS: usize = 128;

impl<'o> UnitWriter<'o> {
    pub(super) fn new(out: &'o mut str) -> Self {
        Self { units: [0; UNITS], count: 0, out, decoded: Decoded::default() }
    }

    #[inline]
    pub(super) fn push(&mut self, unit: u16) {
        if self.count == UNITS {
            self.convert();
        }
        if let Some(slot) = self.units.get_mut(self.count) {
            *slot = unit;
            self.count += 1;
        }
    }

    /// Converts what is gathered, then up to [`UNITS`] octets at once.
    #[inline]
    pub(super) fn push_run(&mut self, run: &[u8], unit: impl Fn(u8) -> u16) {
        self.convert();
        for (slot, &octet) in self.units.iter_mut().zip(run) {
            *slot = unit(octet);
        }
        self.count = run.len().min(UNITS);
    }

    fn convert(&mut self) {
        let units = self.units.get(..self.count).unwrap_or_default();
        self.count = 0;
        let room = self.out.get_mut(self.decoded.written..).unwrap_or_default();
        let (read, written) = convert_utf16_to_str_partial(units, room);
        self.decoded.written += written;
        self.decoded.full |= read < units.len();
    }

    pub(super) fn finish(mut self) -> Decoded {
        self.convert();
        self.decoded
    }
}

/// UCS-2 of the order that a byte order mark or the text itself shows.
pub(super) fn ucs2(octets: &[u8], out: &mut str) -> Decoded {
    match octets {
        [0xFE, 0xFF, text @ ..] => utf16(text, u16::from_be_bytes, out),
        [0xFF, 0xFE, text @ ..] => Decoded { little_endian: true, ..utf16(text, u16::from_le_bytes, out) },
        text if looks_little_endian(text) => {
            Decoded { little_endian: true, ..utf16(text, u16::from_le_bytes, out) }
        }
        text => utf16(text, u16::from_be_bytes, out),
    }
}

/// Every unit reads as common text when its octets are swapped, and fewer than half do as they are. Decided by the first
/// unit in the usual case.
fn looks_little_endian(octets: &[u8]) -> bool {
    let (units, _) = octets.as_chunks::<2>();
    if units.first().is_none_or(|&[high, low]| is_common(high, low)) {
        return false;
    }
    let as_is = units.iter().filter(|&&[high, low]| is_common(high, low)).count();
    units.iter().all(|&[high, low]| is_common(low, high)) && as_is * 2 < units.len()
}

/// ASCII, CJK punctuation, Han, full width.
const fn is_common(high: u8, low: u8) -> bool {
    match high {
        0x00 => matches!(low, b'\n' | b'\r' | 0x20..=0x7E),
        0x30 => low < 0x20,
        0x4E..=0x9F | 0xFF => true,
        _ => false,
    }
}

/// UTF-16 of either order; unpaired surrogates and an odd octet at the end become U+FFFD.
#[inline]
pub(super) fn utf16(octets: &[u8], unit: fn([u8; 2]) -> u16, out: &mut str) -> Decoded {
    let (pairs, odd) = octets.as_chunks::<2>();
    let mut decoded = Decoded::default();
    let mut rest = pairs;
    while !rest.is_empty() {
        let mut units = [0; UNITS];
        for (slot, &pair) in units.iter_mut().zip(rest) {
            *slot = unit(pair);
        }
        let mut count = rest.len().min(UNITS);
        let has_more = rest.len() > count;
        if has_more && units.last().copied().is_some_and(is_high_surrogate) {
            count -= 1;
        }
        let chunk = units.get(..count).unwrap_or_default();
        decoded.lossy |= has_unpaired(chunk);
        let room = out.get_mut(decoded.written..).unwrap_or_default();
        let (read, written) = convert_utf16_to_str_partial(chunk, room);
        decoded.written += written;
        if read < count {
            return Decoded { full: true, ..decoded };
        }
        rest = rest.get(count..).unwrap_or_default();
    }
    if odd.is_empty() {
        return decoded;
    }
    let room = out.get_mut(decoded.written..).unwrap_or_default();
    let (read, written) = convert_utf16_to_str_partial(&[REPLACEMENT], room);
    Decoded { written: decoded.written + written, full: read == 0, lossy: true, ..decoded }
}

fn has_unpaired(units: &[u16]) -> bool {
    units.iter().fold(false, |found, &unit| found | (unit & 0xF800 == 0xD800))
        && char::decode_utf16(units.iter().copied()).any(|character| character.is_err())
}

pub(super) const fn is_high_surrogate(unit: u16) -> bool {
    unit & 0xFC00 == 0xD800
}
