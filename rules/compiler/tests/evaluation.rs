//! `eval` and `diff` count what they say they count.

#![expect(clippy::expect_used, reason = "a test that can't build its pack fails")]

use std::sync::Arc;

use yumen_compiler::Report;
use yumen_compiler::build::{BuildOptions, pack_bytes};
use yumen_compiler::compare::compare;
use yumen_compiler::corpus::{Corpus, CorpusOptions};
use yumen_compiler::eval::{Evaluation, evaluate, html, json, render, run};
use yumen_matcher::{LoadOptions, LoadedPack};
use yumen_rules::verdict::Typology;

const OLD: &str = r#"
[[rule]]
id = "fraud/rebates"
typology = "fraud"
title = "刷单"
score = 80
match.word = { any = ["刷单返利"] }
when = "word"
hit = ["刷单返利日结"]
miss = ["今天下雨"]

[[rule]]
id = "loan-mediation/any-loan"
typology = "loan-mediation"
title = "贷款"
score = 75
match.word = { any = ["下款"] }
when = "word"
hit = ["当天下款"]
miss = ["今天下雨"]

[[rule]]
id = "fraud/never"
typology = "fraud"
title = "从不命中"
score = 75
match.word = { any = ["从不出现的词"] }
when = "word"
hit = ["从不出现的词"]
miss = ["今天下雨"]
"#;

const CORPUS: &str = "label\tvariant\ttext\n\
    fraud\tplain\t刷单返利日结\n\
    fraud\tevasion\t刷-单-返-利日结\n\
    fraud\tplain\t新的骗局无人认识\n\
    loan_broker\tplain\t黑户也能当天下款\n\
    ham_bank\tplain\t您申请的贷款将于今日下款\n\
    ham_bank\tplain\t<b>今天</b>下雨\n";

fn pack(source: &str) -> Arc<LoadedPack> {
    let report = Report::of_texts([("rules/a.toml", source)]);
    let bytes = pack_bytes(&report, &BuildOptions::default()).expect("right sources");
    Arc::new(LoadedPack::load_untried(&bytes, &LoadOptions::ANYTHING).expect("a pack"))
}

fn corpus() -> Corpus {
    Corpus::parse(CORPUS.to_owned(), &CorpusOptions::default()).expect("a corpus")
}

fn evaluation(threads: usize) -> Evaluation {
    let (pack, corpus) = (pack(OLD), corpus());
    evaluate(&pack, &corpus, &run(&pack, &corpus, threads, |_| ()).expect("judged"))
}

#[test]
fn rates_are_counted_by_label_practice_and_rule() {
    let evaluation = evaluation(3);
    assert_eq!((evaluation.total.records, evaluation.total.blocked), (6, 4));
    assert_eq!((evaluation.scam.records, evaluation.scam.blocked), (4, 3));
    assert_eq!((evaluation.ham.records, evaluation.ham.blocked), (2, 1));
    let variants: Vec<_> =
        evaluation.variants.iter().map(|(name, row)| (name.as_str(), row.blocked, row.records)).collect();
    assert_eq!(variants, [("plain", 2, 3), ("evasion", 1, 1)]);
    let typology =
        |wanted| evaluation.typologies.iter().find(|row| row.typology == wanted).expect("all there");
    let fraud = typology(Typology::Fraud);
    assert_eq!((fraud.recall(), fraud.precision()), (Some(2.0 / 3.0), Some(1.0)));
    let loan = typology(Typology::LoanMediation);
    assert_eq!((loan.recall(), loan.precision(), loan.ham), (Some(1.0), Some(0.5), 1));
    assert_eq!(typology(Typology::StockTips).recall(), None, "nothing labelled is no recall of 0");
    let rule = |id: &str| evaluation.rules.iter().find(|rule| rule.id == id).expect("all there");
    let any_loan = rule("loan-mediation/any-loan");
    assert_eq!((any_loan.hits, any_loan.right, any_loan.ham, any_loan.ham_blocked), (2, 1, 1, 1));
    assert_eq!((rule("fraud/never").hits, rule("fraud/never").precision()), (0, None));
    let lines =
        |wrong: &[yumen_compiler::eval::Wrong]| wrong.iter().map(|wrong| wrong.line).collect::<Vec<_>>();
    assert_eq!((lines(&evaluation.false_positives), lines(&evaluation.missed)), (vec![6], vec![4]));
}

#[test]
fn text_json_and_page_show_the_same() {
    let evaluation = evaluation(1);
    let text = render(&evaluation, 20);
    assert!(text.contains("您申请的贷款将于今日下款") && text.contains("loan-mediation/any-loan"), "{text}");
    assert!(text.contains("1 rules never fired"), "{text}");
    let object = json(&evaluation);
    assert_eq!(object["false_positives"][0]["text"], "您申请的贷款将于今日下款");
    assert_eq!(object["typologies"][5]["recall"], serde_json::Value::Null);
    let page = html(&evaluation);
    assert!(page.contains("<svg") && !page.contains("src=") && !page.contains("http"), "loads something");
    assert!(page.contains("您申请的贷款将于今日下款"));
}

#[test]
fn a_message_is_never_markup() {
    let new = OLD.replace("从不出现的词", "今天");
    let (pack, corpus) = (pack(&new), corpus());
    let page = html(&evaluate(&pack, &corpus, &run(&pack, &corpus, 1, |_| ()).expect("judged")));
    assert!(page.contains("&lt;b&gt;今天") && !page.contains("<b>今天"), "{page}");
}

#[test]
fn a_comparison_names_what_changes() {
    let (old, new) = (
        pack(OLD),
        pack(
            &OLD.replace("\"下款\"", "\"黑户\"").replace("当天下款", "黑户").replace("从不出现的词", "骗局"),
        ),
    );
    let corpus = corpus();
    let judged = |pack| run(pack, &corpus, 2, |_| ()).expect("judged");
    let comparison = compare(&corpus, (&old, &judged(&old)), (&new, &judged(&new)));
    let changes: Vec<_> = comparison
        .changes
        .iter()
        .map(|change| (change.line, change.blocked, change.rules.join(" ")))
        .collect();
    assert_eq!(
        changes,
        [(4, true, "fraud/never".to_owned()), (6, false, "loan-mediation/any-loan".to_owned())]
    );
    let ham = comparison.labels["ham_bank"];
    assert_eq!((ham.records, ham.old, ham.new, ham.blocked, ham.allowed), (2, 1, 0, 0, 1));
    assert_eq!(comparison.json()["changes"][0]["change"], "blocked");
}
