//! What others bring, in the form that sightings have, before an analyst looks at it.

use super::read::{self, Format};
use crate::limits::{IMPORT_MAX, SKIPPED_SHOWN_MAX};
use std::collections::HashSet;
use yumen_rules::number::{CANONICAL_LEN_MAX, NumberKind, classify};
use yumen_rules::verdict::Typology;

/// An indicator that somebody brings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Candidate {
    /// Kind, as sightings have it.
    pub kind: String,
    /// Canonical value.
    pub value: String,
    /// The practice, where whoever brings it says so.
    pub typology: Option<Typology>,
    /// How sure they are, 0 to 100.
    pub confidence: u8,
}

/// Something that gives no candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The entry, cut to a line's length.
    pub what: String,
    /// Why.
    pub why: &'static str,
}

/// What a file has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// Each once.
    pub candidates: Vec<Candidate>,
    /// What else it has; the first of them.
    pub skipped: Vec<Skipped>,
}

/// Why nothing of a file is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// Not JSON of a bundle or event, and not a table.
    #[error("it is neither a STIX bundle, nor a MISP event, nor a table with a column 'value' 格式无法识别")]
    Form,
    /// Not JSON.
    #[error("it isn't JSON 不是 JSON")]
    Json,
    /// Not UTF-8.
    #[error("it isn't UTF-8 不是 UTF-8")]
    Encoding,
    /// More than [`IMPORT_MAX`].
    #[error("it has more than {IMPORT_MAX} entries: divide it 条目过多，请分批导入")]
    TooMany,
    /// A list of what is good.
    #[error(
        "it is a list of what is known good, or has much of that in it: none of it is taken 属于已知正常名单，全部拒绝"
    )]
    KnownGood,
}

/// Reads a file, whatever its form, and leaves out what `is_known_good`. Where more than one in ten is, the file is taken
/// for a list of good ones, such as one of popular domains, and refused whole.
///
/// # Errors
/// [`ImportError`].
pub fn import(
    format: Format,
    bytes: &[u8],
    now_ms: u64,
    is_known_good: impl Fn(&str, &str) -> bool,
) -> Result<Parsed, ImportError> {
    let mut parsed = read::parse(format, bytes, now_ms)?;
    let all = parsed.candidates.len();
    let mut good = Vec::new();
    parsed.candidates.retain(|one| {
        let is_good = is_known_good(&one.kind, &one.value);
        if is_good {
            good.push(format!("{}:{}", one.kind, one.value));
        }
        !is_good
    });
    if good.len() * 10 > all && good.len() > 1 {
        return Err(ImportError::KnownGood);
    }
    for what in good {
        parsed.skip(&what, "known good");
    }
    Ok(parsed)
}

impl Parsed {
    /// Notes an entry that gives nothing.
    pub(super) fn skip(&mut self, what: &str, why: &'static str) {
        if self.skipped.len() < SKIPPED_SHOWN_MAX {
            let what = what.chars().take(80).collect();
            self.skipped.push(Skipped { what, why });
        }
    }

    /// Each candidate once, the surest first.
    pub(super) fn settle(mut self) -> Result<Self, ImportError> {
        if self.candidates.len() > IMPORT_MAX {
            return Err(ImportError::TooMany);
        }
        let mut seen = HashSet::new();
        self.candidates.sort_by_key(|one| std::cmp::Reverse(one.confidence));
        self.candidates.retain(|one| seen.insert((one.kind.clone(), one.value.clone())));
        Ok(self)
    }
}

/// Kind and value as sightings have them, or why it can't be one. `kind` may be one of MISP's or of other lists'.
pub(super) fn canonical(kind: &str, value: &str) -> Result<(&'static str, String), &'static str> {
    let value = value.trim();
    if value.is_empty() || value.len() > yumen_exchange::limits::INDICATOR_BYTES_MAX {
        return Err("empty or too long");
    }
    if value.chars().any(char::is_control) {
        return Err("not printable");
    }
    let lower = value.to_lowercase();
    match kind {
        "number" | "phone-number" | "phone" | "tel" | "msisdn" => {
            let mut out = [0; CANONICAL_LEN_MAX];
            match classify(value, &mut out) {
                Some(number) if number.kind != NumberKind::Alphanumeric && number.canonical.len() >= 3 => {
                    Ok(("number", number.canonical.to_owned()))
                }
                _ => Err("not a telephone number"),
            }
        }
        "domain" | "hostname" | "domain-name" | "fqdn" => Ok(("domain", host(&lower)?)),
        "url" | "uri" | "link" => link(value),
        "email" | "email-src" | "email-addr" | "mail" => match lower.split_once('@') {
            Some((name, at)) if !name.is_empty() && !lower.contains(char::is_whitespace) => {
                Ok(("email", format!("{name}@{}", host(at)?)))
            }
            _ => Err("not an e-mail address"),
        },
        "bank-account" | "bank-account-nr" | "iban" => {
            let digits: String = value.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
            let plausible =
                (8..=34).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_alphanumeric());
            if plausible { Ok(("bank-account", digits)) } else { Err("not a bank account") }
        }
        "wechat" | "weixin" => handle("wechat", &lower),
        "telegram" => handle("telegram", lower.trim_start_matches('@')),
        "qq" if lower.bytes().all(|byte| byte.is_ascii_digit()) => handle("qq", &lower),
        "qq" => Err("not a QQ number"),
        "sender-id" => Ok(("sender-id", value.to_owned())),
        _ => Err("of a kind that isn't kept"),
    }
}

fn handle(kind: &'static str, value: &str) -> Result<(&'static str, String), &'static str> {
    if (3..=64).contains(&value.len()) && !value.contains(char::is_whitespace) {
        Ok((kind, value.to_owned()))
    } else {
        Err("not an account's name")
    }
}

/// A host's name with a dot in it, without one at its end; not an address, which isn't kept.
fn host(lower: &str) -> Result<String, &'static str> {
    let name = lower.trim_end_matches('.');
    match url::Host::parse(name) {
        Ok(url::Host::Domain(name)) if name.contains('.') && !name.starts_with('.') => Ok(name),
        _ => Err("not a domain"),
    }
}

/// A link without its scheme; one without a path is its domain.
fn link(value: &str) -> Result<(&'static str, String), &'static str> {
    let scheme = value.split_once("://");
    let rest = match scheme {
        Some((scheme, rest)) if ["http", "https", "hxxp", "hxxps"].contains(&&scheme.to_lowercase()[..]) => {
            rest
        }
        Some(_) => return Err("not a link of the web"),
        None => value,
    };
    let end = rest.find(['/', '?', '#', ':']).unwrap_or(rest.len());
    let (name, path) = rest.split_at(end);
    let name = host(&name.to_lowercase())?;
    if path.is_empty() || path == "/" {
        return Ok(("domain", name));
    }
    Ok(("url", format!("{name}{path}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_what_sightings_have() {
        for (kind, value, expected) in [
            ("phone-number", "+86 139 0000 0001", ("number", "13900000001")),
            ("number", "+447700900123", ("number", "+447700900123")),
            ("hostname", "WWW.Evil.Example.", ("domain", "www.evil.example")),
            ("url", "hxxps://Evil.example/A?b=1", ("url", "evil.example/A?b=1")),
            ("url", "https://evil.example/", ("domain", "evil.example")),
            ("email-src", "Some.Body@Evil.example", ("email", "some.body@evil.example")),
            ("bank-account-nr", "6200 0000 0000 0000 000", ("bank-account", "6200000000000000000")),
            ("telegram", "@Some_Body", ("telegram", "some_body")),
            ("sender-id", "BANK", ("sender-id", "BANK")),
        ] {
            assert_eq!(canonical(kind, value), Ok((expected.0, expected.1.to_owned())), "{kind} {value}");
        }
        for (kind, value) in [
            ("number", "hello"),
            ("domain", "localhost"),
            ("domain", "192.0.2.1"),
            ("domain", "a b.example"),
            ("url", "ftp://a.example/x"),
            ("url", "http://192.0.2.1/x"),
            ("email", "a@b"),
            ("qq", "12x45"),
            ("sha256", "00"),
            ("domain", ""),
        ] {
            assert!(canonical(kind, value).is_err(), "{kind} {value}");
        }
    }

    #[test]
    fn a_list_of_good_ones_is_refused_whole() {
        let good = |_: &str, value: &str| value.starts_with("good");
        let list = |n: usize, good: usize| {
            let lines = (0..n).map(|i| format!("{}{i}.example\n", if i < good { "good" } else { "bad" }));
            "domain\n".to_owned() + &lines.collect::<String>()
        };
        let import = |text: &str| import(Format::Auto, text.as_bytes(), 0, good);
        let parsed = import(&list(100, 10)).unwrap();
        assert_eq!((parsed.candidates.len(), parsed.skipped.len()), (90, 10));
        assert_eq!(import(&list(100, 11)), Err(ImportError::KnownGood));
        assert_eq!(import("1,good1.example\n2,bad1.example\n"), Err(ImportError::KnownGood), "a ranking");
    }
}
