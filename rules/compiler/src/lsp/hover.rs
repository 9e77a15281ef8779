//! What the cursor stands on, in Chinese and English.

use serde_json::{Value, json};

use super::check::Packs;
use super::complete::{field_at, own_matches};
use super::place::Place;
use super::{Document, reference, text};
use crate::grammar::{self, Shape};
use crate::source::tree::MatchSource;

/// Members of a group that are shown.
const MEMBERS_MAX: usize = 12;

/// The words about a place; null where there are none.
pub(super) fn hover(place: &Place, packs: &Packs, document: &Document) -> Value {
    match words(place, packs, document) {
        Some(words) => json!({
            "contents": { "kind": "markdown", "value": words },
            "range": text::range(&document.text, place.span.start, place.span.end),
        }),
        None => Value::Null,
    }
}

fn words(place: &Place, packs: &Packs, document: &Document) -> Option<String> {
    let both = |(zh, en): (&str, &str)| format!("**{}**\n\n{zh}\n\n{en}", place.word);
    if place.in_header {
        return grammar::section(&place.word).map(|section| both((section.zh, section.en)));
    }
    let whole = Place { keys: with_word(place), ..place.clone() };
    if !place.in_value {
        return field_at(&whole).map(|field| both((field.zh, field.en)));
    }
    let field = field_at(place)?;
    let report = packs.report(&document.path);
    let in_condition = matches!(field.shape, Shape::Condition);
    if in_condition || field.name == "include" {
        let name = place.word.strip_suffix(".count").unwrap_or(&place.word);
        let own = report.filter(|_| in_condition).map(|report| own_matches(report, document, place.offset));
        if let Some(own) = own.unwrap_or_default().iter().find(|own| own.name.value == name) {
            return Some(format!("**match.{name}**\n\n{}", members(&own.members)));
        }
        let mut groups = report.into_iter().flat_map(|report| &report.tree.groups);
        if let Some(group) = groups.find(|group| group.id.value == name) {
            let file = report.and_then(|report| report.sources.file(group.id.span.file));
            let place = file.map(|file| {
                let (line, _) = file.position(group.id.span.start);
                format!("{}:{line}", file.path)
            });
            let place = place.unwrap_or_default();
            return Some(format!("**[[group]] {name}**\n\n{}\n\n`{place}`", members(&group.members)));
        }
        let measure = place.word.rsplit('.').next().unwrap_or_default();
        return reference::of(&place.word).or_else(|| reference::of(measure)).map(both);
    }
    reference::of(&place.word).map(both)
}

/// The keys that lead to a key and the key itself, as far as its field goes.
fn with_word(place: &Place) -> Vec<String> {
    let own = place.word.split('.').next_back().unwrap_or_default().to_owned();
    let dotted = place.word.split('.').map(str::to_owned).collect::<Vec<_>>();
    let mut keys = place.keys.clone();
    if keys.is_empty() {
        keys.extend(dotted)
    } else {
        keys.push(own)
    }
    keys
}

fn members(members: &MatchSource) -> String {
    let all = [&members.any, &members.all, &members.regex].into_iter().flatten();
    let count = members.any.len().saturating_add(members.all.len()).saturating_add(members.regex.len());
    let shown: Vec<String> = all.take(MEMBERS_MAX).map(|member| format!("`{}`", member.value)).collect();
    let more = if count > MEMBERS_MAX { " …" } else { "" };
    let included: Vec<&str> = members.include.iter().map(|group| group.value.as_str()).collect();
    let included =
        if included.is_empty() { String::new() } else { format!("\n\ninclude: {}", included.join(", ")) };
    format!("{count} 个成员 members: {}{more}{included}", shown.join(" "))
}
