//! Lines of a list's source: `number,score[,typology]`.
//!
//! The number is written in any dialect ([`yumen_rules::number`]); `170*` is all numbers that begin so, and `A..B` all from A to B, of one
//! length. Empty lines, what comes after `#`, and a first line of titles are passed over.

use yumen_rules::limits::NUMBER_DIGITS_MAX;
use yumen_rules::number::{CANONICAL_LEN_MAX, NumberKind, classify};
use yumen_rules::numbers::{Key, KeySpan, Listed, SCORE_MAX, spans};
use yumen_rules::verdict::Typology;

use super::{Raw, raw};

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Nothing.
    Empty,
    /// One number.
    Number(u64, Raw),
    /// All numbers of these spans.
    Spans(Vec<KeySpan>, Raw),
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineDefect {
    /// Not `number,score` or `number,score,typology`.
    Fields,
    /// Not a telephone number.
    Number(String),
    /// More digits than a list takes.
    TooLong(String),
    /// Not a prefix.
    Prefix(String),
    /// Not two numbers of one length, the first of them first.
    Range(String),
    /// Not a whole number from 1 to 100.
    Score(String),
    /// Not a typology.
    Typology(String),
    /// The number stands with something else in this line before.
    Differs(u64),
    /// The range overlaps that of this line, and neither lies in the other.
    Overlaps(u64),
    /// Not UTF-8.
    Encoding,
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineError {
    /// The file's name.
    pub file: String,
    /// From 1.
    pub line: u64,
    /// What.
    pub defect: LineDefect,
}

impl LineDefect {
    /// In Chinese and English.
    #[must_use]
    pub fn words(&self) -> (String, String) {
        match self {
            Self::Fields => {
                ("应为 号码,分数[,手法类型]".to_owned(), "number,score[,typology] is expected".to_owned())
            }
            Self::Number(text) => {
                (format!("“{text}” 不是电话号码"), format!("{text:?} is no telephone number"))
            }
            Self::TooLong(text) => (
                format!("“{text}” 超过 {NUMBER_DIGITS_MAX} 位"),
                format!("{text:?} has more than {NUMBER_DIGITS_MAX} digits"),
            ),
            Self::Prefix(text) => (
                format!("“{text}” 不是号段，应如 170*"),
                format!("{text:?} is no prefix; write it such as 170*"),
            ),
            Self::Range(text) => (
                format!("“{text}” 不是范围，应为两个位数相同、前小后大的号码，中间写 .."),
                format!(
                    "{text:?} is no range: two numbers of one length, the lower one first, with .. between"
                ),
            ),
            Self::Score(text) => (
                format!("分数 “{text}” 应为 1 到 {SCORE_MAX} 的整数"),
                format!("the score {text:?} isn't a whole number from 1 to {SCORE_MAX}"),
            ),
            Self::Typology(text) => (
                format!("没有手法类型 “{text}”，可用：{}", Typology::ALL.map(Typology::id).join("、")),
                format!(
                    "there is no typology {text:?}; there are {}",
                    Typology::ALL.map(Typology::id).join(", ")
                ),
            ),
            Self::Differs(line) => (
                format!("同一号码在第 {line} 行的分数或类型不同"),
                format!("line {line} says something else of the same number"),
            ),
            Self::Overlaps(line) => (
                format!("与第 {line} 行的范围部分重叠"),
                format!("overlaps the range of line {line} in part"),
            ),
            Self::Encoding => ("不是 UTF-8".to_owned(), "not UTF-8".to_owned()),
        }
    }
}

/// Reads a line; `first` says that it may be one of titles.
pub(super) fn parse(line: &str, first: bool) -> Result<Line, LineDefect> {
    let line = line.strip_prefix('\u{feff}').unwrap_or(line);
    let line = line.split('#').next().unwrap_or_default().trim();
    if line.is_empty() {
        return Ok(Line::Empty);
    }
    let mut fields = line.split(',').map(|field| field.trim().trim_matches('"').trim());
    let (Some(number), Some(score)) = (fields.next(), fields.next()) else { return Err(LineDefect::Fields) };
    let (typology, None) = (fields.next(), fields.next()) else { return Err(LineDefect::Fields) };
    if first && !number.bytes().any(|byte| byte.is_ascii_digit()) {
        return Ok(Line::Empty);
    }
    let score_found = score.parse().ok().filter(|score| (1..=SCORE_MAX).contains(score));
    let score = score_found.ok_or_else(|| LineDefect::Score(score.to_owned()))?;
    let typology = match typology.filter(|id| !id.is_empty()) {
        None => None,
        Some(id) => Some(Typology::from_id(id).ok_or_else(|| LineDefect::Typology(id.to_owned()))?),
    };
    let value = raw(Listed { score, typology });
    if let Some(prefix) = number.strip_suffix('*') {
        let spans = prefix_spans(prefix).ok_or_else(|| LineDefect::Prefix(number.to_owned()))?;
        return Ok(Line::Spans(spans, value));
    }
    if let Some((from, to)) = number.split_once("..") {
        let (first, last) = (key(from)?, key(to)?);
        let span = one_span(first, last).ok_or_else(|| LineDefect::Range(number.to_owned()))?;
        return Ok(Line::Spans(vec![span], value));
    }
    key(number).map(|key| Line::Number(key, value))
}

fn key(written: &str) -> Result<u64, LineDefect> {
    let mut buffer = [0; CANONICAL_LEN_MAX];
    let number = classify(written, &mut buffer).filter(|number| number.kind != NumberKind::Alphanumeric);
    let key = number.and_then(|number| Key::of(number.canonical));
    let key = key.ok_or_else(|| LineDefect::Number(written.to_owned()))?;
    if key.cut { Err(LineDefect::TooLong(written.to_owned())) } else { Ok(key.value) }
}

/// A prefix isn't a number that could be classified: only the country code is taken off.
fn prefix_spans(prefix: &str) -> Option<Vec<KeySpan>> {
    let bare: String = prefix.chars().filter(|char| !matches!(char, ' ' | '-')).collect();
    let national = bare.strip_prefix("+86").or_else(|| bare.strip_prefix("0086")).unwrap_or(&bare);
    let spans: Vec<KeySpan> = spans(national).collect();
    (!spans.is_empty()).then_some(spans)
}

/// Numbers of one length have keys that differ by less than ten to that length.
fn one_span(first: u64, last: u64) -> Option<KeySpan> {
    let same_length = |a: u64, b: u64| {
        let (mut left, mut right) = ([0; CANONICAL_LEN_MAX], [0; CANONICAL_LEN_MAX]);
        let left = yumen_rules::numbers::canonical(a, &mut left)?.len();
        Some(left == yumen_rules::numbers::canonical(b, &mut right)?.len())
    };
    (first <= last && same_length(first, last)?).then_some(KeySpan { first, last, longer: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_a_number_a_score_and_perhaps_a_typology() {
        let value = |score, typology| raw(Listed { score, typology });
        let number = |text| Key::of(text).unwrap().value;
        assert_eq!(
            parse("+86 138 0000 1234,80", true),
            Ok(Line::Number(number("13800001234"), value(80, None)))
        );
        assert_eq!(
            parse("\"010-12345678\" , 5 , fraud # why", false),
            Ok(Line::Number(number("01012345678"), value(5, Some(Typology::Fraud))))
        );
        for empty in ["", "  # nothing", "number,score,typology", "号码,分数"] {
            assert_eq!(parse(empty, true), Ok(Line::Empty), "{empty}");
        }
        assert!(matches!(parse("170*,40", false), Ok(Line::Spans(spans, _)) if spans.len() == 16));
        assert_eq!(parse("+86170*,40", false), parse("170*,40", false));
        assert!(
            matches!(parse("13800000000..13800000999,9", false), Ok(Line::Spans(spans, _)) if spans[0].last - spans[0].first == 999)
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        use LineDefect as D;
        let wrong = |line: &str| parse(line, false).unwrap_err();
        assert_eq!(wrong("13800001234"), D::Fields);
        assert_eq!(wrong("1,2,fraud,4"), D::Fields);
        assert_eq!(wrong("BANK,50"), D::Number("BANK".to_owned()));
        assert_eq!(wrong("anonymous,50"), D::Number("anonymous".to_owned()));
        assert_eq!(wrong("1069000000000000001,50"), D::TooLong("1069000000000000001".to_owned()));
        assert_eq!(wrong("*,50"), D::Prefix("*".to_owned()));
        assert_eq!(wrong("95..13800001234,50"), D::Range("95..13800001234".to_owned()));
        assert_eq!(wrong("13800001234..13800001233,50"), D::Range("13800001234..13800001233".to_owned()));
        for score in ["0", "101", "x", "", "-1", "5.5"] {
            assert_eq!(wrong(&format!("13800001234,{score}")), D::Score(score.to_owned()));
        }
        assert_eq!(wrong("13800001234,50,scam"), D::Typology("scam".to_owned()));
    }
}
