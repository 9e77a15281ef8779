//! Conditions as decision graphs.
//!
//! A condition is a run of nodes. Each is one test with two exits: the node to go to when it is true and the node to go to
//! when it is false, or the result ([`EXIT_TRUE`], [`EXIT_FALSE`]). Exits only lead forward, so a condition of `n` nodes ends
//! after at most `n` tests; `&&`, `||` and `!` are nothing but the way the exits are set. Evaluation starts at node 0.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 1 | operation |
//! | 1 | 1 | field or kind of organisation |
//! | 2 | 1 | comparison |
//! | 3 | 1 | 0 |
//! | 4 | 2 | exit when true |
//! | 6 | 2 | exit when false |
//! | 8 | 4 | group, string or list |
//! | 12 | 4 | value, signed |
//!
//! A behaviour test (operation 10) has its subject in the field's place; its operand is the measure in the upper 8 bits and the
//! window in seconds in the lower 24.
//!
//! A test of a number list (operation 11) has in the field's place whose number it asks for in the lower 4 bits, and in the upper 4 the
//! typology plus one, or 0 for any; its operand is the string with the list's name.

use super::registry::OrganisationKind;
use crate::behave::{Measure, Query, Subject, WINDOW_S_MAX, WINDOW_S_MIN};
use crate::engine::{ListQuery, ListSubject};
use crate::signal::{Field, FieldKind};
use crate::verdict::Typology;

/// Length of a node in bytes.
pub const NODE_LEN: usize = 16;
/// The exit that makes the condition true.
pub const EXIT_TRUE: u16 = 0xFFFF;
/// The exit that makes the condition false.
pub const EXIT_FALSE: u16 = 0xFFFE;

/// A comparison of integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Comparison {
    /// `==`
    Eq = 0,
    /// `!=`
    Ne = 1,
    /// `<`
    Lt = 2,
    /// `<=`
    Le = 3,
    /// `>`
    Gt = 4,
    /// `>=`
    Ge = 5,
}

impl Comparison {
    /// From the wire value.
    #[must_use]
    pub const fn from_wire(value: u8) -> Option<Self> {
        Some(match value {
            0 => Self::Eq,
            1 => Self::Ne,
            2 => Self::Lt,
            3 => Self::Le,
            4 => Self::Gt,
            5 => Self::Ge,
            _ => return None,
        })
    }

    /// `left` compared with `right`.
    #[must_use]
    pub const fn holds(self, left: i64, right: i64) -> bool {
        match self {
            Self::Eq => left == right,
            Self::Ne => left != right,
            Self::Lt => left < right,
            Self::Le => left <= right,
            Self::Gt => left > right,
            Self::Ge => left >= right,
        }
    }

    /// As written in a condition.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }
}

/// One test. `u32` operands are indices of groups, strings and lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// Always the same.
    Constant(bool),
    /// Enough members of the group hit.
    Group(u32),
    /// The number of different members that hit, compared.
    GroupCount(u32, Comparison, i32),
    /// A boolean field.
    Field(Field),
    /// An integer field, compared.
    FieldInt(Field, Comparison, i32),
    /// A text field equals a string.
    FieldText(Field, u32),
    /// A text field starts with a string.
    FieldStartsWith(Field, u32),
    /// A text field is in a list.
    FieldIn(Field, u32),
    /// What the originator's organisation is.
    SenderKind(OrganisationKind),
    /// What the signature's organisation is.
    SignatureKind(OrganisationKind),
    /// How a number has been behaving, compared.
    Behaviour(Query, Comparison, i32),
    /// The score that a number list gives a number, compared.
    Listed(ListQuery, Comparison, i32),
}

/// A test with its exits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// What is asked.
    pub test: Test,
    /// Where to go when it is true.
    pub on_true: u16,
    /// Where to go when it is false.
    pub on_false: u16,
}

impl Node {
    /// From its bytes; `None` where an operation, a field (or its kind), a comparison or a reserved byte is not valid.
    /// Operands and exits are for the caller to check.
    #[inline]
    #[must_use]
    pub fn parse(bytes: &[u8; NODE_LEN]) -> Option<Self> {
        let [op, a, c, 0, t0, t1, f0, f1, b0, b1, b2, b3, v0, v1, v2, v3] = *bytes else { return None };
        let (operand, value) = (u32::from_le_bytes([b0, b1, b2, b3]), i32::from_le_bytes([v0, v1, v2, v3]));
        let test = match op {
            0 => Test::Constant(value != 0),
            1 => Test::Group(operand),
            2 => Test::GroupCount(operand, Comparison::from_wire(c)?, value),
            3 => Test::Field(field(a, FieldKind::Bool)?),
            4 => Test::FieldInt(field(a, FieldKind::Int)?, Comparison::from_wire(c)?, value),
            5 => Test::FieldText(field(a, FieldKind::Text)?, operand),
            6 => Test::FieldStartsWith(field(a, FieldKind::Text)?, operand),
            7 => Test::FieldIn(field(a, FieldKind::Text)?, operand),
            8 => Test::SenderKind(OrganisationKind::from_wire(a)?),
            9 => Test::SignatureKind(OrganisationKind::from_wire(a)?),
            10 => Test::Behaviour(query(a, operand)?, Comparison::from_wire(c)?, value),
            11 => Test::Listed(list_query(a, operand)?, Comparison::from_wire(c)?, value),
            _ => return None,
        };
        Some(Self { test, on_true: u16::from_le_bytes([t0, t1]), on_false: u16::from_le_bytes([f0, f1]) })
    }

    /// The group, where its members are what is tested; of bytes that [`Node::parse`] takes.
    #[inline]
    pub(crate) const fn group_of(bytes: &[u8; NODE_LEN]) -> Option<u32> {
        match *bytes {
            [1, _, _, _, _, _, _, _, b0, b1, b2, b3, ..] => Some(u32::from_le_bytes([b0, b1, b2, b3])),
            _ => None,
        }
    }

    /// Where to go; of bytes that [`Node::parse`] takes.
    #[inline]
    pub(crate) const fn exit_of(bytes: &[u8; NODE_LEN], held: bool) -> u16 {
        let [_, _, _, _, t0, t1, f0, f1, ..] = *bytes;
        u16::from_le_bytes(if held { [t0, t1] } else { [f0, f1] })
    }

    /// To its bytes.
    #[must_use]
    pub fn emit(&self) -> [u8; NODE_LEN] {
        let (op, a, comparison, operand, value) = match self.test {
            Test::Constant(value) => (0, 0, 0, 0, i32::from(value)),
            Test::Group(group) => (1, 0, 0, group, 0),
            Test::GroupCount(group, comparison, value) => (2, 0, comparison as u8, group, value),
            Test::Field(field) => (3, field as u8, 0, 0, 0),
            Test::FieldInt(field, comparison, value) => (4, field as u8, comparison as u8, 0, value),
            Test::FieldText(field, string) => (5, field as u8, 0, string, 0),
            Test::FieldStartsWith(field, string) => (6, field as u8, 0, string, 0),
            Test::FieldIn(field, list) => (7, field as u8, 0, list, 0),
            Test::SenderKind(kind) => (8, kind as u8, 0, 0, 0),
            Test::SignatureKind(kind) => (9, kind as u8, 0, 0, 0),
            Test::Behaviour(query, comparison, value) => {
                let operand = (query.measure as u32) << WINDOW_BITS | query.window_s & WINDOW_MASK;
                (10, query.subject as u8, comparison as u8, operand, value)
            }
            Test::Listed(query, comparison, value) => {
                let typology = query.typology.map_or(0, |typology| typology as u8 + 1);
                (11, typology << 4 | query.subject as u8, comparison as u8, query.list, value)
            }
        };
        let ([t0, t1], [f0, f1]) = (self.on_true.to_le_bytes(), self.on_false.to_le_bytes());
        let ([b0, b1, b2, b3], [v0, v1, v2, v3]) = (u32::to_le_bytes(operand), i32::to_le_bytes(value));
        [op, a, comparison, 0, t0, t1, f0, f1, b0, b1, b2, b3, v0, v1, v2, v3]
    }
}

const WINDOW_BITS: u32 = 24;
const WINDOW_MASK: u32 = (1 << WINDOW_BITS) - 1;

fn query(subject: u8, operand: u32) -> Option<Query> {
    let subject = Subject::from_wire(subject)?;
    let measure = Measure::from_wire(u8::try_from(operand >> WINDOW_BITS).ok()?)?;
    let window_s = operand & WINDOW_MASK;
    let valid = measure.suits(subject) && (WINDOW_S_MIN..=WINDOW_S_MAX).contains(&window_s);
    valid.then_some(Query { subject, measure, window_s })
}

fn list_query(wire: u8, list: u32) -> Option<ListQuery> {
    let typology = match wire >> 4 {
        0 => None,
        typology => Some(Typology::from_wire(typology - 1)?),
    };
    Some(ListQuery { subject: ListSubject::from_wire(wire & 0xF)?, typology, list })
}

fn field(wire: u8, kind: FieldKind) -> Option<Field> {
    Field::from_wire(wire).filter(|field| field.kind() == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Test; 12] = [
        Test::Constant(true),
        Test::Group(7),
        Test::GroupCount(7, Comparison::Ge, 2),
        Test::Field(Field::SenderRegistered),
        Test::FieldInt(Field::TextDisguised, Comparison::Lt, -3),
        Test::FieldText(Field::SignatureText, 9),
        Test::FieldStartsWith(Field::SenderNumber, 9),
        Test::FieldIn(Field::LinkDomain, 4),
        Test::SenderKind(OrganisationKind::Bank),
        Test::SignatureKind(OrganisationKind::Other),
        Test::Behaviour(
            Query { subject: Subject::Callee, measure: Measure::DistinctCallers, window_s: 300 },
            Comparison::Ge,
            30,
        ),
        Test::Listed(
            ListQuery { subject: ListSubject::Contact, typology: Some(Typology::Fraud), list: 9 },
            Comparison::Ge,
            60,
        ),
    ];

    #[test]
    fn nodes_come_back_as_they_went() {
        for test in ALL {
            let node = Node { test, on_true: 3, on_false: EXIT_FALSE };
            assert_eq!(Node::parse(&node.emit()), Some(node));
        }
    }

    #[test]
    fn wire_numbers_are_frozen() {
        let emitted = ALL.map(|test| Node { test, on_true: 0x0102, on_false: EXIT_TRUE }.emit()[0]);
        assert_eq!(emitted, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        let listed = Node { test: ALL[11], on_true: 0x0102, on_false: EXIT_TRUE }.emit();
        assert_eq!(listed, [11, 0x82, 5, 0, 2, 1, 0xFF, 0xFF, 9, 0, 0, 0, 60, 0, 0, 0]);
        let behaviour = Node { test: ALL[10], on_true: 0x0102, on_false: EXIT_TRUE }.emit();
        assert_eq!(behaviour, [10, 1, 5, 0, 2, 1, 0xFF, 0xFF, 0x2C, 1, 0, 5, 30, 0, 0, 0]);
        let node = Node {
            test: Test::FieldInt(Field::TextChars, Comparison::Ge, -2),
            on_true: 0x0102,
            on_false: EXIT_TRUE,
        };
        assert_eq!(node.emit(), [4, 64, 5, 0, 2, 1, 0xFF, 0xFF, 0, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF]);
    }

    #[test]
    fn a_field_of_another_kind_is_refused() {
        let mut bytes = Node { test: Test::Field(Field::SenderRegistered), on_true: 1, on_false: 1 }.emit();
        bytes[1] = Field::TextChars as u8;
        assert_eq!(Node::parse(&bytes), None);
    }
}
