//! What can stand where the cursor is.

use serde_json::{Value, json};
use yumen_rules::behave::{Measure, Subject};
use yumen_rules::engine::ListSubject;
use yumen_rules::signal;

use super::check::Packs;
use super::place::Place;
use super::{Document, reference, text};
use crate::Report;
use crate::cel::listed::{LIST_SCORE, LISTED};
use crate::grammar::{self, Field, Shape, Words};
use crate::source::tree::NamedMatch;

/// Kinds of the protocol.
const FUNCTION: u8 = 3;
const FIELD: u8 = 5;
const VARIABLE: u8 = 6;
const MODULE: u8 = 9;
const VALUE: u8 = 12;

/// The completions at a place.
pub(super) fn items(place: &Place, packs: &Packs, document: &Document) -> Value {
    let report = packs.report(&document.path);
    let items = Items { place, document };
    let found = if place.in_header || place.section.is_empty() && !place.in_value {
        items.sections()
    } else if let (true, Some(field)) = (place.in_value, field_at(place)) {
        match field.shape {
            Shape::Word(words) | Shape::WordList(words) => items.words(words),
            Shape::Condition => items.condition(report),
            _ if field.name == "include" => items.groups(report),
            _ => Vec::new(),
        }
    } else if place.in_value {
        Vec::new()
    } else {
        fields_at(place).iter().map(|field| items.field(field)).collect()
    };
    json!({ "isIncomplete": false, "items": found })
}

/// The field whose value the cursor is in.
pub(super) fn field_at(place: &Place) -> Option<&'static Field> {
    let mut fields = grammar::section(&place.section)?.fields;
    let mut found = None;
    let mut keys = place.keys.iter();
    while let Some(key) = keys.next() {
        let field = fields.iter().find(|field| field.name == key)?;
        found = Some(field);
        fields = match field.shape {
            Shape::Table(inner) | Shape::Tables(inner) => inner,
            // The next key is a name that the author chose.
            Shape::Named(inner) => {
                keys.next();
                inner
            }
            Shape::Tests => test_fields(place),
            _ => &[],
        };
    }
    found
}

/// The fields that can stand as a key where the cursor is.
fn fields_at(place: &Place) -> Vec<&'static Field> {
    let Some(section) = grammar::section(&place.section) else { return Vec::new() };
    let mut fields = section.fields;
    let mut keys = place.keys.iter();
    while let Some(key) = keys.next() {
        let Some(field) = fields.iter().find(|field| field.name == key) else { return Vec::new() };
        fields = match field.shape {
            Shape::Table(inner) | Shape::Tables(inner) => inner,
            Shape::Named(inner) if keys.next().is_some() => inner,
            Shape::Tests => test_fields(place),
            _ => return Vec::new(),
        };
    }
    fields.iter().collect()
}

fn test_fields(place: &Place) -> &'static [Field] {
    if place.keys.iter().any(|key| key == "events") { grammar::SEQUENCE_TEST } else { grammar::TEXT_TEST }
}

/// The matches of the rule, suppression or protection that a byte of a file is in.
pub(super) fn own_matches<'r>(report: &'r Report, document: &Document, offset: usize) -> &'r [NamedMatch] {
    let here = report.sources.files().find(|(_, file)| std::path::Path::new(&file.path) == document.path);
    let Some((id, _)) = here else { return &[] };
    let tree = &report.tree;
    let rules = tree.rules.iter().map(|rule| (rule.span, &rule.matches));
    let suppressions = tree.suppressions.iter().map(|suppress| (suppress.span, &suppress.matches));
    let protections = tree.protections.iter().map(|protect| (protect.span, &protect.matches));
    let before = rules
        .chain(suppressions)
        .chain(protections)
        .filter(|(span, _)| span.file == id && (span.start as usize) <= offset);
    before.max_by_key(|(span, _)| span.start).map_or(&[], |(_, matches)| matches)
}

struct Items<'p> {
    place: &'p Place,
    document: &'p Document,
}

impl Items<'_> {
    /// What is typed of the word is replaced by the whole of it.
    fn item(&self, label: &str, insert: &str, kind: u8, detail: &str, words: (&str, &str)) -> Value {
        let (zh, en) = words;
        json!({
            "label": label,
            "kind": kind,
            "detail": detail,
            "documentation": { "kind": "markdown", "value": format!("{zh}\n\n{en}") },
            "textEdit": {
                "range": text::range(&self.document.text, self.place.span.start, self.place.offset),
                "newText": insert,
            },
        })
    }

    fn sections(&self) -> Vec<Value> {
        let section = |section: &grammar::Section| {
            let whole =
                if section.many { format!("[[{}]]", section.name) } else { format!("[{}]", section.name) };
            let insert = if self.place.in_header { section.name } else { &whole };
            self.item(&whole, insert, MODULE, "", (section.zh, section.en))
        };
        grammar::SECTIONS.iter().map(section).collect()
    }

    fn field(&self, field: &Field) -> Value {
        let detail = if field.required { "必填 required" } else { "" };
        let insert = match field.shape {
            Shape::Named(_) => format!("{}.", field.name),
            _ => format!("{} = ", field.name),
        };
        self.item(field.name, &insert, FIELD, detail, (field.zh, field.en))
    }

    fn words(&self, words: Words) -> Vec<Value> {
        let in_string = self.place.string.is_some();
        let word = |word: &str| {
            let insert = if in_string { word.to_owned() } else { format!("\"{word}\"") };
            self.item(word, &insert, VALUE, "", reference::of(word).unwrap_or_default())
        };
        words.all().into_iter().map(word).collect()
    }

    fn groups(&self, report: Option<&Report>) -> Vec<Value> {
        let groups = report.into_iter().flat_map(|report| &report.tree.groups);
        groups
            .map(|group| {
                let members = group.members.any.len().saturating_add(group.members.regex.len());
                let id = group.id.value.as_str();
                self.item(id, id, VARIABLE, &format!("[[group]] · {members}"), ("共享词组", "a shared group"))
            })
            .collect()
    }

    /// Names of a condition: the rule's own matches, shared groups, fields, behaviour, lists.
    fn condition(&self, report: Option<&Report>) -> Vec<Value> {
        let mut items = Vec::new();
        if let Some(report) = report {
            for own in own_matches(report, self.document, self.place.offset) {
                let name = own.name.value.as_str();
                items.push(self.item(
                    name,
                    name,
                    VARIABLE,
                    "match",
                    ("本规则的词组", "a match of this rule"),
                ));
            }
            items.extend(self.groups(Some(report)));
            for list in &report.tree.lists {
                let name = list.name.value.as_str();
                items.push(self.item(
                    name,
                    name,
                    VARIABLE,
                    "[[list]]",
                    ("列表，用于 in", "a list, for `in`"),
                ));
            }
        }
        for field in signal::Field::ALL {
            let kind = match field.kind() {
                signal::FieldKind::Bool => "bool",
                signal::FieldKind::Int => "int",
                signal::FieldKind::Text => "text",
            };
            items.push(self.item(
                field.name(),
                field.name(),
                FIELD,
                kind,
                reference::of(field.name()).unwrap_or_default(),
            ));
        }
        for subject in Subject::ALL {
            for measure in Measure::ALL.into_iter().filter(|measure| measure.suits(subject)) {
                let call = format!("{}.{}(\\\"10m\\\")", subject.name(), measure.name());
                let label = format!("{}.{}(\"10m\")", subject.name(), measure.name());
                // Inside '…' quotes need no escape.
                let literal = self.literal_string();
                let insert = if literal { &label } else { &call };
                items.push(self.item(
                    &label,
                    insert,
                    FUNCTION,
                    "int",
                    reference::of(measure.name()).unwrap_or_default(),
                ));
            }
        }
        for subject in ListSubject::ALL {
            for method in [LISTED, LIST_SCORE] {
                let label = format!("{}.{method}(\"reported\")", subject.name());
                let insert = if self.literal_string() { label.clone() } else { label.replace('"', "\\\"") };
                let detail = if method == LISTED { "bool" } else { "int" };
                items.push(self.item(
                    &label,
                    &insert,
                    FUNCTION,
                    detail,
                    reference::of(method).unwrap_or_default(),
                ));
            }
        }
        let starts = if self.literal_string() { "startsWith(\"\")" } else { "startsWith(\\\"\\\")" };
        items.push(self.item("startsWith", starts, FUNCTION, "bool", ("文字以此开头", "the text begins so")));
        items
    }

    /// Whether the string that the cursor is in is one of those without escapes.
    fn literal_string(&self) -> bool {
        let Some(string) = &self.place.string else { return false };
        let start = self.place.offset.saturating_sub(string.len());
        self.document.text.get(..start).is_some_and(|before| before.ends_with('\''))
    }
}
