//! TLS towards the broker.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A loaded client configuration.
#[derive(Clone, Debug)]
pub struct Tls(pub(super) Arc<ClientConfig>);

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read, or isn't PEM of what it should be.
    #[error("{}: {source}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rustls::pki_types::pem::Error,
    },
    /// A file has no certificate in it.
    #[error("{} has no certificate in it", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The library refuses what the files say.
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
    /// A certificate without its key, or the other way round.
    #[error("a client certificate needs both its chain and its key")]
    HalfClient,
}

impl Tls {
    /// Trusts the authorities in `ca` and nothing else; shows the certificate of `client` (chain and key) where the
    /// broker asks for one. All PEM.
    ///
    /// # Errors
    /// A file can't be used.
    pub fn load(ca: &Path, client: Option<(&Path, &Path)>) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for authority in certificates(ca)? {
            roots.add(authority)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let config = match client {
            None => builder.with_no_client_auth(),
            Some((chain, key_path)) => {
                let key = PrivateKeyDer::from_pem_file(key_path)
                    .map_err(|source| TlsError::Pem { path: key_path.to_owned(), source })?;
                builder.with_client_auth_cert(certificates(chain)?, key)?
            }
        };
        Ok(Self(Arc::new(config)))
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = |source| TlsError::Pem { path: path.to_owned(), source };
    let chain =
        CertificateDer::pem_file_iter(path).map_err(pem)?.collect::<Result<Vec<_>, _>>().map_err(pem)?;
    if chain.is_empty() { Err(TlsError::Empty { path: path.to_owned() }) } else { Ok(chain) }
}
