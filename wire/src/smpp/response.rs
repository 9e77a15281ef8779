//! `submit_sm_resp`, `deliver_sm_resp`, `data_sm_resp` (SMPP 3.4 §4.4.2, §4.6.2, §4.7.2) and `broadcast_sm_resp`
//! (5.0 §4.4.2): one layout.

use super::Tlvs;
use crate::emit::Writer;
use crate::error::{EmitError, ParseError};
use crate::octets::c_string;

/// The response to a message. Centres leave the body out where they refuse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageResp<'a> {
    /// The centre's id for the message; `None` for a response that ends with its header.
    pub message_id: Option<&'a [u8]>,
    /// Optional parameters.
    pub tlvs: Tlvs<'a>,
}

impl<'a> MessageResp<'a> {
    /// A response with an id.
    #[must_use]
    pub const fn new(message_id: &'a [u8]) -> Self {
        Self { message_id: Some(message_id), tlvs: Tlvs::NONE }
    }

    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Unterminated`].
    #[inline]
    pub fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        let (rest, message_id) = c_string(body)?;
        Ok(Self { message_id: Some(message_id), tlvs: Tlvs::new(rest) })
    }

    /// Writes what follows the header. Without `message_id` nothing is written.
    ///
    /// # Errors
    /// [`EmitError::HoldsNul`], [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        let Some(message_id) = self.message_id else { return Ok(()) };
        out.c_string("message_id", message_id)?;
        out.octets(self.tlvs.octets())
    }
}
