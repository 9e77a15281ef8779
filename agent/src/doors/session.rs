//! One connection pair, without its sockets.
//!
//! ```text
//! bytes of one side → frames → Protocol::read → Pipeline::screen → Ruling
//!     Pass(Permit) → the same bytes to the other side;   Block → the gateway's own answer to the sender
//! ```
//!
//! Order: what passes keeps its order in each direction. An answer of the gateway's own may overtake answers of the
//! other side that are still under way, as the window of both protocols allows: an answer is matched by its sequence
//! number, not by its place.

use super::counters::Counters;
use super::protocol::{Pdu, Protocol, Side};
use crate::enforce::{self, Cause, Permit, Ruling, Waiver};
use crate::pipeline::Gate;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;
use yumen_wire::frame::{Frame, FrameError};

/// When something happened, on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For durations.
    pub instant: Instant,
    /// Milliseconds since the Unix epoch, for events.
    pub time_ms: u64,
}

/// What a session wants done with the bytes it was handed. Reused from call to call.
#[derive(Debug, Default)]
pub struct Outputs {
    /// Parts of the input that go to the other side, in order; neighbours are merged.
    forward: Vec<Range<usize>>,
    /// What goes back to the sender: whole PDUs of the gateway's own.
    pub reply: Vec<u8>,
}

impl Outputs {
    /// Parts of the input that go to the other side, in order.
    #[must_use]
    pub fn forward(&self) -> &[Range<usize>] {
        &self.forward
    }

    /// Forgets what was carried out, keeping the memory.
    pub fn clear(&mut self) {
        self.forward.clear();
        self.reply.clear();
    }

    /// Takes the permit by value: no PDU leaves without one.
    fn pass(&mut self, range: Range<usize>, _permit: Permit) {
        match self.forward.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => self.forward.push(range),
        }
    }
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Everything flows.
    Open,
    /// Only what is outstanding is waited for, until the deadline.
    Draining(Instant),
    /// A length could not be, or the drain is over: nothing more is read.
    Ended,
}

/// One connection pair.
#[derive(Debug)]
pub struct Session<P> {
    gate: Arc<Gate>,
    protocol: P,
    phase: Phase,
    /// Requests handed on to the side of that index, and not answered by it yet.
    outstanding: [u32; 2],
}

impl<P: Protocol> Session<P> {
    /// A fresh pair.
    pub const fn new(gate: Arc<Gate>, protocol: P) -> Self {
        Self { gate, protocol, phase: Phase::Open, outstanding: [0; 2] }
    }

    /// Takes what `side` sent and says what is to be done with it. Returns how many bytes were used up: whole PDUs,
    /// or everything where the session ended. The rest is to be handed in again, with more behind it.
    pub fn handle(&mut self, side: Side, input: &[u8], now: Now, outputs: &mut Outputs) -> usize {
        if self.phase == Phase::Ended {
            return input.len();
        }
        let (mut used, mut pdus) = (0, 0);
        while let Some(rest) = input.get(used..) {
            match self.protocol.framing().frame(rest) {
                Ok(Frame::NeedMore { .. }) => break,
                Ok(Frame::Whole(length)) => {
                    let Some(pdu) = rest.get(..length) else { break };
                    self.handle_pdu(side, pdu, used, now, outputs);
                    used += length;
                    pdus += 1;
                }
                Err(defect) => {
                    // Its header is waited for, so that the answer can name its sequence number.
                    let Some(start) = rest.get(..start_bytes::<P>(defect)) else { break };
                    self.end_with(side, start, defect, outputs);
                    used = input.len();
                    break;
                }
            }
        }
        self.count(side, pdus);
        used
    }

    /// The largest PDU that can be handed in; a buffer of that many bytes always makes progress.
    #[must_use]
    pub fn pdu_bytes_max(&self) -> usize {
        self.protocol.framing().pdu_bytes_max()
    }

    /// Whether bytes of that side are wanted now. While draining, only a side that owes an answer is read.
    #[must_use]
    pub fn wants(&self, side: Side) -> bool {
        match self.phase {
            Phase::Open => true,
            Phase::Draining(_) => self.owes(side),
            Phase::Ended => false,
        }
    }

    /// Nothing more will be forwarded: flush, then close both sides.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        match self.phase {
            Phase::Open => false,
            Phase::Draining(_) => !Side::BOTH.into_iter().any(|side| self.owes(side)),
            Phase::Ended => true,
        }
    }

    /// Lets what is outstanding be answered until `deadline`, and then ends.
    pub fn drain(&mut self, deadline: Instant) {
        if self.phase == Phase::Open {
            self.phase = Phase::Draining(deadline);
        }
    }

    /// A side closed and will send nothing more, so it owes nothing either. `left` bytes of an incomplete PDU came last: nobody
    /// can judge them, so the policy for what is malformed decides whether they go on, as a plain TCP proxy would let them.
    pub fn close(&mut self, side: Side, left: usize, outputs: &mut Outputs) {
        if let Some(count) = self.outstanding.get_mut(side.index()) {
            *count = 0;
        }
        if left == 0 || self.phase == Phase::Ended {
            return;
        }
        let bytes = u64::try_from(left).unwrap_or(u64::MAX);
        self.gate.counters.truncated_bytes.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed);
        if let Ruling::Pass(permit) = self.gate.undecided(Cause::Malformed) {
            outputs.pass(0..left, permit);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::Draining(deadline) => Some(deadline),
            Phase::Open | Phase::Ended => None,
        }
    }

    /// Time went by.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_some_and(|deadline| now >= deadline) {
            self.phase = Phase::Ended;
        }
    }

    fn handle_pdu(&mut self, side: Side, pdu: &[u8], at: usize, now: Now, outputs: &mut Outputs) {
        let range = at..at + pdu.len();
        let (ruling, awaits) = match self.protocol.read(side, pdu, now.time_ms) {
            Pdu::Other => (Ruling::Pass(enforce::waive(Waiver::NotAMessage)), false),
            Pdu::Request => (Ruling::Pass(enforce::waive(Waiver::NotAMessage)), true),
            Pdu::Receipt => (Ruling::Pass(enforce::waive(Waiver::Receipt)), true),
            Pdu::Response => {
                self.answered(side);
                (Ruling::Pass(enforce::waive(Waiver::NotAMessage)), false)
            }
            Pdu::Message(message) => (self.gate.screen(P::DOOR, &message, now), true),
            Pdu::Malformed => {
                Counters::add(&self.gate.counters.malformed);
                (self.gate.undecided(Cause::Malformed), true)
            }
            Pdu::Again(manner) => (Ruling::Block(manner), true),
        };
        match ruling {
            Ruling::Pass(permit) => {
                outputs.pass(range, permit);
                if awaits && let Some(count) = self.outstanding.get_mut(side.peer().index()) {
                    *count = count.saturating_add(1);
                }
            }
            Ruling::Block(manner) => {
                self.protocol.answer(side, pdu, manner, now.time_ms, &mut outputs.reply);
            }
        }
    }

    /// Once a read, not once a PDU: all connections of a listener count in one place.
    fn count(&self, side: Side, pdus: u64) {
        let counters = &self.gate.counters;
        let counter = match side {
            Side::Client => &counters.pdus_from_client,
            Side::Server => &counters.pdus_from_server,
        };
        counter.fetch_add(pdus, std::sync::atomic::Ordering::Relaxed);
    }

    fn end_with(&mut self, side: Side, start: &[u8], defect: FrameError, outputs: &mut Outputs) {
        Counters::add(&self.gate.counters.frame_errors);
        tracing::warn!(listener = %self.gate.name, ?side, %defect, "session ended by a length that cannot be");
        self.protocol.frame_error(side, start, &mut outputs.reply);
        self.phase = Phase::Ended;
    }

    fn owes(&self, side: Side) -> bool {
        self.outstanding.get(side.index()).is_some_and(|count| *count > 0)
    }

    fn answered(&mut self, side: Side) {
        if let Some(count) = self.outstanding.get_mut(side.index()) {
            *count = count.saturating_sub(1);
        }
    }
}

/// How much of a PDU with an impossible length there is to read.
fn start_bytes<P: Protocol>(defect: FrameError) -> usize {
    match defect {
        FrameError::TooShort { announced } => {
            usize::try_from(announced).unwrap_or(usize::MAX).clamp(4, P::HEADER_BYTES)
        }
        FrameError::TooLong { .. } => P::HEADER_BYTES,
    }
}
