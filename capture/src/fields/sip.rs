//! SIP (RFC 3261).

use super::Out;
use super::sip_names::NAMES;
use yumen_wire::sip::{Credentials, Header, Message, Name, NameAddr, NameAddrs, Scheme, StartLine, Uri, Via};

pub(super) fn list(octets: &[u8], out: &mut Out<'_>) {
    let Ok(message) = Message::new_checked(octets) else { return };
    let line = octets.split(|&octet| octet == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match message.start() {
        StartLine::Request { method, uri, .. } => {
            out.text("sip.Request-Line", line);
            out.text("sip.Method", method);
            out.text("sip.r-uri", uri);
            if let Some(uri) = Uri::parse(uri) {
                uri_parts(&REQUEST_URI, &uri, out);
            }
        }
        StartLine::Response { status, .. } => {
            out.text("sip.Status-Line", line);
            out.show("sip.Status-Code", status);
        }
    }
    for found in message.headers() {
        header(&found, out);
    }
}

/// How the parts of an address are named.
struct Names {
    display: &'static str,
    uri: &'static str,
    user: &'static str,
    host: &'static str,
    port: &'static str,
    param: &'static str,
    tag: &'static str,
    parameter: &'static str,
}

macro_rules! names {
    ($($constant:ident = $prefix:literal, $uri:literal, $tag:literal, $parameter:literal;)*) => {
        $(const $constant: Names = Names {
            display: concat!($prefix, ".display.info"),
            uri: concat!($prefix, $uri),
            user: concat!($prefix, ".user"),
            host: concat!($prefix, ".host"),
            port: concat!($prefix, ".port"),
            param: concat!($prefix, ".param"),
            tag: $tag,
            parameter: $parameter,
        };)*
    };
}

names! {
    REQUEST_URI = "sip.r-uri", "", "", "";
    FROM = "sip.from", ".addr", "sip.from.tag", "";
    TO = "sip.to", ".addr", "sip.to.tag", "";
    CONTACT = "sip.contact", ".uri", "", "sip.contact.parameter";
    ROUTE = "sip.Route", ".uri", "", "";
    RECORD_ROUTE = "sip.Record-Route", ".uri", "", "";
    ASSERTED = "sip.pai", ".addr", "", "";
}

fn header(header: &Header<'_>, out: &mut Out<'_>) {
    if header.name == Name::Malformed {
        out.text("sip.header_no_colon", header.written);
        return;
    }
    let known = NAMES.iter().find(|(name, compact, _)| {
        let is = |name: &str| header.written.eq_ignore_ascii_case(name.as_bytes());
        is(name) || !compact.is_empty() && is(compact)
    });
    let Some((_, _, filter)) = known else {
        out.text("sip.unrecognized_header", &[header.written, b": ", header.value].concat());
        return;
    };
    out.text(filter, header.value);
    let value = header.value;
    match header.name {
        Name::Via => via(value, out),
        Name::From => one(&FROM, value, out),
        Name::To => one(&TO, value, out),
        Name::Contact => several(&CONTACT, value, out),
        Name::Route => several(&ROUTE, value, out),
        Name::RecordRoute => several(&RECORD_ROUTE, value, out),
        Name::AssertedIdentity => several(&ASSERTED, value, out),
        Name::CSeq => numbers(&["sip.CSeq.seq", "sip.CSeq.method"], value, out),
        Name::Reason => reason(value, out),
        _ => match *filter {
            "sip.RAck" => {
                numbers(&["sip.RAck.RSeq.seq", "sip.RAck.CSeq.seq", "sip.RAck.CSeq.method"], value, out);
            }
            "sip.Authorization"
            | "sip.Proxy-Authorization"
            | "sip.WWW-Authenticate"
            | "sip.Proxy-Authenticate"
            | "sip.Authentication-Info" => credentials(value, out),
            _ => {}
        },
    }
}

fn one(names: &Names, value: &[u8], out: &mut Out<'_>) {
    if let Some(address) = NameAddr::parse_loosely(value) {
        name_addr(names, &address, out);
    }
}

fn several(names: &Names, value: &[u8], out: &mut Out<'_>) {
    for address in NameAddrs::new(value) {
        name_addr(names, &address, out);
    }
}

fn name_addr(names: &Names, address: &NameAddr<'_>, out: &mut Out<'_>) {
    out.text_if_any(names.display, address.display);
    out.text(names.uri, address.uri.whole);
    uri_parts(names, &address.uri, out);
    if let Some(tag) = address.tag().filter(|_| !names.tag.is_empty()) {
        out.text(names.tag, tag);
    }
    if !names.parameter.is_empty() {
        for param in address.params {
            match param.value {
                Some(value) => out.text(names.parameter, &[param.name, b"=", value].concat()),
                None => out.text(names.parameter, param.name),
            }
        }
    }
}

fn uri_parts(names: &Names, uri: &Uri<'_>, out: &mut Out<'_>) {
    if uri.scheme == Scheme::Other {
        return;
    }
    out.text_if_any(names.user, uri.user);
    out.text_if_any(names.host, uri.host);
    if let Some(port) = uri.port {
        out.show(names.port, port);
    }
    for param in uri.params.split(|&octet| octet == b';').filter(|param| !param.is_empty()) {
        out.text(names.param, param);
    }
}

/// Every hop of a header (RFC 3261 §7.3.1).
fn via(value: &[u8], out: &mut Out<'_>) {
    let mut rest = value;
    while let Some(hop) = Via::parse_first(rest) {
        out.text("sip.Via.transport", hop.transport);
        out.text("sip.Via.sent-by.address", hop.host);
        if let Some(port) = hop.port {
            out.show("sip.Via.sent-by.port", port);
        }
        for param in hop.params {
            let value = param.value.unwrap_or(param.name);
            for (name, filter) in [
                (&b"branch"[..], "sip.Via.branch"),
                (b"received", "sip.Via.received"),
                (b"rport", "sip.Via.rport"),
                (b"maddr", "sip.Via.maddr"),
                (b"ttl", "sip.Via.ttl"),
            ] {
                if param.name.eq_ignore_ascii_case(name) {
                    out.text(filter, value);
                }
            }
        }
        rest = rest.get(hop.length + 1..).unwrap_or_default();
    }
}

/// Words with blanks between them.
fn numbers(names: &[&str], value: &[u8], out: &mut Out<'_>) {
    let words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    for (name, word) in names.iter().zip(words) {
        out.text(name, word);
    }
}

/// RFC 3326 §2.
fn reason(value: &[u8], out: &mut Out<'_>) {
    let mut parts = value.split(|&octet| octet == b';').map(<[u8]>::trim_ascii);
    let protocol = parts.next().unwrap_or_default();
    out.text("sip.reason_protocols", protocol);
    let param = |name: &[u8]| parts.clone().find_map(|part| part.strip_prefix(name));
    if let Some(text) = param(b"text=") {
        let bare = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
        out.text("sip.reason_text", bare.unwrap_or(text));
    }
    let cause = param(b"cause=");
    if let Some(cause) = cause {
        let is = |name: &[u8]| protocol.eq_ignore_ascii_case(name);
        let name = match () {
            () if is(b"Q.850") => "sip.reason_cause_q850",
            () if is(b"SIP") => "sip.reason_cause_sip",
            () => "sip.reason_cause_other",
        };
        out.text(name, cause);
    }
}

fn credentials(value: &[u8], out: &mut Out<'_>) {
    let Some(credentials) = Credentials::parse(value) else { return };
    out.text("sip.auth.scheme", credentials.scheme);
    for param in credentials.params() {
        for (name, filter) in [
            (&b"username"[..], "sip.auth.username"),
            (b"realm", "sip.auth.realm"),
            (b"nonce", "sip.auth.nonce"),
            (b"cnonce", "sip.auth.cnonce"),
            (b"nc", "sip.auth.nc"),
            (b"opaque", "sip.auth.opaque"),
            (b"stale", "sip.auth.stale"),
            (b"algorithm", "sip.auth.algorithm"),
            (b"qop", "sip.auth.qop"),
            (b"uri", "sip.auth.uri"),
            (b"response", "sip.auth.digest.response"),
        ] {
            if param.name.eq_ignore_ascii_case(name) {
                out.text(filter, param.value.unwrap_or_default());
            }
        }
    }
}
