//! Words and regular expressions.

use std::collections::HashMap;

use yumen_rules::policy::REJECT_AT_DEFAULT;
use yumen_rules::signal::View;

use regex_syntax::ast::{self, Ast, RepetitionKind, RepetitionRange};

use crate::check::{canonical, holds_alone};
use crate::diagnostic::{Defect, Diagnostic, Diagnostics, Words};
use crate::draft::{PackDraft, PatternDraft};
use crate::source::Text;
use crate::source::tree::{MatchSource, Tree};

/// A repetition of anything that may be longer than this finds unrelated words, and costs.
const GAP_CHARS_MAX: u32 = 40;

pub(super) fn lint(tree: &Tree, draft: &PackDraft, out: &mut Diagnostics) {
    let own = tree.rules.iter().flat_map(|rule| &rule.matches);
    let own = own.chain(tree.suppressions.iter().flat_map(|suppress| &suppress.matches));
    let own = own.chain(tree.protections.iter().flat_map(|protect| &protect.matches));
    let matches = own.map(|own| &own.members).chain(tree.groups.iter().map(|group| &group.members));
    for members in matches {
        contained(members, out);
        members.regex.iter().for_each(|text| regex(text, out));
    }
    weak_alone(tree, draft, out);
}

/// Literals that hold another one of the same set.
fn contained(members: &MatchSource, out: &mut Diagnostics) {
    if members.need.is_some() {
        return;
    }
    let folded: Vec<(String, &Text)> =
        members.any.iter().map(|text| (canonical::literal(&text.value, members.view), text)).collect();
    for (long, text) in &folded {
        let inner =
            folded.iter().find(|(short, _)| short.len() < long.len() && long.contains(short.as_str()));
        if let Some((_, inner)) = inner {
            let defect = Defect::Contained { literal: text.value.clone(), inner: inner.value.clone() };
            let label = Words::new("这个词已经足够", "this one is enough");
            out.push(Diagnostic::at(text.span, defect).and(inner.span, label));
        }
    }
}

fn regex(text: &Text, out: &mut Diagnostics) {
    let Ok(ast) = ast::parse::Parser::new().parse(&text.value) else { return };
    let chinese = text.value.chars().any(|c| !c.is_ascii() && c.is_alphabetic());
    walk(&ast, text, chinese, out);
}

fn walk(ast: &Ast, text: &Text, chinese: bool, out: &mut Diagnostics) {
    let part = |span: &ast::Span| {
        let range = span.start.offset..span.end.offset;
        (text.span_of(range.clone()), text.value.get(range).unwrap_or_default().to_owned())
    };
    match ast {
        Ast::ClassPerl(class) if chinese && class.kind == ast::ClassPerlKind::Word => {
            let (span, class) = part(&class.span);
            out.at(span, Defect::AsciiClass { class });
        }
        Ast::Assertion(assertion)
            if chinese
                && matches!(
                    assertion.kind,
                    ast::AssertionKind::WordBoundary | ast::AssertionKind::NotWordBoundary
                ) =>
        {
            let (span, class) = part(&assertion.span);
            out.at(span, Defect::AsciiClass { class });
        }
        Ast::Repetition(repetition) => {
            let longest = match &repetition.op.kind {
                RepetitionKind::ZeroOrOne => Some(1),
                RepetitionKind::Range(
                    RepetitionRange::Exactly(count) | RepetitionRange::Bounded(_, count),
                ) => Some(*count),
                _ => None,
            };
            let anything = matches!(&*repetition.ast, Ast::Dot(_));
            if anything && longest.is_none_or(|longest| longest > GAP_CHARS_MAX) {
                let (span, part) = part(&repetition.span);
                out.at(span, Defect::WideGap { part, limit: GAP_CHARS_MAX.to_string() });
            }
            walk(&repetition.ast, text, chinese, out);
        }
        Ast::Group(group) => walk(&group.ast, text, chinese, out),
        Ast::Concat(concat) => concat.asts.iter().for_each(|ast| walk(ast, text, chinese, out)),
        Ast::Alternation(either) => either.asts.iter().for_each(|ast| walk(ast, text, chinese, out)),
        _ => {}
    }
}

/// Literals of two characters that make a rule block by themselves.
fn weak_alone(tree: &Tree, draft: &PackDraft, out: &mut Diagnostics) {
    let patterns: HashMap<&PatternDraft, usize> =
        draft.patterns.iter().enumerate().map(|(index, pattern)| (pattern, index)).collect();
    for (rule, source) in
        draft.rules.iter().zip(&tree.rules).filter(|(rule, _)| rule.score >= REJECT_AT_DEFAULT)
    {
        for own in &source.matches {
            for text in &own.members.any {
                let view = own.members.view;
                let pattern =
                    PatternDraft { text: canonical::literal(&text.value, view), regex: false, view };
                let Some(&index) = patterns.get(&pattern).filter(|_| is_weak(&text.value)) else { continue };
                let hits = |group: usize| {
                    draft.groups.get(group).is_some_and(|group| group.patterns.contains(&index))
                };
                if holds_alone(&rule.when, &draft.groups, &hits) {
                    let defect = Defect::WeakAlone {
                        literal: text.value.clone(),
                        id: rule.id.clone(),
                        score: rule.score.to_string(),
                    };
                    out.at(text.span, defect);
                }
            }
        }
    }
}

/// Two Chinese characters, or four Latin letters, are part of too many words.
fn is_weak(literal: &str) -> bool {
    let folded = canonical::literal(literal, View::Folded);
    let chars = folded.chars().count();
    chars <= if folded.is_ascii() { 4 } else { 2 }
}
