//! Records that say at once how a call went, told to the counters in the order in which a gateway would have learnt it.
//!
//! ```text
//! record (t, rang 12 s, talked 40 s) → attempt at t … answered at t+12 s … ended at t+52 s, among the other records' attempts
//! ```

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use yumen_wire::event::{Channel, Event};

use crate::limits::TIMELINE_PENDING_MAX;
use crate::{Behaviour, CallOutcome};

/// How a call came to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Finish {
    /// Nothing is known.
    #[default]
    Unknown,
    /// Somebody picked up, and they talked.
    Answered,
    /// The caller gave up.
    Cancelled,
    /// Busy, no answer, unreachable, refused by the other side.
    Failed,
}

impl Finish {
    /// The words that are understood, the first of each is the one to write.
    pub const WORDS: [(&'static str, Self); 16] = [
        ("answered", Self::Answered),
        ("cancelled", Self::Cancelled),
        ("no-answer", Self::Failed),
        ("busy", Self::Failed),
        ("failed", Self::Failed),
        ("unknown", Self::Unknown),
        ("answer", Self::Answered),
        ("ended", Self::Answered),
        ("canceled", Self::Cancelled),
        ("cancel", Self::Cancelled),
        ("noanswer", Self::Failed),
        ("no_answer", Self::Failed),
        ("unreachable", Self::Failed),
        ("rejected", Self::Failed),
        ("declined", Self::Failed),
        ("congestion", Self::Failed),
    ];

    /// From a word of a record, in whatever case.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        let known = |(name, _): &&(&str, Self)| word.eq_ignore_ascii_case(name);
        Self::WORDS.iter().find(known).map(|&(_, finish)| finish)
    }
}

/// The rest of a call, as a record tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    /// What came of it.
    pub finish: Finish,
    /// How long it rang, in milliseconds.
    pub ring_ms: u64,
    /// How long they talked, in milliseconds.
    pub talk_ms: u64,
}

/// Feeds counters with records, in the order of their times. A record whose time lies before the last one's begins anew: what
/// is still to come of the calls before is told first.
#[derive(Debug)]
pub struct Timeline {
    behaviour: Arc<Behaviour>,
    due: BinaryHeap<Reverse<Due>>,
    serial: u64,
    last_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    time_ms: u64,
    serial: u64,
    caller: String,
    callee: String,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Answered { ring_ms: u64 },
    Ended { duration_ms: u64 },
    Cancelled { ring_ms: u64 },
    Failed,
}

impl Timeline {
    /// Over counters that nobody else feeds.
    #[must_use]
    pub const fn new(behaviour: Arc<Behaviour>) -> Self {
        Self { behaviour, due: BinaryHeap::new(), serial: 0, last_ms: 0 }
    }

    /// The counters.
    #[must_use]
    pub const fn behaviour(&self) -> &Arc<Behaviour> {
        &self.behaviour
    }

    /// Tells what happened until the event, then its attempt: after that it can be judged.
    pub fn attempt(&mut self, event: &Event<'_>) {
        let until_ms = if event.time_ms < self.last_ms { u64::MAX } else { event.time_ms };
        self.settle(until_ms);
        self.last_ms = event.time_ms;
        self.behaviour.attempt(event);
    }

    /// Keeps in mind what came of a call that was told.
    pub fn follow(&mut self, event: &Event<'_>, ending: Ending) {
        if event.channel != Channel::Call {
            return;
        }
        let ring_ms = ending.ring_ms;
        let over_ms = event.time_ms.saturating_add(ring_ms);
        match ending.finish {
            Finish::Unknown => {}
            Finish::Answered => {
                self.push(event, over_ms, What::Answered { ring_ms });
                let ended_ms = over_ms.saturating_add(ending.talk_ms);
                self.push(event, ended_ms, What::Ended { duration_ms: ending.talk_ms });
            }
            Finish::Cancelled => self.push(event, over_ms, What::Cancelled { ring_ms }),
            Finish::Failed => self.push(event, over_ms, What::Failed),
        }
    }

    fn push(&mut self, event: &Event<'_>, time_ms: u64, what: What) {
        if self.due.len() >= TIMELINE_PENDING_MAX
            && let Some(Reverse(first)) = self.due.pop()
        {
            self.tell(&first);
        }
        let (caller, callee) = (event.originator.digits.to_owned(), event.destination.digits.to_owned());
        self.due.push(Reverse(Due { time_ms, serial: self.serial, caller, callee, what }));
        self.serial = self.serial.saturating_add(1);
    }

    fn settle(&mut self, until_ms: u64) {
        while let Some(Reverse(next)) = self.due.peek()
            && next.time_ms <= until_ms
            && let Some(Reverse(next)) = self.due.pop()
        {
            self.tell(&next);
        }
    }

    fn tell(&self, due: &Due) {
        let outcome = match due.what {
            What::Answered { ring_ms } => CallOutcome::Answered { ring_ms },
            What::Ended { duration_ms } => CallOutcome::Ended { duration_ms },
            What::Cancelled { ring_ms } => CallOutcome::Cancelled { ring_ms },
            What::Failed => CallOutcome::Failed,
        };
        self.behaviour.outcome(&due.caller, &due.callee, outcome, due.time_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yumen_rules::behave::{Behaviour as _, Measure, Query, Subject};
    use yumen_wire::event::Address;

    fn call(callee: &str, time_s: u64) -> Event<'_> {
        Event {
            channel: Channel::Call,
            originator: Address::new("057100001234"),
            destination: Address::new(callee),
            time_ms: (1_700_000_000 + time_s) * 1000,
            ..Event::text_only("")
        }
    }

    fn of(finish: Finish, ring_s: u64, talk_s: u64) -> Ending {
        Ending { finish, ring_ms: ring_s * 1000, talk_ms: talk_s * 1000 }
    }

    #[test]
    fn outcomes_come_when_a_gateway_would_learn_them() {
        let mut timeline = Timeline::new(Arc::new(Behaviour::new(1024)));
        let steps = [
            (0, "13900000001", of(Finish::Answered, 10, 30)),
            (5, "13900000002", of(Finish::Cancelled, 2, 0)),
        ];
        for (at, callee, ending) in steps {
            timeline.attempt(&call(callee, at));
            timeline.follow(&call(callee, at), ending);
        }
        let ask = |timeline: &mut Timeline, at, measure| {
            let event = call("13900000003", at);
            timeline.settle(event.time_ms);
            let query = Query { subject: Subject::Caller, measure, window_s: 600 };
            timeline.behaviour().measure(&event, query)
        };
        assert_eq!(ask(&mut timeline, 6, Measure::Concurrent), 2);
        assert_eq!(ask(&mut timeline, 8, Measure::Concurrent), 1);
        assert_eq!(ask(&mut timeline, 9, Measure::Answered), 0);
        assert_eq!(ask(&mut timeline, 10, Measure::Answered), 1);
        assert_eq!(ask(&mut timeline, 40, Measure::Concurrent), 0);
        assert_eq!(ask(&mut timeline, 40, Measure::RingMs), 6000);
    }

    #[test]
    fn a_record_from_before_begins_anew() {
        let mut timeline = Timeline::new(Arc::new(Behaviour::new(1024)));
        timeline.attempt(&call("13900000001", 0));
        timeline.follow(&call("13900000001", 0), of(Finish::Answered, 10, 3000));
        let before = Event { time_ms: 1_600_000_000_000, ..call("13900000002", 0) };
        timeline.attempt(&before);
        assert!(timeline.due.is_empty());
    }

    #[test]
    fn words_of_records() {
        assert_eq!(Finish::from_word("No-Answer"), Some(Finish::Failed));
        assert_eq!(Finish::from_word("ANSWERED"), Some(Finish::Answered));
        assert_eq!(Finish::from_word("talked"), None);
    }
}
