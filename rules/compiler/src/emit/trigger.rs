//! Which groups must be looked at for a condition to be able to hold.
//!
//! A rule is evaluated only when one of its triggers is reached, so most messages evaluate none. A rule that can hold without any
//! pattern (`sender.virtual && text.digits > 10`) has no triggers and is evaluated for every message.

use std::collections::BTreeSet;

use crate::draft::{Compare, Expr, GroupDraft, GroupIndex, PackDraft, PatternDraft};

/// Groups of which at least one must reach its trigger for `when` to hold; `None` where it can hold without any.
pub(super) fn triggers(when: &Expr, draft: &PackDraft) -> Option<BTreeSet<GroupIndex>> {
    needed(when, true, draft)
}

/// The groups whose members are counted somewhere: they trigger at the first member.
pub(super) fn counted_groups(draft: &PackDraft) -> BTreeSet<GroupIndex> {
    let mut counted = BTreeSet::new();
    let rules = draft.rules.iter().map(|rule| &rule.when);
    let suppressions = draft.suppressions.iter().map(|suppression| &suppression.when);
    let protections = draft.protections.iter().map(|protection| &protection.when);
    rules.chain(suppressions).chain(protections).for_each(|when| collect_counted(when, &mut counted));
    counted
}

fn collect_counted(expr: &Expr, counted: &mut BTreeSet<GroupIndex>) {
    match expr {
        Expr::GroupCount(group, ..) => {
            counted.insert(*group);
        }
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| collect_counted(part, counted)),
        Expr::Not(inner) => collect_counted(inner, counted),
        _ => {}
    }
}

/// The groups of which one is needed for `expr` to be `value`.
fn needed(expr: &Expr, value: bool, draft: &PackDraft) -> Option<BTreeSet<GroupIndex>> {
    match (expr, value) {
        (Expr::Bool(constant), _) => (*constant != value).then(BTreeSet::new),
        (Expr::Group(group), true) => Some(BTreeSet::from([*group])),
        (Expr::GroupCount(group, compare, bound), _) => {
            (holds_at_zero(*compare, *bound) != value).then(|| BTreeSet::from([*group]))
        }
        (Expr::Not(inner), _) => needed(inner, !value, draft),
        (Expr::And(parts), true) | (Expr::Or(parts), false) => {
            let sets = parts.iter().filter_map(|part| needed(part, value, draft));
            sets.min_by_key(|set| cost(set, draft))
        }
        (Expr::Or(parts), true) | (Expr::And(parts), false) => {
            let mut all = BTreeSet::new();
            for part in parts {
                all.extend(needed(part, value, draft)?);
            }
            Some(all)
        }
        _ => None,
    }
}

/// How often one of the groups will lead to an evaluation, guessed.
fn cost(set: &BTreeSet<GroupIndex>, draft: &PackDraft) -> u64 {
    set.iter().filter_map(|&group| draft.groups.get(group)).map(|group| group_cost(group, draft)).sum()
}

/// Members that must hit together are as rare as the rarest ones among them.
fn group_cost(group: &GroupDraft, draft: &PackDraft) -> u64 {
    let mut costs: Vec<u64> =
        group.patterns.iter().filter_map(|&index| draft.patterns.get(index)).map(frequency).collect();
    costs.sort_unstable_by(|a, b| b.cmp(a));
    costs.iter().skip(usize::from(group.need.max(1)) - 1).sum()
}

/// In how many of ten thousand messages a pattern is, guessed from its length: one character is in every few (`你`), each one more
/// makes it a dozen times rarer.
fn frequency(pattern: &PatternDraft) -> u64 {
    if pattern.regex {
        return 150;
    }
    match pattern.text.chars().count() {
        0 | 1 => 2_000,
        2 => 160,
        3 => 13,
        _ => 1,
    }
}

fn holds_at_zero(compare: Compare, bound: u32) -> bool {
    match compare {
        Compare::Eq | Compare::Ge => bound == 0,
        Compare::Ne | Compare::Lt => bound != 0,
        Compare::Le => true,
        Compare::Gt => false,
    }
}
