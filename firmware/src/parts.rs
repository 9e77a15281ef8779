//! Messages of several parts: what has come of each, judged as a whole at every part.

use crate::limits::{MESSAGES_MAX, PARTS_AGE_MS, PARTS_MAX, SEGMENT_BYTES_MAX, TEXT_BYTES_MAX};
use heapless::{String, Vec};
use yumen_wire::udh::{Concatenation, Reference};

/// The parts that are kept.
#[derive(Debug)]
pub(crate) struct Messages {
    slots: Vec<Message, MESSAGES_MAX>,
}

#[derive(Debug)]
struct Message {
    originator: u32,
    reference: Reference,
    total: u8,
    since_ms: u64,
    is_bad: bool,
    parts: Vec<Part, PARTS_MAX>,
}

#[derive(Debug)]
struct Part {
    number: u8,
    text: String<SEGMENT_BYTES_MAX>,
}

/// What is known of the message that a part belongs to.
pub(crate) struct Known {
    /// A part of it was stopped before.
    pub(crate) is_bad: bool,
    slot: usize,
}

impl Messages {
    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new() }
    }

    /// Adds a part, and writes the text so far, in the order of the parts, to `text`.
    pub(crate) fn add(
        &mut self,
        originator: &str,
        part: &Concatenation,
        segment: &str,
        now_ms: u64,
        text: &mut String<TEXT_BYTES_MAX>,
    ) -> Known {
        let originator = hash(originator);
        let slot = self.slot(originator, part, now_ms);
        let Some(message) = self.slots.get_mut(slot) else {
            return Known { is_bad: false, slot };
        };
        if !message.parts.iter().any(|known| known.number == part.number) {
            let mut kept = String::new();
            fill(&mut kept, segment);
            // A ninth part is judged with the first eight, and not kept.
            let _ = message.parts.push(Part { number: part.number, text: kept });
            message.parts.sort_unstable_by_key(|part| part.number);
        }
        text.clear();
        for part in &message.parts {
            fill(text, &part.text);
        }
        if message.parts.iter().all(|known| known.number != part.number) {
            fill(text, segment);
        }
        Known { is_bad: message.is_bad, slot }
    }

    /// The message turned out to be bad: the parts that follow are stopped.
    pub(crate) fn condemn(&mut self, known: &Known) {
        if let Some(message) = self.slots.get_mut(known.slot) {
            message.is_bad = true;
        }
    }

    fn slot(&mut self, originator: u32, part: &Concatenation, now_ms: u64) -> usize {
        self.slots.retain(|message| now_ms.saturating_sub(message.since_ms) < PARTS_AGE_MS);
        let is_this = |message: &Message| {
            message.originator == originator
                && message.reference == part.reference
                && message.total == part.total
        };
        if let Some(slot) = self.slots.iter().position(is_this) {
            return slot;
        }
        if self.slots.is_full() {
            let oldest = self.slots.iter().enumerate().min_by_key(|(_, message)| message.since_ms);
            if let Some(oldest) = oldest.map(|(slot, _)| slot) {
                self.slots.remove(oldest);
            }
        }
        let message = Message {
            originator,
            reference: part.reference,
            total: part.total,
            since_ms: now_ms,
            is_bad: false,
            parts: Vec::new(),
        };
        let _ = self.slots.push(message);
        self.slots.len().saturating_sub(1)
    }
}

/// Appends as much as there is room for.
fn fill<const N: usize>(out: &mut String<N>, text: &str) {
    for char in text.chars() {
        if out.push(char).is_err() {
            return;
        }
    }
}

/// FNV-1a: numbers of one device's senders, not an adversary's table.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
