//! User data headers (3GPP TS 23.040 §9.2.3.24).

use core::fmt;

/// Why a user data header can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UdhError {
    /// Announced, but the user data is empty.
    Missing,
    /// The header's length goes past the user data.
    Overrun {
        /// UDHL, octets.
        announced: u8,
        /// Octets after UDHL.
        available: usize,
    },
    /// An information element goes past the header.
    Element {
        /// Offset of its identifier, from the first octet after UDHL.
        offset: usize,
    },
}

impl fmt::Display for UdhError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Missing => f.write_str("a user data header is announced, but there is no user data"),
            Self::Overrun { announced, available } => {
                write!(f, "a user data header of {announced} octets in {available}")
            }
            Self::Element { offset } => write!(f, "the information element at {offset} goes past the header"),
        }
    }
}

impl core::error::Error for UdhError {}

/// The user data of one segment, as a PDU carries it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserData<'a> {
    /// Header, where there is one, and text.
    pub octets: &'a [u8],
    /// TP-UDHI (SMPP `esm_class`, CMPP `TP_udhi`) says that there is a header.
    pub has_udh: bool,
}

/// User data, split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts<'a> {
    /// The header; empty where there is none or it is broken.
    pub udh: Udh<'a>,
    /// What is wrong with the header.
    pub defect: Option<UdhError>,
    /// Octets the header takes, UDHL included; 0 for none.
    pub udh_bytes: usize,
    /// Everything after the header.
    pub text: &'a [u8],
}

impl<'a> UserData<'a> {
    /// User data without a header.
    #[must_use]
    pub const fn plain(octets: &'a [u8]) -> Self {
        Self { octets, has_udh: false }
    }

    /// Splits header and text, as a handset does: elements that don't fit their header make it void and leave the text
    /// behind it readable (§9.2.3.24); a header longer than the user data leaves everything readable.
    #[must_use]
    #[inline]
    pub fn parts(&self) -> Parts<'a> {
        if !self.has_udh {
            return Parts { text: self.octets, ..Parts::default() };
        }
        match Udh::new_checked(self.octets) {
            Ok((udh, text)) => Parts { udh, defect: None, udh_bytes: udh.octets.len() + 1, text },
            Err(defect @ UdhError::Element { .. }) => {
                let udh_bytes = self.octets.first().map_or(0, |&udhl| usize::from(udhl) + 1);
                let text = self.octets.get(udh_bytes..).unwrap_or_default();
                Parts { udh: Udh::default(), defect: Some(defect), udh_bytes, text }
            }
            Err(defect) => Parts { text: self.octets, defect: Some(defect), ..Parts::default() },
        }
    }
}

impl Parts<'_> {
    /// Which part of which message this is; `None` for a message of one part.
    #[must_use]
    pub fn concatenation(&self) -> Option<Concatenation> {
        self.udh.concatenation()
    }

    /// Bits between header and text where septets are packed behind a header (§9.2.3.24, figure 9.2.3.24 (a)): 0 to 6.
    #[must_use]
    pub const fn fill_bits(&self) -> u8 {
        match self.udh_bytes % 7 {
            0 => 0,
            1 => 6,
            2 => 5,
            3 => 4,
            4 => 3,
            5 => 2,
            _ => 1,
        }
    }
}

/// What tells one multi-part message of a sender from the next. The width and kind are part of it: parts with an 8-bit
/// reference never belong to a message with a 16-bit one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reference {
    /// IEI 0x00.
    Narrow(u8),
    /// IEI 0x08.
    Wide(u16),
    /// `sar_msg_ref_num` of SMPP.
    Sar(u16),
    /// CMPP's `Pk_total` and `Pk_number` without a header: the protocol has no reference.
    Unnumbered,
}

/// The place of a segment in its message. `total` is at least 2 and `number` lies in `1..=total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concatenation {
    /// Which message of the sender.
    pub reference: Reference,
    /// Parts of the message.
    pub total: u8,
    /// This part, from 1.
    pub number: u8,
}

impl Concatenation {
    /// `None` where the values can't be: a message of fewer than two parts, a number outside of `1..=total`. A handset
    /// ignores the element then and shows the segment alone (§9.2.3.24.1).
    #[must_use]
    pub const fn new(reference: Reference, total: u8, number: u8) -> Option<Self> {
        if total < 2 || number == 0 || number > total {
            return None;
        }
        Some(Self { reference, total, number })
    }
}

/// Identifiers of information elements (§9.2.3.24).
pub mod iei {
    /// Concatenation, 8-bit reference.
    pub const CONCATENATION_NARROW: u8 = 0x00;
    /// Application ports, 8-bit.
    pub const PORTS_NARROW: u8 = 0x04;
    /// Application ports, 16-bit.
    pub const PORTS_WIDE: u8 = 0x05;
    /// Concatenation, 16-bit reference.
    pub const CONCATENATION_WIDE: u8 = 0x08;
    /// National language single shift.
    pub const SINGLE_SHIFT: u8 = 0x24;
    /// National language locking shift.
    pub const LOCKING_SHIFT: u8 = 0x25;
}

/// One information element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// Identifier.
    pub iei: u8,
    /// Value.
    pub data: &'a [u8],
}

/// Application ports (§9.2.3.24.3, §9.2.3.24.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Of the receiver.
    pub destination: u16,
    /// Of the sender.
    pub source: u16,
}

/// A checked user data header: its elements fill it exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Udh<'a> {
    octets: &'a [u8],
}

impl<'a> Udh<'a> {
    /// The header at the start of `user_data`, and the text behind it.
    ///
    /// # Errors
    /// [`UdhError`] names the defect.
    #[inline]
    pub fn new_checked(user_data: &'a [u8]) -> Result<(Self, &'a [u8]), UdhError> {
        let (&announced, rest) = user_data.split_first().ok_or(UdhError::Missing)?;
        let Some((octets, text)) = rest.split_at_checked(usize::from(announced)) else {
            return Err(UdhError::Overrun { announced, available: rest.len() });
        };
        let mut elements = Elements { rest: octets };
        while elements.next().is_some() {}
        if elements.rest.is_empty() {
            Ok((Self { octets }, text))
        } else {
            Err(UdhError::Element { offset: octets.len() - elements.rest.len() })
        }
    }

    /// The elements, without UDHL.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// Walks the elements, in their order.
    #[must_use]
    pub const fn elements(&self) -> Elements<'a> {
        Elements { rest: self.octets }
    }

    /// The place in a multi-part message. Of several elements the last valid one counts (§9.2.3.24: a repeated element
    /// overrides).
    #[must_use]
    pub fn concatenation(&self) -> Option<Concatenation> {
        self.elements().filter_map(concatenation).last()
    }

    /// The national language of the single shift (extension) table.
    #[must_use]
    pub fn single_shift(&self) -> Option<u8> {
        self.language(iei::SINGLE_SHIFT)
    }

    /// The national language of the locking shift table.
    #[must_use]
    pub fn locking_shift(&self) -> Option<u8> {
        self.language(iei::LOCKING_SHIFT)
    }

    /// Application ports: the segment isn't for people to read then.
    #[must_use]
    pub fn ports(&self) -> Option<Ports> {
        self.elements().filter_map(ports).last()
    }

    fn language(&self, iei: u8) -> Option<u8> {
        self.elements().filter(|element| element.iei == iei).last().and_then(|element| match *element.data {
            [language] => Some(language),
            _ => None,
        })
    }
}

/// Walks information elements.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    #[inline]
    fn next(&mut self) -> Option<Element<'a>> {
        let (&[iei, length], rest) = self.rest.split_first_chunk::<2>()?;
        let (data, rest) = rest.split_at_checked(usize::from(length))?;
        self.rest = rest;
        Some(Element { iei, data })
    }
}

fn concatenation(element: Element<'_>) -> Option<Concatenation> {
    match (element.iei, element.data) {
        (iei::CONCATENATION_NARROW, &[reference, total, number]) => {
            Concatenation::new(Reference::Narrow(reference), total, number)
        }
        (iei::CONCATENATION_WIDE, &[r0, r1, total, number]) => {
            Concatenation::new(Reference::Wide(u16::from_be_bytes([r0, r1])), total, number)
        }
        _ => None,
    }
}

fn ports(element: Element<'_>) -> Option<Ports> {
    match (element.iei, element.data) {
        (iei::PORTS_NARROW, &[destination, source]) => {
            Some(Ports { destination: u16::from(destination), source: u16::from(source) })
        }
        (iei::PORTS_WIDE, &[d0, d1, s0, s1]) => {
            Some(Ports { destination: u16::from_be_bytes([d0, d1]), source: u16::from_be_bytes([s0, s1]) })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    #[test]
    fn both_widths_of_concatenation() {
        let (udh, text) = Udh::new_checked(&[5, 0, 3, 0x5A, 2, 1, b'h', b'i']).unwrap();
        assert_eq!(udh.concatenation(), Concatenation::new(Reference::Narrow(0x5A), 2, 1));
        assert_eq!(text, b"hi");
        let (udh, _) = Udh::new_checked(&[6, 8, 4, 0x12, 0x34, 3, 3]).unwrap();
        assert_eq!(udh.concatenation(), Concatenation::new(Reference::Wide(0x1234), 3, 3));
    }

    #[test]
    fn elements_come_in_any_order() {
        let header = [0x11, 0x05, 4, 0x0B, 0x84, 0x23, 0xF0, 0x24, 1, 1, 0x25, 1, 3, 0x00, 3, 9, 2, 2, b'x'];
        let (udh, text) = Udh::new_checked(&header).unwrap();
        assert_eq!(udh.ports(), Some(Ports { destination: 2948, source: 9200 }));
        assert_eq!((udh.single_shift(), udh.locking_shift()), (Some(1), Some(3)));
        assert_eq!(udh.concatenation(), Concatenation::new(Reference::Narrow(9), 2, 2));
        assert_eq!(text, b"x");
    }

    #[test]
    fn impossible_numbers_are_no_concatenation() {
        for (total, number) in [(0, 0), (1, 1), (2, 0), (2, 3)] {
            let header = [5, 0, 3, 7, total, number];
            assert_eq!(Udh::new_checked(&header).unwrap().0.concatenation(), None);
        }
    }

    #[test]
    fn each_defect_has_its_error_and_the_text_stays_readable() {
        assert_eq!(Udh::new_checked(&[]), Err(UdhError::Missing));
        assert_eq!(Udh::new_checked(&[3, 0, 3]), Err(UdhError::Overrun { announced: 3, available: 2 }));
        let broken = [5, 0, 9, 0x5A, 2, 1, b'h', b'i'];
        assert_eq!(Udh::new_checked(&broken), Err(UdhError::Element { offset: 0 }));
        let parts = UserData { octets: &broken, has_udh: true }.parts();
        assert_eq!((parts.text, parts.udh_bytes), (&b"hi"[..], 6));
        let overrun = UserData { octets: b"\xFFhi", has_udh: true }.parts();
        assert_eq!(overrun.text, b"\xFFhi");
        assert_eq!(UserData::plain(b"hi").parts().text, b"hi");
    }

    #[test]
    fn fill_bits_align_septets_behind_the_header() {
        for (udh_bytes, fill) in [(0, 0), (6, 1), (7, 0), (8, 6), (9, 5), (13, 1)] {
            assert_eq!(Parts { udh_bytes, ..Parts::default() }.fill_bits(), fill, "{udh_bytes}");
        }
    }

    proptest! {
        #[test]
        fn any_octets_split_without_losing_text(octets: Vec<u8>, has_udh: bool) {
            let parts = UserData { octets: &octets, has_udh }.parts();
            prop_assert!(octets.ends_with(parts.text));
            prop_assert_eq!(parts.udh_bytes + parts.text.len(), octets.len());
            prop_assert!(parts.fill_bits() < 7);
            let _ = (parts.udh.ports(), parts.udh.single_shift(), parts.concatenation());
        }
    }
}
