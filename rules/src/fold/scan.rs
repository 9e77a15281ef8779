//! Bytes: telling runs, decoding one character, looking up its code.

use super::table::{ACCENT, CODES, HIDDEN, INDEX, ODD, PLAIN, SAME};

/// Letters and digits of ASCII in lower case; 0 for every other byte.
pub(super) static LOWER: [u8; 256] = {
    let mut lower = [0; 256];
    let mut byte = 0u8;
    while byte < 0x80 {
        if byte.is_ascii_alphanumeric() {
            lower[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    lower
};

/// Copies characters from the front of `text` while they are Han characters that stay; gives the bytes. Both slices
/// have one length. What is written behind those bytes is no matter.
#[inline(always)]
pub(super) fn plain_bytes(text: &[u8], target: &mut [u8]) -> usize {
    let mut run = 0;
    // Two characters at a time, from one load of eight bytes.
    while let (Some(from), Some(to)) = (text.get(run..run + 8), target.get_mut(run..run + 8)) {
        let pair = u64::from_le_bytes(from.try_into().unwrap_or_default());
        to.copy_from_slice(from);
        if !is_plain(pair) {
            return run;
        }
        if !is_plain(pair >> 24) {
            return run + 3;
        }
        run += 6;
    }
    while let (Some(from), Some(to)) = (text.get(run..run + 3), target.get_mut(run..run + 3)) {
        let &[lead, middle, last] = from else { break };
        if !is_plain(u64::from(lead) | u64::from(middle) << 8 | u64::from(last) << 16) {
            break;
        }
        to.copy_from_slice(from);
        run += 3;
    }
    run
}

/// Whether the three bytes of UTF-8 at the bottom of `bytes` are a Han character that stays as it is.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "masked to the ten bits that the table has")]
fn is_plain(bytes: u64) -> bool {
    let at = (bytes << 6 & 0x3c0 | bytes >> 8 & 0x3f) as usize;
    bytes & 0xf0 == 0xe0 && PLAIN[at] >> (bytes >> 16 & 0x3f) & 1 != 0
}

/// What the table says of a character.
#[inline]
pub(super) fn code_of(char: u32) -> u16 {
    let Some(&page) = INDEX.get((char >> 8) as usize) else { return far_code(char) };
    CODES.get(usize::from(page) << 8 | (char & 0xff) as usize).copied().unwrap_or(SAME)
}

/// Beyond the table: Han extensions, tags, variation selectors, private use.
#[cold]
const fn far_code(char: u32) -> u16 {
    match char {
        0xe_0100..=0xe_01ef => ACCENT,
        0xe_0000..=0xe_0fff => HIDDEN,
        0xf_0000.. => ODD,
        _ => SAME,
    }
}

/// The character at the start of UTF-8 text, and its bytes.
#[inline]
pub(super) fn decode(text: &[u8]) -> (u32, usize) {
    let tail = |byte: u8| u32::from(byte & 0x3f);
    match *text {
        [lead @ 0xc0..=0xdf, a, ..] => (u32::from(lead & 0x1f) << 6 | tail(a), 2),
        [lead @ 0xe0..=0xef, a, b, ..] => (u32::from(lead & 0x0f) << 12 | tail(a) << 6 | tail(b), 3),
        [lead @ 0xf0..=0xf7, a, b, c, ..] => {
            (u32::from(lead & 7) << 18 | tail(a) << 12 | tail(b) << 6 | tail(c), 4)
        }
        [byte, ..] => (u32::from(byte), 1),
        [] => (0, 1),
    }
}

/// Three digits and no more: the comma before them groups an amount.
pub(super) fn is_thousands(rest: &[u8]) -> bool {
    let digits = rest.iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    digits == 3
}
