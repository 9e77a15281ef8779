//! SMGP: PDUs of `testdata/smgp` and made-up ones, parsed, viewed and emitted.
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
use yumen_wire::error::{EmitError, ParseError};
use yumen_wire::smgp::{
    Body, CommandId, Header, MessageView, MsgId, Pdu, Submit, Tlv, Tlvs, Version, emit, emit_response, tag,
};
use yumen_wire::text::{Coding, blank, decode_segment};
use yumen_wire::udh::{Concatenation, Reference};

const VERSIONS: [Version; 2] = [Version::V1, Version::V3];

fn sample(name: &str) -> Vec<u8> {
    corpus::samples("smgp").into_iter().find(|sample| sample.name == name).expect(name).octets
}

fn version_of(name: &str) -> Version {
    if name.starts_with("v1") { Version::V1 } else { Version::V3 }
}

fn viewed(name: &str, check: impl FnOnce(&MessageView<'_>)) {
    let octets = sample(name);
    check(&MessageView::parse(&Pdu::new_checked(&octets).unwrap(), version_of(name)).unwrap());
}

fn shown(view: &MessageView<'_>) -> String {
    let mut buffer = [0; 1024];
    let out = blank(&mut buffer);
    let decoded = decode_segment(Coding::from_cmpp(view.msg_format), &view.user_data().parts(), out);
    out[..decoded.written].to_owned()
}

fn comes_back(name: &str, octets: &[u8], version: Version) {
    let pdu = Pdu::new_checked(octets).unwrap_or_else(|error| panic!("{name}: {error}"));
    let body = pdu.parse(version).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut out = vec![0; octets.len()];
    let length = emit(&pdu.header(), &body, version, &mut out).unwrap();
    assert_eq!(out[..length], *octets, "{name}");
    assert_eq!(MessageView::parse(&pdu, version).is_ok(), pdu.command_id().carries_message(), "{name}");
}

/// With `YUMEN_VECTORS` set the vectors of that file too: SMGP's are named `smgp_` or, real ones, `t_smgp_`; those of
/// 1.3 have `v13` in their names. A report's content without its Deliver isn't a PDU.
#[test]
fn vectors_parse_and_are_emitted_byte_for_byte() {
    for sample in corpus::samples("smgp") {
        comes_back(&sample.name, &sample.octets, version_of(&sample.name));
    }
    let Some(path) = std::env::var_os("YUMEN_VECTORS") else { return };
    let mut count = 0;
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let columns: Vec<_> = line.split('\t').collect();
        let [name, _, digits] = columns[..] else { panic!("three columns: {line}") };
        let is_pdu = name.trim_start_matches("t_").starts_with("smgp_") && !name.ends_with("_content");
        if !is_pdu {
            continue;
        }
        let octets = corpus::hex(digits);
        let version = if name.contains("v13") { Version::V1 } else { Version::V3 };
        comes_back(name, &octets, version);
        count += 1;
    }
    println!("{count} vectors");
    assert!(count > 0);
}

#[test]
fn submit_shows_sender_receivers_and_text() {
    viewed("v3-submit-two-destinations", |view| {
        assert_eq!(view.source, RawAddress::new(0, 0, b"10690000"));
        assert_eq!(view.destination(), (RawAddress::new(0, 0, b"18900000001"), 2));
        assert_eq!(shown(view), "【测试公司】您的验证码是000000");
    });
    viewed("v1-submit", |view| {
        assert_eq!(shown(view), "【测试公司】课程表");
        assert_eq!(view.source.octets, b"10690000");
    });
    viewed("v3-submit-unknown-parameter-and-bare-tag", |view| {
        assert_eq!(view.tlvs.find(tag::M_SERVICE_ID), Some(Tlv::new(tag::M_SERVICE_ID, b"ABC\0")));
        assert_eq!(shown(view), "通知");
    });
    viewed("v3-forward", |view| assert_eq!(shown(view), "转发的消息"));
}

#[test]
fn parts_are_told_by_header_or_by_parameters() {
    viewed("v3-submit-concatenated", |view| {
        assert_eq!(view.concatenation(), Concatenation::new(Reference::Narrow(0x2A), 2, 1));
        assert_eq!(shown(view), "第一部分");
    });
    viewed("v3-submit-concatenated-udhi-bit-6", |view| {
        assert_eq!(view.concatenation(), Concatenation::new(Reference::Wide(0x1234), 2, 2));
        assert_eq!(shown(view), "第二部分");
    });
    viewed("v3-submit-concatenated-without-header", |view| {
        assert_eq!(view.concatenation(), Concatenation::new(Reference::Unnumbered, 2, 2));
    });
}

#[test]
fn reports_whatever_their_labels() {
    viewed("v3-deliver-report", |view| {
        let report = view.report().unwrap();
        assert_eq!((report.stat, report.done_date), (&b"DELIVRD"[..], &b"2603090706"[..]));
        assert_eq!(report.msg_id.0[9], 0x4A);
        assert_eq!(shown(view), "");
    });
    viewed("v3-deliver-report-other-labels", |view| {
        let report = view.report().unwrap();
        assert_eq!(
            (report.stat, report.err, report.submit_date),
            (&b"UNDELIV"[..], &b"006"[..], &b"2603090705"[..])
        );
    });
    viewed("v3-deliver-message-linkid", |view| assert!(!view.is_report() && view.report().is_none()));
}

#[test]
fn answers_of_the_gateway() {
    let id = MsgId([0x01, 0, 0x61, 0x03, 0x09, 0x07, 0x05, 0, 0, 0x42]);
    let answer = |name: &str, status, msg_id| {
        let request = sample(name);
        let mut out = [0; 64];
        let pdu = Pdu::new_checked(&request).unwrap();
        let length = emit_response(&pdu, version_of(name), status, msg_id, &mut out).unwrap();
        out[..length].to_vec()
    };
    assert_eq!(answer("v3-submit-two-destinations", 0, id), sample("v3-submit-resp"));
    assert_eq!(answer("v1-submit", 1, id), sample("v3-submit-resp-busy"));
    assert_eq!(answer("v3-deliver-message-linkid", 0, MsgId::default()), sample("v3-deliver-resp"));
    assert_eq!(answer("v3-active-test", 0, id), sample("v3-active-test-resp"));
    assert_eq!(answer("v3-exit", 0, id), sample("v3-exit-resp"));
}

#[test]
fn defects_are_named() {
    assert_eq!(Pdu::new_checked(&[0; 11]).map(|_| ()), Err(ParseError::Truncated));
    let mut cut = sample("v3-submit-resp");
    cut.truncate(20);
    cut[3] = 20;
    assert_eq!(Pdu::new_checked(&cut).unwrap().parse(Version::V3), Err(ParseError::Truncated));
    let fee = Body::Submit(Submit { fixed_fee: b"000000", ..Submit::default() });
    let emitted = emit(&Header::new(CommandId::SUBMIT, 1), &fee, Version::V1, &mut [0; 256]);
    assert_eq!(emitted, Err(EmitError::NotInVersion("FixedFee")));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_octets_that_parse_are_emitted_as_they_came(
        id in prop_oneof![9 => prop::sample::select(CommandId::ALL), 1 => any::<u32>().prop_map(CommandId)],
        body in prop::collection::vec(prop_oneof![2 => 0u8..3, 1 => any::<u8>()], 0..420),
    ) {
        let mut octets = vec![0; 12 + body.len()];
        emit(&Header::new(id, 3), &Body::Opaque(&body), Version::V3, &mut octets).unwrap();
        let pdu = Pdu::new_checked(&octets).unwrap();
        for version in VERSIONS {
            if let Ok(parsed) = pdu.parse(version) {
                let mut again = vec![0; octets.len()];
                let length = emit(&pdu.header(), &parsed, version, &mut again).unwrap();
                prop_assert_eq!(&again[..length], &octets[..]);
            }
            let mut answer = [0; 64];
            prop_assert!(emit_response(&pdu, version, 9, MsgId::default(), &mut answer).is_ok());
        }
    }

    #[test]
    fn a_submit_comes_back(
        v3: bool,
        bytes: [u8; 4],
        strings in [10usize, 2, 6, 6, 17, 17, 21, 21, 63]
            .map(|size| prop::collection::vec(any::<u8>(), size).boxed()).to_vec(),
        count in 0u8..4,
        content in prop::collection::vec(any::<u8>(), 0..=255),
        reserve: [u8; 8],
        udhi: u8,
    ) {
        let version = if v3 { Version::V3 } else { Version::V1 };
        let mut room = [0; 16];
        let tlvs = Tlvs::build(&[Tlv::new(tag::TP_UDHI, &[udhi])], &mut room).unwrap();
        let submit = Submit {
            msg_type: bytes[0],
            need_report: bytes[1],
            priority: bytes[2],
            service_id: &strings[0],
            fee_type: &strings[1],
            fee_code: &strings[2],
            fixed_fee: if v3 { &strings[3] } else { &[] },
            msg_format: bytes[3],
            valid_time: &strings[4],
            at_time: &strings[5],
            src_term_id: &strings[6],
            charge_term_id: &strings[7],
            destination_count: count,
            destinations: &strings[8][..21 * usize::from(count)],
            msg_content: &content,
            reserve,
            tlvs,
        };
        let mut out = [0; 1024];
        let length = emit(&Header::new(CommandId::SUBMIT, 9), &Body::Submit(submit), version, &mut out).unwrap();
        let pdu = Pdu::new_checked(&out[..length]).unwrap();
        prop_assert_eq!(pdu.parse(version), Ok(Body::Submit(submit)));
        prop_assert_eq!(MessageView::parse(&pdu, version).unwrap().has_udh(), udhi & 0x41 != 0);
    }
}
