//! What tells one message from another.

use yumen_wire::event::Direction;
use yumen_wire::udh::Reference;

/// What tells one message from another.
#[derive(Clone, Copy, Debug)]
pub struct MessageKey<'a> {
    /// The listener's number.
    pub listener: u16,
    /// Submit or deliver.
    pub direction: Direction,
    /// As on the wire, without padding.
    pub originator: &'a [u8],
    /// As on the wire, without padding; the first of several.
    pub destination: &'a [u8],
    /// The concatenation reference, of its kind.
    pub reference: Reference,
    /// Parts announced.
    pub total: u8,
}

impl MessageKey<'_> {
    /// The key of the table.
    pub(super) fn octets(&self) -> Vec<u8> {
        let (originator, destination) = (canonical(self.originator), canonical(self.destination));
        let (kind, reference) = match self.reference {
            Reference::Narrow(reference) => (8, u16::from(reference)),
            Reference::Wide(reference) => (16, reference),
            Reference::Sar(reference) => (17, reference),
            Reference::Unnumbered => (0, 0),
        };
        let mut octets = Vec::with_capacity(9 + originator.len() + destination.len());
        octets.extend_from_slice(&self.listener.to_be_bytes());
        octets.extend_from_slice(&[self.direction as u8, kind]);
        octets.extend_from_slice(&reference.to_be_bytes());
        octets.push(self.total);
        octets.extend_from_slice(originator);
        octets.push(0);
        octets.extend_from_slice(destination);
        octets
    }
}

/// A number without the prefixes that may stand before one part's and not before the next's.
fn canonical(number: &[u8]) -> &[u8] {
    let number = number.strip_prefix(b"+").unwrap_or(number);
    let number = number.strip_prefix(b"00").unwrap_or(number);
    match number.strip_prefix(b"86") {
        Some(rest) if rest.len() == 11 && rest.first() == Some(&b'1') => rest,
        _ => number,
    }
}
