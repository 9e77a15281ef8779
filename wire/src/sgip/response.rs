//! The response that Bind, Submit, Deliver, Report and `UserRpt` share.

use crate::emit::Writer;
use crate::error::{EmitError, ParseError};
use crate::octets::{array, end, u8};

/// `Bind_Resp`, `Submit_Resp`, `Deliver_Resp`, `Report_Resp`, `UserRpt_Resp`: 29 octets. None has an id: that of a
/// message is its Submit's sequence number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// See [`result`].
    pub result: u8,
    /// Any octets (G-12).
    pub reserve: [u8; 8],
}

impl Response {
    /// A response with an empty reserve.
    #[must_use]
    pub const fn new(result: u8) -> Self {
        Self { result, reserve: [0; 8] }
    }

    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`], [`ParseError::TrailingOctets`].
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let (rest, result) = u8(body)?;
        let (rest, reserve) = array(rest)?;
        end(rest)?;
        Ok(Self { result, reserve })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.u8(self.result)?;
        out.octets(&self.reserve)
    }
}

/// `Result` of responses.
pub mod result {
    /// Taken.
    pub const OK: u8 = 0;
    /// Wrong name or password.
    pub const BAD_LOGIN: u8 = 1;
    /// Logged in already.
    pub const REPEATED_LOGIN: u8 = 2;
    /// Too many connections.
    pub const TOO_MANY_CONNECTIONS: u8 = 3;
    /// Wrong login type.
    pub const BAD_LOGIN_TYPE: u8 = 4;
    /// A parameter's format is wrong.
    pub const BAD_PARAMETER: u8 = 5;
    /// Not a phone number.
    pub const BAD_NUMBER: u8 = 6;
    /// Unknown command.
    pub const BAD_COMMAND: u8 = 7;
    /// Wrong length.
    pub const BAD_LENGTH: u8 = 8;
    /// Wrong or repeated sequence number.
    pub const BAD_SEQUENCE: u8 = 9;
    /// The queue is full: the sender tries again.
    pub const BUSY: u8 = 11;
}
