//! The agent as a whole: what is started in which order, and ended in which.
//!
//! ```text
//! start: spool → pack → doors → http → link to the hub        end: doors drain → link says good-bye → spool syncs
//! ```

use crate::api::{Api, ApiError};
use crate::behaviour::{Behaviour, keep, share};
use crate::config::{Config, DeviceError, LinkError};
use crate::doors::device::Devices;
use crate::doors::{Doors, ListenError};
use crate::enrol::{Files, Renewal};
use crate::http::{self, Readiness};
use crate::identity::{Identity, IdentityError};
use crate::metrics::Counted;
use crate::mqtt::{self, Down, Facts, Link};
use crate::numbers::Lists;
use crate::packs::{PackFailure, Packs};
use crate::pipeline::Pipeline;
use crate::pseudonym::{KeyError, Pseudonyms};
use crate::reassembly::{Table, TableLimits};
use crate::report::{Redaction, SpoolReporter};
use crate::shared::{RetractRefusal, Shared};
use crate::spool::{OpenError, Spool};
use bytes::Bytes;
use prometheus_client::registry::Registry;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use yumen_exchange::rollout::bucket;
use yumen_exchange::topic::Name;

/// Why the agent doesn't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// `data_dir` can't be made.
    #[error("data_dir {path}: {source}")]
    DataDir {
        /// The folder.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The spool can't be opened.
    #[error("spool: {0}")]
    Spool(#[from] OpenError),
    /// The key of the pseudonyms.
    #[error("spool.pseudonym_key: {0}")]
    Key(#[from] KeyError),
    /// No pack, and Hyperscan was insisted on.
    #[error("pack: {0}")]
    Pack(#[from] PackFailure),
    /// A listener.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The HTTP listener.
    #[error("http.bind {bind}: {source}")]
    Http {
        /// Its address.
        bind: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The link to the hub.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A device.
    #[error("[[device]]: {0}")]
    Device(#[from] DeviceError),
    /// The key that signs what is said to the hub.
    #[error("mqtt.signing_key: {0}")]
    Identity(#[from] IdentityError),
    /// The decision API.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// A file of the counters' configuration can't be used.
    #[error("[behaviour]: {0}")]
    Behaviour(std::io::Error),
    /// The process can't take signals.
    #[error("signals: {0}")]
    Signals(std::io::Error),
}

/// A running agent.
pub struct Daemon {
    packs: Arc<Packs>,
    lists: Arc<Lists>,
    doors: Arc<Doors>,
    api: Option<Api>,
    link: Option<Link>,
    spool: Spool,
    counting: Counting,
    devices: Devices,
    draining: Arc<AtomicBool>,
    http_stop: watch::Sender<bool>,
    http_addr: SocketAddr,
    _renewal: Option<Renewal>,
}

impl Daemon {
    /// Starts everything. Needs a multi-threaded tokio runtime.
    ///
    /// # Errors
    /// [`StartError`]: what is missing or taken, by name. A missing or refused pack isn't an error: the listeners'
    /// `on_failure.no_pack` says what happens until one comes.
    pub async fn start(config: &Config) -> Result<Self, StartError> {
        std::fs::create_dir_all(&config.data_dir)
            .map_err(|source| StartError::DataDir { path: config.data_dir.display().to_string(), source })?;
        let (spool, recovery) = Spool::open(config.spool_options())?;
        tracing::info!(
            pending = recovery.pending,
            lost = recovery.lost,
            discarded = recovery.discarded,
            "SpoolOpened"
        );
        let kept = config.behaviour_options().map_err(StartError::Behaviour)?;
        let behaviour = Arc::new(keep::open(&kept));
        let lists = Arc::new(Lists::from_config(config));
        let packs = Packs::from_config(config, behaviour.clone()).with_lists(lists.clone());
        let packs = Arc::new(packs);
        load_lists(&lists).await;
        // What was taken back before counts before the first event.
        let shared = config.pack.channel.clone().map(|channel| {
            let bucket = bucket(&channel, &config.member, &config.agent);
            (channel.clone(), Shared::start(packs.clone(), channel, bucket))
        });
        load_first(&packs, config).await?;
        let reporter = Arc::new(SpoolReporter::new(spool.clone(), redaction(config)?));
        let pipeline = Pipeline::new(packs.clone(), reporter, Table::new(TableLimits::default()));
        let pipeline = Arc::new(pipeline.with_behaviour(behaviour.clone()));
        let counting = Counting::start(config, &behaviour, kept)?;
        let doors = Doors::start(config.doors(), &pipeline).await?;
        let doors = Arc::new(doors.with_calls(config.calls(), &pipeline).await?);
        let api = match config.api_options() {
            Some(options) => {
                let number = u16::try_from(config.listeners.len() + config.sip.len()).unwrap_or(u16::MAX);
                Some(Api::start(options, number, &pipeline).await?)
            }
            None => None,
        };
        let redaction = Arc::new(redaction(config)?);
        let devices = Devices::start(config.devices()?, &redaction, &packs);
        let mut renewal = None;
        let link = match config.link_options()? {
            Some(options) => {
                renewal =
                    options.tls.clone().and_then(|tls| Renewal::start(Files::new(&config.data_dir), tls));
                let key = config.signing_key();
                let identity = Some(Arc::new(Identity::load_or_make(&key)?));
                Some(start_link(mqtt::Options { identity, ..options }, &spool, &packs, &doors, shared))
            }
            None => None,
        };
        let draining = Arc::new(AtomicBool::new(false));
        let mut registry = Registry::default();
        packs.register(&mut registry);
        lists.register(&mut registry);
        if let Some(api) = &api {
            api.register(&mut registry);
        }
        registry.register_collector(Box::new(Counted {
            doors: doors.clone(),
            pipeline,
            spool: spool.clone(),
            link: link.as_ref().map(|link| Box::new(link.stats_source()) as _),
            share: counting.shared.clone(),
        }));
        let (http_stop, stopped) = watch::channel(false);
        let bind = config.http.bind;
        let unbound = |source| StartError::Http { bind, source };
        let listener = TcpListener::bind(bind).await.map_err(unbound)?;
        let http_addr = listener.local_addr().map_err(unbound)?;
        let readiness = readiness(packs.clone(), spool.clone(), draining.clone());
        tokio::spawn(http::serve(listener, registry, readiness, stopped));
        tokio::spawn(packs.clone().watch());
        lists.watch();
        tracing::info!(%http_addr, "HttpListening");
        Ok(Self {
            packs,
            lists,
            doors,
            api,
            link,
            spool,
            counting,
            devices,
            draining,
            http_stop,
            http_addr,
            _renewal: renewal,
        })
    }

    /// Where `/healthz` listens.
    #[must_use]
    pub const fn http_addr(&self) -> SocketAddr {
        self.http_addr
    }

    /// Where the decision API listens.
    #[must_use]
    pub fn api_addr(&self) -> Option<SocketAddr> {
        self.api.as_ref().map(Api::local_addr)
    }

    /// Where each listener listens.
    pub fn listener_addrs(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.doors.local_addrs()
    }

    /// Runs until SIGTERM or SIGINT; SIGHUP reloads the pack. Then drains. A second signal ends the drain at once.
    ///
    /// # Errors
    /// The process can't take signals.
    pub async fn run(self) -> Result<(), StartError> {
        let take = |kind| signal(kind).map_err(StartError::Signals);
        let mut reload = take(SignalKind::hangup())?;
        let mut end = (take(SignalKind::terminate())?, take(SignalKind::interrupt())?);
        loop {
            tokio::select! {
                Some(()) = reload.recv() => {
                    self.packs.request_reload();
                    self.lists.request_reload();
                    if let Some(api) = &self.api {
                        api.reload();
                    }
                }
                () = ended(&mut end) => break,
            }
        }
        tracing::info!("DrainStarted");
        tokio::select! {
            () = self.stop() => {}
            () = ended(&mut end) => tracing::warn!("DrainCut: a second signal came"),
        }
        Ok(())
    }

    /// Drains the listeners, says good-bye to the hub, syncs the spool.
    pub async fn stop(self) {
        self.draining.store(true, Ordering::Relaxed);
        let api_stops = async {
            if let Some(api) = &self.api {
                api.stop().await;
            }
        };
        tokio::join!(self.doors.drain(), api_stops);
        if let Some(link) = self.link {
            link.stop().await;
        }
        self.devices.stop().await;
        self.counting.stop().await;
        if let Err(error) = self.spool.sync() {
            tracing::error!(%error, "SpoolUnsynced");
        }
        // Whoever listens is gone already if this fails.
        let _sent = self.http_stop.send(true);
        tracing::info!("Stopped");
    }
}

/// What keeps the counters and shares them, beside the doors.
struct Counting {
    stop: watch::Sender<bool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    shared: Option<Arc<share::Counters>>,
}

impl Counting {
    fn start(config: &Config, behaviour: &Arc<Behaviour>, kept: keep::Options) -> Result<Self, StartError> {
        let (stop, stopped) = watch::channel(false);
        let options = config.share_options().map_err(StartError::Behaviour)?;
        let mut tasks = vec![tokio::spawn(keep::keep(behaviour.clone(), kept, stopped.clone()))];
        let shared = options.as_ref().map(|_| Arc::default());
        if let (Some(options), Some(counters)) = (options, &shared) {
            tasks.push(tokio::spawn(share::run(behaviour.clone(), options, Arc::clone(counters), stopped)));
        }
        Ok(Self { stop, tasks, shared })
    }

    /// The others are told what waits, then the snapshot is written.
    async fn stop(self) {
        // Nobody listens where the tasks have ended already.
        let _sent = self.stop.send(true);
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "BehaviourUnsaved");
            }
        }
    }
}

async fn ended(signals: &mut (Signal, Signal)) {
    tokio::select! {
        _ = signals.0.recv() => {}
        _ = signals.1.recv() => {}
    }
}

/// The number lists, before the first event. One that can't be taken lists nobody until it can.
async fn load_lists(lists: &Arc<Lists>) {
    let loading = lists.clone();
    if let Err(error) = tokio::task::spawn_blocking(move || loading.load()).await {
        tracing::error!(%error, "NumberListsUnloaded");
    }
}

/// The first pack. Without it the agent runs and says so, unless an engine was insisted on that isn't there.
async fn load_first(packs: &Arc<Packs>, config: &Config) -> Result<(), StartError> {
    let loading = packs.clone();
    let outcome = tokio::task::spawn_blocking(move || loading.load()).await;
    let insists = config.pack.matcher == crate::config::MatcherChoice::Hyperscan;
    match outcome {
        Ok(Err(failure)) if insists && failure.code() == "matcher" => Err(failure.into()),
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => {
            tracing::error!("PackMissing: no pack is loaded; on_failure.no_pack decides about every message");
            Ok(())
        }
    }
}

fn redaction(config: &Config) -> Result<Redaction, KeyError> {
    let pseudonyms = match &config.spool.pseudonym_key {
        Some(file) => Pseudonyms::load(file)?,
        None => Pseudonyms::load_or_make(&config.data_dir.join("pseudonym.key"))?,
    };
    Ok(Redaction {
        member: config.member.clone(),
        agent: config.agent.clone(),
        pseudonyms,
        own_numbers: config.own_numbers.clone(),
    })
}

/// Hands what the hub sends to all agents on.
struct FromHub {
    channel: Name,
    shared: Arc<Shared>,
}

impl Down for FromHub {
    fn rollout(&self, payload: &[u8]) {
        match self.shared.rollout(payload) {
            Ok(()) | Err(RetractRefusal::Older) => {}
            Err(refusal) => tracing::error!(%refusal, "RolloutRefused"),
        }
    }

    fn channel(&self) -> &Name {
        &self.channel
    }

    fn pack(&self, bytes: Bytes) {
        self.shared.pack(bytes);
    }

    fn retract(&self, payload: &[u8]) {
        match self.shared.retract(payload) {
            // A retained message comes again with every connection.
            Ok(()) | Err(RetractRefusal::Older) => {}
            Err(refusal) => {
                tracing::error!(%refusal, "RetractionsRefused");
                self.shared.refused(refusal);
            }
        }
    }
}

fn start_link(
    options: mqtt::Options,
    spool: &Spool,
    packs: &Arc<Packs>,
    doors: &Arc<Doors>,
    shared: Option<(Name, Arc<Shared>)>,
) -> Link {
    let (packs, doors) = (packs.clone(), doors.clone());
    let facts = move || {
        let (judged, blocked) = Counted::totals(&doors);
        Facts { pack: packs.pack_ref(), judged, blocked, refused: packs.refused() }
    };
    let down = shared.map(|(channel, shared)| Arc::new(FromHub { channel, shared }) as Arc<dyn Down>);
    Link::start_with(options, spool.clone(), Arc::new(facts), down)
}

fn readiness(
    packs: Arc<Packs>,
    spool: Spool,
    draining: Arc<AtomicBool>,
) -> impl Fn() -> Readiness + Send + Sync {
    let dropped_before = AtomicDropped::default();
    move || Readiness {
        pack: packs.current().is_some(),
        listeners: true,
        spool: dropped_before.unchanged(spool.stats().dropped()),
        draining: draining.load(Ordering::Relaxed),
    }
}

/// The spool counts as unready while sightings are being dropped: between two looks.
#[derive(Default)]
struct AtomicDropped(std::sync::atomic::AtomicU64);

impl AtomicDropped {
    fn unchanged(&self, dropped: u64) -> bool {
        self.0.swap(dropped, Ordering::Relaxed) == dropped
    }
}
