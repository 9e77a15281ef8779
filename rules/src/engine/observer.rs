//! Looking over the engine's shoulder, for `explain` and for the tests of a pack.

use super::condition::ConditionId;
use super::facts::Value;
use super::listed::ListQuery;
use crate::behave::Query;
use crate::pack::node::Node;
use crate::signal::Field;

/// Is told what the engine looked at.
pub trait Observer {
    /// Whether anybody listens: where not, the calls are compiled away and only what is triggered gets evaluated.
    const ACTIVE: bool = true;

    /// Whether everything is evaluated, triggered or not, and every field told. Where not, the engine goes the way it always
    /// goes: what is timed then is what a gateway does.
    const EXHAUSTIVE: bool = Self::ACTIVE;

    /// Whether the text is folded. Where not, words are looked for in the text as it was sent, in the folded text's place, and
    /// the views that are made of it stay empty: that measures what folding is worth.
    const FOLDED: bool = true;

    /// A condition is about to be evaluated.
    fn begin(&mut self, condition: ConditionId) {
        let _ = condition;
    }

    /// The value of a field. Every field is told once, at the end, to an exhaustive observer.
    fn field(&mut self, field: Field, value: Value<'_>) {
        let _ = (field, value);
    }

    /// A test on the way through a condition: its position, the test, and how it came out.
    fn node(&mut self, condition: ConditionId, position: u16, node: &Node, held: bool) {
        let _ = (condition, position, node, held);
    }

    /// The answer to a question about behaviour. Every question of the pack is told once at least, at the end.
    fn behaviour(&mut self, query: Query, value: i64) {
        let _ = (query, value);
    }

    /// The answer of a number list: a score, 0 where the number isn't in it. Every question of the pack is told once at least, at the end.
    fn listed(&mut self, query: ListQuery, score: u8) {
        let _ = (query, score);
    }

    /// How a condition came out.
    fn condition(&mut self, condition: ConditionId, held: bool) {
        let _ = (condition, held);
    }
}

/// Nobody listens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    const ACTIVE: bool = false;
}
