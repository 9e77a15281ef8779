//! The hub as a whole: started in order, ended in the other.

use crate::accounts::{Accounts, Limiter};
use crate::api::{self, HttpsError, Hub, Peer, Streams, TlsListener};
use crate::audit::{self, Action};
use crate::broker::{self, BrokerError, reachable};
use crate::ca::{Authority, CaError};
use crate::config::{Config, Mqtt};
use crate::duty::Duty;
use crate::enrol::{EnrolError, Enrolment, Told};
use crate::ingest::{self, Gate, Ingest, Login, Publisher, TlsError};
use crate::metrics::Metrics;
use crate::platforms::Platforms;
use crate::rulebook::Rulebook;
use crate::secret::NoRandomness;
use crate::share::{ShareError, Sharer};
use crate::store::{Address, AddressError, Store, StoreError};
use crate::titles::Titles;
use crate::trust::{Refusals, Trust};
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
    /// The authority of the members' certificates.
    #[error("ca: {0}")]
    Ca(#[from] CaError),
    /// Certificates of agents.
    #[error("ca: {0}")]
    Enrol(#[from] EnrolError),
    /// HTTPS.
    #[error("http.tls: {0}")]
    Https(#[from] HttpsError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// A demonstration for other machines.
    #[error("--demo asks nobody who they are, and {0} is for other machines")]
    Demonstration(SocketAddr),
    /// The HTTP server broke.
    #[error("the console ended: {0}")]
    Serve(io::Error),
}

/// How often the list of revocations is written anew: it counts for a week.
const CRL_EVERY: Duration = Duration::from_secs(6 * 3600);

/// Runs until `stop` turns true. In the `demonstration` nobody is asked who they are; it listens on this machine only.
///
/// # Errors
/// It can't start, or a part that it can't do without ended.
pub async fn run(
    config: Config,
    demonstration: bool,
    mut stop: watch::Receiver<bool>,
) -> Result<(), HubError> {
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
    if demonstration && !bind.ip().is_loopback() {
        return Err(HubError::Demonstration(bind));
    }
    let listener =
        TcpListener::bind(bind).await.map_err(|source| HubError::Listen { address: bind, source })?;
    let store = open(&config).await?;
    audit::add(&store, "hub", Action::Started, env!("CARGO_PKG_VERSION"), &config.digest).await?;
    let enrolment = enrolment(&config, &store)?;
    enrolment.write_crl(crate::clock::now_ms()).await?;
    let trust = Arc::new(Trust::load(store.clone(), config.trust.require_signatures).await?);
    let gate = Gate { trust: Arc::clone(&trust), refusals: Arc::new(Refusals::default()) };
    let options = broker(&config).await?;
    if let (Some(tls), None) = (&config.broker.tls, &config.mqtt) {
        let gate = (Arc::clone(&gate.trust), Arc::clone(&gate.refusals));
        let authority = enrolment.authority().chain();
        broker::open_door(tls, config.broker.bind, authority, gate, stop.clone()).await?;
    }

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
        metrics: Arc::clone(&metrics),
    };
    let (leads, following) = (Arc::clone(&duty.leads), store.clone());
    tokio::spawn(duty.run(stop.clone()));
    let rulebook = Arc::new(rulebook(&config));
    let told = to_streams.clone();
    let follower = tokio::spawn({
        let to_streams = to_streams.clone();
        async move { following.follow(to_streams).await }
    });
    tokio::spawn(write_refusals(Arc::clone(&gate.refusals), store.clone(), stop.clone()));
    let ingest = Ingest::start(options, store.clone(), Arc::clone(&metrics), to_streams, gate);
    let https = match &config.http.tls {
        Some(tls) => Some(api::https(tls, enrolment.authority().chain())?),
        None => None,
    };
    let set_up = if demonstration { None } else { first_administrator(&config, &store).await? };
    let hub = Arc::new(Hub {
        store: store.clone(),
        titles: Titles::load(&config.console.rules),
        metrics,
        registry,
        sharer,
        leads,
        accounts: Accounts::new(store.clone()),
        limiter: Limiter::default(),
        enrolment,
        trust,
        rulebook,
        corpus: config.console.corpus.clone(),
        appeals: config.appeals.clone(),
        told,
        platforms: Platforms::new(&config.platforms),
        second_factor: config.http.second_factor,
        secure: https.is_some() || config.http.behind_tls,
        demonstration,
        set_up: std::sync::Mutex::new(set_up),
        streams: Streams::new(arrived, stop.clone()),
        subscribed: Box::new(ingest.connected()),
    });
    if demonstration {
        tracing::warn!("a demonstration: whoever is on this machine is taken for an administrator");
    }
    tokio::spawn(renew_crl(Arc::clone(&hub), stop.clone()));
    let (router, _) = api::router(hub, bind, &config.http.allowed_hosts);
    let scheme = if https.is_some() { "https" } else { "http" };
    tracing::info!("console: {scheme}://{}/", listener.local_addr().unwrap_or(bind));

    let server = serve(listener, https, router, stop.clone())?;
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

/// The rules that the console shows and checks against: those of the packs, where the hub makes any.
fn rulebook(config: &Config) -> Rulebook {
    let shared = config.share.as_ref().map(|share| &share.rules);
    Rulebook::read(shared.unwrap_or(&config.console.rules))
}

/// Serves, plainly or in TLS, until `stop`.
fn serve(
    listener: TcpListener,
    https: Option<Arc<rustls::ServerConfig>>,
    router: axum::Router,
    mut stop: watch::Receiver<bool>,
) -> Result<tokio::task::JoinHandle<io::Result<()>>, HubError> {
    let service = router.into_make_service_with_connect_info::<Peer>();
    let until = async move {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    Ok(match https {
        Some(config) => {
            let listener = TlsListener::start(listener, config).map_err(HubError::Serve)?;
            tokio::spawn(axum::serve(listener, service).with_graceful_shutdown(until).into_future())
        }
        None => tokio::spawn(axum::serve(listener, service).with_graceful_shutdown(until).into_future()),
    })
}

/// Certificates of agents, and what agents are told beside them.
///
/// # Errors
/// A file can't be used.
pub fn enrolment(config: &Config, store: &Store) -> Result<Enrolment, HubError> {
    let authority = Authority::open(&config.ca, &config.data_dir, crate::clock::now_ms())?;
    let mut told = Told { broker: config.enrol.broker.clone(), ..Told::default() };
    if let Some(share) = &config.share {
        told.pack_key = Some(crate::share::public_key(share)?);
        told.channel = share.channels.first().map(|channel| channel.name.to_string());
    }
    Ok(Enrolment::new(store.clone(), authority, told, &config.data_dir))
}

/// The secret of a link that makes the first administrator, where there is nobody yet. It is said once, and kept in memory.
async fn first_administrator(config: &Config, store: &Store) -> Result<Option<String>, HubError> {
    if store.has_people().await? {
        return Ok(None);
    }
    let token = crate::secret::token()?;
    let scheme = if config.http.tls.is_some() { "https" } else { "http" };
    let host = config.http.allowed_hosts.first();
    let host = host
        .map_or_else(|| config.http.bind.to_string(), |name| format!("{name}:{}", config.http.bind.port()));
    // Printed and not logged: a log goes to more people than a terminal.
    eprintln!(
        "\nnobody can log in yet; make the first administrator here 尚无用户，请在此创建首个管理员:\n\n    \
         {scheme}://{host}/setup?token={token}\n\n\
         or 或: yumen-hub user add NAME --role administrator\n"
    );
    Ok(Some(token))
}

/// Writes what the broker's door refused; what the ingest refused it writes with its batches.
async fn write_refusals(refusals: Arc<Refusals>, store: Store, mut stop: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        refusals.write(&store).await;
    }
}

/// Keeps the list of revocations fresh; who revokes somebody writes it too.
async fn renew_crl(hub: Arc<Hub>, mut stop: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(CRL_EVERY);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        if let Err(error) = hub.enrolment.write_crl(crate::clock::now_ms()).await {
            tracing::error!(%error, "the list of revocations could not be written");
        }
    }
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
    let published = store.published_rules().await?;
    let (store, publisher) = (store.clone(), Publisher::start(options.clone()));
    let made = tokio::task::spawn_blocking(move || Sharer::new(share, store, publisher, &published)).await;
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
