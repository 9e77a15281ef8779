//! Accepts clients, connects each to an upstream, and drains.

use super::cmpp::Cmpp;
use super::config::{Balance, ListenerConfig, ProtocolKind};
use super::counters::Counters;
use super::driver::relay;
use super::session::Session;
use super::sgip::{Blocked, Sgip};
use super::smgp::Smgp;
use super::smpp::Smpp;
use super::stream::Stream;
use super::tls::{self, TlsError};
use crate::limits::TLS_ACCEPT_TIMEOUT;
use crate::pipeline::Gate;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Why a listener can't start.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Its address can't be bound.
    #[error("listener '{name}': {bind}: {source}")]
    Bind {
        /// The listener.
        name: String,
        /// Its address.
        bind: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The key of a SIP proxy's Record-Routes can't be read or made.
    #[error("listener '{name}': {}: {source}", path.display())]
    Key {
        /// The listener.
        name: String,
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Its TLS settings, or those of an upstream, can't be used.
    #[error("listener '{name}': {source}")]
    Tls {
        /// The listener.
        name: String,
        /// Why.
        source: TlsError,
    },
}

/// A listener that runs.
#[derive(Debug)]
pub(super) struct Listener {
    shared: Arc<Shared>,
    local: SocketAddr,
    drain: watch::Sender<Option<Instant>>,
}

struct Shared {
    config: ListenerConfig,
    gate: Arc<Gate>,
    acceptor: Option<TlsAcceptor>,
    upstreams: Vec<Target>,
    next: AtomicUsize,
    places: Arc<Semaphore>,
    /// SGIP's resends, over all connections.
    blocked: Arc<Blocked>,
}

struct Target {
    address: String,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Listener {
    /// Binds, and accepts from now on.
    pub(super) async fn start(config: ListenerConfig, gate: Arc<Gate>) -> Result<Self, ListenError> {
        let unusable = |source| ListenError::Tls { name: config.name.clone(), source };
        let acceptor = config.tls.as_ref().map(tls::acceptor).transpose().map_err(unusable)?;
        let upstreams =
            config.upstreams.iter().map(Target::new).collect::<Result<_, _>>().map_err(unusable)?;
        let unbound = |source| ListenError::Bind { name: config.name.clone(), bind: config.bind, source };
        let socket = TcpListener::bind(config.bind).await.map_err(unbound)?;
        let local = socket.local_addr().map_err(unbound)?;
        let (drain, draining) = watch::channel(None);
        let places = Arc::new(Semaphore::new(config.connections_max));
        let shared = Arc::new(Shared {
            config,
            gate,
            acceptor,
            upstreams,
            next: AtomicUsize::new(0),
            places,
            blocked: Arc::default(),
        });
        tracing::info!(listener = %shared.config.name, %local, "listening");
        tokio::spawn(accept(shared.clone(), socket, draining));
        Ok(Self { shared, local, drain })
    }

    pub(super) const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    pub(super) fn gate(&self) -> &Arc<Gate> {
        &self.shared.gate
    }

    /// Stops accepting, and lets what is outstanding be answered until the drain's timeout.
    pub(super) async fn drain(&self) {
        let deadline = Instant::now() + self.shared.config.drain_timeout;
        self.drain.send_replace(Some(deadline));
        let all = u32::try_from(self.shared.config.connections_max).unwrap_or(u32::MAX);
        let done = self.shared.places.acquire_many(all);
        let grace = self.shared.config.drain_timeout + 2 * crate::limits::LINGER_MAX;
        if tokio::time::timeout(grace, done).await.is_err() {
            tracing::warn!(listener = %self.shared.config.name, "connections were still open after the drain");
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Target {
    fn new(upstream: &super::config::Upstream) -> Result<Self, TlsError> {
        let host = upstream.address.rsplit_once(':').map_or(upstream.address.as_str(), |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let tls = upstream.tls.as_ref().map(|tls| tls::connector(tls, host)).transpose()?;
        Ok(Self { address: upstream.address.clone(), tls })
    }
}

async fn accept(shared: Arc<Shared>, socket: TcpListener, mut drain: watch::Receiver<Option<Instant>>) {
    let mut draining = std::pin::pin!({
        let mut drain = drain.clone();
        async move {
            let _seen = drain.wait_for(Option::is_some).await;
        }
    });
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut draining => return,
            accepted = socket.accept() => accepted,
        };
        let (client, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most likely: a pause lets some be closed.
                tracing::warn!(listener = %shared.config.name, %error, "accept failed");
                tokio::time::sleep(crate::limits::ACCEPT_RETRY).await;
                continue;
            }
        };
        Counters::add(&shared.gate.counters.connections_accepted);
        let Ok(place) = shared.places.clone().try_acquire_owned() else {
            Counters::add(&shared.gate.counters.connections_refused);
            tracing::warn!(listener = %shared.config.name, %peer, "closed: connections_max is reached");
            continue;
        };
        drain.mark_unchanged();
        tokio::spawn(serve(shared.clone(), client, peer, place, drain.clone()));
    }
}

async fn serve(
    shared: Arc<Shared>,
    client: TcpStream,
    peer: SocketAddr,
    place: OwnedSemaphorePermit,
    drain: watch::Receiver<Option<Instant>>,
) {
    let counters = &shared.gate.counters;
    let Some(client) = shared.greet(client, peer).await else {
        Counters::add(&counters.tls_failures);
        return;
    };
    let Some(server) = shared.connect().await else {
        Counters::add(&counters.upstream_failures);
        tracing::warn!(listener = %shared.config.name, %peer, "closed: no upstream accepts");
        return;
    };
    Counters::add(&counters.connections_open);
    tracing::debug!(listener = %shared.config.name, %peer, "connected");
    let (gate, config) = (shared.gate.clone(), &shared.config);
    match config.protocol {
        ProtocolKind::Smpp => relay(client, server, Session::new(gate, Smpp::new(config)), drain).await,
        ProtocolKind::Cmpp => relay(client, server, Session::new(gate, Cmpp::new(config)), drain).await,
        ProtocolKind::Smgp => relay(client, server, Session::new(gate, Smgp::new(config)), drain).await,
        ProtocolKind::Sgip => {
            let protocol = Sgip::with_memory(config, Arc::clone(&shared.blocked));
            relay(client, server, Session::new(gate, protocol), drain).await;
        }
    }
    counters.connections_open.fetch_sub(1, Ordering::Relaxed);
    tracing::debug!(listener = %shared.config.name, %peer, "closed");
    drop(place);
}

impl Shared {
    async fn greet(&self, client: TcpStream, peer: SocketAddr) -> Option<Stream> {
        set_nodelay(&client);
        let Some(acceptor) = &self.acceptor else { return Some(Stream::Plain(client)) };
        match tokio::time::timeout(TLS_ACCEPT_TIMEOUT, acceptor.accept(client)).await {
            Ok(Ok(stream)) => Some(Stream::Tls(Box::new(stream.into()))),
            Ok(Err(error)) => {
                tracing::warn!(listener = %self.config.name, %peer, %error, "TLS handshake failed");
                None
            }
            Err(_) => {
                tracing::warn!(listener = %self.config.name, %peer, "TLS handshake took too long");
                None
            }
        }
    }

    /// Tries each upstream once, in the order of the listener's balance.
    async fn connect(&self) -> Option<Stream> {
        let count = self.upstreams.len().max(1);
        let first = match self.config.balance {
            Balance::Failover => 0,
            Balance::RoundRobin => self.next.fetch_add(1, Ordering::Relaxed) % count,
        };
        for target in self.upstreams.iter().cycle().skip(first).take(self.upstreams.len()) {
            match tokio::time::timeout(self.config.connect_timeout, target.connect()).await {
                Ok(Ok(stream)) => return Some(stream),
                Ok(Err(error)) => {
                    tracing::warn!(listener = %self.config.name, upstream = %target.address, %error, "upstream refused");
                }
                Err(_) => {
                    tracing::warn!(listener = %self.config.name, upstream = %target.address, "upstream too slow");
                }
            }
        }
        None
    }
}

impl Target {
    async fn connect(&self) -> std::io::Result<Stream> {
        let stream = TcpStream::connect(self.address.as_str()).await?;
        set_nodelay(&stream);
        match &self.tls {
            None => Ok(Stream::Plain(stream)),
            Some((connector, name)) => {
                let stream = connector.connect(name.clone(), stream).await?;
                Ok(Stream::Tls(Box::new(stream.into())))
            }
        }
    }
}

/// A PDU waits for no other: both protocols answer request by request.
fn set_nodelay(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY refused");
    }
}
