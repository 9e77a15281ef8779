//! Identity (RFC 8224 §4): a signed token, and where the certificate for it lies.

use super::lex::Values;

/// One value. The parts of the token are base64url texts; empty header and payload are the compact form (§4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity<'a> {
    /// Header and payload with the dot between them: what is signed.
    pub signed: &'a [u8],
    /// The header of the PASSporT.
    pub header: &'a [u8],
    /// Its payload.
    pub payload: &'a [u8],
    /// Its signature.
    pub signature: &'a [u8],
    /// Where the certificate lies, without the angle brackets.
    pub info: Option<&'a [u8]>,
    /// The algorithm, where it is named.
    pub alg: Option<&'a [u8]>,
    /// The extension of the PASSporT, where it has one.
    pub ppt: Option<&'a [u8]>,
}

impl<'a> Identity<'a> {
    /// All values of a header.
    pub fn values(header: &'a [u8]) -> impl Iterator<Item = Option<Self>> {
        Values::new(header).map(Self::parse)
    }

    /// Reads one value; `None` where it isn't three parts and parameters.
    #[must_use]
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let end = value.iter().position(|&octet| !is_token(octet)).unwrap_or(value.len());
        let (token, mut rest) = value.split_at_checked(end)?;
        let first = token.iter().position(|&octet| octet == b'.')?;
        let second = token.get(first + 1..)?.iter().position(|&octet| octet == b'.')? + first + 1;
        let signature = token.get(second + 1..)?;
        if signature.is_empty() || signature.contains(&b'.') {
            return None;
        }
        let mut found = Self {
            signed: token.get(..second)?,
            header: token.get(..first)?,
            payload: token.get(first + 1..second)?,
            signature,
            info: None,
            alg: None,
            ppt: None,
        };
        loop {
            rest = rest.trim_ascii();
            if rest.is_empty() {
                return Some(found);
            }
            let (name, value, behind) = param(rest.strip_prefix(b";")?)?;
            for (known, slot) in
                [(&b"info"[..], &mut found.info), (b"alg", &mut found.alg), (b"ppt", &mut found.ppt)]
            {
                if name.eq_ignore_ascii_case(known) && slot.replace(value).is_some() {
                    return None;
                }
            }
            rest = behind;
        }
    }

    /// Only the signature came: the verifier writes header and payload itself.
    #[must_use]
    pub const fn is_compact(&self) -> bool {
        self.header.is_empty() && self.payload.is_empty()
    }
}

/// `name=value`, `name="value"`, `name=<value>`, `name`; with what stands behind.
fn param(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let end = text.iter().position(|octet| b"=;".contains(octet)).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    let Some(value) = rest.strip_prefix(b"=") else { return Some((name.trim_ascii(), &[], rest)) };
    let value = value.trim_ascii_start();
    let close = match value.first() {
        Some(b'"') => b'"',
        Some(b'<') => b'>',
        _ => {
            let end = value.iter().position(|&octet| octet == b';').unwrap_or(value.len());
            let (value, rest) = value.split_at_checked(end)?;
            return Some((name.trim_ascii(), value.trim_ascii(), rest));
        }
    };
    let inner = value.get(1..)?;
    let end = inner.iter().position(|&octet| octet == close)?;
    Some((name.trim_ascii(), inner.get(..end)?, inner.get(end + 1..)?))
}

const fn is_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.' | b'=')
}
