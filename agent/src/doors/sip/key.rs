//! Which transaction a request belongs to (RFC 3261 §17.2.3).

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use yumen_wire::sip::Request;

/// A transaction: 128 bits that nobody outside can aim at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key(u64, u64);

impl Key {
    /// What a tag of ours is made of: the same for a request that is sent again.
    pub(super) const fn tag(self) -> u64 {
        self.0
    }
}

/// Makes keys. Its secrets are made anew with each start.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys(RandomState, RandomState);

impl Keys {
    /// The key of the transaction that a request belongs to; an ACK and a CANCEL belong to their INVITE's.
    pub(super) fn of(&self, request: &Request<'_>) -> Key {
        let method = match request.method {
            b"ACK" | b"CANCEL" => b"INVITE",
            method => method,
        };
        let half = |state: &RandomState| {
            let mut hasher = state.build_hasher();
            method.hash(&mut hasher);
            match request.via.branch().filter(|branch| branch.starts_with(MAGIC_COOKIE)) {
                Some(branch) => {
                    branch.hash(&mut hasher);
                    request.via.host.hash(&mut hasher);
                    request.via.port.hash(&mut hasher);
                }
                // RFC 2543: what stays the same from the INVITE to its ACK.
                None => {
                    request.uri.whole.hash(&mut hasher);
                    request.from.tag().hash(&mut hasher);
                    request.call_id.hash(&mut hasher);
                    request.cseq.hash(&mut hasher);
                    request.via.host.hash(&mut hasher);
                    request.via.port.hash(&mut hasher);
                    request.via.branch().hash(&mut hasher);
                }
            }
            hasher.finish()
        };
        Key(half(&self.0), half(&self.1))
    }
}

/// Branches that are unique begin with it (RFC 3261 §8.1.1.7).
pub(super) const MAGIC_COOKIE: &[u8] = b"z9hG4bK";
