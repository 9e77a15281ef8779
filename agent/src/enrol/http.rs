//! The few requests of enrolment, in HTTPS to the hub and nobody else.

use super::EnrolError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, TlsProvider};

/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Largest answer in bytes.
const ANSWER_BYTES_MAX: u64 = 256 * 1024;

/// Why there is no good answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The connection, TLS, or the answer's form.
    #[error("{url}: {source}")]
    Request {
        /// What was asked for.
        url: String,
        /// What went wrong.
        source: Box<ureq::Error>,
    },
    /// The hub refuses.
    #[error("{url}: {status} {detail}")]
    Refused {
        /// What was asked for.
        url: String,
        /// The status of HTTP.
        status: u16,
        /// What the hub says.
        detail: String,
    },
    /// A certificate or key isn't one.
    #[error("the certificate or its key can't be used: {0}")]
    Pem(Box<ureq::Error>),
    /// The authority isn't one.
    #[error("the hub's authority isn't a certificate: {0}")]
    Authority(rustls::pki_types::pem::Error),
}

/// Who may answer.
pub(super) enum Trusted<'a> {
    /// Whoever does: only for what is checked by its fingerprint.
    Nobody,
    /// Who has a certificate of this authority; `client` is a certificate with its key to be shown, all PEM.
    Authority { pem: &'a str, client: Option<&'a str> },
}

pub(super) struct Client {
    hub: String,
    agent: ureq::Agent,
}

impl Client {
    pub(super) fn new(hub: &str, trusted: Trusted<'_>) -> Result<Self, EnrolError> {
        if !hub.starts_with("https://") && !is_here(hub) {
            return Err(EnrolError::Plain(hub.to_owned()));
        }
        let pem = |error| HttpError::Pem(Box::new(error));
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let tls = match trusted {
            Trusted::Nobody => tls.disable_verification(true),
            Trusted::Authority { pem: authority, client } => {
                let roots = CertificateDer::pem_slice_iter(authority.as_bytes())
                    .map(|root| root.map(|root| Certificate::from_der(&root).to_owned()))
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(HttpError::Authority)?;
                let shown = match client {
                    None => None,
                    Some(client) => {
                        let chain = CertificateDer::pem_slice_iter(client.as_bytes())
                            .map(|one| one.map(|one| Certificate::from_der(&one).to_owned()))
                            .collect::<Result<Vec<_>, _>>()
                            .map_err(HttpError::Authority)?;
                        let key = PrivateKey::from_pem(client.as_bytes()).map_err(pem)?;
                        Some(ClientCert::new_with_certs(&chain, key))
                    }
                };
                tls.root_certs(RootCerts::Specific(Arc::new(roots))).client_cert(shown)
            }
        };
        let config = ureq::Agent::config_builder()
            .tls_config(tls.build())
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .max_redirects(0)
            .proxy(None)
            .build();
        Ok(Self { hub: hub.to_owned(), agent: config.new_agent() })
    }

    pub(super) fn get(&self, path: &str) -> Result<String, HttpError> {
        let url = format!("{}{path}", self.hub);
        let answer = self.agent.get(&url).call();
        read(&url, answer)
    }

    pub(super) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, HttpError> {
        let url = format!("{}{path}", self.hub);
        let answer = self.agent.post(&url).send_json(body);
        let text = read(&url, answer)?;
        serde_json::from_str(&text)
            .map_err(|error| HttpError::Request { url, source: Box::new(ureq::Error::Json(error)) })
    }
}

fn read(
    url: &str,
    answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<String, HttpError> {
    let failed = |source| HttpError::Request { url: url.to_owned(), source: Box::new(source) };
    let mut answer = answer.map_err(failed)?;
    let status = answer.status().as_u16();
    let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string().map_err(failed)?;
    if status == 200 {
        return Ok(text);
    }
    let detail = serde_json::from_str::<serde_json::Value>(&text).ok();
    let detail = detail.as_ref().and_then(|value| value.get("detail")?.as_str()).unwrap_or_default();
    Err(HttpError::Refused { url: url.to_owned(), status, detail: detail.to_owned() })
}

/// Whether an address of `http://` is this machine's.
fn is_here(hub: &str) -> bool {
    let Some(rest) = hub.strip_prefix("http://") else { return false };
    let host = rest.split('/').next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host }
    });
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_https_only_this_machine_is_spoken_to() {
        for hub in ["http://127.0.0.1:8470", "http://localhost:1", "http://[::1]:8470", "http://127.0.0.1"] {
            assert!(is_here(hub), "{hub}");
        }
        for hub in [
            "http://hub.example",
            "http://127.0.0.1.example",
            "ftp://127.0.0.1",
            "http://localhost@hub.example",
        ] {
            assert!(!is_here(hub), "{hub}");
            assert!(matches!(Client::new(hub, Trusted::Nobody), Err(EnrolError::Plain(_))), "{hub}");
        }
    }
}
