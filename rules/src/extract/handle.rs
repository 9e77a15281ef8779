//! WeChat, QQ and Telegram ids: a word for the messenger, and an id behind it.

use super::cluster::Cluster;
use super::link::word;
use super::sink::Sink;
use super::words::{CONNECTORS, QQ, TELEGRAM, WECHAT, ends_with};
use super::{Around, ContactKind};

/// Connecting words that may stand between the messenger's and the id.
const CONNECTORS_MAX: usize = 4;

/// Shortest id, with what it may begin with.
const ID_LEN_MIN: usize = 4;

/// Finds ids, and takes those out of the cluster that can't be telephone numbers.
pub(super) fn find(cluster: &mut Cluster, around: &Around<'_>, sink: &mut Sink<'_>) {
    let mut start = 0;
    while let Some((from, to)) = word(cluster.text(), start) {
        start = to;
        let whole = cluster.text().get(from..to).unwrap_or_default();
        if to - from < ID_LEN_MIN {
            continue;
        }
        let lead = around.before(cluster.offset(from));
        let (kind, skipped) = match announced(lead) {
            // `微信vx:abc` names it twice; `微信vx_abc` doesn't.
            Some(kind) => {
                let again = own_prefix(whole, lead).filter(|(own, len)| {
                    *own == kind && whole.get(..*len).is_some_and(|prefix| prefix.ends_with(b":"))
                });
                (kind, again.map_or(0, |(_, len)| len))
            }
            None if is_bare(lead, whole) => (ContactKind::Wechat, 0),
            None => match own_prefix(whole, lead) {
                Some(own) => own,
                None => continue,
            },
        };
        let rest = whole.get(skipped..).unwrap_or_default();
        let id = rest.get(..id_len(rest)).unwrap_or_default();
        let telegram = kind == ContactKind::Telegram;
        if !is_id(kind, id) || telegram && !is_handle(id, around) {
            continue;
        }
        let span = cluster.offset(from + skipped)..cluster.offset(from + skipped + id.len());
        sink.put(kind, span, &[id]);
        if !(id.len() == 11 && id.starts_with(b"1")) {
            cluster.blank(from, to);
        }
    }
}

/// The messenger that the text before an id names.
fn announced(lead: &[u8]) -> Option<ContactKind> {
    let mut lead = lead.trim_ascii_end();
    for _ in 0..=CONNECTORS_MAX {
        for (kind, words) in [
            (ContactKind::Wechat, &WECHAT[..]),
            (ContactKind::Qq, &QQ[..]),
            (ContactKind::Telegram, &TELEGRAM[..]),
        ] {
            if words.iter().any(|word| ends_with_word(lead, word)) {
                return Some(kind);
            }
        }
        let connector = CONNECTORS.iter().find(|word| ends_with(lead, word))?;
        lead = lead.get(..lead.len() - connector.len())?.trim_ascii_end();
    }
    None
}

/// `微` alone, and right behind it an id of letters and digits.
fn is_bare(lead: &[u8], id: &[u8]) -> bool {
    let has = |is: fn(&u8) -> bool| id.iter().any(is);
    ends_with(lead, "微") && has(u8::is_ascii_alphabetic) && has(u8::is_ascii_digit)
}

/// A word at the end; one of ASCII isn't the end of a longer one.
fn ends_with_word(text: &[u8], word: &str) -> bool {
    if !ends_with(text, word) {
        return false;
    }
    let before = text.get(..text.len() - word.len()).unwrap_or_default();
    !word.starts_with(|char: char| char.is_ascii()) || !before.last().is_some_and(u8::is_ascii_alphanumeric)
}

/// A messenger that the word itself begins with: `vx:abc`, `vx8888888`, and its length.
fn own_prefix(word: &[u8], lead: &[u8]) -> Option<(ContactKind, usize)> {
    const PREFIXES: [(&[u8], ContactKind); 11] = [
        (b"weixin", ContactKind::Wechat),
        (b"wechat", ContactKind::Wechat),
        (b"wxid", ContactKind::Wechat),
        (b"vx", ContactKind::Wechat),
        (b"wx", ContactKind::Wechat),
        (b"v", ContactKind::Wechat),
        (b"telegram", ContactKind::Telegram),
        (b"tg", ContactKind::Telegram),
        (b"qq", ContactKind::Qq),
        (b"q", ContactKind::Qq),
        (b"w", ContactKind::Wechat),
    ];
    let added = lead.trim_ascii_end().ends_with("加".as_bytes());
    for (prefix, kind) in PREFIXES {
        let Some(rest) = word.strip_prefix(prefix) else { continue };
        let glued = rest.len() >= 5 && rest.iter().any(u8::is_ascii_digit);
        let digits = rest.len() >= 5 && rest.iter().all(u8::is_ascii_digit);
        let fits = match rest.first() {
            Some(b':') => return Some((kind, prefix.len() + 1)),
            Some(b'-' | b'_') if prefix.len() > 1 => return Some((kind, prefix.len() + 1)),
            Some(_) if prefix.len() == 1 => added && glued,
            Some(_) if prefix == b"wxid" => return Some((kind, 0)),
            Some(_) => digits || glued && (added || kind == ContactKind::Wechat && prefix.len() == 2),
            None => false,
        };
        if fits {
            return Some((kind, prefix.len()));
        }
    }
    None
}

/// Words follow `飞机` and `TG` too: a handle has a digit, `_` or `@`.
fn is_handle(id: &[u8], around: &Around<'_>) -> bool {
    id.iter().any(|byte| byte.is_ascii_digit() || *byte == b'_')
        || around
            .plain
            .split('@')
            .skip(1)
            .any(|rest| rest.as_bytes().get(..id.len()).is_some_and(|start| start.eq_ignore_ascii_case(id)))
}

fn id_len(text: &[u8]) -> usize {
    let is_id = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.iter().position(|byte| !is_id(byte)).unwrap_or(text.len())
}

fn is_id(kind: ContactKind, id: &[u8]) -> bool {
    let digits = id.iter().filter(|byte| byte.is_ascii_digit()).count();
    let all_digits = digits == id.len();
    match kind {
        ContactKind::Qq => (5..=11).contains(&id.len()) && all_digits && !id.starts_with(b"0"),
        ContactKind::Telegram => (4..=32).contains(&id.len()) && !all_digits,
        _ if all_digits => (5..=11).contains(&id.len()),
        _ => (5..=20).contains(&id.len()) && (digits > 0 || id.len() >= 6),
    }
}
