//! An automaton for small devices with any bytes changed, over any text: refused, or it scans and ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use yumen_compiler::draft::PatternDraft;
use yumen_compiler::edge;
use yumen_edge::{Automaton, EdgeMatcher, Threads};
use yumen_rules::engine::{Hit, HitSink, Matcher};
use yumen_rules::signal::View;

const PATTERNS: [(&str, bool); 6] = [
    ("贷款", false),
    ("网贷款项", false),
    ("vx", false),
    (r"\d{3,5}元.{0,8}微信", true),
    (r"^还款.*结清$", true),
    (r"[^0-9]\d{4}\b", true),
];

static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let patterns = PATTERNS.map(|(text, regex)| PatternDraft { text: text.to_owned(), regex, view: View::Folded });
    edge::automaton(&patterns).expect("the patterns are in the dialect").0
});

fuzz_target!(|input: (Vec<(u16, u8)>, String)| {
    let (changes, text) = input;
    let mut bytes = WHOLE.clone();
    for (at, value) in changes {
        let at = usize::from(at) % bytes.len();
        bytes[at] = value;
    }
    let Ok(automaton) = Automaton::new_checked(&bytes, 6) else { return };
    let mut threads = Threads::new();
    let (mut hits, mut marks) = ([Hit::default(); 6], [0; 6]);
    let mut sink = HitSink::new(&mut hits, &mut marks, 1);
    let scanned = EdgeMatcher::new(automaton, &mut threads).scan(View::Folded, text.as_bytes(), &mut sink);
    assert!(scanned.is_ok());
});
