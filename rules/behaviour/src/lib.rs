//! How numbers have been behaving, as this agent has seen it: what every door feeds, and what conditions ask.
//!
//! ```text
//! door → attempt(Event) → [judge: caller.attempts("10m") > 60] → outcome(answered, ended, …)
//!             └──────────────── windows (rules/behave) ─────────────────┘
//! ```

#![forbid(unsafe_code)]

mod form;
pub mod limits;
mod store;
mod timeline;

use limits::NUMBERS;
use store::Store;
pub use timeline::{Ending, Finish, Timeline};
use yumen_rules::behave::{self, Entry, Keys, Marks, Measure, Party, Query, State, Subject};
use yumen_wire::event::{Channel, Event};

/// How a call attempt went on. A door tells as many of these as it learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// Somebody picked up.
    Answered {
        /// How long it rang.
        ring_ms: u64,
    },
    /// An answered call is over.
    Ended {
        /// How long they talked.
        duration_ms: u64,
    },
    /// The caller gave up before anybody picked up.
    Cancelled {
        /// How long it rang.
        ring_ms: u64,
    },
    /// Busy, no answer, unreachable.
    Failed,
    /// Yumen, or the policy of its site, refused it.
    Blocked,
}

/// How numbers have been behaving.
#[derive(Debug)]
pub struct Behaviour {
    store: Store,
    secret: u64,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self::new(NUMBERS)
    }
}

impl Behaviour {
    /// With room for so many numbers.
    #[must_use]
    pub fn new(numbers: usize) -> Self {
        // Numbers that fall together can't be chosen from outside: the hasher is seeded by the system.
        let secret = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), numbers);
        Self { store: Store::new(numbers), secret }
    }

    /// Counts a message or a call attempt. Before it is judged, so that the measures include it; once for each.
    pub fn attempt(&self, event: &Event<'_>) {
        let (keys, otp) = self.keys_and_form(event);
        let state = match event.channel {
            Channel::Sms => State::Message,
            Channel::Call => State::Pending,
        };
        let marks = behave::marks(event, otp);
        for subject in Subject::ALL {
            let entry = Entry::new(seconds(event.time_ms), keys.peer_of(subject), state, marks);
            self.store.attempt(keys.of(subject), entry);
        }
    }

    /// Learns how a call went on. `caller` and `callee` as in the event's addresses, `time_ms` since the Unix epoch.
    pub fn outcome(&self, caller: &str, callee: &str, outcome: CallOutcome, time_ms: u64) {
        let keys = self.keys(caller, callee, Channel::Call);
        let (state, ring_ms) = match outcome {
            CallOutcome::Answered { ring_ms } => (State::Answered, ring_ms),
            CallOutcome::Ended { duration_ms } if duration_ms <= behave::SHORT_CALL_MS => (State::Short, 0),
            CallOutcome::Ended { .. } => (State::Ended, 0),
            CallOutcome::Cancelled { ring_ms } => (State::Cancelled, ring_ms),
            CallOutcome::Failed => (State::Failed, 0),
            CallOutcome::Blocked => (State::Blocked, 0),
        };
        let time_s = seconds(time_ms);
        for subject in Subject::ALL {
            let peer = Entry::new(time_s, keys.peer_of(subject), state, Marks::NONE).peer();
            self.store.outcome(keys.of(subject), peer, state, seconds(ring_ms), time_s);
        }
    }

    /// Counts a complaint of `callee` about `caller`, whether it called or wrote. `time_ms` since the Unix epoch.
    pub fn complaint(&self, caller: &str, callee: &str, time_ms: u64) {
        let keys = self.keys(caller, callee, Channel::Call);
        for subject in Subject::ALL {
            let entry = Entry::new(seconds(time_ms), keys.peer_of(subject), State::Message, Marks::NONE);
            self.store.attempt(keys.complaints_about(subject), entry);
        }
    }

    /// Bytes that the counters take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.store.bytes()
    }

    fn keys(&self, caller: &str, callee: &str, channel: Channel) -> Keys {
        let party = |number| Party::new(number, self.secret);
        Keys { caller: party(caller), callee: party(callee), campaign: 0, channel }
    }

    /// The keys, and whether the text has the form of a one-time password.
    fn keys_and_form(&self, event: &Event<'_>) -> (Keys, bool) {
        let keys = self.keys(event.originator.digits, event.destination.digits, event.channel);
        if event.channel == Channel::Call || event.text.is_empty() {
            return (keys, false);
        }
        let (campaign, otp) = form::of(event.text);
        (Keys { campaign, ..keys }, otp)
    }
}

impl behave::Behaviour for Behaviour {
    fn measure(&self, event: &Event<'_>, query: Query) -> i64 {
        let keys = match query.subject {
            Subject::Campaign => self.keys_and_form(event).0,
            _ => self.keys(event.originator.digits, event.destination.digits, event.channel),
        };
        let now_s = seconds(event.time_ms);
        if query.measure == Measure::Complaints {
            let key = Keys { channel: Channel::Call, ..keys }.complaints_about(query.subject);
            return self.store.measure(key, query.measure, query.window_s, now_s);
        }
        self.store.measure(keys.of(query.subject), query.measure, query.window_s, now_s)
    }
}

fn seconds(ms: u64) -> u32 {
    u32::try_from(ms / 1000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
