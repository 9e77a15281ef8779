//! The whole device on the host: a modem that says what the test lets it say, bytes out of three wires.

#![expect(clippy::unwrap_used, reason = "what a test can't make or read fails it")]

use proptest::prelude::*;
use std::sync::LazyLock;
use yumen_compiler::build::{BuildOptions, Built, pack_bytes};
use yumen_compiler::sign::{sign, signing_key};
use yumen_compiler::test::TestSummary;
use yumen_compiler::{Report, edge};
use yumen_firmware::limits::{ANSWER_MS, CALLER_MS, RETRY_MS};
use yumen_firmware::link::{FRAME_BYTES_MAX, Frames, Report as Sighting};
use yumen_firmware::pack::{Refusal, check};
use yumen_firmware::{Device, Guard, Storage, Wires};
use yumen_rules::pack::Layout;
use yumen_rules::policy::Policy;
use yumen_wire::text::encode_ucs2;

const RULES: &str = r#"
[[rule]]
id = "credit-repair/offer"
typology = "credit-repair"
title = "征信修复"
score = 85
match.offer = { any = ["征信修复"] }
match.wash = { any = ["洗白"], regex = '记录.{0,4}消除' }
when = "offer && wash"
hit = ["征信修复，记录全部消除"]
miss = ["今天下雨"]
"#;

static PACK: LazyLock<(Vec<u8>, [u8; 32])> = LazyLock::new(|| {
    let report = Report::of_texts([("rules/a.toml", RULES)]);
    let bytes = pack_bytes(&report, &BuildOptions::default()).unwrap();
    let built = Built { bytes, report, tests: TestSummary::default() };
    let options = BuildOptions { serial: 7, ..BuildOptions::default() };
    let mut bytes = edge::fit(&built, &options, 64 << 10).unwrap().bytes;
    let key = signing_key(&[9; 32]);
    sign(&mut bytes, &key).unwrap();
    (bytes, key.verifying_key().to_bytes())
});
static LAYOUT: LazyLock<Layout> = LazyLock::new(|| check(&PACK.0, &PACK.1, 7).unwrap());

#[derive(Default)]
struct Out {
    modem: Vec<u8>,
    telephone: Vec<u8>,
    link: Vec<u8>,
}

impl Wires for Out {
    fn modem(&mut self, bytes: &[u8]) {
        self.modem.extend_from_slice(bytes);
    }
    fn telephone(&mut self, bytes: &[u8]) {
        self.telephone.extend_from_slice(bytes);
    }
    fn link(&mut self, bytes: &[u8]) {
        self.link.extend_from_slice(bytes);
    }
}

struct Bench {
    device: Device<'static>,
    out: Out,
    now_ms: u64,
}

impl Bench {
    fn new() -> Self {
        let storage: &'static mut Storage = Box::leak(Box::default());
        let guard =
            Guard::new(LAYOUT.pack(&PACK.0), Policy::enforcing(), &[], &["1700000*"], storage).unwrap();
        Self { device: Device::new(guard), out: Out::default(), now_ms: 0 }
    }

    /// One that has set its modem up.
    fn running() -> Self {
        let mut bench = Self::new();
        bench.set_up();
        bench
    }

    fn set_up(&mut self) {
        for _ in 0..20 {
            self.device.poll(self.now_ms, &mut self.out);
            let sent = std::mem::take(&mut self.out.modem);
            match sent.as_slice() {
                b"" => break,
                b"AT+CPIN?\r" => self.modem(b"\r\n+CPIN: READY\r\n\r\nOK\r\n"),
                _ => self.modem(b"\r\nOK\r\n"),
            }
        }
        assert!(self.device.is_running());
        self.out = Out::default();
    }

    fn modem(&mut self, bytes: &[u8]) {
        self.device.on_modem(bytes, self.now_ms, &mut self.out);
    }

    fn later(&mut self, ms: u64) {
        self.now_ms += ms;
        self.device.poll(self.now_ms, &mut self.out);
    }

    fn sightings(&mut self) -> Vec<(bool, u8, String)> {
        let (mut frames, mut out) = (Frames::new(), [0; FRAME_BYTES_MAX]);
        let bytes = std::mem::take(&mut self.out.link);
        let read = |record: &[u8]| {
            Sighting::parse(record).map(|report| (report.is_call, report.score, report.rule.to_owned()))
        };
        bytes.iter().filter_map(|&byte| frames.push(byte, &mut out).and_then(read)).collect()
    }
}

/// An SMS-DELIVER from +8613800000011 as a modem shows it, with a header where it is a part.
fn pdu(text: &str, part: Option<(u8, u8)>) -> String {
    let mut body = [0; 140];
    let length = encode_ucs2(text, &mut body).unwrap();
    let header: Vec<u8> = part.map_or_else(Vec::new, |(total, number)| vec![5, 0, 3, 0x2A, total, number]);
    let first = if header.is_empty() { 0x04 } else { 0x44 };
    let mut octets = vec![0, first, 0x0D, 0x91, 0x68, 0x31, 0x08, 0, 0, 0x10, 0xF1, 0, 0x08];
    octets.extend([0x62, 0x10, 0x20, 0x30, 0x40, 0x50, 0x23]);
    octets.push(u8::try_from(header.len() + length).unwrap());
    octets.extend(header);
    octets.extend_from_slice(&body[..length]);
    octets.iter().map(|octet| format!("{octet:02X}")).collect()
}

fn announced(text: &str, part: Option<(u8, u8)>) -> Vec<u8> {
    let pdu = pdu(text, part);
    format!("\r\n+CMT: ,{}\r\n{pdu}\r\n", pdu.len() / 2 - 1).into_bytes()
}

const GOOD: &str = "今晚七点家里吃饭，别迟到。";
const BAD: &str = "专业征信修复，逾期记录全部消除";

#[test]
fn a_pack_of_another_key_or_an_older_one_or_a_changed_one_is_refused() {
    let (bytes, key) = &*PACK;
    assert_eq!(check(bytes, &[1; 32], 0).unwrap_err(), Refusal::Signature);
    assert_eq!(check(bytes, key, 8).unwrap_err(), Refusal::Older);
    let mut changed = bytes.clone();
    changed[300] ^= 1;
    assert_eq!(check(&changed, key, 0).unwrap_err(), Refusal::Signature);
    assert_eq!(check(&bytes[..40], key, 0).unwrap_err(), Refusal::Signature);
}

#[test]
fn honest_messages_go_on_byte_for_byte_and_bad_ones_dont() {
    let mut bench = Bench::running();
    let good = announced(GOOD, None);
    bench.modem(&good);
    assert_eq!(bench.out.telephone, good);
    assert_eq!(bench.out.modem, b"AT+CNMA\r");
    bench.modem(b"\r\nOK\r\n");
    bench.out.telephone.clear();
    bench.modem(&announced(BAD, None));
    assert_eq!(bench.out.telephone, b"");
    assert_eq!(bench.out.modem, b"AT+CNMA\rAT+CNMA\r");
    assert_eq!(bench.sightings(), [(false, 85, "credit-repair/offer".to_owned())]);
}

#[test]
fn parts_are_judged_together_and_those_that_follow_are_stopped() {
    let mut bench = Bench::running();
    let first = announced("专业征信修复，", Some((3, 1)));
    bench.modem(&first);
    assert_eq!(bench.out.telephone, first);
    bench.modem(b"\r\nOK\r\n");
    bench.out.telephone.clear();
    bench.modem(&announced("逾期记录全部消除，", Some((3, 2))));
    bench.modem(b"\r\nOK\r\n");
    bench.modem(&announced("详情来电。", Some((3, 3))));
    assert_eq!(bench.out.telephone, b"");
}

#[test]
fn a_stored_message_is_read_before_the_telephone_hears_of_it() {
    let mut bench = Bench::running();
    let announcement = b"\r\n+CMTI: \"SM\",12\r\n";
    bench.modem(announcement);
    assert_eq!((&bench.out.modem[..], &bench.out.telephone[..]), (&b"AT+CMGR=12\r"[..], &b""[..]));
    bench.modem(format!("\r\n+CMGR: 0,,40\r\n{}\r\n\r\nOK\r\n", pdu(GOOD, None)).as_bytes());
    assert!(
        bench.out.telephone.ends_with(announcement),
        "{:?}",
        String::from_utf8_lossy(&bench.out.telephone)
    );
    bench.out = Out::default();
    bench.modem(b"\r\n+CMTI: \"SM\",3\r\n");
    bench.modem(format!("\r\n+CMGR: 0,,40\r\n{}\r\n\r\nOK\r\n", pdu(BAD, None)).as_bytes());
    assert_eq!(bench.out.telephone, b"");
    assert_eq!(bench.out.modem, b"AT+CMGR=3\rAT+CMGD=3\r");
}

#[test]
fn a_bad_caller_is_hung_up_on_within_one_ring() {
    let mut bench = Bench::running();
    bench.modem(b"\r\nRING\r\n\r\n+CLIP: \"17000001234\",129\r\n");
    assert_eq!((&bench.out.modem[..], &bench.out.telephone[..]), (&b"AT+CHUP\r"[..], &b""[..]));
    bench.modem(b"\r\nERROR\r\n");
    assert_eq!(bench.out.modem, b"AT+CHUP\rATH\r");
    bench.modem(b"\r\nOK\r\n\r\nNO CARRIER\r\n");
    assert_eq!(bench.out.telephone, b"");
    assert_eq!(bench.sightings(), [(true, 100, String::new())]);
    let honest = b"\r\nRING\r\n\r\n+CLIP: \"13800000011\",129\r\n\r\nRING\r\n\r\nNO CARRIER\r\n";
    bench.modem(honest);
    assert_eq!(bench.out.telephone, honest);
}

#[test]
fn a_call_without_a_number_rings_in_time() {
    let mut bench = Bench::running();
    bench.modem(b"\r\nRING\r\n");
    assert_eq!(bench.out.telephone, b"");
    bench.later(CALLER_MS);
    assert_eq!(bench.out.telephone, b"\r\nRING\r\n");
}

#[test]
fn the_telephone_sides_commands_wait_for_the_modem_and_cant_blind_the_guard() {
    let mut bench = Bench::running();
    bench.device.on_telephone(b"AT+CSQ\rAT+COPS?\rAT+CMGF=1\r", 0, &mut bench.out);
    assert_eq!(bench.out.modem, b"AT+CSQ\r");
    assert_eq!(bench.out.telephone, b"\r\nERROR\r\n");
    bench.modem(b"\r\n+CSQ: 20,99\r\n\r\nOK\r\n");
    assert_eq!(bench.out.modem, b"AT+CSQ\rAT+COPS?\r");
    assert!(bench.out.telephone.ends_with(b"\r\n+CSQ: 20,99\r\n\r\nOK\r\n"));
    bench.modem(b"\r\nOK\r\n");
    bench.out = Out::default();
    bench.device.on_telephone(b"AT+CMGS=20\r", 0, &mut bench.out);
    bench.modem(b"\r\n> ");
    bench.device.on_telephone(b"0001\x1A", 0, &mut bench.out);
    assert_eq!(bench.out.modem, b"AT+CMGS=20\r0001\x1A");
}

#[test]
fn a_modem_that_restarts_or_goes_silent_is_set_up_again() {
    let mut bench = Bench::running();
    bench.modem(b"\r\n^SYSSTART\r\n");
    assert!(!bench.device.is_running());
    bench.later(RETRY_MS);
    assert_eq!(bench.out.modem, b"AT\r");
    bench.later(ANSWER_MS);
    assert_eq!(bench.device.counters().unanswered, 1);
    bench.out.modem.clear();
    bench.later(RETRY_MS);
    bench.modem(b"\r\nOK\r\n");
    bench.set_up();
    assert_eq!(bench.device.counters().setups, 2);
}

#[test]
fn what_cant_be_read_is_passed_on() {
    let mut bench = Bench::running();
    let garbled = b"\r\n+CMT: ,40\r\n04zz0D91\r\n";
    bench.modem(garbled);
    assert_eq!(bench.out.telephone, garbled);
    assert_eq!(bench.device.counters().unreadable, 1);
}

proptest! {
    #[test]
    fn however_the_bytes_are_split_the_same_comes_out(cuts in prop::collection::vec(1..40_usize, 1..60)) {
        let mut stream = announced(GOOD, None);
        stream.extend(b"\r\nOK\r\n");
        stream.extend(announced(BAD, None));
        stream.extend(b"\r\nOK\r\n\r\nRING\r\n\r\n+CLIP: \"17000001234\",129\r\n\r\nOK\r\n");
        stream.extend(announced(GOOD, Some((2, 1))));
        let (mut whole, mut split) = (Bench::running(), Bench::running());
        whole.modem(&stream);
        let mut rest = &stream[..];
        for cut in cuts.iter().cycle() {
            let (piece, behind) = rest.split_at((*cut).min(rest.len()));
            split.modem(piece);
            rest = behind;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(split.out.telephone, whole.out.telephone);
        prop_assert_eq!(split.out.modem, whole.out.modem);
        prop_assert_eq!(split.out.link, whole.out.link);
    }

    #[test]
    fn no_bytes_stop_it(
        pieces in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..60), 0..3_u8, 0..4000_u64), 0..40),
    ) {
        let mut bench = Bench::running();
        for (bytes, side, ms) in pieces {
            match side {
                0 => bench.modem(&bytes),
                1 => bench.device.on_telephone(&bytes, bench.now_ms, &mut bench.out),
                _ => bench.device.on_link(&bytes),
            }
            bench.later(ms);
        }
    }
}
