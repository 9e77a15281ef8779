//! Field parsers that every protocol shares.

use nom::IResult;
use nom::bytes::complete::take;

use crate::error::ParseError;

/// What a field parser gives: what is left, and the field.
pub(crate) type Step<'a, T> = IResult<&'a [u8], T, ParseError>;

pub(crate) use nom::number::complete::{be_u32, be_u64, u8};

/// Octets up to a NUL, which is consumed and not part of the value.
#[inline]
pub(crate) fn c_string(input: &[u8]) -> Step<'_, &[u8]> {
    let Some(end) = input.iter().position(|&octet| octet == 0) else {
        return Err(nom::Err::Error(ParseError::Unterminated));
    };
    match (input.get(..end), input.get(end + 1..)) {
        (Some(string), Some(rest)) => Ok((rest, string)),
        _ => Err(nom::Err::Error(ParseError::Truncated)),
    }
}

/// `size` octets.
#[inline]
pub(crate) fn octets<'a>(input: &'a [u8], size: usize) -> Step<'a, &'a [u8]> {
    take(size)(input)
}

/// An array of `N` octets.
#[inline]
pub(crate) fn array<const N: usize>(input: &[u8]) -> Step<'_, [u8; N]> {
    match input.split_first_chunk::<N>() {
        Some((array, rest)) => Ok((rest, *array)),
        None => Err(nom::Err::Error(ParseError::Truncated)),
    }
}

/// Octets behind their length in one octet.
#[inline]
pub(crate) fn counted(input: &[u8]) -> Step<'_, &[u8]> {
    let (input, length) = u8(input)?;
    octets(input, usize::from(length))
}

/// Nothing may be left.
pub(crate) const fn end(rest: &[u8]) -> Result<(), ParseError> {
    if rest.is_empty() { Ok(()) } else { Err(ParseError::TrailingOctets(rest.len())) }
}

/// An octet string without what follows its first NUL.
pub(crate) fn until_nul(octets: &[u8]) -> &[u8] {
    octets.split(|&octet| octet == 0).next().unwrap_or(octets)
}
