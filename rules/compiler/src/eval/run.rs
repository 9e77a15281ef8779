//! A corpus through a pack, on several threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use yumen_matcher::{LoadedPack, Worker, WorkerError};
use yumen_rules::engine::{ConditionId, JudgeError, Observer, Site};
use yumen_rules::pack::SectionKind;
use yumen_rules::policy::Policy;
use yumen_rules::verdict::{Action, Typology};
use yumen_wire::event::Event;

use crate::bench::CpuClock;
use crate::corpus::Corpus;
use crate::limits::{EVAL_CHUNK_RECORDS, EVAL_TIMED_ONE_IN};

/// What came of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What an enforcing gateway does.
    pub action: Action,
    /// For which practice; `None` where it is allowed.
    pub typology: Option<Typology>,
    /// 0 to 100.
    pub score: u8,
    /// The rules that fired and weren't taken back, by index.
    pub rules: Box<[u32]>,
    /// The rules that were taken back, by index.
    pub suppressed: Box<[u32]>,
}

/// What one rule's condition costs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RuleCost {
    /// How often it was evaluated, of the messages that were timed.
    pub evaluations: u64,
    /// Nanoseconds of all these evaluations, what taking the time costs already taken off.
    pub ns: f64,
}

/// What came of a corpus.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// One a record.
    pub outcomes: Vec<Outcome>,
    /// Processor time a message in nanoseconds: fold, match, decide.
    pub ns_mean: f64,
    /// One a rule of the pack.
    pub costs: Vec<RuleCost>,
    /// Messages whose conditions were timed.
    pub timed: u64,
}

/// Why a corpus wasn't judged.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No memory for a thread.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// The matcher failed.
    #[error(transparent)]
    Judge(#[from] JudgeError),
    /// A thread ended before its work.
    #[error("a worker stopped")]
    WorkerLost,
}

/// Judges every record; `progress` is called with the number of records so far.
///
/// # Errors
/// [`RunError`].
pub fn run(
    pack: &Arc<LoadedPack>,
    corpus: &Corpus,
    threads: usize,
    progress: impl Fn(usize) + Sync,
) -> Result<Run, RunError> {
    run_by(pack, corpus, threads, progress, |worker, event| {
        Ok(outcome(&worker.judge(&Site::DEFAULT, event)?, &Policy::enforcing()))
    })
}

/// The same without folding: what a search for the same words in the text as it was sent would find.
///
/// # Errors
/// [`RunError`].
pub fn run_as_sent(
    pack: &Arc<LoadedPack>,
    corpus: &Corpus,
    threads: usize,
    progress: impl Fn(usize) + Sync,
) -> Result<Run, RunError> {
    run_by(pack, corpus, threads, progress, |worker, event| {
        let judgement = worker.judge_observed(&Site::DEFAULT, event, &mut AsSent)?;
        Ok(outcome(&judgement, &Policy::enforcing()))
    })
}

struct AsSent;

impl Observer for AsSent {
    const ACTIVE: bool = false;
    const FOLDED: bool = false;
}

fn run_by(
    pack: &Arc<LoadedPack>,
    corpus: &Corpus,
    threads: usize,
    progress: impl Fn(usize) + Sync,
    judge: impl Fn(&mut Worker, &Event<'_>) -> Result<Outcome, JudgeError> + Sync,
) -> Result<Run, RunError> {
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let overhead_ns = clock_ns();
    let workers: Vec<Worker> =
        (0..threads.max(1)).map(|_| Worker::new(Arc::clone(pack))).collect::<Result<_, _>>()?;
    let parts: Vec<Result<Part, RunError>> = thread::scope(|scope| {
        let handles: Vec<_> = workers
            .into_iter()
            .map(|worker| {
                let (next, done, progress, judge) = (&next, &done, &progress, &judge);
                scope.spawn(move || part(worker, corpus, next, done, progress, judge))
            })
            .collect();
        handles.into_iter().map(|handle| handle.join().unwrap_or(Err(RunError::WorkerLost))).collect()
    });
    let rules = pack.pack().count(SectionKind::Rules) as usize;
    let mut run = Run { costs: vec![RuleCost::default(); rules], ..Run::default() };
    let mut chunks = Vec::new();
    let (mut ns, mut untimed) = (0.0, 0u64);
    for part in parts {
        let part = part?;
        chunks.extend(part.chunks);
        ns += part.ns;
        untimed = untimed.saturating_add(part.untimed);
        run.timed = run.timed.saturating_add(part.timed);
        for (sum, cost) in run.costs.iter_mut().zip(part.timing.costs) {
            sum.evaluations = sum.evaluations.saturating_add(cost.evaluations);
            sum.ns += (cost.ns - overhead_ns * cost.evaluations as f64).max(0.0);
        }
    }
    chunks.sort_unstable_by_key(|&(number, _)| number);
    run.outcomes = chunks.into_iter().flat_map(|(_, outcomes)| outcomes).collect();
    run.ns_mean = ns / untimed.max(1) as f64;
    Ok(run)
}

/// What one thread did.
#[derive(Default)]
struct Part {
    chunks: Vec<(usize, Vec<Outcome>)>,
    ns: f64,
    untimed: u64,
    timed: u64,
    timing: Timing,
}

fn part(
    mut worker: Worker,
    corpus: &Corpus,
    next: &AtomicUsize,
    done: &AtomicUsize,
    progress: &impl Fn(usize),
    judge: &impl Fn(&mut Worker, &Event<'_>) -> Result<Outcome, JudgeError>,
) -> Result<Part, RunError> {
    let rules = worker.pack().pack().count(SectionKind::Rules) as usize;
    let mut part = Part { timing: Timing::new(rules), ..Part::default() };
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let start = number.saturating_mul(EVAL_CHUNK_RECORDS);
        let end = start.saturating_add(EVAL_CHUNK_RECORDS).min(corpus.records.len());
        let Some(records) = corpus.records.get(start..end).filter(|records| !records.is_empty()) else {
            return Ok(part);
        };
        let mut outcomes = Vec::with_capacity(records.len());
        let started = CpuClock::now();
        for record in records {
            let event = Event::text_only(corpus.text(record));
            outcomes.push(judge(&mut worker, &event)?);
        }
        part.ns += started.elapsed_ns();
        part.untimed = part.untimed.saturating_add(records.len() as u64);
        for record in records.iter().step_by(EVAL_TIMED_ONE_IN) {
            let event = Event::text_only(corpus.text(record));
            worker.judge_observed(&Site::DEFAULT, &event, &mut part.timing)?;
            part.timed = part.timed.saturating_add(1);
        }
        part.chunks.push((number, outcomes));
        progress(done.fetch_add(records.len(), Ordering::Relaxed).saturating_add(records.len()));
    }
}

fn outcome(judgement: &yumen_rules::engine::Judgement<'_>, policy: &Policy) -> Outcome {
    let verdict = policy.decide(judgement);
    let indices = |taken_back: bool| {
        judgement
            .fired
            .iter()
            .filter(|fired| fired.suppressed_by.is_some() == taken_back)
            .map(|fired| fired.rule)
            .collect()
    };
    Outcome {
        action: verdict.action,
        typology: verdict.typology.filter(|_| verdict.action != Action::Allow),
        score: verdict.score,
        rules: indices(false),
        suppressed: indices(true),
    }
}

/// Times the conditions of rules on the engine's usual way.
#[derive(Default)]
struct Timing {
    costs: Vec<RuleCost>,
    began: Option<Instant>,
}

impl Timing {
    fn new(rules: usize) -> Self {
        Self { costs: vec![RuleCost::default(); rules], began: None }
    }
}

impl Observer for Timing {
    const EXHAUSTIVE: bool = false;

    fn begin(&mut self, _condition: ConditionId) {
        self.began = Some(Instant::now());
    }

    fn condition(&mut self, condition: ConditionId, _held: bool) {
        let (Some(began), ConditionId::Rule(rule)) = (self.began.take(), condition) else { return };
        let Some(cost) = self.costs.get_mut(rule as usize) else { return };
        cost.evaluations = cost.evaluations.saturating_add(1);
        cost.ns += ns(began).min(DESCHEDULED_NS);
    }
}

/// What taking the time twice costs: the least of several attempts.
fn clock_ns() -> f64 {
    (0..200).map(|_| ns(Instant::now())).fold(f64::MAX, f64::min)
}

fn ns(began: Instant) -> f64 {
    began.elapsed().as_nanos() as f64
}

/// A condition that took longer didn't: its thread was put aside.
const DESCHEDULED_NS: f64 = 50_000.0;
