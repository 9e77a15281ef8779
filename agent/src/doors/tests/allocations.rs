//! A message of one part that passes allocates nothing: not in the session, not in the pipeline.

use super::*;
use crate::doors::cmpp::Cmpp;
use crate::doors::smpp::Smpp;
use crate::doors::tests::smpp::sm;
use std::alloc::{GlobalAlloc, Layout as Memory, System};
use std::cell::Cell;
use yumen_wire::cmpp::Version;
use yumen_wire::smpp::CommandId;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged; the counter beside it allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, memory: Memory) -> *mut u8 {
        // A thread that is ending has no counter any more.
        let _gone = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps `alloc`'s contract, and it is passed on as it is.
        unsafe { System.alloc(memory) }
    }

    unsafe fn dealloc(&self, place: *mut u8, memory: Memory) {
        // SAFETY: `place` came from `System` by `alloc` above, with that layout.
        unsafe { System.dealloc(place, memory) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn an_allowed_smpp_message_allocates_nothing() {
    none(ProtocolKind::Smpp, Smpp::new, &sm(CommandId::SUBMIT_SM, 1, "一条好消息，长一点，再长一点"));
}

#[test]
fn an_allowed_cmpp_message_allocates_nothing() {
    none(ProtocolKind::Cmpp, Cmpp::new, &super::cmpp::submit(Version::V2, 1, "一条好消息，长一点，再长一点"));
}

fn none<P: Protocol>(protocol: ProtocolKind, new: fn(&ListenerConfig) -> P, octets: &[u8]) {
    let world = World::new(config(protocol, Policy::default()), Arc::new(WordJudge::new()));
    let mut pair = world.session(new);
    let mut outputs = Outputs::default();
    let mut counted = 0;
    for round in 0..100 {
        let now = Now { instant: Instant::now(), ..world.now };
        let before = ALLOCATIONS.get();
        let used = pair.session.handle(Side::Client, octets, now, &mut outputs);
        let after = ALLOCATIONS.get();
        assert_eq!((used, outputs.forward().len()), (octets.len(), 1), "it passes");
        outputs.clear();
        // The first ones let the buffers grow.
        if round >= 2 {
            counted += after - before;
        }
    }
    assert_eq!(counted, 0);
}
