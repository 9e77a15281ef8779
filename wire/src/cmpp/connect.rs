//! CONNECT and its response.

use super::{Code, Version};
use crate::emit::Writer;
use crate::error::{EmitError, ParseError};
use crate::octets::{array, be_u32, end, u8};

/// CONNECT, 39 octets in every version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connect {
    /// `SP_Id`, six digits.
    pub source_addr: [u8; 6],
    /// MD5 of [`client_digest_input`].
    pub authenticator_source: [u8; 16],
    /// 0x20, 0x21, 0x30; see [`Version::from_wire`].
    pub version: u8,
    /// MMDDHHMMSS as a decimal number.
    pub timestamp: u32,
}

impl Connect {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`], [`ParseError::TrailingOctets`].
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let (rest, source_addr) = array(body)?;
        let (rest, authenticator_source) = array(rest)?;
        let (rest, version) = u8(rest)?;
        let (rest, timestamp) = be_u32(rest)?;
        end(rest)?;
        Ok(Self { source_addr, authenticator_source, version, timestamp })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.octets(&self.source_addr)?;
        out.octets(&self.authenticator_source)?;
        out.u8(self.version)?;
        out.u32(self.timestamp)
    }
}

/// CONNECT_RESP: 30 octets in 2.0, 33 in 3.0. Its length says which layout the connection has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectResp {
    /// See [`status`](super::status).
    pub status: Code,
    /// MD5 of [`server_digest_input`]; zeros where authentication failed. Never refuse a server for it (C-1).
    pub authenticator_ismg: [u8; 16],
    /// The highest version the server speaks.
    pub version: u8,
}

impl ConnectResp {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`] for any length but 18 and 21.
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let (code, rest) = match body.len() {
            18 => body.split_at(1),
            21 => body.split_at(4),
            _ => return Err(ParseError::Truncated),
        };
        let status = Code::from_octets(code).ok_or(ParseError::Truncated)?;
        let (rest, authenticator_ismg) = array(rest)?;
        let (rest, version) = u8(rest)?;
        end(rest)?;
        Ok(Self { status, authenticator_ismg, version })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        self.status.emit(out)?;
        out.octets(&self.authenticator_ismg)?;
        out.u8(self.version)
    }
}

/// Octets whose MD5 is `AuthenticatorSource`: `Source_Addr ‖ 9 × 0x00 ‖ secret ‖ timestamp`, the timestamp as ten ASCII
/// digits. Returns the length written to `out`.
///
/// An account of fewer than six characters is hashed padded by some peers and unpadded by others (C-2): a server
/// accepts the digest of either, so hand in both forms.
///
/// # Errors
/// [`EmitError::BufferFull`].
pub fn client_digest_input(
    source_addr: &[u8],
    secret: &[u8],
    timestamp: u32,
    out: &mut [u8],
) -> Result<usize, EmitError> {
    let mut writer = Writer::new(out);
    writer.octets(source_addr)?;
    writer.octets(&[0; 9])?;
    writer.octets(secret)?;
    writer.decimal::<10>(timestamp)?;
    Ok(writer.written())
}

/// Octets whose MD5 is `AuthenticatorISMG`: `Status ‖ AuthenticatorSource ‖ secret`, the status as wide as the version
/// has it (C-1). Returns the length written to `out`.
///
/// # Errors
/// [`EmitError::BufferFull`].
pub fn server_digest_input(
    version: Version,
    status: u32,
    authenticator_source: &[u8; 16],
    secret: &[u8],
    out: &mut [u8],
) -> Result<usize, EmitError> {
    let mut writer = Writer::new(out);
    Code::new(version, status).emit(&mut writer)?;
    writer.octets(authenticator_source)?;
    writer.octets(secret)?;
    Ok(writer.written())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_input_is_account_nuls_secret_and_ten_digits() {
        let mut out = [0; 64];
        let length = client_digest_input(b"900001", b"secret", 102_030_405, &mut out).unwrap();
        assert_eq!(&out[..length], b"900001\0\0\0\0\0\0\0\0\0secret0102030405");
        let length = server_digest_input(Version::V2, 3, &[7; 16], b"s", &mut out).unwrap();
        assert_eq!((length, out[0]), (18, 3));
        let length = server_digest_input(Version::V3, 3, &[7; 16], b"s", &mut out).unwrap();
        assert_eq!((length, &out[..5]), (21, &[0, 0, 0, 3, 7][..]));
        assert_eq!(client_digest_input(b"900001", b"s", 0, &mut [0; 25]), Err(EmitError::BufferFull));
    }
}
