//! Header lines, folded ones and compact names included (RFC 3261 §7.3).

use core::ops::Range;

macro_rules! names {
    ($($variant:ident = $text:literal $(/ $compact:literal)?;)*) => {
        /// A header that somebody here asks for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Name {
            $(#[doc = $text] $variant,)*
            /// Any other.
            Other,
            /// A line without a name.
            Malformed,
        }

        impl Name {
            /// As RFC 3261 writes it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* Self::Other => "Other", Self::Malformed => "Malformed" }
            }

            fn of(name: &[u8]) -> Self {
                $(if name.eq_ignore_ascii_case($text.as_bytes()) $(|| name.eq_ignore_ascii_case($compact.as_bytes()))? {
                    return Self::$variant;
                })*
                Self::Other
            }
        }
    };
}

names! {
    Via = "Via" / "v";
    From = "From" / "f";
    To = "To" / "t";
    CallId = "Call-ID" / "i";
    CSeq = "CSeq";
    MaxForwards = "Max-Forwards";
    Contact = "Contact" / "m";
    ContentLength = "Content-Length" / "l";
    ContentType = "Content-Type" / "c";
    Route = "Route";
    RecordRoute = "Record-Route";
    Require = "Require";
    ProxyRequire = "Proxy-Require";
    ProxyAuthorization = "Proxy-Authorization";
    Authorization = "Authorization";
    Supported = "Supported" / "k";
    UserAgent = "User-Agent";
    AssertedIdentity = "P-Asserted-Identity";
    RemotePartyId = "Remote-Party-ID";
    Diversion = "Diversion";
    HistoryInfo = "History-Info";
    Privacy = "Privacy";
    Reason = "Reason";
    Identity = "Identity" / "y";
    Date = "Date";
    AttestationInfo = "Attestation-Info";
}

/// One header line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// Which.
    pub name: Name,
    /// Its name as it stands.
    pub written: &'a [u8],
    /// Its value without white space around it; folds are still in it.
    pub value: &'a [u8],
    /// Where it stands in the message, its line end included.
    pub line: Range<usize>,
}

/// All header lines of a message, in their order.
#[derive(Clone, Debug)]
pub struct Headers<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Headers<'a> {
    /// From the octet behind the start line.
    pub(super) const fn new(octets: &'a [u8], at: usize) -> Self {
        Self { octets, at }
    }

    /// Where the next line begins.
    pub(super) const fn position(&self) -> usize {
        self.at
    }
}

impl<'a> Iterator for Headers<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        let rest = self.octets.get(self.at..)?;
        if matches!(rest, [] | [b'\n', ..] | [b'\r', b'\n', ..]) {
            return None;
        }
        let length = line_length(rest)?;
        let line = rest.get(..length)?;
        let start = self.at;
        self.at += length;
        let range = start..self.at;
        let Some(colon) = line.iter().position(|&octet| octet == b':') else {
            return Some(Header { name: Name::Malformed, written: line, value: &[], line: range });
        };
        let written = line.get(..colon)?.trim_ascii_end();
        let value = line.get(colon + 1..)?.trim_ascii();
        let is_name = !written.is_empty() && written.iter().all(|&octet| super::lex::is_token(octet));
        let name = if is_name { Name::of(written) } else { Name::Malformed };
        Some(Header { name, written, value, line: range })
    }
}

/// Octets of a line with its end; a line that the next one continues goes on there. `None` where there is no end.
fn line_length(rest: &[u8]) -> Option<usize> {
    let mut length = 0;
    loop {
        length += rest.get(length..)?.iter().position(|&octet| octet == b'\n')? + 1;
        if !matches!(rest.get(length), Some(b' ' | b'\t')) {
            return Some(length);
        }
    }
}
