//! What a board brings, beside its three serial lines.

use yumen_link::Cause;
use yumen_rules::pack::{Layout, Pack};
use yumen_storage::{Flash, Slot};

/// A board.
pub trait Board<'p> {
    /// Its flash.
    type Flash: Flash;

    /// Gives a verified pack a place where it can be read for as long as the program runs: where it lies, on a board whose flash
    /// is mapped. `bytes` are what the slot holds. `None` where there is no place.
    fn hold(&mut self, slot: Slot, bytes: &[u8], layout: Layout) -> Option<Pack<'p>>;

    /// Most bytes of stack that were used, and how many there are.
    fn stack(&self) -> (u32, u32) {
        (0, 0)
    }
}

/// How the program came to run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Start<'s> {
    /// Why.
    pub cause: Cause,
    /// Program counter, where the processor faulted.
    pub at: u32,
    /// What the program said when it ended.
    pub words: &'s str,
}
