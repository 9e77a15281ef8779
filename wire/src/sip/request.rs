//! What a server looks at before it serves a request (RFC 3261 §8.2, §16.3).

use super::address::{NameAddr, NameAddrs};
use super::defect::Defect;
use super::header::{Header, Name};
use super::lex::{self, Params};
use super::message::{Message, StartLine};
use super::uri::{Scheme, Uri};
use super::via::Via;

/// A request that may be served.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Case matters.
    pub method: &'a [u8],
    /// Request-URI: sip, sips or tel.
    pub uri: Uri<'a>,
    /// The hop that it came from.
    pub via: Via<'a>,
    /// From.
    pub from: NameAddr<'a>,
    /// To.
    pub to: NameAddr<'a>,
    /// Call-ID.
    pub call_id: &'a [u8],
    /// Number of CSeq.
    pub cseq: u32,
    /// Max-Forwards; absent in requests of RFC 2543.
    pub max_forwards: Option<u8>,
    /// Content-Length, where it is given.
    pub content_length: Option<usize>,
}

/// Singletons as they were found.
#[derive(Default)]
struct Found<'a> {
    via: Option<&'a [u8]>,
    from: Option<&'a [u8]>,
    to: Option<&'a [u8]>,
    call_id: Option<&'a [u8]>,
    cseq: Option<&'a [u8]>,
    max_forwards: Option<&'a [u8]>,
    content_length: Option<&'a [u8]>,
}

impl<'a> Request<'a> {
    /// Checks a request.
    ///
    /// # Errors
    /// The first [`Defect`], with the status that it is answered with.
    pub fn check(message: &Message<'a>) -> Result<Self, Defect> {
        let StartLine::Request { method, uri, version, regular } = message.start() else {
            return Err(Defect::StartLine);
        };
        if !version.eq_ignore_ascii_case(b"SIP/2.0") {
            return Err(if version.starts_with(b"SIP/") { Defect::Version } else { Defect::StartLine });
        }
        if !regular {
            return Err(Defect::StartLine);
        }
        let found = Found::collect(message)?;
        let uri = request_uri(uri)?;
        let need = |value: Option<&'a [u8]>, name| value.ok_or(Defect::Missing(name));
        let read = |value, name| NameAddr::parse(value).ok_or(Defect::Malformed(name));
        let via = need(found.via, Name::Via)?;
        let (cseq, cseq_method) = cseq(need(found.cseq, Name::CSeq)?).ok_or(Defect::Malformed(Name::CSeq))?;
        if cseq_method != method {
            return Err(Defect::MethodMismatch);
        }
        let scalar = |value: &[u8], max, name| lex::number(value, max).ok_or(Defect::Malformed(name));
        let max_forwards =
            found.max_forwards.map(|value| scalar(value, 255, Name::MaxForwards)).transpose()?;
        let content_length =
            found.content_length.map(|value| scalar(value, u32::MAX, Name::ContentLength)).transpose()?;
        let content_length = content_length.and_then(|length| usize::try_from(length).ok());
        if content_length.is_some_and(|length| length > message.body().len()) {
            return Err(Defect::ContentLength);
        }
        let call_id = need(found.call_id, Name::CallId)?;
        if call_id.is_empty() || call_id.iter().any(|&octet| lex::is_lws(octet)) {
            return Err(Defect::Malformed(Name::CallId));
        }
        Ok(Self {
            method,
            uri,
            via: Via::parse_first(via).ok_or(Defect::Malformed(Name::Via))?,
            from: read(need(found.from, Name::From)?, Name::From)?,
            to: read(need(found.to, Name::To)?, Name::To)?,
            call_id,
            cseq,
            max_forwards: max_forwards.and_then(|hops| u8::try_from(hops).ok()),
            content_length,
        })
    }
}

impl<'a> Request<'a> {
    /// Reads what a server must refuse as far as one that serves it all the same would: of a header that stands twice the
    /// first counts, and From and To are read [loosely](NameAddr::parse_loosely). `None` where even so nobody is called.
    #[must_use]
    pub fn read_loosely(message: &Message<'a>) -> Option<Self> {
        let StartLine::Request { method, uri, .. } = message.start() else { return None };
        let value = |name| message.header(name).map(|header| header.value);
        let (cseq, _) = value(Name::CSeq).and_then(cseq)?;
        let nobody = Via { transport: b"", host: b"", port: None, params: Params::default(), length: 0 };
        Some(Self {
            method,
            uri: Uri::parse(uri)?,
            via: value(Name::Via).and_then(Via::parse_first).unwrap_or(nobody),
            from: NameAddr::parse_loosely(value(Name::From)?)?,
            to: NameAddr::parse_loosely(value(Name::To)?)?,
            call_id: value(Name::CallId)?,
            cseq,
            max_forwards: None,
            content_length: None,
        })
    }
}

impl<'a> Found<'a> {
    fn collect(message: &Message<'a>) -> Result<Self, Defect> {
        let mut found = Self::default();
        for header in message.headers() {
            found.take(&header)?;
        }
        Ok(found)
    }

    fn take(&mut self, header: &Header<'a>) -> Result<(), Defect> {
        let slot = match header.name {
            Name::Malformed => return Err(Defect::HeaderLine),
            Name::Via => {
                self.via.get_or_insert(header.value);
                return Ok(());
            }
            Name::Contact if header.value != b"*" => {
                let mut values = NameAddrs::new(header.value);
                values.by_ref().for_each(drop);
                return if values.is_finished() { Ok(()) } else { Err(Defect::Malformed(Name::Contact)) };
            }
            Name::From => &mut self.from,
            Name::To => &mut self.to,
            Name::CallId => &mut self.call_id,
            Name::CSeq => &mut self.cseq,
            Name::MaxForwards => &mut self.max_forwards,
            Name::ContentLength => &mut self.content_length,
            _ => return Ok(()),
        };
        if slot.replace(header.value).is_some() {
            return Err(Defect::Repeated(header.name));
        }
        Ok(())
    }
}

fn request_uri(text: &[u8]) -> Result<Uri<'_>, Defect> {
    let uri = Uri::parse(text).ok_or(Defect::RequestUri)?;
    match uri.scheme {
        Scheme::Other => Err(Defect::Scheme),
        // RFC 3261 §19.1.1: headers don't stand in a Request-URI.
        _ if !uri.headers.is_empty() => Err(Defect::RequestUri),
        _ => Ok(uri),
    }
}

/// `CSeq: 1 INVITE`; the number is below 2^31 (RFC 3261 §8.1.1.5).
pub(super) fn cseq(value: &[u8]) -> Option<(u32, &[u8])> {
    let end = value.iter().position(|&octet| lex::is_lws(octet))?;
    let number = lex::number(value.get(..end)?, (1 << 31) - 1)?;
    let method = value.get(end..)?.trim_ascii();
    (!method.is_empty() && method.iter().all(|&octet| lex::is_token(octet))).then_some((number, method))
}
