//! What a session must know of a protocol; each is an implementation of [`Protocol`].

use crate::enforce::Manner;
use crate::limits::ANSWER_BYTES_MAX;
use yumen_wire::address::RawAddress;
use yumen_wire::event::{Direction, Door};
use yumen_wire::frame::Framing;
use yumen_wire::smpp::Texts;
use yumen_wire::text::Coding;
use yumen_wire::udh::{Concatenation, UserData};

/// One end of a connection pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Who connected to the gateway: an ESME, an SP.
    Client,
    /// Who the gateway connected to: an SMSC, an ISMG.
    Server,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Client, Self::Server];

    /// The other end.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    /// The way of a message where the side that sends it tells.
    pub(crate) const fn direction(self) -> Direction {
        match self {
            Self::Client => Direction::Submit,
            Self::Server => Direction::Deliver,
        }
    }

    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

/// What a PDU is to a session.
#[derive(Clone, Debug)]
pub enum Pdu<'a> {
    /// Nothing that awaits an answer or is one, or nothing known.
    Other,
    /// It awaits an answer, and carries no message.
    Request,
    /// An answer.
    Response,
    /// It carries a message, and awaits an answer.
    Message(Message<'a>),
    /// It carries a state of an earlier message, and awaits an answer.
    Receipt,
    /// It is of a kind that carries a message, but its fields do not fit its length.
    Malformed,
    /// The very command that was blocked before: its sender missed the answer, which it gets again.
    Again(Manner),
}

/// A message, or one part of one, as a PDU carries it. Borrows from the PDU.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// Into the centre or out of it.
    pub direction: Direction,
    /// Who sends.
    pub originator: RawAddress<'a>,
    /// Who receives; the first of several.
    pub destination: RawAddress<'a>,
    /// How many receive.
    pub destinations: u16,
    /// The text that a receiver shows.
    pub text: Coded<'a>,
    /// Further texts: receivers differ on which of several they show, so all are judged.
    pub extras: Extras<'a>,
    /// Set for a part of a multi-part message.
    pub part: Option<Concatenation>,
}

impl<'a> Message<'a> {
    /// A message of CMPP, SMGP or SGIP, which code texts alike and have one text each.
    pub(crate) fn with_format(
        direction: Direction,
        originator: RawAddress<'a>,
        (destination, destinations): (RawAddress<'a>, u16),
        format: u8,
        data: UserData<'a>,
        part: Option<Concatenation>,
    ) -> Self {
        let text = Coded { coding: Coding::from_cmpp(format), data };
        Self { direction, originator, destination, destinations, text, extras: Extras::None, part }
    }
}

/// Appends the answer that `emit` writes. None is longer than [`ANSWER_BYTES_MAX`]: one that were isn't sent.
pub(super) fn append_answer<E>(out: &mut Vec<u8>, emit: impl FnOnce(&mut [u8]) -> Result<usize, E>) {
    let mut buffer = [0; ANSWER_BYTES_MAX];
    let written = emit(&mut buffer);
    if let Some(answer) = written.ok().and_then(|length| buffer.get(..length)) {
        out.extend_from_slice(answer);
    }
}

/// User data, and how it stands for text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coded<'a> {
    /// How the octets stand for text.
    pub coding: Coding,
    /// Header, where there is one, and text.
    pub data: UserData<'a>,
}

/// Further texts of a message.
#[derive(Clone, Debug)]
pub enum Extras<'a> {
    /// None, as it should be.
    None,
    /// `short_message` and `message_payload` side by side; the first one is the message's own text.
    Smpp(Texts<'a>),
}

/// A protocol, with what one connection taught about it (version, form of message ids).
pub trait Protocol: Send {
    /// For events.
    const DOOR: Door;

    /// Octets of a header.
    const HEADER_BYTES: usize;

    /// How PDUs are found in the stream.
    fn framing(&self) -> Framing;

    /// Reads one whole PDU that `side` sent, and learns from it.
    fn read<'a>(&mut self, side: Side, pdu: &'a [u8], time_ms: u64) -> Pdu<'a>;

    /// Writes the gateway's own answer to a PDU that was read as [`Pdu::Message`] or [`Pdu::Malformed`].
    fn answer(&mut self, side: Side, pdu: &[u8], manner: Manner, time_ms: u64, out: &mut Vec<u8>);

    /// Writes the protocol's error for a length that can't be; `start` is what came of the PDU, its length included.
    fn frame_error(&mut self, side: Side, start: &[u8], out: &mut Vec<u8>);
}
