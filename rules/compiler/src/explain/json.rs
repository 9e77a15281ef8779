//! An explanation for programs.

use serde_json::{Value, json as object};

use super::{Explanation, FieldValue, GroupHits, Outcome, RuleOutcome, Tree};
use yumen_rules::language::Language;

use crate::check::view_name;

/// As one JSON object.
#[must_use]
pub fn json(explanation: &Explanation) -> Value {
    let verdict = &explanation.verdict;
    object!({
        "pack": { "name": explanation.pack, "serial": explanation.serial },
        "text": explanation.text,
        "views": map(explanation.views.iter().map(|(view, text)| (view_name(*view), Value::from(text.as_str())))),
        "fields": map(explanation.fields.iter().map(|(field, value)| (field.name(), field_value(value)))),
        "groups": explanation.groups.iter().map(group).collect::<Vec<_>>(),
        "rules": explanation.rules.iter().map(rule).collect::<Vec<_>>(),
        "suppressions": explanation.suppressions.iter().map(outcome).collect::<Vec<_>>(),
        "protections": explanation.protections.iter().map(outcome).collect::<Vec<_>>(),
        "protected": explanation.protected.iter().map(|class| class.id()).collect::<Vec<_>>(),
        "scores": map(explanation.scores.iter().map(|(typology, score)| (typology.id(), Value::from(*score)))),
        "classifier": explanation.reasons.iter().map(|(typology, score, words)| {
            object!({ "typology": typology.id(), "score": score, "because": words })
        }).collect::<Vec<_>>(),
        "verdict": {
            "action": verdict.action.name(),
            "typology": verdict.typology.map(|typology| typology.id()),
            "score": verdict.score,
            "rule": explanation.decided_by,
            "shadow": verdict.shadow.name(),
        },
        "reason": explanation.redress.as_ref().map(|redress| object!({
            "language": redress.language.tag(),
            "sentence": redress.sentence(),
            "sentences": map(Language::ALL.iter().zip(&redress.sentences).map(|(language, sentence)| {
                (language.tag(), Value::from(sentence.as_str()))
            })),
        })),
    })
}

fn map<'a>(entries: impl Iterator<Item = (&'a str, Value)>) -> Value {
    Value::Object(entries.map(|(key, value)| (key.to_owned(), value)).collect())
}

fn field_value(value: &FieldValue) -> Value {
    match value {
        FieldValue::Bool(value) => Value::from(*value),
        FieldValue::Int(value) => Value::from(*value),
        FieldValue::Text(value) => Value::from(value.as_str()),
    }
}

fn group(group: &GroupHits) -> Value {
    let hits: Vec<Value> = group
        .hits
        .iter()
        .map(|hit| {
            object!({
                "pattern": hit.pattern,
                "regex": hit.regex,
                "view": view_name(hit.view),
                "matched": hit.matched,
                "original": hit.original,
            })
        })
        .collect();
    object!({ "name": group.name, "count": group.count, "need": group.need, "hits": hits })
}

fn rule(rule: &RuleOutcome) -> Value {
    let mut value = outcome(&rule.outcome);
    if let Value::Object(fields) = &mut value {
        fields.insert("typology".to_owned(), rule.typology.id().into());
        fields.insert("score".to_owned(), rule.score.into());
        fields.insert("suppressed_by".to_owned(), rule.suppressed_by.clone().into());
    }
    value
}

fn outcome(outcome: &Outcome) -> Value {
    object!({
        "id": outcome.id,
        "title": { "zh": outcome.title_zh, "en": outcome.title_en },
        "held": outcome.held,
        "condition": outcome.tree.as_ref().map(tree),
    })
}

fn tree(node: &Tree) -> Value {
    let parts = |parts: &[Tree]| parts.iter().map(tree).collect::<Vec<_>>();
    match node {
        Tree::Leaf(leaf) => object!({ "test": leaf.text, "held": leaf.held, "value": leaf.value }),
        Tree::And(all) => object!({ "and": parts(all), "held": node.holds() }),
        Tree::Or(any) => object!({ "or": parts(any), "held": node.holds() }),
        Tree::Not(inner) => object!({ "not": tree(inner), "held": node.holds() }),
    }
}
