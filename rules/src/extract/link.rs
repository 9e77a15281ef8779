//! Links and e-mail addresses in a cluster.

use super::cluster::Cluster;
use super::sink::Sink;
use super::words::{AMBIGUOUS_TLDS, SHORTENERS, SURE_TLDS, TLDS, starts_with};
use super::{Around, ContactKind, LinkTraits};

/// Longest link that is put together from pieces, bytes.
const PIECES_LEN_MAX: usize = 128;

/// Finds links and addresses, and takes them out of the cluster.
pub(super) fn find(cluster: &mut Cluster, around: &Around<'_>, sink: &mut Sink<'_>) {
    let mut start = 0;
    while let Some((from, to)) = word(cluster.text(), start) {
        start = to;
        // Only the last word can go on across `点`, only one before another across `dot`.
        let goes_on = to < cluster.text().len() || starts_with(around.after(cluster.offset(to)), "点");
        if !goes_on
            && !cluster.text().get(from..to).is_some_and(|word| word.contains(&b'.') || word.contains(&b'@'))
        {
            continue;
        }
        let mut pieces = Pieces::new(cluster.text().get(from..to).unwrap_or_default());
        let mut end = to;
        if pieces.has_dot() || from_pieces(cluster, around, to, &mut pieces, &mut end) {
            let span = cluster.offset(from)..cluster.offset(end);
            if found(pieces.text(), around, span, sink) {
                cluster.blank(from, end);
            }
        }
        start = start.max(end);
    }
}

/// The next word of a cluster.
pub(super) fn word(text: &[u8], from: usize) -> Option<(usize, usize)> {
    let start = from + text.get(from..)?.iter().position(|byte| *byte > b' ')?;
    let len = text.get(start..)?.iter().position(|byte| *byte <= b' ').unwrap_or(text.len() - start);
    Some((start, start + len))
}

/// Puts the parts of a disguised domain together: `tb点example点com`, `example dot com`, `example com/q7`.
fn from_pieces(
    cluster: &mut Cluster,
    around: &Around<'_>,
    to: usize,
    pieces: &mut Pieces,
    end: &mut usize,
) -> bool {
    let text = cluster.text();
    if to == text.len() {
        return across_dots(cluster, around, pieces, end);
    }
    let Some((next, next_end)) = word(text, to) else { return false };
    let next_word = text.get(next..next_end).unwrap_or_default();
    let (tail, tail_end) = if next_word == b"dot" {
        let Some((tail, tail_end)) = word(text, next_end) else { return false };
        (text.get(tail..tail_end).unwrap_or_default(), tail_end)
    } else if around.latin {
        return false;
    } else {
        (next_word, next_end)
    };
    let is_top = SURE_TLDS.contains(&leading_letters(tail)) && pieces.text().len() > 1;
    *end = tail_end;
    is_top && pieces.push(b".") && pieces.push(tail)
}

/// `点` between the parts: they are clusters of their own.
fn across_dots(cluster: &mut Cluster, around: &Around<'_>, pieces: &mut Pieces, end: &mut usize) -> bool {
    let dot = "点".as_bytes();
    let mut at = cluster.end;
    let mut last_start = None;
    while let Some(rest) = around.folded.get(at..).and_then(|rest| rest.strip_prefix(dot)) {
        let len = rest.iter().take_while(|byte| byte.is_ascii() && **byte != b' ').count();
        if len == 0 || !pieces.push(b".") || !pieces.push(rest.get(..len).unwrap_or_default()) {
            break;
        }
        last_start = Some(at + dot.len());
        at += dot.len() + len;
    }
    let Some(last) = last_start.and_then(|start| around.folded.get(start..at)) else { return false };
    if !SURE_TLDS.contains(&leading_letters(last)) {
        return false;
    }
    cluster.end = at;
    *end = cluster.text().len();
    true
}

fn leading_letters(text: &[u8]) -> &[u8] {
    let len = text.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    if text.get(len).is_some_and(|byte| !matches!(byte, b'/' | b':')) {
        text
    } else {
        text.get(..len).unwrap_or_default()
    }
}

/// Puts a link or an address in, if it is one.
fn found(word: &[u8], around: &Around<'_>, span: core::ops::Range<u32>, sink: &mut Sink<'_>) -> bool {
    let scheme = find_bytes(word, b"://");
    let word = scheme.and_then(|at| word.get(at + 3..)).unwrap_or(word);
    if scheme.is_none()
        && let Some(at) = word.iter().position(|byte| *byte == b'@')
    {
        return address(word, at, around, span, sink);
    }
    // `看:example.com` and `qq:example.com` are introductions, `example.com:8080` is a port.
    let word = match word.iter().position(|byte| *byte == b':') {
        Some(at) if !word.get(..at).unwrap_or_default().contains(&b'.') => {
            word.get(at + 1..).unwrap_or_default()
        }
        _ => word,
    };
    let host_len = word.iter().position(|byte| matches!(byte, b'/' | b':' | b'@')).unwrap_or(word.len());
    let (host, rest) = word.split_at_checked(host_len).unwrap_or_default();
    let ip = is_ip(host);
    let explicit = scheme.is_some() || rest.len() > 1;
    if !(ip && explicit || is_domain(host, explicit, around)) {
        return false;
    }
    let traits = LinkTraits { shortened: SHORTENERS.contains(&host), ip, punycode: is_mixed(host, around) };
    let shown = around.as_written(word);
    let path = shown.and_then(|shown| shown.get(host_len..)).unwrap_or(rest);
    sink.put_link(ContactKind::Link, traits, span.clone(), &[host, path]);
    if matches!(host, b"t.me" | b"telegram.me" | b"telegram.dog") {
        let handle = rest.strip_prefix(b"/").unwrap_or_default();
        let handle =
            handle.strip_prefix(b"+").or_else(|| handle.strip_prefix(b"joinchat/")).unwrap_or(handle);
        if !handle.is_empty() {
            sink.put(ContactKind::Telegram, span, &[handle]);
        }
    }
    true
}

fn address(
    word: &[u8],
    at: usize,
    around: &Around<'_>,
    span: core::ops::Range<u32>,
    sink: &mut Sink<'_>,
) -> bool {
    let (local, domain) = word.split_at_checked(at).unwrap_or_default();
    let domain = domain.strip_prefix(b"@").unwrap_or_default();
    let local = local.rsplit(|byte| matches!(byte, b':' | b'/')).next().unwrap_or_default();
    let len = domain.iter().position(|byte| matches!(byte, b'/' | b':' | b'@')).unwrap_or(domain.len());
    let domain = domain.get(..len).unwrap_or_default();
    if local.is_empty() || !is_domain(domain, true, around) {
        return false;
    }
    sink.put(ContactKind::Email, span, &[local, b"@", domain]);
    true
}

/// Two labels or more, the last a top-level domain. `explicit`: a scheme or a path says that it is a link.
fn is_domain(host: &[u8], explicit: bool, around: &Around<'_>) -> bool {
    let labels = host.split(|byte| *byte == b'.');
    let fits = |label: &[u8]| {
        (1..=63).contains(&label.len())
            && label.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let count = labels.clone().count();
    let Some(top) = host.rsplit(|byte| *byte == b'.').next() else { return false };
    if count < 2 || !labels.clone().all(fits) {
        return false;
    }
    let letters =
        (2..=18).contains(&top.len()) && top.iter().all(u8::is_ascii_alphabetic) || top.starts_with(b"xn--");
    if explicit || host.starts_with(b"www.") {
        return letters;
    }
    let named =
        |label: &[u8]| label.iter().any(u8::is_ascii_digit) && label.iter().any(u8::is_ascii_alphabetic);
    let sure = !AMBIGUOUS_TLDS.contains(&top) || !around.latin || host.split(|byte| *byte == b'.').any(named);
    letters && TLDS.contains(&top) && sure
}

fn is_ip(host: &[u8]) -> bool {
    let octet = |label: &[u8]| match label {
        [_] | [_, _] | [b'1', _, _] | [b'2', b'0'..=b'4', _] | [b'2', b'5', b'0'..=b'5'] => {
            label.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    };
    host.split(|byte| *byte == b'.').count() == 4 && host.split(|byte| *byte == b'.').all(octet)
}

/// Punycode, or letters of other scripts that folding made Latin.
fn is_mixed(host: &[u8], around: &Around<'_>) -> bool {
    let foreign = |char: char| matches!(char, '\u{370}'..='\u{58f}' | '\u{13a0}'..='\u{13ff}');
    find_bytes(host, b"xn--").is_some() || around.as_written(host).is_none() && around.plain.contains(foreign)
}

/// Where `needle` stands.
pub(super) fn find_bytes(text: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let last_start = text.len().checked_sub(needle.len())?;
    let mut from = 0;
    // Comparing windows calls memcmp for every byte; most of them are told apart by their first one.
    while let Some(step) = text.get(from..=last_start)?.iter().position(|&byte| byte == first) {
        from += step;
        if text.get(from..)?.starts_with(needle) {
            return Some(from);
        }
        from += 1;
    }
    None
}

/// A link in the making.
struct Pieces {
    bytes: [u8; PIECES_LEN_MAX],
    len: usize,
}

impl Pieces {
    fn new(text: &[u8]) -> Self {
        let mut pieces = Self { bytes: [0; PIECES_LEN_MAX], len: 0 };
        pieces.push(text.get(..text.len().min(PIECES_LEN_MAX)).unwrap_or_default());
        pieces
    }

    fn push(&mut self, text: &[u8]) -> bool {
        let Some(room) = self.bytes.get_mut(self.len..self.len + text.len()) else { return false };
        room.copy_from_slice(text);
        self.len += text.len();
        true
    }

    fn text(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    fn has_dot(&self) -> bool {
        self.text().contains(&b'.')
    }
}
