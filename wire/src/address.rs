//! Addresses as they stand on the wire, before anybody knows that they are text.

use crate::event::{Address, Ton};
use crate::limits::ADDRESS_TEXT_BYTES_MAX;

/// Room for an address whose octets aren't UTF-8.
pub type AddressText = [u8; ADDRESS_TEXT_BYTES_MAX];

/// An address as it stands in a PDU. Any octets: a proxy passes what it can't read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RawAddress<'a> {
    /// Type of number, as on the wire.
    pub ton: u8,
    /// Numbering plan indicator, as on the wire.
    pub npi: u8,
    /// Digits or an alphanumeric sender ID, without NUL or padding.
    pub octets: &'a [u8],
}

impl<'a> RawAddress<'a> {
    /// An address with type and plan.
    #[must_use]
    pub const fn new(ton: u8, npi: u8, octets: &'a [u8]) -> Self {
        Self { ton, npi, octets }
    }

    /// The address as text. Octets that aren't UTF-8 are read as Latin-1 into `scratch`; what doesn't fit there is
    /// cut. Borrows from the PDU in the usual case, and then leaves `scratch` alone.
    #[must_use]
    pub fn address<'t>(&self, scratch: &'t mut AddressText) -> Address<'t>
    where
        'a: 't,
    {
        let digits = match core::str::from_utf8(self.octets) {
            Ok(text) => text,
            Err(_) => latin1_into(self.octets, scratch),
        };
        Address { digits, ton: Ton::from_wire(self.ton), npi: self.npi }
    }
}

fn latin1_into<'t>(octets: &[u8], scratch: &'t mut AddressText) -> &'t str {
    let mut written = 0;
    for &octet in octets {
        let character = char::from(octet);
        let Some(room) = scratch.get_mut(written..written + character.len_utf8()) else { break };
        character.encode_utf8(room);
        written += character.len_utf8();
    }
    scratch.get(..written).and_then(|text| core::str::from_utf8(text).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_borrowed() {
        let raw = RawAddress::new(1, 1, b"8613800000001");
        let mut scratch = [0; ADDRESS_TEXT_BYTES_MAX];
        let address = raw.address(&mut scratch);
        assert_eq!(address, Address { digits: "8613800000001", ton: Ton::International, npi: 1 });
    }

    #[test]
    fn octets_that_arent_utf8_are_latin1_and_cut_at_the_scratch() {
        let raw = RawAddress::new(5, 0, b"B\xF6rse");
        assert_eq!(raw.address(&mut [0; ADDRESS_TEXT_BYTES_MAX]).digits, "Börse");
        let long = [0xE9; 100];
        let raw = RawAddress::new(5, 0, &long);
        assert_eq!(raw.address(&mut [0; ADDRESS_TEXT_BYTES_MAX]).digits.chars().count(), 32);
    }
}
