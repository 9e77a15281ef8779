//! Octets → UTF-8.

use encoding_rs::mem::{convert_latin1_to_str_partial, convert_utf16_to_str_partial};
use encoding_rs::{
    CoderResult, EUC_KR, Encoding, GB18030, ISO_2022_JP, ISO_8859_5, ISO_8859_8, SHIFT_JIS, UTF_8,
};

use super::septet::Septets;
use super::{Coding, Shifts};
use crate::udh::Parts;

/// What decoding gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// Octets of UTF-8 written to the start of the output: `&out[..written]` is the text.
    pub written: usize,
    /// The output was too small, the text is cut at a character. An output of
    /// [`TEXT_GROWTH_MAX`](crate::limits::TEXT_GROWTH_MAX) times the input and 4 octets is never too small.
    pub full: bool,
    /// Something wasn't text in this coding and became U+FFFD.
    pub lossy: bool,
    /// UCS-2 was read little-endian, by its byte order mark or by its looks. A receiver that doesn't do so sees
    /// another text: decode it as [`Coding::Ucs2BigEndian`] too, where that matters.
    pub little_endian: bool,
}

/// Decodes a whole text into `out`. An incomplete character at the end becomes U+FFFD.
pub fn decode(coding: Coding, octets: &[u8], out: &mut str) -> Decoded {
    run(coding, Shifts::default(), 0, octets, out)
}

/// Decodes one segment behind its user data header: national language shifts apply, and packed septets start after the
/// fill bits. A header with ports is none of people's business and decodes like any other.
pub fn decode_segment(coding: Coding, parts: &Parts<'_>, out: &mut str) -> Decoded {
    run(coding, Shifts::of(&parts.udh), parts.fill_bits(), parts.text, out)
}

/// Decodes segments of one message one after the other, where a character may be split at their border.
#[derive(Clone, Copy, Debug)]
pub struct Decoder {
    coding: Coding,
    carry: [u8; CARRY_BYTES_MAX],
    carried: u8,
}

/// Longest incomplete character: three octets of a GB 18030 or UTF-16 character of four.
const CARRY_BYTES_MAX: usize = 3;

impl Decoder {
    /// Nothing decoded yet.
    #[must_use]
    pub const fn new(coding: Coding) -> Self {
        Self { coding, carry: [0; CARRY_BYTES_MAX], carried: 0 }
    }

    /// Decodes the next segment into `out`, and keeps an incomplete character at its end for the one after.
    pub fn feed(&mut self, parts: &Parts<'_>, out: &mut str) -> Decoded {
        let shifts = Shifts::of(&parts.udh);
        let mut text = parts.text;
        let mut decoded = Decoded::default();
        if self.carried > 0 {
            let mut joint = [0; 8];
            let carried = usize::from(self.carried);
            let taken = text.len().min(joint.len() - carried);
            copy(&mut joint, 0, self.carried_octets());
            copy(&mut joint, carried, text.get(..taken).unwrap_or_default());
            let joint = joint.get(..carried + taken).unwrap_or_default();
            let complete = complete_prefix(self.coding, joint);
            if complete < carried {
                self.keep(joint.get(complete..).unwrap_or_default());
                return decoded;
            }
            decoded = run(self.coding, shifts, 0, joint.get(..complete).unwrap_or_default(), out);
            text = text.get(complete - carried..).unwrap_or_default();
        }
        let (complete, rest) =
            text.split_at_checked(complete_prefix(self.coding, text)).unwrap_or((text, &[]));
        self.keep(rest);
        let Some(room) = out.get_mut(decoded.written..) else { return decoded };
        decoded.and(run(self.coding, shifts, parts.fill_bits(), complete, room))
    }

    /// Ends the text, or passes over a segment that hasn't come: an incomplete character becomes U+FFFD.
    pub fn flush(&mut self, out: &mut str) -> Decoded {
        let decoded = run(self.coding, Shifts::default(), 0, self.carried_octets(), out);
        self.carried = 0;
        decoded
    }

    fn carried_octets(&self) -> &[u8] {
        self.carry.get(..usize::from(self.carried)).unwrap_or_default()
    }

    fn keep(&mut self, rest: &[u8]) {
        self.carried = 0;
        for (slot, &octet) in self.carry.iter_mut().zip(rest) {
            *slot = octet;
            self.carried += 1;
        }
    }
}

impl Decoded {
    /// What two decodings give that follow each other in one output.
    const fn and(self, next: Self) -> Self {
        Self {
            written: self.written + next.written,
            full: self.full || next.full,
            lossy: self.lossy || next.lossy,
            little_endian: self.little_endian || next.little_endian,
        }
    }
}

fn copy(to: &mut [u8], at: usize, from: &[u8]) {
    for (slot, &octet) in to.iter_mut().skip(at).zip(from) {
        *slot = octet;
    }
}

#[inline]
fn run(coding: Coding, shifts: Shifts, fill_bits: u8, octets: &[u8], out: &mut str) -> Decoded {
    match coding {
        Coding::Ucs2 => ucs2(octets, out),
        Coding::Ucs2BigEndian => utf16(octets, u16::from_be_bytes, out),
        Coding::Gb18030 => legacy(GB18030, octets, out),
        Coding::Gsm7 => gsm7(octets.iter().copied(), shifts, out),
        Coding::Gsm7Packed => gsm7(Septets::new(octets, fill_bits), shifts, out),
        Coding::Ascii => ascii(octets, out),
        Coding::Latin1 => latin1(octets, out),
        Coding::Utf8 => legacy(UTF_8, octets, out),
        Coding::Cyrillic => legacy(ISO_8859_5, octets, out),
        Coding::Hebrew => legacy(ISO_8859_8, octets, out),
        Coding::ShiftJis => legacy(SHIFT_JIS, octets, out),
        Coding::Iso2022Jp => legacy(ISO_2022_JP, octets, out),
        Coding::KsC5601 => legacy(EUC_KR, octets, out),
        Coding::Binary => Decoded::default(),
    }
}

fn legacy(encoding: &'static Encoding, octets: &[u8], out: &mut str) -> Decoded {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let (result, _, written, lossy) = decoder.decode_to_str(octets, out, true);
    Decoded { written, full: matches!(result, CoderResult::OutputFull), lossy, little_endian: false }
}

fn latin1(octets: &[u8], out: &mut str) -> Decoded {
    let (read, written) = convert_latin1_to_str_partial(octets, out);
    Decoded { written, full: read < octets.len(), ..Decoded::default() }
}

fn ascii(octets: &[u8], out: &mut str) -> Decoded {
    if octets.is_ascii() {
        return latin1(octets, out);
    }
    let mut writer = UnitWriter::new(out);
    for &octet in octets {
        writer.push(if octet.is_ascii() { u16::from(octet) } else { REPLACEMENT });
    }
    Decoded { lossy: true, ..writer.finish() }
}

fn gsm7(septets: impl Iterator<Item = u8>, shifts: Shifts, out: &mut str) -> Decoded {
    let (locking, single) = shifts.tables();
    let mut writer = UnitWriter::new(out);
    let mut escaped = false;
    let mut lossy = false;
    for septet in septets {
        let Some(&unit) = locking.get(usize::from(septet)) else {
            lossy = true;
            escaped = false;
            writer.push(REPLACEMENT);
            continue;
        };
        if escaped {
            escaped = false;
            // What the extension table hasn't is shown as the character of the main table; a second escape, for a
            // table that isn't defined, as a space (TS 23.038 §6.2.1.1).
            writer.push(match single.get(usize::from(septet)) {
                Some(0) | None if septet == ESCAPE => SPACE,
                Some(0) | None => unit,
                Some(&extended) => extended,
            });
        } else if septet == ESCAPE {
            escaped = true;
        } else {
            writer.push(unit);
        }
    }
    Decoded { lossy, ..writer.finish() }
}

const ESCAPE: u8 = 0x1B;
const SPACE: u16 = 0x20;
const REPLACEMENT: u16 = 0xFFFD;

/// Gathers UTF-16 units and converts them in runs.
struct UnitWriter<'o> {
    units: [u16; UNITS],
    count: usize,
    out: &'o mut str,
    decoded: Decoded,
}

const UNITS: usize = 128;

impl<'o> UnitWriter<'o> {
    fn new(out: &'o mut str) -> Self {
        Self { units: [0; UNITS], count: 0, out, decoded: Decoded::default() }
    }

    #[inline]
    fn push(&mut self, unit: u16) {
        if self.count == UNITS {
            self.convert();
        }
        if let Some(slot) = self.units.get_mut(self.count) {
            *slot = unit;
            self.count += 1;
        }
    }

    fn convert(&mut self) {
        let units = self.units.get(..self.count).unwrap_or_default();
        self.count = 0;
        let room = self.out.get_mut(self.decoded.written..).unwrap_or_default();
        let (read, written) = convert_utf16_to_str_partial(units, room);
        self.decoded.written += written;
        self.decoded.full |= read < units.len();
    }

    fn finish(mut self) -> Decoded {
        self.convert();
        self.decoded
    }
}

fn ucs2(octets: &[u8], out: &mut str) -> Decoded {
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
fn utf16(octets: &[u8], unit: fn([u8; 2]) -> u16, out: &mut str) -> Decoded {
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

const fn is_high_surrogate(unit: u16) -> bool {
    unit & 0xFC00 == 0xD800
}

/// Octets from the start that are whole characters, where more may follow.
fn complete_prefix(coding: Coding, octets: &[u8]) -> usize {
    match coding {
        Coding::Ucs2 | Coding::Ucs2BigEndian => {
            let even = octets.len() & !1;
            match octets.get(..even).and_then(|whole| whole.last_chunk::<2>()) {
                Some(&last) if is_high_surrogate(u16::from_be_bytes(last)) => even - 2,
                _ => even,
            }
        }
        Coding::Gsm7 => octets.len() - usize::from(octets.last() == Some(&ESCAPE)),
        Coding::Gb18030 => complete_gb18030(octets),
        Coding::Utf8 => complete_utf8(octets),
        _ => octets.len(),
    }
}

/// Walks lead octets: 0x81 to 0xFE starts two octets, or four where the second is a digit.
fn complete_gb18030(octets: &[u8]) -> usize {
    let mut at = 0;
    while let Some(&lead) = octets.get(at) {
        let length = match (lead, octets.get(at + 1)) {
            (0x00..=0x80 | 0xFF, _) => 1,
            (_, None) => break,
            (_, Some(b'0'..=b'9')) => 4,
            (_, Some(_)) => 2,
        };
        if at + length > octets.len() {
            break;
        }
        at += length;
    }
    at
}

/// Octets without a UTF-8 sequence that is cut off at the end.
fn complete_utf8(octets: &[u8]) -> usize {
    match core::str::from_utf8(octets.get(octets.len().saturating_sub(3)..).unwrap_or_default()) {
        Ok(_) => octets.len(),
        Err(_) => {
            let tail = octets.iter().rev().take(3).position(|octet| octet & 0xC0 != 0x80);
            match tail.and_then(|tail| octets.get(octets.len() - 1 - tail).map(|&lead| (tail + 1, lead))) {
                Some((present, lead)) if present < utf8_length(lead) => octets.len() - present,
                _ => octets.len(),
            }
        }
    }
}

const fn utf8_length(lead: u8) -> usize {
    match lead {
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF7 => 4,
        _ => 1,
    }
}
