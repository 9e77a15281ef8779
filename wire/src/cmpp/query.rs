//! QUERY and CANCEL with their responses.

use super::{Code, MsgId};
use crate::emit::Writer;
use crate::error::{EmitError, ParseError};
use crate::octets::{Step, array, be_u32, be_u64, end, u8};

/// QUERY, 39 octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// YYYYMMDD.
    pub time: [u8; 8],
    /// 0 totals, 1 by service.
    pub query_type: u8,
    /// `Service_Id` for type 1.
    pub query_code: [u8; 10],
    /// Any octets.
    pub reserve: [u8; 8],
}

impl Query {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`], [`ParseError::TrailingOctets`].
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let (rest, time) = array(body)?;
        let (rest, query_type) = u8(rest)?;
        let (rest, query_code) = array(rest)?;
        let (rest, reserve) = array(rest)?;
        end(rest)?;
        Ok(Self { time, query_type, query_code, reserve })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.octets(&self.time)?;
        out.u8(self.query_type)?;
        out.octets(&self.query_code)?;
        out.octets(&self.reserve)
    }
}

/// What an ISMG counted for an SP, in the order of the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// `MT_TLMsg`: messages received from the SP.
    pub mt_messages: u32,
    /// `MT_Tlusr`: users received from the SP.
    pub mt_users: u32,
    /// `MT_Scs`: forwarded.
    pub mt_forwarded: u32,
    /// `MT_WT`: waiting.
    pub mt_waiting: u32,
    /// `MT_FL`: failed.
    pub mt_failed: u32,
    /// `MO_Scs`: delivered to the SP.
    pub mo_delivered: u32,
    /// `MO_WT`: waiting for the SP.
    pub mo_waiting: u32,
    /// `MO_FL`: failed.
    pub mo_failed: u32,
}

impl Counters {
    /// Parses eight counters.
    pub(crate) fn parse(input: &[u8]) -> Step<'_, Self> {
        let (rest, mt_messages) = be_u32(input)?;
        let (rest, mt_users) = be_u32(rest)?;
        let (rest, mt_forwarded) = be_u32(rest)?;
        let (rest, mt_waiting) = be_u32(rest)?;
        let (rest, mt_failed) = be_u32(rest)?;
        let (rest, mo_delivered) = be_u32(rest)?;
        let (rest, mo_waiting) = be_u32(rest)?;
        let (rest, mo_failed) = be_u32(rest)?;
        let counters = Self {
            mt_messages,
            mt_users,
            mt_forwarded,
            mt_waiting,
            mt_failed,
            mo_delivered,
            mo_waiting,
            mo_failed,
        };
        Ok((rest, counters))
    }

    /// Writes eight counters.
    pub(crate) fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        for value in [
            self.mt_messages,
            self.mt_users,
            self.mt_forwarded,
            self.mt_waiting,
            self.mt_failed,
            self.mo_delivered,
            self.mo_waiting,
            self.mo_failed,
        ] {
            out.u32(value)?;
        }
        Ok(())
    }
}

/// QUERY_RESP, 63 octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueryResp {
    /// YYYYMMDD.
    pub time: [u8; 8],
    /// 0 totals, 1 by service.
    pub query_type: u8,
    /// `Service_Id` for type 1.
    pub query_code: [u8; 10],
    /// The figures.
    pub counters: Counters,
}

impl QueryResp {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`], [`ParseError::TrailingOctets`].
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let (rest, time) = array(body)?;
        let (rest, query_type) = u8(rest)?;
        let (rest, query_code) = array(rest)?;
        let (rest, counters) = Counters::parse(rest)?;
        end(rest)?;
        Ok(Self { time, query_type, query_code, counters })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.octets(&self.time)?;
        out.u8(self.query_type)?;
        out.octets(&self.query_code)?;
        self.counters.emit(out)
    }
}

/// CANCEL, 20 octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cancel {
    /// From the SUBMIT_RESP.
    pub msg_id: MsgId,
}

impl Cancel {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`], [`ParseError::TrailingOctets`].
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let (rest, msg_id) = be_u64(body)?;
        end(rest)?;
        Ok(Self { msg_id: MsgId(msg_id) })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.u64(self.msg_id.0)
    }
}

/// CANCEL_RESP: 13 octets in 2.0, 16 in 3.0 and from some peers in both (C-9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelResp {
    /// 0 cancelled, 1 failed.
    pub success_id: Code,
}

impl CancelResp {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`] for any length but 1 and 4.
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        Ok(Self { success_id: Code::from_octets(body).ok_or(ParseError::Truncated)? })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        self.success_id.emit(out)
    }
}
