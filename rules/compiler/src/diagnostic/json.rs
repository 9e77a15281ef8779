//! Diagnostics for programs: one JSON object a line.

use serde_json::{Value, json};

use super::{Diagnostic, Diagnostics, Severity, Words};
use crate::source::{SourceMap, Span};

/// All of them in the order of the sources, each as one object a line.
#[must_use]
pub fn json_lines(diagnostics: &Diagnostics, sources: &SourceMap) -> String {
    diagnostics.sorted().into_iter().map(|diagnostic| format!("{}\n", object(diagnostic, sources))).collect()
}

fn object(diagnostic: &Diagnostic, sources: &SourceMap) -> Value {
    let help: Vec<Value> =
        diagnostic.help.iter().chain(diagnostic.defect.advice().iter()).map(words).collect();
    let others: Vec<Value> = diagnostic
        .others
        .iter()
        .map(|(span, label)| json!({ "place": place(*span, sources), "label": words(label) }))
        .collect();
    json!({
        "code": diagnostic.defect.code(),
        "severity": match diagnostic.defect.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "message": words(&diagnostic.defect.words()),
        "place": diagnostic.span.map(|span| place(span, sources)),
        "others": others,
        "help": help,
    })
}

fn words(words: &Words) -> Value {
    json!({ "zh": words.zh, "en": words.en })
}

/// Lines and columns from 1, columns in characters; `end` is exclusive.
fn place(span: Span, sources: &SourceMap) -> Value {
    let Some(file) = sources.file(span.file) else { return Value::Null };
    let (line, column) = file.position(span.start);
    let (end_line, end_column) = file.position(span.end);
    json!({ "file": file.path, "line": line, "column": column, "end_line": end_line, "end_column": end_column })
}
