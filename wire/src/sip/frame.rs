//! Finding messages in a stream (RFC 3261 §18.3, RFC 5626 §3.5.1).

use super::defect::Defect;
use super::header::{Headers, Name};
use super::lex;

/// What the start of a stream holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamFrame {
    /// Not yet a whole message.
    NeedMore,
    /// So many octets of line ends before a message: a keepalive.
    Keepalive(usize),
    /// The first so many octets are one message.
    Whole(usize),
}

/// Finds the message that `stream` starts with; none longer than `bytes_max`.
///
/// # Errors
/// The stream can't be followed any further: a message without end, or without a Content-Length that can be (RFC 3261
/// §18.3: over a stream it must be there; one that isn't there is taken for 0, as most do).
pub fn frame_stream(stream: &[u8], bytes_max: usize) -> Result<StreamFrame, Defect> {
    let blank = stream.iter().take_while(|octet| matches!(octet, b'\r' | b'\n')).count();
    if blank > 0 {
        return Ok(StreamFrame::Keepalive(blank));
    }
    let open = if stream.len() > bytes_max { Err(Defect::Unreadable) } else { Ok(StreamFrame::NeedMore) };
    let Some(start) = stream.iter().position(|&octet| octet == b'\n') else { return open };
    let mut headers = Headers::new(stream, start + 1);
    let mut length = None;
    for header in headers.by_ref() {
        if header.name == Name::ContentLength {
            let announced =
                lex::number(header.value, u32::MAX).ok_or(Defect::Malformed(Name::ContentLength))?;
            if length.replace(announced).is_some() {
                return Err(Defect::Repeated(Name::ContentLength));
            }
        }
    }
    let head = match stream.get(headers.position()..) {
        Some([b'\r', b'\n', ..]) => headers.position() + 2,
        Some([b'\n', ..]) => headers.position() + 1,
        _ => return open,
    };
    let body = usize::try_from(length.unwrap_or(0)).unwrap_or(usize::MAX);
    let whole = head.saturating_add(body);
    if whole > bytes_max {
        return Err(Defect::ContentLength);
    }
    Ok(if whole <= stream.len() { StreamFrame::Whole(whole) } else { StreamFrame::NeedMore })
}
