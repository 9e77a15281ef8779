//! The gateways of a site count as one: each tells the others what it counted, through a stream in Redis or Valkey.
//!
//! ```text
//! Behaviour::batch → XADD stream … MINID ~ (keep) → XREAD by the others → Behaviour::receive
//! ```
//!
//! No decision waits for it. While Redis is away deltas wait, up to a limit, and each gateway goes on with what it counts itself; when it
//! is back they are sent, and every gateway counts them by the times at which they happened. A batch whose answer was lost is
//! sent again, and known by its number.

use crate::clock;
use crate::limits::{
    SHARE_BATCH_DELTAS, SHARE_INTERVAL, SHARE_PAUSE_MAX, SHARE_PAUSE_MIN, SHARE_READ_BATCHES, SHARE_WAIT_MAX,
};
use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::streams::{StreamId, StreamReadReply};
use redis::{
    ClientTlsConfig, Cmd, ConnectionAddr, ConnectionInfo, FromRedisValue, IntoConnectionInfo,
    RedisConnectionInfo, TlsCertificates,
};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use yumen_behaviour::{Batch, Behaviour};

/// Where the others are found.
#[derive(Clone)]
pub struct Options {
    /// Host and port; several for a cluster.
    pub nodes: Vec<(String, u16)>,
    /// Whether they are a cluster.
    pub cluster: bool,
    /// The stream's key: the same for all gateways of a site.
    pub stream: String,
    /// User and password, where it asks for them.
    pub login: Option<(Option<String>, String)>,
    /// TLS, in PEM.
    pub tls: Option<Tls>,
    /// How long what was told stays there, for gateways that were away.
    pub keep: Duration,
}

/// PEM of whom to trust, and of ourselves.
#[derive(Clone)]
pub struct Tls {
    /// The authorities.
    pub ca: Vec<u8>,
    /// Our chain and key.
    pub client: Option<(Vec<u8>, Vec<u8>)>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("nodes", &self.nodes)
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}

/// How it goes.
#[derive(Debug, Default)]
pub struct Counters {
    connected: AtomicBool,
    failures: AtomicU64,
    batches_sent: AtomicU64,
    malformed: AtomicU64,
}

/// [`Counters`] at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Whether Redis answers.
    pub connected: bool,
    /// Connections lost and attempts failed.
    pub failures: u64,
    /// Batches that Redis took.
    pub batches_sent: u64,
    /// Entries of the stream that weren't batches.
    pub malformed: u64,
}

impl Counters {
    /// As they stand.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            connected: self.connected.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            batches_sent: self.batches_sent.load(Ordering::Relaxed),
            malformed: self.malformed.load(Ordering::Relaxed),
        }
    }
}

/// What went wrong with Redis.
#[derive(Debug, thiserror::Error)]
enum ShareError {
    #[error(transparent)]
    Redis(#[from] redis::RedisError),
    #[error("no answer within {SHARE_WAIT_MAX:?}")]
    Silent,
}

/// Shares until `stop` says otherwise; what still waits then is sent first.
pub async fn run(
    behaviour: Arc<Behaviour>,
    options: Options,
    counters: Arc<Counters>,
    mut stop: watch::Receiver<bool>,
) {
    let mut pause = SHARE_PAUSE_MIN;
    loop {
        let ended = match Link::open(&options).await {
            Ok(mut link) => {
                tracing::info!(stream = options.stream, "BehaviourShared");
                counters.connected.store(true, Ordering::Relaxed);
                pause = SHARE_PAUSE_MIN;
                let sharer = Sharer { behaviour: &behaviour, options: &options, counters: &counters };
                let ended = sharer.exchange(&mut link, &mut stop).await;
                counters.connected.store(false, Ordering::Relaxed);
                ended
            }
            Err(error) => Err(error),
        };
        let Err(error) = ended else { return };
        counters.failures.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(%error, "BehaviourUnshared: this gateway counts alone");
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = pause.saturating_mul(2).min(SHARE_PAUSE_MAX);
    }
}

struct Sharer<'a> {
    behaviour: &'a Behaviour,
    options: &'a Options,
    counters: &'a Counters,
}

impl Sharer<'_> {
    /// Ends well when it is told to stop.
    async fn exchange(&self, link: &mut Link, stop: &mut watch::Receiver<bool>) -> Result<(), ShareError> {
        self.find_position(link).await?;
        let mut newest_ms = None;
        loop {
            self.send(link, &mut newest_ms).await?;
            self.read(link).await?;
            let ends = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => true,
                () = tokio::time::sleep(SHARE_INTERVAL) => false,
            };
            if ends {
                return self.send(link, &mut newest_ms).await;
            }
        }
    }

    /// A stream that was lost begins anew, maybe with earlier ids: what is read again is known by its numbers.
    async fn find_position(&self, link: &mut Link) -> Result<(), ShareError> {
        let mut command = redis::cmd("XREVRANGE");
        command.arg(&self.options.stream).arg("+").arg("-").arg("COUNT").arg(1);
        let newest: redis::streams::StreamRangeReply = link.ask(&command).await?;
        let newest = newest.ids.first().and_then(|entry| position(&entry.id)).unwrap_or((0, 0));
        if self.behaviour.position() > newest {
            self.behaviour.read_until((0, 0));
        }
        Ok(())
    }

    /// `newest_ms`: the time of the last entry by Redis' own clock, which old ones are dropped by.
    async fn send(&self, link: &mut Link, newest_ms: &mut Option<u64>) -> Result<(), ShareError> {
        while let Some(batch) = self.behaviour.batch(SHARE_BATCH_DELTAS) {
            let mut command = redis::cmd("XADD");
            command.arg(&self.options.stream);
            if let Some(newest_ms) = *newest_ms {
                let keep_ms = u64::try_from(self.options.keep.as_millis()).unwrap_or(u64::MAX);
                command.arg("MINID").arg("~").arg(newest_ms.saturating_sub(keep_ms));
            }
            command.arg("*").arg(FIELD).arg(batch.to_bytes());
            let id: String = link.ask(&command).await?;
            *newest_ms = position(&id).map(|(ms, _)| ms);
            self.behaviour.sent(&batch);
            self.counters.batches_sent.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn read(&self, link: &mut Link) -> Result<(), ShareError> {
        loop {
            let (ms, sequence) = self.behaviour.position();
            let mut command = redis::cmd("XREAD");
            command.arg("COUNT").arg(SHARE_READ_BATCHES);
            command.arg("STREAMS").arg(&self.options.stream).arg(format!("{ms}-{sequence}"));
            let reply: Option<StreamReadReply> = link.ask(&command).await?;
            let entries: Vec<StreamId> =
                reply.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids).collect();
            for entry in &entries {
                self.take(entry);
            }
            if entries.len() < SHARE_READ_BATCHES {
                return Ok(());
            }
            // The doors' work comes first.
            tokio::task::yield_now().await;
        }
    }

    fn take(&self, entry: &StreamId) {
        let batch = entry.get::<Vec<u8>>(FIELD).and_then(|bytes| Batch::from_bytes(&bytes));
        match batch {
            Some(batch) => self.behaviour.receive(&batch, clock::now_ms()),
            None => {
                self.counters.malformed.fetch_add(1, Ordering::Relaxed);
            }
        }
        if let Some(position) = position(&entry.id) {
            self.behaviour.read_until(position);
        }
    }
}

/// The field of an entry that holds the batch.
const FIELD: &str = "b";

/// `1700000000000-3`.
fn position(id: &str) -> Option<(u64, u64)> {
    let (ms, sequence) = id.split_once('-')?;
    Some((ms.parse().ok()?, sequence.parse().ok()?))
}

/// A connection to one server or to a cluster.
enum Link {
    One(MultiplexedConnection),
    Cluster(Box<ClusterConnection>),
}

impl Link {
    async fn open(options: &Options) -> Result<Self, ShareError> {
        let open = async {
            let infos: Vec<ConnectionInfo> =
                options.nodes.iter().map(|node| info(node, options)).collect::<Result<_, _>>()?;
            if options.cluster {
                let mut builder = ClusterClientBuilder::new(infos);
                if let Some((user, password)) = &options.login {
                    builder = builder.password(password);
                    if let Some(user) = user {
                        builder = builder.username(user);
                    }
                }
                if let Some(tls) = &options.tls {
                    builder = builder.certs(certificates(tls));
                }
                let connection = builder.build()?.get_async_connection().await?;
                return Ok(Self::Cluster(Box::new(connection)));
            }
            let info = infos
                .into_iter()
                .next()
                .ok_or_else(|| redis::RedisError::from(std::io::Error::other("no node")))?;
            let client = match &options.tls {
                Some(tls) => redis::Client::build_with_tls(info, certificates(tls))?,
                None => redis::Client::open(info)?,
            };
            Ok(Self::One(client.get_multiplexed_async_connection().await?))
        };
        tokio::time::timeout(SHARE_WAIT_MAX, open).await.unwrap_or(Err(ShareError::Silent))
    }

    async fn ask<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<T, ShareError> {
        let answer = async {
            match self {
                Self::One(connection) => command.query_async(connection).await,
                Self::Cluster(connection) => command.query_async(connection.as_mut()).await,
            }
        };
        let answered = tokio::time::timeout(SHARE_WAIT_MAX, answer).await.map_err(|_| ShareError::Silent)?;
        Ok(answered?)
    }
}

fn info((host, port): &(String, u16), options: &Options) -> Result<ConnectionInfo, redis::RedisError> {
    let (host, port) = (host.clone(), *port);
    let address = match options.tls {
        Some(_) => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
        None => ConnectionAddr::Tcp(host, port),
    };
    let mut login = RedisConnectionInfo::default();
    if let Some((user, password)) = &options.login {
        login = login.set_password(password);
        if let Some(user) = user {
            login = login.set_username(user);
        }
    }
    Ok(address.into_connection_info()?.set_redis_settings(login))
}

fn certificates(tls: &Tls) -> TlsCertificates {
    let client = tls.client.clone();
    TlsCertificates {
        client_tls: client.map(|(client_cert, client_key)| ClientTlsConfig { client_cert, client_key }),
        root_cert: Some(tls.ca.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_and_ordered() {
        assert_eq!(position("1700000000000-3"), Some((1_700_000_000_000, 3)));
        assert_eq!((position("x-3"), position("17")), (None, None));
        assert!(position("10-0") > position("9-9"));
    }

    #[test]
    fn secrets_are_not_shown() {
        let options = Options {
            nodes: vec![("127.0.0.1".to_owned(), 6379)],
            cluster: false,
            stream: "s".to_owned(),
            login: Some((None, "geheim".to_owned())),
            tls: None,
            keep: Duration::from_secs(1),
        };
        assert!(!format!("{options:?}").contains("geheim"));
    }
}
