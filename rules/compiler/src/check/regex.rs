//! Regular expressions of sources: their syntax, the engine's dialect, and characters that can't occur in their view.

use regex_syntax::ast::{self, Ast, RepetitionKind, RepetitionRange};
use yumen_rules::signal::View;

use super::canonical;
use crate::diagnostic::{Defect, Diagnostics};
use crate::source::Text;

/// Checks a regex; `false` after an error.
pub(super) fn check(text: &Text, view: View, out: &mut Diagnostics) -> bool {
    if text.value.is_empty() {
        out.at(text.span, Defect::BadRegex { reason: "empty".to_owned() });
        return false;
    }
    let ast = match ast::parse::Parser::new().parse(&text.value) {
        Ok(ast) => ast,
        Err(error) => {
            let span = error.span();
            let place = text.span_of(span.start.offset..span.end.offset);
            out.at(place, Defect::BadRegex { reason: error.kind().to_string() });
            return false;
        }
    };
    let any_case = text.value.contains("(?i");
    if view != View::Plain {
        let mut found = Vec::new();
        foreign_literals(&ast, view, any_case, &mut found);
        for (range, character) in found {
            let defect = Defect::ForeignCharacter {
                character: character.to_string(),
                view: view_name(view).to_owned(),
            };
            out.at(text.span_of(range), defect);
        }
    }
    true
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
fn foreign_literals(ast: &Ast, view: View, any_case: bool, found: &mut Vec<(std::ops::Range<usize>, char)>) {
    match ast {
        Ast::Literal(literal) => {
            let c = literal.c;
            let foreign = if c.is_ascii() {
                c.is_ascii_uppercase() && !any_case
            } else {
                canonical::literal(&c.to_string(), view) != c.to_string()
            };
            if foreign {
                found.push((literal.span.start.offset..literal.span.end.offset, c));
            }
        }
        Ast::Group(group) => foreign_literals(&group.ast, view, any_case, found),
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
                foreign_literals(&repetition.ast, view, any_case, found);
            }
        }
        Ast::Concat(concat) => {
            concat.asts.iter().for_each(|ast| foreign_literals(ast, view, any_case, found))
        }
        Ast::Alternation(either) => {
            either.asts.iter().for_each(|ast| foreign_literals(ast, view, any_case, found))
        }
        _ => {}
    }
}
