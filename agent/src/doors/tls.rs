//! TLS configurations from PEM files (rustls with its ring provider).

use super::config::{ClientTls, ServerTls};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Why TLS can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM file can't be read.
    #[error("{}: {source}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// A PEM file holds no certificate.
    #[error("{}: no certificate in it", .0.display())]
    NoCertificate(PathBuf),
    /// A certificate, a key or their pairing was refused.
    #[error(transparent)]
    Refused(#[from] rustls::Error),
    /// The authorities of client certificates were refused.
    #[error(transparent)]
    ClientAuthorities(#[from] VerifierBuilderError),
    /// The name expected in the upstream's certificate isn't a host name or address.
    #[error(transparent)]
    ServerName(#[from] InvalidDnsNameError),
}

/// For a listener.
pub(crate) fn acceptor(tls: &ServerTls) -> Result<TlsAcceptor, TlsError> {
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let builder = match &tls.client_ca {
        Some(path) => {
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(authorities(path)?), provider());
            builder.with_client_cert_verifier(verifier.build()?)
        }
        None => builder.with_no_client_auth(),
    };
    let config = builder.with_single_cert(certificates(&tls.cert)?, key(&tls.key)?)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// For an upstream at `host`.
pub(super) fn connector(
    tls: &ClientTls,
    host: &str,
) -> Result<(TlsConnector, ServerName<'static>), TlsError> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(authorities(&tls.ca)?);
    let config = match &tls.identity {
        Some((cert, private)) => builder.with_client_auth_cert(certificates(cert)?, key(private)?)?,
        None => builder.with_no_client_auth(),
    };
    let name = tls.server_name.clone().unwrap_or_else(|| host.to_owned());
    Ok((TlsConnector::from(Arc::new(config)), ServerName::try_from(name)?))
}

/// For servers that the authorities of a file know, without a certificate of our own.
pub(crate) fn client(ca: &Path) -> Result<TlsConnector, TlsError> {
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(authorities(ca)?)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(default_provider())
}

fn authorities(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(path)? {
        store.add(certificate)?;
    }
    Ok(store)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |source| TlsError::Pem { path: path.to_owned(), source };
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .map_err(unreadable)?
        .collect::<Result<_, _>>()
        .map_err(unreadable)?;
    if found.is_empty() { Err(TlsError::NoCertificate(path.to_owned())) } else { Ok(found) }
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(path).map_err(|source| TlsError::Pem { path: path.to_owned(), source })
}
