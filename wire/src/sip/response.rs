//! What a proxy looks at before it sends a response on (RFC 3261 §16.7, §18.1.2).

use super::defect::Defect;
use super::header::Name;
use super::lex;
use super::message::{Message, StartLine};
use super::request::cseq;
use super::via::Via;

/// A response that can be sent on.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    /// 100 to 699.
    pub status: u16,
    /// The hop that it is for: ours, where it came to the right place.
    pub via: Via<'a>,
    /// Number of CSeq.
    pub cseq: u32,
    /// The method that it answers.
    pub method: &'a [u8],
    /// To, as it stands: an ACK repeats it.
    pub to: &'a [u8],
    /// Content-Length, where it is given.
    pub content_length: Option<usize>,
}

impl<'a> Response<'a> {
    /// Checks a response.
    ///
    /// # Errors
    /// The first [`Defect`]: such a response is dropped, nobody can be told.
    pub fn check(message: &Message<'a>) -> Result<Self, Defect> {
        let StartLine::Response { status, .. } = message.start() else { return Err(Defect::StartLine) };
        let first = |name| message.header(name).map(|header| header.value).ok_or(Defect::Missing(name));
        let (cseq, method) = cseq(first(Name::CSeq)?).ok_or(Defect::Malformed(Name::CSeq))?;
        let content_length = message
            .header(Name::ContentLength)
            .map(|header| {
                lex::number(header.value, u32::MAX)
                    .and_then(|length| usize::try_from(length).ok())
                    .ok_or(Defect::Malformed(Name::ContentLength))
            })
            .transpose()?;
        if content_length.is_some_and(|length| length > message.body().len()) {
            return Err(Defect::ContentLength);
        }
        let via = Via::parse_first(first(Name::Via)?).ok_or(Defect::Malformed(Name::Via))?;
        Ok(Self { status, via, cseq, method, to: first(Name::To)?, content_length })
    }
}
