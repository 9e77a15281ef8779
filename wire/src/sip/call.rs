//! From an INVITE to the call attempt that it is.

use super::address::{NameAddr, NameAddrs};
use super::header::Name;
use super::message::Message;
use super::request::Request;
use super::uri::Uri;
use crate::event::{Address, Attestation, Call, Channel, Direction, Door, Event, Ton, Trunk, Verstat};
use crate::limits::{ADDRESS_TEXT_BYTES_MAX, SIP_TEXT_BYTES_MAX};

/// Where the texts of an event are kept; longer ones are cut.
#[derive(Debug)]
pub struct CallTexts {
    caller: [u8; ADDRESS_TEXT_BYTES_MAX],
    callee: [u8; ADDRESS_TEXT_BYTES_MAX],
    asserted: [u8; ADDRESS_TEXT_BYTES_MAX],
    diverted: [u8; ADDRESS_TEXT_BYTES_MAX],
    display: [u8; SIP_TEXT_BYTES_MAX],
    agent: [u8; SIP_TEXT_BYTES_MAX],
}

impl Default for CallTexts {
    fn default() -> Self {
        let (address, text) = ([0; ADDRESS_TEXT_BYTES_MAX], [0; SIP_TEXT_BYTES_MAX]);
        Self {
            caller: address,
            callee: address,
            asserted: address,
            diverted: address,
            display: text,
            agent: text,
        }
    }
}

/// What the listener knows of who sent the request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Source {
    /// Where its calls come from.
    pub trunk: Trunk,
    /// Whether its word about a caller counts: P-Asserted-Identity, `verstat`, Attestation-Info (RFC 3325 §3).
    pub trusted: bool,
}

/// The call attempt of an INVITE.
#[must_use]
pub fn call_event<'a, 'b>(
    message: &Message<'a>,
    request: &Request<'a>,
    source: Source,
    time_ms: u64,
    texts: &'b mut CallTexts,
) -> Event<'b> {
    let found = Found::collect(message);
    let first = |value: Option<&'a [u8]>| value.and_then(|value| NameAddrs::new(value).next());
    let asserted =
        if source.trusted { first(found.asserted).or_else(|| first(found.remote_party)) } else { None };
    let anonymous = is_anonymous(&request.from);
    // A caller who hides is still the one whom the network asserts.
    let shown = if anonymous { asserted.unwrap_or(request.from) } else { request.from };
    let diverted = first(found.diversion).or(found.history[0]);
    let word = asserted.map(|asserted| asserted.uri).into_iter().chain([request.from.uri]);
    Event {
        channel: Channel::Call,
        direction: Direction::Submit,
        door: Door::Sip,
        originator: address(&shown.uri, &mut texts.caller),
        destination: address(&request.uri, &mut texts.callee),
        destinations: 1,
        text: "",
        segments: None,
        call: Call {
            asserted: asserted.map_or(Address::new(""), |of| address(&of.uri, &mut texts.asserted)),
            diverted_from: diverted.map_or(Address::new(""), |of| address(&of.uri, &mut texts.diverted)),
            display_name: plain(request.from.display, &mut texts.display),
            user_agent: plain(found.agent.unwrap_or_default(), &mut texts.agent),
            verstat: if source.trusted { verstat(word) } else { Verstat::Absent },
            attestation: if source.trusted { found.attestation.and_then(attestation) } else { None },
            private: anonymous || found.privacy.is_some_and(asks_privacy),
            trunk: source.trunk,
        },
        time_ms,
    }
}

/// The first of each header that is asked for, found in one pass.
#[derive(Default)]
struct Found<'a> {
    asserted: Option<&'a [u8]>,
    remote_party: Option<&'a [u8]>,
    diversion: Option<&'a [u8]>,
    /// The last entries of History-Info: the last but one is who sent the call on (RFC 7044 §10).
    history: [Option<NameAddr<'a>>; 2],
    agent: Option<&'a [u8]>,
    privacy: Option<&'a [u8]>,
    attestation: Option<&'a [u8]>,
}

impl<'a> Found<'a> {
    fn collect(message: &Message<'a>) -> Self {
        let mut found = Self::default();
        for header in message.headers() {
            let slot = match header.name {
                Name::AssertedIdentity => &mut found.asserted,
                Name::RemotePartyId => &mut found.remote_party,
                Name::Diversion => &mut found.diversion,
                Name::UserAgent => &mut found.agent,
                Name::Privacy => &mut found.privacy,
                Name::AttestationInfo => &mut found.attestation,
                Name::HistoryInfo => {
                    for entry in NameAddrs::new(header.value) {
                        found.history = [found.history[1], Some(entry)];
                    }
                    continue;
                }
                _ => continue,
            };
            slot.get_or_insert(header.value);
        }
        found
    }
}

fn is_anonymous(from: &NameAddr<'_>) -> bool {
    from.uri.user.eq_ignore_ascii_case(b"anonymous")
        || from.uri.host.eq_ignore_ascii_case(b"anonymous.invalid")
        || from.uri.user.is_empty() && from.display.eq_ignore_ascii_case(b"anonymous")
}

/// RFC 3323 §4.2, RFC 3325 §9.3: `id`, `user`, `header`, `session`; `none` asks for nothing.
fn asks_privacy(value: &[u8]) -> bool {
    value
        .split(|&octet| octet == b';' || octet == b',')
        .map(<[u8]>::trim_ascii)
        .any(|value| [&b"id"[..], b"user", b"header"].iter().any(|kind| value.eq_ignore_ascii_case(kind)))
}

/// 3GPP TS 24.229 §7.2A.20.
fn verstat<'a>(uris: impl Iterator<Item = Uri<'a>>) -> Verstat {
    for value in uris.filter_map(|uri| uri.param(b"verstat")) {
        for (text, meaning) in [
            (&b"TN-Validation-Passed"[..], Verstat::Passed),
            (b"TN-Validation-Failed", Verstat::Failed),
            (b"No-TN-Validation", Verstat::NotValidated),
        ] {
            // Operators append the attestation: `TN-Validation-Passed-A`.
            if value.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text)) {
                return meaning;
            }
        }
    }
    Verstat::Absent
}

/// 3GPP TS 24.229 §7.2.18.
fn attestation(value: &[u8]) -> Option<Attestation> {
    match value.trim_ascii() {
        b"A" | b"a" => Some(Attestation::Full),
        b"B" | b"b" => Some(Attestation::Partial),
        b"C" | b"c" => Some(Attestation::Gateway),
        _ => None,
    }
}

fn address<'b>(uri: &Uri<'_>, out: &'b mut [u8; ADDRESS_TEXT_BYTES_MAX]) -> Address<'b> {
    let digits = unescaped(uri.subscriber(), out);
    let ton = if digits.starts_with('+') { Ton::International } else { Ton::Unknown };
    Address { digits, ton, npi: u8::from(ton == Ton::International) }
}

/// `%41` is `A`; what follows an octet that isn't UTF-8 is cut.
fn unescaped<'b>(text: &[u8], out: &'b mut [u8]) -> &'b str {
    let mut rest = text;
    let next = core::iter::from_fn(|| {
        let (&first, behind) = rest.split_first()?;
        if let (b'%', [high, low, after @ ..]) = (first, behind)
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            rest = after;
            return Some(high << 4 | low);
        }
        rest = behind;
        Some(first)
    });
    fill(next, out)
}

/// A quoted string without its escapes.
fn plain<'b>(text: &[u8], out: &'b mut [u8]) -> &'b str {
    let mut escaped = false;
    let next = text.iter().copied().filter(|&octet| {
        escaped = octet == b'\\' && !escaped;
        !escaped
    });
    fill(next, out)
}

fn fill(octets: impl Iterator<Item = u8>, out: &mut [u8]) -> &str {
    let mut length = 0;
    for (slot, octet) in out.iter_mut().zip(octets) {
        *slot = octet;
        length += 1;
    }
    let written = out.get(..length).unwrap_or_default();
    match core::str::from_utf8(written) {
        Ok(text) => text,
        Err(error) => written
            .get(..error.valid_up_to())
            .and_then(|valid| core::str::from_utf8(valid).ok())
            .unwrap_or_default(),
    }
}

fn hex(octet: u8) -> Option<u8> {
    match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'a'..=b'f' => Some(octet - b'a' + 10),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        _ => None,
    }
}
