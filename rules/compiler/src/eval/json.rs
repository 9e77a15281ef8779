//! An evaluation for programs.

use serde_json::{Value, json as object};

use super::{Evaluation, Row, Wrong};

/// As one JSON object. Rates are fractions, `null` where there is nothing to take one of.
#[must_use]
pub fn json(evaluation: &Evaluation) -> Value {
    let labels = evaluation.labels.iter().map(|(label, meaning, counts)| {
        let mut value = row(counts);
        if let Value::Object(fields) = &mut value {
            fields.insert("label".to_owned(), label.as_str().into());
            fields.insert("meaning".to_owned(), meaning.id().into());
        }
        value
    });
    let typologies = evaluation.typologies.iter().map(|row| {
        object!({
            "typology": row.typology.id(), "labelled": row.labelled, "caught": row.caught, "named": row.named,
            "right": row.right, "ham": row.ham, "precision": row.precision(), "recall": row.recall(),
        })
    });
    let rules = evaluation.rules.iter().map(|rule| {
        object!({
            "id": rule.id, "typology": rule.typology.id(), "score": rule.score, "hits": rule.hits,
            "right": rule.right, "other": rule.other, "ham": rule.ham, "ham_blocked": rule.ham_blocked,
            "suppressed": rule.suppressed, "precision": rule.precision(), "recall": rule.recall(),
            "evaluations_per_message": rule.evaluations, "ns_per_message": rule.ns,
        })
    });
    object!({
        "pack": { "name": evaluation.pack.0, "serial": evaluation.pack.1 },
        "total": row(&evaluation.total),
        "scam": row(&evaluation.scam),
        "ham": row(&evaluation.ham),
        "labels": labels.collect::<Vec<_>>(),
        "variants": evaluation.variants.iter().map(|(variant, counts)| {
            let mut value = row(counts);
            if let Value::Object(fields) = &mut value {
                fields.insert("variant".to_owned(), variant.as_str().into());
            }
            value
        }).collect::<Vec<_>>(),
        "typologies": typologies.collect::<Vec<_>>(),
        "rules": rules.collect::<Vec<_>>(),
        "false_positives": evaluation.false_positives.iter().map(wrong).collect::<Vec<_>>(),
        "missed": evaluation.missed.iter().map(wrong).collect::<Vec<_>>(),
        "ns_per_message": evaluation.ns_mean,
    })
}

fn row(row: &Row) -> Value {
    let named: serde_json::Map<String, Value> =
        row.named.iter().map(|(typology, count)| (typology.id().to_owned(), (*count).into())).collect();
    object!({
        "records": row.records, "blocked": row.blocked, "flagged": row.flagged, "rate": row.rate(), "named": named,
    })
}

fn wrong(wrong: &Wrong) -> Value {
    object!({
        "line": wrong.line, "label": wrong.label, "action": wrong.action.name(),
        "typology": wrong.typology.map(|typology| typology.id()), "score": wrong.score, "rules": wrong.rules,
        "text": wrong.text,
    })
}
