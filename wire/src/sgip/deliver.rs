//! Deliver.

use super::submit::{NUMBER_BYTES, content, emit_content};
use crate::emit::Writer;
use crate::error::{EmitError, ParseError};
use crate::octets::{array, octets};

/// Deliver. Text fields are as on the wire, padding included; shorter ones are filled with NUL on the right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deliver<'a> {
    /// The sender, 21 octets.
    pub user_number: &'a [u8],
    /// The SP's access number, 21 octets.
    pub sp_number: &'a [u8],
    /// TP-PID.
    pub tp_pid: u8,
    /// TP-UDHI.
    pub tp_udhi: u8,
    /// How the text is coded.
    pub message_coding: u8,
    /// Any length that the PDU has room for.
    pub message_content: &'a [u8],
    /// `Reserve`: all that is left of the PDU.
    pub trailer: &'a [u8],
}

impl<'a> Deliver<'a> {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`].
    pub fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let (rest, user_number) = octets(body, NUMBER_BYTES)?;
        let (rest, sp_number) = octets(rest, NUMBER_BYTES)?;
        let (rest, [tp_pid, tp_udhi, message_coding]) = array(rest)?;
        let (trailer, message_content) = content(rest)?;
        Ok(Self { user_number, sp_number, tp_pid, tp_udhi, message_coding, message_content, trailer })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::TooLong`], [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.fixed("UserNumber", self.user_number, NUMBER_BYTES)?;
        out.fixed("SPNumber", self.sp_number, NUMBER_BYTES)?;
        out.octets(&[self.tp_pid, self.tp_udhi, self.message_coding])?;
        emit_content(out, self.message_content)?;
        out.octets(self.trailer)
    }
}
