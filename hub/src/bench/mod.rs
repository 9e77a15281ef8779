//! `yumen-hub bench`: sightings a second from agents through a broker into the database, acknowledged end to end.
//!
//! ```text
//! load (a process of its own) → embedded broker → ingest → database → acknowledgement → load
//! ```
//!
//! The load keeps a fixed number of sightings on their way and sends the next when one is acknowledged, so that no queue
//! can grow: what is counted is what the hub can keep up for as long as it runs.

mod fill;
mod load;

pub use fill::{fill, queries};
pub use load::{LoadOptions, run as run_load};

use crate::broker::{self, BrokerError};
use crate::config::Broker;
use crate::ingest::{Gate, Ingest, Options};
use crate::metrics::Metrics;
use crate::store::{Store, StoreError};
use crate::trust::Trust;
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// Named figures, in the order of their names.
pub type Figures = BTreeMap<String, f64>;

/// Time for connections and caches before counting starts.
const WARM_UP: Duration = Duration::from_secs(2);

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The broker.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// A socket or a process.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The load doesn't run.
    #[error("the load ended early: {0}")]
    Load(std::process::ExitStatus),
    /// What was sent isn't what is there.
    #[error("{sent} sightings were acknowledged, and {found} are in the table")]
    Differs {
        /// Acknowledged to the load.
        sent: u64,
        /// In the table.
        found: u64,
    },
}

/// How it is measured.
#[derive(Clone, Copy, Debug)]
pub struct IngestBench {
    /// How long is counted.
    pub duration: Duration,
    /// Agents of the load.
    pub agents: u16,
    /// Sightings that each of them has on their way.
    pub window: u32,
}

impl IngestBench {
    /// Measures a database, which must be empty; figures are named `ingest.{name}_…`. Starts a broker, whose threads end with
    /// the process.
    ///
    /// # Errors
    /// [`BenchError`].
    pub async fn run(&self, store: &Store, name: &str) -> Result<Figures, BenchError> {
        let bind = free()?;
        let embedded = Broker { bind, tls: None };
        tokio::task::spawn_blocking(move || broker::start(&embedded)).await.map_err(io::Error::other)??;
        let metrics = Arc::new(Metrics::default());
        let options = Options {
            host: bind.ip().to_string(),
            port: bind.port(),
            client_id: "yumen-hub".to_owned(),
            login: None,
            tls: None,
            remembered: false,
            group: None,
        };
        let (arrived, _looked_at) = watch::channel(0);
        // The load's agents aren't enrolled: what a signature costs isn't in the figure.
        let trust = Arc::new(Trust::load(store.clone(), Some(false)).await?);
        let gate = Gate { trust, refusals: Arc::default() };
        let ingest = Ingest::start(options, store.clone(), Arc::clone(&metrics), arrived, gate);
        let seconds = (WARM_UP + self.duration).as_secs().to_string();
        let mut load = Command::new(std::env::current_exe()?);
        load.args(["bench-load", "--port", &bind.port().to_string(), "--seconds", &seconds]);
        load.args(["--agents", &self.agents.to_string(), "--window", &self.window.to_string()]);
        let mut load = load.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        sleep(WARM_UP).await;
        let (start, cpu) = (Instant::now(), cpu_seconds());
        let first = metrics.sightings.get();
        sleep(self.duration / 2).await;
        let (middle_at, middle) = (start.elapsed(), metrics.sightings.get());
        sleep(self.duration.saturating_sub(start.elapsed())).await;
        let (took, last) = (start.elapsed(), metrics.sightings.get());
        let cpu = cpu_seconds() - cpu;
        let ended = tokio::task::spawn_blocking(move || load.wait()).await.map_err(io::Error::other)??;
        if !ended.success() {
            return Err(BenchError::Load(ended));
        }
        ingest.stop().await;
        let (sent, found) = (metrics.sightings.get(), store.count().await?);
        if sent != found {
            return Err(BenchError::Differs { sent, found });
        }
        let counted = number(last.saturating_sub(first));
        let rate = |count: u64, took: Duration| number(count) / took.as_secs_f64();
        let commits = number(metrics.commits.get()).max(1.0);
        let named = [
            ("per_s", counted / took.as_secs_f64()),
            ("first_half_per_s", rate(middle.saturating_sub(first), middle_at)),
            ("second_half_per_s", rate(last.saturating_sub(middle), took.saturating_sub(middle_at))),
            ("hub_cpu_us", cpu * 1e6 / counted.max(1.0)),
            ("batch_mean", number(sent) / commits),
            ("rows", number(found)),
        ];
        Ok(named.into_iter().map(|(figure, value)| (format!("ingest.{name}_{figure}"), value)).collect())
    }
}

fn free() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// Of this process, in seconds; on Linux only, 0 elsewhere.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which may have spaces: state is the third field, utime the 14th, stime the 15th, in 1/100 s.
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
    fields.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0
}

#[expect(clippy::cast_precision_loss, reason = "a count of what a benchmark did is far below 2^53")]
const fn number(count: u64) -> f64 {
    count as f64
}
