//! What carries MTP3 user parts: M3UA (RFC 4666), M2UA (RFC 3331), M2PA (RFC 4165), and MTP3's routing label (Q.704 §2.2).

use crate::error::ParseError;
use crate::octets::{Step, array, be_u32, octets, u8};

/// SCTP payload protocol identifiers (IANA).
pub mod ppid {
    /// M2UA.
    pub const M2UA: u32 = 2;
    /// M3UA.
    pub const M3UA: u32 = 3;
    /// M2PA.
    pub const M2PA: u32 = 5;
}

/// SCCP in the service indicator (Q.704 §14.2.1).
pub const SERVICE_SCCP: u8 = 3;

/// One message of a user part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer<'a> {
    /// Originating point code.
    pub originating: u32,
    /// Destination point code.
    pub destination: u32,
    /// Service indicator.
    pub service: u8,
    /// Network indicator.
    pub network: u8,
    /// Signalling link selection.
    pub link: u8,
    /// The user part's message.
    pub payload: &'a [u8],
}

/// The transfer in an M3UA message; `None` for those that carry none.
///
/// # Errors
/// [`ParseError`] where the layout is broken.
pub fn parse_m3ua(message: &[u8]) -> Result<Option<Transfer<'_>>, ParseError> {
    const PROTOCOL_DATA: u16 = 0x0210;
    let Some(data) = parameter(message, (1, 1), PROTOCOL_DATA)? else { return Ok(None) };
    let (rest, originating) = be_u32(data)?;
    let (rest, destination) = be_u32(rest)?;
    let (payload, [service, network, _priority, link]) = array::<4>(rest)?;
    Ok(Some(Transfer { originating, destination, service, network, link, payload }))
}

/// The transfer in an M2UA message; `None` for those that carry none.
///
/// # Errors
/// [`ParseError`] where the layout is broken.
pub fn parse_m2ua(message: &[u8]) -> Result<Option<Transfer<'_>>, ParseError> {
    const PROTOCOL_DATA: u16 = 0x0300;
    match parameter(message, (6, 1), PROTOCOL_DATA)? {
        Some(data) => Ok(Some(Transfer::parse_itu(data)?)),
        None => Ok(None),
    }
}

/// The transfer in an M2PA message; `None` for those that carry none.
///
/// # Errors
/// [`ParseError`] where the layout is broken.
pub fn parse_m2pa(message: &[u8]) -> Result<Option<Transfer<'_>>, ParseError> {
    let (rest, (class, kind, length)) = common_header(message)?;
    let message = message.get(..length).unwrap_or(message);
    let rest = message.get(message.len().saturating_sub(rest.len())..).unwrap_or(rest);
    if (class, kind) != (11, 1) {
        return Ok(None);
    }
    let (rest, _sequence_numbers) = octets(rest, 8)?;
    match rest.split_first() {
        // Acknowledgements carry no data.
        None => Ok(None),
        Some((_priority, data)) => Ok(Some(Transfer::parse_itu(data)?)),
    }
}

impl<'a> Transfer<'a> {
    /// MTP3 with ITU point codes of 14 bits, from the service information octet on.
    ///
    /// # Errors
    /// [`ParseError::Truncated`].
    pub fn parse_itu(octets: &'a [u8]) -> Result<Self, ParseError> {
        let (rest, information) = u8(octets)?;
        let (payload, label) = array::<4>(rest)?;
        let label = u32::from_le_bytes(label);
        let [.., link] = (label >> 28).to_be_bytes();
        Ok(Self {
            originating: label >> 14 & 0x3FFF,
            destination: label & 0x3FFF,
            service: information & 0x0F,
            network: information >> 6,
            link,
            payload,
        })
    }
}

/// Class, type and length of the header that the adaptation layers share (RFC 4666 §3.1).
fn common_header(message: &[u8]) -> Step<'_, (u8, u8, usize)> {
    let (rest, [_version, _spare, class, kind]) = array::<4>(message)?;
    let (rest, length) = be_u32(rest)?;
    Ok((rest, (class, kind, usize::try_from(length).unwrap_or(usize::MAX))))
}

/// The value of a parameter of a message of that class and type (RFC 4666 §3.2).
fn parameter(message: &[u8], class_and_type: (u8, u8), wanted: u16) -> Result<Option<&[u8]>, ParseError> {
    let (mut rest, (class, kind, _)) = common_header(message)?;
    if (class, kind) != class_and_type {
        return Ok(None);
    }
    while !rest.is_empty() {
        let (behind, [t0, t1, l0, l1]) = array::<4>(rest)?;
        let length = usize::from(u16::from_be_bytes([l0, l1])).checked_sub(4).ok_or(ParseError::Truncated)?;
        let (_, value) = octets(behind, length)?;
        if u16::from_be_bytes([t0, t1]) == wanted {
            return Ok(Some(value));
        }
        rest = behind.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m3ua_data_behind_another_parameter() {
        let message = [
            1, 0, 1, 1, 0, 0, 0, 0x24, 0, 6, 0, 6, 1, 2, 0, 0, 2, 0x10, 0, 0x12, 0, 0, 1, 0, 0, 0, 2, 0, 3,
            2, 0, 5, 0xAA, 0xBB, 0, 0,
        ];
        let transfer = parse_m3ua(&message).unwrap().unwrap();
        assert_eq!((transfer.originating, transfer.destination, transfer.service), (256, 512, 3));
        assert_eq!((transfer.network, transfer.link, transfer.payload), (2, 5, &[0xAA, 0xBB][..]));
    }

    #[test]
    fn m2pa_data_and_an_acknowledgement() {
        let mut message = std::vec![1, 0, 11, 1, 0, 0, 0, 24, 0, 0, 0, 2, 0, 0, 0, 4, 0];
        assert_eq!(parse_m2pa(&message[..16]), Ok(None));
        message.extend([0x83, 0xB8, 0xD1, 0x00, 0x20, 9, 9]);
        let transfer = parse_m2pa(&message).unwrap().unwrap();
        assert_eq!((transfer.destination, transfer.originating, transfer.link), (4536, 3, 2));
        assert_eq!((transfer.network, transfer.payload), (2, &[9, 9][..]));
    }

    #[test]
    fn broken_lengths_are_refused() {
        assert!(parse_m3ua(&[1, 0, 1, 1, 0, 0, 0, 8, 2, 0x10, 0, 3]).is_err());
        assert!(parse_m3ua(&[1, 0, 1]).is_err());
        assert_eq!(parse_m3ua(&[1, 0, 3, 3, 0, 0, 0, 8]), Ok(None));
    }
}
