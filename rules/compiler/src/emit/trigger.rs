//! Which groups must be looked at for a condition to be able to hold.
//!
//! A rule is evaluated only when one of its triggers is reached, so most messages evaluate none. A rule that can hold without any
//! pattern (`sender.virtual && text.digits > 10`) has no triggers and is evaluated for every message.

use std::collections::BTreeSet;

use crate::draft::{Compare, Expr, GroupDraft, GroupIndex, PackDraft};

/// Groups of which at least one must reach its trigger for `when` to hold; `None` where it can hold without any.
pub(super) fn triggers(when: &Expr, groups: &[GroupDraft]) -> Option<BTreeSet<GroupIndex>> {
    needed(when, true, groups)
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
fn needed(expr: &Expr, value: bool, groups: &[GroupDraft]) -> Option<BTreeSet<GroupIndex>> {
    match (expr, value) {
        (Expr::Bool(constant), _) => (*constant != value).then(BTreeSet::new),
        (Expr::Group(group), true) => Some(BTreeSet::from([*group])),
        (Expr::GroupCount(group, compare, bound), _) => {
            (holds_at_zero(*compare, *bound) != value).then(|| BTreeSet::from([*group]))
        }
        (Expr::Not(inner), _) => needed(inner, !value, groups),
        (Expr::And(parts), true) | (Expr::Or(parts), false) => {
            let sets = parts.iter().filter_map(|part| needed(part, value, groups));
            sets.min_by_key(|set| cost(set, groups))
        }
        (Expr::Or(parts), true) | (Expr::And(parts), false) => {
            let mut all = BTreeSet::new();
            for part in parts {
                all.extend(needed(part, value, groups)?);
            }
            Some(all)
        }
        _ => None,
    }
}

/// Patterns that would lead to an evaluation: the fewer the better.
fn cost(set: &BTreeSet<GroupIndex>, groups: &[GroupDraft]) -> usize {
    set.iter().filter_map(|&group| groups.get(group)).map(|group| group.patterns.len()).sum()
}

fn holds_at_zero(compare: Compare, bound: u32) -> bool {
    match compare {
        Compare::Eq | Compare::Ge => bound == 0,
        Compare::Ne | Compare::Lt => bound != 0,
        Compare::Le => true,
        Compare::Gt => false,
    }
}
