//! SGIP: PDUs of `testdata/sgip` and made-up ones, parsed, viewed and emitted.
//!
//! Further vectors, a name, a source and hexadecimal digits in columns, are read from the file that `YUMEN_VECTORS`
//! names.

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
use yumen_wire::sgip::{
    Body, CommandId, Header, MessageView, Pdu, Sequence, Submit, emit, emit_response, result,
};
use yumen_wire::text::{Coding, blank, decode_segment};
use yumen_wire::udh::{Concatenation, Reference};

fn sample(name: &str) -> Vec<u8> {
    corpus::samples("sgip").into_iter().find(|sample| sample.name == name).expect(name).octets
}

fn viewed(name: &str, check: impl FnOnce(&MessageView<'_>)) {
    let octets = sample(name);
    check(&MessageView::parse(&Pdu::new_checked(&octets).unwrap()).unwrap());
}

fn shown(view: &MessageView<'_>) -> String {
    let mut buffer = [0; 2048];
    let out = blank(&mut buffer);
    let decoded = decode_segment(Coding::from_cmpp(view.message_coding), &view.user_data().parts(), out);
    out[..decoded.written].to_owned()
}

fn comes_back(name: &str, octets: &[u8]) {
    let pdu = Pdu::new_checked(octets).unwrap_or_else(|error| panic!("{name}: {error}"));
    let body = pdu.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut out = vec![0; octets.len()];
    let length = emit(&pdu.header(), &body, &mut out).unwrap();
    assert_eq!(out[..length], *octets, "{name}");
    assert_eq!(MessageView::parse(&pdu).is_ok(), pdu.command_id().carries_message(), "{name}");
}

/// With `YUMEN_VECTORS` set the vectors of that file too: SGIP's are named `sgip_` or, real ones, `t_sgip_`.
#[test]
fn vectors_parse_and_are_emitted_byte_for_byte() {
    for sample in corpus::samples("sgip") {
        comes_back(&sample.name, &sample.octets);
    }
    let Some(path) = std::env::var_os("YUMEN_VECTORS") else { return };
    let mut count = 0;
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let columns: Vec<_> = line.split('\t').collect();
        let [name, _, digits] = columns[..] else { panic!("three columns: {line}") };
        if name.trim_start_matches("t_").starts_with("sgip_") {
            comes_back(name, &corpus::hex(digits));
            count += 1;
        }
    }
    println!("{count} vectors");
    assert!(count > 0);
}

#[test]
fn messages_show_sender_receivers_and_text() {
    viewed("submit-two-users", |view| {
        assert_eq!(view.source, RawAddress::new(0, 0, b"10690000"));
        assert_eq!(view.destination(), (RawAddress::new(0, 0, b"8613000000001"), 2));
        assert_eq!(shown(view), "【测试公司】您的验证码是000000");
        assert_eq!(view.sequence, Sequence { node: 3_075_500_001, time: 309_070_500, count: 2 });
    });
    viewed("deliver", |view| {
        assert_eq!(view.source.octets, b"8613000000001");
        assert_eq!(view.destination(), (RawAddress::new(0, 0, b"10690000"), 1));
        assert_eq!(shown(view), "退订");
    });
    viewed("submit-gbk-100-users", |view| {
        assert_eq!((view.destinations().count(), shown(view).as_str()), (100, "开会"));
    });
    viewed("submit-content-of-400", |view| assert_eq!(shown(view).len(), 400));
}

#[test]
fn parts_are_told_by_their_header() {
    viewed("submit-concatenated", |view| {
        assert_eq!(view.concatenation(), Concatenation::new(Reference::Narrow(0x2A), 2, 1));
        assert_eq!(shown(view), "第一部分");
    });
    viewed("submit-concatenated-udhi-bit-6", |view| {
        assert_eq!(view.concatenation(), Concatenation::new(Reference::Wide(0x1234), 2, 2));
    });
}

#[test]
fn a_report_names_its_submit() {
    let octets = sample("report");
    let Ok(Body::Report(report)) = Pdu::new_checked(&octets).unwrap().parse() else { panic!() };
    viewed("submit-two-users", |view| assert_eq!(report.submit_sequence, view.sequence));
    assert_eq!((report.state, report.error_code), (2, 29));
}

#[test]
fn answers_of_the_gateway() {
    let answer = |name: &str, code| {
        let request = sample(name);
        let mut out = [0; 64];
        let length = emit_response(&Pdu::new_checked(&request).unwrap().header(), code, &mut out).unwrap();
        out[..length].to_vec()
    };
    assert_eq!(answer("submit-two-users", result::OK), sample("submit-resp"));
    assert_eq!(answer("submit-gbk-100-users", result::BUSY), sample("submit-resp-busy"));
    assert_eq!(answer("deliver", result::OK), sample("deliver-resp"));
    assert_eq!(answer("report", result::OK), sample("report-resp"));
    assert_eq!(answer("unbind", result::OK), sample("unbind-resp"));
}

#[test]
fn a_content_longer_than_its_pdu_is_named() {
    let mut octets = sample("deliver");
    octets[85 - 20..85 - 16].copy_from_slice(&[0xFF; 4]);
    assert_eq!(Pdu::new_checked(&octets).unwrap().parse(), Err(ParseError::Truncated));
    assert_eq!(Pdu::new_checked(&octets[..19]).map(|_| ()), Err(ParseError::Truncated));
    let uncounted = Body::Submit(Submit { user_count: 1, ..Submit::default() });
    let emitted = emit(&Header::new(CommandId::SUBMIT, Sequence::default()), &uncounted, &mut [0; 256]);
    assert_eq!(emitted, Err(EmitError::TooLong("UserNumber")));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_octets_that_parse_are_emitted_as_they_came(
        id in prop_oneof![9 => prop::sample::select(CommandId::ALL), 1 => any::<u32>().prop_map(CommandId)],
        words: [u32; 3],
        body in prop::collection::vec(prop_oneof![2 => 0u8..3, 1 => any::<u8>()], 0..420),
    ) {
        let [node, time, count] = words;
        let header = Header::new(id, Sequence { node, time, count });
        let mut octets = vec![0; 20 + body.len()];
        emit(&header, &Body::Opaque(&body), &mut octets).unwrap();
        let pdu = Pdu::new_checked(&octets).unwrap();
        prop_assert_eq!(pdu.header(), header);
        if let Ok(parsed) = pdu.parse() {
            let mut again = vec![0; octets.len()];
            let length = emit(&header, &parsed, &mut again).unwrap();
            prop_assert_eq!(&again[..length], &octets[..]);
        }
    }

    #[test]
    fn a_submit_comes_back(
        bytes: [u8; 9],
        strings in [21usize, 21, 5, 10, 6, 6, 16, 16, 63]
            .map(|size| prop::collection::vec(any::<u8>(), size).boxed()).to_vec(),
        count in 0u8..4,
        content in prop::collection::vec(any::<u8>(), 0..600),
        trailer in prop::collection::vec(any::<u8>(), 0..12),
    ) {
        let submit = Submit {
            sp_number: &strings[0],
            charge_number: &strings[1],
            user_count: count,
            user_numbers: &strings[8][..21 * usize::from(count)],
            corp_id: &strings[2],
            service_type: &strings[3],
            fee_type: bytes[0],
            fee_value: &strings[4],
            given_value: &strings[5],
            agent_flag: bytes[1],
            more_late_to_mt_flag: bytes[2],
            priority: bytes[3],
            expire_time: &strings[6],
            schedule_time: &strings[7],
            report_flag: bytes[4],
            tp_pid: bytes[5],
            tp_udhi: bytes[6],
            message_coding: bytes[7],
            message_type: bytes[8],
            message_content: &content,
            trailer: &trailer,
        };
        let header = Header::new(CommandId::SUBMIT, Sequence::default());
        let mut out = [0; 1024];
        let length = emit(&header, &Body::Submit(submit), &mut out).unwrap();
        let pdu = Pdu::new_checked(&out[..length]).unwrap();
        prop_assert_eq!(pdu.parse(), Ok(Body::Submit(submit)));
    }
}
