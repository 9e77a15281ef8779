//! How numbers have been behaving towards this one telephone: the engine's counters, in a device's storage.

use crate::limits::{BUSY_MAX, NUMBERS_MAX};
use yumen_rules::behave::{
    self, Busy, Entry, Keys, Marks, Measure, Party, Query, Slot, State, Subject, Table,
};
use yumen_wire::event::{Channel, Event};

/// The storage.
#[derive(Debug)]
pub(crate) struct Numbers {
    slots: [Slot; NUMBERS_MAX],
    busy: [Busy; BUSY_MAX],
}

impl Numbers {
    pub(crate) const fn new() -> Self {
        Self { slots: [Slot::FREE; NUMBERS_MAX], busy: [Busy::FREE; BUSY_MAX] }
    }

    /// Counts an event. Before it is judged, so that the measures include it.
    pub(crate) fn attempt(&mut self, event: &Event<'_>) {
        let keys = keys(event);
        let state = match event.channel {
            Channel::Sms => State::Message,
            Channel::Call => State::Pending,
        };
        let (marks, time_s) = (behave::marks(event, false), seconds(event.time_ms));
        let mut table = Table::new(&mut self.slots, &mut self.busy);
        for subject in SUBJECTS {
            let entry = Entry::new(time_s, keys.peer_of(subject), state, marks);
            let _room = table.attempt(keys.of(subject), entry, time_s);
        }
    }

    /// Learns how a call went on.
    pub(crate) fn outcome(&mut self, event: &Event<'_>, state: State, ring_ms: u64) {
        let (keys, time_s) = (keys(event), seconds(event.time_ms));
        let ring_s = u32::try_from(ring_ms / 1_000).unwrap_or(u32::MAX);
        let mut table = Table::new(&mut self.slots, &mut self.busy);
        for subject in SUBJECTS {
            let peer = Entry::new(time_s, keys.peer_of(subject), state, Marks::NONE).peer();
            table.outcome(keys.of(subject), peer, state, ring_s, time_s, time_s);
        }
    }

    /// For the engine to ask.
    pub(crate) fn counts(&mut self) -> Counts<'_> {
        Counts(Table::new(&mut self.slots, &mut self.busy))
    }
}

/// Whom a device counts: all but campaigns, since it sees one telephone's messages only.
const SUBJECTS: [Subject; 4] = [Subject::Caller, Subject::Callee, Subject::Pair, Subject::Prefix];

/// The counters, asked.
#[derive(Debug)]
pub(crate) struct Counts<'n>(Table<'n>);

impl behave::Behaviour for Counts<'_> {
    fn measure(&self, event: &Event<'_>, query: Query) -> i64 {
        if query.subject == Subject::Campaign || query.measure == Measure::Complaints {
            return query.measure.unknown();
        }
        let key = keys(event).of(query.subject);
        self.0.measure(key, query.measure, query.window_s, seconds(event.time_ms))
    }
}

/// The called side is always this telephone, whose number a modem doesn't say.
fn keys(event: &Event<'_>) -> Keys {
    const THIS_TELEPHONE: Party = Party { hash: 1, prefix: 1, value: 1 };
    // Nobody chooses numbers to fall together in one telephone's table: there is no secret to keep over restarts.
    let caller = Party::new(event.originator.digits, 0);
    Keys { caller, callee: THIS_TELEPHONE, campaign: 0, channel: event.channel }
}

fn seconds(ms: u64) -> u32 {
    u32::try_from(ms / 1_000).unwrap_or(u32::MAX)
}
