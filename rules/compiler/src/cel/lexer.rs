//! Tokens of a condition.

use std::ops::Range;

use crate::diagnostic::Defect;

/// A token with its place in the condition (bytes).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) range: Range<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A name without dots.
    Name(String),
    Int(i64),
    /// A decimal, in thousandths.
    Thousandths(i64),
    Text(String),
    /// An operator or a bracket.
    Symbol(&'static str),
    End,
}

/// What the lexer stumbled over.
pub(super) type Stumble = Box<(Range<usize>, Defect)>;

/// Longest first, so that `<=` isn't read as `<`.
const SYMBOLS: [&str; 17] =
    ["&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "(", ")", "[", "]", ",", ".", "-", "+"];

/// All tokens, [`TokenKind::End`] last.
pub(super) fn tokens(source: &str) -> Result<Vec<Token>, Stumble> {
    let mut tokens = Vec::new();
    let mut at = 0usize;
    loop {
        let rest = source.get(at..).unwrap_or_default();
        let trimmed = rest.trim_start();
        at = at.saturating_add(rest.len().saturating_sub(trimmed.len()));
        let Some(first) = trimmed.chars().next() else {
            tokens.push(Token { kind: TokenKind::End, range: at..at });
            return Ok(tokens);
        };
        let (kind, length) = match first {
            'a'..='z' | 'A'..='Z' | '_' => {
                let length = span_while(trimmed, |c| c.is_ascii_alphanumeric() || c == '_');
                (TokenKind::Name(trimmed.get(..length).unwrap_or_default().to_owned()), length)
            }
            '0'..='9' => int(trimmed, at)?,
            '"' | '\'' => text(trimmed, at, first)?,
            _ => symbol(trimmed, at, first)?,
        };
        let end = at.saturating_add(length);
        tokens.push(Token { kind, range: at..end });
        at = end;
    }
}

fn span_while(text: &str, wanted: impl Fn(char) -> bool) -> usize {
    text.find(|c| !wanted(c)).unwrap_or(text.len())
}

fn int(text: &str, at: usize) -> Result<(TokenKind, usize), Stumble> {
    let length = span_while(text, |c| c.is_ascii_alphanumeric());
    let digits = text.get(..length).unwrap_or_default();
    if let Some(fraction) = text.get(length..).and_then(|rest| rest.strip_prefix('.'))
        && fraction.starts_with(|c: char| c.is_ascii_digit())
    {
        return decimal(digits, fraction, at);
    }
    digits.parse().map(|number| (TokenKind::Int(number), length)).map_err(|_| {
        Box::new((at..at.saturating_add(length), Defect::NumberRange { number: digits.to_owned() }))
    })
}

/// `0.15`, with up to three places.
fn decimal(whole: &str, fraction: &str, at: usize) -> Result<(TokenKind, usize), Stumble> {
    let places = span_while(fraction, |c| c.is_ascii_alphanumeric());
    let length = whole.len().saturating_add(1).saturating_add(places);
    let fraction = fraction.get(..places).unwrap_or_default();
    let thousandths = format!("{whole}{fraction:0<3}");
    match thousandths.parse() {
        Ok(number) if places <= 3 => Ok((TokenKind::Thousandths(number), length)),
        _ => {
            let number = format!("{whole}.{fraction}");
            Err(Box::new((at..at.saturating_add(length), Defect::NumberRange { number })))
        }
    }
}

fn text(source: &str, at: usize, quote: char) -> Result<(TokenKind, usize), Stumble> {
    let mut value = String::new();
    let mut chars = source.char_indices().skip(1);
    while let Some((offset, c)) = chars.next() {
        if c == quote {
            return Ok((TokenKind::Text(value), offset.saturating_add(1)));
        }
        if c == '\\' {
            // CEL's simple escapes; any other character stands for itself.
            match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, escaped)) => value.push(escaped),
                None => {}
            }
        } else {
            value.push(c);
        }
    }
    Err(Box::new((at..at.saturating_add(source.len()), Defect::OpenText { quote: quote.to_string() })))
}

fn symbol(text: &str, at: usize, first: char) -> Result<(TokenKind, usize), Stumble> {
    if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| text.starts_with(symbol)) {
        return Ok((TokenKind::Symbol(symbol), symbol.len()));
    }
    let defect = Defect::Unexpected {
        found: format!("`{first}`"),
        expected_zh: "名字、值或运算符".to_owned(),
        expected_en: "a name, a value or an operator".to_owned(),
    };
    Err(Box::new((at..at.saturating_add(first.len_utf8()), defect)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_their_places() {
        let found = tokens("a.count>=2 && !b").expect("well formed");
        let kinds: Vec<_> = found.iter().map(|token| token.kind.clone()).collect();
        let name = |text: &str| TokenKind::Name(text.to_owned());
        assert_eq!(
            kinds,
            [
                name("a"),
                TokenKind::Symbol("."),
                name("count"),
                TokenKind::Symbol(">="),
                TokenKind::Int(2),
                TokenKind::Symbol("&&"),
                TokenKind::Symbol("!"),
                name("b"),
                TokenKind::End,
            ]
        );
        assert_eq!(found[3].range, 7..9);
    }

    #[test]
    fn open_text_is_a_defect() {
        let (range, defect) = *tokens("x == \"abc").expect_err("open");
        assert_eq!(range, 5..9);
        assert!(matches!(defect, Defect::OpenText { .. }), "{defect:?}");
    }

    proptest::proptest! {
        #[test]
        fn any_text_ends(source in "\\PC{0,60}") {
            let _ = tokens(&source);
        }
    }
}
