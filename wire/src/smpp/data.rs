//! `data_sm` (SMPP 3.4 §4.7.1). Its text is always in `message_payload`.

use super::sm::{address, emit_address};
use super::{EsmClass, Tlvs};
use crate::address::RawAddress;
use crate::emit::Writer;
use crate::error::{EmitError, ParseError};
use crate::octets::{c_string, u8};

/// `data_sm`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DataSm<'a> {
    /// Which SMS application service.
    pub service_type: &'a [u8],
    /// Who sends.
    pub source: RawAddress<'a>,
    /// Who receives.
    pub destination: RawAddress<'a>,
    /// Mode, type, UDHI.
    pub esm_class: EsmClass,
    /// Which receipts are asked for.
    pub registered_delivery: u8,
    /// How the text is coded.
    pub data_coding: u8,
    /// Optional parameters, the text among them.
    pub tlvs: Tlvs<'a>,
}

impl<'a> DataSm<'a> {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`], [`ParseError::Unterminated`].
    pub fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let (rest, service_type) = c_string(body)?;
        let (rest, source) = address(rest)?;
        let (rest, destination) = address(rest)?;
        let (rest, esm_class) = u8(rest)?;
        let (rest, registered_delivery) = u8(rest)?;
        let (rest, data_coding) = u8(rest)?;
        Ok(Self {
            service_type,
            source,
            destination,
            esm_class: EsmClass(esm_class),
            registered_delivery,
            data_coding,
            tlvs: Tlvs::new(rest),
        })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::HoldsNul`], [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.c_string("service_type", self.service_type)?;
        emit_address(out, "source_addr", self.source)?;
        emit_address(out, "destination_addr", self.destination)?;
        out.octets(&[self.esm_class.0, self.registered_delivery, self.data_coding])?;
        out.octets(self.tlvs.octets())
    }
}
