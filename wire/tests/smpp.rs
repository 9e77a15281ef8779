//! SMPP: PDUs of `testdata/smpp` and made-up ones, parsed, viewed and emitted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic in a test is a failed test"
)]

mod corpus;

use proptest::prelude::*;
use yumen_wire::address::RawAddress;
use yumen_wire::error::{EmitError, ParseError};
use yumen_wire::smpp::{
    Bind, BindResp, Body, CommandId, CommandStatus, DataSm, Destination, Destinations, EsmClass, Header,
    MessageResp, MessageType, MessageView, Pdu, Sm, SubmitMulti, SubmitMultiResp, Tag, Tlv, Tlvs,
    Unsuccessful, UnsuccessfulSmes, ViewedDestinations, emit, emit_response,
};
use yumen_wire::text::{Coding, blank, decode_segment};
use yumen_wire::udh::{Concatenation, Reference};

fn sample(name: &str) -> Vec<u8> {
    corpus::samples("smpp").into_iter().find(|sample| sample.name == name).expect(name).octets
}

fn shown(view: &MessageView<'_>) -> String {
    let mut buffer = [0; 4096];
    let out = blank(&mut buffer);
    let coding = Coding::from_smpp(view.data_coding.unwrap_or(0), Coding::Gsm7);
    let decoded = decode_segment(coding, &view.user_data().parts(), out);
    out[..decoded.written].to_owned()
}

/// Views a sample and hands it to `check`.
fn viewed(name: &str, check: impl FnOnce(&MessageView<'_>)) {
    let octets = sample(name);
    check(&MessageView::parse(&Pdu::new_checked(&octets).unwrap()).unwrap());
}

#[test]
fn every_sample_parses_and_is_emitted_byte_for_byte() {
    let mut out = [0; 4096];
    for sample in corpus::samples("smpp") {
        let pdu = Pdu::new_checked(&sample.octets).unwrap();
        let body = pdu.parse().unwrap_or_else(|error| panic!("{}: {error}", sample.name));
        let length = emit(&pdu.header(), &body, &mut out).unwrap();
        assert_eq!(out[..length], sample.octets, "{}", sample.name);
        assert_eq!(MessageView::parse(&pdu).is_ok(), pdu.command_id().carries_message(), "{}", sample.name);
    }
}

#[test]
fn submit_sm_shows_sender_receiver_and_text() {
    viewed("submit-sm-ucs2", |view| {
        assert_eq!(view.source, RawAddress::new(5, 0, b"TESTBANK"));
        assert_eq!(view.destination(), (RawAddress::new(1, 1, b"8613800000001"), 1));
        assert_eq!((view.data_coding, view.registered_delivery, view.sequence_number), (Some(8), 1, 7));
        assert_eq!(shown(view), "【测试银行】验证码000000");
        assert_eq!(view.concatenation(), None);
        assert!(!view.is_report());
        assert!(!view.has_several_texts());
    });
}

#[test]
fn the_payload_is_the_text_where_short_message_is_empty() {
    viewed("submit-sm-payload", |view| {
        assert_eq!(shown(view), "很长的消息".repeat(40));
        assert!(!view.has_several_texts());
        assert_eq!(view.texts().count(), 1);
        assert_eq!(view.tlvs.find(Tag::USER_MESSAGE_REFERENCE).unwrap().unsigned(), Some(9));
    });
}

#[test]
fn several_texts_are_all_shown() {
    viewed("submit-sm-two-texts", |view| {
        assert!(view.has_several_texts());
        let texts: Vec<_> = view.texts().map(|text| text.octets).collect();
        assert_eq!(texts, [&b"one"[..], b"two", b"three"]);
        assert_eq!(shown(view), "one");
    });
}

#[test]
fn parts_are_told_by_header_or_by_tlvs() {
    let concatenation = |reference, total, number| Concatenation::new(reference, total, number);
    viewed("submit-sm-concatenated", |view| {
        assert_eq!(view.concatenation(), concatenation(Reference::Narrow(0x2A), 2, 2));
        assert_eq!(shown(view), "后半段");
    });
    viewed("submit-sm-sar", |view| {
        assert_eq!(view.concatenation(), concatenation(Reference::Sar(0x1234), 3, 1));
    });
    viewed("submit-sm-sar-reference-of-one-octet", |view| {
        assert_eq!(view.concatenation(), concatenation(Reference::Sar(0x42), 2, 1));
    });
}

#[test]
fn receipts_and_messages_of_subscribers() {
    viewed("deliver-sm-receipt", |view| {
        assert!(view.is_report());
        assert_eq!(view.esm_class.message_type(), MessageType::DeliveryReceipt);
        assert_eq!(view.tlvs.find(Tag::RECEIPTED_MESSAGE_ID).unwrap().value, b"0a0b\0");
    });
    viewed("deliver-sm-message", |view| {
        assert!(!view.is_report());
        assert_eq!(shown(view), "退订");
    });
}

#[test]
fn the_other_commands_that_carry_messages() {
    viewed("data-sm", |view| assert_eq!(shown(view), "余额不足"));
    viewed("submit-multi", |view| {
        assert_eq!(shown(view), "开会");
        assert_eq!(view.destination(), (RawAddress::new(1, 1, b"8613800000001"), 3));
        let destinations: Vec<_> = view.destinations.into_iter().collect();
        assert_eq!(destinations[1], Destination::List(b"staff"));
        assert_eq!(destinations.len(), 3);
    });
    viewed("replace-sm", |view| {
        assert_eq!((view.short_message, view.data_coding), (&b"new"[..], None));
        assert_eq!(view.destinations, ViewedDestinations::Unnamed);
    });
    viewed("broadcast-sm", |view| assert_eq!(shown(view), "台风警报"));
}

#[test]
fn addresses_that_break_the_standard_are_viewed() {
    viewed("submit-sm-address-not-ascii", |view| {
        assert_eq!(view.source.address(&mut [0; 64]).digits, "Börse");
    });
    viewed("submit-sm-address-too-long", |view| assert_eq!(view.source.octets.len(), 40));
}

#[test]
fn responses_with_and_without_a_body() {
    let parsed = |octets: &[u8]| match Pdu::new_checked(octets).unwrap().parse().unwrap() {
        Body::MessageResp(response) => response.message_id.map(<[u8]>::to_vec),
        other => panic!("{other:?}"),
    };
    assert_eq!(parsed(&sample("submit-sm-resp")), Some(b"0a0b".to_vec()));
    assert_eq!(parsed(&sample("submit-sm-resp-refused")), None);
    assert_eq!(parsed(&sample("deliver-sm-resp")), Some(Vec::new()));
    let octets = sample("bind-receiver-resp-interface-version");
    let Body::BindResp(response) = Pdu::new_checked(&octets).unwrap().parse().unwrap() else { panic!() };
    assert_eq!(response.interface_version(), Some(0x34));
    let octets = sample("submit-multi-resp");
    let Body::SubmitMultiResp(response) = Pdu::new_checked(&octets).unwrap().parse().unwrap() else {
        panic!()
    };
    let failed: Vec<_> = response.unsuccessful.into_iter().collect();
    let destination = RawAddress::new(1, 1, b"8613800000002");
    assert_eq!(failed, [Unsuccessful { destination, status: CommandStatus::ESME_RINVDSTADR }]);
}

#[test]
fn answers_of_the_gateway() {
    let answer = |name: &str, status, id: &[u8]| {
        let request = sample(name);
        let mut out = [0; 64];
        let header = Pdu::new_checked(&request).unwrap().header();
        let length = emit_response(&header, status, id, &mut out).unwrap();
        out[..length].to_vec()
    };
    assert_eq!(answer("submit-sm-ucs2", CommandStatus::ESME_ROK, b"0a0b"), sample("submit-sm-resp"));
    assert_eq!(
        answer("submit-sm-ucs2", CommandStatus::ESME_RSUBMITFAIL, b"0a0b"),
        sample("submit-sm-resp-refused")
    );
    assert_eq!(answer("deliver-sm-message", CommandStatus::ESME_ROK, b"ignored"), sample("deliver-sm-resp"));
    assert_eq!(answer("enquire-link", CommandStatus::ESME_ROK, b""), sample("enquire-link-resp"));
    assert_eq!(answer("command-not-defined", CommandStatus::ESME_RINVCMDID, b""), sample("generic-nack"));
    let multi = answer("submit-multi", CommandStatus::ESME_ROK, b"0a0c");
    let Body::SubmitMultiResp(response) = Pdu::new_checked(&multi).unwrap().parse().unwrap() else {
        panic!()
    };
    assert_eq!((response.message_id, response.unsuccessful.count()), (Some(&b"0a0c"[..]), 0));
    let data = answer("data-sm", CommandStatus::ESME_ROK, b"0a0d");
    assert!(matches!(Pdu::new_checked(&data).unwrap().parse(), Ok(Body::MessageResp(_))));
}

#[test]
fn defects_are_named() {
    let view = |octets: &[u8]| MessageView::parse(&Pdu::new_checked(octets).unwrap()).map(|_| ());
    let checked = |octets: &[u8]| Pdu::new_checked(octets).map(|_| ());
    assert_eq!(checked(&[0; 15]), Err(ParseError::Truncated));
    let mut short = sample("submit-sm-ucs2");
    short.pop();
    let announced = u32::try_from(short.len() + 1).unwrap();
    assert_eq!(checked(&short), Err(ParseError::LengthMismatch { announced, actual: short.len() }));
    assert_eq!(view(&sample("enquire-link")), Err(ParseError::WrongCommand(0x15)));
    assert_eq!(view(&of_body(CommandId::SUBMIT_SM, b"\0\x01")), Err(ParseError::Truncated));
    assert_eq!(view(&of_body(CommandId::SUBMIT_SM, b"WAP")), Err(ParseError::Unterminated));
    assert_eq!(
        view(&of_body(CommandId::SUBMIT_MULTI, b"\0\0\0\0\x01\x03")),
        Err(ParseError::DestinationFlag(3))
    );
}

#[test]
fn what_does_not_fit_the_wire_is_refused() {
    let header = Header::request(CommandId::SUBMIT_SM, 1);
    let emitted = |sm: Sm<'_>| emit(&header, &Body::Sm(sm), &mut [0; 512]);
    assert_eq!(
        emitted(Sm { short_message: &[b'x'; 256], ..Sm::default() }),
        Err(EmitError::TooLong("short_message"))
    );
    assert_eq!(
        emitted(Sm { service_type: b"a\0b", ..Sm::default() }),
        Err(EmitError::HoldsNul("service_type"))
    );
    assert_eq!(emit(&header, &Body::Sm(Sm::default()), &mut [0; 20]), Err(EmitError::BufferFull));
}

/// A PDU with that body.
fn of_body(command_id: CommandId, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 16 + body.len()];
    emit(&Header::request(command_id, 1), &Body::Opaque(body), &mut out).unwrap();
    out
}

fn string() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(1u8.., 0..24)
}

fn command() -> impl Strategy<Value = CommandId> {
    prop_oneof![
        9 => prop::sample::select(CommandId::ALL),
        1 => any::<u32>().prop_map(CommandId),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_octets_that_parse_are_emitted_as_they_came(
        id in command(),
        status: u32,
        sequence_number: u32,
        body in prop::collection::vec(prop_oneof![Just(0u8), 0u8..4, any::<u8>()], 0..160),
    ) {
        let header = Header { command_id: id, command_status: CommandStatus(status), sequence_number };
        let mut octets = vec![0; 16 + body.len()];
        emit(&header, &Body::Opaque(&body), &mut octets).unwrap();
        let pdu = Pdu::new_checked(&octets).unwrap();
        prop_assert_eq!(pdu.header(), header);
        if let Ok(parsed) = pdu.parse() {
            let mut again = vec![0; octets.len()];
            let length = emit(&header, &parsed, &mut again).unwrap();
            prop_assert_eq!(&again[..length], &octets[..]);
        }
        if let Ok(view) = MessageView::parse(&pdu) {
            let _ = (view.user_data().parts(), view.concatenation(), view.destination(), view.texts().count());
        }
    }

    #[test]
    fn any_octets_are_looked_at_without_panic(octets: Vec<u8>) {
        if let Ok(pdu) = Pdu::new_checked(&octets) {
            let _ = (pdu.parse(), MessageView::parse(&pdu).is_ok());
        }
    }

    #[test]
    fn values_come_back(
        strings in prop::array::uniform8(string()),
        bytes: [u8; 12],
        text in prop::collection::vec(any::<u8>(), 0..=255),
        values in prop::collection::vec((any::<u16>(), prop::collection::vec(any::<u8>(), 0..40)), 0..6),
        id in prop::option::of(string()),
    ) {
        let [a, b, c, d, e, f, g, h] = &strings;
        let mut room = [0; 512];
        let tlvs: Vec<_> = values.iter().map(|(tag, value)| Tlv::new(Tag(*tag), value)).collect();
        let tlvs = Tlvs::build(&tlvs, &mut room).unwrap();
        let source = RawAddress::new(bytes[0], bytes[1], a);
        let destination = RawAddress::new(bytes[2], bytes[3], b);
        let sm = Sm {
            service_type: c,
            source,
            destination,
            esm_class: EsmClass(bytes[4]),
            protocol_id: bytes[5],
            priority_flag: bytes[6],
            schedule_delivery_time: d,
            validity_period: e,
            registered_delivery: bytes[7],
            replace_if_present_flag: bytes[8],
            data_coding: bytes[9],
            sm_default_msg_id: bytes[10],
            short_message: &text,
            tlvs,
        };
        let mut room = [0; 256];
        let many = [Destination::Address(destination), Destination::List(f), Destination::Address(source)];
        let destinations = Destinations::build(&many, &mut room).unwrap();
        prop_assert_eq!(destinations.into_iter().collect::<Vec<_>>(), many);
        let mut room = [0; 256];
        let failed = [Unsuccessful { destination, status: CommandStatus(11) }];
        let unsuccessful = UnsuccessfulSmes::build(&failed, &mut room).unwrap();
        let data = DataSm {
            service_type: c,
            source,
            destination,
            esm_class: EsmClass(bytes[4]),
            registered_delivery: bytes[7],
            data_coding: bytes[9],
            tlvs,
        };
        let bind = Bind {
            system_id: a,
            password: b,
            system_type: g,
            interface_version: bytes[0],
            addr_ton: bytes[1],
            addr_npi: bytes[2],
            address_range: h,
            trailing: &[],
        };
        let id = id.as_deref();
        let tlvs_if_id = if id.is_some() { tlvs } else { Tlvs::NONE };
        let unsuccessful = if id.is_some() { unsuccessful } else { UnsuccessfulSmes::default() };
        let many = SubmitMulti { destinations, sm: Sm { destination: RawAddress::default(), ..sm } };
        for (command, body) in [
            (CommandId::SUBMIT_SM, Body::Sm(sm)),
            (CommandId::DELIVER_SM, Body::Sm(sm)),
            (CommandId::SUBMIT_MULTI, Body::SubmitMulti(many)),
            (CommandId::DATA_SM, Body::DataSm(data)),
            (CommandId::BIND_TRANSMITTER, Body::Bind(bind)),
            (CommandId::BIND_TRANSCEIVER_RESP, Body::BindResp(BindResp { system_id: id, tlvs: tlvs_if_id })),
            (CommandId::SUBMIT_SM_RESP, Body::MessageResp(MessageResp { message_id: id, tlvs: tlvs_if_id })),
            (
                CommandId::SUBMIT_MULTI_RESP,
                Body::SubmitMultiResp(SubmitMultiResp { message_id: id, unsuccessful, tlvs: tlvs_if_id }),
            ),
        ] {
            let mut out = [0; 2048];
            let length = emit(&Header::request(command, 5), &body, &mut out).unwrap();
            let pdu = Pdu::new_checked(&out[..length]).unwrap();
            prop_assert_eq!(pdu.parse(), Ok(body));
        }
        let mut out = [0; 2048];
        let length = emit(&Header::request(CommandId::SUBMIT_SM, 5), &Body::Sm(sm), &mut out).unwrap();
        let view = MessageView::parse(&Pdu::new_checked(&out[..length]).unwrap()).unwrap();
        prop_assert_eq!((view.source, view.short_message), (source, &text[..]));
        prop_assert_eq!(view.destinations, ViewedDestinations::One(destination));
    }
}
