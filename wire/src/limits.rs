//! Every limit of this crate, and how they relate.

/// Shortest SMPP PDU: the header (SMPP 3.4 §3.2).
pub const SMPP_PDU_BYTES_MIN: usize = 16;

/// Longest SMPP PDU a session takes unless it is configured lower: a `submit_multi` to 255 destinations with a
/// `message_payload` of 64 KiB and room for other TLVs.
pub const SMPP_PDU_BYTES_MAX: usize = 80 * 1024;

/// Destinations of one `submit_multi`: `number_of_dests` is one octet (SMPP 3.4 §4.5.1).
pub const SMPP_DESTINATIONS_MAX: usize = 255;

/// One destination of a `submit_multi`, flag and NUL included (SMPP 3.4 §4.5.1.1).
pub const SMPP_DESTINATION_BYTES_MAX: usize = 1 + 1 + 1 + 21;

/// Octets of a `short_message`; the field's length is one octet (SMPP 3.4 §5.2.21 says 254).
pub const SMPP_SHORT_MESSAGE_BYTES_MAX: usize = 255;

/// Value of one TLV: its length is two octets (SMPP 3.4 §3.2.4.1).
pub const SMPP_TLV_VALUE_BYTES_MAX: usize = 65_535;

/// Shortest CMPP PDU: the header.
pub const CMPP_PDU_BYTES_MIN: usize = 12;

/// Longest CMPP PDU: a 3.0 SUBMIT with its one-octet counters at 255 (C-12).
pub const CMPP_PDU_BYTES_MAX: usize = 163 + 32 * CMPP_DESTINATIONS_MAX + CMPP_CONTENT_BYTES_MAX;

/// Destinations of one SUBMIT: `DestUsr_tl` is one octet.
pub const CMPP_DESTINATIONS_MAX: usize = 255;

/// Octets of `Msg_Content`: `Msg_Length` is one octet (C-7).
pub const CMPP_CONTENT_BYTES_MAX: usize = 255;

/// Shortest SMGP PDU: the header.
pub const SMGP_PDU_BYTES_MIN: usize = 12;

/// Longest SMGP PDU a session takes unless it is configured lower: a Submit with its one-octet counters at 255, and as
/// much again for pseudonyms in optional parameters.
pub const SMGP_PDU_BYTES_MAX: usize = 16 * 1024;

/// Shortest SGIP PDU: the header.
pub const SGIP_PDU_BYTES_MIN: usize = 20;

/// Longest SGIP PDU a session takes unless it is configured lower. The specification's 2 KiB are less than a Submit to
/// the 100 users that it allows (G-3).
pub const SGIP_PDU_BYTES_MAX: usize = 8 * 1024;

/// Octets of user data that any door hands on as one segment.
pub const USER_DATA_BYTES_MAX: usize = SMPP_TLV_VALUE_BYTES_MAX;

/// UTF-8 octets that one input octet can become, whatever the coding: a Latin-1 octet gives 2, a septet of a
/// national table 3, a UTF-16 unit (2 octets) 3, a wrong octet gives U+FFFD (3).
pub const TEXT_GROWTH_MAX: usize = 3;

/// An address in UTF-8: 21 digits or 20 octets of Latin-1 at two octets each, with room for the long 32-octet
/// numbers of CMPP 3.0.
pub const ADDRESS_TEXT_BYTES_MAX: usize = 64;

/// Longest SIP message that a stream is followed for; a datagram can't be longer (RFC 3261 §18.1.1).
pub const SIP_MESSAGE_BYTES_MAX: usize = 65_535;

/// A display name or User-Agent in UTF-8; what is longer is cut.
pub const SIP_TEXT_BYTES_MAX: usize = 128;

const _: () = assert!(
    SMPP_PDU_BYTES_MAX
        >= SMPP_PDU_BYTES_MIN
            + SMPP_DESTINATIONS_MAX * SMPP_DESTINATION_BYTES_MAX
            + SMPP_SHORT_MESSAGE_BYTES_MAX
            + SMPP_TLV_VALUE_BYTES_MAX
);
const _: () = assert!(CMPP_PDU_BYTES_MAX == 8_578);
const _: () = assert!(CMPP_PDU_BYTES_MAX > CMPP_PDU_BYTES_MIN);
const _: () = assert!(SMGP_PDU_BYTES_MAX >= 2 * (126 + 21 * 255 + 255));
const _: () = assert!(SGIP_PDU_BYTES_MAX >= 143 + 21 * 255 + 255);
const _: () = assert!(ADDRESS_TEXT_BYTES_MAX >= 2 * 32);
const _: () = assert!(USER_DATA_BYTES_MAX >= SMPP_SHORT_MESSAGE_BYTES_MAX);
const _: () = assert!(USER_DATA_BYTES_MAX >= CMPP_CONTENT_BYTES_MAX);
