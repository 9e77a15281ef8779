//! What happens to a message once it was judged, and what happens when it could not be: the one place that decides
//! fail-open or fail-closed, and the only one that makes a [`Permit`].
//!
//! ```text
//! Outcome (what judging came to) + Policy (the listener's) → Ruling: Pass(Permit) | Block(Manner)
//! ```

use std::time::Duration;
use yumen_rules::verdict::Action;
use yumen_wire::event::Direction;

/// The proof that a PDU may leave. Forwarding takes one by value; only this file makes them.
#[derive(Debug)]
#[must_use = "a permit is spent by forwarding the PDU it was made for"]
pub struct Permit {
    _made_here: (),
}

/// Why a PDU needs no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiver {
    /// It carries no message: binds, responses, link tests, anything unknown.
    NotAMessage,
    /// A delivery receipt or status report: what it carries is a state, not a text.
    Receipt,
    /// The listener's policy does not judge this direction.
    DirectionNotJudged,
    /// The same call passed a moment ago, and was asked for a password; now it comes with one.
    JudgedBefore,
}

/// What to do when no decision is to be had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// Let the message pass.
    #[default]
    Open,
    /// Refuse the message, with a status that asks the sender to try again where that can help.
    Closed,
}

/// Why there is no decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The decision took, or the message waited for it, longer than the policy's deadline.
    Late,
    /// No rule pack is loaded.
    NoPack,
    /// The table of multi-part messages is full, or a message outgrew it.
    MemoryShort,
    /// The text cannot be decoded by the coding it announces.
    Undecodable,
    /// The PDU is of a kind that carries a message, and its fields do not fit its length.
    Malformed,
    /// The engine failed.
    Engine,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Late, Self::NoPack, Self::MemoryShort, Self::Undecodable, Self::Malformed, Self::Engine];

    /// The word used in metrics and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::NoPack => "no-pack",
            Self::MemoryShort => "memory-short",
            Self::Undecodable => "undecodable",
            Self::Malformed => "malformed",
            Self::Engine => "engine",
        }
    }
}

/// Fail-open or fail-closed, by cause. Everything is open unless the listener says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// See [`Cause::Late`].
    pub late: OnFailure,
    /// See [`Cause::NoPack`].
    pub no_pack: OnFailure,
    /// See [`Cause::MemoryShort`]. Open means: the oldest message in the table makes room.
    pub memory_short: OnFailure,
    /// See [`Cause::Undecodable`]. Open means: what can be decoded is judged.
    pub undecodable: OnFailure,
    /// See [`Cause::Malformed`].
    pub malformed: OnFailure,
    /// See [`Cause::Engine`].
    pub engine: OnFailure,
}

impl Failures {
    /// The same for every cause.
    #[must_use]
    pub const fn all(mode: OnFailure) -> Self {
        Self {
            late: mode,
            no_pack: mode,
            memory_short: mode,
            undecodable: mode,
            malformed: mode,
            engine: mode,
        }
    }

    /// What this listener does for a cause.
    #[must_use]
    pub const fn of(&self, cause: Cause) -> OnFailure {
        match cause {
            Cause::Late => self.late,
            Cause::NoPack => self.no_pack,
            Cause::MemoryShort => self.memory_short,
            Cause::Undecodable => self.undecodable,
            Cause::Malformed => self.malformed,
            Cause::Engine => self.engine,
        }
    }
}

/// How far a listener goes with a verdict that blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Blocking {
    /// Reject what is judged `reject`, drop what is judged `drop`.
    #[default]
    AsJudged,
    /// Reject both: the sender is always told.
    Reject,
    /// Drop both: the sender is never told.
    Drop,
    /// Block nothing; report what would have been blocked as flagged.
    Never,
}

/// A listener's policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Judge what goes into the centre.
    pub judge_submit: bool,
    /// Judge what comes out of the centre.
    pub judge_deliver: bool,
    /// What to do with a verdict that blocks.
    pub blocking: Blocking,
    /// Longest time from reading a message to its verdict.
    pub deadline: Duration,
    /// What to do when there is no verdict.
    pub failures: Failures,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            judge_submit: true,
            judge_deliver: true,
            blocking: Blocking::AsJudged,
            deadline: crate::limits::DECISION_DEADLINE,
            failures: Failures::default(),
        }
    }
}

impl Policy {
    /// Whether messages of that direction are judged at all.
    #[must_use]
    pub const fn judges(&self, direction: Direction) -> bool {
        match direction {
            Direction::Submit => self.judge_submit,
            Direction::Deliver => self.judge_deliver,
        }
    }
}

/// What judging a message came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A verdict in time.
    Judged(Action),
    /// A verdict after the deadline.
    Late(Action),
    /// No verdict.
    Undecided(Cause),
}

/// How a message is kept from passing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// For good: a submit is answered with the listener's status, a deliver is acknowledged and not handed on.
    Reject,
    /// The sender is answered as if the message had been taken.
    Drop,
    /// For now: the sender is answered with a status that asks it to try again.
    Defer,
    /// The sender is answered with the protocol's own status for a PDU that can't be read.
    Malformed,
}

impl Manner {
    const fn of(cause: Cause) -> Self {
        match cause {
            // These pass: the same message, sent again, may find a decision.
            Cause::Late | Cause::NoPack | Cause::MemoryShort | Cause::Engine => Self::Defer,
            Cause::Undecodable => Self::Reject,
            Cause::Malformed => Self::Malformed,
        }
    }
}

/// What is to be done with the PDU.
#[derive(Debug)]
#[must_use]
pub enum Ruling {
    /// Forward it.
    Pass(Permit),
    /// Answer it, and don't forward it.
    Block(Manner),
}

impl Ruling {
    /// Whether the message stops here.
    #[must_use]
    pub const fn blocks(&self) -> bool {
        matches!(self, Self::Block(_))
    }
}

/// A permit for a PDU that needs no verdict.
pub fn waive(_why: Waiver) -> Permit {
    Permit { _made_here: () }
}

/// From what judging came to, and the listener's policy, to what is done; with the action that a report states.
pub fn rule(policy: &Policy, outcome: Outcome) -> (Ruling, Action) {
    match outcome {
        Outcome::Judged(action) => enforce(policy.blocking, action),
        Outcome::Late(action) => match policy.failures.late {
            OnFailure::Open => (pass(), action.min(Action::Flag)),
            OnFailure::Closed => (Ruling::Block(Manner::of(Cause::Late)), Action::Reject),
        },
        Outcome::Undecided(cause) => match policy.failures.of(cause) {
            OnFailure::Open => (pass(), Action::Allow),
            OnFailure::Closed => (Ruling::Block(Manner::of(cause)), Action::Reject),
        },
    }
}

fn enforce(blocking: Blocking, action: Action) -> (Ruling, Action) {
    match (action, blocking) {
        (Action::Allow, _) => (pass(), Action::Allow),
        // An inline door has nowhere to keep a message while a person looks at it.
        (Action::Flag | Action::Hold, _) | (Action::Reject | Action::Drop, Blocking::Never) => {
            (pass(), Action::Flag)
        }
        (Action::Reject, Blocking::AsJudged) | (Action::Reject | Action::Drop, Blocking::Reject) => {
            (Ruling::Block(Manner::Reject), Action::Reject)
        }
        (Action::Drop, Blocking::AsJudged) | (Action::Reject | Action::Drop, Blocking::Drop) => {
            (Ruling::Block(Manner::Drop), Action::Drop)
        }
    }
}

fn pass() -> Ruling {
    Ruling::Pass(Permit { _made_here: () })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocked(policy: &Policy, outcome: Outcome) -> Option<Manner> {
        match rule(policy, outcome).0 {
            Ruling::Pass(_) => None,
            Ruling::Block(manner) => Some(manner),
        }
    }

    #[test]
    fn a_verdict_is_enforced_as_the_listener_blocks() {
        let cases = [
            (Blocking::AsJudged, Action::Allow, None),
            (Blocking::AsJudged, Action::Flag, None),
            (Blocking::AsJudged, Action::Hold, None),
            (Blocking::AsJudged, Action::Reject, Some(Manner::Reject)),
            (Blocking::AsJudged, Action::Drop, Some(Manner::Drop)),
            (Blocking::Reject, Action::Drop, Some(Manner::Reject)),
            (Blocking::Drop, Action::Reject, Some(Manner::Drop)),
            (Blocking::Drop, Action::Flag, None),
            (Blocking::Never, Action::Drop, None),
        ];
        for (blocking, action, expected) in cases {
            let policy = Policy { blocking, ..Policy::default() };
            assert_eq!(blocked(&policy, Outcome::Judged(action)), expected, "{blocking:?} {action:?}");
        }
    }

    #[test]
    fn each_cause_is_decided_by_its_own_switch() {
        for cause in Cause::ALL {
            let mut failures = Failures::default();
            let switch = match cause {
                Cause::Late => &mut failures.late,
                Cause::NoPack => &mut failures.no_pack,
                Cause::MemoryShort => &mut failures.memory_short,
                Cause::Undecodable => &mut failures.undecodable,
                Cause::Malformed => &mut failures.malformed,
                Cause::Engine => &mut failures.engine,
            };
            *switch = OnFailure::Closed;
            let policy = Policy { failures, ..Policy::default() };
            for other in Cause::ALL {
                let expected = (other == cause).then_some(Manner::of(cause));
                assert_eq!(blocked(&policy, Outcome::Undecided(other)), expected, "{cause:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_late_verdict_is_reported_but_only_a_closed_listener_blocks() {
        let open = Policy::default();
        let (ruling, action) = rule(&open, Outcome::Late(Action::Reject));
        assert!(!ruling.blocks());
        assert_eq!(action, Action::Flag);
        let closed = Policy { failures: Failures::all(OnFailure::Closed), ..Policy::default() };
        assert_eq!(blocked(&closed, Outcome::Late(Action::Allow)), Some(Manner::Defer));
    }
}
