//! Where a cursor stands in a file that needn't be right yet: a walk over its tokens from the start.

use std::ops::Range;

/// What is around a cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The section it is in, without brackets; empty before the first.
    pub(super) section: String,
    /// Inside `[…]` or `[[…]]` at the start of a line.
    pub(super) in_header: bool,
    /// The keys that lead to it, from the section inwards: `match`, `threat`, `any`. Those of a dotted key count singly.
    pub(super) keys: Vec<String>,
    /// Whether it stands where a value does; otherwise where a key does.
    pub(super) in_value: bool,
    /// The string it is in, without its quotes, up to the cursor; `None` outside strings.
    pub(super) string: Option<String>,
    /// The whole word it touches: letters, digits, `_`, `-`, `.`, and `/`.
    pub(super) word: String,
    /// The word up to the cursor.
    pub(super) typed: String,
    /// Bytes of the word in the file.
    pub(super) span: Range<usize>,
    /// The cursor, in bytes.
    pub(super) offset: usize,
}

/// A bracket that is open, and the keys that lead into it.
struct Open {
    brace: bool,
    keys: Vec<String>,
    in_value: bool,
}

/// The walk so far.
#[derive(Default)]
struct Walk {
    section: String,
    open: Vec<Open>,
    /// Keys of the entry at hand, at the depth at hand.
    keys: Vec<String>,
    in_value: bool,
    token: String,
}

impl Walk {
    fn key_ends(&mut self) {
        let token = std::mem::take(&mut self.token);
        if !self.in_value && !token.is_empty() {
            self.keys.push(token);
        }
    }

    fn line_ends(&mut self) {
        self.token.clear();
        if self.open.is_empty() {
            self.keys.clear();
            self.in_value = false;
        }
    }

    fn opens(&mut self, brace: bool) {
        self.open.push(Open { brace, keys: std::mem::take(&mut self.keys), in_value: self.in_value });
        self.in_value = !brace;
        self.token.clear();
    }

    fn closes(&mut self) {
        self.token.clear();
        if let Some(open) = self.open.pop() {
            (self.keys, self.in_value) = (open.keys, open.in_value);
        }
    }

    fn comma(&mut self) {
        self.token.clear();
        if self.open.last().is_some_and(|open| open.brace) {
            self.keys.clear();
            self.in_value = false;
        }
    }
}

impl Place {
    /// The place of a byte of a text.
    pub(super) fn at(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or_default();
        let mut walk = Walk::default();
        let mut rest = before;
        let mut line_start = true;
        let mut place = Self { offset, ..Self::default() };
        while let Some(char) = rest.chars().next() {
            let after = rest.get(char.len_utf8()..).unwrap_or_default();
            match char {
                '\n' => {
                    walk.line_ends();
                    (rest, line_start) = (after, true);
                    continue;
                }
                ' ' | '\t' | '\r' => rest = after,
                '#' => rest = after.find('\n').and_then(|end| after.get(end..)).unwrap_or_default(),
                '"' | '\'' => match string(rest) {
                    Ok((value, tail)) => {
                        if !walk.in_value {
                            walk.token = value.to_owned();
                        }
                        rest = tail;
                    }
                    Err(open) => {
                        place.string = Some(open.to_owned());
                        rest = "";
                    }
                },
                '[' if line_start && walk.open.is_empty() => match header(rest) {
                    Some((name, tail)) => {
                        walk = Walk { section: name.to_owned(), ..Walk::default() };
                        rest = tail;
                    }
                    None => {
                        place.in_header = true;
                        rest = "";
                    }
                },
                '[' | '{' => {
                    walk.opens(char == '{');
                    rest = after;
                }
                ']' | '}' => {
                    walk.closes();
                    rest = after;
                }
                ',' => {
                    walk.comma();
                    rest = after;
                }
                '.' if !walk.in_value => {
                    walk.key_ends();
                    rest = after;
                }
                '=' if !walk.in_value => {
                    walk.key_ends();
                    walk.in_value = true;
                    rest = after;
                }
                _ => {
                    walk.token.push(char);
                    rest = after;
                }
            }
            line_start = false;
        }
        place.section = walk.section;
        place.in_value = walk.in_value;
        place.keys = walk.open.into_iter().flat_map(|open| open.keys).chain(walk.keys).collect();
        place.words(text);
        place
    }

    fn words(&mut self, text: &str) {
        let is_word = |char: char| char.is_alphanumeric() || matches!(char, '_' | '-' | '.' | '/');
        let before = text.get(..self.offset).unwrap_or_default();
        let after = text.get(self.offset..).unwrap_or_default();
        let start = before.char_indices().rev().take_while(|(_, char)| is_word(*char)).last();
        let start = start.map_or(self.offset, |(at, _)| at);
        let end = after.char_indices().take_while(|(_, char)| is_word(*char)).last();
        let end = end
            .map_or(self.offset, |(at, char)| self.offset.saturating_add(at).saturating_add(char.len_utf8()));
        self.span = start..end;
        self.typed = before.get(start..).unwrap_or_default().to_owned();
        self.word = text.get(start..end).unwrap_or_default().to_owned();
    }
}

/// A string at the start of `text` and what follows it; what is there of one that doesn't end.
fn string(text: &str) -> Result<(&str, &str), &str> {
    let quote = if text.starts_with("\"\"\"") {
        "\"\"\""
    } else if text.starts_with("'''") {
        "'''"
    } else if text.starts_with('"') {
        "\""
    } else {
        "'"
    };
    let inner = text.get(quote.len()..).unwrap_or_default();
    let (escapes, one_line) = (quote.starts_with('"'), quote.len() == 1);
    let mut at = 0;
    while let Some(char) = inner.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = inner.get(at..).unwrap_or_default();
        if rest.starts_with(quote) {
            return Ok((inner.get(..at).unwrap_or_default(), rest.get(quote.len()..).unwrap_or_default()));
        }
        // A line that ends inside a string is being typed: what follows is read as if it had been closed.
        if one_line && char == '\n' {
            return Ok((inner.get(..at).unwrap_or_default(), rest));
        }
        at = at.saturating_add(char.len_utf8());
        if escapes && char == '\\' {
            at = at.saturating_add(
                inner.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8),
            );
        }
    }
    Err(inner)
}

/// `[name]` or `[[name]]` at the start of `text`, and what follows it on its line.
fn header(text: &str) -> Option<(&str, &str)> {
    let line = text.split('\n').next()?;
    let end = line.find(']')?;
    let name = line.get(..end)?.trim_start_matches('[').trim();
    let tail = text.get(end..)?;
    Some((name, tail.trim_start_matches(']')))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The place of `|`.
    fn place(text: &str) -> Place {
        let offset = text.find('|').unwrap_or(text.len());
        Place::at(&text.replacen('|', "", 1), offset)
    }

    #[test]
    fn a_place_is_known_while_it_is_written() {
        let rule = "[[rule]]\nid = \"a/b\"\n";
        let key = place(&format!("{rule}ti|"));
        assert_eq!((key.section.as_str(), key.in_value, key.typed.as_str()), ("rule", false, "ti"));
        let value = place(&format!("{rule}ladder = \"en|\"\nscore = 7"));
        assert_eq!((value.keys, value.string), (vec!["ladder".to_owned()], Some("en".to_owned())));
        let member = place(&format!("{rule}match.threat = {{ any = [\"x\", \"y\"], vi| }}"));
        assert_eq!((member.keys, member.in_value), (vec!["match".to_owned(), "threat".to_owned()], false));
        let include = place("[[group]]\ninclude = [\n  # \"no\n  \"a\",\n  \"b|");
        assert_eq!((include.keys, include.string), (vec!["include".to_owned()], Some("b".to_owned())));
        let condition = place(&format!("{rule}when = \"threat && sender.re|g"));
        assert_eq!((condition.word.as_str(), condition.typed.as_str()), ("sender.reg", "sender.re"));
        assert!(place("[[ru|").in_header);
        assert!(!place("[[rule]]\n|").in_value);
        assert_eq!(place("[[rule]]\ntitle = \"open\nsco|").keys, Vec::<String>::new());
    }
}
