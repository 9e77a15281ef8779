//! Whom an event is about, as keys of the table.

use yumen_wire::event::{Attestation, Channel, Event, Trunk, Verstat};

use super::{Marks, Subject};
use crate::number::{self, CANONICAL_LEN_MAX, NumberKind};

/// A mixing of 64 bits in which every bit of the input reaches every bit of the output (SplitMix64's finaliser).
#[must_use]
pub const fn mix(value: u64) -> u64 {
    let value = (value ^ value >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ value >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ value >> 31
}

/// A number by its key and its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Party {
    /// Of the whole canonical form; 0 where there is no number.
    pub hash: u64,
    /// Of the form without its last four digits.
    pub prefix: u64,
    /// The digits as a number, or the hash of what has none: numbers that follow each other have values that do.
    pub value: u64,
}

impl Party {
    /// By a number as it came. `secret` keeps others from choosing numbers that fall together.
    #[must_use]
    pub fn new(number: &str, secret: u64) -> Self {
        let mut buffer = [0; CANONICAL_LEN_MAX];
        let Some(number) = number::classify(number, &mut buffer) else { return Self::default() };
        let canonical = number.canonical.as_bytes();
        let digits = canonical.iter().filter(|byte| byte.is_ascii_digit()).count();
        let shared =
            if digits >= PREFIX_DIGITS_MIN { canonical.len().saturating_sub(4) } else { canonical.len() };
        let (before, last) = canonical.split_at_checked(shared).unwrap_or((canonical, &[]));
        // One walk for both: a hash goes on from that of what comes before.
        let prefix = hashed(before, secret);
        let hash = hashed(last, prefix);
        let value = match number.kind {
            NumberKind::Alphanumeric => hash,
            _ => canonical
                .iter()
                .filter(|byte| byte.is_ascii_digit())
                .fold(0u64, |value, digit| value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'))),
        };
        Self { hash: hash.max(1), prefix: prefix.max(1), value }
    }
}

/// What sets the keys of complaints apart.
const COMPLAINTS: u64 = 0x434F_4D50_4C41_494E;

/// Shortest number that has a prefix: service numbers stand for themselves.
const PREFIX_DIGITS_MIN: usize = 8;

fn hashed(bytes: &[u8], secret: u64) -> u64 {
    bytes.iter().fold(secret, |hash, &byte| mix(hash ^ u64::from(byte).wrapping_add(hash << 8)))
}

/// The keys of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The originator.
    pub caller: Party,
    /// The destination.
    pub callee: Party,
    /// The template of the text; 0 for calls.
    pub campaign: u64,
    /// Messages and calls are counted apart.
    pub channel: Channel,
}

impl Keys {
    /// The key of a subject; 0 where the event has none.
    #[must_use]
    pub const fn of(&self, subject: Subject) -> u64 {
        let base = match subject {
            Subject::Caller => self.caller.hash,
            Subject::Callee => self.callee.hash,
            Subject::Pair if self.caller.hash == 0 || self.callee.hash == 0 => 0,
            Subject::Pair => mix(self.caller.hash) ^ self.callee.hash,
            Subject::Prefix => self.caller.prefix,
            Subject::Campaign => self.campaign,
        };
        if base == 0 {
            return 0;
        }
        let key = mix(base ^ ((subject as u64) << 1 | self.channel as u64) << 56);
        if key == 0 { 1 } else { key }
    }

    /// The key under which complaints about a subject are counted; 0 where the event has none.
    #[must_use]
    pub const fn complaints_about(&self, subject: Subject) -> u64 {
        match self.of(subject) {
            0 => 0,
            key => {
                let key = mix(key ^ COMPLAINTS);
                if key == 0 { 1 } else { key }
            }
        }
    }

    /// The other side, as seen by a subject.
    #[must_use]
    pub const fn peer_of(&self, subject: Subject) -> u64 {
        match subject {
            Subject::Caller | Subject::Pair | Subject::Prefix => self.callee.value,
            Subject::Callee | Subject::Campaign => self.caller.value,
        }
    }
}

/// What is known of an attempt when it comes. `otp`: the text has the form of a one-time password.
#[must_use]
pub fn marks(event: &Event<'_>, otp: bool) -> Marks {
    let call = event.channel == Channel::Call;
    let mut buffer = [0; CANONICAL_LEN_MAX];
    let caller = number::classify(event.originator.digits, &mut buffer);
    Marks {
        otp,
        unvouched: is_unvouched(event),
        verified: call && event.call.verstat == Verstat::Passed,
        failed: call && event.call.verstat == Verstat::Failed && event.call.trunk != Trunk::Own,
        virtual_operator: caller.is_some_and(|caller| caller.virtual_operator),
    }
}

/// Whether nobody vouches for the caller of a call: its number failed validation or isn't one, or a number of the country
/// comes from abroad, or a virtual operator's number or a softphone calls without a signature.
#[must_use]
pub fn is_unvouched(event: &Event<'_>) -> bool {
    let call = &event.call;
    if event.channel != Channel::Call || call.trunk == Trunk::Own {
        return false;
    }
    if call.verstat == Verstat::Failed {
        return true;
    }
    if call.verstat == Verstat::Passed || matches!(call.attestation, Some(Attestation::Full)) {
        return false;
    }
    let mut buffer = [0; CANONICAL_LEN_MAX];
    match number::classify(event.originator.digits, &mut buffer) {
        None => true,
        Some(number) => {
            number.virtual_operator
                || number.kind == NumberKind::Alphanumeric
                || number.kind != NumberKind::International && call.trunk == Trunk::International
                || is_softswitch(call.user_agent)
        }
    }
}

/// User agents of softphones, softswitches and SIM boxes that dial by themselves. Contact centres and schools use them too: alone it
/// says nothing.
#[must_use]
pub fn is_softswitch(user_agent: &str) -> bool {
    const AGENTS: [&str; 11] = [
        "asterisk",
        "freeswitch",
        "vos2009",
        "vos3000",
        "vos5000",
        "microsip",
        "eyebeam",
        "x-lite",
        "sipp",
        "goip",
        "dinstar",
    ];
    let starts =
        |agent: &&str| user_agent.get(..agent.len()).is_some_and(|start| start.eq_ignore_ascii_case(agent));
    AGENTS.iter().any(starts)
}
