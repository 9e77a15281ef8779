//! PASSporTs (RFC 8225), with the claims of SHAKEN (RFC 8588).

use super::number;
use super::verifier::{Claim, Defect};
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use yumen_wire::event::Attestation;
use yumen_wire::sip::Identity;

/// A token that could be read.
#[derive(Debug)]
pub(super) struct Passport {
    /// What is signed.
    pub(super) signed: Vec<u8>,
    /// ES256: two numbers of 32 bytes (RFC 7518 §3.4).
    pub(super) signature: [u8; 64],
    /// Where the certificate lies.
    pub(super) x5u: String,
    pub(super) claims: Claims,
    pub(super) is_shaken: bool,
}

#[derive(Debug, Deserialize)]
struct Head {
    alg: String,
    typ: String,
    x5u: String,
    ppt: Option<String>,
}

/// What is claimed.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    pub(super) iat: Option<u64>,
    orig: Option<Orig>,
    dest: Option<Dest>,
    attest: Option<String>,
    origid: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Orig {
    tn: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Dest {
    #[serde(default)]
    tn: Vec<String>,
}

impl Passport {
    /// Reads a token; what is wrong with it has its status.
    pub(super) fn read(identity: &Identity<'_>, claim: &Claim<'_>) -> Result<Self, Defect> {
        if identity.alg.is_some_and(|alg| alg != b"ES256") {
            return Err(Defect::Credential);
        }
        let signature = decode(identity.signature)?.try_into().map_err(|_| Defect::Header)?;
        let info = identity.info.and_then(|info| std::str::from_utf8(info).ok()).ok_or(Defect::Info);
        if identity.is_compact() {
            return Self::rewrite(identity, info?, signature, claim);
        }
        // What is no token at all isn't one whose certificate can't be had.
        let head: Head = json(identity.header)?;
        let claims: Claims = json(identity.payload)?;
        if head.alg != "ES256" {
            return Err(Defect::Credential);
        }
        // RFC 8224 §6.2.2: the certificate is the one that was signed to lie there.
        if head.x5u != info? {
            return Err(Defect::Info);
        }
        let ppt = identity.ppt.map(<[u8]>::to_vec);
        if head.typ != "passport"
            || ppt.is_some_and(|ppt| head.ppt.as_deref().map(str::as_bytes) != Some(&ppt))
        {
            return Err(Defect::Header);
        }
        let is_shaken = head.ppt.as_deref() == Some("shaken");
        Ok(Self { signed: identity.signed.to_vec(), signature, x5u: head.x5u, claims, is_shaken })
    }

    /// The compact form (RFC 8224 §4.1): both parts are written from the request, in the one way there is (RFC 8225 §9).
    fn rewrite(
        identity: &Identity<'_>,
        info: &str,
        signature: [u8; 64],
        claim: &Claim<'_>,
    ) -> Result<Self, Defect> {
        // Claims of an extension aren't in the request.
        if identity.ppt.is_some() {
            return Err(Defect::Header);
        }
        let iat = claim.date_s.ok_or(Defect::Stale)?;
        let (orig, dest) = (number::digits(claim.caller), number::digits(claim.callee));
        let text = |text: &str| serde_json::to_string(text).map_err(|_| Defect::Info);
        let head = format!(r#"{{"alg":"ES256","typ":"passport","x5u":{}}}"#, text(info)?);
        let payload =
            format!(r#"{{"dest":{{"tn":[{}]}},"iat":{iat},"orig":{{"tn":{}}}}}"#, text(&dest)?, text(&orig)?);
        let signed = format!(
            "{}.{}",
            BASE64URL_NOPAD.encode(head.as_bytes()),
            BASE64URL_NOPAD.encode(payload.as_bytes())
        );
        let claims = Claims {
            iat: Some(iat),
            orig: Some(Orig { tn: Some(orig) }),
            dest: Some(Dest { tn: vec![dest] }),
            attest: None,
            origid: None,
        };
        Ok(Self { signed: signed.into_bytes(), signature, x5u: info.to_owned(), claims, is_shaken: false })
    }

    /// The caller's number.
    pub(super) fn caller(&self) -> Option<&str> {
        self.claims.orig.as_ref()?.tn.as_deref()
    }

    /// The numbers called.
    pub(super) fn callees(&self) -> &[String] {
        self.claims.dest.as_ref().map_or(&[], |dest| &dest.tn)
    }

    /// How far the signer vouches; SHAKEN must say so, with an origination id.
    pub(super) fn attestation(&self) -> Result<Option<Attestation>, Defect> {
        if !self.is_shaken {
            return Ok(None);
        }
        if self.claims.origid.is_none() {
            return Err(Defect::Header);
        }
        match self.claims.attest.as_deref() {
            Some("A") => Ok(Some(Attestation::Full)),
            Some("B") => Ok(Some(Attestation::Partial)),
            Some("C") => Ok(Some(Attestation::Gateway)),
            _ => Err(Defect::Header),
        }
    }
}

fn decode(text: &[u8]) -> Result<Vec<u8>, Defect> {
    BASE64URL_NOPAD.decode(text).map_err(|_| Defect::Header)
}

fn json<T: serde::de::DeserializeOwned>(text: &[u8]) -> Result<T, Defect> {
    serde_json::from_slice(&decode(text)?).map_err(|_| Defect::Header)
}
