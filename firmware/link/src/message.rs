//! What is said, by both sides. No text of a message is among it; numbers and contacts of a sighting stay on the site: they go over
//! the line to the site's own agent, which alone decides what leaves in which form.

use crate::limits::{CONTACTS_MAX, RULES_MAX};
use heapless::Vec;
use serde::{Deserialize, Serialize};

/// The version of these messages: raised when one changes its meaning or its fields.
pub const PROTOCOL: u16 = 1;

/// From the device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Up<'m> {
    /// Who it is: after a start, when it is asked, and every now and then.
    #[serde(borrow)]
    Hello(Hello<'m>),
    /// What it saw.
    #[serde(borrow)]
    Sighting(Sighting<'m>),
    /// What ended its last run.
    #[serde(borrow)]
    Fault(Fault<'m>),
    /// How an update stands.
    Update(Update),
}

/// To the device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Down<'m> {
    /// Who are you?
    Ask,
    /// What time it is, in milliseconds since the Unix epoch.
    Time {
        /// The time.
        unix_ms: u64,
    },
    /// An update begins.
    Begin {
        /// Of what.
        kind: Kind,
        /// Its serial or version.
        serial: u64,
        /// Its length in bytes.
        length: u32,
    },
    /// A piece of it.
    Piece {
        /// Its place.
        at: u32,
        /// At most [`crate::limits::PIECE_BYTES`]; all but the last have as many.
        bytes: &'m [u8],
    },
    /// That was all of it.
    Finish,
}

/// Of what there are two slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// The rule pack.
    Pack,
    /// The device's program.
    Image,
}

/// Who a device is and how it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello<'m> {
    /// [`PROTOCOL`].
    pub protocol: u16,
    /// Its board.
    pub board: &'m str,
    /// The version of its program.
    pub version: u32,
    /// The version that failed its trial last.
    pub version_refused: u32,
    /// The pack in use, by its name; empty where it has none.
    pub pack: &'m str,
    /// By its serial.
    pub serial: u64,
    /// The highest serial that was in use; what isn't newer isn't taken.
    pub floor: u64,
    /// The serial that failed its trial last.
    pub refused: u64,
    /// Whether a pack or a program is on trial: no update is taken meanwhile.
    pub is_on_trial: bool,
    /// How often it has started.
    pub starts: u32,
    /// Why it started last.
    pub cause: Cause,
    /// Seconds since then.
    pub uptime_s: u32,
    /// Most bytes of stack that were used, and how many there are; 0 where it isn't measured.
    pub stack: (u32, u32),
    /// What it has counted since it started.
    pub counters: Counters,
}

/// Why a device started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// The power came, or the reset button was pressed.
    #[default]
    Power,
    /// Its program made no progress.
    Watchdog,
    /// Its program panicked.
    Panic,
    /// Its processor faulted.
    Fault,
    /// It was to start again, after an update.
    Update,
}

/// What a device counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Messages judged, each part counting.
    pub messages: u32,
    /// Those stopped.
    pub messages_blocked: u32,
    /// Calls judged.
    pub calls: u32,
    /// Those hung up on.
    pub calls_blocked: u32,
    /// PDUs that couldn't be read, and were passed on.
    pub unreadable: u32,
    /// Lines that were too long, and were dropped.
    pub too_long: u32,
    /// Times that the modem was set up.
    pub setups: u32,
    /// Commands that the modem didn't answer in time.
    pub unanswered: u32,
    /// Times that the ring was full, and a sector of the oldest sightings went.
    pub displaced: u32,
    /// Sightings that couldn't be kept.
    pub lost: u32,
}

/// What was seen: no text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting<'m> {
    /// Rises with each sighting of a device, over its restarts: starts in the upper half, a count in the lower.
    pub id: u64,
    /// When, in milliseconds since the Unix epoch; 0 where the device didn't know the time.
    pub time_ms: u64,
    /// A call rather than a message.
    pub is_call: bool,
    /// What was done: 1 flagged, 2 held, 3 rejected, 4 dropped.
    pub action: u8,
    /// For which practice, by its wire value in packs; `None` for a number of the site's own list.
    pub typology: Option<u8>,
    /// With which score, 0 to 100.
    pub score: u8,
    /// By which pack.
    pub serial: u64,
    /// The rules that held, the strongest first.
    #[serde(borrow)]
    pub rules: Vec<RuleHit<'m>, RULES_MAX>,
    /// Who sent it or called, as the network said; empty where it didn't.
    pub originator: &'m str,
    /// Contacts in the text.
    #[serde(borrow)]
    pub contacts: Vec<Contact<'m>, CONTACTS_MAX>,
    /// Fuzzy digest of the text; `None` for short ones, which it would narrow down to a handful.
    pub template: Option<u64>,
    /// Characters of the text.
    pub chars: u16,
    /// Parts judged, and parts announced; 1 of 1 for a single message.
    pub segments: (u8, u8),
}

/// A rule that held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleHit<'m> {
    /// Its id.
    pub id: &'m str,
    /// Its own score.
    pub score: u8,
}

/// A contact in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact<'m> {
    /// Its kind, in the order of the engine's list.
    pub kind: u8,
    /// Its canonical form.
    pub value: &'m str,
}

/// What ended a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault<'m> {
    /// Rises as [`Sighting::id`] does.
    pub id: u64,
    /// Panic, fault or watchdog.
    pub cause: Cause,
    /// Program counter, where the processor faulted.
    pub at: u32,
    /// What the program said, cut at [`crate::limits::FAULT_BYTES_MAX`].
    pub words: &'m str,
}

/// How an update stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// Of what.
    pub kind: Kind,
    /// Its serial or version.
    pub serial: u64,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Verified, and in use on trial.
    OnTrial,
    /// Confirmed.
    Confirmed,
    /// It isn't newer, failed before, or another is on trial.
    NotNewer,
    /// It doesn't fit.
    TooLarge,
    /// A piece didn't follow the one before it; begin again.
    OutOfOrder,
    /// Not signed by the device's key, damaged, for another device, or its own tests failed.
    Invalid,
    /// The flash failed.
    Flash,
}

/// A message as it is sent; `None` where `out` is too short.
pub fn to_bytes<'o>(message: &impl Serialize, out: &'o mut [u8]) -> Option<&'o [u8]> {
    postcard::to_slice(message, out).ok().map(|written| &*written)
}

/// A message as it was sent; `None` where it isn't one.
#[must_use]
pub fn from_bytes<'m, T: Deserialize<'m>>(bytes: &'m [u8]) -> Option<T> {
    postcard::from_bytes(bytes).ok()
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::limits::{CONTACT_BYTES_MAX, MESSAGE_BYTES_MAX, PIECE_BYTES, SIGHTING_BYTES_MAX};

    #[test]
    fn what_is_said_is_understood_and_the_longest_fits() {
        let (id, value) = ("r".repeat(64), "9".repeat(CONTACT_BYTES_MAX));
        let mut out = [0; MESSAGE_BYTES_MAX];
        let hit = RuleHit { id: &id, score: 100 };
        let mut sighting = Sighting {
            id: u64::MAX,
            time_ms: u64::MAX,
            is_call: false,
            action: 3,
            typology: Some(4),
            score: 100,
            serial: u64::MAX,
            rules: Vec::new(),
            originator: "+8613800000011",
            contacts: Vec::new(),
            template: Some(u64::MAX),
            chars: u16::MAX,
            segments: (255, 255),
        };
        sighting.rules.push(hit).unwrap();
        while sighting.contacts.push(Contact { kind: 8, value: &value }).is_ok() {}
        let up = Up::Sighting(sighting.clone());
        let bytes = to_bytes(&up, &mut out).unwrap();
        assert!(bytes.len() <= SIGHTING_BYTES_MAX + 64, "{}", bytes.len());
        assert_eq!(from_bytes::<Up<'_>>(bytes), Some(up));
        let piece = Down::Piece { at: u32::MAX, bytes: &[7; PIECE_BYTES] };
        let bytes = to_bytes(&piece, &mut out).unwrap();
        assert_eq!(from_bytes::<Down<'_>>(bytes), Some(piece));
        assert_eq!(from_bytes::<Down<'_>>(&[9, 9]), None);
    }

    /// A device in the field and a newer agent must understand each other.
    #[test]
    fn wire_forms_are_frozen() {
        let mut out = [0; 64];
        assert_eq!(to_bytes(&Down::Ask, &mut out).unwrap(), [0]);
        assert_eq!(to_bytes(&Down::Time { unix_ms: 300 }, &mut out).unwrap(), [1, 0xAC, 2]);
        let begin = Down::Begin { kind: Kind::Image, serial: 2, length: 3 };
        assert_eq!(to_bytes(&begin, &mut out).unwrap(), [2, 1, 2, 3]);
        assert_eq!(to_bytes(&Down::Piece { at: 4, bytes: &[5, 6] }, &mut out).unwrap(), [3, 4, 2, 5, 6]);
        assert_eq!(to_bytes(&Down::Finish, &mut out).unwrap(), [4]);
        let update = Up::Update(Update { kind: Kind::Pack, serial: 1, outcome: Outcome::Invalid });
        assert_eq!(to_bytes(&update, &mut out).unwrap(), [3, 0, 1, 5]);
        assert_eq!(PROTOCOL, 1);
    }
}
