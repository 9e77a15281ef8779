//! A message as a whole (RFC 3261 §7).

use super::defect::Defect;
use super::header::{Header, Headers, Name};
use super::lex;

/// The first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartLine<'a> {
    /// RFC 3261 §7.1.
    Request {
        /// Case matters.
        method: &'a [u8],
        /// Request-URI, as it stands.
        uri: &'a [u8],
        /// `SIP/2.0`.
        version: &'a [u8],
        /// Written with single spaces, and nothing behind.
        regular: bool,
    },
    /// RFC 3261 §7.2.
    Response {
        /// 100 to 699.
        status: u16,
        /// May be empty, and in any alphabet.
        reason: &'a [u8],
    },
}

/// A checked view: the start line is read, and the headers have an end.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    octets: &'a [u8],
    start: StartLine<'a>,
    head: usize,
    body: usize,
}

impl<'a> Message<'a> {
    /// Reads the start line and finds the body.
    ///
    /// # Errors
    /// [`Defect::Unreadable`]: this is no SIP message, and there is nobody to answer.
    pub fn new_checked(octets: &'a [u8]) -> Result<Self, Defect> {
        let end = octets.iter().position(|&octet| octet == b'\n').ok_or(Defect::Unreadable)?;
        let line = octets.get(..end).ok_or(Defect::Unreadable)?;
        let start = start_line(line.strip_suffix(b"\r").unwrap_or(line)).ok_or(Defect::Unreadable)?;
        let mut headers = Headers::new(octets, end + 1);
        headers.by_ref().for_each(drop);
        let body = match octets.get(headers.position()..) {
            Some([b'\r', b'\n', ..]) => headers.position() + 2,
            Some([b'\n', ..]) => headers.position() + 1,
            _ => return Err(Defect::Unreadable),
        };
        Ok(Self { octets, start, head: end + 1, body })
    }

    /// The whole message.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The first line.
    #[must_use]
    pub const fn start(&self) -> StartLine<'a> {
        self.start
    }

    /// The header lines, in their order.
    #[must_use]
    pub const fn headers(&self) -> Headers<'a> {
        Headers::new(self.octets, self.head)
    }

    /// The first header of that name.
    #[must_use]
    pub fn header(&self, name: Name) -> Option<Header<'a>> {
        self.headers().find(|header| header.name == name)
    }

    /// Everything behind the empty line; of a datagram, what Content-Length leaves out included.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.octets.get(self.body..).unwrap_or_default()
    }
}

fn start_line(line: &[u8]) -> Option<StartLine<'_>> {
    if let Some(rest) = line.strip_prefix(b"SIP/2.0 ") {
        let (code, reason) = match rest.iter().position(|&octet| octet == b' ') {
            Some(space) => (rest.get(..space)?, rest.get(space + 1..)?),
            None => (rest, &b""[..]),
        };
        let status = lex::number(code, 699).filter(|status| *status >= 100)?;
        return Some(StartLine::Response { status: u16::try_from(status).ok()?, reason });
    }
    let first = line.iter().position(|&octet| octet == b' ')?;
    let method = line.get(..first)?;
    if method.is_empty() || !method.iter().all(|&octet| lex::is_token(octet)) {
        return None;
    }
    let rest = line.get(first..)?;
    let trimmed = rest.trim_ascii();
    let last = trimmed.iter().rposition(|&octet| octet == b' ')?;
    let uri = trimmed.get(..last)?.trim_ascii_end();
    let version = trimmed.get(last + 1..)?;
    let regular = rest.len() == uri.len() + version.len() + 2 && !uri.iter().any(|&octet| lex::is_lws(octet));
    Some(StartLine::Request { method, uri, version, regular })
}
