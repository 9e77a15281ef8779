//! What the engine knew about an event when it judged it.

use std::collections::HashMap;

use yumen_rules::behave::{Measure, Query, RATIO_ONE};
use yumen_rules::engine::{ConditionId, Judgement, ListQuery, Observer, Value};
use yumen_rules::pack::node::{Comparison, Node, Test};
use yumen_rules::pack::{OrganisationKind, Pack};
use yumen_rules::signal::Field;

use super::tree::{Leaf, Tree, rebuild};
use crate::cel::listed::{LIST_SCORE, LISTED};

/// Members of a group that a test names as its reason.
const WORDS_SHOWN_MAX: usize = 3;

/// A field's value, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
}

/// Listens to the engine.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    pub(crate) fields: HashMap<Field, FieldValue>,
    held: HashMap<ConditionId, bool>,
    measured: HashMap<Query, i64>,
    listed: HashMap<ListQuery, u8>,
}

impl Observer for Recorder {
    fn field(&mut self, field: Field, value: Value<'_>) {
        let value = match value {
            Value::Bool(value) => FieldValue::Bool(value),
            Value::Int(value) => FieldValue::Int(value),
            Value::Text(value) => FieldValue::Text(value.to_owned()),
        };
        self.fields.insert(field, value);
    }

    fn behaviour(&mut self, query: Query, value: i64) {
        self.measured.insert(query, value);
    }

    fn listed(&mut self, query: ListQuery, score: u8) {
        self.listed.insert(query, score);
    }

    fn condition(&mut self, condition: ConditionId, held: bool) {
        self.held.insert(condition, held);
    }
}

impl Recorder {
    /// Whether a condition held; `false` for one that wasn't looked at.
    pub(crate) fn held(&self, condition: ConditionId) -> bool {
        self.held.get(&condition).copied().unwrap_or(false)
    }
}

/// Everything that conditions can ask about one event.
pub(crate) struct Known<'a> {
    pack: Pack<'a>,
    fields: &'a HashMap<Field, FieldValue>,
    measured: &'a HashMap<Query, i64>,
    listed: &'a HashMap<ListQuery, u8>,
    /// The members that hit, by group.
    hits: HashMap<u32, Vec<u32>>,
    sender_kinds: Vec<OrganisationKind>,
    signature_kinds: Vec<OrganisationKind>,
}

impl<'a> Known<'a> {
    pub(crate) fn new(pack: Pack<'a>, judgement: &Judgement<'_>, recorder: &'a Recorder) -> Self {
        let mut hits: HashMap<u32, Vec<u32>> = HashMap::new();
        for hit in judgement.hits {
            pack.groups_of(hit.pattern).for_each(|group| hits.entry(group).or_default().push(hit.pattern));
        }
        let kind = |index| pack.organisation(index).map(|organisation| organisation.kind);
        let number = judgement.sender().map_or("", |sender| sender.canonical);
        Self {
            pack,
            fields: &recorder.fields,
            measured: &recorder.measured,
            listed: &recorder.listed,
            hits,
            sender_kinds: pack.organisations_by_number(number).filter_map(kind).collect(),
            signature_kinds: pack
                .organisations_by_signature(judgement.signature())
                .filter_map(kind)
                .collect(),
        }
    }

    /// The groups that at least one member hit of, with how many.
    pub(crate) fn hit_groups(&self) -> Vec<(u32, u32)> {
        let mut groups: Vec<(u32, u32)> = self.hits.keys().map(|&group| (group, self.count(group))).collect();
        groups.sort_unstable();
        groups
    }

    /// A condition with all its values. `owner` is the id of whose it is: its own matches are named without it.
    pub(crate) fn tree(&self, owner: &str, condition: std::ops::Range<u32>) -> Option<Tree> {
        rebuild(
            condition.filter_map(|index| self.pack.node(index)).map(|node| (node, self.leaf(owner, &node))),
        )
    }

    fn leaf(&self, owner: &str, node: &Node) -> Leaf {
        let pack = self.pack;
        let text = |string| format!("{:?}", pack.string(string));
        let (written, held, value) = match node.test {
            Test::Constant(value) => (value.to_string(), value, String::new()),
            Test::Group(group) => {
                let need = pack.group(group).map_or(1, |group| u32::from(group.need));
                let held = self.count(group) >= need;
                let value = match (held, need) {
                    (true, _) => self.words(group),
                    (false, ..=1) => String::new(),
                    (false, need) => format!("{}/{need}", self.count(group)),
                };
                (self.group_name(owner, group), held, value)
            }
            Test::GroupCount(group, comparison, number) => {
                let written =
                    format!("{}.count {} {number}", self.group_name(owner, group), comparison.symbol());
                (
                    written,
                    comparison.holds(self.count(group).into(), number.into()),
                    self.count(group).to_string(),
                )
            }
            Test::Field(field) => (
                field.name().to_owned(),
                self.fields.get(&field) == Some(&FieldValue::Bool(true)),
                String::new(),
            ),
            Test::FieldInt(field, comparison, number) => {
                let written = format!("{} {} {number}", field.name(), comparison.symbol());
                (written, comparison.holds(self.int(field), number.into()), self.int(field).to_string())
            }
            Test::FieldText(field, string) => {
                let written = format!("{} == {}", field.name(), text(string));
                (written, self.text(field) == pack.string(string), format!("{:?}", self.text(field)))
            }
            Test::FieldStartsWith(field, string) => {
                let written = format!("{}.startsWith({})", field.name(), text(string));
                (
                    written,
                    self.text(field).starts_with(pack.string(string)),
                    format!("{:?}", self.text(field)),
                )
            }
            Test::FieldIn(field, list) => {
                let list = pack.list(list);
                let name = list.map_or("", |list| pack.string(list.name));
                let held = list.is_some_and(|list| pack.list_has(&list, self.text(field)));
                (format!("{} in {name}", field.name()), held, format!("{:?}", self.text(field)))
            }
            Test::SenderKind(kind) => (
                format!("sender.kind == {:?}", kind.id()),
                self.sender_kinds.contains(&kind),
                ids(&self.sender_kinds),
            ),
            Test::SignatureKind(kind) => {
                let held = self.signature_kinds.contains(&kind);
                (format!("signature.kind == {:?}", kind.id()), held, ids(&self.signature_kinds))
            }
            Test::Behaviour(query, comparison, number) => {
                let value = self.measured.get(&query).copied().unwrap_or(query.measure.unknown());
                let (subject, measure) = (query.subject.name(), query.measure.name());
                let shown = |value| shown(query.measure, value);
                let written = format!(
                    "{subject}.{measure}(\"{}\") {} {}",
                    window(query.window_s),
                    comparison.symbol(),
                    shown(number.into())
                );
                (written, comparison.holds(value, number.into()), shown(value))
            }
            Test::Listed(query, comparison, number) => {
                let score = self.listed.get(&query).copied().unwrap_or(0);
                let held = comparison.holds(score.into(), number.into());
                (self.list_question(query, comparison, number), held, score.to_string())
            }
        };
        Leaf { test: node.test, text: written, held, value }
    }

    /// As it is written in a condition.
    fn list_question(&self, query: ListQuery, comparison: Comparison, number: i32) -> String {
        let (subject, list) = (query.subject.name(), self.pack.string(query.list));
        let typology = query.typology.map_or_else(String::new, |typology| format!(", {:?}", typology.id()));
        match (comparison, number) {
            (Comparison::Ge, 1) => format!("{subject}.{LISTED}({list:?}{typology})"),
            _ => format!("{subject}.{LIST_SCORE}({list:?}{typology}) {} {number}", comparison.symbol()),
        }
    }

    fn group_name(&self, owner: &str, group: u32) -> String {
        let name = self.pack.group(group).map_or("", |group| self.pack.string(group.name));
        let own = name.strip_prefix(owner).and_then(|rest| rest.strip_prefix('/'));
        own.unwrap_or(name).to_owned()
    }

    /// Some of the members that hit.
    fn words(&self, group: u32) -> String {
        let hits = self.hits.get(&group).map(Vec::as_slice).unwrap_or_default();
        let shown: Vec<String> = hits
            .iter()
            .take(WORDS_SHOWN_MAX)
            .filter_map(|&pattern| self.pack.pattern(pattern))
            .map(
                |pattern| if pattern.regex { format!("/{}/", pattern.text) } else { pattern.text.to_owned() },
            )
            .collect();
        let more = if hits.len() > WORDS_SHOWN_MAX { " …" } else { "" };
        format!("{}{more}", shown.join(" "))
    }

    fn count(&self, group: u32) -> u32 {
        self.hits.get(&group).map_or(0, |hits| u32::try_from(hits.len()).unwrap_or(u32::MAX))
    }

    fn int(&self, field: Field) -> i64 {
        match self.fields.get(&field) {
            Some(FieldValue::Int(value)) => *value,
            _ => 0,
        }
    }

    fn text(&self, field: Field) -> &str {
        match self.fields.get(&field) {
            Some(FieldValue::Text(value)) => value,
            _ => "",
        }
    }
}

/// A window as it is written in a condition.
fn window(window_s: u32) -> String {
    match window_s {
        hours if hours % 3600 == 0 => format!("{}h", hours / 3600),
        minutes if minutes % 60 == 0 => format!("{}m", minutes / 60),
        seconds => format!("{seconds}s"),
    }
}

/// Ratios as decimals.
fn shown(measure: Measure, value: i64) -> String {
    match measure {
        Measure::AnsweredRatio => {
            let text = format!("{}.{:03}", value / RATIO_ONE, (value % RATIO_ONE).abs());
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => value.to_string(),
    }
}

fn ids(kinds: &[OrganisationKind]) -> String {
    let ids: Vec<&str> = kinds.iter().map(|kind| kind.id()).collect();
    format!("{:?}", ids.join(", "))
}
