//! Judging allocates nothing, neither for a message that passes nor for one that doesn't: counted over the bench's messages.

use yumen_compiler::bench::{CountingAllocator, measure};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

#[test]
fn an_allowed_message_allocates_nothing() {
    let figures = measure(2).unwrap();
    assert!(figures.allowed * 10 >= figures.messages * 8, "most of the sample's messages pass");
    assert_eq!(figures.allocations_per_message, Some(0.0));
}
