//! Login and its response.

use crate::emit::Writer;
use crate::error::{EmitError, ParseError};
use crate::octets::{array, be_u32, end, u8};

/// Which layout a connection's Submit has; `ClientVersion` of Login tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// 1.3 (0x13): a Submit has no `FixedFee` (M-4).
    V1,
    /// 3.0 and everything else.
    V3,
}

impl Version {
    /// From Login's `ClientVersion`: high nibble major, low nibble minor.
    #[must_use]
    pub const fn from_wire(version: u8) -> Self {
        match version {
            0x13 => Self::V1,
            _ => Self::V3,
        }
    }

    /// What Login says.
    #[must_use]
    pub const fn wire(self) -> u8 {
        match self {
            Self::V1 => 0x13,
            Self::V3 => 0x30,
        }
    }
}

/// Login, 42 octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Login {
    /// The account.
    pub client_id: [u8; 8],
    /// MD5 of [`client_digest_input`].
    pub authenticator_client: [u8; 16],
    /// 0 send, 1 receive, 2 both.
    pub login_mode: u8,
    /// MMDDHHMMSS as a decimal number.
    pub timestamp: u32,
    /// See [`Version::from_wire`].
    pub client_version: u8,
}

impl Login {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`], [`ParseError::TrailingOctets`].
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let (rest, client_id) = array(body)?;
        let (rest, authenticator_client) = array(rest)?;
        let (rest, login_mode) = u8(rest)?;
        let (rest, timestamp) = be_u32(rest)?;
        let (rest, client_version) = u8(rest)?;
        end(rest)?;
        Ok(Self { client_id, authenticator_client, login_mode, timestamp, client_version })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.octets(&self.client_id)?;
        out.octets(&self.authenticator_client)?;
        out.u8(self.login_mode)?;
        out.u32(self.timestamp)?;
        out.u8(self.client_version)
    }
}

/// `Login_Resp`, 33 octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoginResp {
    /// 0 logged in; 21 wrong digest, which some servers answer with 3 (M-9).
    pub status: u32,
    /// MD5 of [`server_digest_input`]; zeros where authentication failed (M-8).
    pub authenticator_server: [u8; 16],
    /// The highest version the server speaks.
    pub server_version: u8,
}

impl LoginResp {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`], [`ParseError::TrailingOctets`].
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let (rest, status) = be_u32(body)?;
        let (rest, authenticator_server) = array(rest)?;
        let (rest, server_version) = u8(rest)?;
        end(rest)?;
        Ok(Self { status, authenticator_server, server_version })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.u32(self.status)?;
        out.octets(&self.authenticator_server)?;
        out.u8(self.server_version)
    }
}

/// Octets whose MD5 is `AuthenticatorClient`: `ClientID ‖ 7 × 0x00 ‖ secret ‖ timestamp`, the timestamp as ten ASCII
/// digits. Returns the length written to `out`. A short `ClientID` is hashed padded by some peers and unpadded by
/// others (M-8): hand in both forms.
///
/// # Errors
/// [`EmitError::BufferFull`].
pub fn client_digest_input(
    client_id: &[u8],
    secret: &[u8],
    timestamp: u32,
    out: &mut [u8],
) -> Result<usize, EmitError> {
    let mut writer = Writer::new(out);
    writer.octets(client_id)?;
    writer.octets(&[0; 7])?;
    writer.octets(secret)?;
    writer.decimal::<10>(timestamp)?;
    Ok(writer.written())
}

/// Octets whose MD5 is `AuthenticatorServer`: `Status ‖ AuthenticatorClient ‖ secret`. Returns the length written to
/// `out`.
///
/// # Errors
/// [`EmitError::BufferFull`].
pub fn server_digest_input(
    status: u32,
    authenticator_client: &[u8; 16],
    secret: &[u8],
    out: &mut [u8],
) -> Result<usize, EmitError> {
    let mut writer = Writer::new(out);
    writer.u32(status)?;
    writer.octets(authenticator_client)?;
    writer.octets(secret)?;
    Ok(writer.written())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_input_is_account_nuls_secret_and_ten_digits() {
        let mut out = [0; 64];
        let length = client_digest_input(b"10690000", b"secret", 301_000_000, &mut out).unwrap();
        assert_eq!(&out[..length], b"10690000\0\0\0\0\0\0\0secret0301000000");
        let length = server_digest_input(21, &[7; 16], b"s", &mut out).unwrap();
        assert_eq!((length, &out[..5]), (21, &[0, 0, 0, 21, 7][..]));
    }
}
