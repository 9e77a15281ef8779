//! Rules, suppressions and protections: their conditions resolved, their tests looked at.

use std::collections::HashMap;

use yumen_rules::signal::Field;
use yumen_rules::verdict::Typology;

use super::groups::Vocabulary;
use crate::cel::{Named, Scope, resolve};
use crate::diagnostic::{Defect, Diagnostic, Diagnostics, Words};
use crate::draft::{Expr, GroupDraft, GroupIndex, ListIndex, ProtectDraft, RuleDraft, SuppressDraft};
use crate::source::tree::{NamedMatch, ProtectSource, RuleSource, SuppressSource, TestSource};
use crate::source::{Span, Text};

/// Resolves sections against the shared vocabulary.
pub(super) struct Resolver<'a> {
    vocabulary: Vocabulary<'a>,
    scope: Scope,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(
        vocabulary: Vocabulary<'a>,
        shared: HashMap<String, Named>,
        lists: HashMap<String, ListIndex>,
    ) -> Self {
        Self { vocabulary, scope: Scope { shared, lists, ..Scope::default() } }
    }

    /// The vocabulary, and where lists are used.
    pub(super) fn finish(self) -> (Vocabulary<'a>, Vec<(ListIndex, Field, Span)>) {
        (self.vocabulary, self.scope.list_uses)
    }

    pub(super) fn rules(&mut self, sources: &'a [RuleSource], out: &mut Diagnostics) -> Vec<RuleDraft> {
        sources.iter().map(|source| self.rule(source, out)).collect()
    }

    fn rule(&mut self, source: &'a RuleSource, out: &mut Diagnostics) -> RuleDraft {
        let id = &source.id.value;
        if source.hits.is_empty() && source.hit_sequences.is_empty() {
            out.at(source.id.span, Defect::NoHit { id: id.clone() });
        }
        if source.misses.is_empty() && source.miss_sequences.is_empty() {
            out.at(source.id.span, Defect::NoMiss { id: id.clone() });
        }
        let when = self.condition(id, &source.matches, source.when.as_ref(), out);
        if let Some(written) = &source.when {
            self.short_literals(id, written, &when, out);
        }
        RuleDraft {
            id: id.clone(),
            // Without a typology an error was reported, and nothing is built.
            typology: source.typology.unwrap_or(Typology::Fraud),
            title_zh: source.title_zh.clone(),
            title_en: source.title_en.clone(),
            sms: source.channels.sms,
            call: source.channels.call,
            ladder: source.ladder,
            score: source.score,
            overrides: source.overrides.clone(),
            when,
            hits: texts(id, &source.hits, out),
            misses: texts(id, &source.misses, out),
            redress: source.redress.as_ref().map(|(texts, _)| texts.clone()).unwrap_or_default(),
        }
    }

    pub(super) fn suppressions(
        &mut self,
        sources: &'a [SuppressSource],
        rules: &[RuleSource],
        out: &mut Diagnostics,
    ) -> Vec<SuppressDraft> {
        sources.iter().map(|source| self.suppression(source, rules, out)).collect()
    }

    fn suppression(
        &mut self,
        source: &'a SuppressSource,
        rules: &[RuleSource],
        out: &mut Diagnostics,
    ) -> SuppressDraft {
        let id = &source.id.value;
        if source.hits.is_empty() && source.hit_sequences.is_empty() {
            out.at(source.id.span, Defect::SuppressWithoutTest { id: id.clone() });
        }
        let mut taken: Vec<usize> = Vec::new();
        for pattern in &source.rules {
            let before = taken.len();
            taken.extend(
                (0..).zip(rules).filter(|(_, rule)| glob(&pattern.value, &rule.id.value)).map(|(at, _)| at),
            );
            if taken.len() == before {
                let diagnostic =
                    Diagnostic::at(pattern.span, Defect::GlobWithoutRule { glob: pattern.value.clone() });
                out.push(diagnostic.nearest(&pattern.value, rules.iter().map(|rule| rule.id.value.as_str())));
            }
        }
        taken.sort_unstable();
        taken.dedup();
        SuppressDraft {
            id: id.clone(),
            title_zh: source.title_zh.clone(),
            title_en: source.title_en.clone(),
            rules: taken,
            typologies: source.typologies.clone(),
            when: self.condition(id, &source.matches, source.when.as_ref(), out),
            hits: texts(id, &source.hits, out),
            misses: texts(id, &source.misses, out),
        }
    }

    pub(super) fn protections(
        &mut self,
        sources: &'a [ProtectSource],
        out: &mut Diagnostics,
    ) -> Vec<ProtectDraft> {
        let mut drafts = Vec::new();
        for source in sources {
            let when = self.condition(&source.id.value, &source.matches, source.when.as_ref(), out);
            if let Some(class) = source.class {
                drafts.push(ProtectDraft { id: source.id.value.clone(), class, when });
            }
        }
        drafts
    }

    fn condition(
        &mut self,
        id: &str,
        matches: &'a [NamedMatch],
        when: Option<&Text>,
        out: &mut Diagnostics,
    ) -> Expr {
        let errors_before = out.errors();
        self.scope.own.clear();
        self.scope.used.clear();
        for own in matches {
            let named = self.vocabulary.named(&format!("{id}/{}", own.name.value), &own.members, out);
            self.scope.own.insert(own.name.value.clone(), named);
        }
        let Some(when) = when else { return Expr::Bool(false) };
        let Some(expr) = resolve(when, &mut self.scope, out) else { return Expr::Bool(false) };
        for own in matches.iter().filter(|own| !self.scope.used.contains(&own.name.value)) {
            out.at(own.name.span, Defect::Unused { name: format!("match.{}", own.name.value) });
        }
        if out.errors() > errors_before {
            return expr;
        }
        if let Expr::Bool(value) = expr {
            out.at(when.span, Defect::Constant { value: value.to_string() });
        }
        expr
    }
}

impl Resolver<'_> {
    /// Reports literals of one character that make a rule's condition true with nothing else. A suppression may rest on one.
    fn short_literals(&self, id: &str, when: &Text, expr: &Expr, out: &mut Diagnostics) {
        for (pattern, text) in &self.vocabulary.short {
            let hits = |group: GroupIndex| {
                self.vocabulary.groups.get(group).is_some_and(|group| group.patterns.contains(pattern))
            };
            if mentions(expr, &hits) && holds_alone(expr, &self.vocabulary.groups, &hits) {
                let defect = Defect::ShortLiteral { literal: text.value.clone(), id: id.to_owned() };
                let label = Words::new("这个条件", "this condition");
                out.push(Diagnostic::at(text.span, defect).and(when.span, label));
            }
        }
    }
}

fn mentions(expr: &Expr, hits: &impl Fn(GroupIndex) -> bool) -> bool {
    match expr {
        Expr::Group(group) | Expr::GroupCount(group, ..) => hits(*group),
        Expr::And(parts) | Expr::Or(parts) => parts.iter().any(|part| mentions(part, hits)),
        Expr::Not(inner) => mentions(inner, hits),
        _ => false,
    }
}

/// Whether the condition is true for a message that has one pattern and no other fact.
pub(crate) fn holds_alone(expr: &Expr, groups: &[GroupDraft], hits: &impl Fn(GroupIndex) -> bool) -> bool {
    match expr {
        Expr::Bool(value) => *value,
        Expr::Group(group) => hits(*group) && groups.get(*group).is_some_and(|group| group.need <= 1),
        Expr::GroupCount(group, compare, number) => {
            compare.holds(i64::from(hits(*group)), i64::from(*number))
        }
        Expr::FieldInt(_, compare, number) => compare.holds(0, *number),
        Expr::And(parts) => parts.iter().all(|part| holds_alone(part, groups, hits)),
        Expr::Or(parts) => parts.iter().any(|part| holds_alone(part, groups, hits)),
        Expr::Not(inner) => !holds_alone(inner, groups, hits),
        _ => false,
    }
}

/// The texts that can be tested without an originator: those go into the pack, for the canary.
fn texts(id: &str, tests: &[TestSource], out: &mut Diagnostics) -> Vec<String> {
    for test in tests.iter().filter(|test| test.text.value.trim().is_empty()) {
        out.at(test.text.span, Defect::EmptyTest { id: id.to_owned() });
    }
    tests
        .iter()
        .filter(|test| test.from.is_none() && test.to.is_none() && test.listed.is_empty())
        .map(|test| test.text.value.clone())
        .collect()
}

/// `*` stands for any characters, `/` included.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_span_whole_ids() {
        assert!(glob("debt-collection/*", "debt-collection/threatens-contacts"));
        assert!(glob("*/official-*", "common/official-warning"));
        assert!(glob("a/b", "a/b"));
        assert!(glob("*", "a/b"));
        assert!(!glob("a/b", "a/bc"));
        assert!(!glob("debt/*", "debt-collection/x"));
        assert!(!glob("*b*b", "a/b"));
    }
}
