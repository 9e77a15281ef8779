//! Where the last whole character of a segment ends.

use super::Coding;
use super::septet::ESCAPE;
use super::unit::is_high_surrogate;

/// Octets from the start that are whole characters, where more may follow.
pub(super) fn complete_prefix(coding: Coding, octets: &[u8]) -> usize {
    match coding {
        Coding::Ucs2 | Coding::Ucs2BigEndian => {
            let even = octets.len() & !1;
            match octets.get(..even).and_then(|whole| whole.last_chunk::<2>()) {
                Some(&last) if is_high_surrogate(u16::from_be_bytes(last)) => even - 2,
                _ => even,
            }
        }
        // Two escapes are a whole character, so an odd one at the end waits for the next segment.
        Coding::Gsm7 => {
            octets.len() - octets.iter().rev().take_while(|&&septet| septet == ESCAPE).count() % 2
        }
        Coding::Gb18030 => complete_gb18030(octets),
        Coding::Utf8 => complete_utf8(octets),
        _ => octets.len(),
    }
}

/// Walks characters, and over what isn't one as the decoder does.
fn complete_gb18030(octets: &[u8]) -> usize {
    let mut at = 0;
    while let Some(length) = gb18030_length(octets.get(at..).unwrap_or_default()) {
        at += length;
    }
    at
}

/// Octets of the first character, or of what the decoder passes over with one U+FFFD; `None` at the end and where the
/// character isn't whole (Encoding Standard, gb18030 decoder).
fn gb18030_length(octets: &[u8]) -> Option<usize> {
    match *octets {
        [] | [0x81..=0xFE] | [0x81..=0xFE, b'0'..=b'9'] | [0x81..=0xFE, b'0'..=b'9', 0x81..=0xFE] => None,
        [0x81..=0xFE, b'0'..=b'9', 0x81..=0xFE, b'0'..=b'9', ..] => Some(4),
        [0x81..=0xFE, 0x40..=0x7E | 0x80..=0xFF, ..] => Some(2),
        _ => Some(1),
    }
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
