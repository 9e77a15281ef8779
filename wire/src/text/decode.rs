//! Octets → UTF-8.

use encoding_rs::mem::convert_latin1_to_str_partial;
use encoding_rs::{
    CoderResult, EUC_KR, Encoding, GB18030, ISO_2022_JP, ISO_8859_5, ISO_8859_8, SHIFT_JIS, UTF_8,
};

use super::border::complete_prefix;
use super::septet::{gsm7, gsm7_packed};
use super::unit::{REPLACEMENT, UnitWriter, ucs2, utf16};
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
            decoded = run(self.coding, shifts, 0, joint.get(..complete).unwrap_or_default(), out);
            if complete < carried {
                self.keep(joint.get(complete..).unwrap_or_default());
                return decoded;
            }
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
        Coding::Gsm7 => gsm7(octets, shifts, out),
        Coding::Gsm7Packed => gsm7_packed(octets, fill_bits, shifts, out),
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
