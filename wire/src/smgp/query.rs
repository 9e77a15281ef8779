//! Query and its response.

use crate::cmpp::Counters;
use crate::emit::Writer;
use crate::error::{EmitError, ParseError};
use crate::octets::{array, end, u8};

/// Query, 31 octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// YYYYMMDD.
    pub query_time: [u8; 8],
    /// 0 totals, 1 by service.
    pub query_type: u8,
    /// `ServiceID` for type 1.
    pub query_code: [u8; 10],
}

impl Query {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`], [`ParseError::TrailingOctets`].
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let (rest, query) = fields(body)?;
        end(rest)?;
        Ok(query)
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.octets(&self.query_time)?;
        out.u8(self.query_type)?;
        out.octets(&self.query_code)
    }
}

fn fields(input: &[u8]) -> crate::octets::Step<'_, Query> {
    let (rest, query_time) = array(input)?;
    let (rest, query_type) = u8(rest)?;
    let (rest, query_code) = array(rest)?;
    Ok((rest, Query { query_time, query_type, query_code }))
}

/// `Query_Resp`, 71 octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueryResp {
    /// What was asked.
    pub query: Query,
    /// The figures, those of CMPP.
    pub counters: Counters,
    /// Any octets.
    pub reserve: [u8; 8],
}

impl QueryResp {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`], [`ParseError::TrailingOctets`].
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let (rest, query) = fields(body)?;
        let (rest, counters) = Counters::parse(rest)?;
        let (rest, reserve) = array(rest)?;
        end(rest)?;
        Ok(Self { query, counters, reserve })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        self.query.emit(out)?;
        self.counters.emit(out)?;
        out.octets(&self.reserve)
    }
}
