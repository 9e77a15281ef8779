//! Report, `UserRpt` and Trace.

use super::Sequence;
use crate::emit::Writer;
use crate::error::{EmitError, ParseError};
use crate::octets::{array, end, u8};

/// Report, 64 octets: how a Submit (or a forwarded Deliver) went for one user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Of the Submit or Deliver.
    pub submit_sequence: Sequence,
    /// 0 for a Submit, 1 for a forwarded Deliver.
    pub report_type: u8,
    /// The destination.
    pub user_number: [u8; 21],
    /// 0 sent, 1 waiting, 2 failed.
    pub state: u8,
    /// Why it failed.
    pub error_code: u8,
    /// Any octets (G-12).
    pub reserve: [u8; 8],
}

impl Report {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`], [`ParseError::TrailingOctets`].
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let (rest, submit_sequence) = Sequence::parse(body)?;
        let (rest, report_type) = u8(rest)?;
        let (rest, user_number) = array(rest)?;
        let (rest, [state, error_code]) = array(rest)?;
        let (rest, reserve) = array(rest)?;
        end(rest)?;
        Ok(Self { submit_sequence, report_type, user_number, state, error_code, reserve })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        self.submit_sequence.emit(out)?;
        out.u8(self.report_type)?;
        out.octets(&self.user_number)?;
        out.octets(&[self.state, self.error_code])?;
        out.octets(&self.reserve)
    }
}

/// `UserRpt`, 71 octets: a user's state changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserRpt {
    /// The SP's access number.
    pub sp_number: [u8; 21],
    /// Who.
    pub user_number: [u8; 21],
    /// 0 deregistered, 1 suspended, 2 back to normal.
    pub user_condition: u8,
    /// Any octets (G-12).
    pub reserve: [u8; 8],
}

impl UserRpt {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`], [`ParseError::TrailingOctets`].
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let (rest, sp_number) = array(body)?;
        let (rest, user_number) = array(rest)?;
        let (rest, user_condition) = u8(rest)?;
        let (rest, reserve) = array(rest)?;
        end(rest)?;
        Ok(Self { sp_number, user_number, user_condition, reserve })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.octets(&self.sp_number)?;
        out.octets(&self.user_number)?;
        out.u8(self.user_condition)?;
        out.octets(&self.reserve)
    }
}

/// Trace, 61 octets: where a message got to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Of the Submit.
    pub submit_sequence: Sequence,
    /// The destination.
    pub user_number: [u8; 21],
    /// Any octets (G-12).
    pub reserve: [u8; 8],
}

impl Trace {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`], [`ParseError::TrailingOctets`].
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let (rest, submit_sequence) = Sequence::parse(body)?;
        let (rest, user_number) = array(rest)?;
        let (rest, reserve) = array(rest)?;
        end(rest)?;
        Ok(Self { submit_sequence, user_number, reserve })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        self.submit_sequence.emit(out)?;
        out.octets(&self.user_number)?;
        out.octets(&self.reserve)
    }
}
