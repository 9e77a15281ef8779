//! Text between the codings of the wire and UTF-8.
//!
//! octets → [`Coding`] (from `data_coding` or `Msg_Fmt`) → UTF-8 in a caller's `&mut str`
//!
//! The output is a `&mut str`, not octets, so that nothing has to check it a second time: [`blank`] makes one of a
//! buffer, once, and every decoder keeps it valid.

mod border;
mod coding;
mod decode;
mod encode;
mod indic;
mod language;
mod septet;
mod table;
mod unit;

pub use coding::Coding;
pub use decode::{Decoded, Decoder, decode, decode_segment};
pub use encode::{EncodeError, encode_gb18030, encode_gsm7, encode_latin1, encode_ucs2};
pub use language::{Language, Shifts};
pub use septet::{pack, packed_septets, unpack};

/// Fills `buffer` with NUL and lends it as text.
#[must_use]
pub fn blank(buffer: &mut [u8]) -> &mut str {
    buffer.fill(0);
    core::str::from_utf8_mut(buffer).unwrap_or_default()
}
