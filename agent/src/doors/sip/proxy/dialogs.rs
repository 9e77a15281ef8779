//! Calls that were answered, for how long they last; and calls whose caller was asked for a password.

use super::super::screen::Parties;
use super::super::transport::Place;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A call that was answered.
#[derive(Clone, Debug)]
pub(super) struct Dialog {
    pub(super) parties: Parties,
    /// Milliseconds since the Unix epoch.
    pub(super) answered_ms: u64,
    /// Where the call went.
    pub(super) place: Arc<Place>,
}

/// Answered calls, by Call-ID and the caller's tag. The oldest make room.
#[derive(Debug)]
pub(super) struct Dialogs {
    known: HashMap<u64, Dialog>,
    order: VecDeque<u64>,
    max: usize,
}

impl Dialogs {
    pub(super) fn new(max: usize) -> Self {
        Self { known: HashMap::new(), order: VecDeque::new(), max }
    }

    /// Remembers a call; `false` where it is known already.
    pub(super) fn open(&mut self, id: u64, dialog: Dialog) -> bool {
        if self.known.contains_key(&id) {
            return false;
        }
        while self.known.len() >= self.max {
            let Some(oldest) = self.order.pop_front() else { break };
            self.known.remove(&oldest);
        }
        self.known.insert(id, dialog);
        self.order.push_back(id);
        if self.order.len() > 1024 + 2 * self.known.len() {
            let known = &self.known;
            self.order.retain(|id| known.contains_key(id));
        }
        true
    }

    pub(super) fn get(&self, id: u64) -> Option<&Dialog> {
        self.known.get(&id)
    }

    /// The call is over.
    pub(super) fn close(&mut self, id: u64) -> Option<Dialog> {
        self.known.remove(&id)
    }
}

/// Calls answered with 401 or 407: the same call, with a password, was judged and counted already.
#[derive(Debug)]
pub(super) struct Challenges {
    known: HashMap<u64, (Parties, Instant)>,
    order: VecDeque<u64>,
    max: usize,
}

impl Challenges {
    pub(super) fn new(max: usize) -> Self {
        Self { known: HashMap::new(), order: VecDeque::new(), max }
    }

    pub(super) fn add(&mut self, id: u64, parties: Parties, now: Instant) {
        while self.order.len() >= self.max {
            let Some(oldest) = self.order.pop_front() else { break };
            self.known.remove(&oldest);
        }
        if self.known.insert(id, (parties, now)).is_none() {
            self.order.push_back(id);
        }
    }

    /// Whose call it was, where that call was challenged a moment ago; it counts once.
    pub(super) fn take(&mut self, id: u64, now: Instant) -> Option<Parties> {
        let (parties, then) = self.known.remove(&id)?;
        (now.saturating_duration_since(then) < CHALLENGE_AGE_MAX).then_some(parties)
    }
}

/// Longer than anybody types.
const CHALLENGE_AGE_MAX: Duration = Duration::from_secs(60);
