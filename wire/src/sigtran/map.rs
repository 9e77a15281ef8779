//! GSM MAP short message operations (3GPP TS 29.002 §12.1, §12.2, §12.9): mo-ForwardSM, mt-ForwardSM, and the question
//! before it: which subscriber a number is, and where.

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
    /// sendRoutingInfoForSM.
    pub const SEND_ROUTING_INFO_FOR_SM: i32 = 45;
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

/// What a centre asks before it sends: sendRoutingInfoForSM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoutingInfoArgument<'a> {
    /// The subscriber's number: an AddressString.
    pub msisdn: &'a [u8],
    /// The message is to be tried although the subscriber isn't there.
    pub has_priority: bool,
    /// The centre that asks: an AddressString.
    pub centre: &'a [u8],
}

impl<'a> RoutingInfoArgument<'a> {
    /// The question that a component asks; `None` for any other component.
    #[must_use]
    pub fn of(component: &Component<'a>) -> Option<Self> {
        let argument = routing_info(component, ComponentKind::Invoke)?;
        let field = |number| argument.children().find(|field| field.tag.is_context(number));
        Some(Self { msisdn: field(0)?.value, has_priority: field(1)?.value != [0], centre: field(2)?.value })
    }
}

/// The answer to it: who the number's subscriber is, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoutingInfoResult<'a> {
    /// TBCD digits.
    pub imsi: &'a [u8],
    /// The exchange that serves the subscriber: an AddressString.
    pub node: Option<&'a [u8]>,
}

impl<'a> RoutingInfoResult<'a> {
    /// The answer that a component gives; `None` for any other component.
    #[must_use]
    pub fn of(component: &Component<'a>) -> Option<Self> {
        let result = routing_info(component, ComponentKind::ResultLast)?;
        let imsi = result.children().find(|field| field.tag == Tag::OCTET_STRING)?.value;
        let location = result.children().find(|field| field.tag.is_context(0));
        let node = location.and_then(|location| location.children().find(|field| field.tag.is_context(1)));
        Some(Self { imsi, node: node.map(|node| node.value) })
    }
}

fn routing_info<'a>(component: &Component<'a>, kind: ComponentKind) -> Option<Element<'a>> {
    let is_it = component.kind == kind && component.code == Some(operation::SEND_ROUTING_INFO_FOR_SM);
    component.parameter.filter(|parameter| is_it && parameter.tag == Tag::SEQUENCE)
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

    #[test]
    fn who_a_number_is() {
        let asked = [
            0x62, 0x1B, 0x6C, 0x19, 0xA1, 0x17, 0x02, 0x01, 0x01, 0x02, 0x01, 0x2D, 0x30, 0x0F, 0x80, 0x04,
            0x91, 0x68, 0x31, 0xF0, 0x81, 0x01, 0x01, 0x82, 0x04, 0x91, 0x68, 0x31, 0xF1,
        ];
        let parsed = Message::parse(&asked).unwrap();
        let argument = parsed.components().find_map(|component| RoutingInfoArgument::of(&component)).unwrap();
        assert_eq!((argument.msisdn, argument.has_priority), (&[0x91, 0x68, 0x31, 0xF0][..], true));
        assert_eq!(argument.centre, [0x91, 0x68, 0x31, 0xF1]);
        let told = [
            0x64, 0x1C, 0x6C, 0x1A, 0xA2, 0x18, 0x02, 0x01, 0x01, 0x30, 0x13, 0x02, 0x01, 0x2D, 0x30, 0x0E,
            0x04, 0x03, 0x64, 0x00, 0xF1, 0xA0, 0x07, 0x81, 0x05, 0x91, 0x68, 0x31, 0x00, 0xF2,
        ];
        let parsed = Message::parse(&told).unwrap();
        let result = parsed.components().find_map(|component| RoutingInfoResult::of(&component)).unwrap();
        assert_eq!(
            (result.imsi, result.node),
            (&[0x64, 0x00, 0xF1][..], Some(&[0x91, 0x68, 0x31, 0x00, 0xF2][..]))
        );
    }

    proptest! {
        #[test]
        fn any_octets_are_read_or_refused(octets: Vec<u8>) {
            let mut scratch = [0; ADDRESS_TEXT_BYTES_MAX];
            if let Ok(message) = Message::parse(&octets) {
                for component in message.components() {
                    let _ = (RoutingInfoArgument::of(&component), RoutingInfoResult::of(&component));
                    if let Some(forward) = ForwardSm::of(&component) {
                        let _ = (forward.destination.digits(&mut scratch), forward.is_mobile_terminated());
                    }
                }
            }
        }
    }
}
