//! Decides on signatures, and keeps the certificates for it.

use super::Settings;
use super::certificate::Chain;
use super::number;
use super::passport::Passport;
use crate::limits::{STIR_CERTIFICATES_MAX, STIR_RETRY};
use rustls::pki_types::TrustAnchor;
use std::collections::HashMap;
use std::time::Duration;
use yumen_wire::event::{Attestation, Verstat};
use yumen_wire::sip::Identity;

/// What a request says of its caller.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Values of its Identity headers.
    pub identities: &'a [&'a [u8]],
    /// The number that it shows: P-Asserted-Identity's where there is one (RFC 8224 §6.2, ATIS-1000074), or From's.
    pub caller: &'a str,
    /// The number in To.
    pub callee: &'a str,
    /// Its Date, in seconds since the Unix epoch.
    pub date_s: Option<u64>,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// As a signal.
    pub verstat: Verstat,
    /// Only of a signature that holds.
    pub attestation: Option<Attestation>,
    /// What is wrong.
    pub defect: Option<Defect>,
}

impl Finding {
    /// Nothing was signed, or nothing could be found out in time.
    pub const UNKNOWN: Self = Self { verstat: Verstat::NotValidated, attestation: None, defect: None };
}

/// What is wrong with a signature (RFC 8224 §6.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// Too old, from the future, or without a time.
    Stale,
    /// There is no certificate to be had where it is said to lie.
    Info,
    /// The certificate, or the algorithm, isn't one to trust.
    Credential,
    /// Anything else: it can't be read, isn't the certificate's, or isn't about this call.
    Header,
}

impl Defect {
    /// How the call is answered where wrong signatures are refused.
    #[must_use]
    pub const fn status(self) -> &'static str {
        match self {
            Self::Stale => "403 Stale Date",
            Self::Info => "436 Bad Identity Info",
            Self::Credential => "437 Unsupported Credential",
            Self::Header => "438 Invalid Identity Header",
        }
    }
}

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// This was found.
    Done(Finding),
    /// A certificate is asked for already.
    Waits,
    /// This certificate is to be fetched: [`Verifier::learnt`] or [`Verifier::failed`] is told.
    Ask(String),
}

/// Verifies, without sockets.
#[derive(Debug)]
pub struct Verifier {
    anchors: Vec<TrustAnchor<'static>>,
    known: HashMap<String, Known>,
    freshness_s: u64,
    cache: Duration,
}

/// What is known of a certificate; times in milliseconds since the Unix epoch.
#[derive(Debug)]
enum Known {
    Asked { until_ms: u64 },
    Failed { until_ms: u64 },
    Here { chain: Chain, until_ms: u64 },
}

impl Known {
    const fn until_ms(&self) -> u64 {
        match self {
            Self::Asked { until_ms } | Self::Failed { until_ms } | Self::Here { until_ms, .. } => *until_ms,
        }
    }
}

impl Verifier {
    /// With these authorities.
    #[must_use]
    pub fn new(anchors: Vec<TrustAnchor<'static>>, settings: &Settings) -> Self {
        Self { anchors, known: HashMap::new(), freshness_s: settings.freshness_s, cache: settings.cache }
    }

    /// Checks a claim. Of several signatures the first that is about the caller's number counts.
    pub fn check(&mut self, claim: &Claim<'_>, now_ms: u64) -> Check {
        let mut parsed = claim.identities.iter().flat_map(|header| Identity::values(header));
        let identity = parsed.find(|identity| {
            // Others are about something else: who sent the call on (`div`), what is shown beside the number (`rcd`).
            identity.is_none_or(|identity| identity.ppt.is_none_or(|ppt| ppt == b"shaken"))
        });
        match identity {
            None => Check::Done(Finding::UNKNOWN),
            Some(None) => failed(Defect::Header),
            Some(Some(identity)) => self.check_one(&identity, claim, now_ms),
        }
    }

    fn check_one(&mut self, identity: &Identity<'_>, claim: &Claim<'_>, now_ms: u64) -> Check {
        let passport = match Passport::read(identity, claim) {
            Ok(passport) => passport,
            Err(defect) => return failed(defect),
        };
        // What costs nothing comes first: nobody makes us fetch by what is wrong anyway.
        let attestation = match self.check_claims(&passport, claim, now_ms) {
            Ok(attestation) => attestation,
            Err(defect) => return failed(defect),
        };
        if !passport.x5u.starts_with("https://") || passport.x5u.len() > URL_BYTES_MAX {
            return failed(Defect::Info);
        }
        match self.known.get(&passport.x5u).filter(|known| now_ms < known.until_ms()) {
            None => self.ask(passport.x5u, now_ms),
            Some(Known::Asked { .. }) => Check::Waits,
            // Whose fault it is isn't known: no validation, rather than a failed one.
            Some(Known::Failed { .. }) => {
                Check::Done(Finding { defect: Some(Defect::Info), ..Finding::UNKNOWN })
            }
            Some(Known::Here { chain, .. }) => {
                if !chain.is_trusted(&self.anchors, now_ms / 1000) {
                    return failed(Defect::Credential);
                }
                if !chain.signed(&passport.signed, &passport.signature) {
                    return failed(Defect::Header);
                }
                if !passport.caller().is_some_and(|tn| chain.covers(tn)) {
                    return failed(Defect::Credential);
                }
                Check::Done(Finding { verstat: Verstat::Passed, attestation, defect: None })
            }
        }
    }

    /// Time and numbers (RFC 8224 §6.2 steps 3 to 5).
    fn check_claims(
        &self,
        passport: &Passport,
        claim: &Claim<'_>,
        now_ms: u64,
    ) -> Result<Option<Attestation>, Defect> {
        let iat = passport.claims.iat.ok_or(Defect::Stale)?;
        if iat.abs_diff(now_ms / 1000) > self.freshness_s {
            return Err(Defect::Stale);
        }
        let attestation = passport.attestation()?;
        let is_caller = passport.caller().is_some_and(|tn| number::same(tn, claim.caller));
        let is_callee = passport.callees().iter().any(|tn| number::same(tn, claim.callee));
        if is_caller && is_callee { Ok(attestation) } else { Err(Defect::Header) }
    }

    fn ask(&mut self, url: String, now_ms: u64) -> Check {
        if self.known.len() >= STIR_CERTIFICATES_MAX {
            self.known.retain(|_, known| now_ms < known.until_ms());
            if self.known.len() >= STIR_CERTIFICATES_MAX {
                return Check::Done(Finding::UNKNOWN);
            }
        }
        self.known.insert(url.clone(), Known::Asked { until_ms: after(now_ms, STIR_RETRY) });
        Check::Ask(url)
    }

    /// A certificate came, to be kept for `max_age` where its server says so.
    pub fn learnt(&mut self, url: &str, octets: &[u8], max_age: Option<Duration>, now_ms: u64) {
        let Some(chain) = Chain::read(octets) else { return self.failed(url, now_ms) };
        let age = max_age.unwrap_or(self.cache).clamp(CACHE_MIN, self.cache.max(CACHE_MIN));
        self.known.insert(url.to_owned(), Known::Here { chain, until_ms: after(now_ms, age) });
    }

    /// A certificate didn't come: it is asked for again after a while.
    pub fn failed(&mut self, url: &str, now_ms: u64) {
        self.known.insert(url.to_owned(), Known::Failed { until_ms: after(now_ms, STIR_RETRY) });
    }
}

const fn failed(defect: Defect) -> Check {
    Check::Done(Finding { verstat: Verstat::Failed, attestation: None, defect: Some(defect) })
}

fn after(now_ms: u64, time: Duration) -> u64 {
    now_ms.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

/// Longest place of a certificate.
const URL_BYTES_MAX: usize = 512;
/// So long a certificate is kept whatever its server says.
const CACHE_MIN: Duration = Duration::from_secs(60);
