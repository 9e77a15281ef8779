//! The embedded broker's door for other machines: TLS with client certificates, and the access rules before the broker,
//! which has none of its own.
//!
//! ```text
//! agent ──TLS──► certificate: enrolled? revoked? ──► each packet: allowed? ──► broker on loopback
//! ```
//!
//! An agent that is revoked loses its connection within a second.

use super::acl::Identity;
use super::packet::Inspector;
use crate::api::serial;
use crate::limits::BROKER_CONNECTIONS_MAX;
use crate::trust::{Refusals, Trust};
use bytes::{Buf, BytesMut};
use rustls::ServerConfig;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{interval, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long handshake and CONNECT may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How often it is looked whether an agent is still enrolled.
const LOOK: Duration = Duration::from_secs(1);
/// Read at a time.
const READ_BYTES: usize = 16 * 1024;
/// The word for a packet that isn't allowed.
const REASON: &str = "topic-not-allowed";

/// The door.
pub(crate) struct Door {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) broker: SocketAddr,
    pub(crate) trust: Arc<Trust>,
    pub(crate) refusals: Arc<Refusals>,
}

impl Door {
    /// Takes connections until `stop`.
    pub(crate) async fn run(self, listener: TcpListener, mut stop: watch::Receiver<bool>) {
        let door = Arc::new(self);
        let turns = Arc::new(Semaphore::new(BROKER_CONNECTIONS_MAX));
        loop {
            let Ok(turn) = Arc::clone(&turns).acquire_owned().await else { return };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            let (stream, address) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection to the broker could not be accepted");
                    sleep(Duration::from_millis(200)).await;
                    continue;
                }
            };
            let (door, stop) = (Arc::clone(&door), stop.clone());
            tokio::spawn(async move {
                if let Err(error) = door.admit(stream, address, stop).await {
                    tracing::warn!(%address, %error, "a connection to the broker was cut");
                }
                drop(turn);
            });
        }
    }

    async fn admit(
        &self,
        stream: TcpStream,
        address: SocketAddr,
        stop: watch::Receiver<bool>,
    ) -> Result<(), Cut> {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.config));
        let stream = timeout(HANDSHAKE, acceptor.accept(stream)).await.map_err(|_| Cut::Slow)??;
        let (identity, serial) = shown(&stream).ok_or(Cut::Certificate)?;
        if !self.is_welcome(&identity, &serial).await? {
            self.refusals.add(
                Some((identity.member.as_str(), identity.agent.as_str())),
                "revoked",
                crate::clock::now_ms(),
            );
            return Err(Cut::NotEnrolled);
        }
        let broker = TcpStream::connect(self.broker).await?;
        broker.set_nodelay(true)?;
        tracing::debug!(%address, member = %identity.member, agent = %identity.agent, "an agent is at the broker");
        self.relay(stream, broker, &identity, &serial, stop).await
    }

    async fn is_welcome(&self, identity: &Identity, serial: &str) -> Result<bool, Cut> {
        let known = self.trust.look().await.map_err(|_| Cut::Database)?;
        Ok(known.is_enrolled(&identity.member, &identity.agent) && !known.is_revoked(serial))
    }

    /// Passes packets on until either side goes, something isn't allowed, or the agent is revoked.
    async fn relay(
        &self,
        stream: TlsStream<TcpStream>,
        broker: TcpStream,
        identity: &Identity,
        serial: &str,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), Cut> {
        let (mut from_agent, mut to_agent) = tokio::io::split(stream);
        let (mut from_broker, mut to_broker) = broker.into_split();
        let down = async {
            tokio::io::copy(&mut from_broker, &mut to_agent).await?;
            to_agent.shutdown().await?;
            Ok::<_, Cut>(())
        };
        let up = async {
            let mut inspector = Inspector::new(identity.clone());
            let mut buffer = BytesMut::with_capacity(READ_BYTES);
            let mut is_first = true;
            loop {
                while let Some(length) = inspector.admit(&buffer).inspect_err(|_| self.refuse(identity))? {
                    is_first = false;
                    let packet = buffer.get(..length).unwrap_or_default();
                    to_broker.write_all(packet).await?;
                    buffer.advance(length);
                }
                buffer.reserve(READ_BYTES);
                let read = from_agent.read_buf(&mut buffer);
                let read = if is_first {
                    timeout(HANDSHAKE, read).await.map_err(|_| Cut::Slow)??
                } else {
                    read.await?
                };
                if read == 0 {
                    // The broker publishes the will of one that went without a word.
                    return Ok(());
                }
            }
        };
        let watch = async {
            let mut tick = interval(LOOK);
            loop {
                tick.tick().await;
                if !self.is_welcome(identity, serial).await.unwrap_or(true) {
                    return Err(Cut::NotEnrolled);
                }
            }
        };
        tokio::select! {
            ended = up => ended,
            ended = down => ended,
            cut = watch => cut,
            _ = stop.wait_for(|stop| *stop) => Ok(()),
        }
    }

    fn refuse(&self, identity: &Identity) {
        let sender = (identity.member.as_str(), identity.agent.as_str());
        self.refusals.add(Some(sender), REASON, crate::clock::now_ms());
    }
}

/// Whose certificate it is, and its serial number.
fn shown(stream: &TlsStream<TcpStream>) -> Option<(Identity, String)> {
    let (_, connection) = stream.get_ref();
    let certificate = connection.peer_certificates()?.first()?;
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let name = parsed.subject().iter_common_name().next()?.as_str().ok()?;
    Some((Identity::parse(name)?, serial(certificate)?))
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Cut {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it took too long to begin")]
    Slow,
    #[error("the certificate names no member and agent")]
    Certificate,
    #[error("the agent isn't enrolled, or its certificate is revoked")]
    NotEnrolled,
    #[error("the database can't be asked who is enrolled")]
    Database,
    #[error(transparent)]
    Violation(#[from] super::packet::Violation),
}
