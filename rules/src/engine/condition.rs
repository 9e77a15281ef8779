//! Walking a condition.

use super::facts::{Facts, Value};
use super::observer::Observer;
use super::scratch::GroupMark;
use crate::pack::Pack;
use crate::pack::node::{EXIT_FALSE, EXIT_TRUE, Node, Test};
use crate::signal::Field;

/// Whose condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConditionId {
    /// A rule's, by its index.
    Rule(u32),
    /// A suppression's, by its index.
    Suppression(u32),
    /// A protection's, by its index.
    Protection(u32),
}

/// How many different members of each group hit.
pub(super) struct Groups<'s> {
    marks: &'s mut [GroupMark],
    stamp: u32,
}

impl<'s> Groups<'s> {
    pub(super) fn new(marks: &'s mut [GroupMark], stamp: u32) -> Self {
        Self { marks, stamp }
    }

    /// Counts a hit of a member, and says whether the group's trigger is reached by it.
    #[inline]
    pub(super) fn hit(&mut self, pack: &Pack<'_>, group: u32) -> bool {
        let Some(mark) = self.marks.get_mut(group as usize) else { return false };
        if mark.stamp != self.stamp {
            *mark = GroupMark { stamp: self.stamp, count: 0 };
        }
        mark.count = mark.count.saturating_add(1);
        pack.group(group).is_some_and(|group| mark.count == group.trigger)
    }

    fn count(&self, group: u32) -> u16 {
        match self.marks.get(group as usize) {
            Some(mark) if mark.stamp == self.stamp => mark.count,
            _ => 0,
        }
    }
}

/// Whether a condition holds. It ends: exits lead forward ([`crate::pack::node`]), and what doesn't is false.
pub(super) fn holds<O: Observer>(
    pack: &Pack<'_>,
    id: ConditionId,
    (first, nodes): (u32, u16),
    groups: &Groups<'_>,
    facts: &mut Facts<'_, '_>,
    observer: &mut O,
) -> bool {
    if O::ACTIVE {
        observer.begin(id);
    }
    let mut position = 0;
    let held = loop {
        if position >= nodes {
            break false;
        }
        let Some(record) = pack.node_record(first.saturating_add(position.into())) else { break false };
        // Most tests are of a group: those aren't made a `Node` first, which goes through memory.
        let held = match Node::group_of(record) {
            Some(group) => has(pack, group, groups),
            None => Node::parse(record).is_some_and(|node| test(pack, node.test, groups, facts)),
        };
        if O::ACTIVE
            && let Some(node) = Node::parse(record)
        {
            observer.node(id, position, &node, held);
        }
        match Node::exit_of(record, held) {
            EXIT_TRUE => break true,
            EXIT_FALSE => break false,
            next if next > position => position = next,
            _ => break false,
        }
    };
    if O::ACTIVE {
        observer.condition(id, held);
    }
    held
}

#[inline]
fn has(pack: &Pack<'_>, group: u32, groups: &Groups<'_>) -> bool {
    pack.group(group).is_some_and(|record| groups.count(group) >= record.need)
}

fn test(pack: &Pack<'_>, test: Test, groups: &Groups<'_>, facts: &mut Facts<'_, '_>) -> bool {
    match test {
        Test::Constant(value) => value,
        Test::Group(group) => has(pack, group, groups),
        Test::GroupCount(group, comparison, value) => {
            comparison.holds(groups.count(group).into(), value.into())
        }
        Test::Field(field) => matches!(facts.value(field), Value::Bool(true)),
        Test::FieldInt(field, comparison, value) => {
            matches!(facts.value(field), Value::Int(found) if comparison.holds(found, value.into()))
        }
        Test::FieldText(field, string) => {
            let expected = pack.string_bytes(string);
            matches!(facts.value(field), Value::Text(found) if found.as_bytes() == expected)
        }
        Test::FieldStartsWith(field, string) => {
            let expected = pack.string_bytes(string);
            matches!(facts.value(field), Value::Text(found) if found.as_bytes().starts_with(expected))
        }
        Test::FieldIn(Field::Indicators, list) => {
            pack.list(list).is_some_and(|list| facts.any_indicator_in(&list))
        }
        Test::FieldIn(field, list) => {
            let list = pack.list(list);
            matches!((facts.value(field), list), (Value::Text(found), Some(list)) if pack.list_has(&list, found))
        }
        Test::SenderKind(kind) => facts.sender_kinds().any(|found| found == kind),
        Test::SignatureKind(kind) => facts.signature_kinds().any(|found| found == kind),
        Test::Behaviour(query, comparison, value) => comparison.holds(facts.measure(query), value.into()),
        Test::Listed(query, comparison, value) => {
            comparison.holds(facts.list_score(query).into(), value.into())
        }
    }
}
