//! The regular expressions that rules may use: what Hyperscan and the `regex` crate understand alike.
//!
//! ```text
//! text → syntax tree (what isn't in both is refused, with its place) → ASCII classes made plain → canonical text for each engine
//! ```
//!
//! `\d`, `\w`, `\s` and `\b` mean ASCII; `$` is the very end of the text; `.` is anything but a line feed. There are no flags, no
//! look-around, no back-references, and an expression that matches the empty text is refused.

use std::fmt::Write as _;
use std::ops::Range;

use regex_syntax::ast::{self, Ast};
use regex_syntax::hir::{self, Hir, HirKind, Look};

use crate::limits::{REGEX_BYTES_MAX, REGEX_NEST_MAX, REPETITION_MAX};

/// Why a regular expression can't be used in a rule, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegexDefect {
    /// What is wrong.
    pub kind: RegexDefectKind,
    /// Which bytes of the expression.
    pub span: Range<usize>,
}

/// What is wrong with a regular expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegexDefectKind {
    /// It isn't a regular expression; the parser's words.
    Syntax(String),
    /// Inline flags, `(?i)`.
    Flags,
    /// An assertion that only one of the engines knows, such as `\b{start}`.
    Assertion,
    /// It matches the empty text, so it would match every message.
    MatchesEmpty,
    /// It can't match anything.
    MatchesNothing,
    /// A repetition beyond [`REPETITION_MAX`].
    Repetition,
    /// Longer than [`REGEX_BYTES_MAX`].
    TooLong,
}

impl RegexDefectKind {
    /// What to do about it, in English.
    #[must_use]
    pub fn help_en(&self) -> String {
        match self {
            Self::Syntax(message) => format!("not a valid regular expression: {message}"),
            Self::Flags => "inline flags aren't available: the folded text is lower case already".to_owned(),
            Self::Assertion => "only ^, $, \\A, \\z, \\b and \\B are available".to_owned(),
            Self::MatchesEmpty => {
                "it matches the empty text and so every message: require at least one character".to_owned()
            }
            Self::MatchesNothing => "it can never match".to_owned(),
            Self::Repetition => format!("a repetition goes up to {REPETITION_MAX}"),
            Self::TooLong => {
                format!("at most {REGEX_BYTES_MAX} bytes: split it into several patterns of one group")
            }
        }
    }

    /// What to do about it, in Chinese.
    #[must_use]
    pub fn help_zh(&self) -> String {
        match self {
            Self::Syntax(message) => format!("正则表达式有误：{message}"),
            Self::Flags => "不支持内联标志：折叠后的文本已是小写".to_owned(),
            Self::Assertion => "只支持 ^、$、\\A、\\z、\\b、\\B".to_owned(),
            Self::MatchesEmpty => "能匹配空文本，也就会命中每一条短信：请至少要求一个字符".to_owned(),
            Self::MatchesNothing => "永远不会匹配".to_owned(),
            Self::Repetition => format!("重复次数最多 {REPETITION_MAX}"),
            Self::TooLong => format!("最长 {REGEX_BYTES_MAX} 字节：请拆成同组的多个模式"),
        }
    }
}

impl std::fmt::Display for RegexDefect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (bytes {}..{})", self.kind.help_en(), self.span.start, self.span.end)
    }
}

impl std::error::Error for RegexDefect {}

/// Checks that a regular expression is in the dialect.
///
/// # Errors
/// The first defect, with its place.
pub fn check_regex(text: &str) -> Result<(), RegexDefect> {
    translate(text).map(|_| ())
}

/// An expression as each engine wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Translated {
    pub(crate) hyperscan: String,
    pub(crate) rust: String,
    /// What both were printed from; its assertions mean what the two say, not what they say here.
    pub(crate) hir: Hir,
}

/// Checks and translates a regular expression.
pub(crate) fn translate(text: &str) -> Result<Translated, RegexDefect> {
    let hir = parse(text)?;
    let (hyperscan, rust) = (printed(&hir, "\\b", "\\B"), printed(&hir, "(?-u:\\b)", "(?-u:\\B)"));
    Ok(Translated { hyperscan, rust, hir })
}

/// The meaning of a regular expression, for those who make another matcher of it.
///
/// # Errors
/// The first defect, with its place.
pub fn parse(text: &str) -> Result<Hir, RegexDefect> {
    let whole = |kind| RegexDefect { kind, span: 0..text.len() };
    if text.len() > REGEX_BYTES_MAX {
        return Err(whole(RegexDefectKind::TooLong));
    }
    let mut ast =
        ast::parse::ParserBuilder::new().nest_limit(REGEX_NEST_MAX).build().parse(text).map_err(|error| {
            RegexDefect { kind: RegexDefectKind::Syntax(error.kind().to_string()), span: range(error.span()) }
        })?;
    make_ascii(&mut ast)?;
    let hir = hir::translate::Translator::new().translate(text, &ast).map_err(|error| RegexDefect {
        kind: RegexDefectKind::Syntax(error.kind().to_string()),
        span: range(error.span()),
    })?;
    match hir.properties().minimum_len() {
        None => Err(whole(RegexDefectKind::MatchesNothing)),
        Some(0) => Err(whole(RegexDefectKind::MatchesEmpty)),
        Some(_) => Ok(hir),
    }
}

/// A literal as a regular expression.
pub(crate) fn escape(literal: &str) -> String {
    let mut out = String::with_capacity(literal.len());
    literal.chars().for_each(|char| print_char(char, &mut out));
    out
}

/// Refuses what isn't in the dialect, and makes Perl classes their ASCII equals.
fn make_ascii(ast: &mut Ast) -> Result<(), RegexDefect> {
    let defect = |kind, span: &ast::Span| Err(RegexDefect { kind, span: range(span) });
    match ast {
        Ast::Empty(_) | Ast::Literal(_) | Ast::Dot(_) | Ast::ClassUnicode(_) => {}
        Ast::Flags(flags) => return defect(RegexDefectKind::Flags, &flags.span),
        Ast::Assertion(assertion) => match assertion.kind {
            ast::AssertionKind::StartLine
            | ast::AssertionKind::EndLine
            | ast::AssertionKind::StartText
            | ast::AssertionKind::EndText
            | ast::AssertionKind::WordBoundary
            | ast::AssertionKind::NotWordBoundary => {}
            _ => return defect(RegexDefectKind::Assertion, &assertion.span),
        },
        Ast::ClassPerl(perl) => {
            let item = ast::ClassSetItem::Ascii(ascii(perl));
            let (span, kind) = (perl.span, ast::ClassSet::Item(item));
            *ast = Ast::class_bracketed(ast::ClassBracketed { span, negated: false, kind });
        }
        Ast::ClassBracketed(class) => make_set_ascii(&mut class.kind),
        Ast::Repetition(repetition) => {
            let most = match &repetition.op.kind {
                ast::RepetitionKind::Range(
                    ast::RepetitionRange::Exactly(most)
                    | ast::RepetitionRange::AtLeast(most)
                    | ast::RepetitionRange::Bounded(_, most),
                ) => *most,
                _ => 0,
            };
            if most > REPETITION_MAX {
                return defect(RegexDefectKind::Repetition, &repetition.op.span);
            }
            make_ascii(&mut repetition.ast)?;
        }
        Ast::Group(group) => {
            if group.flags().is_some_and(|flags| !flags.items.is_empty()) {
                return defect(RegexDefectKind::Flags, &group.span);
            }
            make_ascii(&mut group.ast)?;
        }
        Ast::Alternation(alternation) => alternation.asts.iter_mut().try_for_each(make_ascii)?,
        Ast::Concat(concat) => concat.asts.iter_mut().try_for_each(make_ascii)?,
    }
    Ok(())
}

fn make_set_ascii(set: &mut ast::ClassSet) {
    match set {
        ast::ClassSet::Item(item) => make_item_ascii(item),
        ast::ClassSet::BinaryOp(operation) => {
            make_set_ascii(&mut operation.lhs);
            make_set_ascii(&mut operation.rhs);
        }
    }
}

fn make_item_ascii(item: &mut ast::ClassSetItem) {
    match item {
        ast::ClassSetItem::Perl(perl) => *item = ast::ClassSetItem::Ascii(ascii(perl)),
        ast::ClassSetItem::Bracketed(class) => make_set_ascii(&mut class.kind),
        ast::ClassSetItem::Union(union) => union.items.iter_mut().for_each(make_item_ascii),
        ast::ClassSetItem::Empty(_)
        | ast::ClassSetItem::Literal(_)
        | ast::ClassSetItem::Range(_)
        | ast::ClassSetItem::Ascii(_)
        | ast::ClassSetItem::Unicode(_) => {}
    }
}

fn ascii(perl: &ast::ClassPerl) -> ast::ClassAscii {
    let kind = match perl.kind {
        ast::ClassPerlKind::Digit => ast::ClassAsciiKind::Digit,
        ast::ClassPerlKind::Space => ast::ClassAsciiKind::Space,
        ast::ClassPerlKind::Word => ast::ClassAsciiKind::Word,
    };
    ast::ClassAscii { span: perl.span, kind, negated: perl.negated }
}

fn printed(hir: &Hir, boundary: &str, no_boundary: &str) -> String {
    let mut out = String::new();
    print(hir, boundary, no_boundary, &mut out);
    out
}

fn print(hir: &Hir, boundary: &str, no_boundary: &str, out: &mut String) {
    match hir.kind() {
        HirKind::Empty => {}
        HirKind::Literal(literal) => {
            String::from_utf8_lossy(&literal.0).chars().for_each(|char| print_char(char, out));
        }
        HirKind::Class(hir::Class::Unicode(class)) => print_class(class, out),
        HirKind::Class(hir::Class::Bytes(class)) => {
            if let Some(class) = class.to_unicode_class() {
                print_class(&class, out);
            }
        }
        HirKind::Look(look) => out.push_str(match look {
            Look::Start | Look::StartLF | Look::StartCRLF => "^",
            Look::End | Look::EndLF | Look::EndCRLF => "\\z",
            Look::WordAsciiNegate | Look::WordUnicodeNegate => no_boundary,
            _ => boundary,
        }),
        HirKind::Repetition(repetition) => {
            out.push_str("(?:");
            print(&repetition.sub, boundary, no_boundary, out);
            out.push(')');
            match (repetition.min, repetition.max) {
                (0, None) => out.push('*'),
                (1, None) => out.push('+'),
                (0, Some(1)) => out.push('?'),
                (min, None) => append(out, format_args!("{{{min},}}")),
                (min, Some(max)) if min == max => append(out, format_args!("{{{min}}}")),
                (min, Some(max)) => append(out, format_args!("{{{min},{max}}}")),
            }
        }
        HirKind::Capture(capture) => print(&capture.sub, boundary, no_boundary, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| print(part, boundary, no_boundary, out)),
        HirKind::Alternation(parts) => {
            out.push_str("(?:");
            for (position, part) in parts.iter().enumerate() {
                if position > 0 {
                    out.push('|');
                }
                print(part, boundary, no_boundary, out);
            }
            out.push(')');
        }
    }
}

/// A class as its ranges, or as what it leaves out where that is shorter.
fn print_class(class: &hir::ClassUnicode, out: &mut String) {
    let mut complement = class.clone();
    complement.negate();
    if let [only] = complement.ranges()
        && (only.start(), only.end()) == ('\n', '\n')
    {
        out.push('.');
        return;
    }
    let negated = complement.ranges().len() < class.ranges().len() && !complement.ranges().is_empty();
    out.push_str(if negated { "[^" } else { "[" });
    for range in if negated { complement.ranges() } else { class.ranges() } {
        print_char(range.start(), out);
        if range.end() > range.start() {
            out.push('-');
            print_char(range.end(), out);
        }
    }
    out.push(']');
}

fn print_char(char: char, out: &mut String) {
    if char.is_ascii_alphanumeric() || (!char.is_ascii() && char.is_alphanumeric()) {
        out.push(char);
    } else {
        append(out, format_args!("\\x{{{:x}}}", u32::from(char)));
    }
}

fn append(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a String can't fail.
    let _ = out.write_fmt(arguments);
}

fn range(span: &ast::Span) -> Range<usize> {
    span.start.offset..span.end.offset
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Option<RegexDefectKind> {
        check_regex(text).err().map(|defect| defect.kind)
    }

    #[test]
    fn perl_classes_are_ascii() {
        let translated = translate(r"\d+[\s点]\b\W").unwrap();
        assert_eq!(translated.hyperscan, r"(?:[0-9])+[\x{9}-\x{d}\x{20}点]\b[^0-9A-Z\x{5f}a-z]");
        assert_eq!(translated.rust, r"(?:[0-9])+[\x{9}-\x{d}\x{20}点](?-u:\b)[^0-9A-Z\x{5f}a-z]");
    }

    #[test]
    fn ends_are_the_very_end() {
        assert_eq!(translate("^还款.*$").unwrap().hyperscan, r"^还款(?:.)*\z");
    }

    #[test]
    fn what_one_engine_lacks_is_refused_with_its_place() {
        let defect = check_regex("还款(?i:ABC)").unwrap_err();
        assert_eq!((defect.kind, defect.span), (RegexDefectKind::Flags, 6..14));
        assert!(matches!(kind("(?=a)b"), Some(RegexDefectKind::Syntax(_))));
        assert!(matches!(kind(r"(a)\1"), Some(RegexDefectKind::Syntax(_))));
        assert_eq!(kind(r"\b{start}a"), Some(RegexDefectKind::Assertion));
        assert_eq!(kind("a{201}"), Some(RegexDefectKind::Repetition));
        assert_eq!(kind("(还款)?"), Some(RegexDefectKind::MatchesEmpty));
        assert_eq!(kind("^$"), Some(RegexDefectKind::MatchesEmpty));
        assert_eq!(kind(r"[^\s\S]"), Some(RegexDefectKind::MatchesNothing));
        assert_eq!(kind(&"a".repeat(REGEX_BYTES_MAX + 1)), Some(RegexDefectKind::TooLong));
        assert_eq!(kind(r"(今天|今日|\d+点)前(还|处理|结清)"), None);
    }

    #[test]
    fn translation_is_stable() {
        for text in [r"(今天|今日|\d{1,2}点)前(还|处理|结清)", "a|", ".{0,8}微信[^a-z]", r"x\z|\Ay"]
        {
            let Ok(once) = translate(text) else { continue };
            assert_eq!(translate(&once.hyperscan).unwrap().hyperscan, once.hyperscan);
            assert!(regex::Regex::new(&once.rust).is_ok());
        }
    }

    #[test]
    fn literals_stand_for_themselves() {
        let literal = "a.b*[微信]\u{200b}(1+1)?";
        assert!(regex::Regex::new(&format!("^{}$", escape(literal))).unwrap().is_match(literal));
    }
}
