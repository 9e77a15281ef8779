//! The hub as a whole: started in order, ended in the other.

use crate::api::{self, Hub, Streams};
use crate::broker::{self, BrokerError, reachable};
use crate::config::{Config, Mqtt};
use crate::duty::Duty;
use crate::ingest::{self, Ingest, Login, Publisher, TlsError};
use crate::metrics::Metrics;
use crate::share::{ShareError, Sharer};
use crate::store::{Address, AddressError, Store, StoreError};
use crate::titles::Titles;
use prometheus_client::registry::Registry;
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long requests under way may take when the hub ends.
const DRAIN: Duration = Duration::from_secs(5);

/// Why the hub doesn't run.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The data directory can't be made or used.
    #[error("data_dir {}: {source}", path.display())]
    DataDir {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another hub has it open.
    #[error("data_dir {} is in use by another hub", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The embedded broker.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The way to the external broker.
    #[error("mqtt.tls: {0}")]
    Tls(#[from] TlsError),
    /// The file's name.
    #[error("data_dir: {0}")]
    Address(#[from] AddressError),
    /// The password of the external broker, or of the database.
    #[error("password_file {}: {source}", path.display())]
    Password {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The address of the console is taken, or isn't this machine's.
    #[error("the console can't listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Packs for all members.
    #[error(transparent)]
    Share(#[from] ShareError),
    /// The HTTP server broke.
    #[error("the console ended: {0}")]
    Serve(io::Error),
}

/// Runs until `stop` turns true.
///
/// # Errors
/// It can't start, or a part that it can't do without ended.
pub async fn run(config: Config, mut stop: watch::Receiver<bool>) -> Result<(), HubError> {
    let path = config.data_dir.clone();
    let data_dir = |source| HubError::DataDir { path: path.clone(), source };
    std::fs::create_dir_all(&path).map_err(data_dir)?;
    // Held to the end: two hubs on one file would each write to it, and two of one name take each other's session.
    let lock = File::create(path.join("lock")).map_err(data_dir)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => return Err(HubError::InUse { path }),
        Err(std::fs::TryLockError::Error(source)) => return Err(data_dir(source)),
    }
    let bind = config.http.bind;
    let listener =
        TcpListener::bind(bind).await.map_err(|source| HubError::Listen { address: bind, source })?;
    let store = open(&config).await?;
    let options = broker(&config).await?;

    let metrics = Arc::new(Metrics::default());
    let mut registry = Registry::default();
    metrics.register(&mut registry);
    let (to_streams, arrived) = watch::channel(0);
    let sharer = share(&config, &store, &options).await?;
    let duty = Duty {
        store: store.clone(),
        sharer: sharer.clone(),
        keep: config.store.clone(),
        arrived: arrived.clone(),
        leads: Arc::default(),
    };
    let (leads, following) = (Arc::clone(&duty.leads), store.clone());
    tokio::spawn(duty.run(stop.clone()));
    let follower = tokio::spawn({
        let to_streams = to_streams.clone();
        async move { following.follow(to_streams).await }
    });
    let ingest = Ingest::start(options, store.clone(), Arc::clone(&metrics), to_streams);
    let hub = Arc::new(Hub {
        store: store.clone(),
        titles: Titles::load(&config.console.rules),
        metrics,
        registry,
        sharer,
        local: bind.ip().is_loopback(),
        leads,
        streams: Streams::new(arrived, stop.clone()),
        subscribed: Box::new(ingest.connected()),
    });
    if !bind.ip().is_loopback() {
        tracing::warn!(address = %bind, "the console listens for other machines, and asks nobody who they are");
    }
    let router = api::router(hub, bind, &config.http.allowed_hosts);
    tracing::info!("console: http://{}/", listener.local_addr().unwrap_or(bind));

    let mut until = stop.clone();
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        let _ = until.wait_for(|stop| *stop).await;
    });
    let server = tokio::spawn(server.into_future());
    let abort = server.abort_handle();
    let ended = watch_over(server, &mut stop).await;
    abort.abort();
    ingest.stop().await;
    follower.abort();
    store.close().await;
    drop(lock);
    tracing::info!("the hub ended");
    ended
}

/// The database that the configuration names.
///
/// # Errors
/// It can't be opened.
pub async fn open(config: &Config) -> Result<Store, HubError> {
    Ok(Store::open(&address(config)?).await?)
}

/// Where it is, password included.
///
/// # Errors
/// The password's file can't be read, or the data directory isn't Unicode.
pub fn address(config: &Config) -> Result<Address, HubError> {
    let address = match &config.store.url {
        Some(url) => url.clone(),
        None => Address::file(&config.data_dir.join("hub.sqlite"))?,
    };
    Ok(match &config.store.password_file {
        Some(path) => address.with_password(&password(path)?),
        None => address,
    })
}

fn password(path: &Path) -> Result<String, HubError> {
    let read = std::fs::read_to_string(path);
    let text = read.map_err(|source| HubError::Password { path: path.to_owned(), source })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Packs for all members, where the configuration has them.
async fn share(
    config: &Config,
    store: &Store,
    options: &ingest::Options,
) -> Result<Option<Arc<Sharer>>, HubError> {
    let Some(share) = config.share.clone() else { return Ok(None) };
    let (store, publisher) = (store.clone(), Publisher::start(options.clone()));
    let made = tokio::task::spawn_blocking(move || Sharer::new(share, store, publisher)).await;
    Ok(Some(Arc::new(made.map_err(|error| HubError::Serve(io::Error::other(error)))??)))
}

/// Waits for the server, which goes on until it is told to stop, and a little longer.
async fn watch_over(
    mut server: tokio::task::JoinHandle<io::Result<()>>,
    stop: &mut watch::Receiver<bool>,
) -> Result<(), HubError> {
    let told = async {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    tokio::select! {
        served = &mut server => served.map_err(io::Error::other).flatten().map_err(HubError::Serve),
        () = told => match timeout(DRAIN, server).await {
            Ok(served) => served.map_err(io::Error::other).flatten().map_err(HubError::Serve),
            // A reader that doesn't read isn't waited for.
            Err(_) => Ok(()),
        },
    }
}

/// Starts the embedded broker, unless there is an external one; gives the way to it.
async fn broker(config: &Config) -> Result<ingest::Options, HubError> {
    if let Some(mqtt) = &config.mqtt {
        return external(mqtt.as_ref());
    }
    let embedded = config.broker.clone();
    let started = tokio::task::spawn_blocking(move || broker::start(&embedded)).await;
    started.map_err(|error| HubError::Serve(io::Error::other(error)))??;
    let address = reachable(config.broker.bind);
    Ok(ingest::Options {
        host: address.ip().to_string(),
        port: address.port(),
        client_id: "yumen-hub".to_owned(),
        login: None,
        tls: None,
        remembered: false,
        group: None,
    })
}

fn external(mqtt: &Mqtt) -> Result<ingest::Options, HubError> {
    let tls = match &mqtt.tls {
        None => None,
        Some(tls) => Some(ingest::tls(&tls.ca, tls.cert.as_deref().zip(tls.key.as_deref()))?),
    };
    let login = match (&mqtt.username, &mqtt.password_file) {
        (Some(user), Some(path)) => Some(Login { user: user.clone(), password: password(path)? }),
        _ => None,
    };
    Ok(ingest::Options {
        host: mqtt.host.clone(),
        port: mqtt.port.unwrap_or(if tls.is_some() { 8883 } else { 1883 }),
        client_id: mqtt.client_id.clone(),
        login,
        tls,
        remembered: true,
        group: mqtt.group.as_ref().map(ToString::to_string),
    })
}
