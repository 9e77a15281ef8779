//! Regular expressions of sources: their syntax, the engine's dialect, and characters that can't occur in their view.

use std::ops::Range;

use regex_syntax::ast::{self, Ast, RepetitionKind, RepetitionRange};
use yumen_matcher::{RegexDefect, check_regex};
use yumen_rules::signal::View;

use super::canonical;
use crate::diagnostic::{Defect, Diagnostics};
use crate::source::Text;

/// Checks a regex; `false` after an error.
pub(super) fn check(text: &Text, view: View, out: &mut Diagnostics) -> bool {
    if let Err(RegexDefect { kind, span }) = check_regex(&text.value) {
        let defect = Defect::BadRegex { reason_zh: kind.help_zh(), reason_en: kind.help_en() };
        out.at(text.span_of(span), defect);
        return false;
    }
    let Ok(ast) = ast::parse::Parser::new().parse(&text.value) else { return true };
    if view != View::Plain {
        let mut found = Vec::new();
        foreign_literals(&ast, view, &mut found);
        for range in joined(found) {
            let characters = text.value.get(range.clone()).unwrap_or_default().to_owned();
            let view = view_name(view).to_owned();
            out.at(text.span_of(range), Defect::ForeignCharacters { characters, view });
        }
    }
    true
}

/// Adjacent ranges as one.
fn joined(ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range),
        }
    }
    joined
}

/// The name of a view in sources.
pub(crate) const fn view_name(view: View) -> &'static str {
    match view {
        View::Folded => "folded",
        View::Squeezed => "squeezed",
        View::Plain => "plain",
        View::Sound => "sound",
    }
}

/// Characters that a match needs and the view never has. Classes and optional parts are left alone: something else
/// can match there. Recursion is as deep as the parser's nesting limit (250).
fn foreign_literals(ast: &Ast, view: View, found: &mut Vec<Range<usize>>) {
    match ast {
        Ast::Literal(literal) => {
            let c = literal.c;
            let foreign = if c.is_ascii() {
                c.is_ascii_uppercase()
            } else {
                canonical::literal(&c.to_string(), view) != c.to_string()
            };
            if foreign {
                found.push(literal.span.start.offset..literal.span.end.offset);
            }
        }
        Ast::Group(group) => foreign_literals(&group.ast, view, found),
        Ast::Repetition(repetition) => {
            let optional = matches!(
                repetition.op.kind,
                RepetitionKind::ZeroOrOne
                    | RepetitionKind::ZeroOrMore
                    | RepetitionKind::Range(
                        RepetitionRange::Exactly(0)
                            | RepetitionRange::AtLeast(0)
                            | RepetitionRange::Bounded(0, _)
                    )
            );
            if !optional {
                foreign_literals(&repetition.ast, view, found);
            }
        }
        Ast::Concat(concat) => concat.asts.iter().for_each(|ast| foreign_literals(ast, view, found)),
        Ast::Alternation(either) => either.asts.iter().for_each(|ast| foreign_literals(ast, view, found)),
        _ => {}
    }
}
