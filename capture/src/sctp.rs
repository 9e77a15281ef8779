//! SCTP DATA chunks (RFC 9260 §3.3.1) → whole user messages, each once.

use crate::limits::{ASSOCIATIONS_MAX, CHUNKS_MAX};
use crate::recent::Recent;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

/// One direction of an association.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    source: SocketAddr,
    destination: SocketAddr,
    tag: u32,
}

#[derive(Debug, Default)]
struct Direction {
    /// By TSN; a chunk that was handed on stays without its octets, so that it isn't handed on again.
    chunks: HashMap<u32, Chunk>,
    order: VecDeque<u32>,
}

#[derive(Debug)]
struct Chunk {
    begins: bool,
    ends: bool,
    protocol: u32,
    data: Option<Vec<u8>>,
}

/// All associations.
#[derive(Debug)]
pub(crate) struct Associations {
    directions: Recent<Key, Direction>,
}

impl Associations {
    pub(crate) fn new() -> Self {
        Self { directions: Recent::new(ASSOCIATIONS_MAX) }
    }

    /// Reads a packet from its common header on, and hands whole messages with their payload protocol to `take`.
    pub(crate) fn packet(
        &mut self,
        (source, destination): (SocketAddr, SocketAddr),
        packet: &[u8],
        mut take: impl FnMut(u32, &[u8]),
    ) {
        const COMMON_HEADER_BYTES: usize = 12;
        const DATA: u8 = 0;
        let (Some(tag), Some(mut rest)) = (word(packet, 4), packet.get(COMMON_HEADER_BYTES..)) else {
            return;
        };
        let key = Key { source, destination, tag };
        while let Some(&[kind, flags, l0, l1]) = rest.first_chunk::<4>() {
            let length = usize::from(u16::from_be_bytes([l0, l1]));
            // A chunk that was cut off by the capture can't be read, nor can what follows a length that can't be.
            let (true, Some(chunk)) = (length >= 4, rest.get(..length)) else { return };
            if kind == DATA {
                self.directions.of(&key, Direction::default).0.data(chunk, flags, &mut take);
            }
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
    }
}

impl Direction {
    fn data(&mut self, chunk: &[u8], flags: u8, take: &mut impl FnMut(u32, &[u8])) {
        const DATA_HEADER_BYTES: usize = 16;
        let (Some(sequence), Some(protocol), Some(data)) =
            (word(chunk, 4), word(chunk, 12), chunk.get(DATA_HEADER_BYTES..))
        else {
            return;
        };
        if self.chunks.contains_key(&sequence) {
            return;
        }
        let (begins, ends) = (flags & 2 != 0, flags & 1 != 0);
        let whole = begins && ends;
        self.remember(sequence, Chunk { begins, ends, protocol, data: (!whole).then(|| data.to_vec()) });
        if whole {
            take(protocol, data);
        } else if let Some((protocol, message)) = self.join(sequence) {
            take(protocol, &message);
        }
    }

    fn remember(&mut self, sequence: u32, chunk: Chunk) {
        if self.order.len() >= CHUNKS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.chunks.remove(&oldest);
        }
        self.order.push_back(sequence);
        self.chunks.insert(sequence, chunk);
    }

    /// The message that a fragment belongs to, once all are there: their TSNs follow each other (§6.9).
    fn join(&mut self, sequence: u32) -> Option<(u32, Vec<u8>)> {
        let mut first = sequence;
        for _ in 0..CHUNKS_MAX {
            let chunk = self.chunks.get(&first)?;
            chunk.data.as_ref()?;
            if chunk.begins {
                break;
            }
            first = first.wrapping_sub(1);
        }
        let mut last = sequence;
        for _ in 0..CHUNKS_MAX {
            let chunk = self.chunks.get(&last)?;
            chunk.data.as_ref()?;
            if chunk.ends {
                break;
            }
            last = last.wrapping_add(1);
        }
        let protocol = self.chunks.get(&first).filter(|chunk| chunk.begins)?.protocol;
        self.chunks.get(&last).filter(|chunk| chunk.ends)?;
        let mut message = Vec::new();
        for offset in 0..=last.wrapping_sub(first) {
            message.extend(self.chunks.get_mut(&first.wrapping_add(offset))?.data.take()?);
        }
        Some((protocol, message))
    }
}

fn word(octets: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(octets.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(sequence: u32, flags: u8, data: &[u8]) -> Vec<u8> {
        let length = u16::try_from(16 + data.len()).unwrap().to_be_bytes();
        let mut chunk = vec![0, flags, length[0], length[1]];
        chunk.extend(sequence.to_be_bytes());
        chunk.extend([0, 0, 0, 0, 0, 0, 0, 3]);
        chunk.extend(data);
        chunk.resize(chunk.len().next_multiple_of(4), 0);
        chunk
    }

    #[test]
    fn fragments_in_any_order_and_each_message_once() {
        let end = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let mut associations = Associations::new();
        let mut found = Vec::new();
        for chunks in [
            vec![chunk(u32::MAX, 2, b"ab")],
            vec![chunk(1, 1, b"ef"), chunk(2, 3, b"whole")],
            vec![chunk(0, 0, b"cd")],
            vec![chunk(2, 3, b"whole"), chunk(0, 0, b"cd")],
        ] {
            let packet = [vec![0; 12], chunks.concat()].concat();
            associations
                .packet((end(1), end(2)), &packet, |protocol, data| found.push((protocol, data.to_vec())));
        }
        assert_eq!(found, [(3, b"whole".to_vec()), (3, b"abcdef".to_vec())]);
    }
}
