//! GSM MAP short message operations (3GPP TS 29.002 §12.2, §12.9): mo-ForwardSM and mt-ForwardSM.

use super::ber::{Class, Element, Tag};
use super::tcap::{Component, ComponentKind};
use crate::address::AddressText;
use crate::tpdu::bcd;

/// Operation codes (3GPP TS 29.002 §17.5).
pub mod operation {
    /// mt-ForwardSM.
    pub const MT_FORWARD_SM: i32 = 44;
    /// mo-ForwardSM; before version 3, ForwardSM in either direction.
    pub const FORWARD_SM: i32 = 46;
}

/// A short message between a centre and an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForwardSm<'a> {
    /// SM-RP-DA.
    pub destination: RpAddress<'a>,
    /// SM-RP-OA.
    pub originator: RpAddress<'a>,
    /// SM-RP-UI: the TPDU.
    pub tpdu: &'a [u8],
}

/// Who sends or receives at the relay layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RpAddress<'a> {
    /// The subscriber, by identity: TBCD digits.
    Imsi(&'a [u8]),
    /// The subscriber, by the visited exchange's own reference.
    Lmsi(&'a [u8]),
    /// The subscriber, by number: an AddressString.
    Msisdn(&'a [u8]),
    /// A service centre: an AddressString.
    Centre(&'a [u8]),
    /// Given earlier in the dialogue, or not at all.
    Absent,
}

impl<'a> ForwardSm<'a> {
    /// The message that a component carries; `None` for any other component.
    #[must_use]
    pub fn of(component: &Component<'a>) -> Option<Self> {
        let is_forward = component.kind == ComponentKind::Invoke
            && matches!(component.code, Some(operation::MT_FORWARD_SM | operation::FORWARD_SM));
        let argument = component.parameter.filter(|argument| is_forward && argument.tag == Tag::SEQUENCE)?;
        let mut fields = argument.children();
        let destination = RpAddress::of(&fields.next()?, true)?;
        let originator = RpAddress::of(&fields.next()?, false)?;
        let tpdu = fields.next().filter(|field| field.tag == Tag::OCTET_STRING)?.value;
        Some(Self { destination, originator, tpdu })
    }

    /// From the centre to a subscriber.
    #[must_use]
    pub const fn is_mobile_terminated(&self) -> bool {
        !matches!(self.destination, RpAddress::Centre(_)) && !matches!(self.originator, RpAddress::Msisdn(_))
    }
}

impl<'a> RpAddress<'a> {
    fn of(element: &Element<'a>, is_destination: bool) -> Option<Self> {
        if element.tag.class != Class::Context {
            return None;
        }
        match (element.tag.number, is_destination) {
            (0, true) => Some(Self::Imsi(element.value)),
            (1, true) => Some(Self::Lmsi(element.value)),
            (2, false) => Some(Self::Msisdn(element.value)),
            (4, _) => Some(Self::Centre(element.value)),
            (5, _) => Some(Self::Absent),
            _ => None,
        }
    }

    /// The digits; empty for an LMSI or where there is nothing.
    #[must_use]
    pub fn digits<'t>(&self, scratch: &'t mut AddressText) -> &'t str {
        match self {
            Self::Imsi(octets) => bcd(octets, octets.len() * 2, scratch),
            Self::Msisdn(octets) | Self::Centre(octets) => {
                let digits = octets.get(1..).unwrap_or_default();
                bcd(digits, digits.len() * 2, scratch)
            }
            Self::Lmsi(_) | Self::Absent => "",
        }
    }

    /// Type of number and numbering plan, as 3GPP TS 29.002 §17.7.8 has them: nature in bits 7 to 5, plan below.
    #[must_use]
    pub fn type_of_address(&self) -> u8 {
        match self {
            Self::Msisdn(octets) | Self::Centre(octets) => octets.first().copied().unwrap_or_default(),
            Self::Imsi(_) | Self::Lmsi(_) | Self::Absent => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::ADDRESS_TEXT_BYTES_MAX;
    use crate::sigtran::tcap::Message;
    use proptest::prelude::*;
    use std::vec::Vec;

    #[test]
    fn a_message_to_a_subscriber() {
        let message = [
            0x62, 0x1C, 0x6C, 0x1A, 0xA1, 0x18, 0x02, 0x01, 0x01, 0x02, 0x01, 0x2C, 0x30, 0x10, 0x80, 0x03,
            0x64, 0x00, 0xF1, 0x84, 0x04, 0x91, 0x68, 0x31, 0xF0, 0x04, 0x03, 0x04, 0x00, 0x91,
        ];
        let parsed = Message::parse(&message).unwrap();
        let forward = parsed.components().find_map(|component| ForwardSm::of(&component)).unwrap();
        assert!(forward.is_mobile_terminated());
        let mut scratch = [0; ADDRESS_TEXT_BYTES_MAX];
        assert_eq!(forward.destination.digits(&mut scratch), "46001");
        assert_eq!(forward.originator.digits(&mut scratch), "86130");
        assert_eq!(forward.tpdu, [4, 0, 0x91]);
    }

    proptest! {
        #[test]
        fn any_octets_are_read_or_refused(octets: Vec<u8>) {
            let mut scratch = [0; ADDRESS_TEXT_BYTES_MAX];
            if let Ok(message) = Message::parse(&octets) {
                for component in message.components() {
                    if let Some(forward) = ForwardSm::of(&component) {
                        let _ = (forward.destination.digits(&mut scratch), forward.is_mobile_terminated());
                    }
                }
            }
        }
    }
}
