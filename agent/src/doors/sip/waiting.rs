//! Calls that wait for the certificate of their caller's signature: at most so many, each
//! for at most so long.

use super::key::Key;
use crate::limits::STIR_WAITING_MAX;
use std::collections::VecDeque;
use std::time::Instant;

/// Requests as they came, in the order in which their time is up; `T` is the way that they came.
#[derive(Debug)]
pub(super) struct Waiting<T>(VecDeque<Waits<T>>);

/// One request.
#[derive(Debug)]
pub(super) struct Waits<T> {
    key: Key,
    pub(super) octets: Vec<u8>,
    pub(super) came_by: T,
    pub(super) until: Instant,
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Waiting<T> {
    /// `false` where there is no room.
    pub(super) fn add(&mut self, key: Key, octets: &[u8], came_by: T, until: Instant) -> bool {
        if self.0.len() >= STIR_WAITING_MAX {
            return false;
        }
        self.0.push_back(Waits { key, octets: octets.to_vec(), came_by, until });
        true
    }

    pub(super) fn holds(&self, key: Key) -> bool {
        !self.0.is_empty() && self.0.iter().any(|waits| waits.key == key)
    }

    /// The caller gave up.
    pub(super) fn remove(&mut self, key: Key) -> Option<Waits<T>> {
        let at = self.0.iter().position(|waits| waits.key == key)?;
        self.0.remove(at)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// One of those that were taken out.
    pub(super) fn put_back(&mut self, waits: Waits<T>) {
        self.0.push_back(waits);
    }

    pub(super) fn forget(&mut self, is_gone: impl Fn(&T) -> bool) {
        self.0.retain(|waits| !is_gone(&waits.came_by));
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.0.iter().map(|waits| waits.until).min()
    }

    /// All of them: something changed. They come back where they still wait.
    pub(super) fn take_all(&mut self) -> VecDeque<Waits<T>> {
        std::mem::take(&mut self.0)
    }
}
