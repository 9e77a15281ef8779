//! Conditions → decision graphs ([`yumen_rules::pack::node`]).
//!
//! A condition is laid out from its end: each test is given the places to go to before it is placed itself, so `&&`, `||` and `!`
//! cost nothing but the choice of exits, and every exit leads forward once the order is turned round.

use yumen_rules::engine::ListQuery;
use yumen_rules::limits::CONDITION_NODES_MAX;
use yumen_rules::pack::node::{Comparison, EXIT_FALSE, EXIT_TRUE, Node, Test};
use yumen_rules::pack::{OrganisationKind, SectionKind};
use yumen_rules::signal::Field;

use super::EmitError;
use super::section::{Sections, wire};
use crate::draft::{Compare, Expr, PackDraft};

/// Emits the nodes of a condition; gives the index of the first one and how many there are.
pub(super) fn condition(
    draft: &PackDraft,
    owner: &str,
    when: &Expr,
    sections: &mut Sections,
) -> Result<(u32, u16), EmitError> {
    let mut layout = Layout { draft, owner, sections, nodes: Vec::new() };
    let entry = layout.place(when, Exit::Result(true), Exit::Result(false))?;
    match entry {
        Exit::Result(value) => {
            layout.nodes.clear();
            layout.push(Test::Constant(value), Exit::Result(true), Exit::Result(false))?;
        }
        // Evaluation starts at the last one placed. What was placed after the entry can't be reached: a constant cut it off.
        Exit::Node(placed) => layout.nodes.truncate(placed + 1),
    }
    let nodes = layout.nodes;
    let too_large = || EmitError::ConditionTooLarge(owner.to_owned());
    let count = u16::try_from(nodes.len()).map_err(|_| too_large())?;
    let target = |exit| match exit {
        Exit::Result(true) => Ok(EXIT_TRUE),
        Exit::Result(false) => Ok(EXIT_FALSE),
        Exit::Node(placed) => u16::try_from(nodes.len() - 1 - placed).map_err(|_| too_large()),
    };
    let first = sections.count(SectionKind::Nodes)?;
    for &(test, on_true, on_false) in nodes.iter().rev() {
        let node = Node { test, on_true: target(on_true)?, on_false: target(on_false)? };
        sections.record(SectionKind::Nodes, &[&node.emit()]);
    }
    Ok((first, count))
}

/// Where a test leads: to a result, or to a node by the order in which it was placed.
#[derive(Clone, Copy)]
enum Exit {
    Result(bool),
    Node(usize),
}

struct Layout<'a> {
    draft: &'a PackDraft,
    owner: &'a str,
    sections: &'a mut Sections,
    /// Last one first.
    nodes: Vec<(Test, Exit, Exit)>,
}

impl Layout<'_> {
    /// Places an expression, and says where it is entered.
    fn place(&mut self, expr: &Expr, on_true: Exit, on_false: Exit) -> Result<Exit, EmitError> {
        let test = match expr {
            Expr::Bool(value) => return Ok(if *value { on_true } else { on_false }),
            Expr::Not(inner) => return self.place(inner, on_false, on_true),
            Expr::And(parts) => {
                let mut costliest_first = cheapest_first(parts).into_iter().rev();
                return costliest_first.try_fold(on_true, |next, part| self.place(part, next, on_false));
            }
            Expr::Or(parts) => {
                let mut costliest_first = cheapest_first(parts).into_iter().rev();
                return costliest_first.try_fold(on_false, |next, part| self.place(part, on_true, next));
            }
            Expr::Group(group) => Test::Group(self.index(*group, self.draft.groups.len())?),
            Expr::GroupCount(group, compare, value) => {
                let value = i32::try_from(*value).unwrap_or(i32::MAX);
                Test::GroupCount(self.index(*group, self.draft.groups.len())?, comparison(*compare), value)
            }
            Expr::Field(field) => Test::Field(*field),
            Expr::FieldInt(field, compare, value) => {
                Test::FieldInt(*field, comparison(*compare), saturate(*value))
            }
            Expr::FieldText(field, text) => Test::FieldText(*field, self.sections.string(text)?),
            Expr::FieldStartsWith(field, text) => Test::FieldStartsWith(*field, self.sections.string(text)?),
            Expr::FieldIn(field, list) => Test::FieldIn(*field, self.index(*list, self.draft.lists.len())?),
            Expr::SenderKind(kind) => Test::SenderKind(organisation_kind(kind)?),
            Expr::SignatureKind(kind) => Test::SignatureKind(organisation_kind(kind)?),
            Expr::Behaviour(query, compare, value) => {
                Test::Behaviour(*query, comparison(*compare), saturate(*value))
            }
            Expr::Listed(question, compare, value) => {
                let list = self.sections.string(&question.list)?;
                let query = ListQuery { subject: question.subject, typology: question.typology, list };
                Test::Listed(query, comparison(*compare), saturate(*value))
            }
        };
        self.push(test, on_true, on_false)
    }

    fn push(&mut self, test: Test, on_true: Exit, on_false: Exit) -> Result<Exit, EmitError> {
        if self.nodes.len() == CONDITION_NODES_MAX {
            return Err(EmitError::ConditionTooLarge(self.owner.to_owned()));
        }
        self.nodes.push((test, on_true, on_false));
        Ok(Exit::Node(self.nodes.len() - 1))
    }

    fn index(&self, index: usize, len: usize) -> Result<u32, EmitError> {
        if index < len { wire(index) } else { Err(EmitError::DanglingIndex(self.owner.to_owned())) }
    }
}

/// No test has an effect, so those that are counted already come before those that must look something up.
fn cheapest_first(parts: &[Expr]) -> Vec<&Expr> {
    let mut sorted: Vec<&Expr> = parts.iter().collect();
    sorted.sort_by_key(|part| cost(part));
    sorted
}

/// 0 for what the scan and folding counted, 1 for the originator, 2 for what takes reading the text again, 3 for the
/// classifier, for what others have counted and for number lists.
fn cost(expr: &Expr) -> u8 {
    match expr {
        Expr::Bool(_) | Expr::Group(_) | Expr::GroupCount(..) => 0,
        Expr::SenderKind(_) => 1,
        Expr::SignatureKind(_) => 2,
        Expr::Behaviour(..) | Expr::Listed(..) => 3,
        Expr::Field(field)
        | Expr::FieldInt(field, ..)
        | Expr::FieldText(field, _)
        | Expr::FieldStartsWith(field, _)
        | Expr::FieldIn(field, _) => match field.name().split('.').next() {
            Some("sender") => 1,
            Some("contact" | "link" | "signature") => 2,
            _ if *field == Field::TextOtp => 2,
            _ if field.classified().is_some() => 3,
            _ => 0,
        },
        Expr::And(parts) | Expr::Or(parts) => parts.iter().map(cost).max().unwrap_or(0),
        Expr::Not(inner) => cost(inner),
    }
}

/// Fields count within 32 bits, so a bound beyond them means the same at their end.
fn saturate(value: i64) -> i32 {
    i32::try_from(value).unwrap_or(if value < 0 { i32::MIN } else { i32::MAX })
}

fn comparison(compare: Compare) -> Comparison {
    match compare {
        Compare::Eq => Comparison::Eq,
        Compare::Ne => Comparison::Ne,
        Compare::Lt => Comparison::Lt,
        Compare::Le => Comparison::Le,
        Compare::Gt => Comparison::Gt,
        Compare::Ge => Comparison::Ge,
    }
}

fn organisation_kind(id: &str) -> Result<OrganisationKind, EmitError> {
    OrganisationKind::from_id(id).ok_or_else(|| EmitError::UnknownOrganisationKind(id.to_owned()))
}
