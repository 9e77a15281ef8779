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

/// One attempt. All zero is an empty place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Seconds since the Unix epoch; 0 where the place is empty.
    pub time_s: u32,
    /// From bit 0: the low 20 bits of the peer's number, 3 of the state, one-time password, unvouched, 7 of the ring
    /// time in seconds.
    pub bits: u32,
}

/// How many low bits of a peer's number are kept.
pub(super) const PEER_BITS: u32 = 20;
const PEER_MASK: u32 = (1 << PEER_BITS) - 1;
const STATE_SHIFT: u32 = 20;
const OTP: u32 = 1 << 23;
const UNVOUCHED: u32 = 1 << 24;
const RING_SHIFT: u32 = 25;
/// Longest ring time that is kept, in seconds.
pub(super) const RING_S_MAX: u32 = 127;

impl Entry {
    /// An attempt.
    #[must_use]
    pub fn new(time_s: u32, peer: u64, state: State, otp: bool, unvouched: bool) -> Self {
        let peer = u32::try_from(peer & u64::from(PEER_MASK)).unwrap_or(0);
        let flags = if otp { OTP } else { 0 } | if unvouched { UNVOUCHED } else { 0 };
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
        self.bits & OTP != 0
    }

    /// Nobody vouches for the caller.
    #[must_use]
    pub const fn unvouched(self) -> bool {
        self.bits & UNVOUCHED != 0
    }

    /// Ring time in seconds.
    #[must_use]
    pub const fn ring_s(self) -> u32 {
        self.bits >> RING_SHIFT
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
        for state in State::ALL {
            let entry = Entry::new(77, 0xFFFF_FFFF_FFFF, state, true, false).with_ring_s(500);
            assert_eq!((entry.state(), entry.otp(), entry.unvouched()), (state, true, false));
            assert_eq!((entry.peer(), entry.ring_s()), (PEER_MASK, RING_S_MAX));
            let changed = entry.with_state(State::Ended).with_ring_s(3);
            assert_eq!((changed.state(), changed.ring_s(), changed.peer()), (State::Ended, 3, PEER_MASK));
        }
    }
}
