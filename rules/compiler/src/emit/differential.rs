//! Hyperscan against the Rust engine, on random patterns and random texts of the sort that messages are.
//!
//! `YUMEN_DIFFERENTIAL_SETS` sets how many pattern sets are tried (each on [`TEXTS`] texts), `YUMEN_DIFFERENTIAL_SEED` where to
//! begin; a failure prints the seed of its set.

use std::sync::Arc;

use yumen_matcher::{EngineChoice, LoadOptions, LoadedPack, Refusal, Worker, check_regex, gate};
use yumen_rules::engine::Site;
use yumen_rules::signal::View;
use yumen_wire::event::Event;

use super::emit;
use crate::draft::{PackDraft, PatternDraft};

const TEXTS: usize = 150;
const PATTERNS: usize = 40;

#[test]
fn hyperscan_finds_what_the_rust_engine_finds() {
    if gate::hyperscan().is_err() {
        return;
    }
    let from_env = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let first = from_env("YUMEN_DIFFERENTIAL_SEED").unwrap_or(1);
    let mut hits = 0;
    for seed in first..first + from_env("YUMEN_DIFFERENTIAL_SETS").unwrap_or(6) {
        hits += compare(seed);
    }
    assert!(hits > 0, "the texts have nothing of the patterns: the test shows nothing");
}

/// Compares one set; returns how many hits there were.
fn compare(seed: u64) -> usize {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut patterns: Vec<PatternDraft> = (0..PATTERNS).map(|_| random.pattern()).collect();
    // What contradicts itself (`a\b\B`) compiles in one engine only, and a pack with it is refused.
    patterns.retain(|pattern| load(vec![pattern.clone()], EngineChoice::Hyperscan).is_ok());
    let [mut hyperscan, mut rust] = [EngineChoice::Hyperscan, EngineChoice::Rust]
        .map(|engine| Worker::new(Arc::new(load(patterns.clone(), engine).unwrap())).unwrap());
    let mut hits = 0;
    for _ in 0..TEXTS {
        let text = random.text();
        let [found, expected] = [&mut hyperscan, &mut rust].map(|worker| found(worker, &text));
        let differing: Vec<_> = found
            .iter()
            .filter(|id| !expected.contains(id))
            .chain(expected.iter().filter(|id| !found.contains(id)))
            .collect();
        let pack = hyperscan.pack();
        let names: Vec<_> =
            differing.iter().filter_map(|&&id| pack.pack().pattern(id).map(|pattern| pattern.text)).collect();
        assert!(
            differing.is_empty(),
            "seed {seed}: {names:?} in {text:?}: Hyperscan {found:?}, Rust {expected:?}"
        );
        hits += found.len();
    }
    hits
}

fn load(patterns: Vec<PatternDraft>, engine: EngineChoice) -> Result<LoadedPack, Refusal> {
    let draft = PackDraft { name: "differential".to_owned(), patterns, ..PackDraft::default() };
    LoadedPack::load(&emit(&draft).unwrap(), &LoadOptions { engine, ..LoadOptions::ANYTHING })
}

fn found(worker: &mut Worker, text: &str) -> Vec<u32> {
    let judgement = worker.judge(&Site::DEFAULT, &Event::text_only(text)).unwrap();
    let mut found: Vec<u32> = judgement.hits.iter().map(|hit| hit.pattern).collect();
    found.sort_unstable();
    found
}

struct Random(u64);

const WORDS: [&str; 24] = [
    "退保",
    "征信",
    "微信",
    "刷单",
    "返利",
    "安全账户",
    "还款",
    "今天",
    "曝光",
    "python",
    "curl",
    "vip",
    "加",
    "群",
    "元",
    "贷",
    "款",
    "逾期",
    "98",
    "1",
    "a",
    "x9",
    "点",
    "前",
];
const MARKS: [&str; 14] = ["*", "|", "-", " ", "\n", "。", "，", ".", "?", "[", "\\", "\t", "🙂", "é"];

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn text(&mut self) -> String {
        let parts = self.below(30);
        (0..parts).map(|_| if self.below(3) == 0 { self.pick(&MARKS) } else { self.pick(&WORDS) }).collect()
    }

    /// The plain view keeps what folding would drop: punctuation, line feeds, marks.
    fn pattern(&mut self) -> PatternDraft {
        let view = if self.below(4) == 0 { View::Folded } else { View::Plain };
        if self.below(4) == 0 {
            let text = (0..=self.below(2)).map(|_| self.pick(&WORDS)).collect();
            return PatternDraft { text, regex: false, view };
        }
        loop {
            let text = self.expression();
            if check_regex(&text).is_ok() {
                return PatternDraft { text, regex: true, view };
            }
        }
    }

    fn expression(&mut self) -> String {
        let mut out = if self.below(6) == 0 { "^".to_owned() } else { String::new() };
        for _ in 0..2 + self.below(4) {
            out.push_str(&self.atom());
        }
        if self.below(5) == 0 {
            out.push('$');
        }
        out
    }

    fn atom(&mut self) -> String {
        let word = self.pick(&WORDS);
        match self.below(14) {
            0..=3 => word.to_owned(),
            4 => format!("(?:{word}|{}|{})", self.pick(&WORDS), self.pick(&WORDS)),
            5 => ".*".to_owned(),
            6 => format!(".{{{},{}}}", self.below(2), 2 + self.below(9)),
            7 => r"\d+".to_owned(),
            8 => r"\s*".to_owned(),
            9 => format!("({word})?"),
            10 => format!("[^{}\\s]", self.pick(&["点", "元", "a-z", "0-9"])),
            11 => format!(
                "[{}{}]{{1,3}}",
                self.pick(&["今明", "一-九", "a-c"]),
                self.pick(&["1-3", "\\d", "\\w", "款"])
            ),
            12 => self.pick(&[r"\*", r"\|", "-", r"\.", r"\b", r"\B", r"\W", "🙂", "é"]).to_owned(),
            _ => format!("(?:{word}.{{0,3}}){{1,2}}"),
        }
    }
}
