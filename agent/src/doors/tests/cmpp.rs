use super::*;
use crate::doors::cmpp::{Cmpp, REJECT_RESULT};
use crate::enforce::Blocking;
use yumen_wire::cmpp::{
    Body, Code, CommandId, Connect, ConnectResp, Deliver, Header, MessageResp, MsgId, MsgIdTime, Pdu, Submit,
    Version, emit, result,
};

fn pdu(version: Version, header: Header, body: &Body<'_>) -> Vec<u8> {
    let mut octets = vec![0; 16_000];
    let length = emit(&header, body, version, &mut octets).unwrap();
    octets.truncate(length);
    octets
}

/// A SUBMIT in UCS-2.
pub(in crate::doors::tests) fn submit(version: Version, sequence: u32, text: &str) -> Vec<u8> {
    submit_part(version, sequence, 1, 1, text)
}

pub(in crate::doors::tests) fn submit_part(
    version: Version,
    sequence: u32,
    total: u8,
    number: u8,
    text: &str,
) -> Vec<u8> {
    let mut destinations = vec![0; version.terminal_id_bytes()];
    destinations[..11].copy_from_slice(b"13800000001");
    let submit = Submit {
        pk_total: total,
        pk_number: number,
        msg_fmt: 8,
        msg_src: b"901234",
        fee_type: b"01",
        fee_code: b"000000",
        src_id: b"10690001",
        destination_count: 1,
        destinations: &destinations,
        msg_content: &ucs2(text),
        trailer: &[0; 20][..version.trailer_bytes()],
        ..Submit::default()
    };
    pdu(version, Header::new(CommandId::SUBMIT, sequence), &Body::Submit(submit))
}

fn deliver(version: Version, msg_id: MsgId, registered_delivery: u8, text: &str) -> Vec<u8> {
    let deliver = Deliver {
        msg_id,
        dest_id: b"10690001",
        msg_fmt: 8,
        src_terminal_id: b"13800000001",
        registered_delivery,
        msg_content: &ucs2(text),
        trailer: &[0; 20][..version.trailer_bytes()],
        ..Deliver::default()
    };
    pdu(version, Header::new(CommandId::DELIVER, 16), &Body::Deliver(deliver))
}

/// A pair whose client asked for 3.0 and whose server answered in `version`.
fn connected(world: &World, version: Version) -> Pair<Cmpp> {
    let mut pair = world.session(Cmpp::new);
    let connect = Connect { source_addr: *b"901234", version: 0x30, ..Connect::default() };
    let connect = pdu(version, Header::new(CommandId::CONNECT, 1), &Body::Connect(connect));
    assert_eq!(pair.send(Side::Client, &connect), (connect, vec![]));
    let response =
        ConnectResp { status: Code::new(version, 0), authenticator_ismg: [7; 16], version: version.wire() };
    let response = pdu(version, Header::new(CommandId::CONNECT_RESP, 1), &Body::ConnectResp(response));
    assert_eq!(pair.send(Side::Server, &response), (response, vec![]));
    pair
}

fn world(policy: Policy) -> World {
    World::new(config(ProtocolKind::Cmpp, policy), Arc::new(WordJudge::new()))
}

fn response(version: Version, octets: &[u8]) -> (Header, MessageResp) {
    let pdu = Pdu::new_checked(octets).unwrap();
    match pdu.parse(version).unwrap() {
        Body::MessageResp(response) => (pdu.header(), response),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_layout_is_the_servers_whatever_was_asked_for() {
    for version in [Version::V2, Version::V3] {
        let world = world(Policy::default());
        let mut pair = connected(&world, version);
        let good = submit(version, 2, "好消息");
        assert_eq!(pair.send(Side::Client, &good), (good, vec![]));
        let (forwarded, reply) = pair.send(Side::Client, &submit(version, 3, BAD));
        assert!(forwarded.is_empty());
        let (header, answer) = response(version, &reply);
        assert_eq!((header.command_id, header.sequence_id), (CommandId::SUBMIT_RESP, 3));
        assert_eq!(answer.result, Code::new(version, REJECT_RESULT));
        assert_eq!(answer.msg_id, MsgId(0));
        assert_eq!(reply.len(), if version.is_v3() { 24 } else { 21 });
    }
}

#[test]
fn a_bad_deliver_is_acknowledged_with_its_own_id() {
    for version in [Version::V2, Version::V3] {
        let world = world(Policy::default());
        let mut pair = connected(&world, version);
        let id = MsgId(0x80d1_eb40_03e9_0018);
        let (forwarded, reply) = pair.send(Side::Server, &deliver(version, id, 0, BAD));
        assert!(forwarded.is_empty());
        let (header, answer) = response(version, &reply);
        assert_eq!((header.command_id, header.sequence_id), (CommandId::DELIVER_RESP, 16));
        assert_eq!((answer.msg_id, answer.result.value()), (id, result::OK));
    }
}

#[test]
fn a_status_report_is_no_text() {
    let world = world(Policy::default());
    let mut pair = connected(&world, Version::V2);
    let report = deliver(Version::V2, MsgId(1), 1, BAD);
    assert_eq!(pair.send(Side::Server, &report), (report, vec![]));
}

#[test]
fn a_dropped_submit_gets_an_id_of_that_ismg() {
    let world = world(Policy { blocking: Blocking::Drop, ..Policy::default() });
    let mut pair = connected(&world, Version::V2);
    let time = MsgIdTime { month: 11, day: 24, hour: 2, minute: 0, second: 0 };
    let real = MsgId::new(time, 220_001, 500);
    let given = MessageResp { msg_id: real, result: Code::new(Version::V2, 0) };
    pair.send(
        Side::Server,
        &pdu(Version::V2, Header::new(CommandId::SUBMIT_RESP, 2), &Body::MessageResp(given)),
    );
    let (_, reply) = pair.send(Side::Client, &submit(Version::V2, 4, BAD));
    let (_, answer) = response(Version::V2, &reply);
    assert!(answer.result.is_ok());
    assert_eq!((answer.msg_id.ismg(), answer.msg_id.time()), (220_001, time));
    assert_ne!(answer.msg_id, real);
}

#[test]
fn a_length_that_cannot_be_is_answered_as_its_command_allows() {
    let world = world(Policy::default());
    let stream = |command: CommandId| {
        let mut octets = 1_000_000_u32.to_be_bytes().to_vec();
        octets.extend(command.0.to_be_bytes());
        octets.extend(42_u32.to_be_bytes());
        octets
    };
    let mut pair = connected(&world, Version::V3);
    let (_, reply) = pair.send(Side::Client, &stream(CommandId::SUBMIT));
    let (header, answer) = response(Version::V3, &reply);
    assert_eq!((header.command_id, header.sequence_id), (CommandId::SUBMIT_RESP, 42));
    assert_eq!(answer.result.value(), result::BAD_LENGTH);
    assert!(pair.session.is_ended());

    let mut pair = connected(&world, Version::V2);
    let (_, reply) = pair.send(Side::Server, &stream(CommandId(0x7777)));
    assert_eq!(Pdu::new_checked(&reply).unwrap().command_id(), CommandId::TERMINATE);

    let (_, reply) = world.session(Cmpp::new).send(Side::Client, &stream(CommandId::CONNECT));
    assert_eq!(Pdu::new_checked(&reply).unwrap().command_id(), CommandId::CONNECT_RESP);
}

#[test]
fn parts_without_a_header_are_counted_by_the_protocol() {
    let world = world(Policy::default());
    let mut pair = connected(&world, Version::V2);
    let (head, tail) = BAD.split_at('坏'.len_utf8());
    let first = submit_part(Version::V2, 1, 2, 1, head);
    assert_eq!(pair.send(Side::Client, &first), (first, vec![]));
    assert!(pair.send(Side::Client, &submit_part(Version::V2, 2, 2, 2, tail)).0.is_empty());
}
