//! What is written in sources, in the form the engine compares: folded by the engine's own code.

use yumen_rules::fold::{fold, folded_len_max, sound, squeeze};
use yumen_rules::number::{CANONICAL_LEN_MAX, classify};
use yumen_rules::signal::{Field, View};

/// A literal as it stands in a view.
#[must_use]
pub(crate) fn literal(text: &str, view: View) -> String {
    if view == View::Plain {
        return text.to_owned();
    }
    let mut buffer = vec![0; folded_len_max(text.len())];
    let folded = fold(text, &mut buffer);
    let mut second = vec![0; folded.bytes().len().saturating_mul(2).saturating_add(16)];
    let bytes = match view {
        View::Squeezed => squeeze(&folded, &mut second),
        View::Sound => sound(&folded, &mut second),
        View::Folded | View::Plain => folded.bytes(),
    };
    String::from_utf8_lossy(bytes).into_owned()
}

/// A text that a field is compared with.
#[must_use]
pub(crate) fn text_of(field: Field, text: &str) -> String {
    match field {
        Field::SignatureText => literal(text, View::Folded),
        Field::SenderNumber => number(text).unwrap_or_else(|| text.to_owned()),
        Field::LinkDomain => text.to_lowercase(),
        _ => text.to_owned(),
    }
}

/// A number or a prefix of numbers in canonical form; `None` where it isn't one.
#[must_use]
pub(crate) fn number(written: &str) -> Option<String> {
    let (digits, star) = written.strip_suffix('*').map_or((written, ""), |digits| (digits, "*"));
    let digits: String = digits.chars().filter(|&c| c != '-' && c != ' ').collect();
    let bare = digits.strip_prefix('+').unwrap_or(&digits);
    if bare.is_empty() || !bare.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if !star.is_empty() {
        // A prefix isn't a number that could be classified; only the country code is taken off.
        let national = digits.strip_prefix("+86").unwrap_or(&digits);
        return Some(format!("{national}*"));
    }
    let mut buffer = [0; CANONICAL_LEN_MAX];
    classify(&digits, &mut buffer).map(|number| number.canonical.to_owned())
}

/// A domain in lower case; `None` where it isn't one.
#[must_use]
pub(crate) fn domain(written: &str) -> Option<String> {
    let domain = written.trim().trim_start_matches("*.").to_lowercase();
    let labels_fit = domain.split('.').all(|label| {
        !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-') && !label.starts_with('-')
    });
    (labels_fit && domain.contains('.')).then_some(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_prefix_mark() {
        assert_eq!(number("1069*").as_deref(), Some("1069*"));
        assert_eq!(number("400-000-0000").as_deref(), Some("4000000000"));
        assert_eq!(number("95x"), None);
        assert_eq!(number("*"), None);
    }

    #[test]
    fn domains_have_no_path() {
        assert_eq!(domain("Example.COM").as_deref(), Some("example.com"));
        assert_eq!(domain("https://example.com/a"), None);
        assert_eq!(domain("localhost"), None);
    }
}
