//! TCP connections → PDUs and SIP messages.
//!
//! What a connection speaks is told by its first PDU that can be read to its end, and by its port where two protocols
//! could have sent it. After a gap the stream is searched for a header that can be one.

use crate::limits::{SIP_BYTES_MAX, STREAMS_MAX, UNFRAMED_BYTES_MAX};
use crate::recent::Recent;
use crate::{Payload, Piece, Stream};
use std::net::SocketAddr;
use yumen_wire::frame::{Frame, Framing};
use yumen_wire::{cmpp, sgip, smgp, smpp};

/// What a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spoken {
    Smpp,
    Cmpp,
    Smgp,
    Sgip,
    Sip,
}

#[derive(Debug, Default)]
struct Connection {
    spoken: Option<Spoken>,
    /// Pieces that nobody could read; a connection with too many is left alone.
    unread: u8,
    sides: [Side; 2],
}

#[derive(Debug, Default)]
struct Side {
    stream: Stream,
    buffer: Vec<u8>,
    lost: bool,
    ended: bool,
}

/// All connections.
#[derive(Debug)]
pub(crate) struct Connections {
    connections: Recent<(SocketAddr, SocketAddr), Connection>,
}

/// Unreadable pieces after which a connection is left alone.
const UNREAD_MAX: u8 = 64;

impl Connections {
    pub(crate) fn new() -> Self {
        Self { connections: Recent::new(STREAMS_MAX) }
    }

    /// Reads a segment from its TCP header on; whether an older connection had to be forgotten for it.
    pub(crate) fn segment(
        &mut self,
        (source, destination): (SocketAddr, SocketAddr),
        segment: &[u8],
        mut take: impl FnMut(Payload<'_>),
    ) -> bool {
        const FIN: u8 = 1;
        const SYN: u8 = 2;
        const RST: u8 = 4;
        const ACK: u8 = 16;
        let Some((&[_, _, _, _, s0, s1, s2, s3, _, _, _, _, offset, flags], _)) =
            segment.split_first_chunk::<14>()
        else {
            return false;
        };
        let sequence = u32::from_be_bytes([s0, s1, s2, s3]);
        let data = segment.get(usize::from(offset >> 4) * 4..).unwrap_or_default();
        let (key, from) =
            if source <= destination { ((source, destination), 0) } else { ((destination, source), 1) };
        let ports = [key.0.port(), key.1.port()];
        let (connection, forgot) = self.connections.of(&key, Connection::default);
        if flags & SYN != 0 {
            if flags & ACK == 0 {
                *connection = Connection::default();
            }
            if let Some(side) = connection.sides.get_mut(from) {
                side.stream.begin(sequence);
                side.buffer.clear();
            }
            return forgot;
        }
        connection.push(from, ports, sequence, data, &mut take);
        let over = flags & RST != 0 || (flags & FIN != 0 && connection.end(from));
        if over {
            for from in 0..2 {
                connection.flush(from, ports, &mut take);
            }
            self.connections.remove(&key);
        }
        forgot
    }
}

impl Connection {
    fn push(
        &mut self,
        from: usize,
        ports: [u16; 2],
        sequence: u32,
        data: &[u8],
        take: &mut impl FnMut(Payload<'_>),
    ) {
        let Self { spoken, unread, sides } = self;
        let Some(Side { stream, buffer, lost, .. }) = sides.get_mut(from) else { return };
        stream.push(sequence, data, &mut |piece| read(spoken, unread, buffer, lost, ports, piece, take));
    }

    /// That side has said all; whether both have.
    fn end(&mut self, from: usize) -> bool {
        if let Some(side) = self.sides.get_mut(from) {
            side.ended = true;
        }
        self.sides.iter().all(|side| side.ended)
    }

    fn flush(&mut self, from: usize, ports: [u16; 2], take: &mut impl FnMut(Payload<'_>)) {
        let Self { spoken, unread, sides } = self;
        let Some(Side { stream, buffer, lost, .. }) = sides.get_mut(from) else { return };
        stream.end(&mut |piece| read(spoken, unread, buffer, lost, ports, piece, take));
    }
}

/// One piece of a stream: completes PDUs, and leaves what is incomplete in `buffer`.
fn read(
    spoken: &mut Option<Spoken>,
    unread: &mut u8,
    buffer: &mut Vec<u8>,
    lost: &mut bool,
    ports: [u16; 2],
    piece: Piece<'_>,
    take: &mut impl FnMut(Payload<'_>),
) {
    let Piece::Data(data) = piece else {
        buffer.clear();
        *lost = true;
        return;
    };
    if spoken.is_none() && *unread >= UNREAD_MAX {
        return;
    }
    buffer.extend_from_slice(data);
    if spoken.is_none() {
        match detect(ports, buffer) {
            Detected::Is(found) => *spoken = Some(found),
            Detected::NeedsMore if buffer.len() < UNFRAMED_BYTES_MAX => {}
            Detected::NeedsMore | Detected::Nothing => {
                buffer.clear();
                *unread += 1;
            }
        }
    }
    let Some(spoken) = *spoken else { return };
    let mut at = 0;
    while let Some(rest) = buffer.get(at..).filter(|rest| !rest.is_empty()) {
        if *lost {
            let Some(beginning) = beginning(spoken, rest) else { break };
            *lost = false;
            at += beginning;
            continue;
        }
        match next(spoken, rest) {
            Next::Whole(length) => {
                if let Some(octets) = rest.get(..length) {
                    hand_on(spoken, octets, take);
                }
                at += length.max(1);
            }
            Next::NeedMore if rest.len() < UNFRAMED_BYTES_MAX => break,
            Next::NeedMore | Next::Broken => {
                *lost = true;
                at += 1;
            }
        }
    }
    // A header may be cut at the end of a lost stream: enough of it is kept.
    let keep = if *lost { buffer.len().saturating_sub(HEADER_BYTES_MAX - 1).max(at) } else { at };
    buffer.drain(..keep.min(buffer.len()));
}

const HEADER_BYTES_MAX: usize = 20;

fn hand_on(spoken: Spoken, octets: &[u8], take: &mut impl FnMut(Payload<'_>)) {
    match spoken {
        Spoken::Smpp => take(Payload::Smpp(octets)),
        Spoken::Cmpp => take(Payload::Cmpp(octets)),
        Spoken::Smgp => take(Payload::Smgp(octets)),
        Spoken::Sgip => take(Payload::Sgip(octets)),
        // Empty lines between messages keep a connection alive (RFC 5626 §4.4.1).
        Spoken::Sip if octets == b"\r\n" || octets == b"\n" => {}
        Spoken::Sip => take(Payload::Sip(octets)),
    }
}

enum Next {
    Whole(usize),
    NeedMore,
    Broken,
}

fn next(spoken: Spoken, rest: &[u8]) -> Next {
    let Some(framing) = framing(spoken) else { return next_sip(rest) };
    match framing.frame(rest) {
        Ok(Frame::Whole(length)) => Next::Whole(length),
        Ok(Frame::NeedMore { .. }) => Next::NeedMore,
        Err(_) => Next::Broken,
    }
}

/// A SIP message on a stream ends where its Content-Length says (RFC 3261 §18.3).
fn next_sip(rest: &[u8]) -> Next {
    if let Some(line_end) = [&b"\r\n"[..], b"\n"].into_iter().find(|end| rest.starts_with(end)) {
        return Next::Whole(line_end.len());
    }
    if !sip_begins(rest) {
        return if rest.len() < SIP_LINE_MIN || !rest.contains(&b'\n') && rest.len() < SIP_BYTES_MAX {
            Next::NeedMore
        } else {
            Next::Broken
        };
    }
    let Some(head) = rest.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if rest.len() < SIP_BYTES_MAX { Next::NeedMore } else { Next::Broken };
    };
    let body = rest.get(..head).unwrap_or_default().split(|&octet| octet == b'\n').find_map(content_length);
    match (head + 4).checked_add(body.unwrap_or(0)) {
        Some(length) if length <= rest.len() => Next::Whole(length),
        Some(length) if length <= SIP_BYTES_MAX => Next::NeedMore,
        _ => Next::Broken,
    }
}

fn content_length(line: &[u8]) -> Option<usize> {
    let (name, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
    let name = name.trim();
    (name.eq_ignore_ascii_case("content-length") || name.eq_ignore_ascii_case("l")).then_some(())?;
    value.trim().parse().ok()
}

/// `SIP/2.0 200`: nothing shorter is a start line.
const SIP_LINE_MIN: usize = 11;

/// The first line is a start line of SIP.
pub(crate) fn sip_begins(octets: &[u8]) -> bool {
    if octets.starts_with(b"SIP/2.0 ") {
        return true;
    }
    let line = octets.split(|&octet| octet == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.first().is_some_and(u8::is_ascii_alphabetic)
        && line.len() < octets.len()
        && line.ends_with(b" SIP/2.0")
}

const fn framing(spoken: Spoken) -> Option<Framing> {
    match spoken {
        Spoken::Smpp => Some(Framing::SMPP),
        Spoken::Cmpp => Some(Framing::CMPP),
        Spoken::Smgp => Some(Framing::SMGP),
        Spoken::Sgip => Some(Framing::SGIP),
        Spoken::Sip => None,
    }
}

enum Detected {
    Is(Spoken),
    NeedsMore,
    Nothing,
}

/// Which protocol a stream begins with. The most specific come first: SMPP's bodies are the loosest.
fn detect(ports: [u16; 2], octets: &[u8]) -> Detected {
    const BINARY: [Spoken; 4] = [Spoken::Cmpp, Spoken::Smgp, Spoken::Sgip, Spoken::Smpp];
    if sip_begins(octets) {
        return Detected::Is(Spoken::Sip);
    }
    let hinted = ports.iter().find_map(|port| match port {
        2775 | 2776 | 3550 => Some(Spoken::Smpp),
        7890 | 7900 => Some(Spoken::Cmpp),
        8890 | 9890 => Some(Spoken::Smgp),
        8801 | 8802 => Some(Spoken::Sgip),
        _ => None,
    });
    let mut needs_more = octets.len() < SIP_LINE_MIN;
    for spoken in hinted.into_iter().chain(BINARY) {
        let Some(framing) = framing(spoken) else { continue };
        match framing.frame(octets) {
            Ok(Frame::Whole(length)) if octets.get(..length).is_some_and(|pdu| is_telling(spoken, pdu)) => {
                return Detected::Is(spoken);
            }
            Ok(Frame::NeedMore { .. }) => {
                needs_more |= octets.len() < HEADER_BYTES_MAX || header_fits(spoken, octets);
            }
            Ok(Frame::Whole(_)) | Err(_) => {}
        }
    }
    // A line of text that has not ended.
    needs_more |= octets.len() < 4096
        && !octets.contains(&b'\n')
        && octets.iter().all(|octet| (b' '..0x7F).contains(octet));
    if needs_more { Detected::NeedsMore } else { Detected::Nothing }
}

/// It can be read, and its body is one that another protocol's PDU wouldn't have by chance: SMPP's bind_transceiver has the
/// number of route queries, whose bodies nobody here reads.
fn is_telling(spoken: Spoken, octets: &[u8]) -> bool {
    let is_opaque =
        match spoken {
            Spoken::Smpp => smpp::Pdu::new_checked(octets)
                .map(|pdu| matches!(pdu.parse(), Ok(smpp::Body::Opaque([_, ..])))),
            Spoken::Cmpp => cmpp::Pdu::new_checked(octets)
                .map(|pdu| matches!(pdu.parse(cmpp::Version::V3), Ok(cmpp::Body::Opaque([_, ..])))),
            Spoken::Smgp => smgp::Pdu::new_checked(octets)
                .map(|pdu| matches!(pdu.parse(smgp::Version::V3), Ok(smgp::Body::Opaque([_, ..])))),
            Spoken::Sgip => sgip::Pdu::new_checked(octets)
                .map(|pdu| matches!(pdu.parse(), Ok(sgip::Body::Opaque([_, ..])))),
            Spoken::Sip => Ok(false),
        };
    is_opaque == Ok(false) && is_readable(spoken, octets)
}

fn is_readable(spoken: Spoken, octets: &[u8]) -> bool {
    header_fits(spoken, octets)
        && match spoken {
            Spoken::Smpp => smpp::Pdu::new_checked(octets).is_ok_and(|pdu| pdu.parse().is_ok()),
            Spoken::Cmpp => cmpp::Pdu::new_checked(octets).is_ok_and(|pdu| {
                pdu.parse(cmpp::Version::V2).is_ok() || pdu.parse(cmpp::Version::V3).is_ok()
            }),
            Spoken::Smgp => smgp::Pdu::new_checked(octets).is_ok_and(|pdu| {
                pdu.parse(smgp::Version::V3).is_ok() || pdu.parse(smgp::Version::V1).is_ok()
            }),
            Spoken::Sgip => sgip::Pdu::new_checked(octets).is_ok_and(|pdu| pdu.parse().is_ok()),
            Spoken::Sip => true,
        }
}

/// The header can be one: its length, its command, and what else must be so.
fn header_fits(spoken: Spoken, octets: &[u8]) -> bool {
    let word = |at: usize| {
        octets.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(u32::MAX, u32::from_be_bytes)
    };
    let command = word(4);
    let (length, is_request) = (word(0), command & 0x8000_0000 == 0);
    // Commands without a body tell the protocols apart: their numbers are those of an SMPP bind or submit_sm.
    let bodiless = |commands: &[u32], header: u32| {
        !commands.contains(&(command & 0x7FFF_FFFF)) || (header..=header + 1).contains(&length)
    };
    match spoken {
        Spoken::Smpp => {
            smpp::CommandId(command).name().is_some() && (!is_request || word(8) == 0) && length >= 16
        }
        Spoken::Cmpp => {
            cmpp::CommandId(command).name().is_some()
                && (command != 1 || length == 39)
                && length >= 12
                && bodiless(&[2, 8], 12)
        }
        Spoken::Smgp => smgp::CommandId(command).name().is_some() && length >= 12 && bodiless(&[4, 6], 12),
        Spoken::Sgip => sgip::CommandId(command).name().is_some() && length >= 20 && bodiless(&[2], 20),
        Spoken::Sip => sip_begins(octets),
    }
}

/// Where a PDU may begin in a stream that was lost.
fn beginning(spoken: Spoken, octets: &[u8]) -> Option<usize> {
    (0..octets.len()).find(|&at| {
        let rest = octets.get(at..).unwrap_or_default();
        match framing(spoken) {
            None => (at == 0 || octets.get(at - 1) == Some(&b'\n')) && sip_begins(rest),
            Some(framing) => {
                rest.len() >= HEADER_BYTES_MAX.min(16)
                    && header_fits(spoken, rest)
                    && framing.frame(rest).is_ok_and(|frame| match frame {
                        Frame::Whole(length) => {
                            rest.get(..length).is_some_and(|pdu| is_readable(spoken, pdu))
                        }
                        Frame::NeedMore { .. } => true,
                    })
            }
        }
    })
}
