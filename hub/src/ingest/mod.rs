//! From the broker into the database, each sighting once.
//!
//! ```text
//! broker → session (manual acknowledgements) → check → batch → commit → PUBACK to the broker
//!                                                                   └→ Ack to the agent on …/ack
//! ```
//!
//! A PUBACK goes out only when the row is committed, so that a broker with a memory delivers again what a killed hub
//! had not written. The [`Ack`](yumen_exchange::ack::Ack) goes to the agent itself, which keeps the sighting until then:
//! that covers brokers without a memory. Both may repeat a message, and the id makes it one row.

mod batch;
mod publish;
mod session;

pub use publish::Publisher;
pub use session::{Login, Options, TlsError, tls};

use crate::metrics::Metrics;
use crate::store::Store;
use crate::trust::{Refusals, Trust};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::limits::RECEIVE_MAX;

/// Whom it believes, and where it counts what it doesn't.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Whose word counts.
    pub trust: Arc<Trust>,
    /// What was refused.
    pub refusals: Arc<Refusals>,
}

/// The running ingest.
#[derive(Debug)]
pub struct Ingest {
    connected: Arc<AtomicBool>,
    stop: watch::Sender<bool>,
    tasks: [JoinHandle<()>; 2],
}

impl Ingest {
    /// Starts it; `arrived` is told the number of commits that brought something new.
    #[must_use]
    pub fn start(
        options: Options,
        store: Store,
        metrics: Arc<Metrics>,
        arrived: watch::Sender<u64>,
        gate: Gate,
    ) -> Self {
        let connected = Arc::new(AtomicBool::new(false));
        let (stop, stopped) = watch::channel(false);
        let (to_batches, messages) = mpsc::channel(usize::from(RECEIVE_MAX));
        let session =
            session::run(options, to_batches, Arc::clone(&connected), Arc::clone(&metrics), stopped);
        let batches = batch::run(messages, store, metrics, arrived, gate);
        Self { connected, stop, tasks: [tokio::spawn(session), tokio::spawn(batches)] }
    }

    /// Whether the hub is subscribed; shared.
    pub fn connected(&self) -> impl Fn() -> bool + Send + Sync + use<> {
        let connected = Arc::clone(&self.connected);
        move || connected.load(Ordering::Relaxed)
    }

    /// Takes no more, commits what has arrived, and ends.
    pub async fn stop(self) {
        // Both are gone only when they have panicked, which has been said.
        let _ = self.stop.send(true);
        for task in self.tasks {
            let _ = task.await;
        }
    }
}
