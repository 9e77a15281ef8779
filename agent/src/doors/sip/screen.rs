//! Judges the calls of a door, and says how a blocked one is answered.

use super::SipConfig;
use crate::behaviour::CallOutcome;
use crate::doors::counters::Counters;
use crate::doors::session::Now;
use crate::enforce::{Cause, Manner, Ruling};
use crate::pipeline::Gate;
use crate::stir::{Claim, Defect, Finding, Stir};
use std::sync::Arc;
use std::time::Duration;
use yumen_wire::event::{Call, Channel, Event, Verstat};
use yumen_wire::sip::{CallTexts, Message, Name, Request, Source, call_event};

/// Judges calls.
#[derive(Debug)]
pub(super) struct Screen {
    pub(super) gate: Arc<Gate>,
    source: Source,
    block_status: u16,
    /// Headers of a refusal.
    refusal: Vec<u8>,
    texts: CallTexts,
    stir: Option<Arc<Stir>>,
}

/// What became of a call.
#[derive(Debug)]
pub(super) enum Screened {
    /// It was judged, or refused for its signature with that status.
    Done(Ruling, Option<&'static str>, Parties),
    /// Its certificate is being fetched: it is to be asked about again by then.
    Waits(Duration),
}

/// Who called whom, as behaviour counts them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parties {
    pub(super) caller: Box<str>,
    pub(super) callee: Box<str>,
}

impl Screen {
    pub(super) fn new(config: &SipConfig, gate: Arc<Gate>) -> Self {
        let refusal = config.redress.as_ref().map_or_else(Vec::new, |uri| {
            // RFC 8688 §3.2 names the purpose; it says how to read what lies there.
            format!("Call-Info: <{uri}>;purpose=jwscard\r\n").into_bytes()
        });
        Self {
            gate,
            source: Source { trunk: config.trunk, trusted: config.trusted },
            block_status: config.block_status,
            refusal,
            texts: CallTexts::default(),
            stir: None,
        }
    }

    /// Verifies signatures from now on.
    pub(super) fn verify_by(&mut self, stir: Option<Arc<Stir>>) {
        self.stir = stir;
    }

    /// Counts and judges the call attempt of an INVITE. With `last` it doesn't wait for anything.
    pub(super) fn call(
        &mut self,
        message: &Message<'_>,
        request: &Request<'_>,
        now: Now,
        last: bool,
    ) -> Screened {
        let mut event = call_event(message, request, self.source, now.time_ms, &mut self.texts);
        let mut refused = None;
        if let Some(stir) = &self.stir {
            match verify(stir, message, request, &event, now, last) {
                None => return Screened::Waits(stir.wait()),
                // What a trusted network found stands where nothing is signed here.
                Some(Finding { verstat: Verstat::NotValidated, defect: None, .. })
                    if event.call.verstat != Verstat::Absent => {}
                Some(finding) => {
                    count(&self.gate.counters, finding);
                    event.call.verstat = finding.verstat;
                    event.call.attestation = finding.attestation;
                    refused = finding.defect.filter(|_| stir.rejects()).map(Defect::status);
                }
            }
        }
        let behaviour = self.gate.behaviour();
        behaviour.attempt(&event);
        let (ruling, _) = self.gate.screen_call(&event, now);
        let (caller, callee) = (event.originator.digits, event.destination.digits);
        if ruling.blocks() || refused.is_some() {
            behaviour.outcome(caller, callee, CallOutcome::Blocked, now.time_ms);
        }
        Screened::Done(ruling, refused, Parties { caller: caller.into(), callee: callee.into() })
    }

    /// Judges the text of a MESSAGE (RFC 3428) as a short message; `None` where it carries none that can be read.
    pub(super) fn text(&mut self, message: &Message<'_>, request: &Request<'_>, now: Now) -> Option<Ruling> {
        let length = request.content_length.unwrap_or(usize::MAX).min(message.body().len());
        let body = message.body().get(..length)?;
        if body.is_empty() || !is_plain_text(message) {
            return None;
        }
        let Ok(text) = std::str::from_utf8(body) else {
            return Some(self.gate.undecided(Cause::Undecodable));
        };
        let event = call_event(message, request, self.source, now.time_ms, &mut self.texts);
        let event = Event { channel: Channel::Sms, text, call: Call::NONE, ..event };
        Some(self.gate.ask(&event, now, |_, _| None, |_| ()).ruling)
    }

    /// Status line and headers of the answer to a blocked call.
    pub(super) fn refusal(&self, manner: Manner) -> (&'static str, &[u8]) {
        match manner {
            Manner::Reject => (self.block_status(), &self.refusal[..]),
            // As if nobody were there: who calls isn't told that they were looked at.
            Manner::Drop => ("480 Temporarily Unavailable", b""),
            Manner::Defer => (UNAVAILABLE, RETRY_LATER),
            Manner::Malformed => ("400 Bad Request", b""),
        }
    }

    const fn block_status(&self) -> &'static str {
        match self.block_status {
            603 => "603 Decline",
            607 => "607 Unwanted",
            _ => "608 Rejected",
        }
    }
}

fn count(counters: &Counters, finding: Finding) {
    if finding.verstat == Verstat::Passed {
        Counters::add(&counters.signatures_valid);
    } else if finding.defect.is_some() {
        Counters::add(&counters.signatures_invalid);
    }
}

/// `None` where a certificate is awaited.
fn verify(
    stir: &Arc<Stir>,
    message: &Message<'_>,
    request: &Request<'_>,
    event: &Event<'_>,
    now: Now,
    last: bool,
) -> Option<Finding> {
    let of = |name| message.headers().filter(move |header| header.name == name).map(|header| header.value);
    let identities: Vec<&[u8]> = of(Name::Identity).take(IDENTITIES_MAX).collect();
    if identities.is_empty() {
        return Some(Finding::UNKNOWN);
    }
    let shown = &event.call.asserted;
    let date = of(Name::Date).next().and_then(|value| std::str::from_utf8(value).ok());
    let date_s = date
        .and_then(|date| httpdate::parse_http_date(date).ok())
        .and_then(|date| date.duration_since(std::time::UNIX_EPOCH).ok().map(|since| since.as_secs()));
    let claim = Claim {
        identities: &identities,
        caller: if shown.is_absent() { event.originator.digits } else { shown.digits },
        callee: std::str::from_utf8(request.to.uri.subscriber()).unwrap_or_default(),
        date_s,
    };
    stir.check(&claim, now.time_ms, last)
}

/// Which caller asks, for what is shared out under pressure.
pub(super) fn caller<'a>(request: &Request<'a>) -> &'a [u8] {
    request.from.uri.user
}

/// `text/plain`, in UTF-8 or a part of it.
fn is_plain_text(message: &Message<'_>) -> bool {
    message.header(Name::ContentType).is_some_and(|header| {
        let kind = header.value.split(|&octet| octet == b';').next().unwrap_or_default().trim_ascii();
        kind.eq_ignore_ascii_case(b"text/plain")
    })
}

/// Identity headers of a request that are looked at.
const IDENTITIES_MAX: usize = 8;

pub(super) const UNAVAILABLE: &str = "503 Service Unavailable";
pub(super) const RETRY_LATER: &[u8] = b"Retry-After: 5\r\n";
