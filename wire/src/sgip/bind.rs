//! Bind.

use crate::emit::Writer;
use crate::error::{EmitError, ParseError};
use crate::octets::{array, end, u8};

/// Bind, 61 octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bind {
    /// 1 SP to SMG, 2 SMG to SP, 3 SMG to SMG, 4 to 6 with the GNS, 11 test.
    pub login_type: u8,
    /// Given by the server of this connection.
    pub login_name: [u8; 16],
    /// In clear. Don't log it.
    pub login_password: [u8; 16],
    /// Any octets (G-12).
    pub reserve: [u8; 8],
}

impl Bind {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`], [`ParseError::TrailingOctets`].
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let (rest, login_type) = u8(body)?;
        let (rest, login_name) = array(rest)?;
        let (rest, login_password) = array(rest)?;
        let (rest, reserve) = array(rest)?;
        end(rest)?;
        Ok(Self { login_type, login_name, login_password, reserve })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.u8(self.login_type)?;
        out.octets(&self.login_name)?;
        out.octets(&self.login_password)?;
        out.octets(&self.reserve)
    }
}
