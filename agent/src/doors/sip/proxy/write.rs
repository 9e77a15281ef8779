//! Writes what leaves: requests and responses sent on, and what the proxy says itself.

use super::super::answer::{self, Answer};
use super::super::transport::{Flow, Transport};
use super::output::{Destination, Outputs};
use super::route::Plan;
use std::net::SocketAddr;
use yumen_wire::sip::{Defect, Header, Message, Name, Request, StartLine, Values, Via};

/// What is written into a request that is sent on.
pub(super) struct Onward<'a> {
    pub(super) plan: &'a Plan,
    /// The Request-URI.
    pub(super) uri: &'a [u8],
    /// `SIP/2.0/UDP host:port;…`.
    pub(super) via: String,
    /// Record-Route lines; empty where none are added.
    pub(super) record: String,
    /// Where the request came from.
    pub(super) source: SocketAddr,
    /// What it leaves over.
    pub(super) transport: Transport,
}

/// A request as it is sent on (RFC 3261 §16.6).
pub(super) fn request(message: &Message<'_>, request: &Request<'_>, onward: &Onward<'_>, out: &mut Vec<u8>) {
    out.reserve(message.octets().len() + 256);
    out.extend_from_slice(request.method);
    out.push(b' ');
    out.extend_from_slice(onward.uri);
    out.extend_from_slice(b" SIP/2.0\r\nVia: ");
    out.extend_from_slice(onward.via.as_bytes());
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(onward.record.as_bytes());
    let routes_total = count_routes(message, onward.plan);
    let (mut top, mut route_at, mut last_route_at) = (true, 0, None);
    let mut hops_left = None;
    for header in message.headers() {
        match header.name {
            Name::Via if top => {
                top = false;
                out.extend_from_slice(b"Via: ");
                answer::write_via(header.value, onward.source, out);
                out.extend_from_slice(b"\r\n");
            }
            Name::MaxForwards => {
                let left = request.max_forwards.unwrap_or(70).saturating_sub(1);
                hops_left = Some(left);
                out.extend_from_slice(format!("Max-Forwards: {left}\r\n").as_bytes());
            }
            Name::Route => {
                write_route(message, &header, onward.plan, routes_total, &mut route_at, out);
                last_route_at = Some(out.len());
            }
            _ => out.extend_from_slice(message.octets().get(header.line.clone()).unwrap_or_default()),
        }
    }
    if let Some(uri) = &onward.plan.append {
        let line = [&b"Route: <"[..], uri, b">\r\n"].concat();
        let at = last_route_at.unwrap_or(out.len());
        out.splice(at..at, line);
    }
    if hops_left.is_none() {
        out.extend_from_slice(b"Max-Forwards: 70\r\n");
    }
    finish(message, request.content_length, onward.transport, out);
}

/// Line by line: what stood with one that names us stays.
fn write_route(
    message: &Message<'_>,
    header: &Header<'_>,
    plan: &Plan,
    total: usize,
    at: &mut usize,
    out: &mut Vec<u8>,
) {
    let mut kept = Vec::new();
    let mut dropped = false;
    for value in Values::new(header.value) {
        let is_dropped = *at < plan.strip || plan.drop_last && *at + 1 == total;
        *at += 1;
        dropped |= is_dropped;
        if !is_dropped {
            kept.push(value);
        }
    }
    if !dropped {
        out.extend_from_slice(message.octets().get(header.line.clone()).unwrap_or_default());
    } else if !kept.is_empty() {
        out.extend_from_slice(b"Route: ");
        out.extend_from_slice(&kept.join(&b", "[..]));
        out.extend_from_slice(b"\r\n");
    }
}

fn count_routes(message: &Message<'_>, plan: &Plan) -> usize {
    if !plan.drop_last {
        return 0;
    }
    let routes = message.headers().filter(|header| header.name == Name::Route);
    routes.map(|header| Values::new(header.value).count()).sum()
}

/// The empty line and the body. Over a stream there must be a Content-Length (RFC 3261 §18.3).
fn finish(message: &Message<'_>, content_length: Option<usize>, transport: Transport, out: &mut Vec<u8>) {
    let body = message.body();
    if content_length.is_none() && transport.is_stream() {
        out.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    // What a datagram holds behind its body is nobody's (RFC 3261 §18.3).
    out.extend_from_slice(body.get(..content_length.unwrap_or(body.len())).unwrap_or(body));
}

/// A response as it is sent back: without our Via (RFC 3261 §16.7 step 3).
pub(super) fn response(
    message: &Message<'_>,
    via: &Via<'_>,
    content_length: Option<usize>,
    back_over: Transport,
    out: &mut Vec<u8>,
) {
    out.reserve(message.octets().len());
    let mut top = true;
    let octets = message.octets();
    let head = message.headers().next().map_or(0, |header| header.line.start);
    out.extend_from_slice(octets.get(..head).unwrap_or_default());
    for header in message.headers() {
        if header.name == Name::Via && top {
            top = false;
            let rest = header.value.get(via.length..).unwrap_or_default().trim_ascii_start();
            if let Some(rest) = rest.strip_prefix(b",") {
                out.extend_from_slice(b"Via: ");
                out.extend_from_slice(rest.trim_ascii_start());
                out.extend_from_slice(b"\r\n");
            }
        } else {
            out.extend_from_slice(octets.get(header.line.clone()).unwrap_or_default());
        }
    }
    finish(message, content_length, back_over, out);
}

/// The ACK of a refusal, or a CANCEL: what goes the way of `sent` and to nobody else (RFC 3261 §9.1, §17.1.1.3).
pub(super) fn sibling(sent: &[u8], method: &str, to: Option<&[u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    let Ok(message) = Message::new_checked(sent) else { return out };
    let StartLine::Request { uri, .. } = message.start() else { return out };
    out.extend_from_slice(method.as_bytes());
    out.push(b' ');
    out.extend_from_slice(uri);
    out.extend_from_slice(b" SIP/2.0\r\n");
    let mut top = true;
    for header in message.headers() {
        match header.name {
            Name::Via if top => {
                top = false;
                out.extend_from_slice(sent.get(header.line.clone()).unwrap_or_default());
            }
            Name::From | Name::CallId | Name::Route => {
                out.extend_from_slice(sent.get(header.line.clone()).unwrap_or_default());
            }
            Name::To => {
                out.extend_from_slice(b"To: ");
                out.extend_from_slice(to.unwrap_or(header.value));
                out.extend_from_slice(b"\r\n");
            }
            Name::CSeq => {
                let number = header.value.iter().take_while(|octet| octet.is_ascii_digit()).count();
                out.extend_from_slice(b"CSeq: ");
                out.extend_from_slice(header.value.get(..number).unwrap_or_default());
                out.extend_from_slice(format!(" {method}\r\n").as_bytes());
            }
            _ => {}
        }
    }
    out.extend_from_slice(b"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n");
    out
}

/// An answer of our own that nothing is remembered of: the same request gets the same one again.
pub(super) fn reply(
    message: &Message<'_>,
    request: &Request<'_>,
    flow: Flow,
    (status, headers, tag): (&str, &[u8], u64),
    out: &mut Outputs,
) {
    let answer = Answer { status, headers, source: flow.address, tag: Some(tag) };
    out.write(Destination::Back(back(&request.via, flow)), |octets| answer::write(message, &answer, octets));
}

/// To where its Via says, or where that can't be read, to where it came from.
pub(super) fn refuse_malformed(message: &Message<'_>, defect: Defect, flow: Flow, out: &mut Outputs) {
    let Some(header) = message.header(Name::Via) else { return };
    let to = Via::parse_first(header.value).map_or(flow, |via| back(&via, flow));
    let status = format!("{} {defect}", defect.status());
    let answer = Answer { status: &status, headers: b"", source: flow.address, tag: Some(0) };
    out.write(Destination::Back(to), |octets| answer::write(message, &answer, octets));
}

/// The way back: over the same stream, or by what Via says of the datagram's.
pub(super) fn back(via: &Via<'_>, flow: Flow) -> Flow {
    if flow.transport.is_stream() {
        return flow;
    }
    Flow { address: answer::destination(via, flow.address), ..flow }
}
