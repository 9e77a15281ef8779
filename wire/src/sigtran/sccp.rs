//! SCCP connectionless messages (Q.713 §4.10 to 4.21).

use crate::address::AddressText;
use crate::error::ParseError;
use crate::octets::{Step, array, octets, u8};
use crate::tpdu::bcd;

/// Message types (Q.713 §2.1).
pub mod kind {
    /// Unitdata.
    pub const UDT: u8 = 0x09;
    /// Unitdata service: an undelivered UDT comes back.
    pub const UDTS: u8 = 0x0A;
    /// Extended unitdata.
    pub const XUDT: u8 = 0x11;
    /// Extended unitdata service.
    pub const XUDTS: u8 = 0x12;
    /// Long unitdata.
    pub const LUDT: u8 = 0x13;
    /// Long unitdata service.
    pub const LUDTS: u8 = 0x14;
}

/// A connectionless message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// See [`kind`].
    pub kind: u8,
    /// Protocol class and message handling; the return cause of a service message.
    pub class_or_cause: u8,
    /// Who is addressed.
    pub called: Party<'a>,
    /// Who sends.
    pub calling: Party<'a>,
    /// User data, or a segment of it.
    pub data: &'a [u8],
    /// Set for a segment.
    pub segmentation: Option<Segmentation>,
}

/// Which segment of which message (Q.713 §3.17).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segmentation {
    /// This is the first one.
    pub first: bool,
    /// Segments that follow.
    pub remaining: u8,
    /// Which message of the sender.
    pub local_reference: u32,
}

/// An address (Q.713 §3.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Party<'a> {
    /// Signalling point code, where there is one.
    pub point_code: Option<u16>,
    /// Subsystem number, where there is one.
    pub subsystem: Option<u8>,
    /// Routed on the subsystem number, not on the global title.
    pub routed_on_subsystem: bool,
    /// Nature of address indicator, where there is one.
    pub nature: Option<u8>,
    /// The address as it stands.
    pub octets: &'a [u8],
    digits: &'a [u8],
    digit_count: usize,
}

impl<'a> Message<'a> {
    /// Reads a message. `None` for kinds that aren't connectionless.
    ///
    /// # Errors
    /// [`ParseError::Truncated`] where a pointer or a length goes past the message.
    pub fn parse(message: &'a [u8]) -> Result<Option<Self>, ParseError> {
        let (rest, kind) = u8(message)?;
        let (has_hops, long) = match kind {
            kind::UDT | kind::UDTS => (false, false),
            kind::XUDT | kind::XUDTS => (true, false),
            kind::LUDT | kind::LUDTS => (true, true),
            _ => return Ok(None),
        };
        let (rest, class_or_cause) = u8(rest)?;
        let (rest, _hops) = octets(rest, usize::from(has_hops))?;
        let pointer = |index: usize| target(rest, index, long);
        let short = |at: usize| counted_at(rest, at, false);
        let called = short(pointer(0)?.ok_or(ParseError::Truncated)?)?;
        let calling = short(pointer(1)?.ok_or(ParseError::Truncated)?)?;
        let data = counted_at(rest, pointer(2)?.ok_or(ParseError::Truncated)?, long)?;
        let optional = if has_hops { pointer(3)? } else { None };
        let segmentation = optional.and_then(|at| segmentation(rest.get(at..)?));
        Ok(Some(Self {
            kind,
            class_or_cause,
            called: Party::parse(called)?,
            calling: Party::parse(calling)?,
            data,
            segmentation,
        }))
    }

    /// An undelivered message on its way back: it was seen before, when it was sent.
    #[must_use]
    pub const fn is_returned(&self) -> bool {
        matches!(self.kind, kind::UDTS | kind::XUDTS | kind::LUDTS)
    }
}

impl<'a> Party<'a> {
    fn parse(address: &'a [u8]) -> Result<Self, ParseError> {
        let Some((&indicator, rest)) = address.split_first() else { return Ok(Self::default()) };
        let mut party =
            Self { routed_on_subsystem: indicator & 0x40 != 0, octets: address, ..Self::default() };
        let mut rest = rest;
        if indicator & 0x01 != 0 {
            let (behind, code) = array::<2>(rest)?;
            party.point_code = Some(u16::from_le_bytes(code) & 0x3FFF);
            rest = behind;
        }
        if indicator & 0x02 != 0 {
            let (behind, subsystem) = u8(rest)?;
            party.subsystem = Some(subsystem);
            rest = behind;
        }
        party.title(indicator >> 2 & 0x0F, rest)?;
        Ok(party)
    }

    /// The global title, by its indicator (Q.713 §3.4.2.3).
    fn title(&mut self, indicator: u8, octets: &'a [u8]) -> Result<(), ParseError> {
        let (digits, odd) = match indicator {
            1 => {
                let (digits, nature) = u8(octets)?;
                self.nature = Some(nature & 0x7F);
                (digits, nature & 0x80 != 0)
            }
            3 => {
                let (digits, [_translation, plan]) = array::<2>(octets)?;
                (digits, plan & 0x0F == 1)
            }
            4 => {
                let (digits, [_translation, plan, nature]) = array::<3>(octets)?;
                self.nature = Some(nature & 0x7F);
                (digits, plan & 0x0F == 1)
            }
            _ => return Ok(()),
        };
        self.digits = digits;
        self.digit_count = (digits.len() * 2).saturating_sub(usize::from(odd));
        Ok(())
    }

    /// The digits of the global title; empty where there is none.
    #[must_use]
    pub fn digits<'t>(&self, scratch: &'t mut AddressText) -> &'t str {
        bcd(self.digits, self.digit_count, scratch)
    }
}

/// Where the pointer of that number leads, from the first pointer on; `None` for 0, which leads nowhere.
fn target(pointers: &[u8], index: usize, long: bool) -> Result<Option<usize>, ParseError> {
    let at = if long { index * 2 } else { index };
    let rest = pointers.get(at..).unwrap_or_default();
    // A pointer counts from itself; a long one from its second octet (Q.713 §2.3).
    let (base, value) = if long {
        (at + 1, usize::from(u16::from_le_bytes(array::<2>(rest)?.1)))
    } else {
        (at, usize::from(u8(rest)?.1))
    };
    Ok((value > 0).then_some(base + value))
}

fn counted_at(octets_: &[u8], at: usize, long: bool) -> Result<&[u8], ParseError> {
    let rest = octets_.get(at..).ok_or(ParseError::Truncated)?;
    let (rest, length): (&[u8], usize) = if long {
        let (rest, length) = array::<2>(rest)?;
        (rest, usize::from(u16::from_le_bytes(length)))
    } else {
        let (rest, length) = u8(rest)?;
        (rest, usize::from(length))
    };
    Ok(octets(rest, length)?.1)
}

/// Looks for segmentation in the optional part.
fn segmentation(mut optional: &[u8]) -> Option<Segmentation> {
    const END: u8 = 0;
    const SEGMENTATION: u8 = 0x10;
    loop {
        let (rest, (name, value)) = parameter(optional).ok()?;
        if name == END {
            return None;
        }
        if let (SEGMENTATION, &[bits, r0, r1, r2]) = (name, value) {
            return Some(Segmentation {
                first: bits & 0x80 != 0,
                remaining: bits & 0x0F,
                local_reference: u32::from_le_bytes([r0, r1, r2, 0]),
            });
        }
        optional = rest;
    }
}

fn parameter(input: &[u8]) -> Step<'_, (u8, &[u8])> {
    let (rest, name) = u8(input)?;
    if name == 0 {
        return Ok((rest, (name, &[])));
    }
    let (rest, length) = u8(rest)?;
    let (rest, value) = octets(rest, usize::from(length))?;
    Ok((rest, (name, value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::ADDRESS_TEXT_BYTES_MAX;

    #[test]
    fn a_unitdata_with_global_titles() {
        let message = [
            0x09, 0x80, 3, 12, 14, 9, 0x12, 0x08, 0, 0x11, 4, 0x68, 0x31, 0x00, 0x01, 2, 0x42, 0x06, 2, 0xAB,
            0xCD,
        ];
        let parsed = Message::parse(&message).unwrap().unwrap();
        let mut scratch = [0; ADDRESS_TEXT_BYTES_MAX];
        assert_eq!(parsed.called.digits(&mut scratch), "8613001");
        assert_eq!((parsed.called.subsystem, parsed.calling.subsystem), (Some(8), Some(6)));
        assert!(parsed.calling.routed_on_subsystem && !parsed.called.routed_on_subsystem);
        assert_eq!(parsed.data, [0xAB, 0xCD]);
    }

    #[test]
    fn a_segment_of_an_extended_unitdata() {
        let message =
            [0x11, 0x81, 15, 4, 6, 8, 9, 2, 0x42, 8, 2, 0x42, 6, 1, 0xAB, 0x10, 4, 0xC1, 1, 2, 3, 0];
        let parsed = Message::parse(&message).unwrap().unwrap();
        assert_eq!(parsed.data, [0xAB]);
        assert_eq!(
            parsed.segmentation,
            Some(Segmentation { first: true, remaining: 1, local_reference: 0x03_0201 })
        );
    }

    #[test]
    fn pointers_past_the_end_are_refused() {
        assert_eq!(Message::parse(&[0x09, 0, 200, 1, 1]), Err(ParseError::Truncated));
        assert_eq!(Message::parse(&[0x01, 0, 0]), Ok(None));
    }
}
