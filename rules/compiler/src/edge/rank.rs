//! In which order rules are taken: those first that add most to what is caught, for the room that they need.

use super::recall::each_hit;
use crate::build::{BuildError, Built};
use crate::check::prune::groups_of;
use crate::draft::PackDraft;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use yumen_rules::policy::REJECT_AT_DEFAULT;

/// What a pattern takes beside its text: its records, its nodes in the automaton, its place in groups.
const PATTERN_BYTES: usize = 48;

/// What the whole pack does with the `hit` texts of all rules.
pub(super) struct Caught {
    /// How many it blocks.
    pub(super) blocked: usize,
    /// For each rule the texts that it blocks by itself.
    by_rule: Vec<BTreeSet<usize>>,
}

/// Orders `candidates`.
pub(super) fn rank(draft: &PackDraft, caught: Caught, candidates: &[usize]) -> Vec<usize> {
    let mut catches = caught.by_rule;
    let patterns: Vec<BTreeSet<usize>> =
        (0..draft.rules.len()).map(|rule| patterns_of(draft, rule)).collect();
    let (mut caught, mut taken) = (BTreeSet::new(), BTreeSet::new());
    let mut rest: Vec<usize> = candidates.to_vec();
    let mut order = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let value = |rule: usize| {
            let gain = catches.get(rule).map_or(0, |texts| texts.difference(&caught).count());
            // What judges calls has no texts to show what it catches, and takes hardly any room.
            let judges_calls = draft.rules.get(rule).is_some_and(|rule| rule.call);
            let gain = gain.max(judges_calls.into());
            let room: usize = patterns
                .get(rule)
                .into_iter()
                .flat_map(|patterns| patterns.difference(&taken))
                .filter_map(|&pattern| draft.patterns.get(pattern))
                .map(|pattern| pattern.text.len().saturating_mul(4).saturating_add(PATTERN_BYTES))
                .sum();
            // Texts for each MiB; where none is gained, what blocks goes before what reports.
            let density = gain.saturating_mul(1 << 20) / room.max(1);
            let standing = draft.rules.get(rule).map(|rule| (rule.ladder, rule.score));
            (density, standing, Reverse(rule))
        };
        let Some(position) = (0..rest.len()).max_by_key(|&at| rest.get(at).map(|&rule| value(rule))) else {
            break;
        };
        let rule = rest.swap_remove(position);
        taken.extend(patterns.get(rule).into_iter().flatten().copied());
        if let Some(texts) = catches.get_mut(rule) {
            caught.append(texts);
        }
        order.push(rule);
    }
    order
}

/// Judges the `hit` texts by the whole pack.
pub(super) fn caught(built: &Built) -> Result<Caught, BuildError> {
    let mut by_rule = vec![BTreeSet::new(); built.report.draft.rules.len()];
    let blocked = each_hit(&built.report.draft, &built.bytes, |number, judgement| {
        for fired in judgement.fired.iter().filter(|fired| fired.suppressed_by.is_none()) {
            if fired.score >= REJECT_AT_DEFAULT
                && let Some(texts) = by_rule.get_mut(fired.rule as usize)
            {
                texts.insert(number);
            }
        }
    })?;
    Ok(Caught { blocked, by_rule })
}

fn patterns_of(draft: &PackDraft, rule: usize) -> BTreeSet<usize> {
    let mut patterns = BTreeSet::new();
    if let Some(rule) = draft.rules.get(rule) {
        groups_of(&mut rule.when.clone(), &mut |group| {
            patterns.extend(
                draft.groups.get(*group).into_iter().flat_map(|group| group.patterns.iter().copied()),
            );
        });
    }
    patterns
}
