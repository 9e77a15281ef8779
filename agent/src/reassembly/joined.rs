//! The text so far, in octets.

use super::message::Fragment;
use crate::doors::protocol::Coded;
use std::ops::Range;
use yumen_wire::text::Coding;
use yumen_wire::udh::UserData;

/// The raw user data of the parts so far, in one or two variants (two where a part came with different octets).
/// Reused from message to message.
#[derive(Debug, Default)]
pub struct Joined {
    octets: Vec<u8>,
    pieces: Vec<Piece>,
    /// Where the second variant begins.
    second: usize,
}

/// One part's place in [`Joined`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The part's number.
    pub number: u8,
    /// How its octets stand for text.
    pub coding: Coding,
    has_udh: bool,
    range: Range<usize>,
}

impl Joined {
    /// The variants: pieces in the order of their numbers.
    pub fn variants(&self) -> impl Iterator<Item = &[Piece]> {
        let (first, second) = self.pieces.split_at_checked(self.second).unwrap_or((&[], &[]));
        [first, second].into_iter().filter(|pieces| !pieces.is_empty())
    }

    /// A piece's user data.
    #[must_use]
    pub fn coded(&self, piece: &Piece) -> Coded<'_> {
        let octets = self.octets.get(piece.range.clone()).unwrap_or_default();
        Coded { coding: piece.coding, data: UserData { octets, has_udh: piece.has_udh } }
    }

    pub(super) fn clear(&mut self) {
        self.octets.clear();
        self.pieces.clear();
        self.second = 0;
    }

    pub(super) fn push(&mut self, fragment: &Fragment) {
        let start = self.octets.len();
        self.octets.extend_from_slice(&fragment.octets);
        let range = start..self.octets.len();
        self.pieces.push(Piece {
            number: fragment.number,
            coding: fragment.coding,
            has_udh: fragment.has_udh,
            range,
        });
    }

    /// What follows is the second variant.
    pub(super) const fn begin_second(&mut self) {
        self.second = self.pieces.len();
    }
}
