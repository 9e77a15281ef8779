//! Places as the protocol has them (lines and UTF-16 units from 0), and files as it names them.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// The byte at a place; the nearest before it where there is none.
pub(super) fn offset(text: &str, line: u64, character: u64) -> usize {
    let mut start = 0usize;
    for _ in 0..line {
        match text.get(start..).and_then(|rest| rest.find('\n')) {
            Some(end) => start = start.saturating_add(end).saturating_add(1),
            None => return text.len(),
        }
    }
    let rest = text.get(start..).unwrap_or_default();
    let rest = rest.split('\n').next().unwrap_or_default();
    let mut units = 0u64;
    for (at, char) in rest.char_indices() {
        if units >= character {
            return start.saturating_add(at);
        }
        units = units.saturating_add(char.len_utf16() as u64);
    }
    start.saturating_add(rest.len())
}

/// A stretch of bytes as a range.
pub(super) fn range(text: &str, start: usize, end: usize) -> Value {
    json!({ "start": position(text, start), "end": position(text, end) })
}

fn position(text: &str, offset: usize) -> Value {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset = offset.saturating_sub(1);
    }
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().unwrap_or_default();
    json!({ "line": line, "character": column.encode_utf16().count() })
}

/// The file behind `file:///…`.
pub(super) fn path_of(uri: &str) -> Option<PathBuf> {
    let path = uri.strip_prefix("file://")?;
    let path = path.get(path.find('/')?..)?;
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let coded = (first == b'%').then(|| tail.get(..2)).flatten();
        let byte = coded
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    let path = String::from_utf8(bytes).ok()?;
    // Windows: `/c:/rules` is `c:/rules`.
    let drive = path.as_bytes().get(2) == Some(&b':');
    Some(Path::new(if drive { path.get(1..)? } else { &path }).to_path_buf())
}
