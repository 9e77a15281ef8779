//! One listener's way through the pipeline.

use super::{CallVerdict, Hit, Judged, Pipeline, Unjudged};
use crate::doors::config::ListenerConfig;
use crate::doors::counters::Counters;
use crate::doors::protocol::{Coded, Extras, Message};
use crate::doors::session::Now;
use crate::enforce::{self, Cause, Manner, OnFailure, Outcome, Ruling, Waiver};
use crate::limits::{JUDGED_BYTES_MAX, JUDGED_OVERLAP_BYTES, TEXT_KEPT_BYTES_MAX};
use crate::reassembly::{Admission, Grade, Joined, MessageKey, Part, Settlement};
use crate::text::{Found, Reading, Text};
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Instant;
use yumen_rules::policy::Policy as Thresholds;
use yumen_rules::verdict::Action;
use yumen_wire::event::{Call, Channel, Door, Event, Segments};
use yumen_wire::limits::ADDRESS_TEXT_BYTES_MAX;
use yumen_wire::udh::Concatenation;

/// One listener's way through the pipeline.
#[derive(Debug)]
pub struct Gate {
    /// The listener's name.
    pub name: String,
    /// What it counts.
    pub counters: Counters,
    number: u16,
    pub(super) policy: enforce::Policy,
    pub(super) thresholds: Thresholds,
    pub(super) pipeline: Arc<Pipeline>,
}

impl Gate {
    /// For a listener; `number` is its place in the configuration.
    #[must_use]
    pub fn new(config: &ListenerConfig, number: u16, pipeline: Arc<Pipeline>) -> Self {
        Self {
            name: config.name.clone(),
            counters: Counters::default(),
            number,
            policy: config.policy,
            thresholds: config.thresholds,
            pipeline,
        }
    }

    /// For a listener that isn't one of the short message doors; `number` is its place behind them.
    #[must_use]
    pub fn with_policy(
        name: &str,
        number: u16,
        policy: enforce::Policy,
        thresholds: Thresholds,
        pipeline: Arc<Pipeline>,
    ) -> Self {
        Self { name: name.to_owned(), counters: Counters::default(), number, policy, thresholds, pipeline }
    }

    /// How numbers have been behaving.
    #[must_use]
    pub fn behaviour(&self) -> &crate::behaviour::Behaviour {
        self.pipeline.behaviour()
    }

    /// Decides on a call attempt, which the door has told to behaviour before. There is no verdict where the direction isn't
    /// judged, and where nobody could judge.
    pub fn screen_call(&self, event: &Event<'_>, now: Now) -> (Ruling, Option<CallVerdict>) {
        if !self.policy.judges(event.direction) {
            return (Ruling::Pass(enforce::waive(Waiver::DirectionNotJudged)), None);
        }
        Counters::add(&self.counters.judged);
        if now.instant.elapsed() > self.policy.deadline {
            return (self.undecided(Cause::Late), None);
        }
        let mut decided = None;
        let judged = self.pipeline.judge.judge(event, &mut |judged| {
            let verdict = self.thresholds.decide(judged.judgement);
            let found = CallVerdict {
                action: verdict.action,
                score: verdict.score,
                typology: verdict.typology,
                pack_serial: judged.pack.header().serial,
            };
            decided = Some((self.decide(event, judged, now.instant, &mut |_| true), Some(found)));
        });
        match (judged, decided) {
            (Ok(()), Some(decided)) => decided,
            (Err(Unjudged::NoPack), _) => (self.undecided(Cause::NoPack), None),
            (Err(Unjudged::Engine(_)) | Ok(()), _) => (self.undecided(Cause::Engine), None),
        }
    }

    /// Decides on a message, or on one part of one.
    pub fn screen(&self, door: Door, message: &Message<'_>, now: Now) -> Ruling {
        if !self.policy.judges(message.direction) {
            return Ruling::Pass(enforce::waive(Waiver::DirectionNotJudged));
        }
        Counters::add(&self.counters.judged);
        SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
            Ok(mut scratch) => self.screen_with(&mut scratch, door, message, now),
            // Only a reporter or a judge that screens messages itself could come here.
            Err(_) => self.undecided(Cause::Engine),
        })
    }

    /// What the listener does with a message that nobody could judge.
    pub fn undecided(&self, cause: Cause) -> Ruling {
        self.counters.add_undecided(cause);
        let (ruling, _) = enforce::rule(&self.policy, Outcome::Undecided(cause));
        self.count(&ruling, Action::Allow, false);
        ruling
    }

    fn screen_with(&self, scratch: &mut Scratch, door: Door, message: &Message<'_>, now: Now) -> Ruling {
        if now.instant.elapsed() > self.policy.deadline {
            return self.undecided(Cause::Late);
        }
        match message.part {
            None => self.screen_alone(&mut scratch.text, door, message, now),
            Some(place) => self.screen_part(scratch, door, message, place, now),
        }
    }

    fn screen_alone(&self, text: &mut Text, door: Door, message: &Message<'_>, now: Now) -> Ruling {
        let subject = Subject { door, message, segments: None, now, uncounted: Cell::new(true) };
        let read = |text: &mut Text, reading| push_whole(text, message, reading);
        self.judge_readings(&subject, text, read, &mut |_| true)
    }

    fn screen_part(
        &self,
        scratch: &mut Scratch,
        door: Door,
        message: &Message<'_>,
        place: Concatenation,
        now: Now,
    ) -> Ruling {
        let Scratch { text, joined } = scratch;
        let table = &self.pipeline.table;
        let key = MessageKey {
            listener: self.number,
            direction: message.direction,
            originator: message.originator.octets,
            destination: message.destination.octets,
            reference: place.reference,
            total: place.total,
        };
        let part = Part { number: place.number, text: message.text };
        let short = self.policy.failures.memory_short;
        let (segments, ticket) = match table.admit(&key, part, now.instant, short, joined) {
            Admission::Judge { segments, ticket } => (segments, ticket),
            Admission::Condemned(action) => return self.stop_part(action),
            Admission::NoRoom => {
                let ruling = self.undecided(Cause::MemoryShort);
                if ruling.blocks() {
                    return ruling;
                }
                // Judged alone is better than not at all.
                return self.screen_alone(text, door, message, now);
            }
        };
        let first = segments.received <= 1;
        let subject = Subject { door, message, segments: Some(segments), now, uncounted: Cell::new(first) };
        let mut is_new = |grade| table.grade(&key, ticket, grade);
        let ruling = self.judge_variants(&subject, text, joined, place.total, &mut is_new);
        let settlement = match &ruling {
            Ruling::Pass(_) => Settlement::Passed,
            Ruling::Block(Manner::Reject) => Settlement::Condemned(Action::Reject),
            Ruling::Block(Manner::Drop) => Settlement::Condemned(Action::Drop),
            Ruling::Block(Manner::Defer | Manner::Malformed) => Settlement::Deferred,
        };
        table.settle(&key, ticket, settlement);
        ruling
    }

    /// Judges every way in which a receiver may put the parts together; the first that is bad decides.
    fn judge_variants(
        &self,
        subject: &Subject<'_>,
        text: &mut Text,
        joined: &Joined,
        total: u8,
        is_new: &mut impl FnMut(Grade) -> bool,
    ) -> Ruling {
        let mut ruling = None;
        for pieces in joined.variants() {
            let read = |text: &mut Text, reading| {
                let mut found = text.push_joined(joined, pieces, total, reading);
                push_extras(text, subject.message, reading, &mut found);
                found
            };
            let judged = self.judge_readings(subject, text, read, is_new);
            if judged.blocks() {
                return judged;
            }
            ruling = Some(judged);
        }
        ruling.unwrap_or_else(|| self.undecided(Cause::Engine))
    }

    /// Judges every text that the octets may be read as; the first that is bad decides.
    fn judge_readings(
        &self,
        subject: &Subject<'_>,
        text: &mut Text,
        read: impl Fn(&mut Text, Reading) -> Found,
        is_new: &mut impl FnMut(Grade) -> bool,
    ) -> Ruling {
        let mut reading = Reading::Apart;
        loop {
            text.clear(TEXT_KEPT_BYTES_MAX);
            let found = read(text, reading);
            let next = reading.next(found);
            // Beside a missing part half a character is no defect, and a later reading may find none.
            if found.lossy
                && !found.gaps
                && next.is_none()
                && let Some(ruling) = self.undecodable()
            {
                return ruling;
            }
            let ruling = self.judge(subject, text.as_str(), is_new);
            match next {
                Some(next) if !ruling.blocks() => reading = next,
                _ => return ruling,
            }
        }
    }

    fn stop_part(&self, action: Action) -> Ruling {
        Counters::add(&self.counters.parts_stopped);
        let (ruling, action) = enforce::rule(&self.policy, Outcome::Judged(action));
        self.count(&ruling, action, false);
        ruling
    }

    fn undecodable(&self) -> Option<Ruling> {
        if self.policy.failures.undecodable == OnFailure::Closed {
            return Some(self.undecided(Cause::Undecodable));
        }
        // What could be decoded is judged.
        self.counters.add_undecided(Cause::Undecodable);
        None
    }

    /// Judges a text; one longer than the engine takes in stretches that overlap.
    fn judge(&self, subject: &Subject<'_>, text: &str, is_new: &mut impl FnMut(Grade) -> bool) -> Ruling {
        let mut rest = text;
        loop {
            let (stretch, next) = stretch(rest);
            let ruling = self.judge_stretch(subject, stretch, is_new);
            match next {
                Some(next) if !ruling.blocks() => rest = next,
                _ => return ruling,
            }
        }
    }

    fn judge_stretch(
        &self,
        subject: &Subject<'_>,
        text: &str,
        is_new: &mut impl FnMut(Grade) -> bool,
    ) -> Ruling {
        let (mut originator, mut destination) = ([0; ADDRESS_TEXT_BYTES_MAX], [0; ADDRESS_TEXT_BYTES_MAX]);
        let message = subject.message;
        let event = Event {
            channel: Channel::Sms,
            direction: message.direction,
            door: subject.door,
            originator: message.originator.address(&mut originator),
            destination: message.destination.address(&mut destination),
            destinations: message.destinations,
            text,
            segments: subject.segments,
            call: Call::NONE,
            time_ms: subject.now.time_ms,
        };
        if subject.uncounted.replace(false) {
            self.pipeline.behaviour().attempt(&event);
        }
        let mut ruling = None;
        let judged = self.pipeline.judge.judge(&event, &mut |judged| {
            ruling = Some(self.decide(&event, judged, subject.now.instant, is_new));
        });
        match (judged, ruling) {
            (Ok(()), Some(ruling)) => ruling,
            (Err(Unjudged::NoPack), _) => self.undecided(Cause::NoPack),
            (Err(Unjudged::Engine(_)) | Ok(()), _) => self.undecided(Cause::Engine),
        }
    }

    fn decide(
        &self,
        event: &Event<'_>,
        judged: Judged<'_>,
        began: Instant,
        is_new: &mut impl FnMut(Grade) -> bool,
    ) -> Ruling {
        let verdict = self.thresholds.decide(judged.judgement);
        let outcome = if began.elapsed() > self.policy.deadline {
            self.counters.add_undecided(Cause::Late);
            Outcome::Late(verdict.action)
        } else {
            Outcome::Judged(verdict.action)
        };
        let (ruling, action) = enforce::rule(&self.policy, outcome);
        let reportable = verdict.is_reportable();
        self.count(&ruling, action, reportable && action == Action::Allow);
        if reportable && is_new(Grade::of(action)) {
            let hit = Hit {
                listener: &self.name,
                event,
                judgement: judged.judgement,
                verdict: &verdict,
                action,
                pack: judged.pack,
                appeal: None,
            };
            if self.pipeline.reporter.report(&hit).is_err() {
                Counters::add(&self.counters.reports_lost);
            }
        }
        ruling
    }

    pub(super) fn count(&self, ruling: &Ruling, action: Action, shadow: bool) {
        let counters = &self.counters;
        let counter = match ruling {
            Ruling::Block(Manner::Reject | Manner::Malformed) => &counters.rejected,
            Ruling::Block(Manner::Drop) => &counters.dropped,
            Ruling::Block(Manner::Defer) => &counters.deferred,
            Ruling::Pass(_) if action != Action::Allow => &counters.flagged,
            Ruling::Pass(_) if shadow => &counters.shadowed,
            Ruling::Pass(_) => return,
        };
        Counters::add(counter);
    }
}

/// What is judged, its text aside.
struct Subject<'a> {
    door: Door,
    message: &'a Message<'a>,
    segments: Option<Segments>,
    now: Now,
    /// Behaviour hasn't counted it: a message counts once, whatever ways it is read in, by its first part that came.
    uncounted: Cell<bool>,
}

/// A thread's working memory: it grows to the longest message and stays.
#[derive(Default)]
struct Scratch {
    text: Text,
    joined: Joined,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

fn push_whole(text: &mut Text, message: &Message<'_>, reading: Reading) -> Found {
    let mut found = text.push(message.text, reading);
    push_extras(text, message, reading, &mut found);
    found
}

fn push_extras(text: &mut Text, message: &Message<'_>, reading: Reading, found: &mut Found) {
    let Extras::Smpp(texts) = &message.extras else { return };
    for data in texts.clone().skip(1) {
        text.push_gap();
        let more = text.push(Coded { coding: message.text.coding, data }, reading);
        found.lossy |= more.lossy;
        found.little_endian |= more.little_endian;
    }
}

/// The first stretch of a text, and where the next one begins; none where the text is short enough.
fn stretch(text: &str) -> (&str, Option<&str>) {
    if text.len() <= JUDGED_BYTES_MAX {
        return (text, None);
    }
    let end = text.floor_char_boundary(JUDGED_BYTES_MAX);
    let next = text.floor_char_boundary(end - JUDGED_OVERLAP_BYTES);
    (text.get(..end).unwrap_or(text), text.get(next..))
}
