//! Originators: what kind of number it is, and its canonical form.
//!
//! Numbers are Chinese ones unless they say otherwise. The canonical form is what a subscriber would dial inside the
//! country: `13800000000`, `01012345678`, `95588`; a number of another country keeps `+` and its country code. It stands one for one
//! for the number in E.164 ([`Number::e164`]).

/// What kind of originator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NumberKind {
    /// A mobile subscriber.
    Mobile,
    /// A fixed line.
    Fixed,
    /// A service number: 106…, 955xx, 1xx, 400/800, an abbreviated code.
    Service,
    /// A number of another country.
    International,
    /// An alphanumeric sender ID.
    Alphanumeric,
}

/// A classified originator; its canonical form stands in the caller's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number<'b> {
    /// What kind.
    pub kind: NumberKind,
    /// A virtual operator's range (162, 165, 167, 170, 171); only with `Mobile`.
    pub virtual_operator: bool,
    /// Digits without country code and separators; with `+` for `International`; as it came (trimmed) for `Alphanumeric`.
    pub canonical: &'b str,
}

impl Number<'_> {
    /// In E.164 with its `+`: `+8613800000000`, `+861012345678`, `+447700900123`. What has no such form stays as it is: short codes, fixed lines
    /// without an area code, sender IDs.
    #[must_use]
    pub fn e164<'o>(&self, out: &'o mut [u8; CANONICAL_LEN_MAX]) -> &'o str {
        let digits = self.canonical.as_bytes();
        match (self.kind, digits) {
            (NumberKind::Mobile, _) => write(out, &[b"+86", digits]),
            (NumberKind::Fixed, [b'0', rest @ ..]) => write(out, &[b"+86", rest]),
            (NumberKind::Service, [b'4' | b'8', b'0', b'0', ..]) if digits.len() == 10 => {
                write(out, &[b"+86", digits])
            }
            _ => write(out, &[digits]),
        }
    }
}

/// Longest canonical form in bytes; what is longer is cut.
pub const CANONICAL_LEN_MAX: usize = 32;

/// Classifies `originator` as it came over a protocol: `+86…`, `0086…`, `86…`, with a dialling prefix (`0`, `12520`,
/// `17951`), with area code, with separators, with extra digits behind a mobile number, as `tel:` or `sip:` URI with parameters.
/// `None` where it is empty or withheld (`anonymous`).
#[must_use]
pub fn classify<'b>(originator: &str, out: &'b mut [u8; CANONICAL_LEN_MAX]) -> Option<Number<'b>> {
    let trimmed = bare(originator);
    if trimmed.is_empty() || is_withheld(trimmed) {
        return None;
    }
    let mut digits = [0; CANONICAL_LEN_MAX];
    let Some(dialled) = Dialled::read(trimmed, &mut digits) else {
        let canonical = write(out, &[trimmed.as_bytes()]);
        return Some(Number { kind: NumberKind::Alphanumeric, virtual_operator: false, canonical });
    };
    let (kind, lead, rest) = dialled.classify();
    let canonical = write(out, &[lead, rest]);
    let virtual_operator = kind == NumberKind::Mobile && is_virtual(rest);
    Some(Number { kind, virtual_operator, canonical })
}

/// Without a URI's scheme, host and parameters: `tel:+86138…;phone-context=…`, `<sip:138…@host;user=phone>`.
fn bare(originator: &str) -> &str {
    let trimmed = originator.trim().trim_start_matches('<').trim_end_matches('>');
    let is_scheme = |scheme: &str| {
        let start = trimmed.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    let Some(scheme) = ["tel:", "sip:", "sips:"].into_iter().find(|scheme| is_scheme(scheme)) else {
        return trimmed;
    };
    let rest = trimmed.get(scheme.len()..).unwrap_or_default();
    rest.split(['@', ';', '?']).next().unwrap_or_default().trim()
}

/// What networks write where the caller doesn't show its number.
fn is_withheld(originator: &str) -> bool {
    const WORDS: [&str; 6] = ["anonymous", "restricted", "unavailable", "withheld", "private", "unknown"];
    WORDS.iter().any(|word| originator.eq_ignore_ascii_case(word))
}

/// Digits, and whether `+` came before them.
struct Dialled<'d> {
    digits: &'d [u8],
    plus: bool,
}

/// Kind, what the canonical form begins with, and the digits behind it.
type Classified<'d> = (NumberKind, &'static [u8], &'d [u8]);

impl<'d> Dialled<'d> {
    /// `None` where there are others than digits and separators, or more digits than a number has.
    fn read(text: &str, digits: &'d mut [u8; CANONICAL_LEN_MAX]) -> Option<Self> {
        let rest = text.strip_prefix(['+', '＋']);
        let mut len = 0;
        for char in rest.unwrap_or(text).chars() {
            match char {
                '0'..='9' => {
                    *digits.get_mut(len)? = u8::try_from(char).ok()?;
                    len += 1;
                }
                ' ' | '-' | '(' | ')' | '.' | '/' | '\u{a0}' => {}
                _ => return None,
            }
        }
        let digits = digits.get(..len).filter(|digits| !digits.is_empty())?;
        Some(Self { digits, plus: rest.is_some() })
    }

    fn classify(&self) -> Classified<'d> {
        if let Some(domestic) = self.digits.strip_prefix(b"86").filter(|_| self.plus) {
            return with_country_code(domestic);
        }
        if self.plus {
            return (NumberKind::International, b"+", self.digits);
        }
        if let Some(domestic) = self.digits.strip_prefix(b"0086") {
            return with_country_code(domestic);
        }
        if let Some(foreign) =
            self.digits.strip_prefix(b"00").filter(|foreign| foreign.len() >= FOREIGN_LEN_MIN)
        {
            return (NumberKind::International, b"+", foreign);
        }
        // Without `+` the country code is only taken for one before what can't be anything else.
        let domestic = self.digits.strip_prefix(b"86").unwrap_or_default();
        let is_domestic = is_mobile(domestic)
            || domestic.len() == 5 && domestic.starts_with(b"95")
            || domestic.len() >= 8 && domestic.starts_with(b"106")
            || domestic.len() == 10 && domestic.starts_with(b"10")
            || domestic.len() == 12 && domestic.starts_with(b"0");
        if is_domestic { with_country_code(domestic) } else { dialled(self.digits) }
    }
}

/// Shortest number of another country without its international prefix.
const FOREIGN_LEN_MIN: usize = 7;

/// Behind `+86`: as dialled inside, or an area code without its 0.
fn with_country_code(digits: &[u8]) -> Classified<'_> {
    let area_code_bare = match digits {
        [b'1', b'0', b'1'..=b'9', ..] => digits.len() == 10 && !digits.starts_with(b"106"),
        [b'2', ..] => digits.len() == 10,
        [b'4' | b'8', b'0', b'0', ..] => false,
        [b'3'..=b'9', ..] => (10..=11).contains(&digits.len()) && !digits.starts_with(b"95"),
        _ => false,
    };
    if area_code_bare { (NumberKind::Fixed, b"0", digits) } else { dialled(digits) }
}

/// As dialled inside the country.
fn dialled(digits: &[u8]) -> Classified<'_> {
    for prefix in DIAL_PREFIXES {
        if let Some(mobile) = digits.strip_prefix(prefix).filter(|rest| is_mobile(rest)) {
            return (NumberKind::Mobile, b"", mobile);
        }
    }
    if let Some(mobile) = with_extra_digits(digits) {
        return (NumberKind::Mobile, b"", mobile);
    }
    let kind = match digits {
        _ if is_mobile(digits) => NumberKind::Mobile,
        [b'0', b'1'..=b'9', ..] if (10..=16).contains(&digits.len()) => NumberKind::Fixed,
        [b'4' | b'8', b'0', b'0', ..] if digits.len() >= 10 => NumberKind::Service,
        [b'9', b'5' | b'6', ..] | [b'1', ..] => NumberKind::Service,
        [b'2'..=b'8', ..] if (7..=8).contains(&digits.len()) => NumberKind::Fixed,
        // Our own country code before what no number of ours is makes no foreign one.
        [b'2'..=b'9', ..] if digits.len() >= FOREIGN_UNMARKED_LEN_MIN && !digits.starts_with(b"86") => {
            return (NumberKind::International, b"+", digits);
        }
        _ => NumberKind::Service,
    };
    (kind, b"", digits)
}

/// So long, a number that can't be a Chinese one is taken for one with a country code.
const FOREIGN_UNMARKED_LEN_MIN: usize = 10;

/// Dialled before a mobile number: long distance, and operators' services.
const DIAL_PREFIXES: [&[u8]; 9] =
    [b"0", b"12520", b"12593", b"17951", b"17950", b"17909", b"17911", b"10193", b"125831"];

/// A mobile number behind which up to three digits stand: extensions of a PBX, or what a spoofer adds to be another number each time.
fn with_extra_digits(digits: &[u8]) -> Option<&[u8]> {
    if !(12..=14).contains(&digits.len()) || DIAL_PREFIXES.iter().any(|prefix| digits.starts_with(prefix)) {
        return None;
    }
    digits.get(..11).filter(|mobile| is_mobile(mobile))
}

fn is_mobile(digits: &[u8]) -> bool {
    digits.len() == 11 && matches!(digits, [b'1', b'3'..=b'9', ..])
}

fn is_virtual(digits: &[u8]) -> bool {
    matches!(digits, [b'1', b'6', b'2' | b'5' | b'7', ..] | [b'1', b'7', b'0' | b'1', ..])
}

/// The pieces one after the other, cut to the buffer at a character.
fn write<'b>(out: &'b mut [u8; CANONICAL_LEN_MAX], pieces: &[&[u8]]) -> &'b str {
    let mut len = 0;
    for (slot, byte) in out.iter_mut().zip(pieces.iter().copied().flatten()) {
        *slot = *byte;
        len += 1;
    }
    let written = out.get(..len).unwrap_or_default();
    match core::str::from_utf8(written) {
        Ok(text) => text,
        Err(error) => {
            core::str::from_utf8(written.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use proptest::prelude::*;

    use super::{CANONICAL_LEN_MAX, NumberKind, classify};

    #[test]
    fn dialects() {
        use NumberKind::{Alphanumeric, Fixed, International, Mobile, Service};
        for (originator, kind, canonical) in [
            ("13800001234", Mobile, "13800001234"),
            ("+8613800001234", Mobile, "13800001234"),
            ("+86 138-0000-1234", Mobile, "13800001234"),
            ("008613800001234", Mobile, "13800001234"),
            ("8613800001234", Mobile, "13800001234"),
            ("013800001234", Mobile, "13800001234"),
            ("1252013800001234", Mobile, "13800001234"),
            ("1795113800001234", Mobile, "13800001234"),
            ("01012345678", Fixed, "01012345678"),
            ("010-12345678", Fixed, "01012345678"),
            ("+861012345678", Fixed, "01012345678"),
            ("+8675512345678", Fixed, "075512345678"),
            ("+867551234567", Fixed, "07551234567"),
            ("(0755) 1234567", Fixed, "07551234567"),
            ("56865632", Fixed, "56865632"),
            ("95588", Service, "95588"),
            ("+8695588", Service, "95588"),
            ("8695588", Service, "95588"),
            ("955880001", Service, "955880001"),
            ("10690000123456", Service, "10690000123456"),
            ("8610690000123456", Service, "10690000123456"),
            ("+8610690000123456", Service, "10690000123456"),
            ("12368", Service, "12368"),
            ("110", Service, "110"),
            ("10086", Service, "10086"),
            ("4000000000", Service, "4000000000"),
            ("+864000000000", Service, "4000000000"),
            ("+447700900123", International, "+447700900123"),
            ("00447700900123", International, "+447700900123"),
            ("85261234567", International, "+85261234567"),
            ("tel:+8613800001234;phone-context=+86", Mobile, "13800001234"),
            ("tel:+86-138-0000-1234", Mobile, "13800001234"),
            ("<sip:+8613800001234@gw.example;user=phone>", Mobile, "13800001234"),
            ("SIP:95588@10.0.0.1:5060", Service, "95588"),
            ("1380000123401", Mobile, "13800001234"),
            ("+861380000123477", Mobile, "13800001234"),
            ("008613800001234001", Mobile, "13800001234"),
            ("1795101012345678", Service, "1795101012345678"),
            ("8008200000", Service, "8008200000"),
            ("12345", Service, "12345"),
            ("EXAMPLE", Alphanumeric, "EXAMPLE"),
            (" 示例银行 ", Alphanumeric, "示例银行"),
            ("+", Alphanumeric, "+"),
        ] {
            let mut out = [0; CANONICAL_LEN_MAX];
            let number = classify(originator, &mut out).unwrap();
            assert_eq!((number.kind, number.canonical), (kind, canonical), "{originator}");
        }
        for nobody in ["  ", "anonymous", "Anonymous", "sip:anonymous@anonymous.invalid", "<>", "tel:"] {
            assert_eq!(classify(nobody, &mut [0; CANONICAL_LEN_MAX]), None, "{nobody}");
        }
    }

    #[test]
    fn e164() {
        for (originator, e164) in [
            ("0138 0000 1234", "+8613800001234"),
            ("010-12345678", "+861012345678"),
            ("+8675512345678", "+8675512345678"),
            ("400-000-0000", "+864000000000"),
            ("0044 7700 900123", "+447700900123"),
            ("+8695588", "95588"),
            ("10690000123456", "10690000123456"),
            ("56865632", "56865632"),
            ("EXAMPLE", "EXAMPLE"),
        ] {
            let (mut canonical, mut out) = ([0; CANONICAL_LEN_MAX], [0; CANONICAL_LEN_MAX]);
            assert_eq!(classify(originator, &mut canonical).unwrap().e164(&mut out), e164, "{originator}");
        }
    }

    #[test]
    fn virtual_operators() {
        for (originator, is_virtual) in [
            ("16200001234", true),
            ("16500001234", true),
            ("16700001234", true),
            ("+8617000001234", true),
            ("17100001234", true),
            ("17200001234", false),
            ("13800001234", false),
            ("1700000", false),
        ] {
            let mut out = [0; CANONICAL_LEN_MAX];
            assert_eq!(classify(originator, &mut out).unwrap().virtual_operator, is_virtual, "{originator}");
        }
    }

    proptest! {
        #[test]
        fn canonical_stays_canonical(originator in "(\\+|00|0|86|\\+86|0086|12520)?[0-9 -]{1,40}|\\PC{0,40}") {
            let mut out = [0; CANONICAL_LEN_MAX];
            let Some(number) = classify(&originator, &mut out) else { return Ok(()) };
            let mut again_out = [0; CANONICAL_LEN_MAX];
            let again = classify(number.canonical, &mut again_out);
            prop_assert!(number.canonical.len() <= CANONICAL_LEN_MAX);
            let mut e164_out = [0; CANONICAL_LEN_MAX];
            let e164 = number.e164(&mut e164_out);
            if matches!(number.kind, NumberKind::Mobile | NumberKind::International) && number.canonical.len() < 17 {
                let mut out = [0; CANONICAL_LEN_MAX];
                prop_assert_eq!(classify(e164, &mut out).map(|back| back.canonical), Some(number.canonical), "{}", e164);
            }
            if number.kind == NumberKind::Mobile {
                prop_assert_eq!(again.map(|again| (again.kind, again.canonical)), Some((number.kind, number.canonical)));
            }
        }
    }
}
