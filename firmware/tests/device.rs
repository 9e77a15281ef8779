//! The whole device on the host: a modem that says what the test lets it say, bytes out of three wires.

#![expect(clippy::unwrap_used, reason = "what a test can't make or read fails it")]
#![expect(clippy::cast_possible_truncation, reason = "numbers of a test are small")]

#[path = "../storage/tests/nor/mod.rs"]
mod nor;

use nor::{Nor, SECTOR};
use proptest::prelude::*;
use std::sync::LazyLock;
use yumen_compiler::build::{BuildOptions, Built, pack_bytes};
use yumen_compiler::sign::{sign, signing_key};
use yumen_compiler::test::TestSummary;
use yumen_compiler::{Report, edge};
use yumen_firmware::limits::{ANSWER_MS, CALLER_MS, CONFIRM_JUDGED, RETRY_MS};
use yumen_firmware::pack::{Refusal, check};
use yumen_firmware::storage::{Regions, Slot};
use yumen_firmware::{Board, Device, Guard, Start, Started, Storage, Trust, Wires, start};
use yumen_link::limits::PIECE_BYTES;
use yumen_link::{Cause, Down, Endpoint, Event, Hello, Kind, Outcome, Up, from_bytes, to_bytes};
use yumen_rules::pack::{Layout, Pack};
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

static PACK: LazyLock<(Vec<u8>, [u8; 32])> = LazyLock::new(|| pack(RULES, 7));
static LAYOUT: LazyLock<Layout> = LazyLock::new(|| check(&PACK.0, &PACK.1, 7).unwrap());

fn pack(rules: &str, serial: u64) -> (Vec<u8>, [u8; 32]) {
    let report = Report::of_texts([("rules/a.toml", rules)]);
    let bytes = pack_bytes(&report, &BuildOptions::default()).unwrap();
    let built = Built { bytes, report, tests: TestSummary::default() };
    let options = BuildOptions { serial, ..BuildOptions::default() };
    let mut bytes = edge::fit(&built, &options, 64 << 10).unwrap().bytes;
    let key = signing_key(&[9; 32]);
    sign(&mut bytes, &key).unwrap();
    (bytes, key.verifying_key().to_bytes())
}

fn regions() -> Regions {
    let at = |sector: u32| sector * SECTOR as u32;
    Regions {
        state: at(0)..at(2),
        settings: at(2)..at(4),
        ring: at(4)..at(12),
        packs: [at(12)..at(32), at(32)..at(52)],
        images: [at(52)..at(54), at(54)..at(56)],
    }
}

/// A board whose flash isn't mapped for as long as the test runs: packs are copied.
#[derive(Debug)]
struct Copies;

impl Board<'static> for Copies {
    type Flash = Nor;

    fn hold(&mut self, _slot: Slot, bytes: &[u8], layout: Layout) -> Option<Pack<'static>> {
        let layout: &'static Layout = Box::leak(Box::new(layout));
        Some(layout.pack(Box::leak(bytes.to_vec().into_boxed_slice())))
    }
}

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
    device: Device<'static, Copies>,
    out: Out,
    now_ms: u64,
    agent: Endpoint,
}

impl Bench {
    fn new() -> Self {
        Self::with(Nor::new(56, 1), &Start::default())
    }

    fn with(flash: Nor, reason: &Start<'_>) -> Self {
        let trust = Trust { key: &PACK.1, board: "host", version: 1 };
        let built_in = LAYOUT.pack(&PACK.0);
        let Started { store, loaded, mut listed } =
            start(flash, regions(), &trust, &mut Copies, Some(built_in));
        assert!(store.is_some() && loaded.is_some());
        listed.add(true, "1700000*");
        let storage: &'static mut Storage = Box::leak(Box::default());
        let guard = Guard::new(loaded, Policy::enforcing(), listed, storage);
        let device = Device::new(guard, store, Copies, trust, reason);
        Self { device, out: Out::default(), now_ms: 0, agent: Endpoint::new(77) }
    }

    /// The power is cut; gives the flash.
    fn off(self) -> Nor {
        self.device.into_flash().unwrap()
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

    /// What the device says to the agent from now on, until it says no more; all of it is acknowledged.
    fn said(&mut self) -> Vec<Said> {
        let mut said = Vec::new();
        for _ in 0..200 {
            self.later(10);
            for byte in std::mem::take(&mut self.out.link) {
                if let Some(Event::Message { .. }) = self.agent.push(byte) {
                    said.push(Said::of(from_bytes(self.agent.message()).unwrap()));
                    self.agent.accept();
                }
            }
            while let Some(bytes) = self.agent.poll(self.now_ms).map(<[u8]>::to_vec) {
                self.device.on_link(&bytes, self.now_ms);
            }
        }
        said
    }

    fn sightings(&mut self) -> Vec<(bool, u8, String)> {
        self.said()
            .into_iter()
            .filter_map(|said| match said {
                Said::Sighting { is_call, score, rule, .. } => Some((is_call, score, rule)),
                _ => None,
            })
            .collect()
    }

    fn tell(&mut self, message: &Down<'_>) -> Vec<Said> {
        let mut buffer = [0; 640];
        self.agent.send(to_bytes(message, &mut buffer).unwrap(), self.now_ms).unwrap();
        self.said()
    }

    fn update(&mut self, kind: Kind, serial: u64, bytes: &[u8]) -> Vec<Said> {
        let mut said = self.tell(&Down::Begin { kind, serial, length: u32::try_from(bytes.len()).unwrap() });
        for (number, piece) in bytes.chunks(PIECE_BYTES).enumerate() {
            let at = u32::try_from(number * PIECE_BYTES).unwrap();
            said.extend(self.tell(&Down::Piece { at, bytes: piece }));
        }
        said.extend(self.tell(&Down::Finish));
        said
    }
}

/// What a device said, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    Hello {
        serial: u64,
        cause: Cause,
        starts: u32,
        is_on_trial: bool,
    },
    Sighting {
        id: u64,
        is_call: bool,
        score: u8,
        rule: String,
        originator: String,
        contacts: Vec<String>,
        time_ms: u64,
    },
    Fault {
        words: String,
    },
    Update(Kind, u64, Outcome),
}

impl Said {
    fn of(up: Up<'_>) -> Self {
        match up {
            Up::Hello(Hello { serial, cause, starts, is_on_trial, .. }) => {
                Self::Hello { serial, cause, starts, is_on_trial }
            }
            Up::Sighting(sighting) => Self::Sighting {
                id: sighting.id,
                is_call: sighting.is_call,
                score: sighting.score,
                rule: sighting.rules.first().map(|rule| rule.id.to_owned()).unwrap_or_default(),
                originator: sighting.originator.to_owned(),
                contacts: sighting.contacts.iter().map(|contact| contact.value.to_owned()).collect(),
                time_ms: sighting.time_ms,
            },
            Up::Fault(fault) => Self::Fault { words: fault.words.to_owned() },
            Up::Update(update) => Self::Update(update.kind, update.serial, update.outcome),
        }
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
    // By the site's own list, not by a rule: there is nothing to tell the hub.
    assert_eq!(bench.sightings(), []);
    assert_eq!(bench.device.counters().calls_blocked, 1);
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

#[test]
fn sightings_survive_a_power_cut_and_are_told_once() {
    let mut bench = Bench::running();
    bench.modem(&announced(&format!("{BAD}，加微信 yumen_test01"), None));
    bench.modem(b"\r\nOK\r\n");
    bench.modem(&announced(BAD, None));
    // Nobody has listened yet.
    let mut bench = Bench::with(bench.off(), &Start::default());
    bench.set_up();
    let said = bench.said();
    let told: Vec<_> = said
        .iter()
        .filter_map(|said| match said {
            Said::Sighting { id, originator, contacts, .. } => {
                Some((*id, originator.as_str(), contacts.len()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(told, [(1 << 32, "8613800000011", 1), ((1 << 32) + 1, "8613800000011", 0)], "{said:?}");
    let hello = Said::Hello { serial: 7, cause: Cause::Power, starts: 2, is_on_trial: false };
    assert!(said.contains(&hello), "{said:?}");
    let mut bench = Bench::with(bench.off(), &Start::default());
    assert_eq!(bench.sightings(), []);
}

#[test]
fn a_pack_comes_down_while_messages_flow_and_goes_where_it_fails() {
    let (newer, _) = pack(&RULES.replace("征信修复\"]", "征信修复\", \"征信优化\"]"), 9);
    let other = "征信优化，逾期记录全部消除";
    let mut bench = Bench::running();
    bench.modem(&announced(other, None));
    bench.modem(b"\r\nOK\r\n");
    assert_eq!(bench.device.counters().messages_blocked, 0);
    let mut damaged = newer.clone();
    damaged[1_000] ^= 1;
    let said = bench.update(Kind::Pack, 9, &damaged);
    assert!(said.contains(&Said::Update(Kind::Pack, 9, Outcome::Invalid)), "{said:?}");
    let said = bench.update(Kind::Pack, 6, &newer);
    assert!(said.contains(&Said::Update(Kind::Pack, 6, Outcome::NotNewer)), "{said:?}");
    let said = bench.update(Kind::Pack, 9, &newer);
    assert!(said.contains(&Said::Update(Kind::Pack, 9, Outcome::OnTrial)), "{said:?}");
    for _ in 0..CONFIRM_JUDGED {
        bench.modem(&announced(other, None));
        bench.modem(b"\r\nOK\r\n");
    }
    assert_eq!(bench.device.counters().messages_blocked, CONFIRM_JUDGED);
    let said = bench.said();
    assert!(said.contains(&Said::Update(Kind::Pack, 9, Outcome::Confirmed)), "{said:?}");
    // It is there after a power cut, and nothing older is taken any more.
    let mut bench = Bench::with(bench.off(), &Start::default());
    bench.set_up();
    let said = bench.said();
    assert!(said.iter().any(|said| matches!(said, Said::Hello { serial: 9, .. })), "{said:?}");
    let said = bench.update(Kind::Pack, 8, &newer);
    assert!(said.contains(&Said::Update(Kind::Pack, 8, Outcome::NotNewer)), "{said:?}");
}

/// The real pack over the link, the power cut anywhere in it: the device guards by the old one or the new one.
#[test]
fn a_pack_update_survives_power_cuts() {
    let (newer, _) = pack(RULES, 9);
    let mut flash = Nor::new(56, 11);
    let mut finished = 0;
    for _ in 0..60 {
        let after = flash.below(7_000);
        flash.cut_after(u32::try_from(after).unwrap());
        let trust = Trust { key: &PACK.1, board: "host", version: 1 };
        let built_in = LAYOUT.pack(&PACK.0);
        let Started { store, loaded, listed } =
            start(flash.clone(), regions(), &trust, &mut Copies, Some(built_in));
        let Some(store) = store else { continue };
        let storage: &'static mut Storage = Box::leak(Box::default());
        let guard = Guard::new(loaded, Policy::enforcing(), listed, storage);
        let device = Device::new(guard, Some(store), Copies, trust, &Start::default());
        let mut bench = Bench { device, out: Out::default(), now_ms: 0, agent: Endpoint::new(78) };
        bench.set_up();
        let said = bench.update(Kind::Pack, 9, &newer);
        finished += u32::from(said.contains(&Said::Update(Kind::Pack, 9, Outcome::OnTrial)));
        flash = bench.off();
        flash.restore();
        let mut bench = Bench::with(flash, &Start::default());
        bench.set_up();
        let hello = bench.said().into_iter().find_map(|said| match said {
            Said::Hello { serial, .. } => Some(serial),
            _ => None,
        });
        assert!(matches!(hello, Some(7 | 9)), "{hello:?}");
        bench.out.telephone.clear();
        bench.modem(&announced(BAD, None));
        assert_eq!(bench.out.telephone, b"");
        flash = bench.off();
    }
    assert!(finished > 0);
}

#[test]
fn a_panic_is_told_after_the_restart_and_the_time_comes_from_the_agent() {
    let words = "panicked at guard.rs:7";
    let mut bench = Bench::with(Nor::new(56, 4), &Start { cause: Cause::Panic, at: 0, words });
    bench.set_up();
    let mut bench = Bench::with(bench.off(), &Start::default());
    bench.set_up();
    let said = bench.tell(&Down::Time { unix_ms: 1_800_000_000_000 });
    assert!(said.contains(&Said::Fault { words: words.to_owned() }), "{said:?}");
    bench.modem(&announced(BAD, None));
    let said = bench.said();
    let [Said::Sighting { time_ms, .. }] = said[..] else { panic!("{said:?}") };
    assert!((1_800_000_000_000..1_800_000_100_000).contains(&time_ms), "{time_ms}");
}

#[test]
fn the_console_keeps_the_sites_list() {
    let mut bench = Bench::running();
    let flash = {
        bench.device.on_telephone(
            b"AT^YUMEN=BLOCK,1650000*\rAT^YUMEN=OWN,95500\rAT^YUMEN=BLOCK,x\r",
            0,
            &mut bench.out,
        );
        assert_eq!(bench.out.telephone, b"\r\nOK\r\n\r\nOK\r\n\r\nERROR\r\n");
        assert_eq!(bench.out.modem, b"", "the modem isn't asked");
        bench.off()
    };
    let mut bench = Bench::with(flash, &Start::default());
    bench.set_up();
    bench.device.on_telephone(b"at^yumen?\r", 0, &mut bench.out);
    let said = String::from_utf8_lossy(&bench.out.telephone).into_owned();
    assert!(
        said.contains("BLOCK 1650000*") && said.contains("OWN 95500") && said.contains("host 1"),
        "{said}"
    );
    bench.out = Out::default();
    bench.modem(b"\r\nRING\r\n\r\n+CLIP: \"16500001234\",129\r\n");
    assert_eq!(bench.out.modem, b"AT+CHUP\r");
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
        prop_assert_eq!(&split.out.telephone, &whole.out.telephone);
        prop_assert_eq!(&split.out.modem, &whole.out.modem);
        prop_assert_eq!(split.sightings(), whole.sightings());
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
                _ => bench.device.on_link(&bytes, bench.now_ms),
            }
            bench.later(ms);
        }
    }
}
