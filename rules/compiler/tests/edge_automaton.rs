//! The automaton of small devices against the `regex` crate, and changed by anybody.

#![expect(clippy::unwrap_used, reason = "what a test can't make or load fails it")]

use proptest::prelude::*;
use yumen_compiler::draft::PatternDraft;
use yumen_compiler::edge::{EdgeError, automaton};
use yumen_edge::{Automaton, EdgeMatcher, Threads};
use yumen_matcher::dialect;
use yumen_rules::engine::{Hit, HitSink, Matcher};
use yumen_rules::signal::View;

fn literal(text: &str) -> PatternDraft {
    PatternDraft { text: text.to_owned(), regex: false, view: View::Folded }
}

fn expression(text: &str) -> PatternDraft {
    PatternDraft { text: text.to_owned(), regex: true, view: View::Folded }
}

/// The patterns that the device finds, sorted.
fn found(patterns: &[PatternDraft], text: &str) -> Vec<u32> {
    let (bytes, _) = automaton(patterns).unwrap();
    let count = u32::try_from(patterns.len()).unwrap();
    let checked = Automaton::new_checked(&bytes, count).unwrap();
    let mut threads = Threads::new();
    let (mut hits, mut marks) = (vec![Hit::default(); patterns.len()], vec![0; patterns.len()]);
    let mut sink = HitSink::new(&mut hits, &mut marks, 1);
    EdgeMatcher::new(checked, &mut threads).scan(View::Folded, text.as_bytes(), &mut sink).unwrap();
    let (hits, overflowed) = sink.finish();
    assert!(!overflowed);
    let mut found: Vec<u32> = hits.iter().map(|hit| hit.pattern).collect();
    found.sort_unstable();
    found
}

/// The same by the `regex` crate.
fn expected(patterns: &[PatternDraft], text: &str) -> Vec<u32> {
    let is_hit = |pattern: &PatternDraft| {
        if pattern.regex {
            // The dialect's classes and boundaries are ASCII.
            let rust = pattern.text.replace(r"\b", r"(?-u:\b)").replace(r"\d", "[0-9]");
            regex::Regex::new(&rust).unwrap().is_match(text)
        } else {
            text.contains(&pattern.text)
        }
    };
    (0..).zip(patterns).filter(|(_, pattern)| is_hit(pattern)).map(|(index, _)| index).collect()
}

#[test]
fn overlapping_literals_and_announced_expressions() {
    let patterns = [
        literal("he"),
        literal("she"),
        literal("hers"),
        literal("贷款"),
        literal("网贷款项"),
        expression(r"\d{3,5}元.{0,8}微信"),
        expression(r"(今天|今日)前还"),
        expression(r"^还款.*结清$"),
        expression(r"\bvx\b"),
        expression(r"[^0-9][0-9]{4}[^0-9]"),
    ];
    for text in [
        "ushers",
        "网贷款项已到",
        "到账5000元请加微信",
        "到账5000元请加我的那个备用的小微信",
        "今日前还",
        "还款计划已结清",
        "先还款计划已结清",
        "加vx聊",
        "加 vx 聊",
        "avx",
        "验证码1234。",
        "12345",
        "",
    ] {
        assert_eq!(found(&patterns, text), expected(&patterns, text), "{text}");
    }
}

#[test]
fn an_expression_without_literals_is_tried_on_every_text() {
    let (_, parts) = automaton(&[expression("[^a]{3}"), expression("加我")]).unwrap();
    assert_eq!((parts.programs, parts.always), (2, 1));
}

#[test]
fn an_expression_beyond_the_interpreter_is_refused() {
    let long = "(甲.{0,200}乙.{0,200}丙|丁.{0,200}戊)";
    assert_eq!(automaton(&[expression(long)]).unwrap_err(), EdgeError::TooLong(long.to_owned()));
}

fn any_pattern() -> impl Strategy<Value = PatternDraft> {
    prop_oneof![
        "[ab贷款1]{1,4}".prop_map(|text| literal(&text)),
        r"[ab贷1](\.|[ab]\?|\(a\|贷\)|\[ab\]|\[\^a\])[b款]{0,2}(\*|\{1,3\}|\+)?"
            .prop_filter("in the dialect", |text| dialect::parse(text).is_ok())
            .prop_map(|text| expression(&text)),
        r"(\^|\\b)?[ab贷]\.\{0,3\}[b款1](\$|\\b)?".prop_map(|text| expression(&text)),
    ]
}

proptest! {
    #[test]
    fn it_finds_what_the_regex_crate_finds(
        patterns in prop::collection::vec(any_pattern(), 1..12),
        text in "[ab贷款1 ]{0,24}",
    ) {
        prop_assert_eq!(found(&patterns, &text), expected(&patterns, &text));
    }

    #[test]
    fn a_changed_automaton_is_refused_or_harmless(
        at in any::<prop::sample::Index>(),
        value: u8,
        cut in any::<prop::sample::Index>(),
        text in "[ab贷款1 he]{0,24}",
    ) {
        let patterns = [literal("he"), literal("贷款"), expression("贷.{0,3}1"), expression("[^a]b")];
        let (mut bytes, _) = automaton(&patterns).unwrap();
        prop_assert!(Automaton::new_checked(&bytes[..cut.index(bytes.len())], 4).is_err());
        let at = at.index(bytes.len());
        bytes[at] = value;
        if let Ok(changed) = Automaton::new_checked(&bytes, 4) {
            let mut threads = Threads::new();
            let (mut hits, mut marks) = ([Hit::default(); 4], [0; 4]);
            let mut sink = HitSink::new(&mut hits, &mut marks, 1);
            EdgeMatcher::new(changed, &mut threads).scan(View::Folded, text.as_bytes(), &mut sink).unwrap();
        }
    }
}
