//! PDUs → messages, as the doors see them.

use crate::doors::protocol::{Coded, Extras, Message};
use yumen_capture::Payload;
use yumen_wire::address::RawAddress;
use yumen_wire::event::Direction;
use yumen_wire::limits::ADDRESS_TEXT_BYTES_MAX;
use yumen_wire::sigtran::map::ForwardSm;
use yumen_wire::sigtran::tcap;
use yumen_wire::text::Coding;
use yumen_wire::tpdu::{ToCentre, ToMobile, TpUserData, parse_to_centre, parse_to_mobile};
use yumen_wire::udh::UserData;
use yumen_wire::{cmpp, sgip, smgp, smpp};

/// Hands every message of a payload to `take`; reports and everything else are passed over.
pub(super) fn each(payload: &Payload<'_>, take: &mut impl FnMut(&Message<'_>)) {
    let message = match *payload {
        Payload::Smpp(octets) => of_smpp(octets),
        Payload::Cmpp(octets) => of_cmpp(octets),
        Payload::Smgp(octets) => of_smgp(octets),
        Payload::Sgip(octets) => of_sgip(octets),
        Payload::Tcap(octets) => return of_tcap(octets, take),
        Payload::Sip(_) => None,
    };
    if let Some(message) = message {
        take(&message);
    }
}

fn of_smpp(octets: &[u8]) -> Option<Message<'_>> {
    let pdu = smpp::Pdu::new_checked(octets).ok().filter(|pdu| pdu.command_id().carries_message())?;
    let view = smpp::MessageView::parse(&pdu).ok().filter(|view| !view.is_report())?;
    let coding = view.data_coding.map_or(Coding::Gsm7, |coding| Coding::from_smpp(coding, Coding::Gsm7));
    let (destination, destinations) = view.destination();
    Some(Message {
        direction: match pdu.command_id() {
            smpp::CommandId::DELIVER_SM => Direction::Deliver,
            _ => Direction::Submit,
        },
        originator: view.source,
        destination,
        destinations,
        text: Coded { coding, data: view.user_data() },
        extras: if view.has_several_texts() { Extras::Smpp(view.texts()) } else { Extras::None },
        part: view.concatenation(),
    })
}

fn of_cmpp(octets: &[u8]) -> Option<Message<'_>> {
    let pdu = cmpp::Pdu::new_checked(octets).ok().filter(|pdu| pdu.command_id().carries_message())?;
    // Its length tells the version, whether or not the capture has the CONNECT.
    let version =
        [cmpp::Version::V2, cmpp::Version::V3].into_iter().find(|&version| pdu.parse(version).is_ok())?;
    let view = cmpp::MessageView::parse(&pdu, version).ok().filter(|view| !view.is_report())?;
    let (destination, destinations) = view.destination();
    Some(Message {
        direction: direction(pdu.command_id() == cmpp::CommandId::DELIVER),
        originator: view.source,
        destination,
        destinations,
        text: Coded { coding: Coding::from_cmpp(view.msg_fmt), data: view.user_data() },
        extras: Extras::None,
        part: view.concatenation(),
    })
}

fn of_smgp(octets: &[u8]) -> Option<Message<'_>> {
    let pdu = smgp::Pdu::new_checked(octets).ok().filter(|pdu| pdu.command_id().carries_message())?;
    let version =
        [smgp::Version::V3, smgp::Version::V1].into_iter().find(|&version| pdu.parse(version).is_ok())?;
    let view = smgp::MessageView::parse(&pdu, version).ok().filter(|view| !view.is_report())?;
    let (destination, destinations) = view.destination();
    Some(Message {
        direction: direction(pdu.command_id() == smgp::CommandId::DELIVER),
        originator: view.source,
        destination,
        destinations,
        text: Coded { coding: Coding::from_cmpp(view.msg_format), data: view.user_data() },
        extras: Extras::None,
        part: view.concatenation(),
    })
}

fn of_sgip(octets: &[u8]) -> Option<Message<'_>> {
    let pdu = sgip::Pdu::new_checked(octets).ok().filter(|pdu| pdu.command_id().carries_message())?;
    let view = sgip::MessageView::parse(&pdu).ok()?;
    let (destination, destinations) = view.destination();
    Some(Message {
        direction: direction(pdu.command_id() == sgip::CommandId::DELIVER),
        originator: view.source,
        destination,
        destinations,
        text: Coded { coding: Coding::from_cmpp(view.message_coding), data: view.user_data() },
        extras: Extras::None,
        part: view.concatenation(),
    })
}

/// In these protocols DELIVER comes out of the centre, and what else carries a message goes into it.
const fn direction(is_deliver: bool) -> Direction {
    if is_deliver { Direction::Deliver } else { Direction::Submit }
}

fn of_tcap(octets: &[u8], take: &mut impl FnMut(&Message<'_>)) {
    let Ok(message) = tcap::Message::parse(octets) else { return };
    for forward in message.components().filter_map(|component| ForwardSm::of(&component)) {
        let (mut relay, mut inner) = ([0; ADDRESS_TEXT_BYTES_MAX], [0; ADDRESS_TEXT_BYTES_MAX]);
        if forward.is_mobile_terminated() {
            let Ok(ToMobile::Deliver(deliver)) = parse_to_mobile(forward.tpdu) else { continue };
            // The number isn't known here: the centre asked for the identity before.
            let destination = RawAddress::new(0, 0, forward.destination.digits(&mut relay).as_bytes());
            let originator = deliver.originator.raw(&mut inner);
            take(&short_message(Direction::Deliver, originator, destination, &deliver.user_data));
        } else {
            let Ok(ToCentre::Submit(submit)) = parse_to_centre(forward.tpdu) else { continue };
            let kind = forward.originator.type_of_address();
            let digits = forward.originator.digits(&mut relay).as_bytes();
            let originator = RawAddress::new(kind >> 4 & 0x07, kind & 0x0F, digits);
            let destination = submit.destination.raw(&mut inner);
            take(&short_message(Direction::Submit, originator, destination, &submit.user_data));
        }
    }
}

fn short_message<'a>(
    direction: Direction,
    originator: RawAddress<'a>,
    destination: RawAddress<'a>,
    user_data: &TpUserData<'a>,
) -> Message<'a> {
    let data: UserData<'a> = user_data.user_data();
    Message {
        direction,
        originator,
        destination,
        destinations: 1,
        text: Coded { coding: user_data.coding(), data },
        extras: Extras::None,
        part: data.parts().concatenation(),
    }
}
