//! The sockets of the console: plain, or HTTPS. A client may show a certificate; who it is is asked where it counts.

use crate::config::HttpTls;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Handshakes at a time.
const HANDSHAKES_MAX: usize = 256;

/// Why there is no HTTPS.
#[derive(Debug, thiserror::Error)]
pub enum HttpsError {
    /// A file can't be read, or isn't PEM of what it should be.
    #[error("{0}")]
    Pem(#[from] rustls::pki_types::pem::Error),
    /// The library refuses what the files say.
    #[error("{0}")]
    Rustls(#[from] rustls::Error),
    /// The authority can't vouch for anybody.
    #[error("{0}")]
    Authority(#[from] rustls::server::VerifierBuilderError),
}

/// Who is at the other end.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Where they are.
    pub address: SocketAddr,
    /// Serial number, in hexadecimal, of the certificate that the members' authority issued them, where they showed one.
    pub serial: Option<String>,
}

impl Connected<IncomingStream<'_, TcpListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self { address: *stream.remote_addr(), serial: None }
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        let (_, connection) = stream.io().get_ref();
        let shown = connection.peer_certificates().and_then(<[_]>::first);
        Self { address: *stream.remote_addr(), serial: shown.and_then(|shown| serial(shown)) }
    }
}

/// The serial number of a certificate, in hexadecimal.
pub(crate) fn serial(certificate: &[u8]) -> Option<String> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(data_encoding::HEXLOWER.encode(parsed.raw_serial()))
}

/// HTTPS with a certificate and key, for clients with and without a certificate of `authority` (PEM).
///
/// # Errors
/// [`HttpsError`].
pub fn https(tls: &HttpTls, authority: &str) -> Result<Arc<ServerConfig>, HttpsError> {
    let mut config = server_config(&tls.cert, &tls.key, authority, true)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// A server's configuration; clients show a certificate of `authority`, or may, where it is `optional`.
///
/// # Errors
/// [`HttpsError`].
pub(crate) fn server_config(
    cert: &std::path::Path,
    key: &std::path::Path,
    authority: &str,
    optional: bool,
) -> Result<ServerConfig, HttpsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authority.as_bytes()) {
        roots.add(certificate?)?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let verifier = if optional { verifier.allow_unauthenticated() } else { verifier };
    let chain = CertificateDer::pem_file_iter(cert)?.collect::<Result<Vec<_>, _>>()?;
    Ok(ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier.build()?)
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?)
}

/// Connections whose handshake is done.
pub struct TlsListener {
    address: SocketAddr,
    connections: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl TlsListener {
    /// Shakes hands with whoever connects.
    ///
    /// # Errors
    /// The socket has no address.
    pub fn start(listener: TcpListener, config: Arc<ServerConfig>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (to_server, connections) = mpsc::channel(HANDSHAKES_MAX);
        tokio::spawn(accept(listener, TlsAcceptor::from(config), to_server));
        Ok(Self { address, connections })
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.connections.recv().await {
            Some(connection) => connection,
            // The task that accepts only ends with this.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    to_server: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let turns = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    loop {
        let Ok(turn) = Arc::clone(&turns).acquire_owned().await else { return };
        let (stream, address) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors, most likely: some will be given back.
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(Duration::from_millis(200)).await;
                    continue;
                }
            },
            () = to_server.closed() => return,
        };
        let (acceptor, to_server) = (acceptor.clone(), to_server.clone());
        tokio::spawn(async move {
            match timeout(HANDSHAKE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => drop(to_server.send((stream, address)).await),
                Ok(Err(error)) => tracing::debug!(%address, %error, "no TLS"),
                Err(_) => tracing::debug!(%address, "the handshake took too long"),
            }
            drop(turn);
        });
    }
}
