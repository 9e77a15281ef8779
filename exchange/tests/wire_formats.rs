//! The JSON of every type, frozen: the files in `golden/` are what is on the wire.
#![expect(clippy::unwrap_used, reason = "helpers of tests: a panic is a failed test")]

use yumen_exchange::ack::{Ack, Refusal};
use yumen_exchange::check::{self, Defect};
use yumen_exchange::limits;
use yumen_exchange::sighting::{Envelope, Indicator, PackRef, RuleHit, Sighting};
use yumen_exchange::status::{Refused, Status};
use yumen_exchange::topic::{self, Name};

const SIGHTING: &str = include_str!("golden/sighting_of_a_rejected_message.json");
const SIGHTING_BARE: &str = include_str!("golden/sighting_with_nothing_optional.json");
const STATUS: &str = include_str!("golden/status_of_a_running_agent.json");
const STATUS_WILL: &str = include_str!("golden/status_last_will_without_a_pack.json");
const STATUS_REFUSALS: &str = include_str!("golden/status_with_refusals_and_its_session.json");
const ACK: &str = include_str!("golden/ack_with_a_refusal.json");

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn sighting() -> Envelope {
    let data = Sighting {
        channel: "sms".into(),
        door: "smpp".into(),
        direction: "submit".into(),
        listener: "smpp-east".into(),
        verdict: "reject".into(),
        typology: "debt-collection".into(),
        score: 85,
        pack: PackRef { name: "yumen".into(), serial: 7 },
        rules: vec![RuleHit {
            id: "debt-collection/threatens-contacts".into(),
            score: 80,
            spans: vec![(4, 9), (12, 15)],
        }],
        lists: Vec::new(),
        indicators: vec![
            Indicator { kind: "number".into(), value: "+8613800000001".into(), origin: "originator".into() },
            Indicator { kind: "domain".into(), value: "repay.example.com".into(), origin: "text".into() },
        ],
        victim: Some("v1:2026-11:00112233445566778899aabbccddeeff".into()),
        destinations: 1,
        template: Some("t1:00ff00ff".into()),
        appeal: None,
        text_chars: 41,
        segments: (1, 1),
    };
    let id = "019a8c6e-7f00-7a11-8b22-c0ffee000001".parse().unwrap();
    Envelope::new(id, &name("bank-a"), &name("gw1"), 1_763_920_920_123, data)
}

fn bare() -> Envelope {
    let mut event = sighting();
    event.data.rules.clear();
    event.data.indicators.clear();
    event.data.victim = None;
    event.data.template = None;
    event
}

fn same<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(
    value: &T,
    golden: &str,
) {
    assert_eq!(format!("{}\n", serde_json::to_string_pretty(value).unwrap()), golden);
    assert_eq!(&serde_json::from_str::<T>(golden).unwrap(), value);
}

#[test]
fn types_are_what_the_golden_files_show() {
    same(&sighting(), SIGHTING);
    same(&bare(), SIGHTING_BARE);
    let mut status = Status {
        online: true,
        time_ms: 1_763_920_920_123,
        session_ms: 0,
        version: "0.1.0".into(),
        pack: Some(PackRef { name: "yumen".into(), serial: 7 }),
        spool_records: 12,
        spool_dropped: 0,
        judged: 123_456,
        blocked: 789,
        refused: Vec::new(),
    };
    same(&status, STATUS);
    (status.online, status.pack) = (false, None);
    same(&status, STATUS_WILL);
    status.session_ms = 1_763_920_900_000;
    status.refused = vec![Refused {
        what: "pack".into(),
        reason: "bad-signature".into(),
        count: 2,
        last_ms: 1_763_920_910_000,
    }];
    same(&status, STATUS_REFUSALS);
    let ack = Ack {
        committed: vec![sighting().id],
        refused: vec![Refusal {
            id: "019a8c6e-7f00-7a11-8b22-c0ffee000002".parse().unwrap(),
            reason: Defect::Score.code().into(),
        }],
    };
    same(&ack, ACK);
}

#[test]
fn a_good_sighting_passes_and_names_its_sender() {
    for golden in [SIGHTING, SIGHTING_BARE] {
        let received = check::sighting("yumen/v1/bank-a/gw1/sighting", golden.as_bytes()).unwrap();
        assert_eq!(received.member, name("bank-a"));
        assert_eq!(received.agent, name("gw1"));
        assert_eq!(received.time_ms, 1_763_920_920_123);
    }
    check::status("yumen/v1/bank-a/gw1/status", STATUS.as_bytes()).unwrap();
    check::status("yumen/v1/bank-a/gw1/status", STATUS_WILL.as_bytes()).unwrap();
}

/// One change a defect: the change alone must be what is found.
#[test]
fn each_defect_is_found_by_itself() {
    type Change = fn(&mut Envelope);
    let cases: &[(Defect, Change)] = &[
        (Defect::SpecVersion, |event| event.specversion = "0.3".into()),
        (Defect::Type, |event| event.kind = "cn.yumen.sighting.v2".into()),
        (Defect::ContentType, |event| event.datacontenttype = "text/plain".into()),
        (Defect::Id, |event| event.id = "6fa459ea-ee8a-4ca4-894e-db77e160355e".parse().unwrap()),
        (Defect::Source, |event| event.source = "/bank-b/gw1".into()),
        (Defect::Time, |event| event.time = "yesterday".into()),
        (Defect::Word, |event| event.data.verdict = "allow".into()),
        (Defect::Word, |event| event.data.channel = "fax".into()),
        (Defect::Word, |event| event.data.typology = "债".into()),
        (Defect::Word, |event| event.data.indicators[0].kind = "text".into()),
        (Defect::Word, |event| event.data.indicators[0].origin = "victim".into()),
        (Defect::Label, |event| event.data.listener.clear()),
        (Defect::Label, |event| event.data.pack.serial = u64::MAX),
        (Defect::Label, |event| event.data.rules[0].id = "a\nb".into()),
        (Defect::Label, |event| event.data.pack.name = "x".repeat(limits::LABEL_BYTES_MAX + 1)),
        (Defect::Appeal, |event| event.data.appeal = Some("139000000".into())),
        (Defect::Appeal, |event| event.data.appeal = Some("A".repeat(limits::APPEAL_HEX))),
        (Defect::Score, |event| event.data.score = 101),
        (Defect::Score, |event| event.data.rules[0].score = 200),
        (Defect::Count, |event| event.data.rules = vec![event.data.rules[0].clone(); limits::RULES_MAX + 1]),
        (Defect::Count, |event| event.data.rules[0].spans = vec![(0, 1); limits::SPANS_MAX + 1]),
        (Defect::Count, |event| {
            event.data.indicators = vec![event.data.indicators[0].clone(); limits::INDICATORS_MAX + 1];
        }),
        (Defect::Span, |event| event.data.rules[0].spans = vec![(9, 4)]),
        (Defect::Span, |event| event.data.rules[0].spans = vec![(0, 42)]),
        (Defect::Indicator, |event| event.data.indicators[0].value.clear()),
        (Defect::Indicator, |event| event.data.indicators[0].value = "a\u{0}b".into()),
        (Defect::Indicator, |event| {
            event.data.indicators[0].value = "x".repeat(limits::INDICATOR_BYTES_MAX + 1)
        }),
        (Defect::Pseudonym, |event| event.data.victim = Some("+8613800000002".into())),
        (Defect::Pseudonym, |event| event.data.victim = Some("v1:e:0011".into())),
        (Defect::Template, |event| event.data.template = Some("您的 借款".into())),
        (Defect::Segments, |event| event.data.segments = (3, 2)),
        (Defect::Segments, |event| event.data.segments = (0, 0)),
    ];
    for (index, (defect, change)) in cases.iter().enumerate() {
        let mut event = sighting();
        change(&mut event);
        let payload = serde_json::to_vec(&event).unwrap();
        assert_eq!(check::sighting("yumen/v1/bank-a/gw1/sighting", &payload), Err(*defect), "case {index}");
        assert_eq!(check::id(&payload), Some(event.id), "case {index}");
    }
}

#[test]
fn defects_outside_the_event_are_found() {
    let good = SIGHTING.as_bytes();
    for topic in
        ["", "yumen/v1/bank-a/gw1/status", "yumen/v2/bank-a/gw1/sighting", "yumen/v1/Bank/gw1/sighting"]
    {
        assert_eq!(check::sighting(topic, good), Err(Defect::Topic), "{topic}");
    }
    let topic = topic::sighting(&name("bank-a"), &name("gw1"));
    assert_eq!(check::sighting(&topic, b"{"), Err(Defect::Json));
    assert_eq!(check::sighting(&topic, b"{\"score\": 300}"), Err(Defect::Json));
    assert_eq!(check::id(b"{"), None);
    let spaced = format!("{SIGHTING}{}", " ".repeat(limits::SIGHTING_BYTES_MAX));
    assert_eq!(check::sighting(&topic, spaced.as_bytes()), Err(Defect::TooLarge));
    assert_eq!(check::id(spaced.as_bytes()), Some(sighting().id));
}

#[test]
fn codes_are_distinct() {
    let codes = [
        Defect::TooLarge,
        Defect::Topic,
        Defect::Json,
        Defect::SpecVersion,
        Defect::Type,
        Defect::ContentType,
        Defect::Id,
        Defect::Source,
        Defect::Time,
        Defect::Word,
        Defect::Label,
        Defect::Score,
        Defect::Count,
        Defect::Span,
        Defect::Indicator,
        Defect::Pseudonym,
        Defect::Template,
        Defect::Segments,
    ]
    .map(Defect::code);
    assert_eq!(codes.iter().collect::<std::collections::HashSet<_>>().len(), codes.len());
}

#[test]
fn a_full_acknowledgement_fits_its_limit() {
    let id = sighting().id;
    let refusal = Refusal { id, reason: Defect::ContentType.code().into() };
    let ack = Ack { committed: vec![], refused: vec![refusal; limits::ACK_IDS_MAX] };
    assert!(serde_json::to_vec(&ack).unwrap().len() <= limits::ACK_BYTES_MAX);
}

proptest::proptest! {
    #[test]
    fn any_bytes_at_all_are_checked_without_a_panic(payload: Vec<u8>, topic in "\\PC{0,80}") {
        let _ = check::sighting(&topic, &payload);
        let _ = check::sighting("yumen/v1/a/b/sighting", &payload);
        let _ = check::status("yumen/v1/a/b/status", &payload);
        let _ = check::id(&payload);
    }

    /// A message with any one byte changed is either refused or still within every limit.
    #[test]
    fn a_flipped_byte_never_gets_a_bad_sighting_through(at in 0..SIGHTING.len(), byte: u8) {
        let mut payload = SIGHTING.as_bytes().to_vec();
        payload[at] = byte;
        if let Ok(received) = check::sighting("yumen/v1/bank-a/gw1/sighting", &payload) {
            let data = received.envelope.data;
            assert!(data.score <= 100 && data.rules.len() <= limits::RULES_MAX);
            assert_eq!(received.envelope.source, "/bank-a/gw1");
        }
    }
}
