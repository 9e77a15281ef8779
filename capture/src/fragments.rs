//! IP fragments (RFC 791 §3.2, RFC 8200 §4.5) → whole payloads.

use crate::limits::{DATAGRAM_BYTES_MAX, FRAGMENTED_MAX};
use crate::recent::Recent;
use std::net::IpAddr;

/// What fragments of one packet have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FragmentKey {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) identification: u32,
    pub(crate) protocol: u8,
}

#[derive(Debug, Default)]
struct Partial {
    octets: Vec<u8>,
    /// Sorted, apart from each other.
    held: Vec<(usize, usize)>,
    total: Option<usize>,
}

/// Packets that wait for their fragments.
#[derive(Debug)]
pub(crate) struct Fragments {
    waiting: Recent<FragmentKey, Partial>,
}

impl Fragments {
    pub(crate) fn new() -> Self {
        Self { waiting: Recent::new(FRAGMENTED_MAX) }
    }

    /// Takes a fragment; the payload, where it was the last one missing. Where fragments overlap, the first one counts.
    pub(crate) fn push(
        &mut self,
        key: &FragmentKey,
        offset: usize,
        more: bool,
        data: &[u8],
    ) -> Option<Vec<u8>> {
        let end = offset.checked_add(data.len()).filter(|&end| end <= DATAGRAM_BYTES_MAX)?;
        let (partial, _) = self.waiting.of(key, Partial::default);
        partial.write(offset, data);
        if !more {
            partial.total = Some(end);
        }
        let total = partial.total?;
        if partial.held.first().is_none_or(|&(start, end)| start > 0 || end < total) {
            return None;
        }
        let mut octets = self.waiting.remove(key)?.octets;
        octets.truncate(total);
        Some(octets)
    }
}

impl Partial {
    fn write(&mut self, offset: usize, data: &[u8]) {
        let end = offset + data.len();
        if self.octets.len() < end {
            self.octets.resize(end, 0);
        }
        let mut at = offset;
        // Only what isn't held yet is written.
        for &(start, stop) in &self.held {
            if at < start && at < end {
                copy(&mut self.octets, offset, data, at, start.min(end));
            }
            at = at.max(stop);
        }
        if at < end {
            copy(&mut self.octets, offset, data, at, end);
        }
        self.held.push((offset, end));
        self.held.sort_unstable();
        self.held.dedup_by(|next, before| {
            let joins = next.0 <= before.1;
            if joins {
                before.1 = before.1.max(next.1);
            }
            joins
        });
    }
}

fn copy(octets: &mut [u8], offset: usize, data: &[u8], from: usize, to: usize) {
    if let (Some(slot), Some(piece)) =
        (octets.get_mut(from..to), data.get(from.saturating_sub(offset)..to.saturating_sub(offset)))
    {
        slot.copy_from_slice(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::Ipv4Addr;

    fn key() -> FragmentKey {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        FragmentKey { source: address, destination: address, identification: 1, protocol: 17 }
    }

    proptest! {
        #[test]
        fn any_order_gives_the_packet(payload in prop::collection::vec(any::<u8>(), 1..400), order: Vec<prop::sample::Index>) {
            let mut pieces: Vec<(usize, &[u8])> = payload.chunks(16).enumerate().map(|(i, piece)| (i * 16, piece)).collect();
            let mut fragments = Fragments::new();
            let mut whole = None;
            let mut order = order.iter();
            while !pieces.is_empty() {
                let at = order.next().map_or(0, |index| index.index(pieces.len()));
                let (offset, data) = pieces.remove(at);
                prop_assert!(whole.is_none());
                whole = fragments.push(&key(), offset, offset + data.len() < payload.len(), data);
            }
            prop_assert_eq!(whole, Some(payload));
        }

        #[test]
        fn anything_is_bounded(pieces in prop::collection::vec((0usize..70_000, any::<bool>(), 0usize..2000), 0..40)) {
            let mut fragments = Fragments::new();
            for (offset, more, length) in pieces {
                if let Some(whole) = fragments.push(&key(), offset, more, &vec![1; length]) {
                    prop_assert!(whole.len() <= DATAGRAM_BYTES_MAX);
                }
            }
        }
    }
}
