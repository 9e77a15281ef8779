//! A condition as it was written.

use std::ops::Range;

use crate::draft::Compare;

/// A node with its place in the condition (bytes).
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Bool(bool),
    Int(i64),
    /// A decimal, in thousandths.
    Thousandths(i64),
    Text(String),
    List(Vec<Node>),
    /// `sender.registered`
    Path(String),
    /// `sender.number.startsWith("106")`: path, method, arguments.
    Call {
        path: Option<(String, Range<usize>)>,
        method: String,
        method_range: Range<usize>,
        arguments: Vec<Node>,
    },
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    Compare(Compare, Box<Node>, Box<Node>),
    In(Box<Node>, Box<Node>),
}
