//! `yumen rules fmt`: the same file, written one way. Comments stay, and what stands in one line stays in one line where it fits.
//!
//! - fields in the order of the reference; `match.name` as dotted keys, in the order their author wrote them
//! - one blank after `=` and `,`, none inside `[]`, one inside `{}`
//! - an array that doesn't fit a line has a line for each value, and a comma after the last
//! - one empty line between sections, none at the end
//!
//! The order of sections and of the values of an array is the author's: it says something.

use toml_edit::{
    Array, ArrayOfTables, DocumentMut, InlineTable, Item, KeyMut, RawString, Table, TableLike, Value,
};
use unicode_width::UnicodeWidthStr as _;

use crate::grammar::{self, Field, Shape};

/// Columns that a line has room for.
const COLUMNS_MAX: usize = 120;

/// Why a file isn't written anew.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// It isn't TOML.
    #[error("{0}")]
    Syntax(#[from] toml_edit::TomlError),
    /// The file would say something else: a defect of the formatter, which leaves the file alone then.
    #[error("it would not say the same any more; please report this file")]
    Changed,
}

/// The file, written one way. Writing it again changes nothing.
///
/// # Errors
/// [`FormatError`].
pub fn format(source: &str) -> Result<String, FormatError> {
    let mut document: DocumentMut = source.parse()?;
    let before = document.clone();
    for (mut key, item) in document.as_table_mut().iter_mut() {
        let fields = grammar::section(key.get()).map_or(&[][..], |section| section.fields);
        plain_key(&mut key);
        match item {
            Item::Table(table) => section(table, fields),
            Item::ArrayOfTables(tables) => sections(tables, fields),
            _ => {}
        }
    }
    let formatted = tidy(&document.to_string());
    let after: DocumentMut = formatted.parse()?;
    if same_table(before.as_table(), after.as_table()) { Ok(formatted) } else { Err(FormatError::Changed) }
}

fn sections(tables: &mut ArrayOfTables, fields: &'static [Field]) {
    for table in tables.iter_mut() {
        section(table, fields);
    }
}

fn section(table: &mut Table, fields: &'static [Field]) {
    let prefix = comments(table.decor().prefix());
    let apart = if apart(table.decor().prefix()) { "\n" } else { "" };
    table.decor_mut().set_prefix(format!("\n{prefix}{apart}"));
    let suffix = trailing(table.decor().suffix());
    table.decor_mut().set_suffix(suffix);
    table.sort_values_by(|a, _, b, _| rank(fields, a.get()).cmp(&rank(fields, b.get())));
    for (key, item) in table.iter_mut() {
        let field = fields.iter().find(|field| field.name == key.get());
        entry(key, item, field, "");
    }
}

fn rank(fields: &[Field], name: &str) -> usize {
    fields.iter().position(|field| field.name == name).unwrap_or(fields.len())
}

/// `key = value` of a section, or dotted keys of a table that is written so; `path` is what stands before the key.
fn entry(mut key: KeyMut<'_>, item: &mut Item, field: Option<&Field>, path: &str) {
    let name = format!("{path}{}", key.get());
    // The comments above the entry.
    let leaf = comments(key.leaf_decor().prefix());
    let dotted =
        key.dotted_decor().prefix().and_then(RawString::as_str).unwrap_or_default().trim().to_owned();
    let _ = dotted;
    match item {
        Item::Table(table) if table.is_dotted() => {
            let inner = match field.map(|field| field.shape) {
                Some(Shape::Named(_)) | None => None,
                Some(_) => field,
            };
            let shape = match field.map(|field| field.shape) {
                Some(Shape::Named(fields)) => fields,
                _ => &[],
            };
            let _ = inner;
            plain_key(&mut key);
            for (key, item) in table.iter_mut() {
                named(key, item, shape, &format!("{name}."));
            }
        }
        Item::Value(value) => {
            plain_key(&mut key);
            key.leaf_decor_mut().set_prefix(leaf);
            key.leaf_decor_mut().set_suffix(" ");
            lay_out(value, field, name.width().saturating_add(3), 0);
        }
        _ => {}
    }
}

/// `match.name = { … }`.
fn named(mut key: KeyMut<'_>, item: &mut Item, fields: &'static [Field], path: &str) {
    let leaf = comments(key.leaf_decor().prefix());
    let width = path.width().saturating_add(key.get().width()).saturating_add(3);
    match item {
        Item::Value(value) => {
            plain_key(&mut key);
            key.leaf_decor_mut().set_prefix(leaf);
            key.leaf_decor_mut().set_suffix(" ");
            if let Value::InlineTable(table) = value {
                sort_inline(table, fields);
            }
            lay_out(value, None, width, 0);
        }
        // `match.a.any = […]`: as it is.
        Item::Table(table) if table.is_dotted() => {
            for (mut key, item) in table.iter_mut() {
                key.leaf_decor_mut().set_suffix(" ");
                if let Item::Value(value) = item {
                    lay_out(value, None, width, 0);
                }
            }
        }
        _ => {}
    }
}

fn sort_inline(table: &mut InlineTable, fields: &'static [Field]) {
    table.sort_values_by(|a, _, b, _| rank(fields, a.get()).cmp(&rank(fields, b.get())));
}

/// Writes a value that begins at column `start`, its lines indented by `indent`.
fn lay_out(value: &mut Value, field: Option<&Field>, start: usize, indent: usize) {
    let (prefix, suffix) = (comments(value.decor().prefix()), trailing(value.decor().suffix()));
    let _ = (prefix, field);
    one_line(value);
    let width = value.to_string().trim().width().saturating_add(start);
    let has_comments = has_comments(value);
    if has_comments || width > COLUMNS_MAX {
        broken(value, indent);
    }
    value.decor_mut().set_prefix(" ");
    value.decor_mut().set_suffix(suffix);
}

/// Everything in one line, comments left where they are.
fn one_line(value: &mut Value) {
    match value {
        Value::Array(array) if !array_has_comments(array) => {
            let last = array.len().saturating_sub(1);
            for (at, item) in array.iter_mut().enumerate() {
                one_line(item);
                item.decor_mut().set_prefix(if at == 0 { "" } else { " " });
                item.decor_mut().set_suffix("");
                let _ = last;
            }
            array.set_trailing("");
            array.set_trailing_comma(false);
        }
        Value::InlineTable(table) if !table_has_comments(table) => {
            let last = table.len().saturating_sub(1);
            for (at, (mut key, value)) in table.iter_mut().enumerate() {
                key.leaf_decor_mut().set_prefix(" ");
                key.leaf_decor_mut().set_suffix(" ");
                one_line(value);
                value.decor_mut().set_prefix(" ");
                value.decor_mut().set_suffix(if at == last { " " } else { "" });
            }
        }
        _ => {}
    }
}

/// An array with a line for each value, a table with its longest arrays so.
fn broken(value: &mut Value, indent: usize) {
    let inner = indent.saturating_add(2);
    let pad = |depth: usize| format!("\n{:depth$}", "", depth = depth);
    match value {
        Value::Array(array) => {
            for item in array.iter_mut() {
                let above = between(item.decor().prefix(), inner);
                let behind = trailing(item.decor().suffix());
                if item.to_string().trim().width().saturating_add(inner) > COLUMNS_MAX {
                    one_line(item);
                    broken_inside(item, inner);
                }
                item.decor_mut().set_prefix(format!("{above}{}", pad(inner)));
                item.decor_mut().set_suffix(behind);
            }
            let below = between(Some(array.trailing()), inner);
            array.set_trailing(format!("{below}{}", pad(indent)));
            array.set_trailing_comma(true);
        }
        Value::InlineTable(_) => broken_inside(value, indent),
        _ => {}
    }
}

/// A table stays on its line, and its arrays that are long get lines of their own.
fn broken_inside(value: &mut Value, indent: usize) {
    let Value::InlineTable(table) = value else { return };
    for (_, value) in table.iter_mut() {
        let long = value.to_string().trim().width().saturating_add(indent) > COLUMNS_MAX / 2;
        if matches!(value, Value::Array(array) if array.len() > 1) && long || has_comments(value) {
            let suffix = trailing(value.decor().suffix());
            broken(value, indent);
            value.decor_mut().set_prefix(" ");
            value.decor_mut().set_suffix(if suffix.is_empty() { " ".to_owned() } else { suffix });
        }
    }
    let last = table.len().saturating_sub(1);
    for (at, (_, value)) in table.iter_mut().enumerate() {
        if at != last {
            value.decor_mut().set_suffix("");
        }
    }
}

fn has_comments(value: &Value) -> bool {
    match value {
        Value::Array(array) => array_has_comments(array),
        Value::InlineTable(table) => table_has_comments(table),
        _ => false,
    }
}

fn array_has_comments(array: &Array) -> bool {
    let commented =
        |raw: Option<&RawString>| raw.and_then(RawString::as_str).is_some_and(|raw| raw.contains('#'));
    commented(Some(array.trailing()))
        || array.iter().any(|item| {
            commented(item.decor().prefix()) || commented(item.decor().suffix()) || has_comments(item)
        })
}

fn table_has_comments(table: &InlineTable) -> bool {
    table.iter().any(|(_, value)| has_comments(value))
}

/// A key without quotes where it needs none.
fn plain_key(key: &mut KeyMut<'_>) {
    key.fmt();
}

/// The comment lines of what stands before something, each ended; empty lines between paragraphs of comments stay, one each.
fn comments(raw: Option<&RawString>) -> String {
    let raw = raw.and_then(RawString::as_str).unwrap_or_default();
    let mut lines: Vec<&str> = Vec::new();
    for line in raw.lines().map(str::trim) {
        let doubled = line.is_empty() && lines.last().is_none_or(|last| last.is_empty());
        if !doubled {
            lines.push(line);
        }
    }
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Whether an empty line parts comments from what they stand before: they are about more than it.
fn apart(raw: Option<&RawString>) -> bool {
    let raw = raw.and_then(RawString::as_str).unwrap_or_default();
    let after = raw.lines().rev().take_while(|line| line.trim().is_empty()).count();
    raw.contains('#') && after > 0 && raw.ends_with('\n')
}

/// The comments between two values: one on the line of the first stays there, the others have lines of their own.
fn between(raw: Option<&RawString>, indent: usize) -> String {
    let text = raw.and_then(RawString::as_str).unwrap_or_default();
    let on_line = text.split('\n').next().unwrap_or_default().trim();
    let lines = comments(raw);
    let skipped = usize::from(on_line.starts_with('#'));
    let mut out = if skipped > 0 { format!(" {on_line}") } else { String::new() };
    for line in lines.lines().skip(skipped).filter(|line| !line.is_empty()) {
        out.push_str(&format!("\n{:indent$}{line}", ""));
    }
    out
}

/// The comment behind something on its line.
fn trailing(raw: Option<&RawString>) -> String {
    let raw = raw.and_then(RawString::as_str).unwrap_or_default().trim();
    if raw.is_empty() { String::new() } else { format!(" {raw}") }
}

/// No blanks at ends of lines, no two empty lines in a row outside strings, none at the start, one end of line at the end.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = true;
    let mut quoted: Option<&str> = None;
    for line in text.lines() {
        let inside = quoted.is_some();
        let kept = if inside { line } else { line.trim_end() };
        for mark in ["\"\"\"", "'''"] {
            if quoted.is_none_or(|open| open == mark) && kept.matches(mark).count() % 2 == 1 {
                quoted = if quoted.is_some() { None } else { Some(mark) };
            }
        }
        if kept.is_empty() && empty && !inside {
            continue;
        }
        empty = kept.is_empty();
        out.push_str(kept);
        out.push('\n');
    }
    while out.ends_with("\n\n") {
        out.pop();
    }
    out
}

fn same_table(left: &dyn TableLike, right: &dyn TableLike) -> bool {
    left.len() == right.len()
        && left.iter().all(|(key, item)| right.get(key).is_some_and(|other| same_item(item, other)))
}

fn same_item(left: &Item, right: &Item) -> bool {
    if let (Some(left), Some(right)) = (left.as_table_like(), right.as_table_like()) {
        return same_table(left, right);
    }
    match (left, right) {
        (Item::ArrayOfTables(left), Item::ArrayOfTables(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same_table(left, right))
        }
        (Item::Value(left), Item::Value(right)) => same_value(left, right),
        (Item::None, Item::None) => true,
        _ => false,
    }
}

fn same_value(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::String(left), Value::String(right)) => left.value() == right.value(),
        (Value::Integer(left), Value::Integer(right)) => left.value() == right.value(),
        (Value::Float(left), Value::Float(right)) => left.value().to_bits() == right.value().to_bits(),
        (Value::Boolean(left), Value::Boolean(right)) => left.value() == right.value(),
        (Value::Datetime(left), Value::Datetime(right)) => left.value() == right.value(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same_value(left, right))
        }
        (Value::InlineTable(left), Value::InlineTable(right)) => same_table(left, right),
        _ => false,
    }
}
