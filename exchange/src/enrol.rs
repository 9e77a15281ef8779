//! How an agent becomes one of a member's: HTTPS, JSON.
//!
//! ```text
//! hub: `yumen-hub agent invite bank-a gw1` → a token, once, by another way (telephone, a person)
//! agent: GET  /enrol/v1/ca     → PEM; its SHA-256 must be the token's, and from then on nobody else is talked to
//! agent: POST /enrol/v1/enrol  Enrol → Enrolled
//! agent: POST /enrol/v1/renew  Renew, shown the present certificate in TLS → Enrolled
//! ```
//!
//! The keys are made at the agent and never leave it. A certificate's request names only its key; who it is for is what
//! the invitation says. (EST, RFC 7030, asks the same two questions at `/simpleenroll` and `/simplereenroll`.)

use serde::{Deserialize, Serialize};

/// Largest request in bytes.
pub const REQUEST_BYTES_MAX: usize = 16 * 1024;

/// Where the authority's certificates are.
pub const CA_PATH: &str = "/enrol/v1/ca";
/// Where an invitation is taken up.
pub const ENROL_PATH: &str = "/enrol/v1/enrol";
/// Where a certificate is renewed.
pub const RENEW_PATH: &str = "/enrol/v1/renew";

/// An invitation taken up.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrol {
    /// The secret of the [`Token`].
    pub secret: String,
    /// PKCS #10 in PEM, signed by the key that it names.
    pub csr: String,
    /// Ed25519, 64 hexadecimal digits: what sightings are going to be signed by.
    pub signing_key: String,
    /// By that key over [`proof`], 128 hexadecimal digits: whoever enrols has it.
    pub proof: String,
}

/// A certificate that is to be renewed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Renew {
    /// PKCS #10 in PEM, signed by the key that it names: a new one.
    pub csr: String,
}

/// What the hub answers both with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// The institution.
    pub member: String,
    /// Its agent.
    pub agent: String,
    /// PEM: the certificate, then the authority's.
    pub certificate: String,
    /// PEM of the authority.
    pub ca: String,
    /// Until when the certificate counts, in milliseconds since the Unix epoch.
    pub not_after_ms: u64,
    /// Where the broker is; none where the hub's configuration doesn't say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broker: Option<BrokerAddress>,
    /// The key that signs packs and retractions, as a keyring's line; none where the hub makes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack_key: Option<String>,
    /// The channel that packs come on; none where the hub makes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
}

/// Where a broker is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrokerAddress {
    /// Host name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether it is spoken to in TLS, with the certificate; without only on one machine.
    #[serde(default = "yes")]
    pub tls: bool,
}

const fn yes() -> bool {
    true
}

/// The bytes that [`Enrol::proof`] is over: bound to the invitation, so that it proves nothing elsewhere.
#[must_use]
pub fn proof(secret: &str, csr: &str) -> Vec<u8> {
    [b"yumen enrol v1\0", secret.as_bytes(), b"\0", csr.as_bytes()].concat()
}

/// What an invitation is handed over as: `SECRET.FINGERPRINT`, both in hexadecimal.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// 64 digits, for the hub alone.
    pub secret: String,
    /// SHA-256 of the authority's certificate (DER), 64 digits: whom the agent may tell the secret.
    pub fingerprint: String,
}

/// It isn't a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token is 64 hexadecimal digits, a dot, and 64 more")]
pub struct TokenError;

impl std::str::FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let (secret, fingerprint) = text.trim().split_once('.').ok_or(TokenError)?;
        let is_hex = |part: &str| {
            part.len() == 64 && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        if is_hex(secret) && is_hex(fingerprint) {
            Ok(Self { secret: secret.to_owned(), fingerprint: fingerprint.to_owned() })
        } else {
            Err(TokenError)
        }
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.secret, self.fingerprint)
    }
}

/// Without the secret.
impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

/// Without the secret.
impl std::fmt::Debug for Enrol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Enrol").field("signing_key", &self.signing_key).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back_and_nothing_else_is_one() {
        let token = Token { secret: "0a".repeat(32), fingerprint: "ff".repeat(32) };
        assert_eq!(token.to_string().parse(), Ok(token.clone()));
        assert!(!format!("{token:?}").contains("0a0a"));
        for text in ["", ".", "aa.bb", &token.secret, &token.to_string().to_uppercase()] {
            assert!(text.parse::<Token>().is_err(), "{text}");
        }
    }
}
