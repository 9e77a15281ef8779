//! Originators: what kind of number it is, and its canonical form.

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

/// Longest canonical form in bytes; what is longer is cut.
pub const CANONICAL_LEN_MAX: usize = 32;

/// Classifies `originator` as it came over a protocol. `None` where it is empty.
#[must_use]
pub fn classify<'b>(originator: &str, out: &'b mut [u8; CANONICAL_LEN_MAX]) -> Option<Number<'b>> {
    let trimmed = originator.trim();
    if trimmed.is_empty() {
        return None;
    }
    let digits = trimmed.strip_prefix("+86").unwrap_or(trimmed);
    let mut len = 0;
    for char in digits.chars() {
        let next = len + char.len_utf8();
        let Some(slot) = out.get_mut(len..next) else { break };
        char.encode_utf8(slot);
        len = next;
    }
    let canonical = core::str::from_utf8(out.get(..len).unwrap_or_default()).unwrap_or_default();
    let numeric = canonical.bytes().all(|byte| byte.is_ascii_digit());
    let mobile = numeric && canonical.len() == 11 && canonical.starts_with('1');
    let kind = match (numeric, mobile) {
        (false, _) => NumberKind::Alphanumeric,
        (true, true) => NumberKind::Mobile,
        (true, false) => NumberKind::Service,
    };
    Some(Number { kind, virtual_operator: false, canonical })
}
