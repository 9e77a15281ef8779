//! A string of a source file that knows where each of its bytes was written.

use super::map::{FileId, Span};

/// A TOML string's value with the way back to its source, through quotes, escapes and line continuations.
#[derive(Clone, Debug)]
pub struct Text {
    /// The value.
    pub value: String,
    /// The whole string with its quotes.
    pub span: Span,
    /// Where runs begin whose bytes stand in the source one for one: `(offset in value, offset in source)`, rising.
    runs: Vec<(u32, u32)>,
}

impl Text {
    /// From a value and the raw token it was parsed from.
    #[must_use]
    pub fn from_token(value: String, file: FileId, start: u32, token: &str) -> Self {
        let end = start.saturating_add(u32::try_from(token.len()).unwrap_or(u32::MAX));
        let runs = runs(token).into_iter().map(|(at, from)| (at, start.saturating_add(from))).collect();
        Self { value, span: Span { file, start, end }, runs }
    }

    /// A text that stands in the source as it is, without quotes (a key, a line of a list file).
    #[must_use]
    pub fn bare(value: &str, file: FileId, start: u32) -> Self {
        let end = start.saturating_add(u32::try_from(value.len()).unwrap_or(u32::MAX));
        Self { value: value.to_owned(), span: Span { file, start, end }, runs: vec![(0, start)] }
    }

    /// The place of a range of the value (bytes).
    #[must_use]
    pub fn span_of(&self, range: std::ops::Range<usize>) -> Span {
        let start = self.source_offset(range.start);
        // The end is found from the last byte inside, so that an escape there is underlined to its own end only.
        let end = if range.end > range.start {
            self.source_offset(range.end).max(start.saturating_add(1))
        } else {
            start.saturating_add(1)
        };
        Span { file: self.span.file, start, end: end.min(self.span.end.max(start.saturating_add(1))) }
    }

    fn source_offset(&self, offset: usize) -> u32 {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        let run = self.runs.partition_point(|&(at, _)| at <= offset).saturating_sub(1);
        let (at, from) = self.runs.get(run).copied().unwrap_or((0, self.span.start));
        from.saturating_add(offset.saturating_sub(at)).min(self.span.end)
    }
}

/// Runs of a raw TOML string token, offsets in the token.
fn runs(token: &str) -> Vec<(u32, u32)> {
    let (quote, multiline) = match token.as_bytes() {
        [b'"', b'"', b'"', ..] => (b'"', true),
        [b'\'', b'\'', b'\'', ..] => (b'\'', true),
        [b'\'', ..] => (b'\'', false),
        _ => (b'"', false),
    };
    let open = if multiline { 3 } else { 1 };
    let bytes = token.as_bytes();
    let mut from = open;
    if multiline {
        // TOML drops a newline right after the opening quotes.
        from += match bytes.get(open..) {
            Some([b'\r', b'\n', ..]) => 2,
            Some([b'\n', ..]) => 1,
            _ => 0,
        };
    }
    let mut runs = vec![(0, clip(from))];
    if quote == b'\'' {
        return runs;
    }
    let mut at = 0usize;
    while let Some(&byte) = bytes.get(from) {
        if byte == b'\\' {
            let (taken, made) = escape(bytes.get(from..).unwrap_or_default());
            from = from.saturating_add(taken);
            at = at.saturating_add(made);
            runs.push((clip(at), clip(from)));
        } else {
            from = from.saturating_add(1);
            at = at.saturating_add(1);
        }
    }
    runs
}

/// How many bytes an escape takes in the source, and how many it makes.
fn escape(bytes: &[u8]) -> (usize, usize) {
    let digits = match bytes.get(1) {
        Some(b'x') => 2,
        Some(b'u') => 4,
        Some(b'U') => 8,
        Some(b'\n' | b'\r' | b' ' | b'\t') => {
            let blank = bytes.iter().skip(1).take_while(|byte| byte.is_ascii_whitespace()).count();
            return (blank.saturating_add(1), 0);
        }
        _ => return (2, 1),
    };
    let code = bytes
        .get(2..2 + digits)
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .and_then(char::from_u32);
    (2 + digits, code.map_or(1, char::len_utf8))
}

fn clip(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(token: &str, value: &str, part: &str) -> String {
        let text = Text::from_token(value.to_owned(), FileId(0), 0, token);
        let at = value.find(part).expect("part of the value");
        let span = text.span_of(at..at + part.len());
        token[span.start as usize..span.end as usize].to_owned()
    }

    #[test]
    fn plain_strings_map_one_for_one() {
        assert_eq!(found("\"threat && debt\"", "threat && debt", "debt"), "debt");
        assert_eq!(found("'还(款|钱'", "还(款|钱", "款"), "款");
    }

    #[test]
    fn escapes_map_back() {
        assert_eq!(found(r#""a \"b\" \u903E期 c""#, "a \"b\" 逾期 c", "c"), "c");
        assert_eq!(found(r#""x \u903E y""#, "x 逾 y", "逾"), r"\u903E ".trim_end());
    }

    #[test]
    fn multiline_strings_map_back() {
        assert_eq!(found("\"\"\"\na &&\n  b\"\"\"", "a &&\n  b", "b"), "b");
        assert_eq!(found("\"\"\"a \\\n   b\"\"\"", "a b", "b"), "b");
        assert_eq!(found("'''\na\\b'''", "a\\b", "b"), "b");
    }
}
