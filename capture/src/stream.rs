//! One direction of a TCP connection (RFC 9293 §3.4): segments → octets in order.

use crate::limits::{OUT_OF_ORDER_BYTES_MAX, OUT_OF_ORDER_SEGMENTS_MAX, SEQUENCE_WINDOW};
use std::collections::BTreeMap;

/// What comes out of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// The octets that follow.
    Data(&'a [u8]),
    /// Octets are missing here, or the stream was joined in its middle: whoever reads it has to find a beginning.
    Gap,
}

/// Puts segments in order. What comes again is passed over; where segments overlap, what was there first counts.
#[derive(Debug, Default)]
pub struct Stream {
    /// Sequence number of the next octet.
    next: Option<u32>,
    /// What lies ahead, by its distance from the start.
    ahead: BTreeMap<u64, Vec<u8>>,
    ahead_bytes: usize,
    delivered: u64,
}

impl Stream {
    /// A connection begins: its first octet has the number after `sequence`.
    pub fn begin(&mut self, sequence: u32) {
        let first = sequence.wrapping_add(1);
        if self.next != Some(first) || self.delivered > 0 {
            *self = Self { next: Some(first), ..Self::default() };
        }
    }

    /// Takes a segment.
    pub fn push(&mut self, sequence: u32, data: &[u8], take: &mut impl FnMut(Piece<'_>)) {
        if data.is_empty() {
            return;
        }
        let next = *self.next.get_or_insert_with(|| {
            take(Piece::Gap);
            sequence
        });
        let ahead = sequence.wrapping_sub(next);
        let behind = next.wrapping_sub(sequence);
        if ahead < SEQUENCE_WINDOW {
            let at = self.delivered + u64::from(ahead);
            if ahead == 0 {
                self.deliver(data, take);
            } else {
                self.keep(at, data);
            }
        } else if behind < SEQUENCE_WINDOW {
            // Seen before, at least its beginning.
            if let Some(new @ [_, ..]) = usize::try_from(behind).ok().and_then(|seen| data.get(seen..)) {
                self.deliver(new, take);
            }
        } else {
            *self = Self { next: Some(sequence), ..Self::default() };
            take(Piece::Gap);
            self.deliver(data, take);
        }
        self.drain(take);
        while self.ahead_bytes > OUT_OF_ORDER_BYTES_MAX || self.ahead.len() > OUT_OF_ORDER_SEGMENTS_MAX {
            self.skip(take);
        }
    }

    /// Nothing will come any more: what lies ahead is handed out with its gaps.
    pub fn end(&mut self, take: &mut impl FnMut(Piece<'_>)) {
        while !self.ahead.is_empty() {
            self.skip(take);
        }
    }

    fn deliver(&mut self, data: &[u8], take: &mut impl FnMut(Piece<'_>)) {
        // A segment is shorter than the numbers' range.
        let bytes = u32::try_from(data.len()).unwrap_or(u32::MAX);
        self.next = self.next.map(|next| next.wrapping_add(bytes));
        self.delivered += u64::from(bytes);
        take(Piece::Data(data));
    }

    fn keep(&mut self, at: u64, data: &[u8]) {
        let kept = self.ahead.entry(at).or_default();
        // The same start: the longer one holds the other, and the first octets stay.
        if let Some(more @ [_, ..]) = data.get(kept.len()..) {
            kept.extend_from_slice(more);
            self.ahead_bytes += more.len();
        }
    }

    /// Hands out what no longer lies ahead.
    fn drain(&mut self, take: &mut impl FnMut(Piece<'_>)) {
        while let Some(entry) = self.ahead.first_entry()
            && *entry.key() <= self.delivered
        {
            let (at, data) = entry.remove_entry();
            self.ahead_bytes -= data.len();
            let seen = usize::try_from(self.delivered - at).unwrap_or(usize::MAX);
            if let Some(new @ [_, ..]) = data.get(seen..) {
                self.deliver(new, take);
            }
        }
    }

    /// Gives up what is missing before the next kept segment.
    fn skip(&mut self, take: &mut impl FnMut(Piece<'_>)) {
        let Some((&at, _)) = self.ahead.first_key_value() else { return };
        let missing = u32::try_from(at.saturating_sub(self.delivered)).unwrap_or_default();
        self.next = self.next.map(|next| next.wrapping_add(missing));
        self.delivered = at.max(self.delivered);
        take(Piece::Gap);
        self.drain(take);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn collect(run: impl FnOnce(&mut dyn FnMut(Piece<'_>))) -> (Vec<u8>, usize) {
        let (mut octets, mut gaps) = (Vec::new(), 0);
        run(&mut |piece| match piece {
            Piece::Data(data) => octets.extend_from_slice(data),
            Piece::Gap => gaps += 1,
        });
        (octets, gaps)
    }

    #[test]
    fn joined_in_the_middle_and_with_a_hole() {
        let mut stream = Stream::default();
        let (octets, gaps) = collect(|mut take| {
            stream.push(100, b"abc", &mut take);
            stream.push(110, b"xyz", &mut take);
            stream.end(&mut take);
        });
        assert_eq!((octets, gaps), (b"abcxyz".to_vec(), 2));
    }

    #[test]
    fn a_hole_is_given_up_when_too_much_waits() {
        let mut stream = Stream::default();
        stream.begin(u32::MAX);
        let (octets, gaps) = collect(|mut take| {
            for at in 0..1000u32 {
                stream.push(10 + at * 1000, &[7; 1000], &mut take);
            }
        });
        assert_eq!((octets.len(), gaps), (1_000_000, 1));
    }

    proptest! {
        /// Any cut, any order within what may wait, repeated and overlapping segments, numbers that wrap.
        #[test]
        fn any_chunking_and_order_gives_the_same_stream(
            octets in prop::collection::vec(any::<u8>(), 1..2000),
            cuts in prop::collection::vec((any::<prop::sample::Index>(), 1usize..300), 0..60),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..200),
            start: u32,
        ) {
            let mut segments: Vec<(usize, usize)> = cuts
                .iter()
                .map(|(at, bytes)| {
                    let at = at.index(octets.len());
                    (at, (at + bytes).min(octets.len()))
                })
                .collect();
            segments.extend((0..octets.len()).step_by(100).map(|at| (at, (at + 100).min(octets.len()))));
            let mut order = order.iter();
            let mut stream = Stream::default();
            stream.begin(start);
            let (received, gaps) = collect(|mut take| {
                while !segments.is_empty() {
                    let (from, to) = segments.remove(order.next().map_or(0, |index| index.index(segments.len())));
                    let sequence = start.wrapping_add(1).wrapping_add(u32::try_from(from).unwrap());
                    stream.push(sequence, &octets[from..to], &mut take);
                }
            });
            prop_assert_eq!(gaps, 0);
            prop_assert_eq!(received, octets);
        }

        #[test]
        fn any_segments_are_bounded(segments in prop::collection::vec((any::<u32>(), 0usize..3000), 0..300)) {
            let mut stream = Stream::default();
            for (sequence, bytes) in segments {
                stream.push(sequence, &vec![0; bytes], &mut |_| ());
                prop_assert!(stream.ahead_bytes <= OUT_OF_ORDER_BYTES_MAX);
                prop_assert_eq!(stream.ahead_bytes, stream.ahead.values().map(Vec::len).sum::<usize>());
            }
        }
    }
}
