//! TAXII's media types (TAXII 2.1 §1.6.8, RFC 9110 §12.5.1).

/// What every answer is.
pub(super) const TAXII: &str = "application/taxii+json;version=2.1";
/// What an object is.
pub(super) const STIX: &str = "application/stix+json;version=2.1";

/// Whether a header's media type is TAXII's, of this version or of none.
pub(super) fn is_taxii(value: &str) -> bool {
    let mut parts = value.split(';').map(str::trim);
    let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/taxii+json"));
    named && parts.all(takes_parameter)
}

/// Whether whoever sent this `Accept` takes TAXII 2.1; without one, anything is taken.
pub(super) fn accepts<'a>(values: impl Iterator<Item = &'a str>) -> bool {
    let mut some = false;
    for range in values.flat_map(|value| value.split(',')) {
        some = true;
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        if ["application/taxii+json", "application/*", "*/*"].contains(&&name[..])
            && parts.all(|parameter| takes_parameter(parameter) && !is_refusal(parameter))
        {
            return true;
        }
    }
    !some
}

/// Any parameter but a version, which must be ours.
fn takes_parameter(parameter: &str) -> bool {
    match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("version") => {
            value.trim().trim_matches('"') == "2.1"
        }
        _ => true,
    }
}

/// `q=0`, which says "not this".
fn is_refusal(parameter: &str) -> bool {
    let weight = parameter.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    weight.is_some_and(|(_, weight)| weight.trim().parse::<f32>().is_ok_and(|weight| weight <= 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_apart() {
        for good in [
            "application/taxii+json;version=2.1",
            "application/taxii+json; version=\"2.1\"",
            "Application/TAXII+JSON",
        ] {
            assert!(is_taxii(good) && accepts([good].into_iter()), "{good}");
        }
        for bad in ["application/taxii+json;version=2.0", "application/json", "text/html", ""] {
            assert!(!is_taxii(bad) && !accepts([bad].into_iter()), "{bad}");
        }
        assert!(accepts(std::iter::empty()) && accepts(["*/*"].into_iter()));
        assert!(accepts(["text/html, application/*;q=0.2"].into_iter()));
        assert!(!accepts(["*/*;q=0"].into_iter()));
    }
}
