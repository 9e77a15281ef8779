use super::*;
use crate::doors::smgp::{REJECT_STATUS, Smgp};
use crate::enforce::Blocking;
use yumen_wire::smgp::{
    Body, CommandId, Deliver, Forward, Header, Login, LoginResp, MessageResp, MsgId, Pdu, Submit, Tlvs,
    Version, emit, status,
};

fn pdu(version: Version, header: Header, body: &Body<'_>) -> Vec<u8> {
    let mut octets = vec![0; 16_000];
    let length = emit(&header, body, version, &mut octets).unwrap();
    octets.truncate(length);
    octets
}

/// A Submit in UCS-2, with optional parameters as they stand on the wire.
pub(in crate::doors::tests) fn submit(version: Version, sequence: u32, text: &str, tlvs: &[u8]) -> Vec<u8> {
    let mut destinations = [0; 21];
    destinations[..11].copy_from_slice(b"13800000001");
    let submit = Submit {
        msg_type: 6,
        need_report: 1,
        service_id: b"HELP",
        fee_type: b"00",
        fee_code: b"000000",
        fixed_fee: if version == Version::V1 { b"" } else { b"000000" },
        msg_format: 8,
        src_term_id: b"10690001",
        destination_count: 1,
        destinations: &destinations,
        msg_content: &ucs2(text),
        tlvs: Tlvs::new(tlvs),
        ..Submit::default()
    };
    pdu(version, Header::new(CommandId::SUBMIT, sequence), &Body::Submit(submit))
}

/// PkTotal and PkNumber.
pub(in crate::doors::tests) fn place(total: u8, number: u8) -> [u8; 10] {
    [0, 9, 0, 1, total, 0, 0x0A, 0, 1, number]
}

fn deliver(msg_id: MsgId, is_report: u8, text: &str) -> Vec<u8> {
    let deliver = Deliver {
        msg_id,
        is_report,
        msg_format: 8,
        recv_time: b"20261124020000",
        src_term_id: b"13800000001",
        dest_term_id: b"10690001",
        msg_content: &ucs2(text),
        ..Deliver::default()
    };
    pdu(Version::V3, Header::new(CommandId::DELIVER, 16), &Body::Deliver(deliver))
}

fn connected(world: &World, version: Version) -> Pair<Smgp> {
    let mut pair = world.session(Smgp::new);
    let login = Login { client_id: *b"10690001", client_version: version.wire(), ..Login::default() };
    let login = pdu(version, Header::new(CommandId::LOGIN, 1), &Body::Login(login));
    assert_eq!(pair.send(Side::Client, &login), (login, vec![]));
    let response = LoginResp { server_version: 0x30, ..LoginResp::default() };
    let response = pdu(version, Header::new(CommandId::LOGIN_RESP, 1), &Body::LoginResp(response));
    assert_eq!(pair.send(Side::Server, &response), (response, vec![]));
    pair
}

fn world(policy: Policy) -> World {
    World::new(config(ProtocolKind::Smgp, policy), Arc::new(WordJudge::new()))
}

fn response(octets: &[u8]) -> (Header, MessageResp) {
    let pdu = Pdu::new_checked(octets).unwrap();
    match pdu.parse(Version::V3).unwrap() {
        Body::MessageResp(response) => (pdu.header(), response),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_layout_is_that_of_the_login() {
    for version in [Version::V1, Version::V3] {
        let world = world(Policy::default());
        let mut pair = connected(&world, version);
        let good = submit(version, 2, "好消息", &[]);
        assert_eq!(pair.send(Side::Client, &good), (good, vec![]));
        let (forwarded, reply) = pair.send(Side::Client, &submit(version, 3, BAD, &[]));
        assert!(forwarded.is_empty());
        let (header, answer) = response(&reply);
        assert_eq!((header.command_id, header.sequence_id), (CommandId::SUBMIT_RESP, 3));
        assert_eq!(answer, MessageResp { msg_id: MsgId::default(), status: REJECT_STATUS });
        assert_eq!(world.gate.counters.named().find(|(name, _)| *name == "malformed").unwrap().1, 0);
    }
}

#[test]
fn a_bare_tag_at_the_end_changes_nothing() {
    let world = world(Policy::default());
    let mut pair = connected(&world, Version::V3);
    let good = submit(Version::V3, 2, "好消息", &[0, 2, 0, 1, 0, 0, 1]);
    assert_eq!(pair.send(Side::Client, &good), (good, vec![]));
    assert!(pair.send(Side::Client, &submit(Version::V3, 3, BAD, &[0, 1])).0.is_empty());
}

#[test]
fn a_bad_deliver_is_acknowledged_with_its_own_id() {
    let world = world(Policy::default());
    let mut pair = connected(&world, Version::V3);
    // No BCD: ids are any octets.
    let id = MsgId([0x64, 0x95, 0xC3, 0x6A, 0xC4, 0xEA, 0x6B, 0, 0, 0x0B]);
    let (forwarded, reply) = pair.send(Side::Server, &deliver(id, 0, BAD));
    assert!(forwarded.is_empty());
    let (header, answer) = response(&reply);
    assert_eq!((header.command_id, header.sequence_id), (CommandId::DELIVER_RESP, 16));
    assert_eq!(answer, MessageResp { msg_id: id, status: status::OK });
    let report = deliver(id, 1, BAD);
    assert_eq!(pair.send(Side::Server, &report), (report, vec![]), "a status report is no text");
}

#[test]
fn a_dropped_submit_gets_an_id_of_that_smgw() {
    let world = world(Policy { blocking: Blocking::Drop, ..Policy::default() });
    let mut pair = connected(&world, Version::V3);
    let real = MsgId([0x02, 0x10, 0x62, 0x11, 0x24, 0x02, 0x00, 0x12, 0x34, 0x56]);
    let given = MessageResp { msg_id: real, status: 0 };
    let given = pdu(Version::V3, Header::new(CommandId::SUBMIT_RESP, 2), &Body::MessageResp(given));
    pair.send(Side::Server, &given);
    let (_, reply) = pair.send(Side::Client, &submit(Version::V3, 4, BAD, &[]));
    let (_, answer) = response(&reply);
    assert_eq!((answer.status, &answer.msg_id.0[..7]), (0, &real.0[..7]));
    assert_ne!(answer.msg_id, real);
}

#[test]
fn parts_are_judged_together() {
    for with_header in [false, true] {
        let world = world(Policy::default());
        let mut pair = connected(&world, Version::V3);
        let (head, tail) = BAD.split_at('坏'.len_utf8());
        let part = |number: u8, text: &str| {
            if with_header {
                // The header's octets as UCS-2 units: 05 00, 03 RR, TT NN.
                let header: String = [0x0500, 0x0307, 0x0200 | u32::from(number)]
                    .into_iter()
                    .map(|unit| char::from_u32(unit).unwrap())
                    .collect();
                submit(Version::V3, u32::from(number), &(header + text), &[0, 2, 0, 1, 1])
            } else {
                submit(Version::V3, u32::from(number), text, &place(2, number))
            }
        };
        let first = part(1, head);
        assert_eq!(pair.send(Side::Client, &first), (first, vec![]));
        assert!(pair.send(Side::Client, &part(2, tail)).0.is_empty(), "with_header {with_header}");
        assert_eq!(world.reports.actions().len(), 1);
    }
}

#[test]
fn a_forward_is_judged_and_answered_with_its_own_id() {
    let world = world(Policy::default());
    let mut pair = connected(&world, Version::V3);
    let id = MsgId([1; 10]);
    let forward = Forward {
        msg_id: id,
        report_flag: 2,
        fee_type: b"00",
        msg_format: 8,
        src_term_id: b"10690001",
        dest_term_id: b"13800000001",
        msg_content: &ucs2(BAD),
        ..Forward::default()
    };
    let forward = pdu(Version::V3, Header::new(CommandId::FORWARD, 9), &Body::Forward(forward));
    let (forwarded, reply) = pair.send(Side::Client, &forward);
    assert!(forwarded.is_empty());
    let answer = Pdu::new_checked(&reply).unwrap();
    assert_eq!((answer.command_id(), answer.sequence_id()), (CommandId::FORWARD_RESP, 9));
    match answer.parse(Version::V3).unwrap() {
        Body::ForwardResp(answer) => assert_eq!((answer.msg_id, answer.status), (id, REJECT_STATUS)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_message_passes() {
    let world = world(Policy::default());
    let mut pair = connected(&world, Version::V3);
    for id in CommandId::ALL.iter().copied().chain([CommandId(0x77), CommandId(0x8000_0077)]) {
        if !id.carries_message() && id != CommandId::LOGIN {
            let octets = pdu(Version::V3, Header::new(id, 5), &Body::Opaque(b"any octets"));
            for side in Side::BOTH {
                assert_eq!(pair.send(side, &octets), (octets.clone(), vec![]), "{id}");
            }
        }
    }
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
    let (header, answer) = response(&reply);
    assert_eq!((header.command_id, header.sequence_id), (CommandId::SUBMIT_RESP, 42));
    assert_eq!(answer.status, status::BAD_STRUCTURE);
    assert!(pair.session.is_ended());
    let (_, reply) = connected(&world, Version::V3).send(Side::Server, &stream(CommandId(0x7777)));
    assert_eq!(Pdu::new_checked(&reply).unwrap().command_id(), CommandId::EXIT);
    let (_, reply) = world.session(Smgp::new).send(Side::Client, &stream(CommandId::LOGIN));
    assert_eq!(Pdu::new_checked(&reply).unwrap().command_id(), CommandId::LOGIN_RESP);
}
