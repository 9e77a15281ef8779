//! The project's own packs on a device: the same pack gives the same verdicts by the automaton as by a gateway's engine.

#![expect(clippy::unwrap_used, reason = "what a test can't make or load fails it")]

use std::sync::Arc;

use yumen_compiler::build::{BuildOptions, Built};
use yumen_compiler::test::TestSummary;
use yumen_compiler::{edge, embedded};
use yumen_edge::{Automaton, EdgeMatcher, Threads};
use yumen_matcher::{LoadOptions, LoadedPack, OwnedScratch, Worker};
use yumen_rules::engine::{Site, judge};
use yumen_rules::pack::{Layout, SectionKind};
use yumen_rules::policy::Policy;
use yumen_wire::event::Event;

/// All texts that the rules themselves bring, and what makes them harder.
fn texts(built: &Built) -> Vec<String> {
    let rules = built.report.draft.rules.iter().flat_map(|rule| rule.hits.iter().chain(&rule.misses));
    let mut texts: Vec<String> = rules.cloned().collect();
    let spaced: Vec<String> =
        texts.iter().step_by(5).map(|text| text.chars().flat_map(|char| [char, ' ']).collect()).collect();
    texts.extend(spaced);
    texts.push(String::new());
    texts
}

fn built() -> Built {
    let report = embedded::report();
    let bytes = yumen_compiler::build::pack_bytes(&report, &BuildOptions::default()).unwrap();
    Built { bytes, report, tests: TestSummary::default() }
}

#[test]
fn automaton_and_gateway_agree_on_every_text() {
    let built = built();
    let fitted = edge::fit(&built, &BuildOptions::default(), 2 << 20).unwrap();
    println!("{:?}, pack {} bytes, {} rules", fitted.parts, fitted.bytes.len(), fitted.rules);
    let loaded = Arc::new(LoadedPack::load_untried(&fitted.twin, &LoadOptions::ANYTHING).unwrap());
    let layout = Layout::new_checked(&fitted.bytes).unwrap();
    let pack = layout.pack(&fitted.bytes);
    let automaton = Automaton::new_checked(pack.automaton(), pack.count(SectionKind::Patterns)).unwrap();
    let mut worker = Worker::new(Arc::clone(&loaded)).unwrap();
    let (mut scratch, mut threads) = (OwnedScratch::new(&pack), Threads::new());
    let policy = Policy::enforcing();
    let mut blocked = 0;
    for text in texts(&built) {
        let event = Event::text_only(&text);
        let by_gateway = policy.decide(&worker.judge(&Site::DEFAULT, &event).unwrap());
        let mut matcher = EdgeMatcher::new(automaton, &mut threads);
        let judgement = judge(pack, &Site::DEFAULT, &mut matcher, &event, scratch.lend()).unwrap();
        let by_device = policy.decide(&judgement);
        assert_eq!(by_device, by_gateway, "{text}");
        blocked += usize::from(by_device.action != yumen_rules::verdict::Action::Allow);
    }
    assert!(blocked > built.report.draft.rules.len() / 2, "only {blocked} texts were blocked");
}

#[test]
fn less_flash_means_fewer_rules_and_says_which() {
    let built = built();
    let all = built.report.draft.rules.len();
    let mut before = 0;
    for flash in [512 << 10, 1 << 20] {
        let Ok(fitted) = edge::fit(&built, &BuildOptions::default(), flash) else { continue };
        let recall = edge::recall(&built, &fitted).unwrap();
        println!("{} KiB: {} of {all} rules, {recall:?}, {:?}", flash >> 10, fitted.rules, fitted.parts);
        assert!(fitted.bytes.len() <= flash);
        assert_eq!(fitted.rules + fitted.left_out.len(), all);
        assert!(fitted.rules >= before && recall.device <= recall.gateway);
        before = fitted.rules;
    }
    assert!(before > 0, "nothing fits 1 MiB");
    assert!(matches!(
        edge::fit(&built, &BuildOptions::default(), 1 << 10),
        Err(edge::FitError::NoRoom { .. })
    ));
}
