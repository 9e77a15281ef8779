//! Why a request is refused.

use core::fmt;

use super::header::Name;

/// Why a message can't be served; each has its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// Not one line with a method or a status in it, or no end of the headers: nothing can be answered.
    Unreadable,
    /// The start line isn't written as RFC 3261 §7 asks.
    StartLine,
    /// Another version than 2.0.
    Version,
    /// The Request-URI has a scheme that isn't served.
    Scheme,
    /// The Request-URI isn't written as its scheme asks, or carries headers.
    RequestUri,
    /// A line of the headers without a name.
    HeaderLine,
    /// A header that every request has isn't there.
    Missing(Name),
    /// A header that may stand once stands twice.
    Repeated(Name),
    /// A header's value isn't written as it should be.
    Malformed(Name),
    /// CSeq names another method than the start line.
    MethodMismatch,
    /// Content-Length asks for more octets than there are.
    ContentLength,
}

impl Defect {
    /// The status that it is answered with (RFC 3261 §21.4, §21.5).
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Version => 505,
            Self::Scheme => 416,
            _ => 400,
        }
    }
}

/// The reason phrase.
impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Unreadable => f.write_str("Unreadable Message"),
            Self::StartLine => f.write_str("Bad Start Line"),
            Self::Version => f.write_str("Version Not Supported"),
            Self::Scheme => f.write_str("Unsupported URI Scheme"),
            Self::RequestUri => f.write_str("Bad Request-URI"),
            Self::HeaderLine => f.write_str("Bad Header Line"),
            Self::Missing(name) => write!(f, "Missing {} Header", name.as_str()),
            Self::Repeated(name) => write!(f, "Repeated {} Header", name.as_str()),
            Self::Malformed(name) => write!(f, "Bad {} Header", name.as_str()),
            Self::MethodMismatch => f.write_str("CSeq Method Does Not Match"),
            Self::ContentLength => f.write_str("Content-Length Larger Than Message"),
        }
    }
}

impl core::error::Error for Defect {}
