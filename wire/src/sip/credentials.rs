//! Challenges and credentials (RFC 3261 §20.7, §20.44; RFC 7616): `Digest realm="…", nonce="…"`.

use super::lex::{self, Param};
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::take_while1;

/// A scheme and its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials<'a> {
    /// `Digest`, most often.
    pub scheme: &'a [u8],
    params: &'a [u8],
}

impl<'a> Credentials<'a> {
    /// Reads a header's value.
    #[must_use]
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let (rest, _) = lex::lws(value).ok()?;
        let (params, scheme) = lex::token(rest).ok()?;
        Some(Self { scheme, params })
    }

    /// Its parameters, up to the first that can't be read; values without their quotes.
    pub fn params(&self) -> impl Iterator<Item = Param<'a>> + use<'a> {
        let mut rest = self.params;
        core::iter::from_fn(move || {
            let (behind, param) = param(rest).ok()?;
            rest = match behind.trim_ascii_start() {
                [b',', rest @ ..] => rest,
                _ => &[],
            };
            Some(param)
        })
    }
}

fn param(input: &[u8]) -> lex::Step<'_, Param<'_>> {
    let (input, _) = lex::lws(input)?;
    let (input, name) = lex::token(input)?;
    let (input, ()) = lex::separator(b"=", input)?;
    let unquoted = take_while1(|octet| octet != b',' && !lex::is_lws(octet));
    let (input, value) = alt((lex::quoted, unquoted)).parse(input)?;
    Ok((input, Param { name, value: Some(value) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    #[test]
    fn a_challenge() {
        let challenge =
            Credentials::parse(b"Digest realm=\"own, and other\" ,nonce=\"a=b==\", stale=FALSE,qop=auth")
                .unwrap();
        let params: Vec<_> = challenge.params().map(|param| (param.name, param.value.unwrap())).collect();
        assert_eq!(challenge.scheme, b"Digest");
        assert_eq!(
            params,
            [
                (&b"realm"[..], &b"own, and other"[..]),
                (b"nonce", b"a=b=="),
                (b"stale", b"FALSE"),
                (b"qop", b"auth")
            ]
        );
    }

    proptest! {
        #[test]
        fn any_octets(octets: Vec<u8>) {
            if let Some(credentials) = Credentials::parse(&octets) {
                prop_assert!(credentials.params().count() <= octets.len());
            }
        }
    }
}
