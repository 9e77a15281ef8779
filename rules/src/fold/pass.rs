//! The pass.

use super::{Folded, Hints, Stats};

/// Folds `text` into `out`. [`super::folded_len_max`] bytes always suffice; where `out` is shorter, what doesn't
/// fit is left out and said in [`Stats::truncated`].
#[must_use]
pub fn fold<'b>(text: &str, out: &'b mut [u8]) -> Folded<'b> {
    let mut stats = Stats::default();
    let mut len = 0;
    for char in text.chars() {
        stats.chars += 1;
        if char == '【' {
            stats.hints = stats.hints.with(Hints::SIGNATURE);
        }
        if !char.is_alphanumeric() {
            continue;
        }
        for lower in char.to_lowercase() {
            stats.digits += u32::from(lower.is_ascii_digit());
            stats.letters += u32::from(lower.is_ascii_lowercase());
            let mut encoded = [0; 4];
            let encoded = lower.encode_utf8(&mut encoded).as_bytes();
            let Some(slot) = out.get_mut(len..len + encoded.len()) else {
                stats.truncated = true;
                break;
            };
            slot.copy_from_slice(encoded);
            len += encoded.len();
        }
    }
    Folded { bytes: out.get(..len).unwrap_or_default(), stats }
}
