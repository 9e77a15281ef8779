//! What a capture holds, judged as a gateway in its path would have: `yumen replay`.
//!
//! ```text
//! yumen_capture::Item → Message | call attempt → Gate (reassembly, text, judge) → Witness → Row
//! ```
//!
//! The gate is the doors' own, so a message is read and put together here as it would be there; nothing is enforced, and
//! nothing is reported. Time is the capture's.

mod calls;
mod messages;
mod row;
mod witness;

pub use row::{Row, Subject};

use crate::doors::protocol::Message;
use crate::doors::session::Now;
use crate::enforce;
use crate::limits::{REASSEMBLY_AGE_MAX, REPLAY_UNFINISHED_MAX};
use crate::pipeline::{Gate, Pipeline, ReportLost, Reporter};
use crate::reassembly::{Table, TableLimits};
use calls::Calls;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use witness::Witness;
use yumen_capture::{Item, Payload};
use yumen_matcher::{LoadedPack, WorkerError};
use yumen_rules::policy::Policy as Thresholds;
use yumen_wire::event::{Direction, Door};
use yumen_wire::udh::Reference;

/// Judges items in their order.
#[derive(Debug)]
pub struct Replay {
    gate: Gate,
    witness: Arc<Witness>,
    calls: Calls,
    unfinished: VecDeque<(Key, Row)>,
    clock: Clock,
}

/// What parts of one message have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    direction: Direction,
    originator: Vec<u8>,
    destination: Vec<u8>,
    reference: Reference,
    total: u8,
}

/// Nobody is told.
struct Unreported;

impl Reporter for Unreported {
    fn report(&self, _hit: &crate::pipeline::Hit<'_>) -> Result<(), ReportLost> {
        Ok(())
    }
}

impl Replay {
    /// Judges by that pack, with every rule taken to enforce as far as its own score says.
    ///
    /// # Errors
    /// [`WorkerError`], where the matcher has no memory.
    pub fn new(pack: Arc<LoadedPack>) -> Result<Self, WorkerError> {
        let thresholds = Thresholds::enforcing();
        let behaviour = Arc::default();
        let witness = Arc::new(Witness::new(pack, thresholds, Arc::clone(&behaviour))?);
        let judge = Arc::clone(&witness);
        let pipeline = Pipeline::new(judge, Arc::new(Unreported), Table::new(TableLimits::default()))
            .with_behaviour(Arc::clone(&behaviour));
        // A capture is read as fast as it can be, which has nothing to do with when its packets came.
        let policy = enforce::Policy { deadline: Duration::MAX, ..enforce::Policy::default() };
        let gate = Gate::with_policy("replay", 0, policy, thresholds, Arc::new(pipeline));
        let unfinished = VecDeque::new();
        Ok(Self { gate, witness, calls: Calls::new(behaviour), unfinished, clock: Clock::new() })
    }

    /// Judges an item, and hands what can be shown to `show`: a multi-part message with its last part.
    pub fn item(&mut self, item: &Item<'_>, show: &mut impl FnMut(&Row)) {
        self.overdue(item.time_us, show);
        let now = self.clock.at(item.time_us);
        let protocol = protocol(&item.payload);
        if let Payload::Sip(octets) = item.payload {
            if let Some(row) = self.calls.message(octets, item, now, &self.gate, &self.witness) {
                show(&row);
            }
            return;
        }
        messages::each(&item.payload, &mut |message| self.message(protocol, item, message, now, show));
    }

    /// Shows messages whose next part hasn't come for so long that it isn't waited for any more.
    pub fn overdue(&mut self, time_us: u64, show: &mut impl FnMut(&Row)) {
        let wait_us = u64::try_from(REASSEMBLY_AGE_MAX.as_micros()).unwrap_or(u64::MAX);
        while let Some((_, row)) =
            self.unfinished.pop_front_if(|(_, row)| row.time_us.saturating_add(wait_us) < time_us)
        {
            show(&row);
        }
    }

    /// Shows what is left: messages whose last part never came.
    pub fn end(&mut self, show: &mut impl FnMut(&Row)) {
        for (_, row) in self.unfinished.drain(..) {
            show(&row);
        }
    }

    fn message(
        &mut self,
        protocol: &'static str,
        item: &Item<'_>,
        message: &Message<'_>,
        now: Now,
        show: &mut impl FnMut(&Row),
    ) {
        // Whether it would have passed is in what the witness saw.
        let _ruling = self.gate.screen(Door::Capture, message, now);
        let seen = self.witness.take();
        let Some(place) = message.part else {
            let mut row = Row::new(protocol, Subject::Message, item);
            row.address(message);
            row.judged(&seen);
            show(&row);
            return;
        };
        let key = Key {
            direction: message.direction,
            originator: message.originator.octets.to_vec(),
            destination: message.destination.octets.to_vec(),
            reference: place.reference,
            total: place.total,
        };
        let known = self.unfinished.iter().position(|(other, _)| *other == key);
        let mut row = match known.and_then(|at| self.unfinished.remove(at)) {
            Some((_, row)) => Row { frame: item.frame, time_us: item.time_us, ..row },
            None => {
                let mut row = Row::new(protocol, Subject::Message, item);
                row.address(message);
                row.parts = Some((0, place.total));
                row
            }
        };
        row.judged(&seen);
        if let Some((received, total)) = &mut row.parts {
            // A part of a message that is stopped already isn't judged any more, but it came.
            *received = seen.segments.map_or(received.saturating_add(1), |segments| segments.received);
            if *received >= *total {
                show(&row);
                return;
            }
        }
        if self.unfinished.len() >= REPLAY_UNFINISHED_MAX
            && let Some((_, oldest)) = self.unfinished.pop_front()
        {
            show(&oldest);
        }
        self.unfinished.push_back((key, row));
    }
}

const fn protocol(payload: &Payload<'_>) -> &'static str {
    match payload {
        Payload::Smpp(_) => "smpp",
        Payload::Cmpp(_) => "cmpp",
        Payload::Smgp(_) => "smgp",
        Payload::Sgip(_) => "sgip",
        Payload::Sip(_) => "sip",
        Payload::Tcap(_) => "map",
    }
}

/// The capture's time as the pipeline wants it: never backwards.
#[derive(Debug)]
struct Clock {
    start: Instant,
    first_us: Option<u64>,
    latest: Duration,
}

impl Clock {
    fn new() -> Self {
        Self { start: Instant::now(), first_us: None, latest: Duration::ZERO }
    }

    fn at(&mut self, time_us: u64) -> Now {
        let first_us = *self.first_us.get_or_insert(time_us);
        self.latest = self.latest.max(Duration::from_micros(time_us.saturating_sub(first_us)));
        let instant = self.start.checked_add(self.latest).unwrap_or(self.start);
        Now { instant, time_ms: time_us / 1000 }
    }
}
