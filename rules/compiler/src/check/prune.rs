//! Drops what no condition uses, so that shared vocabulary costs nothing where it isn't needed.

use crate::draft::{Expr, GroupIndex, PackDraft};

/// Drops groups that no condition refers to, then patterns that no group refers to, and renumbers.
pub(crate) fn unused(draft: &mut PackDraft) {
    let mut used = vec![false; draft.groups.len()];
    conditions(draft, |group| {
        if let Some(slot) = used.get_mut(*group) {
            *slot = true;
        }
    });
    let group_numbers = renumbered(&used);
    let mut keep = used.iter();
    draft.groups.retain(|_| keep.next().copied().unwrap_or(false));
    conditions(draft, |group| *group = group_numbers.get(*group).copied().unwrap_or(0));

    let mut used = vec![false; draft.patterns.len()];
    for &pattern in draft.groups.iter().flat_map(|group| &group.patterns) {
        if let Some(slot) = used.get_mut(pattern) {
            *slot = true;
        }
    }
    let pattern_numbers = renumbered(&used);
    let mut keep = used.iter();
    draft.patterns.retain(|_| keep.next().copied().unwrap_or(false));
    for pattern in draft.groups.iter_mut().flat_map(|group| &mut group.patterns) {
        *pattern = pattern_numbers.get(*pattern).copied().unwrap_or(0);
    }
}

/// The new number of each item; meaningless for those that aren't used.
fn renumbered(used: &[bool]) -> Vec<usize> {
    let mut next = 0usize;
    used.iter()
        .map(|&used| {
            let number = next;
            next = next.saturating_add(usize::from(used));
            number
        })
        .collect()
}

fn conditions(draft: &mut PackDraft, mut each: impl FnMut(&mut GroupIndex)) {
    let rules = draft.rules.iter_mut().map(|rule| &mut rule.when);
    let suppressions = draft.suppressions.iter_mut().map(|suppress| &mut suppress.when);
    let protections = draft.protections.iter_mut().map(|protect| &mut protect.when);
    for when in rules.chain(suppressions).chain(protections) {
        groups_of(when, &mut each);
    }
}

/// Calls `each` for every group that a condition refers to.
pub(crate) fn groups_of(expr: &mut Expr, each: &mut impl FnMut(&mut GroupIndex)) {
    match expr {
        Expr::Group(group) | Expr::GroupCount(group, ..) => each(group),
        Expr::And(parts) | Expr::Or(parts) => parts.iter_mut().for_each(|part| groups_of(part, each)),
        Expr::Not(inner) => groups_of(inner, each),
        _ => {}
    }
}
