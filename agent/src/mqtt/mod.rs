//! The way to the hub: drains the spool into an MQTT 5 broker, in order, and keeps the retained status fresh. Nothing
//! outside this module names the MQTT crate.
//!
//! ```text
//! spool → window → (rate, in-flight limit) → publish QoS 1 → broker → hub
//! window ← PUBACK or the hub's acknowledgement ←──────────────────────┘    window → spool.acknowledge
//! ```
//!
//! A connection is built anew after every failure, client and event loop both, with a clean session, and starts from
//! the spool: no state of the MQTT crate outlives its connection (its `collision`, a publish that the broker refuses
//! over and over, publishes dropped with a lost session). What was sent and not acknowledged is sent again, and the
//! hub drops it by its id.

mod connection;
mod pace;
mod tls;
mod window;

pub use tls::{Tls, TlsError};

use crate::identity::Identity;
use crate::spool::Spool;
use bytes::Bytes;
use pace::Backoff;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use yumen_exchange::sighting::PackRef;
use yumen_exchange::status::Refused;
use yumen_exchange::topic::Name;

/// A connection that lasted this long was a good one: the next attempt comes soon.
const GOOD_AFTER: Duration = Duration::from_secs(10);

/// Whose word a sighting's deletion from the spool waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acknowledge {
    /// The hub's, on `…/ack`, when the sighting stands in its database: needed with a broker that keeps its messages
    /// in memory, as the embedded one does, and right with every other.
    #[default]
    Hub,
    /// The broker's PUBACK: for a broker that keeps its messages on disk, and consumers that don't acknowledge.
    Broker,
}

/// Where the broker is, and how it is talked to.
#[derive(Clone, Debug)]
pub struct Options {
    /// The institution.
    pub member: Name,
    /// This gateway.
    pub agent: Name,
    /// Host name or address of the broker.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// TLS, with or without a client certificate; see [`Tls::load`].
    pub tls: Option<Tls>,
    /// User name and password.
    pub login: Option<(String, String)>,
    /// Most sightings sent a second.
    pub rate_max: u32,
    /// Most sightings sent that the broker hasn't acknowledged; the broker's own limit counts where it is lower.
    pub inflight_max: u16,
    /// How often the retained status is renewed.
    pub status_interval: Duration,
    /// Whose acknowledgement counts.
    pub acknowledge: Acknowledge,
    /// After how long without the hub's acknowledgement a sighting is sent again; doubles up to
    /// [`RESEND_MAX`] while nothing is acknowledged at all.
    pub resend_after: Duration,
    /// First and longest pause before connecting again.
    pub backoff: (Duration, Duration),
    /// Signs every message.
    pub identity: Option<Arc<Identity>>,
}

/// Longest pause between two sendings of one sighting on a connection.
pub const RESEND_MAX: Duration = Duration::from_secs(600);

impl Options {
    /// Plain TCP; 2,000 sightings a second, 100 in flight, a status every 10 s, acknowledged by the hub.
    #[must_use]
    pub fn new(member: Name, agent: Name, host: impl Into<String>, port: u16) -> Self {
        Self {
            member,
            agent,
            host: host.into(),
            port,
            tls: None,
            login: None,
            rate_max: 2_000,
            inflight_max: 100,
            status_interval: Duration::from_secs(10),
            acknowledge: Acknowledge::Hub,
            resend_after: Duration::from_secs(10),
            backoff: (Duration::from_millis(500), Duration::from_secs(60)),
            identity: None,
        }
    }
}

impl Options {
    /// The user properties of a message; none without a key.
    fn seal(&self, topic: &str, payload: &[u8]) -> Vec<(String, String)> {
        self.identity.as_ref().map(|identity| identity.seal(topic, payload)).unwrap_or_default()
    }
}

/// What the status says beside the spool's depth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The active pack.
    pub pack: Option<PackRef>,
    /// Messages judged since start.
    pub judged: u64,
    /// Messages blocked since start.
    pub blocked: u64,
    /// What was refused of what came from the hub.
    pub refused: Vec<Refused>,
}

/// What takes messages of the hub to all agents; called on the connection's task, must not block.
pub trait Down: Send + Sync {
    /// The channel whose packs are wanted.
    fn channel(&self) -> &Name;
    /// A pack came.
    fn pack(&self, bytes: Bytes);
    /// A list of retractions came.
    fn retract(&self, payload: &[u8]);
    /// Word came how far a pack has been rolled out.
    fn rollout(&self, payload: &[u8]);
}

/// Gives the [`Facts`] of the moment; called every status interval, must not block.
pub type FactSource = Arc<dyn Fn() -> Facts + Send + Sync>;

/// What happened on the way to the hub since start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Whether a session stands.
    pub connected: bool,
    /// Connections that got as far as a session.
    pub connections: u64,
    /// Connections lost, and attempts that failed.
    pub failures: u64,
    /// Sightings sent, again ones included.
    pub published: u64,
    /// Sightings sent again.
    pub resent: u64,
    /// Sightings acknowledged, and so deleted from the spool.
    pub acknowledged: u64,
    /// Sightings that the hub refused for good, and that are deleted for it.
    pub refused: u64,
}

#[derive(Debug, Default)]
struct Counts {
    connected: AtomicBool,
    connections: AtomicU64,
    failures: AtomicU64,
    published: AtomicU64,
    resent: AtomicU64,
    acknowledged: AtomicU64,
    refused: AtomicU64,
}

impl Counts {
    fn stats(&self) -> Stats {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            connected: self.connected.load(Ordering::Relaxed),
            connections: count(&self.connections),
            failures: count(&self.failures),
            published: count(&self.published),
            resent: count(&self.resent),
            acknowledged: count(&self.acknowledged),
            refused: count(&self.refused),
        }
    }
}

/// The running link; dropping it without [`Link::stop`] breaks the connection off, as a crash would.
#[derive(Debug)]
pub struct Link {
    counts: Arc<Counts>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Link {
    /// Starts draining; needs a tokio runtime.
    #[must_use]
    pub fn start(options: Options, spool: Spool, facts: FactSource) -> Self {
        Self::start_with(options, spool, facts, None)
    }

    /// The same, with somebody who takes what the hub sends to all agents.
    #[must_use]
    pub fn start_with(
        options: Options,
        spool: Spool,
        facts: FactSource,
        down: Option<Arc<dyn Down>>,
    ) -> Self {
        let counts = Arc::new(Counts::default());
        let (stop, stopped) = watch::channel(false);
        let own = Arc::clone(&counts);
        let task = tokio::spawn(run(options, spool, facts, down, own, stopped));
        Self { counts, stop, task }
    }

    /// What happened so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.counts.stats()
    }

    /// A reader of [`Stats`] that may outlive the link.
    pub fn stats_source(&self) -> impl Fn() -> Stats + Send + Sync + use<> {
        let counts = Arc::clone(&self.counts);
        move || counts.stats()
    }

    /// Says `online = false`, disconnects, and ends; within three seconds. What isn't acknowledged by then stays in
    /// the spool.
    pub async fn stop(mut self) {
        // A failed send means that the task is gone.
        let _ = self.stop.send(true);
        let _ = (&mut self.task).await;
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    options: Options,
    spool: Spool,
    facts: FactSource,
    down: Option<Arc<dyn Down>>,
    counts: Arc<Counts>,
    mut stop: watch::Receiver<bool>,
) {
    let mut backoff = Backoff::new(options.backoff.0, options.backoff.1);
    let mut failing = false;
    while !*stop.borrow() {
        let started = Instant::now();
        let mut connection = connection::Connection::new(&options, &spool, &facts, down.as_deref(), &counts);
        let ended = connection.run(&mut stop).await;
        drop(connection);
        counts.connected.store(false, Ordering::Relaxed);
        let Err(error) = ended else { return };
        counts.failures.fetch_add(1, Ordering::Relaxed);
        if started.elapsed() > GOOD_AFTER {
            backoff.reset();
        }
        let pause = backoff.next(pace::random());
        // Hours of one outage are one warning, and what follows is for who looks closer.
        if failing {
            tracing::debug!(%error, ?pause, "the broker still can't be used");
        } else {
            tracing::warn!(%error, host = options.host, port = options.port, ?pause, "the broker can't be used; sightings wait in the spool");
        }
        failing = started.elapsed() < GOOD_AFTER;
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.changed() => return,
        }
    }
}
