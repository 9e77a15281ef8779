//! Septets packed into octets (3GPP TS 23.038 §6.1.2.1).

/// How many septets `octets` hold behind `fill_bits`. The wire counts octets where TP-UDL counts septets: seven spare
/// bits at the end are a septet then, or nothing.
#[must_use]
pub const fn packed_septets(octets: usize, fill_bits: u8) -> usize {
    (octets * 8).saturating_sub(fill_bits as usize) / 7
}

/// Walks packed septets. A last septet of zeros that fits into spare bits exactly is padding, and left out.
#[derive(Clone, Debug)]
pub(super) struct Septets<'a> {
    octets: &'a [u8],
    fill_bits: usize,
    next: usize,
    count: usize,
}

impl<'a> Septets<'a> {
    pub(super) fn new(octets: &'a [u8], fill_bits: u8) -> Self {
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
