//! Basic encoding rules (X.690): one element at a time.

use crate::error::ParseError;
use crate::octets::Step;

/// Class of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Universal.
    Universal,
    /// Application.
    Application,
    /// Context-specific.
    Context,
    /// Private.
    Private,
}

/// A tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Class.
    pub class: Class,
    /// The value holds elements.
    pub constructed: bool,
    /// Number.
    pub number: u32,
}

impl Tag {
    /// INTEGER.
    pub const INTEGER: Self = Self { class: Class::Universal, constructed: false, number: 2 };
    /// OCTET STRING.
    pub const OCTET_STRING: Self = Self { class: Class::Universal, constructed: false, number: 4 };
    /// OBJECT IDENTIFIER.
    pub const OBJECT_ID: Self = Self { class: Class::Universal, constructed: false, number: 6 };
    /// SEQUENCE.
    pub const SEQUENCE: Self = Self { class: Class::Universal, constructed: true, number: 16 };

    /// `[APPLICATION number]`, constructed or not.
    #[must_use]
    pub fn is_application(self, number: u32) -> bool {
        self.class == Class::Application && self.number == number
    }

    /// `[number]`, constructed or not.
    #[must_use]
    pub fn is_context(self, number: u32) -> bool {
        self.class == Class::Context && self.number == number
    }
}

/// An element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// Its tag.
    pub tag: Tag,
    /// Its value, without end-of-contents octets.
    pub value: &'a [u8],
}

impl<'a> Element<'a> {
    /// The first element of `input`, and what is left.
    ///
    /// # Errors
    /// [`ParseError::Truncated`] where it ends after `input`, or its tag or length is longer than anything here needs.
    pub fn parse(input: &'a [u8]) -> Step<'a, Self> {
        let (rest, (tag, length)) = header(input)?;
        let Some(length) = length else {
            let (behind, value) = until_end_of_contents(rest)?;
            return Ok((behind, Self { tag, value }));
        };
        let (value, rest) = rest.split_at_checked(length).ok_or(TRUNCATED)?;
        Ok((rest, Self { tag, value }))
    }

    /// The elements in its value.
    #[must_use]
    pub const fn children(&self) -> Elements<'a> {
        Elements { rest: self.value }
    }

    /// A small INTEGER; `None` where it is longer than four octets.
    #[must_use]
    pub fn integer(&self) -> Option<i32> {
        let (&first, rest) = self.value.split_first()?;
        if rest.len() > 3 {
            return None;
        }
        let sign = i32::from(i8::from_be_bytes([first]));
        Some(rest.iter().fold(sign, |value, &octet| value << 8 | i32::from(octet)))
    }
}

/// Walks elements until they end or can't be read.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    /// The elements of `octets`.
    #[must_use]
    pub const fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        match Element::parse(self.rest) {
            Ok((rest, element)) => {
                self.rest = rest;
                Some(element)
            }
            Err(_) => {
                self.rest = &[];
                None
            }
        }
    }
}

const TRUNCATED: nom::Err<ParseError> = nom::Err::Error(ParseError::Truncated);

/// A tag and its length; `None` for the indefinite form.
fn header(input: &[u8]) -> Step<'_, (Tag, Option<usize>)> {
    let (&first, mut rest) = input.split_first().ok_or(TRUNCATED)?;
    let class = match first >> 6 {
        0 => Class::Universal,
        1 => Class::Application,
        2 => Class::Context,
        _ => Class::Private,
    };
    let mut number = u32::from(first & 0x1F);
    if number == 0x1F {
        number = 0;
        for taken in 0.. {
            let (&octet, behind) = rest.split_first().ok_or(TRUNCATED)?;
            if taken == 4 {
                return Err(TRUNCATED);
            }
            rest = behind;
            number = number << 7 | u32::from(octet & 0x7F);
            if octet & 0x80 == 0 {
                break;
            }
        }
    }
    let tag = Tag { class, constructed: first & 0x20 != 0, number };
    let (&length, rest) = rest.split_first().ok_or(TRUNCATED)?;
    if length == 0x80 {
        return Ok((rest, (tag, None)));
    }
    if length < 0x80 {
        return Ok((rest, (tag, Some(usize::from(length)))));
    }
    let (octets, rest) = rest.split_at_checked(usize::from(length & 0x7F)).ok_or(TRUNCATED)?;
    if octets.len() > 3 {
        return Err(TRUNCATED);
    }
    let length = octets.iter().fold(0, |length, &octet| length << 8 | usize::from(octet));
    Ok((rest, (tag, Some(length))))
}

/// The value of the indefinite form (X.690 §8.1.3.6), and what follows its end-of-contents. Depth is counted, not
/// recursed into.
fn until_end_of_contents(input: &[u8]) -> Step<'_, &[u8]> {
    let mut rest = input;
    let mut depth = 1usize;
    loop {
        if let [0, 0, behind @ ..] = rest {
            depth -= 1;
            if depth == 0 {
                let value = input.get(..input.len() - rest.len()).ok_or(TRUNCATED)?;
                return Ok((behind, value));
            }
            rest = behind;
            continue;
        }
        let (behind, (_, length)) = header(rest)?;
        rest = match length {
            Some(length) => behind.get(length..).ok_or(TRUNCATED)?,
            None => {
                depth += 1;
                behind
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definite_indefinite_and_long() {
        let (rest, element) = Element::parse(&[0x30, 0x03, 0x02, 0x01, 0xFE, 9]).unwrap();
        assert_eq!((rest, element.tag), (&[9][..], Tag::SEQUENCE));
        assert_eq!(element.children().next().unwrap().integer(), Some(-2));
        let nested = [0x30, 0x80, 0x30, 0x80, 0x04, 0x02, 0, 0, 0, 0, 0, 0, 7];
        let (rest, element) = Element::parse(&nested).unwrap();
        assert_eq!((rest, element.value), (&[7][..], &nested[2..10]));
        let (_, element) = Element::parse(&[0xBF, 0x81, 0x05, 0x81, 0x01, 0xAA]).unwrap();
        assert_eq!((element.tag.number, element.value), (0x85, &[0xAA][..]));
    }

    #[test]
    fn what_never_ends_is_refused() {
        for octets in
            [&[0x30, 0x80][..], &[0x30, 0x84, 1, 0, 0, 0], &[0x1F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0], &[]]
        {
            assert!(Element::parse(octets).is_err(), "{octets:x?}");
        }
    }
}
