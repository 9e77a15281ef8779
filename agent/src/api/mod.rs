//! The HTTP decision API, for platforms that ask instead of letting the gateway stand in their path.
//!
//! ```text
//! connection → (TLS) → head and body, each in time and bounded → who asks, how often → Question → Gate::ask → Answer
//!                                                                                        └→ report, appeal
//! ```
//! Nothing of a request but its caller's address is logged.

mod access;
mod appeals;
mod bare;
mod counters;
mod decide;
mod model;
mod openapi;
mod problem;
mod routes;
mod serve;

pub use access::TokenError;
pub use bare::run_bare;

use crate::behaviour::Behaviour;
use crate::doors::config::ServerTls;
use crate::doors::tls::{self, TlsError};
use crate::enforce;
use crate::pipeline::{Gate, Pipeline};
use access::Access;
use appeals::Appeals;
use counters::{Counters, Metrics};
use prometheus_client::registry::Registry;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use yumen_rules::policy::Policy as Thresholds;

/// What the API needs to know; `agent.toml` is mapped to it.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens. Port 0 takes any free one.
    pub bind: SocketAddr,
    /// TLS, with client certificates where an authority is named.
    pub tls: Option<ServerTls>,
    /// The file with the tokens.
    pub tokens: Option<PathBuf>,
    /// Most decisions a second for each caller.
    pub rate_max: u32,
    /// Most connections at a time.
    pub connections_max: usize,
    /// How long an answer may be used again.
    pub answer_ttl: Duration,
    /// How long a client may take for the head of a request; an idle connection is closed after it too.
    pub head_timeout: Duration,
    /// How long a client may take for the body of a request.
    pub body_timeout: Duration,
    /// Where appeals are kept.
    pub data_dir: PathBuf,
    /// How far each typology may go, and from which score.
    pub thresholds: Thresholds,
    /// How verdicts are enforced, and what is answered without one.
    pub policy: enforce::Policy,
}

/// Why the API doesn't start.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// Its address can't be bound.
    #[error("api.bind {bind}: {source}")]
    Bind {
        /// Its address.
        bind: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Its TLS settings can't be used.
    #[error("api.tls: {0}")]
    Tls(#[from] TlsError),
    /// Its tokens can't be used.
    #[error("api.tokens: {0}")]
    Tokens(#[from] TokenError),
    /// The appeals can't be read or kept.
    #[error("api: appeals in data_dir: {0}")]
    Appeals(#[source] std::io::Error),
}

/// What every request shares.
#[derive(Debug)]
struct Shared {
    gate: Gate,
    behaviour: Arc<Behaviour>,
    access: Access,
    appeals: Appeals,
    answer_ttl: Duration,
    head_timeout: Duration,
    body_timeout: Duration,
    counters: Counters,
    description: bytes::Bytes,
}

/// The API, serving.
#[derive(Debug)]
pub struct Api {
    shared: Arc<Shared>,
    local: SocketAddr,
    stop: watch::Sender<bool>,
    places: Arc<Semaphore>,
    connections_max: usize,
}

impl Api {
    /// Binds, and answers from now on. `number` is its place behind the listeners.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn start(options: Options, number: u16, pipeline: &Arc<Pipeline>) -> Result<Self, ApiError> {
        let secured = options.tokens.is_some();
        let description = openapi::description(secured).to_string().into();
        let gate = Gate::with_policy("api", number, options.policy, options.thresholds, pipeline.clone());
        let shared = Arc::new(Shared {
            gate,
            behaviour: pipeline.behaviour().clone(),
            access: Access::new(options.tokens, options.rate_max)?,
            appeals: Appeals::open(&options.data_dir).map_err(ApiError::Appeals)?,
            answer_ttl: options.answer_ttl,
            head_timeout: options.head_timeout,
            body_timeout: options.body_timeout,
            counters: Counters::default(),
            description,
        });
        let acceptor = options.tls.as_ref().map(tls::acceptor).transpose()?;
        let unbound = |source| ApiError::Bind { bind: options.bind, source };
        let listener = TcpListener::bind(options.bind).await.map_err(unbound)?;
        let local = listener.local_addr().map_err(unbound)?;
        let (stop, stopped) = watch::channel(false);
        let places = Arc::new(Semaphore::new(options.connections_max));
        tracing::info!(%local, "ApiListening");
        tokio::spawn(serve::accept(listener, acceptor, shared.clone(), places.clone(), stopped));
        Ok(Self { shared, local, stop, places, connections_max: options.connections_max })
    }

    /// Where it listens.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Has its counters encoded with the others.
    pub fn register(&self, registry: &mut Registry) {
        registry.register_collector(Box::new(Metrics(self.shared.clone())));
    }

    /// Reads the tokens again; the old ones stay where the file can't be taken.
    pub fn reload(&self) {
        match self.shared.access.reload() {
            Ok(()) => tracing::info!("ApiTokensLoaded"),
            Err(error) => tracing::error!(%error, "ApiTokensRefused"),
        }
    }

    /// Stops accepting, and lets requests under way be answered.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        let all = u32::try_from(self.connections_max).unwrap_or(u32::MAX);
        if tokio::time::timeout(self.shared.body_timeout, self.places.acquire_many(all)).await.is_err() {
            tracing::warn!("ApiCut: requests were still under way");
        }
    }
}

#[cfg(test)]
mod tests;
