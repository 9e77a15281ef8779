use super::*;
use crate::doors::smpp::Smpp;
use crate::enforce::{Blocking, Failures, OnFailure};
use yumen_wire::address::RawAddress;
use yumen_wire::smpp::{
    Bind, Body, CommandId, CommandStatus, DataSm, EsmClass, Header, MessageResp, Pdu, Sm, Tag, Tlv, Tlvs,
    emit,
};

/// Emits a PDU.
pub(in crate::doors::tests) fn pdu(header: Header, body: &Body<'_>) -> Vec<u8> {
    let mut octets = vec![0; 70_000];
    let length = emit(&header, body, &mut octets).unwrap();
    octets.truncate(length);
    octets
}

/// A `submit_sm` or `deliver_sm` in UCS-2.
pub(in crate::doors::tests) fn sm(command_id: CommandId, sequence: u32, text: &str) -> Vec<u8> {
    sm_octets(command_id, sequence, EsmClass(0), 8, &ucs2(text))
}

pub(in crate::doors::tests) fn sm_octets(
    command_id: CommandId,
    sequence: u32,
    esm_class: EsmClass,
    data_coding: u8,
    short_message: &[u8],
) -> Vec<u8> {
    let sm = Sm {
        source: RawAddress::new(0, 1, b"1069000001"),
        destination: RawAddress::new(1, 1, b"8613800000001"),
        esm_class,
        data_coding,
        short_message,
        ..Sm::default()
    };
    pdu(Header::request(command_id, sequence), &Body::Sm(sm))
}

fn world(policy: Policy) -> World {
    World::new(config(ProtocolKind::Smpp, policy), Arc::new(WordJudge::new()))
}

fn header(octets: &[u8]) -> Header {
    Pdu::new_checked(octets).unwrap().header()
}

fn message_id(octets: &[u8]) -> Vec<u8> {
    match Pdu::new_checked(octets).unwrap().parse().unwrap() {
        Body::MessageResp(response) => response.message_id.unwrap_or_default().to_vec(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn everything_that_is_no_message_passes_as_it_came() {
    let world = world(Policy::default());
    let mut pair = world.session(Smpp::new);
    let bind = Bind { system_id: b"esme", password: b"secret", trailing: b"odd", ..Bind::default() };
    let mut stream = pdu(Header::request(CommandId::BIND_TRANSCEIVER, 1), &Body::Bind(bind));
    stream.extend(pdu(Header::request(CommandId::ENQUIRE_LINK, 2), &Body::EMPTY));
    stream.extend(pdu(Header::request(CommandId(0x0001_0200), 3), &Body::Opaque(b"a vendor's own")));
    stream.extend(pdu(Header::request(CommandId::UNBIND, 4), &Body::Opaque(&[0xFF; 3])));
    assert_eq!(pair.send(Side::Client, &stream), (stream.clone(), vec![]));
}

#[test]
fn a_bad_submit_is_answered_and_its_neighbours_pass() {
    let world = world(Policy::default());
    let mut pair = world.session(Smpp::new);
    let (before, bad, after) = (
        sm(CommandId::SUBMIT_SM, 1, "好消息"),
        sm(CommandId::SUBMIT_SM, 2, &format!("一个{BAD}。")),
        sm(CommandId::SUBMIT_SM, 3, "还是好消息"),
    );
    let (forwarded, reply) = pair.send(Side::Client, &[before.clone(), bad, after.clone()].concat());
    assert_eq!(forwarded, [before, after].concat());
    let answer = header(&reply);
    assert_eq!(answer.command_id, CommandId::SUBMIT_SM_RESP);
    assert_eq!(answer.command_status, CommandStatus::ESME_RSUBMITFAIL);
    assert_eq!(answer.sequence_number, 2);
    assert_eq!(reply.len(), 16, "an error response ends with its header");
    assert_eq!(world.reports.actions(), [Action::Reject]);
}

#[test]
fn the_listener_chooses_the_status() {
    let mut config = config(ProtocolKind::Smpp, Policy::default());
    config.reject_status = Some(0x0000_0400);
    let world = World::new(config, Arc::new(WordJudge::new()));
    let (_, reply) = world.session(Smpp::new).send(Side::Client, &sm(CommandId::SUBMIT_SM, 9, BAD));
    assert_eq!(header(&reply).command_status, CommandStatus(0x400));
}

#[test]
fn a_bad_deliver_is_acknowledged_and_not_handed_on() {
    let world = world(Policy::default());
    let (forwarded, reply) = world.session(Smpp::new).send(Side::Server, &sm(CommandId::DELIVER_SM, 5, BAD));
    assert!(forwarded.is_empty());
    let answer = header(&reply);
    assert_eq!(
        (answer.command_id, answer.command_status),
        (CommandId::DELIVER_SM_RESP, CommandStatus::ESME_ROK)
    );
    assert_eq!(message_id(&reply), b"");
}

#[test]
fn a_receipt_is_no_text_when_it_comes_from_the_centre() {
    let world = world(Policy::default());
    let receipt = sm_octets(CommandId::DELIVER_SM, 6, EsmClass(EsmClass::DELIVERY_RECEIPT), 8, &ucs2(BAD));
    assert_eq!(world.session(Smpp::new).send(Side::Server, &receipt), (receipt, vec![]));
    let pretended = sm_octets(CommandId::SUBMIT_SM, 6, EsmClass(EsmClass::DELIVERY_RECEIPT), 8, &ucs2(BAD));
    assert!(world.session(Smpp::new).send(Side::Client, &pretended).0.is_empty());
}

#[test]
fn a_dropped_submit_gets_an_id_like_the_centres() {
    let world = world(Policy { blocking: Blocking::Drop, ..Policy::default() });
    let mut pair = world.session(Smpp::new);
    let submitted = Header::request(CommandId::SUBMIT_SM, 1);
    for real in [&b"a0b1c2d3e4f5"[..], b"a0b1c2d3e4f6"] {
        let response =
            pdu(submitted.response(CommandStatus::ESME_ROK), &Body::MessageResp(MessageResp::new(real)));
        pair.send(Side::Server, &response);
    }
    let (forwarded, reply) = pair.send(Side::Client, &sm(CommandId::SUBMIT_SM, 77, BAD));
    assert!(forwarded.is_empty());
    assert_eq!(header(&reply).command_status, CommandStatus::ESME_ROK);
    assert_eq!(header(&reply).sequence_number, 77);
    let id = message_id(&reply);
    assert_eq!(id.len(), 12);
    assert!(id.starts_with(b"a0") && id.iter().all(u8::is_ascii_hexdigit), "{id:?}");
    assert!(id != b"a0b1c2d3e4f5" && id != b"a0b1c2d3e4f6");
    assert_eq!(world.reports.actions(), [Action::Drop]);
}

#[test]
fn data_sm_is_judged_both_ways() {
    let world = world(Policy::default());
    let payload = ucs2(BAD);
    let mut tlvs = [0; 64];
    let tlvs = Tlvs::build(&[Tlv::new(Tag::MESSAGE_PAYLOAD, &payload)], &mut tlvs).unwrap();
    let data = DataSm { data_coding: 8, tlvs, ..DataSm::default() };
    let octets = pdu(Header::request(CommandId::DATA_SM, 8), &Body::DataSm(data));
    let (forwarded, reply) = world.session(Smpp::new).send(Side::Client, &octets);
    assert!(forwarded.is_empty());
    assert_eq!(header(&reply).command_status, CommandStatus::ESME_RSUBMITFAIL);
    let (forwarded, reply) = world.session(Smpp::new).send(Side::Server, &octets);
    assert!(forwarded.is_empty());
    assert_eq!(header(&reply).command_status, CommandStatus::ESME_ROK);
}

#[test]
fn a_second_text_in_the_same_pdu_is_judged_too() {
    let world = world(Policy::default());
    let (good, bad) = (ucs2("好消息"), ucs2(BAD));
    let mut buffer = [0; 256];
    let payloads = [Tlv::new(Tag::MESSAGE_PAYLOAD, &good), Tlv::new(Tag::MESSAGE_PAYLOAD, &bad)];
    let tlvs = Tlvs::build(&payloads, &mut buffer).unwrap();
    let sm = Sm { data_coding: 8, short_message: &good, tlvs, ..Sm::default() };
    let octets = pdu(Header::request(CommandId::SUBMIT_SM, 1), &Body::Sm(sm));
    assert!(world.session(Smpp::new).send(Side::Client, &octets).0.is_empty());
}

#[test]
fn ucs2_of_either_byte_order_is_read() {
    let world = world(Policy::default());
    let little: Vec<u8> = format!("\u{FEFF}一个{BAD}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let octets = sm_octets(CommandId::SUBMIT_SM, 1, EsmClass(0), 8, &little);
    assert!(world.session(Smpp::new).send(Side::Client, &octets).0.is_empty());
    // A byte order mark that lies doesn't hide the text from receivers that ignore it.
    let mut marked = vec![0xFF, 0xFE];
    marked.extend(ucs2(BAD));
    let octets = sm_octets(CommandId::SUBMIT_SM, 1, EsmClass(0), 8, &marked);
    assert!(world.session(Smpp::new).send(Side::Client, &octets).0.is_empty());
}

#[test]
fn a_flagged_message_passes_with_a_report() {
    let world = world(Policy::default());
    let mut pair = world.session(Smpp::new);
    for word in [GREY, SHADE] {
        let octets = sm(CommandId::SUBMIT_SM, 1, word);
        assert_eq!(pair.send(Side::Client, &octets), (octets, vec![]));
    }
    assert_eq!(world.reports.actions(), [Action::Flag, Action::Allow]);
}

#[test]
fn a_direction_that_is_not_judged_passes() {
    let world = world(Policy { judge_deliver: false, ..Policy::default() });
    let octets = sm(CommandId::DELIVER_SM, 5, BAD);
    assert_eq!(world.session(Smpp::new).send(Side::Server, &octets), (octets, vec![]));
    assert!(world.reports.actions().is_empty());
}

#[test]
fn a_length_that_cannot_be_ends_the_session_after_what_came_before() {
    let world = world(Policy::default());
    for length in [15_u32, 16 * 1024 + 1, u32::MAX] {
        let mut pair = world.session(Smpp::new);
        let good = sm(CommandId::SUBMIT_SM, 1, "好消息");
        let mut stream = good.clone();
        stream.extend(length.to_be_bytes());
        stream.extend([0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 42]);
        let (forwarded, reply) = pair.send(Side::Client, &stream);
        assert_eq!(forwarded, good);
        let nack = header(&reply);
        assert_eq!(nack.command_id, CommandId::GENERIC_NACK);
        assert_eq!(nack.command_status, CommandStatus::ESME_RINVCMDLEN);
        // What is shorter than a header has no sequence number.
        assert_eq!(nack.sequence_number, if length < 16 { 0 } else { 42 });
        assert!(pair.session.is_ended());
        assert_eq!(pair.send(Side::Client, &good), (vec![], vec![]), "nothing more is read");
    }
}

#[test]
fn a_body_that_cannot_be_read_is_the_policys_to_decide() {
    let mut broken = sm(CommandId::SUBMIT_SM, 3, "好消息");
    // sm_length goes past the end.
    let at = broken.len() - ucs2("好消息").len() - 1;
    broken[at] = 0xFF;
    let open = world(Policy::default());
    assert_eq!(open.session(Smpp::new).send(Side::Client, &broken), (broken.clone(), vec![]));
    let closed = world(Policy { failures: Failures::all(OnFailure::Closed), ..Policy::default() });
    let (forwarded, reply) = closed.session(Smpp::new).send(Side::Client, &broken);
    assert!(forwarded.is_empty());
    assert_eq!(header(&reply).command_status, CommandStatus::ESME_RINVCMDLEN);
}

#[test]
fn without_a_pack_the_policy_decides() {
    let octets = sm(CommandId::SUBMIT_SM, 3, "好消息");
    let open = World::new(config(ProtocolKind::Smpp, Policy::default()), Arc::new(NoPack));
    assert_eq!(open.session(Smpp::new).send(Side::Client, &octets), (octets.clone(), vec![]));
    let policy = Policy { failures: Failures::all(OnFailure::Closed), ..Policy::default() };
    let closed = World::new(config(ProtocolKind::Smpp, policy), Arc::new(NoPack));
    let (forwarded, reply) = closed.session(Smpp::new).send(Side::Client, &octets);
    assert!(forwarded.is_empty());
    assert_eq!(header(&reply).command_status, CommandStatus::ESME_RTHROTTLED, "the sender may try again");
    let deliver = sm(CommandId::DELIVER_SM, 3, "好消息");
    let (_, reply) = closed.session(Smpp::new).send(Side::Server, &deliver);
    assert_eq!(header(&reply).command_status, CommandStatus::ESME_RX_T_APPN, "the centre keeps the message");
}

#[test]
fn a_late_decision_is_the_policys_to_decide() {
    let slow = || Arc::new(WordJudge { delay: Duration::from_millis(20), ..WordJudge::new() });
    let policy = Policy { deadline: Duration::from_millis(5), ..Policy::default() };
    let open = World::new(config(ProtocolKind::Smpp, policy), slow());
    let bad = sm(CommandId::SUBMIT_SM, 3, BAD);
    assert_eq!(open.session(Smpp::new).send(Side::Client, &bad), (bad.clone(), vec![]));
    assert_eq!(open.reports.actions(), [Action::Flag], "it passed, and is reported");
    let policy = Policy { failures: Failures::all(OnFailure::Closed), ..policy };
    let closed = World::new(config(ProtocolKind::Smpp, policy), slow());
    assert!(
        closed.session(Smpp::new).send(Side::Client, &sm(CommandId::SUBMIT_SM, 3, "好消息")).0.is_empty()
    );
}

#[test]
fn a_text_longer_than_the_engine_takes_is_judged_to_its_end() {
    let mut config = config(ProtocolKind::Smpp, Policy::default());
    config.pdu_bytes_max = 80 * 1024;
    let world = World::new(config, Arc::new(WordJudge::new()));
    let payload = ucs2(&format!("{}{BAD}", "好".repeat(20_000)));
    let mut buffer = vec![0; 70_000];
    let tlvs = Tlvs::build(&[Tlv::new(Tag::MESSAGE_PAYLOAD, &payload)], &mut buffer).unwrap();
    let sm = Sm { data_coding: 8, tlvs, ..Sm::default() };
    let octets = pdu(Header::request(CommandId::SUBMIT_SM, 1), &Body::Sm(sm));
    assert!(world.session(Smpp::new).send(Side::Client, &octets).0.is_empty());
}

#[test]
fn a_drain_waits_for_what_is_outstanding_and_reads_only_who_owes() {
    let world = world(Policy::default());
    let mut pair = world.session(Smpp::new);
    pair.send(Side::Client, &sm(CommandId::SUBMIT_SM, 1, "好消息"));
    let now = Instant::now();
    pair.session.drain(now + Duration::from_secs(5));
    assert!(!pair.session.is_ended());
    assert!(pair.session.wants(Side::Server) && !pair.session.wants(Side::Client));
    let submitted = Header::request(CommandId::SUBMIT_SM, 1);
    pair.send(Side::Server, &pdu(submitted.response(CommandStatus::ESME_ROK), &Body::EMPTY));
    assert!(pair.session.is_ended());

    let mut pair = world.session(Smpp::new);
    pair.send(Side::Client, &sm(CommandId::SUBMIT_SM, 1, "好消息"));
    pair.session.drain(now + Duration::from_secs(5));
    assert_eq!(pair.session.poll_timeout(), Some(now + Duration::from_secs(5)));
    pair.session.handle_timeout(now + Duration::from_secs(5));
    assert!(pair.session.is_ended());
}

/// A `broadcast_sm` (SMPP 5.0 §4.4.1.1): service, source, an empty id, three octets, validity, one to three more, TLVs.
fn broadcast(sequence: u32, text: &str) -> Vec<u8> {
    let mut body = b"CBS\0\x00\x011069000001\0\0\x01\0\0\0\x08\0".to_vec();
    // broadcast_area_identifier, congestion_state, message_payload.
    body.extend([0x06, 0x06, 0, 3, 0, 1, 2]);
    body.extend([0x04, 0x28, 0, 1, 50]);
    let octets = ucs2(text);
    body.extend([0x04, 0x24]);
    body.extend(u16::try_from(octets.len()).unwrap().to_be_bytes());
    body.extend(octets);
    pdu(Header::request(CommandId::BROADCAST_SM, sequence), &Body::Opaque(&body))
}

#[test]
fn what_5_0_added_passes_or_is_judged() {
    let world = world(Policy::default());
    let mut pair = world.session(Smpp::new);
    let good = broadcast(1, "好消息");
    assert_eq!(pair.send(Side::Client, &good), (good, vec![]));
    let (forwarded, reply) = pair.send(Side::Client, &broadcast(2, BAD));
    assert!(forwarded.is_empty());
    let answer = header(&reply);
    assert_eq!((answer.command_id, answer.sequence_number), (CommandId::BROADCAST_SM_RESP, 2));
    assert_eq!(answer.command_status, CommandStatus::ESME_RSUBMITFAIL);
    for id in [
        CommandId::QUERY_BROADCAST_SM,
        CommandId::QUERY_BROADCAST_SM_RESP,
        CommandId::CANCEL_BROADCAST_SM,
        CommandId::CANCEL_BROADCAST_SM_RESP,
        CommandId::SUBMIT_SM_RESP,
    ] {
        // A response with congestion_state behind its id.
        let body = b"id\0\x04\x28\x00\x01\x5f";
        let octets = pdu(Header::request(id, 3), &Body::Opaque(body));
        assert_eq!(pair.send(Side::Server, &octets), (octets, vec![]), "{id}");
    }
}
