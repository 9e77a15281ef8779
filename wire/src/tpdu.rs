//! SMS transfer PDUs (3GPP TS 23.040 §9.2): what a modem hands over, and what GSM MAP carries.
//!
//! A TPDU doesn't say which way it goes, and the same first octet means one thing to a handset and another to a service
//! centre: [`parse_to_mobile`] and [`parse_to_centre`] are told by whoever knows.

use crate::address::{AddressText, RawAddress};
use crate::error::ParseError;
use crate::event::{Address, Ton};
use crate::octets::{Step, array, octets, u8};
use crate::text::{Coding, Decoded, blank, decode_segment, unpack};
use crate::udh::{Parts, UserData};

/// A TPDU on its way to a handset (§9.2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToMobile<'a> {
    /// A message.
    Deliver(Deliver<'a>),
    /// The centre's answer to a submit, a report on a message's fate, or reserved: TP-MTI.
    Other(u8),
}

/// A TPDU on its way to a service centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToCentre<'a> {
    /// A message.
    Submit(Submit<'a>),
    /// The handset's answer to a message, or a command: TP-MTI.
    Other(u8),
}

/// SMS-DELIVER (§9.2.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deliver<'a> {
    /// TP-MTI, TP-MMS, TP-LP, TP-SRI, TP-UDHI, TP-RP.
    pub first: First,
    /// TP-OA.
    pub originator: TpAddress<'a>,
    /// TP-PID.
    pub protocol_id: u8,
    /// TP-SCTS, as it stands.
    pub timestamp: [u8; 7],
    /// TP-DCS, TP-UDL, TP-UD.
    pub user_data: TpUserData<'a>,
}

/// SMS-SUBMIT (§9.2.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submit<'a> {
    /// TP-MTI, TP-RD, TP-VPF, TP-SRR, TP-UDHI, TP-RP.
    pub first: First,
    /// TP-MR.
    pub reference: u8,
    /// TP-DA.
    pub destination: TpAddress<'a>,
    /// TP-PID.
    pub protocol_id: u8,
    /// TP-VP, as it stands: 0, 1 or 7 octets.
    pub validity: &'a [u8],
    /// TP-DCS, TP-UDL, TP-UD.
    pub user_data: TpUserData<'a>,
}

/// The first octet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct First(pub u8);

impl First {
    /// TP-MTI (§9.2.3.1).
    #[must_use]
    pub const fn message_type(self) -> u8 {
        self.0 & 0x03
    }

    /// TP-UDHI (§9.2.3.23).
    #[must_use]
    pub const fn has_udh(self) -> bool {
        self.0 & 0x40 != 0
    }

    /// TP-RP (§9.2.3.17).
    #[must_use]
    pub const fn reply_path(self) -> bool {
        self.0 & 0x80 != 0
    }

    /// TP-SRI or TP-SRR (§9.2.3.4, §9.2.3.5).
    #[must_use]
    pub const fn status_report(self) -> bool {
        self.0 & 0x20 != 0
    }

    /// Octets of TP-VP (§9.2.3.3).
    #[must_use]
    pub const fn validity_bytes(self) -> usize {
        match self.0 >> 3 & 0x03 {
            0 => 0,
            2 => 1,
            _ => 7,
        }
    }
}

/// An address field (§9.1.2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TpAddress<'a> {
    /// Semi-octets in use.
    pub semi_octets: u8,
    /// Type of number and numbering plan.
    pub type_of_address: u8,
    /// The value, as it stands.
    pub octets: &'a [u8],
}

impl<'a> TpAddress<'a> {
    fn parse(input: &'a [u8]) -> Step<'a, Self> {
        let (rest, semi_octets) = u8(input)?;
        let (rest, type_of_address) = u8(rest)?;
        let (rest, octets) = octets(rest, usize::from(semi_octets).div_ceil(2))?;
        Ok((rest, Self { semi_octets, type_of_address, octets }))
    }

    /// Type of number.
    #[must_use]
    pub const fn ton(&self) -> u8 {
        self.type_of_address >> 4 & 0x07
    }

    /// Numbering plan.
    #[must_use]
    pub const fn npi(&self) -> u8 {
        self.type_of_address & 0x0F
    }

    /// The address as text, written to `scratch`: digits, or an alphanumeric sender ID in the default alphabet. What
    /// doesn't fit is cut.
    #[must_use]
    pub fn address<'t>(&self, scratch: &'t mut AddressText) -> Address<'t> {
        let (ton, npi) = (Ton::from_wire(self.ton()), self.npi());
        if ton == Ton::Alphanumeric {
            let septets = usize::from(self.semi_octets) * 4 / 7;
            let mut unpacked = [0; SEPTETS_MAX];
            let count = unpack(self.octets, 0, septets, &mut unpacked);
            let text = blank(scratch);
            let parts = Parts { text: unpacked.get(..count).unwrap_or_default(), ..Parts::default() };
            let written = decode_segment(Coding::Gsm7, &parts, text).written;
            return Address { digits: text.get(..written).unwrap_or_default(), ton, npi };
        }
        Address { digits: bcd(self.octets, usize::from(self.semi_octets), scratch), ton, npi }
    }

    /// The address as a door hands it on: text in `scratch`, its octets borrowed.
    #[must_use]
    pub fn raw<'t>(&self, scratch: &'t mut AddressText) -> RawAddress<'t> {
        RawAddress::new(self.ton(), self.npi(), self.address(scratch).digits.as_bytes())
    }
}

/// Digits of semi-octets, low nibble first, up to `count` or a filler (§9.1.2.3); `*`, `#` and letters as there.
#[must_use]
pub fn bcd<'t>(octets: &[u8], count: usize, scratch: &'t mut AddressText) -> &'t str {
    const DIGITS: &[u8; 15] = b"0123456789*#abc";
    let semi = octets.iter().flat_map(|octet| [octet & 0x0F, octet >> 4]).take(count);
    let mut written = 0;
    for (slot, digit) in scratch.iter_mut().zip(semi) {
        let Some(&digit) = DIGITS.get(usize::from(digit)) else { break };
        *slot = digit;
        written += 1;
    }
    scratch.get(..written).and_then(|digits| core::str::from_utf8(digits).ok()).unwrap_or_default()
}

/// TP-DCS, TP-UDL and TP-UD (§9.2.3.10, §9.2.3.16, §9.2.3.24).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TpUserData<'a> {
    /// TP-DCS.
    pub data_coding: u8,
    /// TP-UDL: septets for the default alphabet, octets otherwise.
    pub length: u8,
    /// TP-UD: no more than TP-UDL says, less where the TPDU ends before.
    pub octets: &'a [u8],
    /// TP-UDHI.
    pub has_udh: bool,
}

impl<'a> TpUserData<'a> {
    /// The rest of a TPDU from TP-UDL on. A TPDU that was cut keeps what is there.
    fn parse(input: &'a [u8], data_coding: u8, has_udh: bool) -> Result<Self, ParseError> {
        let (rest, length) = u8(input)?;
        let packed = Coding::from_dcs(data_coding, Coding::Gsm7Packed) == Coding::Gsm7Packed;
        let bytes = if packed { (usize::from(length) * 7).div_ceil(8) } else { usize::from(length) };
        let octets = rest.get(..bytes).unwrap_or(rest);
        Ok(Self { data_coding, length, octets, has_udh })
    }

    /// How the octets stand for text.
    #[must_use]
    pub const fn coding(&self) -> Coding {
        Coding::from_dcs(self.data_coding, Coding::Gsm7Packed)
    }

    /// Header and text.
    #[must_use]
    pub const fn user_data(&self) -> UserData<'a> {
        UserData { octets: self.octets, has_udh: self.has_udh }
    }

    /// Decodes the text. Unlike decoding the octets alone it knows, by TP-UDL, whether a last septet of zeros is `@`.
    pub fn decode(&self, out: &mut str) -> Decoded {
        let parts = self.user_data().parts();
        if self.coding() != Coding::Gsm7Packed {
            return decode_segment(self.coding(), &parts, out);
        }
        let header = (parts.udh_bytes * 8).div_ceil(7);
        let mut unpacked = [0; SEPTETS_MAX];
        let wanted = usize::from(self.length).saturating_sub(header);
        let count = unpack(parts.text, parts.fill_bits(), wanted, &mut unpacked);
        let text = unpacked.get(..count).unwrap_or_default();
        decode_segment(Coding::Gsm7, &Parts { text, ..parts }, out)
    }
}

/// Septets that TP-UDL can announce.
const SEPTETS_MAX: usize = 255;

/// Reads a TPDU that goes to a handset.
///
/// # Errors
/// [`ParseError::Truncated`] where a field ends after the TPDU. Short user data is no error.
pub fn parse_to_mobile(tpdu: &[u8]) -> Result<ToMobile<'_>, ParseError> {
    let (rest, first) = u8(tpdu)?;
    let first = First(first);
    if first.message_type() != 0 {
        return Ok(ToMobile::Other(first.message_type()));
    }
    let (rest, originator) = TpAddress::parse(rest)?;
    let (rest, protocol_id) = u8(rest)?;
    let (rest, data_coding) = u8(rest)?;
    let (rest, timestamp) = array::<7>(rest)?;
    let user_data = TpUserData::parse(rest, data_coding, first.has_udh())?;
    Ok(ToMobile::Deliver(Deliver { first, originator, protocol_id, timestamp, user_data }))
}

/// Reads a TPDU that goes to a service centre.
///
/// # Errors
/// [`ParseError::Truncated`] where a field ends after the TPDU. Short user data is no error.
pub fn parse_to_centre(tpdu: &[u8]) -> Result<ToCentre<'_>, ParseError> {
    let (rest, first) = u8(tpdu)?;
    let first = First(first);
    if first.message_type() != 1 {
        return Ok(ToCentre::Other(first.message_type()));
    }
    let (rest, reference) = u8(rest)?;
    let (rest, destination) = TpAddress::parse(rest)?;
    let (rest, protocol_id) = u8(rest)?;
    let (rest, data_coding) = u8(rest)?;
    let (rest, validity) = octets(rest, first.validity_bytes())?;
    let user_data = TpUserData::parse(rest, data_coding, first.has_udh())?;
    Ok(ToCentre::Submit(Submit { first, reference, destination, protocol_id, validity, user_data }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::ADDRESS_TEXT_BYTES_MAX;
    use proptest::prelude::*;
    use std::string::{String, ToString};
    use std::vec::Vec;

    fn text(user_data: &TpUserData<'_>) -> String {
        let mut buffer = [0; 1024];
        let out = blank(&mut buffer);
        let written = user_data.decode(out).written;
        out[..written].to_string()
    }

    #[test]
    fn a_deliver_of_seven_bit_text() {
        // +8613800000011, 2026-01-02 03:04:05+08, "hello"
        let tpdu = [
            0x04, 0x0D, 0x91, 0x68, 0x31, 0x08, 0x00, 0x00, 0x10, 0xF1, 0x00, 0x00, 0x62, 0x10, 0x20, 0x30,
            0x40, 0x50, 0x23, 0x05, 0xE8, 0x32, 0x9B, 0xFD, 0x06,
        ];
        let ToMobile::Deliver(deliver) = parse_to_mobile(&tpdu).unwrap() else { panic!("a deliver") };
        let mut scratch = [0; ADDRESS_TEXT_BYTES_MAX];
        let originator = deliver.originator.address(&mut scratch);
        assert_eq!(
            (originator.digits, originator.ton, originator.npi),
            ("8613800000011", Ton::International, 1)
        );
        assert_eq!(text(&deliver.user_data), "hello");
    }

    #[test]
    fn a_submit_with_header_and_ucs2() {
        let tpdu = [
            0x51, 0x07, 0x05, 0x81, 0x01, 0x60, 0xF9, 0x00, 0x08, 0xAA, 0x0A, 0x05, 0x00, 0x03, 0x2A, 0x02,
            0x01, 0x4F, 0x60, 0x59, 0x7D,
        ];
        let ToCentre::Submit(submit) = parse_to_centre(&tpdu).unwrap() else { panic!("a submit") };
        assert_eq!(submit.validity, [0xAA]);
        assert_eq!(submit.user_data.user_data().parts().concatenation().unwrap().total, 2);
        assert_eq!(text(&submit.user_data), "你好");
        assert_eq!(submit.destination.address(&mut [0; ADDRESS_TEXT_BYTES_MAX]).digits, "10069");
    }

    #[test]
    fn an_alphanumeric_originator_and_a_last_commercial_at() {
        // "Bank" in 8 semi-octets; "1234567@": eight septets in seven octets, the last of them zero.
        let tpdu = [
            0x00, 0x07, 0xD0, 0xC2, 0xB0, 0x7B, 0x0D, 0x00, 0x00, 0x62, 0x10, 0x20, 0x30, 0x40, 0x50, 0x23,
            0x08, 0x31, 0xD9, 0x8C, 0x56, 0xB3, 0xDD, 0x00,
        ];
        let ToMobile::Deliver(deliver) = parse_to_mobile(&tpdu).unwrap() else { panic!("a deliver") };
        assert_eq!(deliver.originator.address(&mut [0; ADDRESS_TEXT_BYTES_MAX]).digits, "Bank");
        assert!(text(&deliver.user_data).ends_with('@'), "{}", text(&deliver.user_data));
        let ToMobile::Deliver(shorter) = parse_to_mobile(&tpdu[..20]).unwrap() else { panic!("a deliver") };
        assert_eq!(text(&shorter.user_data), "123");
    }

    #[test]
    fn other_types_and_short_ones() {
        assert_eq!(parse_to_mobile(&[0x02]), Ok(ToMobile::Other(2)));
        assert_eq!(parse_to_centre(&[0x00]), Ok(ToCentre::Other(0)));
        assert_eq!(parse_to_mobile(&[]), Err(ParseError::Truncated));
        assert_eq!(parse_to_centre(&[0x01, 0, 0xFF, 0x91]), Err(ParseError::Truncated));
    }

    proptest! {
        #[test]
        fn any_octets_are_read_or_refused(octets: Vec<u8>) {
            let mut scratch = [0; ADDRESS_TEXT_BYTES_MAX];
            if let Ok(ToMobile::Deliver(deliver)) = parse_to_mobile(&octets) {
                let _ = deliver.originator.address(&mut scratch);
                let _ = text(&deliver.user_data);
            }
            if let Ok(ToCentre::Submit(submit)) = parse_to_centre(&octets) {
                let _ = submit.destination.raw(&mut scratch);
                let _ = text(&submit.user_data);
            }
        }
    }
}
