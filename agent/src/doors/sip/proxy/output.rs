//! What a proxy wants sent.

use super::super::transport::{Flow, Place};
use std::ops::Range;
use std::sync::Arc;

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Back the way that a request came.
    Back(Flow),
    /// To a place; what can't be sent there is told by its branch ([`super::Proxy::unreachable`]).
    To {
        /// Where.
        place: Arc<Place>,
        /// The attempt that it belongs to; 0 where nobody is to be told.
        branch: u64,
    },
}

/// Messages to send, in order. Reused from call to call.
#[derive(Debug, Default)]
pub struct Outputs {
    octets: Vec<u8>,
    messages: Vec<(Destination, Range<usize>)>,
}

impl Outputs {
    /// Each message with where it goes.
    pub fn iter(&self) -> impl Iterator<Item = (&Destination, &[u8])> {
        self.messages.iter().map(|(to, range)| (to, self.octets.get(range.clone()).unwrap_or_default()))
    }

    /// Nothing is to be sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Forgets what was sent, keeping the memory.
    pub fn clear(&mut self) {
        self.octets.clear();
        self.messages.clear();
    }

    /// One more, as it is.
    pub(super) fn push(&mut self, to: Destination, octets: &[u8]) {
        let start = self.octets.len();
        self.octets.extend_from_slice(octets);
        self.messages.push((to, start..self.octets.len()));
    }

    /// One more, written by `write`; its octets are handed back.
    pub(super) fn write(&mut self, to: Destination, write: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        let start = self.octets.len();
        write(&mut self.octets);
        self.messages.push((to, start..self.octets.len()));
        self.octets.get(start..).unwrap_or_default()
    }
}
