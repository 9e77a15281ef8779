//! What `suggest` drafts is a rule: it builds, passes its own tests, and does in the engine what it says it does.

use std::sync::Arc;

use yumen_compiler::build::{BuildOptions, pack_bytes};
use yumen_compiler::suggest::{SuggestOptions, Suggestion, masked, suggest};
use yumen_compiler::{Report, test};
use yumen_matcher::{LoadOptions, LoadedPack, Worker};
use yumen_rules::engine::Site;
use yumen_rules::verdict::Typology;
use yumen_wire::event::Event;

/// A scheme made up for this test: "shares" in pet cemeteries.
const MISSED: [&str; 6] = [
    "云上宠物墓园认购火热，一个墓位年化回报18%，联系专员13800000001",
    "朋友都在买宠物墓园的墓位，三个月转手翻倍，机会难得",
    "宠-物-墓-园第二期认购开始，名额只剩20个，老客户优先",
    "上次说的墓位认购还剩几个，回报比存银行高多了",
    "【云上】您预订的墓位认购将于今晚截止，请尽快付定金",
    "墓位转手翻倍，先认购先得益",
];
const HAM: [&str; 6] = [
    "您的宠物疫苗已到期，请带它到医院接种",
    "清明祭扫请走东门，墓园停车位有限",
    "【某某基金】您认购的产品已确认，年化回报以公告为准",
    "老客户优先：本店会员日今晚截止",
    "奶奶的墓位在第三排，你到了给我打电话",
    "她把二手车转手翻倍卖了，厉害",
];

fn suggestion() -> Suggestion {
    let id = "fraud/pet-cemetery".to_owned();
    suggest(&MISSED, &HAM, &SuggestOptions { id, typology: Typology::Fraud, ham_max: 0 })
}

#[test]
fn a_draft_builds_and_does_what_it_says() {
    let suggestion = suggestion();
    // A word of one message alone isn't taken: the last message stays missed.
    assert_eq!((suggestion.missed, suggestion.covered), (6, 5), "{}", suggestion.toml);
    assert_eq!((suggestion.ham, suggestion.ham_hits), (6, 0), "{}", suggestion.toml);
    let mut report = Report::of_texts([("rules/draft.toml", suggestion.toml.as_str())]);
    assert_eq!(report.diagnostics.errors(), 0, "{}\n{}", report.render(Default::default()), suggestion.toml);
    let summary = test::run(&mut report).expect("a pack");
    assert_eq!(summary.failed, 0, "{}\n{}", report.render(Default::default()), suggestion.toml);

    let bytes = pack_bytes(&report, &BuildOptions::default()).expect("right");
    let pack = LoadedPack::load_untried(&bytes, &LoadOptions::ANYTHING).expect("a pack");
    let mut worker = Worker::new(Arc::new(pack)).expect("memory");
    let mut fires = |text: &&str| {
        let judged = worker.judge(&Site::DEFAULT, &Event::text_only(text)).expect("judged");
        !judged.fired.is_empty()
    };
    assert_eq!(MISSED.iter().filter(|text| fires(text)).count(), suggestion.covered);
    assert_eq!(HAM.iter().filter(|text| fires(text)).count(), suggestion.ham_hits);
}

#[test]
fn words_that_honest_messages_have_too_come_in_pairs() {
    let missed = ["墓位转手就翻倍", "买两个墓位，明年翻倍", "翻倍靠墓位", "先订墓位再谈翻倍"];
    let options = SuggestOptions { id: "fraud/x".to_owned(), typology: Typology::Fraud, ham_max: 0 };
    let suggestion = suggest(&missed, &HAM, &options);
    let words: Vec<_> = suggestion.members.iter().map(|member| member.words.join(" ")).collect();
    assert!(words == ["墓位 翻倍"] || words == ["翻倍 墓位"], "{words:?}");
    assert_eq!((suggestion.covered, suggestion.ham_hits), (4, 0));
    assert!(suggestion.toml.contains("all = ["), "{}", suggestion.toml);
}

#[test]
fn nobodys_number_stands_in_a_draft() {
    assert!(!suggestion().toml.contains("13800000001"));
    assert_eq!(
        masked("电13812345678转8，卡6222021234567890，20个"),
        "电13000000000转8，卡6200000000000000，20个"
    );
}

#[test]
fn what_cannot_be_separated_gives_no_draft() {
    let options = SuggestOptions { id: "fraud/x".to_owned(), typology: Typology::Fraud, ham_max: 0 };
    let suggestion = suggest(&HAM, &HAM, &options);
    assert!(suggestion.members.is_empty() && suggestion.toml.is_empty(), "{}", suggestion.toml);
    assert_eq!(suggest(&[], &[], &options).missed, 0);
}
