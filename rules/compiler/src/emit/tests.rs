use std::sync::Arc;

use proptest::prelude::*;
use yumen_matcher::{EngineChoice, LoadOptions, LoadedPack, Worker};
use yumen_rules::engine::{ConditionId, Observer, Site};
use yumen_rules::pack::Layout;
use yumen_rules::signal::{Field, Protected, View};
use yumen_rules::verdict::{Ladder, Typology};
use yumen_wire::event::Event;

use super::*;
use crate::draft::{
    Compare, Expr, GroupDraft, ListDraft, ListKind, PatternDraft, ProtectDraft, RedressTexts, SuppressDraft,
};

/// One pattern a group, all of them single letters, so that a text says which groups hold.
const LETTERS: [&str; 6] = ["甲", "乙", "丙", "丁", "戊", "己"];

fn literal(text: &str) -> PatternDraft {
    PatternDraft { text: text.to_owned(), regex: false, view: View::Folded }
}

fn rule(id: &str, when: Expr) -> RuleDraft {
    RuleDraft {
        id: id.to_owned(),
        typology: Typology::Fraud,
        title_zh: "测试".to_owned(),
        title_en: "Test".to_owned(),
        sms: true,
        call: false,
        ladder: Ladder::Enforce,
        score: 80,
        overrides: vec![Protected::Otp],
        when,
        hits: Vec::new(),
        misses: Vec::new(),
        redress: RedressTexts::default(),
    }
}

/// Groups 0 to 5 are the letters, group 6 holds when two of the first three hit.
fn draft(rules: Vec<RuleDraft>) -> PackDraft {
    let mut groups: Vec<GroupDraft> = LETTERS
        .iter()
        .enumerate()
        .map(|(index, name)| GroupDraft { name: (*name).to_owned(), patterns: vec![index], need: 1 })
        .collect();
    groups.push(GroupDraft { name: "two".to_owned(), patterns: vec![0, 1, 2], need: 2 });
    PackDraft {
        name: "test".to_owned(),
        channel: "stable".to_owned(),
        serial: 7,
        created_s: 1_000,
        expires_s: 2_000,
        patterns: LETTERS.iter().map(|letter| literal(letter)).collect(),
        groups,
        rules,
        ..PackDraft::default()
    }
}

fn whole_draft() -> PackDraft {
    let mut draft = draft(vec![
        rule(
            "a/one",
            Expr::And(vec![Expr::Group(0), Expr::Not(Box::new(Expr::Field(Field::SenderRegistered)))]),
        ),
        rule(
            "a/two",
            Expr::Or(vec![Expr::GroupCount(6, Compare::Ge, 2), Expr::FieldIn(Field::LinkDomain, 0)]),
        ),
        rule("a/always", Expr::FieldInt(Field::TextDigits, Compare::Gt, 12)),
    ]);
    draft.rules[0].hits = vec!["甲".to_owned()];
    draft.rules[0].misses = vec!["乙".to_owned(), "甲己".to_owned()];
    draft.patterns.push(PatternDraft { text: r"\d{2}元".to_owned(), regex: true, view: View::Squeezed });
    draft.groups.push(GroupDraft { name: "money".to_owned(), patterns: vec![6], need: 1 });
    draft.lists.push(ListDraft {
        name: "bad".to_owned(),
        kind: ListKind::Domain,
        entries: vec!["example.com".to_owned(), "bad.test".to_owned()],
    });
    draft.senders.push(SenderDraft {
        organisation: "测试银行".to_owned(),
        kind: "bank".to_owned(),
        numbers: vec!["95599".to_owned(), "106900*".to_owned()],
        signatures: vec!["测试银行".to_owned()],
        domains: vec!["bank.test".to_owned()],
    });
    draft.suppressions.push(SuppressDraft {
        id: "calm".to_owned(),
        title_zh: "己".to_owned(),
        title_en: String::new(),
        rules: vec![0],
        typologies: Vec::new(),
        when: Expr::Group(5),
        hits: vec!["己".to_owned()],
        misses: vec!["甲".to_owned()],
    });
    draft.protections.push(ProtectDraft {
        id: "bank".to_owned(),
        class: Protected::Own,
        when: Expr::SenderKind("bank".to_owned()),
    });
    draft
}

fn worker(draft: &PackDraft, engine: EngineChoice) -> Worker {
    let bytes = emit(draft).unwrap();
    let options = LoadOptions { engine, ..LoadOptions::ANYTHING };
    Worker::new(Arc::new(LoadedPack::load(&bytes, &options).unwrap())).unwrap()
}

fn fired(worker: &mut Worker, event: &Event<'_>) -> Vec<u32> {
    worker.judge(&Site::DEFAULT, event).unwrap().fired.iter().map(|fired| fired.rule).collect()
}

#[test]
fn a_draft_comes_back_from_its_pack() {
    let bytes = emit(&whole_draft()).unwrap();
    let layout = Layout::new_checked(&bytes).unwrap();
    let pack = layout.pack(&bytes);
    assert_eq!((pack.header().name(), pack.header().channel(), pack.header().serial), ("test", "stable", 7));
    assert_eq!((pack.header().created_s, pack.header().expires_s), (1_000, 2_000));
    assert_eq!(
        pack.rules().map(|(_, rule)| pack.string(rule.id)).collect::<Vec<_>>(),
        ["a/one", "a/two", "a/always"]
    );
    assert_eq!(pack.rule(0).unwrap().overrides, 1);
    assert_eq!((pack.patterns_of(View::Folded), pack.patterns_of(View::Squeezed)), (6, 1));
    assert_eq!(pack.always().collect::<Vec<_>>(), [1, 2]);
    assert_eq!(pack.rules_of(0).collect::<Vec<_>>(), [0]);
    assert_eq!(pack.group(6).map(|group| (group.need, group.trigger)), Some((2, 1)));
    let list = pack.list(0).unwrap();
    assert!(pack.list_has(&list, "a.bad.test") && pack.list_has(&list, "example.com"));
    assert!(!pack.list_has(&list, "notbad.test"));
    assert_eq!(pack.organisations_by_number("95599").collect::<Vec<_>>(), [0]);
    assert_eq!(pack.organisations_by_number("1069005").collect::<Vec<_>>(), [0]);
    assert_eq!(pack.organisations_by_signature("测试银行").collect::<Vec<_>>(), [0]);
    let bank = pack.organisation(0).unwrap();
    assert_eq!(pack.organisation_has_domain(&bank, "m.bank.test"), Some(true));
    assert_eq!(pack.organisation_has_domain(&bank, "bank.test.evil.test"), Some(false));
    assert_eq!(pack.canaries().count(), 5);
    assert_eq!(emit(&whole_draft()).unwrap(), bytes, "the same draft gives the same bytes");
}

#[test]
fn rules_fire_are_suppressed_and_events_protected() {
    for engine in [EngineChoice::Auto, EngineChoice::Rust] {
        let mut worker = worker(&whole_draft(), engine);
        assert_eq!(fired(&mut worker, &Event::text_only("甲")), [0]);
        assert_eq!(fired(&mut worker, &Event::text_only("丙，甲")), [0, 1]);
        assert_eq!(fired(&mut worker, &Event::text_only("丁")), Vec::<u32>::new());
        assert_eq!(fired(&mut worker, &Event::text_only("电话 1380000 0000 12")), [2]);

        let judgement = worker.judge(&Site::DEFAULT, &Event::text_only("甲己")).unwrap();
        assert_eq!(judgement.fired.first().and_then(|fired| fired.suppressed_by), Some(0));
        assert_eq!(judgement.effective().count(), 0);

        let mut event = Event::text_only("甲乙");
        event.originator.digits = "95599";
        let judgement = worker.judge(&Site::DEFAULT, &event).unwrap();
        assert_eq!(judgement.fired.iter().map(|fired| fired.rule).collect::<Vec<_>>(), [1]);
        assert!(judgement.protected.has(Protected::Own) && !judgement.protected.has(Protected::Otp));
    }
}

#[test]
fn evidence_tells_where_a_literal_stands() {
    let mut worker = worker(&whole_draft(), EngineChoice::Auto);
    let pack = Arc::clone(worker.pack());
    let judgement = worker.judge(&Site::DEFAULT, &Event::text_only("好甲")).unwrap();
    let pack = pack.pack();
    let evidence: Vec<_> = judgement.evidence_of(&pack, 0).collect();
    assert_eq!(evidence.len(), 1);
    assert_eq!(judgement.view(View::Folded).get(evidence[0].span.clone()), Some("甲".as_bytes()));
}

#[test]
fn a_failing_canary_refuses_the_pack() {
    let mut draft = whole_draft();
    draft.rules[0].hits.push("乙".to_owned());
    let refusal = LoadedPack::load(&emit(&draft).unwrap(), &LoadOptions::ANYTHING).unwrap_err();
    assert_eq!(refusal.code(), "canary");
}

fn expr() -> impl Strategy<Value = Expr> {
    let compare = prop::sample::select(vec![
        Compare::Eq,
        Compare::Ne,
        Compare::Lt,
        Compare::Le,
        Compare::Gt,
        Compare::Ge,
    ]);
    let leaf = prop_oneof![
        any::<bool>().prop_map(Expr::Bool),
        (0usize..7).prop_map(Expr::Group),
        (0usize..7, compare.clone(), 0u32..4)
            .prop_map(|(group, compare, bound)| Expr::GroupCount(group, compare, bound)),
        (compare, 0i64..8).prop_map(|(compare, bound)| Expr::FieldInt(Field::TextChars, compare, bound)),
        Just(Expr::Field(Field::SenderPresent)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Expr::And),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Expr::Or),
            inner.prop_map(|inner| Expr::Not(Box::new(inner))),
        ]
    })
}

/// What an expression means, read straight off it.
fn meaning(expr: &Expr, text: &str) -> bool {
    let hits = |group: usize| match group {
        6 => LETTERS.iter().take(3).filter(|letter| text.contains(**letter)).count(),
        _ => usize::from(text.contains(LETTERS[group])),
    };
    let compared = |left: i64, compare: Compare, right: i64| match compare {
        Compare::Eq => left == right,
        Compare::Ne => left != right,
        Compare::Lt => left < right,
        Compare::Le => left <= right,
        Compare::Gt => left > right,
        Compare::Ge => left >= right,
    };
    match expr {
        Expr::Bool(value) => *value,
        Expr::Group(group) => hits(*group) >= if *group == 6 { 2 } else { 1 },
        Expr::GroupCount(group, compare, bound) => compared(hits(*group) as i64, *compare, i64::from(*bound)),
        Expr::FieldInt(_, compare, bound) => compared(text.chars().count() as i64, *compare, *bound),
        Expr::And(parts) => parts.iter().all(|part| meaning(part, text)),
        Expr::Or(parts) => parts.iter().any(|part| meaning(part, text)),
        Expr::Not(inner) => !meaning(inner, text),
        _ => false,
    }
}

#[derive(Default)]
struct Held(Vec<u32>);

impl Observer for Held {
    fn condition(&mut self, condition: ConditionId, held: bool) {
        if let (ConditionId::Rule(rule), true) = (condition, held) {
            self.0.push(rule);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Compiled conditions mean what they say, and triggers leave out no rule that would hold.
    #[test]
    fn conditions_keep_their_meaning(
        exprs in prop::collection::vec(expr(), 1..6),
        texts in prop::collection::vec(prop::collection::vec(prop::sample::select(&LETTERS[..]), 0..7), 1..8),
    ) {
        let rules = exprs.iter().zip(0..).map(|(expr, index): (_, u32)| rule(&format!("r/{index}"), expr.clone()));
        let mut worker = worker(&draft(rules.collect()), EngineChoice::Rust);
        for text in texts {
            let text = text.concat();
            let meant: Vec<u32> = exprs.iter().zip(0..).filter(|(expr, _)| meaning(expr, &text)).map(|(_, index)| index).collect();
            let event = Event::text_only(&text);
            prop_assert_eq!(&fired(&mut worker, &event), &meant);
            let mut held = Held::default();
            worker.judge_observed(&Site::DEFAULT, &event, &mut held).unwrap();
            held.0.sort_unstable();
            prop_assert_eq!(&held.0, &meant);
        }
    }

    /// Whatever happens to a pack's bytes, it is refused or judges, and nothing panics.
    #[test]
    fn mutated_packs_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut bytes = emit(&whole_draft()).unwrap();
        for (index, value) in changes {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let options = LoadOptions { engine: EngineChoice::Rust, ..LoadOptions::ANYTHING };
        if let Ok(pack) = LoadedPack::load_untried(&bytes, &options) {
            let mut worker = Worker::new(Arc::new(pack)).unwrap();
            let _ = fired(&mut worker, &Event::text_only("甲乙丙 13800000000 http://bad.test/x"));
        }
    }
}

/// Every single bit of a pack, turned.
#[test]
fn bit_flips_over_the_whole_file_never_panic() {
    let bytes = emit(&whole_draft()).unwrap();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1 << bit;
            if let Ok(layout) = Layout::new_checked(&bytes) {
                let pack = layout.pack(&bytes);
                assert!(pack.canaries().count() <= bytes.len());
            }
        }
    }
    for length in 0..bytes.len() {
        assert!(Layout::new_checked(&bytes[..length]).is_err(), "cut to {length}");
    }
}

/// What the hub took back, in a test.
#[derive(Debug)]
struct Taken(&'static [&'static str]);

impl yumen_rules::engine::Withdrawn for Taken {
    fn has_rule(&self, id: &str) -> bool {
        self.0.contains(&id)
    }

    fn has_indicator(&self, kind: &str, value: &str) -> bool {
        self.0.contains(&format!("{kind}:{value}").as_str())
    }
}

#[test]
fn indicators_are_looked_up_in_the_originator_and_the_text_until_they_are_withdrawn() {
    let mut draft = draft(vec![rule("fraud/shared", Expr::FieldIn(Field::Indicators, 0))]);
    let entries =
        ["number:13900000009", "domain:bad.example", "url:cdn.example/x7", "sender-id:EVIL", "qq:700001"];
    let entries = entries.map(str::to_owned).to_vec();
    draft.lists = vec![ListDraft { name: "shared".to_owned(), kind: ListKind::Exact, entries }];
    let pack = Arc::new(LoadedPack::load(&emit(&draft).unwrap(), &LoadOptions::ANYTHING).unwrap());
    let mut worker = Worker::new(pack).unwrap();
    let mut fires = |text: &str, from: &str, taken: &'static [&'static str]| {
        let originator = yumen_wire::event::Address::new(from);
        let taken = Taken(taken);
        let site = Site { withdrawn: &taken, ..Site::DEFAULT };
        let judged = worker.judge(&site, &Event { originator, ..Event::text_only(text) });
        judged.unwrap().effective().count() == 1
    };
    assert!(fires("你好", "+8613900000009", &[]) && !fires("你好", "13900000008", &[]));
    assert!(fires("请致电13900000009", "95500", &[]));
    assert!(fires("见 https://a.bad.example/p?u=1", "", &[]) && !fires("见 notbad.example/p", "", &[]));
    assert!(fires("见 cdn.example/x7?to=1", "", &[]) && !fires("见 cdn.example/x8", "", &[]));
    assert!(fires("加QQ700001", "", &[]) && !fires("加QQ700002", "", &[]));
    // Withdrawn at once, and nothing else with it.
    assert!(!fires("你好", "13900000009", &["number:13900000009"]));
    assert!(fires("加QQ700001", "13900000009", &["number:13900000009"]));
    assert!(!fires("加QQ700001", "13900000009", &["fraud/shared"]));
}

#[test]
fn an_empty_list_of_indicators_never_fires_and_lists_do_not_change_the_patterns() {
    let rules = || vec![rule("fraud/shared", Expr::FieldIn(Field::Indicators, 0))];
    let with = |entries: Vec<String>| PackDraft {
        lists: vec![ListDraft { name: "shared".to_owned(), kind: ListKind::Exact, entries }],
        ..draft(rules())
    };
    let folder = tempfile::tempdir().unwrap();
    let options = LoadOptions { cache: Some(folder.path()), ..LoadOptions::ANYTHING };
    let empty = LoadedPack::load(&emit(&with(Vec::new())).unwrap(), &options).unwrap();
    let full = with(vec!["number:13900000009".to_owned()]);
    LoadedPack::load(&emit(&full).unwrap(), &options).unwrap();
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert!(files <= 1, "one database for both");
    let mut worker = Worker::new(Arc::new(empty)).unwrap();
    let originator = yumen_wire::event::Address::new("13900000009");
    let event = Event { originator, ..Event::text_only("请致电13900000009") };
    assert!(worker.judge(&Site::DEFAULT, &event).unwrap().fired.is_empty());
}
