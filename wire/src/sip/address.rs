//! `name-addr` and `addr-spec` (RFC 3261 §20.10): From, To, Contact, P-Asserted-Identity, Diversion, …

use super::lex::{self, Params, Step};
use super::uri::Uri;
use nom::Parser;
use nom::bytes::complete::{tag, take_while};

/// A display name, a URI, and parameters behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameAddr<'a> {
    /// Without quotes, escapes still in it; empty where there is none.
    pub display: &'a [u8],
    /// The URI.
    pub uri: Uri<'a>,
    /// Of the header, not of the URI.
    pub params: Params<'a>,
}

impl<'a> NameAddr<'a> {
    /// Reads one value that fills the header.
    #[must_use]
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let (rest, address) = name_addr(value).ok()?;
        rest.trim_ascii().is_empty().then_some(address)
    }

    /// Reads one value as lenient receivers do: where it isn't written as it should be, whatever stands before `<` is the
    /// display name.
    #[must_use]
    pub fn parse_loosely(value: &'a [u8]) -> Option<Self> {
        Self::parse(value).or_else(|| {
            let open = value.iter().position(|&octet| octet == b'<')?;
            let (display, rest) = value.split_at_checked(open)?;
            let (rest, uri) = bracketed(rest).ok()?;
            let (_, params) = Params::take(rest);
            Some(Self { display: display.trim_ascii(), uri: Uri::parse(uri)?, params })
        })
    }

    /// The `tag` parameter.
    #[must_use]
    pub fn tag(&self) -> Option<&'a [u8]> {
        self.params.value(b"tag")
    }
}

/// The values of a header that holds several, by commas. It ends at the first that can't be read.
#[derive(Clone, Copy, Debug)]
pub struct NameAddrs<'a>(&'a [u8]);

impl<'a> NameAddrs<'a> {
    /// Of a header's value.
    #[must_use]
    pub const fn new(value: &'a [u8]) -> Self {
        Self(value)
    }

    /// Nothing is left: everything could be read.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> Iterator for NameAddrs<'a> {
    type Item = NameAddr<'a>;

    fn next(&mut self) -> Option<NameAddr<'a>> {
        let (rest, address) = name_addr(self.0).ok()?;
        let rest = rest.trim_ascii_start();
        self.0 = match rest.split_first() {
            None => &[],
            Some((b',', rest)) => rest,
            Some(_) => return None,
        };
        Some(address)
    }
}

fn name_addr(input: &[u8]) -> Step<'_, NameAddr<'_>> {
    let (input, _) = lex::lws(input)?;
    let (display, behind) = match lex::quoted(input) {
        Ok((behind, display)) => (display, lex::lws(behind)?.0),
        Err(_) => {
            let mut words = take_while(|octet| lex::is_token(octet) || lex::is_lws(octet));
            let (behind, display) = words.parse(input)?;
            (display.trim_ascii_end(), behind)
        }
    };
    let (rest, uri) = if behind.first() == Some(&b'<') {
        bracketed(behind)?
    } else {
        // Without brackets `;`, `,` and `?` belong to the header, not to the URI.
        let (rest, spec) =
            take_while(|octet| !lex::is_lws(octet) && !b";,?<>\"".contains(&octet)).parse(input)?;
        if rest.first() == Some(&b'?') {
            return Err(nom::Err::Error(()));
        }
        (rest, spec)
    };
    let display = if behind.first() == Some(&b'<') { display } else { &[] };
    let uri = Uri::parse(uri).ok_or(nom::Err::Error(()))?;
    let (rest, params) = Params::take(rest);
    Ok((rest, NameAddr { display, uri, params }))
}

fn bracketed(input: &[u8]) -> Step<'_, &[u8]> {
    let (inner, _) = tag(&b"<"[..]).parse(input)?;
    let (rest, uri) = take_while(|octet| octet != b'>').parse(inner)?;
    let (rest, _) = tag(&b">"[..]).parse(rest)?;
    Ok((rest, uri))
}
