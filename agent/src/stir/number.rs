//! Telephone numbers as PASSporTs have them (RFC 8224 §8.3): digits of E.164 without `+`.

use yumen_rules::number::{CANONICAL_LEN_MAX, classify};

/// Whether two ways of writing are one number: the digits alike, or alike in the canonical form that everything here
/// compares by.
pub(super) fn same(one: &str, other: &str) -> bool {
    if one.is_empty() || other.is_empty() {
        return false;
    }
    let (mut left, mut right) = ([0; CANONICAL_LEN_MAX], [0; CANONICAL_LEN_MAX]);
    // A PASSporT has the country's code without `+`.
    let plus =
        |number: &str| if number.starts_with(['+', '0']) { number.to_owned() } else { format!("+{number}") };
    let is_bare = |number: &str| !number.starts_with('+');
    digits(one) == digits(other)
        || canonical(one, &mut left) == canonical(other, &mut right)
        || is_bare(one) && canonical(&plus(one), &mut left) == canonical(other, &mut right)
}

fn canonical<'b>(number: &str, out: &'b mut [u8; CANONICAL_LEN_MAX]) -> Option<&'b str> {
    classify(number, out).map(|number| number.canonical)
}

/// As a signer writes it.
pub(super) fn digits(number: &str) -> String {
    number.chars().filter(|char| char.is_ascii_digit() || matches!(char, '*' | '#')).collect()
}
