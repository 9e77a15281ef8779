//! A part of the table behind one lock.

use super::Ticket;
use super::message::Message;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
pub(super) struct Shard {
    pub(super) bytes: usize,
    pub(super) messages: HashMap<Box<[u8]>, Message>,
    /// Key and birth of every message once, in the order they are looked at; one whose message is gone is skipped
    /// when it comes up.
    pub(super) queue: VecDeque<(Box<[u8]>, u64)>,
}

impl Shard {
    pub(super) fn of(&mut self, key: &[u8], ticket: Ticket) -> Option<&mut Message> {
        self.messages.get_mut(key).filter(|message| message.generation == ticket.generation)
    }

    pub(super) fn born(&mut self, key: &[u8], birth: u64) -> Option<&mut Message> {
        self.messages.get_mut(key).filter(|message| message.birth == birth)
    }

    /// The message of that key; a new one where there is none.
    pub(super) fn of_key(&mut self, key: &[u8], new: impl FnOnce() -> Message) -> &mut Message {
        if !self.messages.contains_key(key) {
            // Keys of forgotten messages may linger; keep the queue no longer than twice what is alive.
            if self.queue.len() > 2 * self.messages.len() + 16 {
                let messages = &self.messages;
                self.queue
                    .retain(|(key, birth)| messages.get(key).is_some_and(|message| message.birth == *birth));
            }
        }
        self.messages.entry(key.into()).or_insert_with_key(|key| {
            let message = new();
            self.bytes += message.bytes;
            self.queue.push_back((key.clone(), message.birth));
            message
        })
    }

    pub(super) fn remove(&mut self, key: &[u8]) -> Option<Message> {
        let gone = self.messages.remove(key)?;
        self.bytes -= gone.bytes;
        Some(gone)
    }
}

/// Locks a shard.
pub(super) fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    // A shard is consistent between any two statements that can panic: there are none.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
