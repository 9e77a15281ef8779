//! Where a field stands in the file, so that what is wrong with it can be pointed at.

use super::Problem;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// One step from a table or an array to what it holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'a> {
    /// A field of a table.
    Key(&'a str),
    /// An element of an array, from 0.
    Item(usize),
}

impl<'a> From<&'a str> for Step<'a> {
    fn from(key: &'a str) -> Self {
        Self::Key(key)
    }
}

impl From<usize> for Step<'_> {
    fn from(at: usize) -> Self {
        Self::Item(at)
    }
}

/// A path of fields and numbers: `at!["listener", 0, "policy", "flag_at"]`.
macro_rules! at {
    ($($step:expr),* $(,)?) => { [$($crate::config::place::Step::from($step)),*] };
}
pub(super) use at;

/// Collects what is wrong, each with its place.
#[derive(Debug)]
pub(super) struct Report<'a> {
    text: &'a str,
    tree: Option<DeTable<'a>>,
    found: Vec<Problem>,
}

impl<'a> Report<'a> {
    /// Over a text that parsed.
    pub(super) fn new(text: &'a str) -> Self {
        let tree = DeTable::parse(text).ok().map(toml::Spanned::into_inner);
        Self { text, tree, found: Vec::new() }
    }

    /// Notes a problem with what stands at `path`, or with the innermost table of the path that the file has: a field
    /// may be wrong by being left out.
    pub(super) fn add(&mut self, path: &[Step<'_>], message: impl Into<String>, help: impl Into<String>) {
        let span = self.tree.as_ref().map_or(0..0, |tree| place(tree, path));
        self.found.push(Problem::at(self.text, &span, message, help));
    }

    /// What was found, in the order of the file.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|problem| (problem.line, problem.column));
        self.found
    }
}

/// The value at a path, or the deepest key on the way that exists.
fn place(tree: &DeTable<'_>, path: &[Step<'_>]) -> Range<usize> {
    let Some((&Step::Key(first), rest)) = path.split_first() else { return 0..0 };
    let Some((key, value)) = tree.iter().find(|(key, _)| key.get_ref() == first) else { return 0..0 };
    let mut deepest =
        if rest.is_empty() && !is_container(value.get_ref()) { value.span() } else { key.span() };
    let mut current = value;
    for (at, step) in rest.iter().enumerate() {
        let found = match (step, current.get_ref()) {
            (Step::Key(name), DeValue::Table(table)) => {
                table.iter().find(|(key, _)| key.get_ref() == *name).map(|(key, value)| (key.span(), value))
            }
            (Step::Item(item), DeValue::Array(array)) => array.get(*item).map(|value| (value.span(), value)),
            _ => None,
        };
        let Some((span, value)) = found else { break };
        let is_last = at + 1 == rest.len();
        deepest = if is_last && !is_container(value.get_ref()) { value.span() } else { span };
        current = value;
    }
    deepest
}

/// Tables are pointed at by their name: their own span may begin anywhere.
fn is_container(value: &DeValue<'_>) -> bool {
    matches!(value, DeValue::Table(_))
}
