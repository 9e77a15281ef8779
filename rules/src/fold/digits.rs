//! Digits in their disguises, in folded text.

/// A word of look-alikes is only looked at that far for a digit, bytes to either side.
const WORD_LEN_MAX: usize = 24;

/// The digit that the character at `at` is, or looks like where it stands.
pub(crate) fn digit(text: &[u8], at: usize) -> Option<u8> {
    let byte = *text.get(at)?;
    match byte {
        b'0'..=b'9' => Some(byte),
        b'a'..=b'z' => look_alike(byte).filter(|_| is_number_word(text, at)),
        0xe0..=0xef => chinese_digit(text.get(at..at + 3)?),
        _ => None,
    }
}

fn look_alike(byte: u8) -> Option<u8> {
    Some(match byte {
        b'o' => b'0',
        b'l' | b'i' => b'1',
        b'z' => b'2',
        b's' => b'5',
        b'b' => b'8',
        _ => return None,
    })
}

/// Whether the word around a look-alike letter has a digit and no letters but look-alikes, or is that letter alone.
fn is_number_word(text: &[u8], at: usize) -> bool {
    let is_word = |byte: &&u8| byte.is_ascii_alphanumeric();
    let before =
        text.get(at.saturating_sub(WORD_LEN_MAX)..at).unwrap_or_default().iter().rev().take_while(is_word);
    let after =
        text.get(at + 1..text.len().min(at + WORD_LEN_MAX)).unwrap_or_default().iter().take_while(is_word);
    let (mut digits, mut letters) = (0, 0);
    for &byte in before.chain(after) {
        digits += usize::from(byte.is_ascii_digit());
        letters += usize::from(byte.is_ascii_alphabetic());
        if byte.is_ascii_alphabetic() && look_alike(byte).is_none() {
            return false;
        }
    }
    digits > 0 || letters == 0
}

/// `零`, `幺`, `一` to `九`, `伍`, `陆`.
pub(crate) fn chinese_digit(char: &[u8]) -> Option<u8> {
    Some(match core::str::from_utf8(char).ok()? {
        "零" => b'0',
        "一" | "幺" => b'1',
        "二" => b'2',
        "三" => b'3',
        "四" => b'4',
        "五" | "伍" => b'5',
        "六" | "陆" => b'6',
        "七" => b'7',
        "八" => b'8',
        "九" => b'9',
        _ => return None,
    })
}

/// Bytes of the character at `at`, never 0.
pub(crate) fn width(text: &[u8], at: usize) -> usize {
    match text.get(at) {
        Some(0xc0..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..) => 4,
        _ => 1,
    }
}
