//! Binds and their responses (SMPP 3.4 §4.1).

use super::{Tag, Tlvs};
use crate::emit::Writer;
use crate::error::{EmitError, ParseError};
use crate::octets::{c_string, u8};

/// `bind_transmitter`, `bind_receiver`, `bind_transceiver`: one layout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bind<'a> {
    /// Who binds.
    pub system_id: &'a [u8],
    /// Its password. Don't log it.
    pub password: &'a [u8],
    /// Kind of ESME.
    pub system_type: &'a [u8],
    /// 0x33, 0x34, 0x50.
    pub interface_version: u8,
    /// Type of number of `address_range`.
    pub addr_ton: u8,
    /// Numbering plan of `address_range`.
    pub addr_npi: u8,
    /// Addresses the ESME serves.
    pub address_range: &'a [u8],
    /// Octets after the fields, which the standard doesn't have; they pass.
    pub trailing: &'a [u8],
}

impl<'a> Bind<'a> {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`], [`ParseError::Unterminated`].
    pub fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let (rest, system_id) = c_string(body)?;
        let (rest, password) = c_string(rest)?;
        let (rest, system_type) = c_string(rest)?;
        let (rest, interface_version) = u8(rest)?;
        let (rest, addr_ton) = u8(rest)?;
        let (rest, addr_npi) = u8(rest)?;
        let (trailing, address_range) = c_string(rest)?;
        Ok(Self {
            system_id,
            password,
            system_type,
            interface_version,
            addr_ton,
            addr_npi,
            address_range,
            trailing,
        })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::HoldsNul`], [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.c_string("system_id", self.system_id)?;
        out.c_string("password", self.password)?;
        out.c_string("system_type", self.system_type)?;
        out.octets(&[self.interface_version, self.addr_ton, self.addr_npi])?;
        out.c_string("address_range", self.address_range)?;
        out.octets(self.trailing)
    }
}

/// The response to any bind. Without a body where the bind failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BindResp<'a> {
    /// The centre's name; `None` for a response that ends with its header.
    pub system_id: Option<&'a [u8]>,
    /// `sc_interface_version`, mostly.
    pub tlvs: Tlvs<'a>,
}

impl<'a> BindResp<'a> {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Unterminated`].
    pub fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        let (rest, system_id) = c_string(body)?;
        Ok(Self { system_id: Some(system_id), tlvs: Tlvs::new(rest) })
    }

    /// Writes what follows the header. Without `system_id` nothing is written.
    ///
    /// # Errors
    /// [`EmitError::HoldsNul`], [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        let Some(system_id) = self.system_id else { return Ok(()) };
        out.c_string("system_id", system_id)?;
        out.octets(self.tlvs.octets())
    }

    /// The version the centre speaks, where it says so (§5.3.2.25).
    #[must_use]
    pub fn interface_version(&self) -> Option<u8> {
        self.tlvs.find(Tag::SC_INTERFACE_VERSION)?.value.first().copied()
    }
}
