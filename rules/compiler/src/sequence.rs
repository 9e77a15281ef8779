//! Sequences of calls and messages, played to the engine with behaviour, as a gateway would see them.
//!
//! ```text
//! runs → steps in the order of time → Timeline (attempt, and what came of those before) → engine → one judgement a step
//! ```
//!
//! Nothing is blocked while a sequence is played: every call ends as it is written.

use std::ops::ControlFlow;
use std::sync::Arc;

use yumen_behaviour::limits::NUMBERS_TESTED;
use yumen_behaviour::{Behaviour, Ending, Timeline};
use yumen_matcher::Worker;
use yumen_rules::engine::{JudgeError, Judgement, Observer, Site, Unobserved};
use yumen_wire::event::{Address, Attestation, Call, Channel, Event, Trunk, Verstat};

use crate::source::listed::ListedSource;
use crate::source::sequence::{RunSource, SequenceSource};

/// One event of a sequence.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    time_ms: u64,
    from: String,
    to: String,
    text: String,
    channel: Channel,
    verstat: Verstat,
    attestation: Option<Attestation>,
    agent: String,
    trunk: Trunk,
    private: bool,
    ending: Ending,
    background: bool,
    /// The run that it is of.
    pub(crate) run: usize,
}

impl Step {
    fn event(&self) -> Event<'_> {
        Event {
            channel: self.channel,
            originator: Address::new(&self.from),
            destination: Address::new(&self.to),
            call: Call {
                user_agent: &self.agent,
                verstat: self.verstat,
                attestation: self.attestation,
                private: self.private,
                trunk: self.trunk,
                ..Call::NONE
            },
            time_ms: self.time_ms,
            ..Event::text_only(&self.text)
        }
    }
}

/// The events of a sequence in the order of their times, with the number lists that they are judged by.
#[derive(Debug)]
pub(crate) struct Steps<'s> {
    steps: Vec<Step>,
    listed: &'s ListedSource,
}

/// The events of a sequence.
pub(crate) fn steps(source: &SequenceSource) -> Steps<'_> {
    let start_ms = MIDNIGHT_MS + u64::from(source.start_min) * 60_000;
    let mut steps = Vec::new();
    let mut next_ms = 0u64;
    for (run, events) in source.runs.iter().enumerate() {
        let mut at_ms = events.at_ms.unwrap_or(next_ms);
        for nth in 0..u64::from(events.repeat) {
            steps.push(step(run, events, nth, start_ms.saturating_add(at_ms)));
            at_ms = at_ms.saturating_add(cycled(&events.every_ms, nth).copied().unwrap_or(EVERY_MS));
        }
        next_ms = at_ms;
    }
    steps.sort_by_key(|step| step.time_ms);
    Steps { steps, listed: &source.listed }
}

/// Monday, 2026-01-05, 00:00 in China.
const MIDNIGHT_MS: u64 = 1_767_542_400_000;
/// From an event to the next, where nothing is said.
const EVERY_MS: u64 = 60_000;

fn step(run: usize, events: &RunSource, nth: u64, time_ms: u64) -> Step {
    let text = |templates: &[_]| {
        let round = nth.checked_div(templates.len() as u64).unwrap_or(0);
        cycled(templates, nth)
            .map(|template: &crate::source::template::Template| template.at(round))
            .unwrap_or_default()
    };
    Step {
        time_ms,
        from: text(&events.from),
        to: text(&events.to),
        text: text(&events.text),
        channel: if events.text.is_empty() { Channel::Call } else { Channel::Sms },
        verstat: cycled(&events.verstat, nth).copied().unwrap_or_default(),
        attestation: cycled(&events.attestation, nth).copied().flatten(),
        agent: cycled(&events.agent, nth).cloned().unwrap_or_default(),
        trunk: events.trunk,
        private: events.private,
        ending: Ending {
            finish: cycled(&events.outcome, nth).copied().unwrap_or_default(),
            ring_ms: cycled(&events.ring_ms, nth).copied().unwrap_or(0),
            talk_ms: cycled(&events.talk_ms, nth).copied().unwrap_or(0),
        },
        background: events.background,
        run,
    }
}

fn cycled<T>(items: &[T], nth: u64) -> Option<&T> {
    let at = nth.checked_rem(items.len() as u64)?;
    items.get(usize::try_from(at).ok()?)
}

/// How many of the steps are attempts.
pub(crate) fn attempts(steps: &Steps<'_>) -> u32 {
    u32::try_from(steps.steps.iter().filter(|step| !step.background).count()).unwrap_or(u32::MAX)
}

/// Plays steps to the engine; `each` gets the number of every attempt from 1, its step, and what the engine says.
///
/// # Errors
/// [`JudgeError`], where the engine fails.
pub(crate) fn play(
    worker: &mut Worker,
    steps: &Steps<'_>,
    mut each: impl FnMut(u32, &Step, &Judgement<'_>) -> ControlFlow<()>,
) -> Result<(), JudgeError> {
    play_observed(
        worker,
        steps,
        |_| None::<Unobserved>,
        |attempt, step, judgement, _| each(attempt, step, judgement),
    )
}

/// Always the same: how many different numbers there were is an estimate, and a rule's test must say today what it said yesterday.
const SECRET: u64 = 7_912_004;

/// As [`play`], with an observer for those attempts that `observer` gives one for.
///
/// # Errors
/// [`JudgeError`], where the engine fails.
pub(crate) fn play_observed<O: Observer>(
    worker: &mut Worker,
    steps: &Steps<'_>,
    mut observer: impl FnMut(u32) -> Option<O>,
    mut each: impl FnMut(u32, &Step, &Judgement<'_>, Option<&O>) -> ControlFlow<()>,
) -> Result<(), JudgeError> {
    let mut timeline = Timeline::new(Arc::new(Behaviour::with_secret(NUMBERS_TESTED, SECRET)));
    let mut attempt = 0u32;
    for step in &steps.steps {
        let event = step.event();
        timeline.attempt(&event);
        timeline.follow(&event, step.ending);
        if step.background {
            continue;
        }
        attempt = attempt.saturating_add(1);
        let site = Site { behaviour: timeline.behaviour().as_ref(), lists: steps.listed, ..Site::DEFAULT };
        let mut watched = observer(attempt);
        let judgement = match &mut watched {
            Some(observer) => worker.judge_observed(&site, &event, observer)?,
            None => worker.judge(&site, &event)?,
        };
        if each(attempt, step, &judgement, watched.as_ref()).is_break() {
            break;
        }
    }
    Ok(())
}
