//! What the sources say → a [`PackDraft`], with everything that is wrong reported.

pub(crate) mod canonical;
mod groups;
pub(crate) mod prune;
mod regex;
mod registry;
mod rules;

use std::collections::HashMap;

use yumen_rules::verdict::Typology;

use crate::diagnostic::{Defect, Diagnostic, Diagnostics, Words};
use crate::draft::{ListIndex, PackDraft, RedressTexts};
use crate::source::tree::{ListSource, RedressSource, Tree};
use crate::source::{Span, Text};

pub(crate) use regex::view_name;

use groups::Vocabulary;
use rules::Resolver;
pub(crate) use rules::holds_alone;

/// Resolves a tree. The rules, suppressions and protections of the draft stand in the order of the tree; where one of
/// them is wrong, its condition is `false`, and `out` has an error.
#[must_use]
pub fn check(tree: &Tree, out: &mut Diagnostics) -> PackDraft {
    names(tree, out);
    let mut vocabulary = Vocabulary::new(&tree.groups);
    let mut shared = HashMap::new();
    for group in &tree.groups {
        let named = vocabulary.shared(group, out);
        shared.entry(group.id.value.clone()).or_insert(named);
    }
    let lists: Vec<&ListSource> = tree.lists.iter().collect();
    let list_names: HashMap<String, ListIndex> =
        lists.iter().enumerate().rev().map(|(index, list)| (list.name.value.clone(), index)).collect();

    let mut resolver = Resolver::new(vocabulary, shared, list_names);
    let rules = resolver.rules(&tree.rules, out);
    let suppressions = resolver.suppressions(&tree.suppressions, &tree.rules, out);
    let protections = resolver.protections(&tree.protections, out);
    let (vocabulary, list_uses) = resolver.finish();

    let mut draft = PackDraft {
        patterns: vocabulary.patterns,
        groups: vocabulary.groups,
        rules,
        suppressions,
        protections,
        lists: registry::lists(&lists, &list_uses, out),
        senders: registry::senders(&tree.senders, out),
        classifier: tree.classifier.clone(),
        redress: redress(&tree.redress, out),
        ..PackDraft::default()
    };
    prune::unused(&mut draft);
    draft
}

/// One a typology.
fn redress(sources: &[RedressSource], out: &mut Diagnostics) -> Vec<(Typology, RedressTexts)> {
    let mut first: HashMap<Typology, Span> = HashMap::new();
    let mut texts = Vec::new();
    for source in sources {
        let Some(typology) = source.typology else { continue };
        if let Some(&span) = first.get(&typology) {
            let diagnostic =
                Diagnostic::at(source.span, Defect::Duplicate { name: typology.id().to_owned() });
            out.push(diagnostic.and(span, Words::new("第一次在这里", "first here")));
            continue;
        }
        first.insert(typology, source.span);
        texts.push((typology, source.texts.clone()));
    }
    texts
}

/// Forms of ids and names, and those that are there twice.
fn names(tree: &Tree, out: &mut Diagnostics) {
    let ids = tree.rules.iter().map(|rule| &rule.id);
    let ids = ids.chain(tree.suppressions.iter().map(|suppress| &suppress.id));
    let ids: Vec<&Text> = ids.chain(tree.protections.iter().map(|protect| &protect.id)).collect();
    for id in ids.iter().filter(|id| !id_form(&id.value)) {
        out.at(id.span, Defect::BadId { id: id.value.clone() });
    }
    distinct(ids.into_iter(), out);
    let scenarios: Vec<&Text> = tree.scenarios.iter().map(|scenario| &scenario.id).collect();
    for id in scenarios.iter().filter(|id| !id_form(&id.value)) {
        out.at(id.span, Defect::BadId { id: id.value.clone() });
    }
    distinct(scenarios.into_iter(), out);

    let groups: Vec<&Text> = tree.groups.iter().map(|group| &group.id).collect();
    let own = tree.rules.iter().flat_map(|rule| &rule.matches);
    let own = own.chain(tree.suppressions.iter().flat_map(|suppress| &suppress.matches));
    let own = own.chain(tree.protections.iter().flat_map(|protect| &protect.matches)).map(|own| &own.name);
    let lists: Vec<&Text> = tree.lists.iter().map(|list| &list.name).collect();
    for name in own.chain(groups.iter().copied()).chain(lists.iter().copied()) {
        if RESERVED.contains(&name.value.as_str()) {
            out.at(name.span, Defect::ReservedName { name: name.value.clone() });
        } else if !name_form(&name.value) {
            out.at(name.span, Defect::BadName { name: name.value.clone() });
        }
    }
    distinct(groups.into_iter().chain(lists), out);
    distinct(tree.modules.iter().map(|module| &module.name), out);
}

/// Names that conditions read otherwise.
const RESERVED: [&str; 18] = [
    "classifier",
    "true",
    "false",
    "in",
    "sender",
    "signature",
    "contact",
    "link",
    "text",
    "direction",
    "destinations",
    "time",
    "caller",
    "callee",
    "pair",
    "prefix",
    "campaign",
    "null",
];

/// `folder/name`.
pub(crate) fn id_form(id: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    id.split_once('/').is_some_and(|(folder, name)| part(folder) && part(name))
}

fn name_form(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn distinct<'a>(names: impl Iterator<Item = &'a Text>, out: &mut Diagnostics) {
    let mut first: HashMap<&str, Span> = HashMap::new();
    for name in names {
        if let Some(&span) = first.get(name.value.as_str()) {
            let diagnostic = Diagnostic::at(name.span, Defect::Duplicate { name: name.value.clone() });
            out.push(diagnostic.and(span, Words::new("第一次在这里", "first here")));
        } else {
            first.insert(&name.value, name.span);
        }
    }
}
