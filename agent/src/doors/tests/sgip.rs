use super::*;
use crate::doors::sgip::{Blocked, REJECT_RESULT, Sgip};
use crate::enforce::{Blocking, Failures, OnFailure};
use yumen_wire::sgip::{
    Bind, Body, CommandId, Deliver, Header, Pdu, Report, Response, Sequence, Submit, emit, result,
};

/// Words that are no time and no node: they come back as they went in (G-5).
const SEQUENCE: Sequence = Sequence { node: 3_025_000_001, time: 301_151_218, count: u32::MAX };

fn pdu(header: Header, body: &Body<'_>) -> Vec<u8> {
    let mut octets = vec![0; 8_000];
    let length = emit(&header, body, &mut octets).unwrap();
    octets.truncate(length);
    octets
}

fn sequence(count: u32) -> Sequence {
    Sequence { count, ..SEQUENCE }
}

pub(in crate::doors::tests) fn submit(count: u32, udh: &[u8], text: &str) -> Vec<u8> {
    let mut users = [0; 21];
    users[..13].copy_from_slice(b"8613800000001");
    let mut content = udh.to_vec();
    content.extend(ucs2(text));
    let submit = Submit {
        sp_number: b"10690001",
        user_count: 1,
        user_numbers: &users,
        corp_id: b"12345",
        tp_udhi: u8::from(!udh.is_empty()),
        message_coding: 8,
        message_content: &content,
        trailer: &[7; 8],
        ..Submit::default()
    };
    pdu(Header::new(CommandId::SUBMIT, sequence(count)), &Body::Submit(submit))
}

pub(in crate::doors::tests) fn deliver(count: u32, text: &str) -> Vec<u8> {
    let deliver = Deliver {
        user_number: b"8613800000001",
        sp_number: b"10690001",
        message_coding: 8,
        message_content: &ucs2(text),
        trailer: &[0; 8],
        ..Deliver::default()
    };
    pdu(Header::new(CommandId::DELIVER, sequence(count)), &Body::Deliver(deliver))
}

fn world(policy: Policy) -> World {
    World::new(config(ProtocolKind::Sgip, policy), Arc::new(WordJudge::new()))
}

fn response(octets: &[u8]) -> (Header, u8) {
    let pdu = Pdu::new_checked(octets).unwrap();
    match pdu.parse().unwrap() {
        Body::Response(response) => (pdu.header(), response.result),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_answer_repeats_all_three_words() {
    let world = world(Policy::default());
    let mut pair = world.session(Sgip::new);
    let good = submit(1, &[], "好消息");
    assert_eq!(pair.send(Side::Client, &good), (good, vec![]));
    let (forwarded, reply) = pair.send(Side::Client, &submit(u32::MAX, &[], BAD));
    assert!(forwarded.is_empty());
    let (header, answer) = response(&reply);
    assert_eq!((header.command_id, header.sequence), (CommandId::SUBMIT_RESP, SEQUENCE));
    assert_eq!((answer, reply.len()), (REJECT_RESULT, 29));
}

#[test]
fn the_smg_is_the_client_where_it_delivers() {
    let world = world(Policy::default());
    let mut pair = world.session(Sgip::new);
    let bind = Bind { login_type: 2, login_name: *b"smg\0\0\0\0\0\0\0\0\0\0\0\0\0", ..Bind::default() };
    let bind = pdu(Header::new(CommandId::BIND, sequence(0)), &Body::Bind(bind));
    assert_eq!(pair.send(Side::Client, &bind), (bind, vec![]));
    let good = deliver(1, "好消息");
    assert_eq!(pair.send(Side::Client, &good), (good, vec![]));
    let (forwarded, reply) = pair.send(Side::Client, &deliver(2, BAD));
    assert!(forwarded.is_empty());
    let (header, answer) = response(&reply);
    assert_eq!((header.command_id, answer), (CommandId::DELIVER_RESP, result::OK), "acknowledged");
    let report = pdu(Header::new(CommandId::REPORT, sequence(3)), &Body::Report(Report::default()));
    assert_eq!(pair.send(Side::Client, &report), (report, vec![]));
}

#[test]
fn the_command_says_which_way_a_message_goes() {
    let world = world(Policy { judge_deliver: false, ..Policy::default() });
    let mut pair = world.session(Sgip::new);
    let bad = deliver(1, BAD);
    assert_eq!(pair.send(Side::Client, &bad), (bad, vec![]), "delivers aren't judged here");
    assert!(pair.send(Side::Client, &submit(2, &[], BAD)).0.is_empty());
}

#[test]
fn a_resend_of_a_blocked_command_is_answered_again_and_reported_once() {
    for (blocking, expected) in [(Blocking::Reject, REJECT_RESULT), (Blocking::Drop, result::OK)] {
        let world = world(Policy { blocking, ..Policy::default() });
        let mut pair = world.session(Sgip::new);
        let bad = submit(5, &[], BAD);
        for _ in 0..3 {
            let (forwarded, reply) = pair.send(Side::Client, &bad);
            assert!(forwarded.is_empty());
            assert_eq!(response(&reply), (Header::new(CommandId::SUBMIT_RESP, sequence(5)), expected));
        }
        assert_eq!(world.reports.actions().len(), 1);
        // The same sequence with another content is another message, and the SMG's to refuse.
        let other = submit(5, &[], "好消息");
        assert_eq!(pair.send(Side::Client, &other), (other.clone(), vec![]));
        assert_eq!(pair.send(Side::Client, &other), (other, vec![]), "the SMG answers its own");
    }
}

#[test]
fn a_resend_after_a_reconnect_is_the_same_command_still() {
    let world = world(Policy::default());
    let memory = Arc::new(Blocked::default());
    let bad = submit(5, &[], BAD);
    for _ in 0..2 {
        let mut pair = world.session(|config| Sgip::with_memory(config, Arc::clone(&memory)));
        let (forwarded, reply) = pair.send(Side::Client, &bad);
        assert!(forwarded.is_empty());
        assert_eq!(response(&reply).1, REJECT_RESULT);
    }
    assert_eq!(world.reports.actions().len(), 1);
}

#[test]
fn what_is_put_off_is_judged_anew() {
    let policy = Policy { failures: Failures::all(OnFailure::Closed), ..Policy::default() };
    let world = World::new(config(ProtocolKind::Sgip, policy), Arc::new(NoPack));
    let mut pair = world.session(Sgip::new);
    for expected in 1..=2 {
        let (_, reply) = pair.send(Side::Client, &submit(5, &[], "好消息"));
        assert_eq!(response(&reply).1, result::BUSY);
        let judged = world.gate.counters.named().find(|(name, _)| *name == "judged").unwrap().1;
        assert_eq!(judged, expected);
    }
}

#[test]
fn parts_are_judged_together() {
    let world = world(Policy::default());
    let mut pair = world.session(Sgip::new);
    let (head, tail) = BAD.split_at('坏'.len_utf8());
    let first = submit(1, &[5, 0, 3, 9, 2, 1], head);
    assert_eq!(pair.send(Side::Client, &first), (first, vec![]));
    assert!(pair.send(Side::Client, &submit(2, &[5, 0, 3, 9, 2, 2], tail)).0.is_empty());
}

#[test]
fn what_is_no_message_passes() {
    let world = world(Policy::default());
    let mut pair = world.session(Sgip::new);
    for id in CommandId::ALL.iter().copied().chain([CommandId(0x77), CommandId(0x8000_0077)]) {
        if !id.carries_message() {
            let octets = pdu(Header::new(id, SEQUENCE), &Body::Opaque(b"any octets"));
            for side in Side::BOTH {
                assert_eq!(pair.send(side, &octets), (octets.clone(), vec![]), "{id}");
            }
        }
    }
}

#[test]
fn a_length_that_cannot_be_ends_the_session() {
    let world = world(Policy::default());
    let mut pair = world.session(Sgip::new);
    let mut octets = submit(7, &[], "x");
    octets[..4].copy_from_slice(&1_000_000_u32.to_be_bytes());
    let (_, reply) = pair.send(Side::Client, &octets);
    assert_eq!(response(&reply), (Header::new(CommandId::SUBMIT_RESP, sequence(7)), result::BAD_LENGTH));
    assert!(pair.session.is_ended());
}

#[test]
fn a_drain_waits_for_the_other_side() {
    let world = world(Policy::default());
    let mut pair = world.session(Sgip::new);
    pair.send(Side::Client, &submit(1, &[], "好消息"));
    pair.session.drain(Instant::now() + Duration::from_secs(5));
    assert!(
        !pair.session.is_ended() && pair.session.wants(Side::Server) && !pair.session.wants(Side::Client)
    );
    let taken = Header::new(CommandId::SUBMIT_RESP, sequence(1));
    pair.send(Side::Server, &pdu(taken, &Body::Response(Response::new(result::OK))));
    assert!(pair.session.is_ended());
}
