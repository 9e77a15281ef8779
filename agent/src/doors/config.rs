//! What a listener needs to know; `agent.toml` is mapped to it.

use crate::enforce::Policy;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use yumen_rules::policy::Policy as Thresholds;
use yumen_wire::text::Coding;

/// The protocol spoken on both sides of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolKind {
    /// SMPP 3.4 and 5.0.
    Smpp,
    /// CMPP 2.0 and 3.0.
    Cmpp,
    /// SMGP 3.0.3 and 1.3.
    Smgp,
    /// SGIP 1.2; a listener for each direction.
    Sgip,
}

/// A door: where clients connect, where they are connected to, and what is done in between.
#[derive(Clone, Debug)]
pub struct ListenerConfig {
    /// Name in logs, metrics and sightings.
    pub name: String,
    /// The protocol spoken on both sides.
    pub protocol: ProtocolKind,
    /// Where clients connect. Port 0 takes any free one.
    pub bind: SocketAddr,
    /// TLS towards clients.
    pub tls: Option<ServerTls>,
    /// Where clients are connected to; at least one.
    pub upstreams: Vec<Upstream>,
    /// Which upstream a new connection gets.
    pub balance: Balance,
    /// Most connections at a time; one more is closed at once.
    pub connections_max: usize,
    /// Longest PDU in bytes; a longer one ends the session with the protocol's error.
    pub pdu_bytes_max: usize,
    /// How long connecting to one upstream may take, its TLS handshake included.
    pub connect_timeout: Duration,
    /// How long a drain waits for outstanding answers.
    pub drain_timeout: Duration,
    /// What SMPP's `data_coding` 0 stands for.
    pub default_alphabet: Coding,
    /// Status of a rejected submit (SMPP `command_status`, CMPP and SGIP `Result`, SMGP `Status`); `None` takes the protocol's default.
    pub reject_status: Option<u32>,
    /// How far each typology may go, and from which score.
    pub thresholds: Thresholds,
    /// What is judged, how verdicts are enforced, and what happens without one.
    pub policy: Policy,
}

/// Which upstream a new connection gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Balance {
    /// The first that accepts, in the order written.
    #[default]
    Failover,
    /// In turn; one that doesn't accept is passed over.
    RoundRobin,
}

/// Where clients are connected to.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// `host:port`; a name is resolved at each connection.
    pub address: String,
    /// TLS towards it.
    pub tls: Option<ClientTls>,
}

/// TLS towards clients. Files are PEM.
#[derive(Clone, Debug)]
pub struct ServerTls {
    /// Our certificate chain.
    pub cert: PathBuf,
    /// Our private key.
    pub key: PathBuf,
    /// Authorities of client certificates; set, a client must show one.
    pub client_ca: Option<PathBuf>,
}

/// TLS towards an upstream. Files are PEM.
#[derive(Clone, Debug)]
pub struct ClientTls {
    /// Authorities that the upstream's certificate must come from.
    pub ca: PathBuf,
    /// Our certificate chain and private key, where the upstream asks for them.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Name expected in the certificate; the host of the address by default.
    pub server_name: Option<String>,
}
