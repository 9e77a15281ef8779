//! What is written for each record.

use std::fmt::Write as _;

use yumen_rules::verdict::Action;

use super::Opinion;

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// An object a record, in the order of the input.
    JsonLines,
    /// A line for each record that isn't allowed, or that is malformed.
    Table,
}

/// Characters of a message that the table shows.
const EXCERPT_CHARS: usize = 60;

/// Appends the answer to a record.
pub(super) fn write(
    out: &mut String,
    output: Output,
    line: u64,
    text: &str,
    opinion: &Opinion,
    error: Option<&str>,
) {
    match output {
        Output::JsonLines => object(out, line, opinion, error),
        Output::Table => row(out, line, text, opinion, error),
    }
}

fn object(out: &mut String, line: u64, opinion: &Opinion, error: Option<&str>) {
    let action = opinion.action.unwrap_or(Action::Allow);
    let _ = write!(out, "{{\"line\":{line},\"verdict\":\"{}\",\"typology\":", action.name());
    match opinion.typology {
        Some(typology) => {
            let _ = write!(out, "\"{}\"", typology.id());
        }
        None => out.push_str("null"),
    }
    let _ = write!(out, ",\"score\":{},\"rules\":[", opinion.score);
    for (index, rule) in opinion.rules.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        let _ = write!(out, "{}", serde_json::Value::from(rule.as_str()));
    }
    out.push(']');
    if !opinion.reason.is_empty() {
        let _ = write!(out, ",\"reason\":{}", serde_json::Value::from(opinion.reason.as_str()));
    }
    if let Some(error) = error {
        let _ = write!(out, ",\"error\":{}", serde_json::Value::from(error));
    }
    out.push_str("}\n");
}

fn row(out: &mut String, line: u64, text: &str, opinion: &Opinion, error: Option<&str>) {
    if let Some(error) = error {
        let _ = writeln!(out, "{line:>8}  error   {error}");
    }
    let Some(action) = opinion.action.filter(|&action| action != Action::Allow) else { return };
    let typology = opinion.typology.map_or("", |typology| typology.id());
    let excerpt: String =
        text.chars().take(EXCERPT_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let rules = opinion.rules.join(" ");
    let _ = writeln!(
        out,
        "{line:>8}  {:<6}  {typology:<16}  {:>3}  {rules}  {excerpt}",
        action.name(),
        opinion.score
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use yumen_rules::verdict::Typology;

    #[test]
    fn an_answer_is_one_object() {
        let opinion = Opinion {
            action: Some(Action::Reject),
            typology: Some(Typology::DebtCollection),
            score: 85,
            rules: vec!["debt-collection/a".to_owned(), "debt-collection/b".to_owned()],
            reason: "疑似“讨债”".to_owned(),
        };
        let mut out = String::new();
        write(&mut out, Output::JsonLines, 1, "", &opinion, None);
        assert_eq!(
            out,
            "{\"line\":1,\"verdict\":\"reject\",\"typology\":\"debt-collection\",\"score\":85,\
             \"rules\":[\"debt-collection/a\",\"debt-collection/b\"],\"reason\":\"疑似“讨债”\"}\n"
        );
        out.clear();
        write(&mut out, Output::JsonLines, 2, "", &Opinion::default(), Some("not \"JSON\""));
        assert_eq!(
            out,
            "{\"line\":2,\"verdict\":\"allow\",\"typology\":null,\"score\":0,\"rules\":[],\"error\":\"not \\\"JSON\\\"\"}\n"
        );
    }
}
