//! Certificates of signers: their chain, their key, and the numbers that they may sign for (RFC 8226).

use super::number;
use crate::doors::TlsError;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use std::path::Path;
use std::time::Duration;

/// Longest chain that is looked at.
const CHAIN_MAX: usize = 8;

/// The authorities of a PEM file.
pub(super) fn anchors(path: &Path) -> Result<Vec<TrustAnchor<'static>>, TlsError> {
    let unreadable = |source| TlsError::Pem { path: path.to_owned(), source };
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .map_err(unreadable)?
        .collect::<Result<_, _>>()
        .map_err(unreadable)?;
    if found.is_empty() {
        return Err(TlsError::NoCertificate(path.to_owned()));
    }
    let anchor = |certificate: &CertificateDer<'_>| {
        webpki::anchor_from_trusted_cert(certificate)
            .map(|anchor| anchor.to_owned())
            .map_err(|_| TlsError::NoCertificate(path.to_owned()))
    };
    found.iter().map(anchor).collect()
}

/// A certificate with those behind it, as it was fetched.
#[derive(Debug)]
pub(super) struct Chain(Vec<CertificateDer<'static>>);

impl Chain {
    /// PEM, the signer's first; or one certificate in DER.
    pub(super) fn read(octets: &[u8]) -> Option<Self> {
        let found: Vec<_> = if octets.starts_with(&[0x30]) {
            vec![CertificateDer::from(octets.to_vec())]
        } else {
            CertificateDer::pem_slice_iter(octets).take(CHAIN_MAX).collect::<Result<_, _>>().ok()?
        };
        (!found.is_empty()).then_some(Self(found))
    }

    /// Whether an authority stands behind it, now.
    pub(super) fn is_trusted(&self, anchors: &[TrustAnchor<'_>], now_s: u64) -> bool {
        let Some((leaf, behind)) = self.0.split_first() else { return false };
        let Ok(leaf) = webpki::EndEntityCert::try_from(leaf) else { return false };
        // Certificates of signers have no extended key usage; one that has another isn't one.
        let usage = webpki::KeyUsage::client_auth();
        let time = UnixTime::since_unix_epoch(Duration::from_secs(now_s));
        let algorithms = webpki::ALL_VERIFICATION_ALGS;
        leaf.verify_for_usage(algorithms, anchors, behind, time, usage, None, None).is_ok()
    }

    /// Whether the signature is that of its key.
    pub(super) fn signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let Some(leaf) = self.0.first() else { return false };
        let Ok(leaf) = webpki::EndEntityCert::try_from(leaf) else { return false };
        let der = der_signature(signature);
        leaf.verify_signature(webpki::ring::ECDSA_P256_SHA256, message, &der).is_ok()
    }

    /// Whether it may sign for that number. One for a whole provider, by its code, may sign for any: which numbers are a
    /// provider's, no certificate says (ATIS-1000080).
    pub(super) fn covers(&self, tn: &str) -> bool {
        let Some(list) = self.0.first().and_then(|leaf| tn_auth_list(leaf)) else { return true };
        let digits = number::digits(tn);
        let mut any_number = false;
        for entry in Der(list) {
            let Some((tag, value)) = entry else { return false };
            let inner = Der(value).next().flatten();
            match (tag, inner) {
                // The provider's code.
                (0xA0, Some(_)) => return true,
                (0xA1, Some((0x30, range))) => {
                    any_number = true;
                    let mut parts = Der(range).flatten();
                    let (Some((_, start)), Some((0x02, count))) = (parts.next(), parts.next()) else {
                        return false;
                    };
                    if in_range(&digits, start, count) {
                        return true;
                    }
                }
                (0xA2, Some((_, one))) => {
                    any_number = true;
                    if one == digits.as_bytes() {
                        return true;
                    }
                }
                _ => {}
            }
        }
        !any_number
    }
}

/// Numbers of one length that follow each other.
fn in_range(digits: &str, start: &[u8], count: &[u8]) -> bool {
    let Some(first) = std::str::from_utf8(start).ok().filter(|first| first.len() == digits.len()) else {
        return false;
    };
    let count =
        count.iter().fold(0u64, |value, octet| value.saturating_mul(256).saturating_add(u64::from(*octet)));
    match (first.parse::<u64>(), digits.parse::<u64>()) {
        (Ok(first), Ok(number)) => number >= first && number - first < count,
        _ => false,
    }
}

/// Fixed-length `r`, `s` (RFC 7518 §3.4) as the `SEQUENCE` that certificates' keys verify.
fn der_signature(signature: &[u8; 64]) -> Vec<u8> {
    let mut body = Vec::with_capacity(70);
    for half in signature.as_chunks::<32>().0 {
        let zeros = half.iter().take(31).take_while(|octet| **octet == 0).count();
        let number = half.get(zeros..).unwrap_or_default();
        let sign = number.first().is_some_and(|octet| octet & 0x80 != 0);
        let length = u8::try_from(number.len() + usize::from(sign)).unwrap_or(u8::MAX);
        body.extend_from_slice(&[0x02, length]);
        if sign {
            body.push(0);
        }
        body.extend_from_slice(number);
    }
    let length = u8::try_from(body.len()).unwrap_or(u8::MAX);
    [&[0x30, length][..], &body].concat()
}

/// The entries of the extension (RFC 8226 §9), where the certificate has it. The chain was verified before, so that the
/// outer form is known to be right.
fn tn_auth_list<'a>(certificate: &'a CertificateDer<'_>) -> Option<&'a [u8]> {
    let inner = |octets: &'a [u8], wanted: u8| {
        Der(octets).next().flatten().filter(|(tag, _)| *tag == wanted).map(|(_, value)| value)
    };
    let body = inner(inner(certificate.as_ref(), 0x30)?, 0x30)?;
    let extensions = Der(body).flatten().find(|(tag, _)| *tag == 0xA3)?.1;
    for (_, extension) in Der(inner(extensions, 0x30)?).flatten() {
        let mut parts = Der(extension).flatten();
        if parts.next() == Some((0x06, TN_AUTH_LIST)) {
            let value = parts.find(|(tag, _)| *tag == 0x04)?.1;
            return inner(value, 0x30);
        }
    }
    None
}

/// 1.3.6.1.5.5.7.1.26
const TN_AUTH_LIST: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x1A];

/// Tag and value of each element in a row; `None` for what can't be followed.
struct Der<'a>(&'a [u8]);

impl<'a> Iterator for Der<'a> {
    type Item = Option<(u8, &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let element = element(self.0);
        self.0 = element.map_or(&[], |(_, _, rest)| rest);
        Some(element.map(|(tag, value, _)| (tag, value)))
    }
}

fn element(octets: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = octets.split_first_chunk::<2>()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (length, rest) =
            rest.split_at_checked(usize::from(first & 0x7F)).filter(|(of, _)| of.len() <= 3)?;
        (length.iter().fold(0, |value, octet| value << 8 | usize::from(*octet)), rest)
    };
    let (value, rest) = rest.split_at_checked(length)?;
    Some((tag, value, rest))
}
