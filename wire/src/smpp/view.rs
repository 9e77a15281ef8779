//! What a gateway needs of a PDU that carries a message, in one pass.

use super::multi::{DestinationIter, Destinations};
use super::sm::{address, tail};
use super::tlv::TlvIter;
use super::{CommandId, Destination, EsmClass, Pdu, Tag, Tlvs};
use crate::address::RawAddress;
use crate::error::ParseError;
use crate::octets::{Step, c_string, counted, u8};
use crate::udh::{Concatenation, Reference, UserData};

/// The `sar_*` parameters (SMPP 3.4 §5.3.2.22 to 24), all three given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sar {
    /// `sar_msg_ref_num`.
    pub reference: u16,
    /// `sar_total_segments`.
    pub total: u8,
    /// `sar_segment_seqnum`, from 1.
    pub number: u8,
}

/// The destinations of a viewed message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewedDestinations<'a> {
    /// `submit_sm`, `deliver_sm`, `data_sm`.
    One(RawAddress<'a>),
    /// `submit_multi`.
    Many(Destinations<'a>),
    /// The PDU names none: `replace_sm` (those of the replaced message), `broadcast_sm` (an area).
    Unnamed,
}

/// A message as it stands in `submit_sm`, `deliver_sm`, `submit_multi`, `data_sm`, `replace_sm` or `broadcast_sm`.
#[derive(Clone, Copy, Debug)]
pub struct MessageView<'a> {
    /// Which of them.
    pub command_id: CommandId,
    /// Pairs the response.
    pub sequence_number: u32,
    /// Which SMS application service.
    pub service_type: &'a [u8],
    /// Who sends.
    pub source: RawAddress<'a>,
    /// Who receives.
    pub destinations: ViewedDestinations<'a>,
    /// Mode, type, UDHI.
    pub esm_class: EsmClass,
    /// How the text is coded. `None` for `replace_sm`, which keeps the coding of the message it replaces.
    pub data_coding: Option<u8>,
    /// Which receipts are asked for.
    pub registered_delivery: u8,
    /// A message stored at the centre that is sent instead of the text; 0 for none.
    pub sm_default_msg_id: u8,
    /// The text in the fixed part; empty where there is none.
    pub short_message: &'a [u8],
    /// The first `message_payload`.
    pub message_payload: Option<&'a [u8]>,
    /// Segmentation by TLVs.
    pub sar: Option<Sar>,
    /// All optional parameters.
    pub tlvs: Tlvs<'a>,
}

impl<'a> MessageView<'a> {
    /// Views a PDU that [`carries_message`](CommandId::carries_message).
    ///
    /// # Errors
    /// [`ParseError::WrongCommand`] for any other; [`ParseError`] where the layout is broken.
    #[inline]
    pub fn parse(pdu: &Pdu<'a>) -> Result<Self, ParseError> {
        let body = pdu.body_octets();
        let (rest, view) = match pdu.command_id() {
            CommandId::SUBMIT_SM | CommandId::DELIVER_SM => single(body)?,
            CommandId::SUBMIT_MULTI => multi(body)?,
            CommandId::DATA_SM => data(body)?,
            CommandId::REPLACE_SM => replace(body)?,
            CommandId::BROADCAST_SM => broadcast(body)?,
            other => return Err(ParseError::WrongCommand(other.0)),
        };
        let mut view = Self {
            command_id: pdu.command_id(),
            sequence_number: pdu.sequence_number(),
            tlvs: Tlvs::new(rest),
            ..view
        };
        view.read_tlvs();
        Ok(view)
    }

    /// The text that a handset shows: `short_message`, or `message_payload` where that is empty (§5.3.2.32).
    /// [`texts`](Self::texts) has both where a PDU carries both, which the standard forbids.
    #[must_use]
    pub fn user_data(&self) -> UserData<'a> {
        let octets = match self.message_payload {
            Some(payload) if self.short_message.is_empty() => payload,
            _ => self.short_message,
        };
        UserData { octets, has_udh: self.esm_class.has_udh() }
    }

    /// Every text in the PDU. Receivers differ on which of several they show, so a gateway judges all of them. At least
    /// one item: an empty text where there is none.
    #[must_use]
    pub fn texts(&self) -> Texts<'a> {
        Texts {
            first: Some(self.short_message),
            tlvs: self.tlvs.into_iter(),
            has_udh: self.esm_class.has_udh(),
        }
    }

    /// There is more than one text.
    #[must_use]
    pub fn has_several_texts(&self) -> bool {
        self.message_payload.is_some() && self.texts().nth(1).is_some()
    }

    /// A report of the centre about another message, not a message of somebody. Only what comes from the centre can be
    /// one: believe it in that direction alone, `data_sm` and its `esm_class` go both ways.
    #[must_use]
    pub const fn is_report(&self) -> bool {
        matches!(self.command_id, CommandId::DELIVER_SM | CommandId::DATA_SM) && self.esm_class.is_report()
    }

    /// Which part of which message this is: by its user data header, else by its `sar_*` parameters. `None` for a
    /// message of one part.
    #[must_use]
    pub fn concatenation(&self) -> Option<Concatenation> {
        self.user_data().parts().concatenation().or_else(|| {
            let sar = self.sar?;
            Concatenation::new(Reference::Sar(sar.reference), sar.total, sar.number)
        })
    }

    /// The first destination, and how many there are. A distribution list has no address.
    #[must_use]
    pub fn destination(&self) -> (RawAddress<'a>, u16) {
        match self.destinations {
            ViewedDestinations::One(destination) => (destination, 1),
            ViewedDestinations::Unnamed => (RawAddress::default(), 1),
            ViewedDestinations::Many(many) => {
                let first = many.into_iter().find_map(|destination| match destination {
                    Destination::Address(destination) => Some(destination),
                    Destination::List(_) => None,
                });
                (first.unwrap_or_default(), u16::from(many.count()))
            }
        }
    }

    fn read_tlvs(&mut self) {
        let (mut reference, mut total, mut number) = (None, None, None);
        for tlv in self.tlvs {
            match tlv.tag {
                Tag::MESSAGE_PAYLOAD if self.message_payload.is_none() => {
                    self.message_payload = Some(tlv.value)
                }
                Tag::SAR_MSG_REF_NUM => {
                    reference = tlv.unsigned().and_then(|value| u16::try_from(value).ok())
                }
                Tag::SAR_TOTAL_SEGMENTS => total = tlv.unsigned().and_then(|value| u8::try_from(value).ok()),
                Tag::SAR_SEGMENT_SEQNUM => number = tlv.unsigned().and_then(|value| u8::try_from(value).ok()),
                _ => {}
            }
        }
        if let (Some(reference), Some(total), Some(number)) = (reference, total, number) {
            self.sar = Some(Sar { reference, total, number });
        }
    }

    const NONE: Self = Self {
        command_id: CommandId(0),
        sequence_number: 0,
        service_type: &[],
        source: RawAddress::new(0, 0, &[]),
        destinations: ViewedDestinations::Unnamed,
        esm_class: EsmClass(0),
        data_coding: None,
        registered_delivery: 0,
        sm_default_msg_id: 0,
        short_message: &[],
        message_payload: None,
        sar: None,
        tlvs: Tlvs::NONE,
    };
}

/// Iterates over every text of a PDU.
#[derive(Clone, Debug)]
pub struct Texts<'a> {
    first: Option<&'a [u8]>,
    tlvs: TlvIter<'a>,
    has_udh: bool,
}

impl<'a> Iterator for Texts<'a> {
    type Item = UserData<'a>;

    fn next(&mut self) -> Option<UserData<'a>> {
        let has_udh = self.has_udh;
        let mut payload = || self.tlvs.find(|tlv| tlv.tag == Tag::MESSAGE_PAYLOAD).map(|tlv| tlv.value);
        let octets = match self.first.take() {
            Some([]) => payload().unwrap_or_default(),
            Some(short_message) => short_message,
            None => payload()?,
        };
        Some(UserData { octets, has_udh })
    }
}

impl<'a> IntoIterator for ViewedDestinations<'a> {
    type Item = Destination<'a>;
    type IntoIter = core::iter::Chain<core::option::IntoIter<Destination<'a>>, DestinationIter<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        let (one, many) = match self {
            Self::One(destination) => (Some(Destination::Address(destination)), Destinations::default()),
            Self::Many(many) => (None, many),
            Self::Unnamed => (None, Destinations::default()),
        };
        one.into_iter().chain(many)
    }
}

#[inline]
fn single(body: &[u8]) -> Step<'_, MessageView<'_>> {
    let (rest, service_type) = c_string(body)?;
    let (rest, source) = address(rest)?;
    let (rest, destination) = address(rest)?;
    with_tail(rest, service_type, source, ViewedDestinations::One(destination))
}

fn multi(body: &[u8]) -> Step<'_, MessageView<'_>> {
    let (rest, service_type) = c_string(body)?;
    let (rest, source) = address(rest)?;
    let (rest, destinations) = Destinations::parse(rest)?;
    with_tail(rest, service_type, source, ViewedDestinations::Many(destinations))
}

#[inline]
fn with_tail<'a>(
    input: &'a [u8],
    service_type: &'a [u8],
    source: RawAddress<'a>,
    destinations: ViewedDestinations<'a>,
) -> Step<'a, MessageView<'a>> {
    let (rest, sm) = tail(input)?;
    let view = MessageView {
        service_type,
        source,
        destinations,
        esm_class: sm.esm_class,
        data_coding: Some(sm.data_coding),
        registered_delivery: sm.registered_delivery,
        sm_default_msg_id: sm.sm_default_msg_id,
        short_message: sm.short_message,
        ..MessageView::NONE
    };
    Ok((rest, view))
}

fn data(body: &[u8]) -> Step<'_, MessageView<'_>> {
    let (rest, service_type) = c_string(body)?;
    let (rest, source) = address(rest)?;
    let (rest, destination) = address(rest)?;
    let (rest, esm_class) = u8(rest)?;
    let (rest, registered_delivery) = u8(rest)?;
    let (rest, data_coding) = u8(rest)?;
    let view = MessageView {
        service_type,
        source,
        destinations: ViewedDestinations::One(destination),
        esm_class: EsmClass(esm_class),
        data_coding: Some(data_coding),
        registered_delivery,
        ..MessageView::NONE
    };
    Ok((rest, view))
}

/// `replace_sm` (§4.10.1).
fn replace(body: &[u8]) -> Step<'_, MessageView<'_>> {
    let (rest, _message_id) = c_string(body)?;
    let (rest, source) = address(rest)?;
    let (rest, _schedule_delivery_time) = c_string(rest)?;
    let (rest, _validity_period) = c_string(rest)?;
    let (rest, registered_delivery) = u8(rest)?;
    let (rest, sm_default_msg_id) = u8(rest)?;
    let (rest, short_message) = counted(rest)?;
    Ok((
        rest,
        MessageView { source, registered_delivery, sm_default_msg_id, short_message, ..MessageView::NONE },
    ))
}

/// `broadcast_sm` (5.0 §4.4.1).
fn broadcast(body: &[u8]) -> Step<'_, MessageView<'_>> {
    let (rest, service_type) = c_string(body)?;
    let (rest, source) = address(rest)?;
    let (rest, _message_id) = c_string(rest)?;
    let (rest, _priority_flag) = u8(rest)?;
    let (rest, _schedule_delivery_time) = c_string(rest)?;
    let (rest, _validity_period) = c_string(rest)?;
    let (rest, _replace_if_present_flag) = u8(rest)?;
    let (rest, data_coding) = u8(rest)?;
    let (rest, sm_default_msg_id) = u8(rest)?;
    let view = MessageView {
        service_type,
        source,
        data_coding: Some(data_coding),
        sm_default_msg_id,
        ..MessageView::NONE
    };
    Ok((rest, view))
}
