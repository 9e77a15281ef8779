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

/// `零`, `幺`, `一` to `九`, `伍`, `陆`, by their bytes.
pub(crate) const fn chinese_digit(char: &[u8]) -> Option<u8> {
    Some(match *char {
        [0xe9, 0x9b, 0xb6] => b'0',
        [0xe4, 0xb8, 0x80] | [0xe5, 0xb9, 0xba] => b'1',
        [0xe4, 0xba, 0x8c] => b'2',
        [0xe4, 0xb8, 0x89] => b'3',
        [0xe5, 0x9b, 0x9b] => b'4',
        [0xe4, 0xba, 0x94] | [0xe4, 0xbc, 0x8d] => b'5',
        [0xe5, 0x85, 0xad] | [0xe9, 0x99, 0x86] => b'6',
        [0xe4, 0xb8, 0x83] => b'7',
        [0xe5, 0x85, 0xab] => b'8',
        [0xe4, 0xb9, 0x9d] => b'9',
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

#[cfg(test)]
mod tests {
    use super::chinese_digit;

    #[test]
    fn chinese_digits() {
        for (char, digit) in "零一二三四五六七八九幺伍陆".chars().zip("0123456789156".bytes()) {
            assert_eq!(chinese_digit(char.encode_utf8(&mut [0; 4]).as_bytes()), Some(digit), "{char}");
        }
        assert_eq!(chinese_digit("十".as_bytes()), None);
    }
}
