//! The embedded broker: for one machine, and for trying things out. It keeps everything in memory and forgets it when
//! the hub ends; the agents' spools don't, and the hub's acknowledgements come from its database, so nothing is lost.
//!
//! It checks certificates, where TLS is set up, but not who publishes on whose topic. Members that don't trust one
//! another need an external broker with access rules (see `docs/hub.toml`).

use crate::config::{Broker, ServerTls};
use crate::limits::{BROKER_CONNECTIONS_MAX, BROKER_INFLIGHT_MAX, BROKER_SEGMENT};
use rumqttd::{ConnectionSettings, RouterConfig, ServerSettings, TlsConfig};
use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};
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
    /// A certificate or key isn't there.
    #[error("the embedded broker needs {}: {source}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It didn't listen in time.
    #[error("the embedded broker didn't start listening on {0}")]
    Silent(SocketAddr),
}

/// Starts it in threads of its own, that end with the process; returns when it takes connections.
///
/// # Errors
/// [`BrokerError`].
pub fn start(broker: &Broker) -> Result<(), BrokerError> {
    // The broker only logs what fails in its threads: what can be tried beforehand is.
    try_listen(broker.bind)?;
    let mut servers = HashMap::from([("plain".to_owned(), server("plain", broker.bind, None))]);
    if let Some(tls) = &broker.tls {
        try_listen(tls.bind)?;
        for path in [&tls.ca, &tls.cert, &tls.key] {
            std::fs::File::open(path)
                .map_err(|source| BrokerError::Certificate { path: path.clone(), source })?;
        }
        servers.insert("tls".to_owned(), server("tls", tls.bind, Some(tls)));
    }
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
    if !broker.bind.ip().is_loopback() {
        tracing::warn!(
            address = %broker.bind,
            "the embedded broker takes unencrypted connections from other machines, and anybody may publish anything"
        );
    } else if broker.tls.is_some() {
        tracing::warn!("the embedded broker checks certificates, but not who publishes on whose topic");
    } else {
        tracing::info!(address = %broker.bind, "embedded broker: this machine only; any process on it may publish");
    }
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

fn server(name: &str, listen: SocketAddr, tls: Option<&ServerTls>) -> ServerSettings {
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    ServerSettings {
        name: name.to_owned(),
        listen,
        tls: tls.map(|tls| TlsConfig::Rustls {
            capath: Some(text(&tls.ca)),
            certpath: text(&tls.cert),
            keypath: text(&tls.key),
        }),
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
