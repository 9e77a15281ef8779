//! A blocked person is told why, in a sentence, in the language of the message; and the sentence teaches nobody the rules.

#![expect(clippy::expect_used, reason = "a test that can't build its pack fails")]

use std::sync::Arc;

use yumen_compiler::build::{BuildOptions, pack_bytes};
use yumen_compiler::screen::{EngineJudge, Judge as _};
use yumen_compiler::{Report, embedded, test};
use yumen_matcher::{LoadOptions, LoadedPack, Worker};
use yumen_rules::engine::Site;
use yumen_rules::language::Language;
use yumen_rules::policy::Policy;
use yumen_rules::verdict::{Action, Ladder, Typology};
use yumen_wire::event::Event;

fn loaded(bytes: &[u8]) -> Arc<LoadedPack> {
    Arc::new(LoadedPack::load_untried(bytes, &LoadOptions::ANYTHING).expect("a pack"))
}

#[test]
fn every_rule_of_the_packs_can_be_explained_in_every_language() {
    let loaded = loaded(&embedded::pack().expect("a pack"));
    let pack = loaded.pack();
    let mut worker = Worker::new(Arc::clone(&loaded)).expect("memory");
    let mut seen = 0;
    for (index, rule) in pack.rules().filter(|(_, rule)| rule.ladder == Ladder::Enforce) {
        for language in Language::ALL {
            let sentence = pack.redress(Some(index), rule.typology, language);
            let id = pack.string(rule.id);
            assert_ne!(sentence, language.redress(), "{id} has nothing of its own in {}", language.tag());
            assert_eq!(Language::of(sentence), language, "{id}: {sentence}");
            // Sent as a message, the answer itself arrives.
            let judgement = worker.judge(&Site::DEFAULT, &Event::text_only(sentence)).expect("judged");
            let verdict = Policy::enforcing().decide(&judgement);
            assert!(!verdict.action.blocks(), "{id}: {sentence}");
            seen += 1;
        }
    }
    assert!(seen >= 3 * Typology::COUNT, "the rules are gone");
}

#[test]
fn a_blocked_message_is_answered_in_its_language() {
    let loaded = loaded(&embedded::pack().expect("a pack"));
    let mut judges = EngineJudge::several(&loaded, Policy::enforcing(), 1).expect("memory");
    let judge = judges.first_mut().expect("one");
    for (text, language, words) in [
        ("逾期不还就爆通讯录，把你的事群发给亲友", Language::Chinese, "催收"),
        ("逾期不還就爆通訊錄，把你的事群發給親友", Language::TraditionalChinese, "催收"),
    ] {
        let opinion = judge.judge(&Event::text_only(text)).expect("judged");
        assert!(opinion.action.is_some_and(Action::blocks), "{text}: {opinion:?}");
        assert_eq!(Language::of(&opinion.reason), language, "{}", opinion.reason);
        assert!(opinion.reason.contains(words), "{}", opinion.reason);
        for rule in &opinion.rules {
            assert!(!opinion.reason.contains(rule.as_str()), "{}", opinion.reason);
        }
        assert!(!opinion.reason.contains("通讯录") && !opinion.reason.contains("通訊錄"));
    }
    let allowed = judge.judge(&Event::text_only("晚上一起吃饭吗")).expect("judged");
    assert_eq!(allowed.reason, "");
}

const RULE: &str = r#"
[[redress]]
typology = "fraud"
zh = "疑似诈骗，已被拦截。"
zh_hant = "疑似詐騙，已被攔截。"
en = "Stopped as a likely scam."

[[rule]]
id = "fraud/parcel"
typology = "fraud"
title = "包裹"
score = 80
ladder = "enforce"
match.parcel = { any = ["redelivery fee", "重新派送费"] }
when = "parcel"
redress = { en = "SENTENCE" }
hit = ["pay the redelivery fee", "请付重新派送费"]
miss = ["your parcel is here"]
"#;

#[test]
fn a_rule_says_more_than_its_typology_where_it_can() {
    let source = RULE.replace("SENTENCE", "Stopped because it looks like a false delivery notice.");
    let report = Report::of_texts([("rules/a.toml", source.as_str())]);
    let loaded = loaded(&pack_bytes(&report, &BuildOptions::default()).expect("right sources"));
    let pack = loaded.pack();
    let of_rule = |language| pack.redress(Some(0), Typology::Fraud, language);
    assert_eq!(of_rule(Language::English), "Stopped because it looks like a false delivery notice.");
    assert_eq!(of_rule(Language::TraditionalChinese), "疑似詐騙，已被攔截。");
    assert_eq!(pack.redress(None, Typology::Fraud, Language::English), "Stopped as a likely scam.");
    let unknown = pack.redress(None, Typology::StockTips, Language::Chinese);
    assert_eq!(unknown, Language::Chinese.redress(), "a pack without a sentence for it");
}

#[test]
fn a_sentence_that_gives_the_rule_away_is_refused() {
    let source = RULE.replace("SENTENCE", "Stopped: it asks for a redelivery fee.");
    let mut report = Report::of_texts([("rules/a.toml", source.as_str())]);
    test::run(&mut report).expect("a pack");
    assert!(report.json().contains("E071"), "{}", report.json());
    let long = RULE.replace("SENTENCE", &"so long ".repeat(40));
    assert!(Report::of_texts([("rules/a.toml", long.as_str())]).json().contains("E027"));
}
