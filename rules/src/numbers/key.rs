//! Numbers as integers.

use crate::limits::NUMBER_DIGITS_MAX;
use crate::number::CANONICAL_LEN_MAX;

/// What is added for a number that has `+` before it.
const FOREIGN: u64 = 1 << 62;

/// A number as an integer; see [`super`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The integer.
    pub value: u64,
    /// The number is longer: these are only its first digits.
    pub cut: bool,
}

impl Key {
    /// Of a number in canonical form. `None` where it has other characters than digits, or none.
    #[must_use]
    pub fn of(canonical: &str) -> Option<Self> {
        let (base, digits) = match canonical.as_bytes() {
            [b'+', digits @ ..] => (FOREIGN, digits),
            digits => (0, digits),
        };
        let cut = digits.len() > NUMBER_DIGITS_MAX;
        let mut value = 1u64;
        for &byte in digits.get(..NUMBER_DIGITS_MAX).unwrap_or(digits) {
            let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
            // 19 digits that begin with 1 fit 61 bits.
            value = value * 10 + u64::from(digit);
        }
        let rest = digits.get(NUMBER_DIGITS_MAX..).unwrap_or_default();
        let valid = !digits.is_empty() && rest.iter().all(u8::is_ascii_digit);
        valid.then_some(Self { value: base + value, cut })
    }
}

/// The number of a key, as it stands in canonical form; `None` for an integer that no number has.
#[must_use]
pub fn canonical(key: u64, out: &mut [u8; CANONICAL_LEN_MAX]) -> Option<&str> {
    let foreign = key >= FOREIGN;
    let mut rest = if foreign { key - FOREIGN } else { key };
    let len = (1..=NUMBER_DIGITS_MAX).find(|&len| {
        let start = power(len);
        (start..start * 2).contains(&rest)
    })?;
    rest -= power(len);
    let start = usize::from(foreign);
    if let (true, Some(first)) = (foreign, out.first_mut()) {
        *first = b'+';
    }
    let end = start + len;
    for place in out.get_mut(start..end)?.iter_mut().rev() {
        *place = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
    core::str::from_utf8(out.get(..end)?).ok()
}

const fn power(digits: usize) -> u64 {
    let (mut value, mut left) = (1, digits);
    while left > 0 {
        value *= 10;
        left -= 1;
    }
    value
}

/// Keys from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySpan {
    /// The first.
    pub first: u64,
    /// The last, itself in it.
    pub last: u64,
    /// Longer numbers that begin so belong to it: it is of the longest that have keys.
    pub longer: bool,
}

/// The keys of all numbers that begin with `prefix` (digits in canonical form, with `+` for a country's code): a span for each length
/// that they can have. Nothing where it is no such prefix, or longer than a number.
pub fn spans(prefix: &str) -> impl Iterator<Item = KeySpan> + use<> {
    let digits = prefix.strip_prefix('+').unwrap_or(prefix);
    let key = Key::of(prefix).filter(|key| !key.cut);
    let base = if prefix.len() > digits.len() { FOREIGN } else { 0 };
    let shortest = digits.len();
    let lengths = if key.is_some() { shortest..NUMBER_DIGITS_MAX + 1 } else { 0..0 };
    let start = key.map_or(0, |key| key.value - base);
    lengths.map(move |len| {
        let scale = power(len - shortest);
        let first = base + start * scale;
        KeySpan { first, last: first + (scale - 1), longer: len == NUMBER_DIGITS_MAX }
    })
}

const _: () = assert!(NUMBER_DIGITS_MAX < CANONICAL_LEN_MAX, "a key's number fits with its plus");
const _: () = assert!(2 * power(NUMBER_DIGITS_MAX) < FOREIGN, "domestic and foreign keys lie apart");

#[cfg(test)]
mod tests {
    extern crate std;

    use proptest::prelude::*;
    use std::string::{String, ToString as _};
    use std::vec::Vec;

    use super::*;

    #[test]
    fn keys_are_frozen() {
        let value = |number| Key::of(number).map(|key| (key.value, key.cut));
        assert_eq!(value("13800001234"), Some((113_800_001_234, false)));
        assert_eq!(value("0"), Some((10, false)));
        assert_eq!(value("95588"), Some((195_588, false)));
        assert_eq!(value("+447700900123"), Some((FOREIGN + 1_447_700_900_123, false)));
        assert_eq!(value("1069000000000000000001"), Some((1_106_900_000_000_000_000, true)));
        for none in ["", "+", "95a", "示例", "+1+2", "106900000000000000000a"] {
            assert_eq!(value(none), None, "{none}");
        }
    }

    #[test]
    fn a_prefix_is_a_span_for_each_length() {
        let of: Vec<_> = spans("170").collect();
        assert_eq!(of.len(), 16);
        assert_eq!((of[0].first, of[0].last), (1170, 1170));
        assert_eq!((of[8].first, of[8].last, of[8].longer), (117_000_000_000, 117_099_999_999, false));
        assert!(of[15].longer);
        assert_eq!(spans("1x").count() + spans("").count() + spans("1234567890123456789").count(), 0);
    }

    proptest! {
        #[test]
        fn keys_are_one_for_one(a in "\\+?[0-9]{1,18}", b in "\\+?[0-9]{1,18}") {
            let (left, right) = (Key::of(&a).unwrap(), Key::of(&b).unwrap());
            prop_assert_eq!(a == b, left == right);
            let mut out = [0; CANONICAL_LEN_MAX];
            prop_assert_eq!(canonical(left.value, &mut out).map(|text| text.to_string()), Some(a));
        }

        #[test]
        fn spans_hold_what_begins_so(prefix in "\\+?[0-9]{1,6}", rest in "[0-9]{0,20}", other in "\\+?[0-9]{1,24}") {
            let holds = |number: &str| {
                let key = Key::of(number).unwrap();
                spans(&prefix).any(|span| (span.first..=span.last).contains(&key.value) && (!key.cut || span.longer))
            };
            let number: String = [prefix.as_str(), rest.as_str()].concat();
            prop_assert!(holds(&number));
            prop_assert_eq!(holds(&other), other.starts_with(&prefix));
        }

        #[test]
        fn no_integer_panics(key: u64) {
            let mut out = [0; CANONICAL_LEN_MAX];
            if let Some(text) = canonical(key, &mut out) {
                prop_assert_eq!(Key::of(text).map(|back| back.value), Some(key));
            }
        }
    }
}
