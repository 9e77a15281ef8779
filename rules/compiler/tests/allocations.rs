//! Judging a message that passes allocates nothing: counted over every message of the bench.

use yumen_compiler::bench::{CountingAllocator, measure};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

#[test]
fn an_allowed_message_allocates_nothing() {
    let figures = measure(2).unwrap();
    assert_eq!(figures.allowed, figures.messages, "the sample's messages pass");
    assert_eq!(figures.allocations_per_message, Some(0.0));
}
