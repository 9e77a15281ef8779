//! What judging a message costs, beside `hs_scan` of the same text for the same patterns, all in one database.
//!
//! ```text
//! sample (pack of 2,000 literals and 200 expressions, messages of real length) → rounds of both, in turn → Figures
//! ```

mod allocations;
mod clock;
mod compile;
mod sample;

use std::hint::black_box;
use std::sync::Arc;

pub use clock::CpuClock;
use yumen_matcher::{LoadOptions, LoadedPack, PlainHyperscan, Refusal, Worker, WorkerError};
use yumen_rules::classify::Signals;
use yumen_rules::engine::{JudgeError, Site};
use yumen_rules::extract::{self, Contact};
use yumen_rules::fold;
use yumen_rules::limits::{CONTACT_VALUES_BYTES_MAX, CONTACTS_MAX};
use yumen_rules::policy::Policy;
use yumen_rules::signal::View;
use yumen_wire::event::{Address, Event};
use yumen_wire::text::{self, Coding};

use crate::draft::PackDraft;
use crate::embedded;
use crate::emit::{EmitError, emit};

pub use allocations::CountingAllocator;
pub use compile::{CompileFigures, measure_compile};
pub use sample::{draft, messages};

/// What was measured. Times are the medians of the rounds, in nanoseconds a message of the processor's time that this thread had:
/// what else the machine does counts for little.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Distinct messages.
    pub messages: usize,
    /// Their mean length in bytes of UTF-8.
    pub bytes_mean: f64,
    /// Literals in the pack.
    pub literals: usize,
    /// Regular expressions in the pack.
    pub regexes: usize,
    /// Decoding from UCS-2.
    pub decode_ns: f64,
    /// Folding.
    pub fold_ns: f64,
    /// `hs_scan` of every view that the pack has patterns for, each with all of them in one database, as Hyperscan's manual has
    /// it; nothing done about matches. With the Rust engine, that engine's scan of the folded view.
    pub hs_scan_ns: f64,
    /// The engine's own way of matching the folded view, nothing done about matches.
    pub scan_ns: f64,
    /// All of it: decode, fold, extract, match, decide.
    pub judge_ns: f64,
    /// The same with contacts looked for and the classifier asked in every message, not only where a rule asks.
    pub everything_ns: f64,
    /// `judge_ns` over `hs_scan_ns`, the median of the rounds' own ratios.
    pub ratio_to_hs_scan: f64,
    /// `judge_ns` over `scan_ns`, likewise.
    pub ratio_to_own_scan: f64,
    /// `everything_ns` over `hs_scan_ns`, likewise.
    pub ratio_with_everything: f64,
    /// Allocations a message, over all rounds; `None` where [`CountingAllocator`] isn't installed.
    pub allocations_per_message: Option<f64>,
    /// Messages that a policy which enforces everything would let pass.
    pub allowed: usize,
    /// Which matcher.
    pub engine: &'static str,
}

impl Figures {
    /// The figures by the names that `yumen bench --json` has for them, behind a prefix; without the count of allocations
    /// where nobody counts.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let figures = [
            ("decode_ns", Some(self.decode_ns)),
            ("fold_ns", Some(self.fold_ns)),
            ("hs_scan_ns", Some(self.hs_scan_ns)),
            ("scan_ns", Some(self.scan_ns)),
            ("judge_ns", Some(self.judge_ns)),
            ("everything_ns", Some(self.everything_ns)),
            ("ratio_to_hs_scan", Some(self.ratio_to_hs_scan)),
            ("ratio_to_own_scan", Some(self.ratio_to_own_scan)),
            ("ratio_with_everything", Some(self.ratio_with_everything)),
            ("messages_per_second", Some(1e9 / self.judge_ns)),
            ("allocations_per_message", self.allocations_per_message),
        ];
        figures.into_iter().filter_map(|(name, figure)| Some((name, figure?)))
    }
}

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The sample pack can't be made.
    #[error(transparent)]
    Emit(#[from] EmitError),
    /// The sample pack isn't taken.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No worker.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// A message couldn't be judged.
    #[error(transparent)]
    Judge(#[from] JudgeError),
    /// A folder for compiled databases.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Measures the sample pack on the sample messages, so many times over.
///
/// # Errors
/// [`BenchError`].
pub fn measure(rounds: usize) -> Result<Figures, BenchError> {
    measure_with(&draft(LITERALS, REGEXES), &messages(MESSAGES), rounds)
}

/// Measures the project's own packs on the sample messages.
///
/// # Errors
/// [`BenchError`].
pub fn measure_own(rounds: usize) -> Result<Figures, BenchError> {
    measure_with(&embedded::report().draft, &messages(MESSAGES), rounds)
}

/// Measures any pack on any messages.
///
/// # Errors
/// [`BenchError`].
pub fn measure_with(draft: &PackDraft, messages: &[String], rounds: usize) -> Result<Figures, BenchError> {
    let bytes = emit(draft)?;
    let pack = Arc::new(LoadedPack::load_untried(&bytes, &LoadOptions::ANYTHING)?);
    let mut bench = Bench::new(&pack, messages)?;
    bench.round()?;
    let mut measured = Vec::with_capacity(rounds.max(1));
    let before = allocations::count();
    for _ in 0..rounds.max(1) {
        measured.push(bench.round()?);
    }
    let counted = before.zip(allocations::count()).map(|(before, after)| after - before);
    let rounds = measured;
    // Each message is judged twice a round.
    let judged = (rounds.len() * bench.subjects.len() * 2) as f64;
    Ok(Figures {
        messages: bench.subjects.len(),
        bytes_mean: bench.bytes_mean(),
        literals: draft.patterns.iter().filter(|pattern| !pattern.regex).count(),
        regexes: draft.patterns.iter().filter(|pattern| pattern.regex).count(),
        decode_ns: median(rounds.iter().map(|round| round.decode_ns)),
        fold_ns: median(rounds.iter().map(|round| round.fold_ns)),
        hs_scan_ns: median(rounds.iter().map(|round| round.hs_scan_ns)),
        scan_ns: median(rounds.iter().map(|round| round.scan_ns)),
        judge_ns: median(rounds.iter().map(|round| round.judge_ns)),
        everything_ns: median(rounds.iter().map(|round| round.everything_ns)),
        ratio_to_hs_scan: median(rounds.iter().map(|round| round.judge_ns / round.hs_scan_ns)),
        ratio_to_own_scan: median(rounds.iter().map(|round| round.judge_ns / round.scan_ns)),
        ratio_with_everything: median(rounds.iter().map(|round| round.everything_ns / round.hs_scan_ns)),
        allocations_per_message: counted.map(|counted| counted as f64 / judged),
        allowed: rounds.first().map_or(0, |round| round.allowed),
        engine: pack.engine().name(),
    })
}

const LITERALS: usize = 2_000;
const REGEXES: usize = 200;
const MESSAGES: usize = 1_000;

/// A message as it comes, and each view as a matcher gets it; empty where the pack has no patterns for it.
struct Subject {
    ucs2: Vec<u8>,
    text: String,
    views: [Vec<u8>; View::COUNT],
    originator: String,
}

struct Bench {
    pack: Arc<LoadedPack>,
    worker: Worker,
    raw: Worker,
    plain: [Option<PlainHyperscan>; View::COUNT],
    subjects: Vec<Subject>,
    policy: Policy,
    text: Vec<u8>,
    folded: Vec<u8>,
}

#[derive(Clone, Copy, Default)]
struct Round {
    decode_ns: f64,
    fold_ns: f64,
    hs_scan_ns: f64,
    scan_ns: f64,
    judge_ns: f64,
    everything_ns: f64,
    allowed: usize,
}

impl Bench {
    fn new(pack: &Arc<LoadedPack>, messages: &[String]) -> Result<Self, BenchError> {
        pack.warm();
        let longest = messages.iter().map(String::len).max().unwrap_or(0);
        let subject = |(text, number): (&String, usize)| Subject {
            ucs2: text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            text: text.clone(),
            views: views(pack, text),
            originator: format!("1069{:08}", number * 7_919 % 100_000_000),
        };
        let subjects = messages.iter().zip(0..).map(subject).collect();
        let mut plain = [const { None }; View::COUNT];
        for (slot, view) in plain.iter_mut().zip(View::ALL) {
            *slot = PlainHyperscan::build(&pack.pack(), view)?;
        }
        Ok(Self {
            pack: Arc::clone(pack),
            worker: Worker::new(Arc::clone(pack))?,
            raw: Worker::new(Arc::clone(pack))?,
            plain,
            subjects,
            policy: Policy::enforcing(),
            text: vec![0; longest * 3 + 4],
            folded: vec![0; fold::folded_len_max(longest)],
        })
    }

    fn bytes_mean(&self) -> f64 {
        let bytes: usize = self.subjects.iter().map(|subject| subject.text.len()).sum();
        bytes as f64 / self.subjects.len().max(1) as f64
    }

    /// Each measure over all messages, one after the other, so that all see the machine in the same state.
    fn round(&mut self) -> Result<Round, BenchError> {
        let messages = self.subjects.len().max(1) as f64;
        let each = |started: CpuClock| started.elapsed_ns() / messages;
        let mut round = Round::default();

        let started = CpuClock::now();
        let out = text::blank(&mut self.text);
        for subject in &self.subjects {
            black_box(text::decode(Coding::Ucs2, &subject.ucs2, out));
        }
        round.decode_ns = each(started);

        let started = CpuClock::now();
        for subject in &self.subjects {
            black_box(fold::fold(&subject.text, &mut self.folded).bytes());
        }
        round.fold_ns = each(started);

        let started = CpuClock::now();
        for subject in &self.subjects {
            black_box(self.raw.scan_raw(View::Folded, subject.folded()).map_err(JudgeError::Match)?);
        }
        round.scan_ns = each(started);
        round.hs_scan_ns = self.hs_scan(round.scan_ns)?;

        let started = CpuClock::now();
        round.allowed = self.judge(false)?;
        round.judge_ns = each(started);

        let started = CpuClock::now();
        self.judge(true)?;
        round.everything_ns = each(started);
        Ok(round)
    }

    /// Hyperscan by itself, or where it isn't used the engine's own scan.
    fn hs_scan(&mut self, own_ns: f64) -> Result<f64, BenchError> {
        if self.plain.iter().all(Option::is_none) {
            return Ok(own_ns);
        }
        let started = CpuClock::now();
        for subject in &self.subjects {
            for (plain, view) in self.plain.iter_mut().zip(&subject.views) {
                if let Some(plain) = plain {
                    black_box(plain.scan(view).map_err(JudgeError::Match)?);
                }
            }
        }
        Ok(started.elapsed_ns() / self.subjects.len().max(1) as f64)
    }

    /// Judges every message, from its octets on; with `all`, contacts and classifier are asked whether a rule asks or not.
    /// Returns how many would pass.
    fn judge(&mut self, all: bool) -> Result<usize, BenchError> {
        let mut allowed = 0;
        let model = self.pack.pack().classifier();
        let mut contacts: [Contact; CONTACTS_MAX] = Default::default();
        let mut values = [0; CONTACT_VALUES_BYTES_MAX];
        let out = text::blank(&mut self.text);
        for subject in &self.subjects {
            let decoded = text::decode(Coding::Ucs2, &subject.ucs2, out);
            let plain = out.get(..decoded.written).unwrap_or_default();
            let mut event = Event::text_only(plain);
            event.originator = Address::new(&subject.originator);
            let judgement = self.worker.judge(&Site::DEFAULT, &event)?;
            allowed += usize::from(!self.policy.decide(&judgement).action.blocks());
            if all && judgement.extract().is_none() {
                let folded = fold::fold(plain, &mut self.folded);
                black_box(extract::extract(plain, &folded, &mut contacts, &mut values).count());
            }
            if all && judgement.classified().is_none() {
                let folded = judgement.view(View::Folded);
                black_box(model.map(|model| model.scores(folded, Signals::default())));
            }
        }
        Ok(allowed)
    }
}

impl Subject {
    fn folded(&self) -> &[u8] {
        self.views.first().map(Vec::as_slice).unwrap_or_default()
    }
}

/// The views of a text that a pack has patterns for.
fn views(pack: &LoadedPack, text: &str) -> [Vec<u8>; View::COUNT] {
    let mut folded = vec![0; fold::folded_len_max(text.len())];
    let folded = fold::fold(text, &mut folded);
    let mut room = vec![0; fold::folded_len_max(text.len()) * 2];
    View::ALL.map(|view| match view {
        _ if pack.pack().patterns_of(view) == 0 => Vec::new(),
        View::Folded => folded.bytes().to_vec(),
        View::Squeezed => fold::squeeze(&folded, &mut room).to_vec(),
        View::Plain => text.as_bytes().to_vec(),
        View::Sound => fold::sound(&folded, &mut room).to_vec(),
    })
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_has_the_size_it_says() {
        let draft = draft(LITERALS, REGEXES);
        assert_eq!(draft.patterns.iter().filter(|pattern| !pattern.regex).count(), LITERALS);
        assert_eq!(draft.patterns.iter().filter(|pattern| pattern.regex).count(), REGEXES);
        let messages = messages(MESSAGES);
        let mean = messages.iter().map(String::len).sum::<usize>() / messages.len();
        assert!((130..=200).contains(&mean), "{mean} bytes");
    }

    #[test]
    fn a_round_measures_and_lets_nearly_all_pass() {
        let figures = measure(1).unwrap();
        assert!(figures.judge_ns > figures.fold_ns && figures.hs_scan_ns > 0.0 && figures.scan_ns > 0.0);
        let (allowed, messages) = (figures.allowed, figures.messages);
        assert!(allowed * 10 >= messages * 8, "{allowed} of {messages} allowed");
    }
}
