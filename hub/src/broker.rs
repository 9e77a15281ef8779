//! The embedded broker: for one machine, and for trying things out. It keeps everything in memory and forgets it when
//! the hub ends; the agents' spools don't, and the hub's acknowledgements come from its database, so nothing is lost.
//!
//! It checks nobody's rights itself, and so listens on loopback only. Agents elsewhere come in through [`door`], where
//! certificates and topics are checked.

pub mod acl;
mod door;
mod packet;

use crate::api::{HttpsError, server_config};
use crate::config::{Broker, ServerTls};
use crate::limits::{BROKER_CONNECTIONS_MAX, BROKER_INFLIGHT_MAX, BROKER_SEGMENT};
use crate::trust::{Refusals, Trust};
pub use packet::{Inspector, Violation};
use rumqttd::{ConnectionSettings, RouterConfig, ServerSettings};
use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use yumen_exchange::limits::DOWN_PACKET_BYTES_MAX;

/// How long it may take to listen.
const START_MAX: Duration = Duration::from_secs(10);

/// Why it doesn't run.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The address is taken, or isn't this machine's.
    #[error("the embedded broker can't listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Another machine could reach it without being asked who it is.
    #[error(
        "the embedded broker takes whatever comes, and {0} is for other machines: they come in at [broker.tls], or at an \
         external broker with access rules"
    )]
    Open(SocketAddr),
    /// A certificate or key can't be used.
    #[error("broker.tls: {0}")]
    Certificate(#[from] HttpsError),
    /// It didn't listen in time.
    #[error("the embedded broker didn't start listening on {0}")]
    Silent(SocketAddr),
}

/// Starts it in threads of its own, that end with the process; returns when it takes connections.
///
/// # Errors
/// [`BrokerError`].
pub fn start(broker: &Broker) -> Result<(), BrokerError> {
    if !broker.bind.ip().is_loopback() {
        return Err(BrokerError::Open(broker.bind));
    }
    // The broker only logs what fails in its threads: what can be tried beforehand is.
    try_listen(broker.bind)?;
    let servers = HashMap::from([("plain".to_owned(), server("plain", broker.bind))]);
    let (segment_bytes, segments) = BROKER_SEGMENT;
    let config = rumqttd::Config {
        router: RouterConfig {
            max_connections: BROKER_CONNECTIONS_MAX,
            max_outgoing_packet_count: 200,
            max_segment_size: segment_bytes,
            max_segment_count: segments,
            ..RouterConfig::default()
        },
        v5: Some(servers),
        ..rumqttd::Config::default()
    };
    let thread = std::thread::Builder::new().name("broker".into());
    let started = thread.spawn(move || {
        if let Err(error) = rumqttd::Broker::new(config).start() {
            tracing::error!(%error, "the embedded broker ended");
        }
    });
    started.map_err(|source| BrokerError::Listen { address: broker.bind, source })?;
    await_listening(broker.bind)?;
    tracing::info!(address = %broker.bind, "embedded broker: this machine only; any process on it may publish");
    Ok(())
}

/// Opens the door for agents elsewhere: they show a certificate of `authority` (PEM), or of the configuration's.
///
/// # Errors
/// [`BrokerError`].
pub async fn open_door(
    tls: &ServerTls,
    broker: SocketAddr,
    authority: &str,
    (trust, refusals): (Arc<Trust>, Arc<Refusals>),
    stop: watch::Receiver<bool>,
) -> Result<(), BrokerError> {
    let listen = |source| BrokerError::Listen { address: tls.bind, source };
    let authority = match &tls.ca {
        Some(path) => std::fs::read_to_string(path).map_err(listen)?,
        None => authority.to_owned(),
    };
    let config = Arc::new(server_config(&tls.cert, &tls.key, &authority, false)?);
    let listener = tokio::net::TcpListener::bind(tls.bind).await.map_err(listen)?;
    tracing::info!(address = %tls.bind, "embedded broker: agents with a certificate, each on its own topics");
    let door = door::Door { config, broker: reachable(broker), trust, refusals };
    tokio::spawn(door.run(listener, stop));
    Ok(())
}

fn try_listen(address: SocketAddr) -> Result<(), BrokerError> {
    TcpListener::bind(address).map(drop).map_err(|source| BrokerError::Listen { address, source })
}

fn await_listening(address: SocketAddr) -> Result<(), BrokerError> {
    let until = Instant::now() + START_MAX;
    // A plain thread may wait; the wait has a name because nothing ever signals it.
    let (pause, never) = (Mutex::new(()), Condvar::new());
    while TcpStream::connect_timeout(&reachable(address), Duration::from_secs(1)).is_err() {
        if Instant::now() > until {
            return Err(BrokerError::Silent(address));
        }
        if let Ok(guard) = pause.lock() {
            let _ = never.wait_timeout(guard, Duration::from_millis(20));
        }
    }
    Ok(())
}

/// An address to connect to where `bind` may be all interfaces.
pub(crate) fn reachable(bind: SocketAddr) -> SocketAddr {
    match bind {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => SocketAddr::from(([127, 0, 0, 1], v4.port())),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => {
            SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, v6.port()))
        }
        other => other,
    }
}

fn server(name: &str, listen: SocketAddr) -> ServerSettings {
    ServerSettings {
        name: name.to_owned(),
        listen,
        tls: None,
        next_connection_delay_ms: 1,
        connections: ConnectionSettings {
            connection_timeout_ms: 10_000,
            max_payload_size: DOWN_PACKET_BYTES_MAX,
            max_inflight_count: BROKER_INFLIGHT_MAX,
            auth: None,
            external_auth: None,
            dynamic_filters: false,
        },
    }
}
