//! TLS towards the broker.

use arc_swap::ArcSwap;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A loaded client configuration. Clones share it, also after [`Tls::reload`].
#[derive(Clone, Debug)]
pub struct Tls {
    config: Arc<ArcSwap<ClientConfig>>,
    source: Arc<Source>,
}

/// The files it was loaded from.
#[derive(Debug)]
struct Source {
    ca: PathBuf,
    client: Option<(PathBuf, PathBuf)>,
    server_name: Option<String>,
}

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
    /// The authorities can't vouch for anybody.
    #[error("the authorities can't be used: {0}")]
    Authorities(#[from] rustls::client::VerifierBuilderError),
    /// The expected name isn't one that a certificate could have.
    #[error("server_name isn't a host name or an address: {0}")]
    Name(#[from] InvalidDnsNameError),
    /// A certificate without its key, or the other way round.
    #[error("a client certificate needs both its chain and its key")]
    HalfClient,
}

impl Tls {
    /// Trusts the authorities in `ca` and nothing else; shows the certificate of `client` (chain and key) where the
    /// broker asks for one. All PEM. `server_name` is looked for in the broker's certificate, instead of the host that is
    /// connected to.
    ///
    /// # Errors
    /// A file can't be used.
    pub fn load(
        ca: &Path,
        client: Option<(&Path, &Path)>,
        server_name: Option<&str>,
    ) -> Result<Self, TlsError> {
        let source = Source {
            ca: ca.to_owned(),
            client: client.map(|(chain, key)| (chain.to_owned(), key.to_owned())),
            server_name: server_name.map(str::to_owned),
        };
        let config = Arc::new(ArcSwap::from(source.load()?));
        Ok(Self { config, source: Arc::new(source) })
    }

    /// Reads the same files again, for the connections that are made from now on.
    ///
    /// # Errors
    /// A file can't be used; what was loaded before stays.
    pub fn reload(&self) -> Result<(), TlsError> {
        self.config.store(self.source.load()?);
        Ok(())
    }

    /// The configuration for a new connection.
    pub(super) fn current(&self) -> Arc<ClientConfig> {
        self.config.load_full()
    }
}

impl Source {
    fn load(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let Self { ca, client, server_name } = self;
        let mut roots = RootCertStore::empty();
        for authority in certificates(ca)? {
            roots.add(authority)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let builder = match server_name.as_deref() {
            None => builder.with_root_certificates(roots),
            Some(name) => {
                let verifier = Named {
                    name: ServerName::try_from(name)?.to_owned(),
                    inner: WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build()?,
                };
                builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
            }
        };
        let config = match client {
            None => builder.with_no_client_auth(),
            Some((chain, key_path)) => {
                let key = PrivateKeyDer::from_pem_file(key_path)
                    .map_err(|source| TlsError::Pem { path: key_path.clone(), source })?;
                builder.with_client_auth_cert(certificates(chain)?, key)?
            }
        };
        Ok(Arc::new(config))
    }
}

/// Verifies as rustls does, but for a name that was configured: the MQTT client can only give the host it connects to.
#[derive(Debug)]
struct Named {
    name: ServerName<'static>,
    inner: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for Named {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _host: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.inner.verify_server_cert(end_entity, intermediates, &self.name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = |source| TlsError::Pem { path: path.to_owned(), source };
    let chain =
        CertificateDer::pem_file_iter(path).map_err(pem)?.collect::<Result<Vec<_>, _>>().map_err(pem)?;
    if chain.is_empty() { Err(TlsError::Empty { path: path.to_owned() }) } else { Ok(chain) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    use std::net::TcpStream;

    /// An authority's PEM, and a server's configuration with a certificate of it for `broker.example`.
    fn server() -> (String, Arc<rustls::ServerConfig>) {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate().unwrap();
        let ca = authority.self_signed(&authority_key).unwrap().pem();
        let issuer = Issuer::new(authority, authority_key);
        let key = KeyPair::generate().unwrap();
        let names = vec!["broker.example".to_owned()];
        let leaf = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], private)
            .unwrap();
        (ca, Arc::new(config))
    }

    /// Whether a client that connects to 127.0.0.1 is content with the server.
    fn connects(tls: &Tls, server: &Arc<rustls::ServerConfig>) -> bool {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let config = Arc::clone(server);
        let serving = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut connection = rustls::ServerConnection::new(config).unwrap();
            let _refused = connection.complete_io(&mut socket);
        });
        let mut socket = TcpStream::connect(address).unwrap();
        let host = ServerName::try_from("127.0.0.1").unwrap();
        let mut connection = rustls::ClientConnection::new(tls.current(), host).unwrap();
        let outcome = connection.complete_io(&mut socket);
        drop(socket);
        serving.join().unwrap();
        outcome.is_ok()
    }

    #[test]
    fn the_configured_name_is_what_the_certificate_must_have() {
        let (ca, server) = server();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, ca).unwrap();
        let load = |name| Tls::load(&path, None, name).unwrap();
        assert!(connects(&load(Some("broker.example")), &server));
        assert!(!connects(&load(Some("other.example")), &server));
        assert!(!connects(&load(None), &server), "the host isn't in the certificate");
        assert!(matches!(Tls::load(&path, None, Some("no name")), Err(TlsError::Name(_))));
    }
}
