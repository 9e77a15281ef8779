//! What a device needn't know: which of several words it was.
//!
//! Words of the same view that stand in the same groups make the same difference to every rule, unless a group counts how many
//! different ones hit. They become one pattern, and its text, which only the automaton needs, isn't kept beside it. Such a pack
//! is for the automaton alone; the same rules with their texts are its twin ([`super::Fitted::twin`]).

use super::{EdgeError, Parts, automaton_as};
use crate::draft::{Expr, GroupIndex, PackDraft, PatternDraft};
use std::collections::{BTreeSet, HashMap};
use yumen_rules::signal::View;

/// Stands for the text of every pattern: a noncharacter, which no message has.
const NO_TEXT: &str = "\u{10FFFE}";

/// The draft with its automaton, without texts, without names for people.
pub(super) fn lean(draft: &PackDraft) -> Result<(PackDraft, Parts), EdgeError> {
    let counted = counted(draft);
    let mut groups_of = vec![Vec::new(); draft.patterns.len()];
    for (index, group) in draft.groups.iter().enumerate() {
        for &pattern in &group.patterns {
            if let Some(groups) = groups_of.get_mut(pattern) {
                groups.push(index);
            }
        }
    }
    let (mut classes, mut class_of, mut views) = (HashMap::new(), Vec::new(), Vec::new());
    for (index, (pattern, mut groups)) in draft.patterns.iter().zip(groups_of).enumerate() {
        groups.sort_unstable();
        groups.dedup();
        // Where members are counted, each stays itself.
        let alone = groups.iter().any(|group| counted.contains(group)).then_some(index);
        let class = *classes.entry((pattern.view as u8, groups, alone)).or_insert_with(|| {
            views.push(pattern.view);
            views.len() - 1
        });
        class_of.push(class);
    }
    let number = |pattern: usize| class_of.get(pattern).copied().unwrap_or(usize::MAX);
    let (bytes, parts) = automaton_as(&draft.patterns, number)?;
    let mut lean = draft.clone();
    lean.automaton = bytes;
    lean.patterns = views.into_iter().map(without_text).collect();
    for group in &mut lean.groups {
        group.name.clear();
        let members: BTreeSet<usize> = group.patterns.iter().map(|&pattern| number(pattern)).collect();
        group.patterns = members.into_iter().collect();
    }
    for sender in &mut lean.senders {
        sender.organisation.clear();
    }
    Ok((lean, parts))
}

fn without_text(view: View) -> PatternDraft {
    PatternDraft { text: NO_TEXT.to_owned(), regex: false, view }
}

/// Groups of which it matters how many members hit.
fn counted(draft: &PackDraft) -> BTreeSet<GroupIndex> {
    let mut counted: BTreeSet<GroupIndex> =
        draft.groups.iter().enumerate().filter(|(_, group)| group.need > 1).map(|(index, _)| index).collect();
    let rules = draft.rules.iter().map(|rule| &rule.when);
    let suppressions = draft.suppressions.iter().map(|suppression| &suppression.when);
    let protections = draft.protections.iter().map(|protection| &protection.when);
    rules.chain(suppressions).chain(protections).for_each(|when| collect(when, &mut counted));
    counted
}

fn collect(expr: &Expr, counted: &mut BTreeSet<GroupIndex>) {
    match expr {
        Expr::GroupCount(group, ..) => {
            counted.insert(*group);
        }
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| collect(part, counted)),
        Expr::Not(inner) => collect(inner, counted),
        _ => {}
    }
}
