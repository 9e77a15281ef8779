//! Lists and the sender registry.

use std::collections::HashMap;

use yumen_rules::signal::{Field, View};

use super::canonical;
use crate::diagnostic::{Defect, Diagnostic, Diagnostics, Words};
use crate::draft::{ListDraft, ListIndex, ListKind, SenderDraft};
use crate::source::tree::{ListSource, SenderSource};
use crate::source::{Span, Text};

/// How a list's entries are written, by the fields it is used with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Number,
    Domain,
    Signature,
    Verbatim,
}

/// Makes the lists, once it is known which fields each is used with.
pub(super) fn lists(
    sources: &[&ListSource],
    uses: &[(ListIndex, Field, Span)],
    out: &mut Diagnostics,
) -> Vec<ListDraft> {
    let mut drafts = Vec::with_capacity(sources.len());
    for (index, source) in sources.iter().enumerate() {
        let form = form_of(source, uses.iter().filter(|(list, ..)| *list == index), out);
        if source.entries.is_empty() {
            out.at(source.span, Defect::EmptyList { name: source.name.value.clone() });
        }
        let mut seen: HashMap<String, Span> = HashMap::new();
        for entry in &source.entries {
            let Some(canonical) = entry_of(entry, form, out) else { continue };
            if let Some(first) = seen.get(&canonical) {
                let diagnostic = Diagnostic::at(entry.span, Defect::SameEntry { entry: entry.value.clone() });
                out.push(diagnostic.and(*first, Words::new("第一次在这里", "first here")));
                continue;
            }
            seen.insert(canonical, entry.span);
        }
        let mut entries: Vec<String> = seen.into_keys().collect();
        entries.sort_unstable();
        drafts.push(ListDraft { name: source.name.value.clone(), kind: source.kind, entries });
    }
    drafts
}

fn form_of<'a>(
    source: &ListSource,
    uses: impl Iterator<Item = &'a (ListIndex, Field, Span)>,
    out: &mut Diagnostics,
) -> Form {
    let mut chosen: Option<(Form, Field)> =
        (source.kind == ListKind::Domain).then_some((Form::Domain, Field::LinkDomain));
    for (_, field, span) in uses {
        let form = match field {
            Field::SenderNumber => Form::Number,
            Field::SignatureText => Form::Signature,
            Field::LinkDomain => Form::Domain,
            _ => Form::Verbatim,
        };
        match chosen {
            None => chosen = Some((form, *field)),
            Some((first, _)) if first == form => {}
            Some((_, first)) => {
                let defect = Defect::ListConflict {
                    name: source.name.value.clone(),
                    first: first.name().to_owned(),
                    second: field.name().to_owned(),
                };
                out.at(*span, defect);
            }
        }
    }
    chosen.map_or(Form::Verbatim, |(form, _)| form)
}

fn entry_of(entry: &Text, form: Form, out: &mut Diagnostics) -> Option<String> {
    let written = entry.value.trim();
    match form {
        Form::Number => {
            let number = canonical::number(written);
            if number.is_none() {
                out.at(entry.span, Defect::BadNumber { number: written.to_owned() });
            }
            number.map(|number| number.trim_end_matches('*').to_owned())
        }
        Form::Domain => {
            let domain = canonical::domain(written);
            if domain.is_none() {
                out.at(entry.span, Defect::BadDomain { domain: written.to_owned() });
            }
            domain
        }
        Form::Signature => {
            let folded = canonical::literal(written, View::Folded);
            if folded.is_empty() {
                let defect = Defect::EmptyLiteral { literal: written.to_owned(), view: "folded".to_owned() };
                out.at(entry.span, defect);
            }
            (!folded.is_empty()).then_some(folded)
        }
        Form::Verbatim => (!written.is_empty()).then(|| written.to_owned()),
    }
}

/// Makes the registry. An organisation that several sections name is one organisation with all of their entries.
pub(super) fn senders(sources: &[SenderSource], out: &mut Diagnostics) -> Vec<SenderDraft> {
    let mut drafts: Vec<SenderDraft> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for source in sources {
        let index = *known.entry(&source.organisation.value).or_insert_with(|| {
            drafts.push(SenderDraft {
                organisation: source.organisation.value.clone(),
                kind: source.kind.clone(),
                numbers: Vec::new(),
                signatures: Vec::new(),
                domains: Vec::new(),
            });
            drafts.len().saturating_sub(1)
        });
        let Some(draft) = drafts.get_mut(index) else { continue };
        let bad_number = |number| Defect::BadNumber { number };
        extend(&mut draft.numbers, &source.numbers, canonical::number, bad_number, out);
        let signature =
            |written: &str| Some(canonical::literal(written, View::Folded)).filter(|text| !text.is_empty());
        let empty = |literal| Defect::EmptyLiteral { literal, view: "folded".to_owned() };
        extend(&mut draft.signatures, &source.signatures, signature, empty, out);
        extend(
            &mut draft.domains,
            &source.domains,
            canonical::domain,
            |domain| Defect::BadDomain { domain },
            out,
        );
    }
    drafts
}

fn extend(
    entries: &mut Vec<String>,
    written: &[Text],
    canonical: impl Fn(&str) -> Option<String>,
    defect: impl Fn(String) -> Defect,
    out: &mut Diagnostics,
) {
    for text in written {
        match canonical(&text.value) {
            Some(entry) if entries.contains(&entry) => {}
            Some(entry) => entries.push(entry),
            None => out.at(text.span, defect(text.value.clone())),
        }
    }
}
