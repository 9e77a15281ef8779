//! By sound.

use super::Folded;
use super::sound_table::{SOUNDS, SYLLABLES};

/// By sound: every Han character as its commonest pinyin without tone (`ü` as `v`), nothing between, everything else
/// as it is (`薇芯`, `威信` and `weixin` → `weixin`). Twice the folded text suffices as buffer.
#[must_use]
pub fn sound<'b>(folded: &Folded<'_>, out: &'b mut [u8]) -> &'b [u8] {
    let text = folded.bytes();
    let mut len = 0;
    let mut at = 0;
    while let Some(&lead) = text.get(at) {
        // Room for eight octets: one store, of which the next one overwrites what isn't of the syllable.
        if lead & 0xf0 == 0xe0
            && let Some(padded) = padded(text.get(at..at + 3).unwrap_or_default())
            && let Some(slot) = out.get_mut(len..len + 8)
        {
            slot.copy_from_slice(padded);
            len += usize::from(padded[7]);
            at += 3;
            continue;
        }
        let width = match lead {
            0..0xc0 => 1,
            0xc0..0xe0 => 2,
            0xe0..0xf0 => 3,
            _ => 4,
        };
        let source = text.get(at..at + width).unwrap_or_default();
        let piece = syllable(source).map_or(source, str::as_bytes);
        let Some(slot) = out.get_mut(len..len + piece.len()).filter(|_| !piece.is_empty()) else { break };
        slot.copy_from_slice(piece);
        len += piece.len();
        at += width;
    }
    out.get(..len).unwrap_or_default()
}

/// The syllable of one character.
pub(crate) fn syllable(char: &[u8]) -> Option<&'static str> {
    SYLLABLES.get(number(char)?).copied()
}

/// The same in eight octets, the last of which is its length.
#[inline]
fn padded(char: &[u8]) -> Option<&'static [u8; 8]> {
    PADDED.get(number(char)?)
}

/// Which syllable.
#[inline]
fn number(char: &[u8]) -> Option<usize> {
    let &[lead, middle, last] = char else { return None };
    let code = usize::from(lead & 15) << 12 | usize::from(middle & 63) << 6 | usize::from(last & 63);
    let syllable = *SOUNDS.get(code.checked_sub(0x4e00)?)?;
    Some(usize::from(syllable.checked_sub(1)?))
}

static PADDED: [[u8; 8]; SYLLABLES.len()] = {
    let mut padded = [[0; 8]; SYLLABLES.len()];
    let mut at = 0;
    while at < padded.len() {
        let syllable = SYLLABLES[at].as_bytes();
        assert!(syllable.len() < 8, "its length has a place");
        let mut octet = 0;
        while octet < syllable.len() {
            padded[at][octet] = syllable[octet];
            octet += 1;
        }
        padded[at][7] = syllable.len().to_le_bytes()[0];
        at += 1;
    }
    padded
};
