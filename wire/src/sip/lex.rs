//! RFC 3261 §25.1: the tokens that every header is made of.

use nom::IResult;
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::combinator::opt;
use nom::sequence::preceded;

/// What a field parser gives. What is wrong beyond "it doesn't fit" is said by the header's own parser.
pub(super) type Step<'a, T> = IResult<&'a [u8], T, ()>;

pub(super) const fn is_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(octet, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
}

/// Inside a header's value a line end is always followed by a blank: a fold, and so white space.
pub(super) const fn is_lws(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

pub(super) fn lws(input: &[u8]) -> Step<'_, &[u8]> {
    take_while(is_lws).parse(input)
}

pub(super) fn token(input: &[u8]) -> Step<'_, &[u8]> {
    take_while1(is_token).parse(input)
}

/// A separator with white space on both sides.
pub(super) fn separator<'a>(mark: &'static [u8], input: &'a [u8]) -> Step<'a, ()> {
    let (input, _) = lws(input)?;
    let (input, _) = tag(mark).parse(input)?;
    let (input, _) = lws(input)?;
    Ok((input, ()))
}

/// What stands between two quotes, escapes still in it.
pub(super) fn quoted(input: &[u8]) -> Step<'_, &[u8]> {
    let (inner, _) = tag(&b"\""[..]).parse(input)?;
    let mut at = 0;
    loop {
        match inner.get(at) {
            Some(b'"') => break,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
            None => return Err(nom::Err::Error(())),
        }
    }
    match inner.split_at_checked(at) {
        Some((text, rest)) => Ok((rest.get(1..).unwrap_or_default(), text)),
        None => Err(nom::Err::Error(())),
    }
}

/// `name` or `name=value` of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param<'a> {
    /// As it stands; compare it without case.
    pub name: &'a [u8],
    /// Without quotes, escapes still in it.
    pub value: Option<&'a [u8]>,
}

/// Parameters behind a header's value: `;a=b;c`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params<'a>(&'a [u8]);

impl<'a> Params<'a> {
    /// Takes parameters as far as they go.
    pub(super) fn take(input: &'a [u8]) -> (&'a [u8], Self) {
        let mut rest = input;
        while let Ok((behind, _)) = param(rest) {
            rest = behind;
        }
        let length = input.len().saturating_sub(rest.len());
        (rest, Self(input.get(..length).unwrap_or_default()))
    }

    /// The first parameter of that name.
    #[must_use]
    pub fn named(&self, name: &[u8]) -> Option<Param<'a>> {
        let mut params = *self;
        params.find(|param| param.name.eq_ignore_ascii_case(name))
    }

    /// The value of the first parameter of that name; empty where it has none.
    #[must_use]
    pub fn value(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.named(name).map(|param| param.value.unwrap_or_default())
    }
}

impl<'a> Iterator for Params<'a> {
    type Item = Param<'a>;

    fn next(&mut self) -> Option<Param<'a>> {
        let (rest, found) = param(self.0).ok()?;
        self.0 = rest;
        Some(found)
    }
}

fn param(input: &[u8]) -> Step<'_, Param<'_>> {
    let (input, ()) = separator(b";", input)?;
    let (input, name) = token(input)?;
    let value = alt((quoted, take_while1(is_value)));
    let (input, value) = opt(preceded(|input| separator(b"=", input), value)).parse(input)?;
    Ok((input, Param { name, value }))
}

/// A token, a host (an IPv6 reference too), or what vendors put there unquoted.
const fn is_value(octet: u8) -> bool {
    is_token(octet) || matches!(octet, b'[' | b']' | b':' | b'/' | b'@' | b'&' | b'$' | b'?')
}

/// The values of a header that holds several, by commas outside quotes and angle brackets; each without white space
/// around it.
#[derive(Clone, Debug)]
pub struct Values<'a>(Option<&'a [u8]>);

impl<'a> Values<'a> {
    /// Of a header's value.
    #[must_use]
    pub const fn new(value: &'a [u8]) -> Self {
        Self(Some(value))
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.0?;
        let (mut quoted, mut escaped, mut bracketed) = (false, false, false);
        let comma = rest.iter().position(|&octet| {
            match octet {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' if !bracketed => quoted = !quoted,
                b'<' if !quoted => bracketed = true,
                b'>' if !quoted => bracketed = false,
                b',' => return !quoted && !bracketed,
                _ => {}
            }
            false
        });
        let (value, behind) = match comma {
            Some(comma) => (rest.get(..comma)?, rest.get(comma + 1..)),
            None => (rest, None),
        };
        self.0 = behind;
        Some(value.trim_ascii())
    }
}

/// A decimal number of at most `max`; more digits than fit are too many, not an overflow.
pub(super) fn number(text: &[u8], max: u32) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    let mut value = 0u32;
    for octet in text {
        if !octet.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u32::from(octet - b'0'))?;
    }
    (value <= max).then_some(value)
}
