use super::*;
use crate::spool::Options;
use std::collections::HashSet;
use std::sync::Arc;
use yumen_compiler::Report;
use yumen_compiler::diagnostic::Lang;
use yumen_compiler::emit::emit;
use yumen_exchange::check;
use yumen_matcher::{LoadOptions, LoadedPack, OwnNumberList, Worker};
use yumen_rules::engine::Site;
use yumen_rules::policy::Policy;
use yumen_wire::event::{Address, Door, Event, Segments};

const SOURCE: &str = r#"
[[rule]]
id = "debt-collection/test"
typology = "debt-collection"
title = "测试"
score = 90
match.debt = { any = ["借款", "逾期"] }
match.threat = { any = ["通讯录"] }
when = "debt && threat && (contact.any || !contact.any)"
hit = ["借款逾期，将群发通讯录"]
miss = ["你好"]

[[rule]]
id = "debt-collection/regex"
typology = "debt-collection"
title = "测试二"
score = 40
match.until = { regex = '今天.{0,6}还款' }
when = "until"
hit = ["今天之内还款"]
miss = ["明天还款"]

[[sender]]
organisation = "某某银行"
kind = "bank"
numbers = ["95588"]
"#;

const VICTIM: &str = "13800000002";

const TEXT: &str = "您的借款已逾期，今天之内还款，否则群发通讯录。速加微信 zhang_san88 或致电13800000001，详见 http://pay.example.com/r?u=13800000002";

fn pack() -> Arc<LoadedPack> {
    let report = Report::of_texts([("test.toml", SOURCE)]);
    assert_eq!(report.render(Lang::En), "");
    let bytes = emit(&report.draft).unwrap();
    Arc::new(LoadedPack::load(&bytes, &LoadOptions::ANYTHING).unwrap())
}

fn redaction() -> Redaction {
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), format!("e1 {}\n", "07".repeat(32))).unwrap();
    Redaction {
        member: "bank-a".parse().unwrap(),
        agent: "gw1".parse().unwrap(),
        pseudonyms: Pseudonyms::load(key.path()).unwrap(),
        own_numbers: vec!["4000000000".into(), "1069000*".into()],
    }
}

fn event<'a>(text: &'a str, from: &'a str, to: &'a str) -> Event<'a> {
    Event {
        door: Door::Smpp,
        originator: Address::new(from),
        destination: Address::new(to),
        time_ms: 1_763_920_920_123,
        ..Event::text_only(text)
    }
}

/// Judges as the pipeline would, and hands the hit on.
fn judged<T>(event: &Event<'_>, action: Action, then: impl FnOnce(&Hit<'_>) -> T) -> T {
    let pack = pack();
    let own = OwnNumberList(Vec::new());
    let site = Site { own: &own, ..Site::DEFAULT };
    let mut worker = Worker::new(Arc::clone(&pack)).unwrap();
    let judgement = worker.judge(&site, event).unwrap();
    let verdict = Policy::enforcing().decide(&judgement);
    then(&Hit {
        listener: "sms",
        event,
        judgement: &judgement,
        verdict: &verdict,
        action,
        pack: pack.pack(),
        appeal: Some("0123456789abcdef0123456789abcdef"),
    })
}

fn sighting(event: &Event<'_>, action: Action) -> Sighting {
    let envelope = judged(event, action, |hit| redaction().envelope(hit)).unwrap();
    let payload = fit(envelope).unwrap();
    check::sighting("yumen/v1/bank-a/gw1/sighting", &payload).unwrap().envelope.data
}

fn values<'a>(sighting: &'a Sighting, kind: &str) -> Vec<&'a str> {
    let of_kind = sighting.indicators.iter().filter(|indicator| indicator.kind == kind);
    of_kind.map(|indicator| &indicator.value[..]).collect()
}

#[test]
fn a_sighting_says_who_and_why_and_not_what() {
    let found = sighting(&event(TEXT, "+8613900000009", VICTIM), Action::Reject);
    assert_eq!(
        (&found.verdict[..], &found.typology[..], &found.door[..]),
        ("reject", "debt-collection", "smpp")
    );
    assert_eq!(found.rules[0].id, "debt-collection/test");
    assert_eq!(found.rules.len(), 2);
    let at = |word: &str| {
        let start = u32::try_from(TEXT.split(word).next().unwrap().chars().count()).unwrap();
        (start, start + u32::try_from(word.chars().count()).unwrap())
    };
    assert_eq!(found.rules[0].spans, [at("借款"), at("逾期"), at("通讯录")]);
    let end = at("今天之内还款").1;
    assert_eq!(found.rules[1].spans, [(end - 1, end)], "of a regular expression its last character");
    assert_eq!(found.indicators[0].origin, "originator");
    assert_eq!(values(&found, "number"), ["13900000009", "13800000001"]);
    assert_eq!(values(&found, "domain"), ["pay.example.com"]);
    assert_eq!(values(&found, "url"), ["pay.example.com/r"], "without what stands behind the question mark");
    assert_eq!(values(&found, "wechat"), ["zhang_san88"]);
    assert_eq!(found.victim, redaction().pseudonyms.of("+8613800000002"));
    assert_eq!(found.text_chars as usize, TEXT.chars().count());
    assert_eq!(found.appeal.as_deref(), Some("0123456789abcdef0123456789abcdef"));
    assert!(found.template.is_some());
}

#[test]
fn the_victims_number_never_leaves_in_clear() {
    for (text, to) in [
        ("借款逾期，通讯录，请13800000002联系13800000001", VICTIM),
        ("借款逾期，通讯录，+86 138-0000-0002 速联系", "+8613800000002"),
        ("借款逾期，通讯录，见 example.com/13800000002/pay", "8613800000002"),
        ("借款逾期，通讯录，13800000002.example.com", VICTIM),
        ("借款逾期，通讯录，加微信 wx13800000002", VICTIM),
    ] {
        for from in ["13900000009", VICTIM, "+8613800000002", ""] {
            let found = sighting(&event(text, from, to), Action::Reject);
            let json = serde_json::to_string(&found).unwrap();
            assert!(!json.contains("13800000002"), "{text} from {from}: {json}");
            assert!(found.victim.is_some());
        }
    }
}

#[test]
fn no_piece_of_the_text_leaves_but_the_suspects_contacts() {
    let names = ["张三丰", "李四光", "欧阳小明"];
    let tails = [
        "电话13800000001",
        "加微信 abc_12345",
        "详情 t.example.com/q7?id=9",
        "QQ 100000001",
        "住在幸福路八号楼",
    ];
    for (name, tail) in names.iter().flat_map(|name| tails.iter().map(move |tail| (name, tail))) {
        let text = format!(
            "{name}您在本平台的借款八千元已严重逾期，今天下班前还款，不然通讯录里人人知道！{tail}，工号A7788"
        );
        for action in [Action::Allow, Action::Flag, Action::Reject] {
            let found = sighting(&event(&text, "1069000123", VICTIM), action);
            let mut redacted = serde_json::to_value(&found).unwrap();
            // A pseudonym, a digest and an appeal's id hold hexadecimal digits, some of which may be the text's by chance.
            for field in ["indicators", "victim", "template", "appeal"] {
                redacted[field] = serde_json::Value::Null;
            }
            let json = redacted.to_string();
            let chars: Vec<char> = text.chars().collect();
            for piece in chars.windows(4).map(|window| window.iter().collect::<String>()) {
                assert!(!json.contains(&piece), "{piece:?} in {json}");
            }
            for indicator in &found.indicators {
                assert!(tail.contains(&indicator.value), "{indicator:?}");
            }
        }
    }
}

#[test]
fn own_and_registered_numbers_are_no_suspects() {
    let text = "借款逾期，通讯录，致电95588或4000000000或13800000001";
    for from in ["95588", "4000000000", "106900099"] {
        let found = sighting(&event(text, from, VICTIM), Action::Reject);
        assert_eq!(values(&found, "number"), ["13800000001"], "from {from}");
    }
    let found = sighting(&event(text, "SomeBank", VICTIM), Action::Flag);
    assert_eq!(values(&found, "sender-id"), ["SomeBank"]);
}

#[test]
fn a_subscriber_who_writes_to_a_service_is_named_only_when_blocked() {
    let deliver = |from| Event { direction: Direction::Deliver, ..event(TEXT, from, "106900001") };
    let flagged = sighting(&deliver("13900000009"), Action::Flag);
    assert!(!serde_json::to_string(&flagged).unwrap().contains("13900000009"));
    assert_eq!(flagged.victim, redaction().pseudonyms.of("13900000009"), "it may be a victim who forwards");
    let blocked = sighting(&deliver("13900000009"), Action::Reject);
    assert_eq!(blocked.indicators[0].value, "13900000009");
    assert_eq!(blocked.victim, None, "a service is nobody's person");
    let service = sighting(&deliver("1065500000"), Action::Flag);
    assert_eq!((&service.indicators[0].value[..], service.victim), ("1065500000", None));
}

#[test]
fn shadow_hits_short_texts_and_parts_are_told() {
    let short = event("借款通讯录", "13900000009", VICTIM);
    let found =
        sighting(&Event { segments: Some(Segments { received: 2, total: 3 }), ..short }, Action::Allow);
    assert_eq!((&found.verdict[..], found.segments), ("shadow", (2, 3)));
    assert_eq!(found.template, None, "a digest of a few characters could be guessed back");
    let nothing = event("你好", "13900000009", VICTIM);
    assert!(judged(&nothing, Action::Allow, |hit| redaction().envelope(hit)).is_none());
}

#[test]
fn whatever_comes_in_the_sighting_is_legal_and_fits() {
    let long = "逾期借款通讯录。".repeat(800);
    let links: String = (0..40).map(|n| format!("http://l{n}.example.com/{} ", "p\"\\".repeat(60))).collect();
    let links = format!("借款逾期通讯录 {links}");
    for text in
        [&long[..], &links, "借款\u{0}逾期\u{7}通讯录\u{202E}", "借款逾期通讯录 加微信 \u{1F600}\u{1F600}"]
    {
        for from in ["", "\u{1}\u{2}", "Ünïcode-Sender", &"9".repeat(40), "A\"B\\C<script>"] {
            let event = event(text, from, "\u{3}");
            let envelope = judged(&event, Action::Reject, |hit| redaction().envelope(hit)).unwrap();
            let payload = fit(envelope).unwrap();
            assert!(payload.len() <= SIGHTING_BYTES_MAX);
            check::sighting("yumen/v1/bank-a/gw1/sighting", &payload).unwrap();
        }
    }
}

#[test]
fn a_sighting_that_is_too_large_loses_spans_then_rules_then_indicators() {
    let event = event(TEXT, "13900000009", VICTIM);
    let mut envelope = judged(&event, Action::Reject, |hit| redaction().envelope(hit)).unwrap();
    let data = &mut envelope.data;
    let rule = RuleHit { id: "\\".repeat(LABEL_BYTES_MAX), score: 9, spans: vec![(1, 2); SPANS_MAX] };
    data.rules = vec![rule; RULES_MAX];
    data.indicators = (0..INDICATORS_MAX)
        .filter_map(|n| indicator("url", &format!("{n:02}{}", "\"".repeat(INDICATOR_BYTES_MAX - 2)), "text"))
        .collect();
    let payload = fit(envelope).unwrap();
    let data = check::sighting("yumen/v1/bank-a/gw1/sighting", &payload).unwrap().envelope.data;
    assert!(data.rules.iter().all(|rule| rule.spans.is_empty()) && !data.rules.is_empty());
    assert!(data.indicators.len() > 8);
}

#[test]
fn reports_stand_in_the_spool_and_a_full_one_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { segment_bytes: 64 * 1024, bytes_max: 128 * 1024, ..Options::new(dir.path()) };
    let (spool, _) = Spool::open(options).unwrap();
    let reporter = SpoolReporter::new(spool.clone(), redaction());
    let event = event(TEXT, "13900000009", VICTIM);
    judged(&event, Action::Reject, |hit| {
        reporter.report(hit).unwrap();
        reporter.report(hit).unwrap();
        let records = spool.read(0, 10, 100_000).unwrap();
        let ids: HashSet<_> = records.iter().map(|record| check::id(&record.payload).unwrap()).collect();
        assert_eq!((records.len(), ids.len()), (2, 2), "two hits are two sightings");
        let full = (0..1000).find(|_| reporter.report(hit).is_err());
        assert!(full.is_some() && spool.stats().dropped_full == 1);
    });
}
