//! What another list says of the same numbers.

use std::cmp::Ordering;
use std::iter::Peekable;

use yumen_rules::numbers::{Entries, Listed, NumberSet, Range};

/// A number or a range that two lists say different things of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The first key.
    pub first: u64,
    /// The last one: the first for a single number.
    pub last: u64,
    /// What the old list says; `None` where it doesn't have it.
    pub old: Option<Listed>,
    /// What the new list says.
    pub new: Option<Listed>,
}

/// The changes from one list to another, the ranges first, each in the order of the keys.
pub fn changes<'b>(old: &NumberSet<'b>, new: &NumberSet<'b>) -> impl Iterator<Item = Change> + use<'b> {
    let singles =
        Singles { old: *old, new: *new, left: old.entries().peekable(), right: new.entries().peekable() };
    range_changes(old, new).into_iter().chain(singles)
}

struct Singles<'b> {
    old: NumberSet<'b>,
    new: NumberSet<'b>,
    left: Peekable<Entries<'b>>,
    right: Peekable<Entries<'b>>,
}

impl Iterator for Singles<'_> {
    type Item = Change;

    fn next(&mut self) -> Option<Change> {
        loop {
            let order = match (self.left.peek(), self.right.peek()) {
                (None, None) => return None,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((left, _)), Some((right, _))) => left.cmp(right),
            };
            let left = if order.is_le() { self.left.next() } else { None };
            let right = if order.is_ge() { self.right.next() } else { None };
            let key = left.or(right)?.0;
            let old = left.and_then(|(_, value)| self.old.listed(value));
            let new = right.and_then(|(_, value)| self.new.listed(value));
            if old != new {
                return Some(Change { first: key, last: key, old, new });
            }
        }
    }
}

fn range_changes(old: &NumberSet<'_>, new: &NumberSet<'_>) -> Vec<Change> {
    let of = |set: &NumberSet<'_>| -> Vec<(Range, Option<Listed>)> {
        set.ranges().map(|range| (range, set.listed(range.value))).collect()
    };
    let (left, right) = (of(old), of(new));
    let find = |ranges: &[(Range, Option<Listed>)], range: &Range| {
        let at = ranges.binary_search_by_key(&range.first, |(range, _)| range.first).ok()?;
        let (found, listed) = ranges.get(at)?;
        (found.last == range.last).then_some(*listed).flatten()
    };
    let mut changes: Vec<Change> = Vec::new();
    for (range, listed) in &left {
        let change = Change { first: range.first, last: range.last, old: *listed, new: find(&right, range) };
        changes.extend((change.old != change.new).then_some(change));
    }
    for (range, listed) in &right {
        if find(&left, range).is_none() {
            changes.push(Change { first: range.first, last: range.last, old: None, new: *listed });
        }
    }
    changes.sort_by_key(|change| (change.first, change.last));
    changes
}
