//! `yumen replay` over a capture file that is written here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing
)]

use serde_json::Value;
use std::fs;
use std::process::{Command, Output};
use yumen_tests::pcap::{Pcap, flag};

const SMSC_PORT: u16 = 2775;
const SIP_PORT: u16 = 5060;

/// submit_sm in UCS-2 (SMPP 3.4 §4.4.1); `header` is a user data header.
fn submit_sm(header: &[u8], text: &str) -> Vec<u8> {
    let mut data = header.to_vec();
    data.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
    let mut body = b"\0\x01\x0110690000\0\x01\x018613900000001\0".to_vec();
    body.extend([if header.is_empty() { 0 } else { 0x40 }, 0, 0, 0, 0, 0, 0, 8, 0, data.len() as u8]);
    body.extend(data);
    let mut pdu = Vec::new();
    for field in [16 + body.len() as u32, 4, 0, 1] {
        pdu.extend(field.to_be_bytes());
    }
    pdu.extend(body);
    pdu
}

const INVITE: &[u8] = b"INVITE sip:+8613900000002@192.0.2.2 SIP/2.0\r\n\
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n\
Max-Forwards: 70\r\n\
From: \"<sip:nobody@example.invalid>\" <sip:+8613900000003@192.0.2.1>;tag=1\r\n\
To: <sip:+8613900000002@192.0.2.2>\r\n\
Call-ID: one@192.0.2.1\r\n\
CSeq: 1 INVITE\r\n\
Content-Length: 0\r\n\r\n";

fn capture() -> Vec<u8> {
    let mut pcap = Pcap::default();
    let threat = submit_sm(&[], "逾期不还就爆通讯录");
    let greeting = submit_sm(&[], "今晚一起吃饭吗");
    let halves = [
        submit_sm(&[5, 0, 3, 7, 2, 1], "逾期不还就爆"),
        submit_sm(&[5, 0, 3, 7, 2, 2], "通讯录"),
        submit_sm(&[5, 0, 3, 8, 3, 1], "还有两段没有来"),
    ]
    .concat();
    let mut tcp = |sequence, flags, payload: &[u8]| pcap.tcp(false, SMSC_PORT, sequence, flags, payload);
    tcp(99, flag::SYN, &[]); // 1
    // A PDU in two segments; the second comes first, and then the first comes twice.
    let (first, second) = threat.split_at(21);
    let behind = 100 + threat.len() as u32;
    tcp(121, flag::DATA, second); // 2
    tcp(100, flag::DATA, first); // 3
    tcp(100, flag::DATA, first); // 4
    tcp(behind, flag::DATA, &greeting); // 5
    tcp(behind + greeting.len() as u32, flag::DATA, &halves); // 6
    pcap.udp(false, SIP_PORT, INVITE); // 7
    pcap.udp(false, SIP_PORT, INVITE); // 8: the same once more
    pcap.udp(false, SIP_PORT, b"not SIP"); // 9
    pcap.bytes().to_vec()
}

fn replay(bytes: &[u8], json: bool) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.pcap");
    fs::write(&file, bytes).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_yumen"));
    command.arg("replay").arg(&file).env("XDG_CACHE_HOME", folder.path());
    if json {
        command.arg("--json");
    }
    command.output().unwrap()
}

#[test]
fn a_capture_is_judged_message_by_message() {
    let output = replay(&capture(), true);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    assert!(errors.starts_with("9 packets, 5 messages and attempts, 2 blocked"), "{errors}");
    let rows: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let shown: Vec<_> = rows
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap();
            // What stands for the parts that are missing.
            let said = text("text").trim_end_matches('ꔀ');
            (row["frame"].as_u64().unwrap(), text("protocol"), text("verdict"), said)
        })
        .collect();
    assert_eq!(
        shown,
        [
            (3, "smpp", "reject", "逾期不还就爆通讯录"),
            (5, "smpp", "allow", "今晚一起吃饭吗"),
            (6, "smpp", "reject", "逾期不还就爆通讯录"),
            (7, "sip", "allow", ""),
            // Its other parts never came: it is shown at the end.
            (6, "smpp", "allow", "还有两段没有来"),
        ]
    );
    let threat = &rows[0];
    assert_eq!(threat["from"], "10690000");
    assert_eq!(threat["to"], "8613900000001");
    assert_eq!(threat["time_us"], 1_700_000_002_000_000_u64);
    assert_eq!(threat["direction"], "submit");
    assert_eq!(threat["typology"], "debt-collection");
    assert!(!threat["rules"].as_array().unwrap().is_empty());
    assert_eq!((&rows[2]["parts_received"], &rows[2]["parts_total"]), (&2.into(), &2.into()));
    assert_eq!((&rows[4]["parts_received"], &rows[4]["parts_total"]), (&1.into(), &3.into()));
    let call = &rows[3];
    assert_eq!((&call["channel"], &call["from"]), (&"call".into(), &"+8613900000003".into()));
    assert_eq!(call["to"], "+8613900000002");
}

#[test]
fn the_table_shows_the_same_and_a_cut_file_shows_what_it_has() {
    let mut bytes = capture();
    bytes.truncate(bytes.len() - 3);
    let output = replay(&bytes, false);
    let table = String::from_utf8(output.stdout).unwrap();
    assert_eq!(table.lines().count(), 5, "{table}");
    assert!(table.lines().next().unwrap().contains("reject"), "{table}");
    assert!(!replay(b"not a capture", false).status.success());
}
