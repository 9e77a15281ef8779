//! Writes responses (RFC 3261 §8.2.6).

use std::net::{IpAddr, SocketAddr};
use yumen_wire::sip::{Message, Name, Values, Via};

/// Headers that a response copies from its request, in the order of the request.
const COPIED: [Name; 5] = [Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq];

/// What a response says.
pub(super) struct Answer<'a> {
    /// `302 Moved Temporarily`.
    pub(super) status: &'a str,
    /// Whole header lines of its own.
    pub(super) headers: &'a [u8],
    /// Where the request came from.
    pub(super) source: SocketAddr,
    /// Added to To where it has none; `None` for 100.
    pub(super) tag: Option<u64>,
}

/// Appends the response to `out`.
pub(super) fn write(message: &Message<'_>, answer: &Answer<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"SIP/2.0 ");
    out.extend_from_slice(answer.status.as_bytes());
    out.extend_from_slice(b"\r\n");
    let mut top = true;
    for header in message.headers().filter(|header| COPIED.contains(&header.name)) {
        out.extend_from_slice(header.name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        match header.name {
            Name::Via if top => {
                top = false;
                write_via(header.value, answer.source, out);
            }
            Name::To => {
                out.extend_from_slice(header.value);
                if let Some(tag) = answer.tag.filter(|_| !has_tag(header.value)) {
                    out.extend_from_slice(format!(";tag={tag:016x}").as_bytes());
                }
            }
            _ => out.extend_from_slice(header.value),
        }
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(answer.headers);
    out.extend_from_slice(b"Content-Length: 0\r\n\r\n");
}

/// The header that says which extensions aren't there; `None` where none is asked for (RFC 3261 §8.2.2.3, §16.3 step 5).
pub(super) fn unsupported(message: &Message<'_>, asked: Name) -> Option<Vec<u8>> {
    let asked = message.headers().filter(|header| header.name == asked);
    let asked: Vec<&[u8]> = asked.flat_map(|header| Values::new(header.value)).collect();
    (!asked.is_empty()).then(|| [&b"Unsupported: "[..], &asked.join(&b", "[..]), b"\r\n"].concat())
}

/// Where a response to a datagram goes (RFC 3261 §18.2.2, RFC 3581 §4): never to another host than it came from.
pub(super) fn destination(via: &Via<'_>, source: SocketAddr) -> SocketAddr {
    let port = if via.params.named(b"rport").is_some() { source.port() } else { via.port.unwrap_or(5060) };
    SocketAddr::new(source.ip(), port)
}

/// The top Via with where its request really came from.
pub(super) fn write_via(value: &[u8], source: SocketAddr, out: &mut Vec<u8>) {
    let Some(via) = Via::parse_first(value) else {
        out.extend_from_slice(value);
        return;
    };
    let (first, rest) = value.split_at_checked(via.length).unwrap_or((value, &[]));
    let first = first.trim_ascii_end();
    let rport = via.params.named(b"rport").filter(|param| param.value.is_none());
    match rport {
        Some(param) => {
            // The parameter borrows from `value`: this is where it ends.
            let end = (param.name.as_ptr().addr() - value.as_ptr().addr()) + param.name.len();
            out.extend_from_slice(first.get(..end).unwrap_or(first));
            out.extend_from_slice(format!("={}", source.port()).as_bytes());
            out.extend_from_slice(first.get(end..).unwrap_or_default());
        }
        None => out.extend_from_slice(first),
    }
    if (rport.is_some() || host(via.host) != Some(source.ip())) && via.params.named(b"received").is_none() {
        out.extend_from_slice(format!(";received={}", source.ip()).as_bytes());
    }
    out.extend_from_slice(rest);
}

fn host(host: &[u8]) -> Option<IpAddr> {
    let host = std::str::from_utf8(host).ok()?;
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn has_tag(to: &[u8]) -> bool {
    yumen_wire::sip::NameAddr::parse(to).is_some_and(|to| to.tag().is_some())
}
