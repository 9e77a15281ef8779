//! The JSON schema of rule files (draft 2020-12), for editors that know TOML by schema (Taplo, Even Better TOML).

use serde_json::{Map, Value, json};

use crate::grammar::{EVENT, Field, SECTIONS, SEQUENCE_TEST, Shape, TEXT_TEST, Words};
use crate::limits::REDRESS_CHARS_MAX;

/// The schema.
#[must_use]
pub fn schema() -> Value {
    let mut properties = Map::new();
    for section in SECTIONS {
        let table = table(section.fields);
        let description = description(section.zh, section.en);
        let value = if section.many {
            json!({ "type": "array", "items": table, "description": description })
        } else {
            let mut table = table;
            if let Some(fields) = table.as_object_mut() {
                fields.insert("description".to_owned(), description.into());
            }
            table
        };
        properties.insert(section.name.to_owned(), value);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "玉门规则 Yumen rules",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

fn description(zh: &str, en: &str) -> String {
    format!("{zh}\n\n{en}")
}

fn table(fields: &[Field]) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|field| (field.name.to_owned(), value(field))).collect();
    // A folder's `[defaults]` may say what a rule doesn't.
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn value(field: &Field) -> Value {
    let mut value = match field.shape {
        Shape::Text if matches!(field.name, "zh" | "zh_hant" | "en") => {
            json!({ "type": "string", "maxLength": REDRESS_CHARS_MAX })
        }
        Shape::Text if field.name == "id" => json!({ "type": "string", "minLength": 1 }),
        Shape::Text | Shape::Condition => json!({ "type": "string" }),
        Shape::Texts => one_or_more(&json!({ "type": "string" })),
        Shape::Number(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Word(words) => word(words),
        Shape::WordList(words) => one_or_more(&word(words)),
        Shape::Attempt => json!({ "anyOf": [
            { "type": "integer", "minimum": 1 },
            { "type": "string", "pattern": "^[0-9]{1,3} *%$" },
        ] }),
        Shape::Named(fields) => json!({
            "type": "object",
            "propertyNames": { "pattern": "^[a-z][a-z0-9_]*$" },
            "additionalProperties": table(fields),
        }),
        Shape::Table(fields) => table(fields),
        Shape::Tables(fields) => json!({ "type": "array", "items": table(fields), "minItems": 1 }),
        Shape::Tests => one_or_more(&json!({ "anyOf": [
            { "type": "string", "minLength": 1 },
            table(TEXT_TEST),
            table(SEQUENCE_TEST),
        ] })),
    };
    if let Some(object) = value.as_object_mut() {
        object.insert("description".to_owned(), description(field.zh, field.en).into());
    }
    value
}

fn word(words: Words) -> Value {
    json!({ "enum": words.all() })
}

fn one_or_more(item: &Value) -> Value {
    json!({ "anyOf": [item, { "type": "array", "items": item }] })
}

/// Events stand in sequences only; the table is named here so that it stays part of the schema.
const _: &[Field] = EVENT;
