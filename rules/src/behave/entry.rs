//! One attempt as a number's newest ones are kept: time, peer and outcome in 8 bytes.

/// How an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// A call whose outcome isn't known (yet).
    Pending = 0,
    /// Answered, and under way.
    Answered = 1,
    /// Answered, and over.
    Ended = 2,
    /// Answered, and over within [`super::SHORT_CALL_MS`].
    Short = 3,
    /// Given up by the caller.
    Cancelled = 4,
    /// Busy, no answer, unreachable.
    Failed = 5,
    /// Refused here: says nothing about the called party.
    Blocked = 6,
    /// A message.
    Message = 7,
}

impl State {
    const ALL: [Self; 8] = [
        Self::Pending,
        Self::Answered,
        Self::Ended,
        Self::Short,
        Self::Cancelled,
        Self::Failed,
        Self::Blocked,
        Self::Message,
    ];

    /// From the number of a delta.
    #[must_use]
    pub fn from_wire(value: u8) -> Option<Self> {
        Self::ALL.get(usize::from(value)).copied()
    }

    /// Somebody picked up.
    #[must_use]
    pub const fn is_answered(self) -> bool {
        matches!(self, Self::Answered | Self::Ended | Self::Short)
    }

    /// Nobody picked up, by what the called side or the caller did.
    #[must_use]
    pub const fn is_unanswered(self) -> bool {
        matches!(self, Self::Cancelled | Self::Failed)
    }
}

/// What else is known of an attempt when it comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// A message in the form of a one-time password.
    pub otp: bool,
    /// A call for whose caller nobody vouches.
    pub unvouched: bool,
    /// A call whose caller's number was verified.
    pub verified: bool,
    /// A call whose caller's number failed its check: nobody vouches for it either.
    pub failed: bool,
    /// The caller's number is of a virtual operator's range.
    pub virtual_operator: bool,
}

impl Marks {
    /// Nothing is known.
    pub const NONE: Self =
        Self { otp: false, unvouched: false, verified: false, failed: false, virtual_operator: false };
}

/// One attempt. All zero is an empty place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Seconds since the Unix epoch; 0 where the place is empty.
    pub time_s: u32,
    /// From bit 0: the low 20 bits of the peer's number, 3 of the state, two of the marks (for a message: one-time password,
    /// 0; for a call: unvouched, verified, and both where the check failed), 6 of the ring time in seconds, virtual operator.
    pub bits: u32,
}

/// How many low bits of a peer's number are kept.
pub(super) const PEER_BITS: u32 = 20;
const PEER_MASK: u32 = (1 << PEER_BITS) - 1;
const STATE_SHIFT: u32 = 20;
const FIRST: u32 = 1 << 23;
const SECOND: u32 = 1 << 24;
const RING_SHIFT: u32 = 25;
/// Longest ring time that is kept, in seconds.
pub(super) const RING_S_MAX: u32 = 63;
const VIRTUAL: u32 = 1 << 31;

impl Entry {
    /// An attempt.
    #[must_use]
    pub fn new(time_s: u32, peer: u64, state: State, marks: Marks) -> Self {
        let peer = u32::try_from(peer & u64::from(PEER_MASK)).unwrap_or(0);
        let (first, second) = match state {
            State::Message => (marks.otp, false),
            _ => (marks.unvouched || marks.failed, marks.verified && !marks.unvouched || marks.failed),
        };
        let bit = |is: bool, bit: u32| if is { bit } else { 0 };
        let flags = bit(first, FIRST) | bit(second, SECOND) | bit(marks.virtual_operator, VIRTUAL);
        Self { time_s: time_s.max(1), bits: peer | (state as u32) << STATE_SHIFT | flags }
    }

    /// The low bits of the peer's number.
    #[must_use]
    pub const fn peer(self) -> u32 {
        self.bits & PEER_MASK
    }

    /// How it stands.
    #[must_use]
    pub const fn state(self) -> State {
        State::ALL[(self.bits >> STATE_SHIFT & 7) as usize]
    }

    /// With another state.
    #[must_use]
    pub const fn with_state(self, state: State) -> Self {
        Self { bits: self.bits & !(7 << STATE_SHIFT) | (state as u32) << STATE_SHIFT, ..self }
    }

    /// It has the form of a one-time password.
    #[must_use]
    pub const fn otp(self) -> bool {
        self.is_message() && self.bits & FIRST != 0
    }

    /// Nobody vouches for the caller.
    #[must_use]
    pub const fn unvouched(self) -> bool {
        !self.is_message() && self.bits & FIRST != 0
    }

    /// The caller's number was verified.
    #[must_use]
    pub const fn verified(self) -> bool {
        !self.is_message() && self.bits & (FIRST | SECOND) == SECOND
    }

    /// The caller's number failed its check.
    #[must_use]
    pub const fn failed_check(self) -> bool {
        !self.is_message() && self.bits & (FIRST | SECOND) == FIRST | SECOND
    }

    /// The caller's number is of a virtual operator's range.
    #[must_use]
    pub const fn virtual_operator(self) -> bool {
        self.bits & VIRTUAL != 0
    }

    const fn is_message(self) -> bool {
        matches!(self.state(), State::Message)
    }

    /// Ring time in seconds.
    #[must_use]
    pub const fn ring_s(self) -> u32 {
        self.bits >> RING_SHIFT & RING_S_MAX
    }

    /// With a ring time; longer than [`RING_S_MAX`] is cut.
    #[must_use]
    pub fn with_ring_s(self, ring_s: u32) -> Self {
        Self { bits: self.bits & !(RING_S_MAX << RING_SHIFT) | ring_s.min(RING_S_MAX) << RING_SHIFT, ..self }
    }

    /// Whether it lies within `window_s` of `now_s`, before or after: a clock that was set back leaves entries ahead.
    #[must_use]
    pub const fn is_within(self, now_s: u32, window_s: u32) -> bool {
        self.time_s != 0 && self.time_s.abs_diff(now_s) < window_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_keeps_what_it_is_given() {
        let marks = [
            Marks::NONE,
            Marks { unvouched: true, ..Marks::NONE },
            Marks { verified: true, ..Marks::NONE },
            Marks { failed: true, ..Marks::NONE },
            Marks { otp: true, virtual_operator: true, ..Marks::NONE },
        ];
        for (state, marks) in State::ALL.into_iter().flat_map(|state| marks.map(|marks| (state, marks))) {
            let entry = Entry::new(77, 0xFFFF_FFFF_FFFF, state, marks).with_ring_s(500);
            let call = state != State::Message;
            assert_eq!((entry.state(), entry.otp()), (state, marks.otp && !call));
            assert_eq!(entry.unvouched(), call && (marks.unvouched || marks.failed));
            assert_eq!(
                (entry.verified(), entry.failed_check()),
                (call && marks.verified, call && marks.failed)
            );
            assert_eq!(entry.virtual_operator(), marks.virtual_operator);
            assert_eq!((entry.peer(), entry.ring_s()), (PEER_MASK, RING_S_MAX));
            let changed = entry.with_ring_s(3);
            assert_eq!((changed.ring_s(), changed.peer()), (3, PEER_MASK));
            assert_eq!(changed.virtual_operator(), marks.virtual_operator);
            assert_eq!(entry.with_state(State::Ended).state(), State::Ended);
        }
    }
}
