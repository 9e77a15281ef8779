//! STIR/SHAKEN: whether a caller may show the number that it shows (RFC 8224, 8225, 8226, 8588).
//!
//! ```text
//! Identity ─► PASSporT ─► certificate: known ─► chain, validity, TNAuthList ─► ES256 ─► iat, orig, dest ─► Finding
//!                              └ not known: Stir fetches it (HTTPS); the call waits for it, but not for long
//! ```
//! [`Verifier`] decides without any socket and with time as an argument; [`Stir`] fetches for it.

mod certificate;
mod fetch;
mod number;
mod passport;
mod verifier;

pub use verifier::{Check, Claim, Defect, Finding, Verifier};

use crate::doors::TlsError;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsConnector;

/// How callers are verified.
#[derive(Clone, Debug)]
pub struct Settings {
    /// PEM file with the authorities that certificates of signers must come from.
    pub anchors: PathBuf,
    /// PEM file with the authorities that servers of certificates are known by.
    pub https_ca: PathBuf,
    /// Hosts that certificates may be fetched from; empty allows all that aren't on a private network.
    pub repositories: Vec<String>,
    /// How long a call waits for a certificate.
    pub wait: Duration,
    /// Most seconds between the signature and its arrival.
    pub freshness_s: u64,
    /// How long a certificate is kept, at most.
    pub cache: Duration,
    /// Refuse calls whose signature is wrong (403, 436, 437, 438); otherwise it is only a signal.
    pub reject: bool,
}

/// A verifier that fetches what it lacks. Shared by the doors of an agent that are set alike.
pub struct Stir {
    settings: Settings,
    verifier: Mutex<Verifier>,
    connector: TlsConnector,
    fetches: Arc<Semaphore>,
    changed: watch::Sender<u64>,
}

impl Stir {
    /// Loads the authorities.
    ///
    /// # Errors
    /// A file can't be used.
    pub fn new(settings: Settings) -> Result<Arc<Self>, TlsError> {
        let anchors = certificate::anchors(&settings.anchors)?;
        let connector = fetch::connector(&settings.https_ca)?;
        Ok(Arc::new(Self {
            verifier: Mutex::new(Verifier::new(anchors, &settings)),
            connector,
            fetches: Arc::new(Semaphore::new(crate::limits::STIR_FETCHES_MAX)),
            changed: watch::Sender::new(0),
            settings,
        }))
    }

    /// How long a call may wait.
    #[must_use]
    pub const fn wait(&self) -> Duration {
        self.settings.wait
    }

    /// Whether a wrong signature refuses the call.
    #[must_use]
    pub const fn rejects(&self) -> bool {
        self.settings.reject
    }

    /// Tells whenever a certificate came, or will not come.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Checks a claim; `None` asks to wait for [`Self::changes`]. With `last` there is no waiting.
    pub fn check(self: &Arc<Self>, claim: &Claim<'_>, now_ms: u64, last: bool) -> Option<Finding> {
        let check = self.held().check(claim, now_ms);
        match check {
            Check::Done(finding) => Some(finding),
            Check::Waits if last => Some(Finding::UNKNOWN),
            Check::Waits => None,
            Check::Ask(url) => {
                let asked = self.fetch(url.clone());
                if !asked {
                    self.held().failed(&url, now_ms);
                }
                if last || !asked { Some(Finding::UNKNOWN) } else { None }
            }
        }
    }

    /// `false` where too many are under way already.
    fn fetch(self: &Arc<Self>, url: String) -> bool {
        let Ok(place) = self.fetches.clone().try_acquire_owned() else { return false };
        let stir = self.clone();
        tokio::spawn(async move {
            let fetched = fetch::get(&url, &stir.settings.repositories, &stir.connector).await;
            let now_ms = crate::clock::now_ms();
            match fetched {
                Ok(fetched) => stir.held().learnt(&url, &fetched.octets, fetched.max_age, now_ms),
                Err(error) => {
                    tracing::warn!(%url, %error, "StirCertificateMissing");
                    stir.held().failed(&url, now_ms);
                }
            }
            stir.changed.send_modify(|count| *count = count.wrapping_add(1));
            drop(place);
        });
        true
    }

    /// What is known is whole after every change.
    fn held(&self) -> MutexGuard<'_, Verifier> {
        self.verifier.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Stir {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stir").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
