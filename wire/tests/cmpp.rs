//! CMPP: PDUs of `testdata/cmpp` and made-up ones, parsed, viewed and emitted.
//!
//! The files are named for the version they are of and for what they show. Further vectors, a name, a source and
//! hexadecimal digits in columns, are read from the file that `YUMEN_VECTORS` names.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic in a test is a failed test"
)]

mod corpus;

use proptest::prelude::*;
use yumen_wire::address::RawAddress;
use yumen_wire::cmpp::{
    Body, Cancel, CancelResp, Code, CommandId, Connect, ConnectResp, Counters, Deliver, Fwd, FwdResp, Header,
    MessageResp, MessageView, MsgId, Pdu, Query, QueryResp, Report, Submit, Version, emit, emit_response,
    result, until_nul,
};
use yumen_wire::error::{EmitError, ParseError};
use yumen_wire::text::{Coding, blank, decode_segment};
use yumen_wire::udh::{Concatenation, Reference};

const VERSIONS: [Version; 2] = [Version::V2, Version::V3];

fn sample(name: &str) -> Vec<u8> {
    corpus::samples("cmpp").into_iter().find(|sample| sample.name == name).expect(name).octets
}

fn version_of(name: &str) -> Version {
    if name.starts_with("v2") { Version::V2 } else { Version::V3 }
}

fn viewed(name: &str, check: impl FnOnce(&MessageView<'_>)) {
    let octets = sample(name);
    check(&MessageView::parse(&Pdu::new_checked(&octets).unwrap(), version_of(name)).unwrap());
}

fn shown(view: &MessageView<'_>) -> String {
    let mut buffer = [0; 1024];
    let out = blank(&mut buffer);
    let decoded = decode_segment(Coding::from_cmpp(view.msg_fmt), &view.user_data().parts(), out);
    out[..decoded.written].to_owned()
}

/// Parses `octets`, emits them again, and compares.
fn comes_back(name: &str, octets: &[u8], version: Version) {
    let pdu = Pdu::new_checked(octets).unwrap_or_else(|error| panic!("{name}: {error}"));
    let body = pdu.parse(version).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut out = vec![0; octets.len()];
    let length = emit(&pdu.header(), &body, version, &mut out).unwrap();
    assert_eq!(out[..length], *octets, "{name}");
    assert_eq!(MessageView::parse(&pdu, version).is_ok(), pdu.command_id().carries_message(), "{name}");
}

#[test]
fn every_sample_parses_and_is_emitted_byte_for_byte() {
    for sample in corpus::samples("cmpp") {
        comes_back(&sample.name, &sample.octets, version_of(&sample.name));
    }
}

/// With `YUMEN_VECTORS` set the vectors of that file, and the project's own otherwise.
#[test]
fn vectors_parse_and_are_emitted_byte_for_byte() {
    let vectors = match std::env::var_os("YUMEN_VECTORS") {
        Some(path) => vectors(&std::fs::read_to_string(path).unwrap()),
        None => corpus::samples("cmpp")
            .into_iter()
            .map(|sample| (version_of(&sample.name), sample.name, sample.octets))
            .collect(),
    };
    println!("{} vectors", vectors.len());
    assert!(!vectors.is_empty());
    for (version, name, octets) in vectors {
        comes_back(&name, &octets, version);
        let pdu = Pdu::new_checked(&octets).unwrap();
        assert_eq!(pdu.octets(), octets);
        if name.contains("_rpt") {
            assert!(MessageView::parse(&pdu, version).unwrap().report().is_some(), "{name}");
        }
    }
}

/// Lines of a name, a source and hexadecimal digits. CMPP's are named `c2_`, `c3_` or, where the version makes no
/// difference, `c_`; `t_c3_deliver_body` is a DELIVER without its header.
fn vectors(table: &str) -> Vec<(Version, String, Vec<u8>)> {
    let mut vectors = Vec::new();
    for line in table.lines() {
        let columns: Vec<_> = line.split('\t').collect();
        let [name, _, digits] = columns[..] else { panic!("three columns: {line}") };
        let version = match name {
            name if name.starts_with("c2_") => Version::V2,
            name if name.starts_with("c3_") || name.starts_with("c_") => Version::V3,
            name if name.starts_with("t_c3_deliver_body") => Version::V3,
            _ => continue,
        };
        let mut octets = corpus::hex(digits);
        if name.starts_with("t_") {
            let mut pdu = vec![0; 12 + octets.len()];
            emit(&Header::new(CommandId::DELIVER, 1), &Body::Opaque(&octets), version, &mut pdu).unwrap();
            octets = pdu;
        }
        vectors.push((version, name.to_owned(), octets));
    }
    vectors
}

#[test]
fn submit_shows_sender_receivers_and_text() {
    viewed("v2-submit-ucs2", |view| {
        assert_eq!(view.source, RawAddress::new(0, 0, b"10690000"));
        assert_eq!(view.destination(), (RawAddress::new(0, 0, b"13800000001"), 1));
        assert_eq!((view.service_id, view.msg_src), (&b"NEWS"[..], &b"900001"[..]));
        assert_eq!(shown(view), "【测试公司】您的验证码是000000，请勿告诉他人");
        assert_eq!(view.concatenation(), None);
    });
    viewed("v2-submit-gb18030-two-destinations", |view| {
        assert_eq!(shown(view), "【测试公司】本周课程表已更新");
        let destinations: Vec<_> = view.destinations().map(|destination| destination.octets).collect();
        assert_eq!(destinations, [&b"13800000001"[..], b"+8613800000002"]);
    });
    viewed("v3-submit-99-destinations", |view| {
        assert_eq!((view.destination().1, view.destinations().count()), (99, 99));
        assert_eq!(shown(view), "通知");
    });
    viewed("v3-submit-no-destination", |view| assert_eq!(view.destination(), (RawAddress::default(), 0)));
}

#[test]
fn parts_are_told_by_header_or_by_pk_number() {
    viewed("v2-submit-concatenated-narrow", |view| {
        assert_eq!(view.concatenation(), Concatenation::new(Reference::Narrow(0x2A), 2, 1));
        assert_eq!(shown(view), "第一部分，");
    });
    viewed("v3-submit-concatenated-wide-udhi-bit-6", |view| {
        assert_eq!(view.concatenation(), Concatenation::new(Reference::Wide(0x1234), 3, 2));
        assert_eq!(shown(view), "第二部分，");
    });
    viewed("v2-submit-concatenated-without-header", |view| {
        assert_eq!(view.concatenation(), Concatenation::new(Reference::Unnumbered, 2, 2));
    });
}

#[test]
fn octets_behind_the_first_nul_are_kept_and_not_shown() {
    viewed("v2-submit-octets-after-nul", |view| assert_eq!(view.source.octets, b"10690000"));
    let octets = sample("v2-submit-octets-after-nul");
    let Ok(Body::Submit(submit)) = Pdu::new_checked(&octets).unwrap().parse(Version::V2) else { panic!() };
    assert_eq!(submit.src_id.len(), 21);
    assert_eq!(until_nul(submit.src_id), b"10690000");
}

#[test]
fn reports_by_their_length() {
    for (name, number) in [
        ("v2-deliver-report-of-60", 21),
        ("v3-deliver-report-of-60", 21),
        ("v3-deliver-report-of-71", 32),
        ("v2-fwd-report", 21),
    ] {
        viewed(name, |view| {
            let report = view.report().unwrap();
            assert_eq!(
                (report.msg_id, report.dest_terminal_id.len()),
                (MsgId(0x314D_4500_03E9_0003), number)
            );
            assert_eq!(report.smsc_sequence, 0x0A0B, "{name}");
            assert_eq!(shown(view), "", "a report isn't text");
        });
    }
    viewed("v3-deliver-report-of-71", |view| assert_eq!(until_nul(view.report().unwrap().stat), b"MB:12"));
    viewed("v3-deliver-report-of-64", |view| assert!(view.is_report() && view.report().is_none()));
    viewed("v2-deliver-message", |view| assert!(!view.is_report() && view.report().is_none()));
}

#[test]
fn trailers_of_any_length() {
    for (name, length) in [
        ("v3-deliver-message-linkid", 20),
        ("v3-deliver-linkid-of-9", 9),
        ("v3-deliver-no-linkid", 0),
        ("v2-deliver-message", 8),
    ] {
        let octets = sample(name);
        let Ok(Body::Deliver(deliver)) = Pdu::new_checked(&octets).unwrap().parse(version_of(name)) else {
            panic!()
        };
        assert_eq!(deliver.trailer.len(), length, "{name}");
    }
}

#[test]
fn the_connect_response_tells_the_version() {
    for name in ["v2-connect-resp", "v3-connect-resp-authentication-failed"] {
        assert_eq!(Version::of_connect_resp(sample(name).len()), Some(version_of(name)));
    }
    let octets = sample("v3-connect-resp-authentication-failed");
    let Ok(Body::ConnectResp(response)) = Pdu::new_checked(&octets).unwrap().parse(Version::V2) else {
        panic!()
    };
    assert_eq!((response.status, response.version), (Code::Wide(3), 0x30));
}

#[test]
fn answers_of_the_gateway() {
    let answer = |name: &str, code, msg_id| {
        let request = sample(name);
        let mut out = [0; 64];
        let pdu = Pdu::new_checked(&request).unwrap();
        let length = emit_response(&pdu, version_of(name), code, MsgId(msg_id), &mut out).unwrap();
        out[..length].to_vec()
    };
    let id = 0x314D_4500_03E9_0003;
    assert_eq!(answer("v2-submit-ucs2", result::OK, id), sample("v2-submit-resp"));
    assert_eq!(
        answer("v3-submit-99-destinations", result::FLOW_CONTROL, id),
        sample("v3-submit-resp-flow-control")
    );
    assert_eq!(answer("v2-deliver-message", result::OK, 0), sample("v2-deliver-resp"));
    assert_eq!(answer("v3-deliver-no-linkid", result::OK, 0), sample("v3-deliver-resp"));
    assert_eq!(answer("v2-fwd-message", result::OK, 0), sample("v2-fwd-resp"));
    assert_eq!(answer("v3-fwd-pseudonyms", result::OTHER, 0), sample("v3-fwd-resp"));
    assert_eq!(answer("v2-cancel", 0, 0), sample("v2-cancel-resp"));
    assert_eq!(answer("v2-active-test", 0, 0), sample("v2-active-test-resp"));
    assert_eq!(answer("v2-terminate", 0, 0), sample("v2-terminate-resp"));
}

#[test]
fn defects_are_named() {
    let of_body = |command_id, body: &[u8]| {
        let mut out = vec![0; 12 + body.len()];
        emit(&Header::new(command_id, 1), &Body::Opaque(body), Version::V2, &mut out).unwrap();
        out
    };
    let parsed = |octets: &[u8]| Pdu::new_checked(octets).and_then(|pdu| pdu.parse(Version::V2).map(|_| ()));
    assert_eq!(parsed(&[0; 11]), Err(ParseError::Truncated));
    assert_eq!(parsed(&[0; 12]), Err(ParseError::LengthMismatch { announced: 0, actual: 12 }));
    assert_eq!(parsed(&of_body(CommandId::SUBMIT, &[0; 40])), Err(ParseError::Truncated));
    assert_eq!(parsed(&of_body(CommandId::CONNECT, &[0; 28])), Err(ParseError::TrailingOctets(1)));
    assert_eq!(parsed(&of_body(CommandId::SUBMIT_RESP, &[0; 10])), Err(ParseError::Truncated));
    let query = sample("v2-query");
    let view = MessageView::parse(&Pdu::new_checked(&query).unwrap(), Version::V2);
    assert_eq!(view.map(|_| ()), Err(ParseError::WrongCommand(6)));
}

#[test]
fn what_does_not_fit_the_wire_is_refused() {
    let emitted = |submit: Submit<'_>, version| {
        emit(&Header::new(CommandId::SUBMIT, 1), &Body::Submit(submit), version, &mut [0; 512])
    };
    let long = Submit { src_id: &[b'1'; 22], ..Submit::default() };
    assert_eq!(emitted(long, Version::V2), Err(EmitError::TooLong("Src_Id")));
    let typed = Submit { fee_terminal_type: 1, ..Submit::default() };
    assert_eq!(emitted(typed, Version::V2), Err(EmitError::NotInVersion("Fee_terminal_type")));
    assert!(emitted(typed, Version::V3).is_ok());
    let uncounted = Submit { destinations: &[0; 21], ..Submit::default() };
    assert_eq!(emitted(uncounted, Version::V2), Err(EmitError::TooLong("Dest_terminal_Id")));
    let mut room = [0; 64];
    let (destination_count, length) =
        Submit::pad_destinations(&[b"13800000001", b"13800000002"], Version::V3, &mut room).unwrap();
    let padded = Submit { destination_count, destinations: &room[..length], ..Submit::default() };
    assert!(emitted(padded, Version::V3).is_ok());
}

/// `N` fields of the sizes that the wire has, any octets.
fn fields<const N: usize>(sizes: [usize; N]) -> impl Strategy<Value = Vec<Vec<u8>>> {
    sizes.map(|size| prop::collection::vec(any::<u8>(), size).boxed()).to_vec()
}

fn parse_again<'a>(out: &'a mut [u8], id: CommandId, body: &Body<'_>, version: Version) -> Pdu<'a> {
    let length = emit(&Header::new(id, 9), body, version, out).unwrap();
    Pdu::new_checked(&out[..length]).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_octets_that_parse_are_emitted_as_they_came(
        id in prop_oneof![9 => prop::sample::select(CommandId::ALL), 1 => any::<u32>().prop_map(CommandId)],
        body in prop::collection::vec(prop_oneof![2 => 0u8..3, 1 => any::<u8>()], 0..420),
    ) {
        let mut octets = vec![0; 12 + body.len()];
        emit(&Header::new(id, 3), &Body::Opaque(&body), Version::V2, &mut octets).unwrap();
        let pdu = Pdu::new_checked(&octets).unwrap();
        for version in VERSIONS {
            if let Ok(parsed) = pdu.parse(version) {
                let mut again = vec![0; octets.len()];
                let length = emit(&pdu.header(), &parsed, version, &mut again).unwrap();
                prop_assert_eq!(&again[..length], &octets[..]);
            }
            if let Ok(view) = MessageView::parse(&pdu, version) {
                let _ = (view.report(), view.concatenation(), view.destination(), view.destinations().count());
            }
            let mut answer = [0; 64];
            prop_assert!(emit_response(&pdu, version, 9, MsgId(1), &mut answer).is_ok());
        }
    }

    #[test]
    fn any_octets_are_looked_at_without_panic(octets: Vec<u8>) {
        if let Ok(pdu) = Pdu::new_checked(&octets) {
            let _ = (pdu.parse(Version::V2), pdu.parse(Version::V3));
        }
    }

    #[test]
    fn submit_and_deliver_come_back(
        v3: bool,
        id: u64,
        bytes: [u8; 10],
        strings in fields([10, 32, 6, 2, 6, 17, 17, 21, 21]),
        count in 0u8..4,
        numbers in prop::collection::vec(any::<u8>(), 96),
        content in prop::collection::vec(any::<u8>(), 0..=255),
        trailer in prop::collection::vec(any::<u8>(), 0..24),
    ) {
        let version = if v3 { Version::V3 } else { Version::V2 };
        let terminal = version.terminal_id_bytes();
        let submit = Submit {
            msg_id: MsgId(id),
            pk_total: bytes[0],
            pk_number: bytes[1],
            registered_delivery: bytes[2],
            msg_level: bytes[3],
            service_id: &strings[0],
            fee_user_type: bytes[4],
            fee_terminal_id: &strings[1][..terminal],
            fee_terminal_type: if v3 { bytes[5] } else { 0 },
            tp_pid: bytes[6],
            tp_udhi: bytes[7],
            msg_fmt: bytes[8],
            msg_src: &strings[2],
            fee_type: &strings[3],
            fee_code: &strings[4],
            valid_time: &strings[5],
            at_time: &strings[6],
            src_id: &strings[7],
            destination_count: count,
            destinations: &numbers[..terminal * usize::from(count)],
            dest_terminal_type: if v3 { bytes[9] } else { 0 },
            msg_content: &content,
            trailer: &trailer,
        };
        let mut out = [0; 1024];
        let pdu = parse_again(&mut out, CommandId::SUBMIT, &Body::Submit(submit), version);
        prop_assert_eq!(pdu.parse(version), Ok(Body::Submit(submit)));
        let deliver = Deliver {
            msg_id: MsgId(id),
            dest_id: &strings[8],
            service_id: &strings[0],
            tp_pid: bytes[0],
            tp_udhi: bytes[1],
            msg_fmt: bytes[2],
            src_terminal_id: &strings[1][..terminal],
            src_terminal_type: if v3 { bytes[3] } else { 0 },
            registered_delivery: bytes[4] & 1,
            msg_content: &content,
            trailer: &trailer,
        };
        let mut out = [0; 1024];
        let pdu = parse_again(&mut out, CommandId::DELIVER, &Body::Deliver(deliver), version);
        prop_assert_eq!(pdu.parse(version), Ok(Body::Deliver(deliver)));
    }

    #[test]
    fn forwards_come_back(
        v3: bool,
        id: u64,
        bytes: [u8; 16],
        strings in fields([6, 6, 10, 21, 32, 6, 2, 6, 17, 17, 21, 32, 63, 32]),
        count in 0u8..4,
        content in prop::collection::vec(any::<u8>(), 0..=255),
    ) {
        let version = if v3 { Version::V3 } else { Version::V2 };
        let only = |value: u8| if v3 { value } else { 0 };
        let pseudo = |index: usize| if v3 { &strings[index][..] } else { &[] };
        let fwd = Fwd {
            source_id: &strings[0],
            destination_id: &strings[1],
            nodes_count: bytes[0],
            msg_fwd_type: bytes[1],
            msg_id: MsgId(id),
            pk_total: bytes[2],
            pk_number: bytes[3],
            registered_delivery: bytes[4],
            msg_level: bytes[5],
            service_id: &strings[2],
            fee_user_type: bytes[6],
            fee_terminal_id: &strings[3],
            fee_terminal_pseudo: pseudo(4),
            fee_terminal_user_type: only(bytes[7]),
            tp_pid: bytes[8],
            tp_udhi: bytes[9],
            msg_fmt: bytes[10],
            msg_src: &strings[5],
            fee_type: &strings[6],
            fee_code: &strings[7],
            valid_time: &strings[8],
            at_time: &strings[9],
            src_id: &strings[10],
            src_pseudo: pseudo(11),
            src_user_type: only(bytes[11]),
            src_type: only(bytes[12]),
            destination_count: count,
            destinations: &strings[12][..21 * usize::from(count)],
            dest_pseudo: pseudo(13),
            dest_user_type: only(bytes[13]),
            msg_content: &content,
            trailer: &[0; 8],
        };
        let mut out = [0; 1024];
        let pdu = parse_again(&mut out, CommandId::FWD, &Body::Fwd(fwd), version);
        prop_assert_eq!(pdu.parse(version), Ok(Body::Fwd(fwd)));
    }

    #[test]
    fn small_bodies_come_back(
        v3: bool,
        id: u64,
        value: u32,
        digest: [u8; 16],
        short: [u8; 8],
        service: [u8; 10],
        counters: [u32; 8],
        bytes: [u8; 8],
    ) {
        let version = if v3 { Version::V3 } else { Version::V2 };
        let code = Code::new(version, value);
        prop_assert_eq!(code.is_ok(), value == 0);
        let [a, b, c, d, e, f, g, h] = counters;
        let counters = Counters {
            mt_messages: a,
            mt_users: b,
            mt_forwarded: c,
            mt_waiting: d,
            mt_failed: e,
            mo_delivered: f,
            mo_waiting: g,
            mo_failed: h,
        };
        let source_addr = [short[0], short[1], short[2], short[3], short[4], short[5]];
        let (query_type, query_code) = (bytes[0], service);
        for (command, body) in [
            (
                CommandId::CONNECT,
                Body::Connect(Connect { source_addr, authenticator_source: digest, version: bytes[1], timestamp: value }),
            ),
            (
                CommandId::CONNECT_RESP,
                Body::ConnectResp(ConnectResp { status: code, authenticator_ismg: digest, version: bytes[1] }),
            ),
            (CommandId::SUBMIT_RESP, Body::MessageResp(MessageResp { msg_id: MsgId(id), result: code })),
            (CommandId::DELIVER_RESP, Body::MessageResp(MessageResp { msg_id: MsgId(id), result: code })),
            (CommandId::QUERY, Body::Query(Query { time: short, query_type, query_code, reserve: bytes })),
            (CommandId::QUERY_RESP, Body::QueryResp(QueryResp { time: short, query_type, query_code, counters })),
            (CommandId::CANCEL, Body::Cancel(Cancel { msg_id: MsgId(id) })),
            (CommandId::CANCEL_RESP, Body::CancelResp(CancelResp { success_id: code })),
            (
                CommandId::FWD_RESP,
                Body::FwdResp(FwdResp { msg_id: MsgId(id), pk_total: bytes[2], pk_number: bytes[3], result: code }),
            ),
            (CommandId::TERMINATE, Body::EMPTY),
        ] {
            let mut out = [0; 128];
            let pdu = parse_again(&mut out, command, &body, version);
            prop_assert_eq!(pdu.parse(version), Ok(body));
        }
    }

    #[test]
    fn reports_come_back(id: u64, strings in fields([7, 10, 10, 32]), wide: bool, smsc_sequence: u32) {
        let number = if wide { &strings[3][..] } else { &strings[3][..21] };
        let report = Report {
            msg_id: MsgId(id),
            stat: &strings[0],
            submit_time: &strings[1],
            done_time: &strings[2],
            dest_terminal_id: number,
            smsc_sequence,
        };
        let mut out = [0; 80];
        let length = report.emit(&mut out).unwrap();
        prop_assert_eq!(Report::parse(&out[..length]), Some(report));
    }
}
