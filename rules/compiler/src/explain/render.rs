//! An explanation for people.

use std::fmt::Write as _;

use yumen_rules::verdict::Action;

use super::{Explanation, FieldValue, GroupHits, Outcome, RuleOutcome, Tree};
use crate::check::view_name;
use crate::diagnostic::Lang;

/// As text.
#[must_use]
pub fn render(explanation: &Explanation, lang: Lang) -> String {
    let mut out = Page { out: String::new(), lang };
    out.line(0, &explanation.text);
    out.heading("视图", "views");
    for (view, text) in &explanation.views {
        out.line(1, &format!("{:<9} {text}", view_name(*view)));
    }
    out.facts(explanation);
    if !explanation.groups.is_empty() {
        out.heading("命中的词", "hits");
    }
    explanation.groups.iter().for_each(|group| out.group(group));
    if !explanation.rules.is_empty() {
        out.heading("规则", "rules");
    }
    explanation.rules.iter().for_each(|rule| out.rule(rule));
    if !explanation.suppressions.is_empty() {
        out.heading("成立的撤回条件", "suppressions that hold");
    }
    explanation.suppressions.iter().for_each(|outcome| out.outcome(outcome, ""));
    if !explanation.protections.is_empty() || !explanation.protected.is_empty() {
        out.heading("受保护", "protected");
        let classes: Vec<&str> = explanation.protected.iter().map(|class| class.id()).collect();
        out.line(1, &classes.join(", "));
    }
    explanation.protections.iter().for_each(|outcome| out.outcome(outcome, ""));
    if !explanation.reasons.is_empty() {
        out.heading("分类器", "classifier");
    }
    for (typology, score, words) in &explanation.reasons {
        out.line(1, &format!("{} {score}: {}", typology.id(), words.join(" · ")));
    }
    out.verdict(explanation);
    out.out
}

struct Page {
    out: String,
    lang: Lang,
}

impl Page {
    fn line(&mut self, depth: usize, text: &str) {
        let _ = writeln!(self.out, "{:width$}{text}", "", width = depth.saturating_mul(2));
    }

    /// The words in the languages that are shown.
    fn words(&self, zh: &str, en: &str) -> String {
        match (self.lang, zh.is_empty(), en.is_empty()) {
            (Lang::Zh, false, _) | (_, false, true) => zh.to_owned(),
            (Lang::En, _, false) | (_, true, _) => en.to_owned(),
            _ => format!("{zh} {en}"),
        }
    }

    fn heading(&mut self, zh: &str, en: &str) {
        let words = self.words(zh, en);
        self.line(0, &words);
    }

    /// The facts that say something: what is false, zero or empty is left out.
    fn facts(&mut self, explanation: &Explanation) {
        let facts: Vec<String> = explanation
            .fields
            .iter()
            .filter_map(|(field, value)| match value {
                FieldValue::Bool(false) | FieldValue::Int(0) => None,
                FieldValue::Text(text) if text.is_empty() => None,
                FieldValue::Bool(true) => Some(field.name().to_owned()),
                FieldValue::Int(number) => Some(format!("{} = {number}", field.name())),
                FieldValue::Text(text) => Some(format!("{} = {text:?}", field.name())),
            })
            .collect();
        self.heading("事实", "facts");
        self.line(1, &facts.join(", "));
    }

    fn group(&mut self, group: &GroupHits) {
        let missing = if group.count < u32::from(group.need) {
            format!(" ({}/{})", group.count, group.need)
        } else {
            String::new()
        };
        self.line(1, &format!("{}{missing}", group.name));
        for hit in &group.hits {
            let pattern =
                if hit.regex { format!("/{}/ {}", hit.pattern, hit.matched) } else { hit.pattern.clone() };
            let from = if hit.original.is_empty() || hit.original == hit.matched {
                String::new()
            } else {
                format!(" ← {}", hit.original.escape_debug())
            };
            self.line(2, &format!("{pattern}{from}"));
        }
    }

    fn rule(&mut self, rule: &RuleOutcome) {
        let mut note = format!("{} {}", rule.typology.id(), rule.score);
        if let Some(suppression) = &rule.suppressed_by {
            let words =
                self.words(&format!("被 {suppression} 撤回"), &format!("taken back by {suppression}"));
            let _ = write!(note, " · {words}");
        }
        self.outcome(&rule.outcome, &note);
    }

    fn outcome(&mut self, outcome: &Outcome, note: &str) {
        let title = self.words(&outcome.title_zh, &outcome.title_en);
        let mark = mark(outcome.held);
        self.line(1, format!("{mark} {}  {note}  {title}", outcome.id).trim_end());
        match &outcome.tree {
            Some(tree) if outcome.held => self.tree(tree, 2),
            Some(tree) => {
                let missing: Vec<String> = tree.decisive().iter().map(|leaf| leaf.shown()).collect();
                let words = self.words("差在", "because of");
                self.line(3, &format!("{words}: {}", missing.join(", ")));
            }
            None => {}
        }
    }

    fn tree(&mut self, tree: &Tree, depth: usize) {
        match tree {
            Tree::Leaf(leaf) => self.line(depth, &format!("{} {}", mark(leaf.held), leaf.shown())),
            Tree::Not(inner) => match &**inner {
                Tree::Leaf(leaf) => self.line(depth, &format!("{} !{}", mark(!leaf.held), leaf.shown())),
                inner => {
                    self.line(depth, &format!("{} !", mark(tree.holds())));
                    self.tree(inner, depth.saturating_add(1));
                }
            },
            Tree::And(parts) | Tree::Or(parts) => {
                let operator = if matches!(tree, Tree::And(_)) { "&&" } else { "||" };
                self.line(depth, &format!("{} {operator}", mark(tree.holds())));
                parts.iter().for_each(|part| self.tree(part, depth.saturating_add(1)));
            }
        }
    }

    fn verdict(&mut self, explanation: &Explanation) {
        self.heading("结论", "verdict");
        let scores: Vec<String> =
            explanation.scores.iter().map(|(typology, score)| format!("{} {score}", typology.id())).collect();
        if !scores.is_empty() {
            let words = self.words("得分", "scores");
            self.line(1, &format!("{words}: {}", scores.join(", ")));
        }
        let verdict = &explanation.verdict;
        let mut line = verdict.action.name().to_owned();
        if let (true, Some(rule)) = (verdict.action != Action::Allow, &explanation.decided_by) {
            let _ = write!(line, " · {rule}");
        }
        self.line(1, &line);
        if verdict.shadow != verdict.action && verdict.shadow != Action::Allow {
            let words =
                self.words("若全部规则都执行且无保护", "if every rule enforced and nothing were protected");
            self.line(1, &format!("{words}: {}", verdict.shadow.name()));
        }
        if let Some(redress) = &explanation.redress {
            let words = self.words("告知被拦者", "to tell the person blocked");
            self.line(1, &format!("{words}: {}", redress.sentence()));
        }
    }
}

const fn mark(held: bool) -> char {
    if held { '✓' } else { '✗' }
}
