//! The pack in use: loaded, kept fresh, swapped under traffic.
//!
//! ```text
//! file → verify → check → compile (cache) → canaries → swap        (SIGHUP, or the file changed)
//!                  └─ refused: the last good one stays, the reason is logged and counted
//! ```
//!
//! A judging thread takes a reference to the pack for one event; a swap changes what the next one takes. No event is
//! without a pack in between, and none sees two.

use crate::behaviour::Behaviour;
use crate::clock;
use crate::config;
use crate::numbers::Lists;
use crate::pipeline::{Judge, Judged, Unjudged};
use crate::serial::SerialFile;
use crate::shared::Taken;
use arc_swap::{ArcSwap, ArcSwapOption};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::Notify;
use yumen_exchange::sighting::PackRef;
use yumen_exchange::status::{REFUSED_MAX, Refused};
use yumen_matcher::{
    EngineChoice, Keyring, LoadOptions, LoadedPack, OwnNumberList, Refusal, Worker, WorkerError,
};
use yumen_rules::engine::{JudgeError, Site};
use yumen_rules::pack::SectionKind;
use yumen_rules::pack::node::Test;
use yumen_wire::event::Event;

/// Where packs come from, and what is taken.
#[derive(Clone, Debug)]
pub struct Source {
    /// The pack's file.
    pub file: PathBuf,
    /// Public keys that may sign it.
    pub trusted_keys: PathBuf,
    /// Which engine matches.
    pub engine: EngineChoice,
    /// Where compiled databases and the last serial are kept.
    pub data_dir: PathBuf,
    /// How often the file is looked at.
    pub watch: Option<Duration>,
}

/// Why no pack could be taken.
#[derive(Debug, thiserror::Error)]
pub enum PackFailure {
    /// A file can't be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file with trusted keys is wrong.
    #[error("{path}: {reason}")]
    Keyring {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The pack is refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl PackFailure {
    /// A word for metrics and logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "unreadable",
            Self::Keyring { .. } => "keyring",
            Self::Refused(refusal) => refusal.code(),
        }
    }
}

/// The pack in use.
#[derive(Debug)]
pub struct Packs {
    source: Source,
    current: ArcSwapOption<LoadedPack>,
    own: OwnNumberList,
    utc_offset_min: i32,
    behaviour: Arc<Behaviour>,
    /// What the hub took back; see [`crate::shared`].
    withdrawn: ArcSwap<Taken>,
    lists: Arc<Lists>,
    serial: SerialFile,
    reload: Notify,
    metrics: PackMetrics,
    /// The same as the metric, and when last: what the hub is told.
    refused: Mutex<Vec<Refused>>,
}

/// What is counted about packs.
#[derive(Clone, Debug, Default)]
struct PackMetrics {
    serial: Gauge,
    loads: Counter,
    refusals: Family<RefusalLabel, Counter>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RefusalLabel {
    reason: String,
}

impl Packs {
    /// With no pack yet.
    #[must_use]
    pub fn new(
        source: Source,
        own_numbers: Vec<String>,
        utc_offset_min: i32,
        behaviour: Arc<Behaviour>,
    ) -> Self {
        Self {
            serial: SerialFile::new(source.data_dir.join("pack-serial")),
            lists: Arc::default(),
            source,
            current: ArcSwapOption::empty(),
            own: OwnNumberList(own_numbers),
            utc_offset_min,
            behaviour,
            withdrawn: ArcSwap::from_pointee(Taken::default()),
            reload: Notify::new(),
            metrics: PackMetrics::default(),
            refused: Mutex::default(),
        }
    }

    /// As the configuration says.
    #[must_use]
    pub fn from_config(config: &config::Config, behaviour: Arc<Behaviour>) -> Self {
        let pack = &config.pack;
        let source = Source {
            file: pack.file.clone(),
            trusted_keys: pack.trusted_keys.clone(),
            engine: match pack.matcher {
                config::MatcherChoice::Auto => EngineChoice::Auto,
                config::MatcherChoice::Hyperscan => EngineChoice::Hyperscan,
                config::MatcherChoice::Rust => EngineChoice::Rust,
            },
            data_dir: config.data_dir.clone(),
            watch: (pack.watch_s > 0).then(|| Duration::from_secs(pack.watch_s)),
        };
        Self::new(source, config.own_numbers.clone(), config.utc_offset_min, behaviour)
    }

    /// With the number lists that conditions ask.
    #[must_use]
    pub fn with_lists(self, lists: Arc<Lists>) -> Self {
        Self { lists, ..self }
    }

    /// Adds what is counted about packs.
    pub fn register(&self, registry: &mut Registry) {
        let metrics = &self.metrics;
        registry.register(
            "yumen_pack_serial",
            "Serial of the pack in use, 0 without one",
            metrics.serial.clone(),
        );
        registry.register("yumen_pack_loads", "Packs taken since start", metrics.loads.clone());
        registry.register(
            "yumen_pack_refusals",
            "Packs refused since start, by reason",
            metrics.refusals.clone(),
        );
    }

    /// The pack in use.
    #[must_use]
    pub fn current(&self) -> Option<Arc<LoadedPack>> {
        self.current.load_full()
    }

    /// Its name and serial.
    #[must_use]
    pub fn pack_ref(&self) -> Option<PackRef> {
        let pack = self.current.load();
        let header = pack.as_ref()?.header();
        Some(PackRef { name: header.name().to_owned(), serial: header.serial })
    }

    /// Loads the file and swaps it in. Takes as long as compiling does: call it off the runtime.
    ///
    /// # Errors
    /// The reason, which is logged and counted too; the pack in use stays.
    pub fn load(&self) -> Result<(), PackFailure> {
        let outcome = self.read();
        match &outcome {
            Ok(None) => {}
            Ok(Some(pack)) => self.swap(Arc::clone(pack)),
            Err(failure) => self.refuse(failure, &self.source.file.display().to_string()),
        }
        outcome.map(drop)
    }

    /// Takes a pack that came over the network: verified, tried and swapped in as a file would be, then kept on disk for the
    /// next start. Takes as long as compiling does: call it off the runtime.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn offer(&self, bytes: &[u8]) -> Result<(), PackFailure> {
        let outcome = self.verified(bytes);
        match &outcome {
            Ok(None) => {}
            Ok(Some(pack)) => {
                self.swap(Arc::clone(pack));
                if let Err(error) = self.keep_shared(bytes) {
                    tracing::warn!(%error, "SharedPackUnkept: the hub's pack isn't there after a restart");
                }
            }
            Err(failure) => self.refuse(failure, "hub"),
        }
        outcome.map(drop)
    }

    /// What the hub took back, in force from the next event on.
    pub fn withdraw(&self, taken: Taken) {
        self.withdrawn.store(Arc::new(taken));
    }

    /// Public keys that may sign packs and retractions.
    ///
    /// # Errors
    /// The file can't be read, or is wrong.
    pub fn keyring(&self) -> Result<Keyring, PackFailure> {
        keyring(&self.source.trusted_keys)
    }

    /// Where what came from the hub is kept.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.source.data_dir
    }

    fn refuse(&self, failure: &PackFailure, from: &str) {
        let code = failure.code();
        let kept = self.pack_ref().map_or(0, |pack| pack.serial);
        tracing::error!(from, code, kept_serial = kept, "PackRefused: {failure}");
        self.metrics.refusals.get_or_create(&RefusalLabel { reason: code.to_owned() }).inc();
        self.note_refused("pack", code);
    }

    /// What was refused since start, by reason.
    #[must_use]
    pub fn refused(&self) -> Vec<Refused> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts something that was refused, for the hub to see.
    pub(crate) fn note_refused(&self, what: &str, reason: &str) {
        let mut all = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let now_ms = clock::now_ms();
        if let Some(known) = all.iter_mut().find(|known| known.what == what && known.reason == reason) {
            known.count = known.count.saturating_add(1);
            known.last_ms = now_ms;
        } else if all.len() < REFUSED_MAX {
            all.push(Refused { what: what.to_owned(), reason: reason.to_owned(), count: 1, last_ms: now_ms });
        }
    }

    fn keep_shared(&self, bytes: &[u8]) -> std::io::Result<()> {
        let (file, new) = (self.shared_file(), self.shared_file().with_extension("new"));
        std::fs::create_dir_all(&self.source.data_dir)?;
        std::fs::write(&new, bytes)?;
        std::fs::rename(new, file)
    }

    fn shared_file(&self) -> PathBuf {
        self.source.data_dir.join("shared.pack")
    }

    /// Asks for a reload: SIGHUP.
    pub fn request_reload(&self) {
        self.reload.notify_one();
    }

    /// Reloads when asked, and when the file changes, for ever.
    pub async fn watch(self: Arc<Self>) {
        let mut seen = stamp(&self.source.file);
        loop {
            let asked = match self.source.watch {
                Some(interval) => tokio::time::timeout(interval, self.reload.notified()).await.is_ok(),
                None => {
                    self.reload.notified().await;
                    true
                }
            };
            let now = stamp(&self.source.file);
            if asked || now != seen {
                seen = now;
                let packs = Arc::clone(&self);
                // A failure was logged; a panic there must not end the watch.
                let _outcome = tokio::task::spawn_blocking(move || packs.load()).await;
            }
        }
    }

    /// The pack on disk; `None` where it is the one in use. The hub's, where it is newer than the configured file's and
    /// can be taken.
    fn read(&self) -> Result<Option<Arc<LoadedPack>>, PackFailure> {
        let file = read(&self.source.file);
        if let Ok(shared) = read(&self.shared_file())
            && file.as_ref().map_or(true, |file| serial(file) < serial(&shared))
        {
            match self.verified(&shared) {
                Ok(pack) => return Ok(pack),
                Err(failure) => self.refuse(&failure, "shared.pack"),
            }
        }
        self.verified(&file?)
    }

    /// A pack, verified and compiled; `None` where it is the one in use.
    fn verified(&self, bytes: &[u8]) -> Result<Option<Arc<LoadedPack>>, PackFailure> {
        let keyring = self.keyring()?;
        if self.current.load().as_ref().is_some_and(|pack| pack.bytes() == bytes) {
            return Ok(None);
        }
        let cache = self.source.data_dir.join("databases");
        let options = LoadOptions {
            last_serial: self.last_serial(),
            engine: self.source.engine,
            cache: Some(&cache),
            ..LoadOptions::trusting(&keyring, clock::now_s())
        };
        let pack = LoadedPack::load(bytes, &options)?;
        pack.warm();
        Ok(Some(Arc::new(pack)))
    }

    fn swap(&self, pack: Arc<LoadedPack>) {
        let header = pack.header();
        let (name, serial, engine) = (header.name().to_owned(), header.serial, pack.engine().name());
        let digest = pack.digest_hex();
        self.current.store(Some(pack));
        self.metrics.serial.set(i64::try_from(serial).unwrap_or(i64::MAX));
        self.metrics.loads.inc();
        tracing::info!(name, serial, engine, digest, "PackSwapped");
        self.name_missing_lists();
        if let Err(error) = self.serial.keep(serial) {
            tracing::warn!(%error, "SerialUnkept: an older pack would be taken after a restart");
        }
    }

    /// The highest serial ever in use here, also before the last restart.
    fn last_serial(&self) -> Option<u64> {
        let current = self.current.load().as_ref().map(|pack| pack.header().serial);
        self.serial.read().max(current)
    }

    /// Says which number lists the pack's conditions ask that this gateway doesn't have: they list nobody.
    fn name_missing_lists(&self) {
        let current = self.current.load();
        let Some(pack) = current.as_ref().map(|loaded| loaded.pack()) else { return };
        let nodes = (0..pack.count(SectionKind::Nodes)).filter_map(|index| pack.node(index));
        let asked: BTreeSet<&str> = nodes
            .filter_map(|node| match node.test {
                Test::Listed(query, ..) => Some(pack.string(query.list)),
                _ => None,
            })
            .collect();
        for name in asked.into_iter().filter(|name| !self.lists.knows(name)) {
            tracing::info!(name, "NumberListAbsent: the pack asks for a number list that isn't configured");
        }
    }
}

thread_local! {
    /// A thread judges one event at a time, with storage that it keeps.
    static WORKER: RefCell<Option<Box<Worker>>> = const { RefCell::new(None) };
}

impl Judge for Packs {
    fn judge(&self, event: &Event<'_>, then: &mut dyn FnMut(Judged<'_>)) -> Result<(), Unjudged> {
        let current = self.current.load();
        let pack = current.as_ref().ok_or(Unjudged::NoPack)?;
        let withdrawn = self.withdrawn.load();
        // Taken out while it judges: should `then` judge again, it makes a worker of its own.
        let mut worker = match WORKER.take() {
            Some(mut worker) => worker.adopt(pack).map(|()| worker),
            None => Worker::new(Arc::clone(pack)).map(Box::new),
        }
        .map_err(|WorkerError::Scanner(error)| Unjudged::Engine(JudgeError::Match(error)))?;
        let site = Site {
            own: &self.own,
            utc_offset_minutes: self.utc_offset_min,
            behaviour: self.behaviour.as_ref(),
            withdrawn: withdrawn.as_ref(),
            lists: self.lists.as_ref(),
        };
        let judged = worker.judge(&site, event).map(|judgement| {
            then(Judged { judgement: &judgement, pack: pack.pack() });
        });
        WORKER.set(Some(worker));
        judged.map_err(Unjudged::Engine)
    }
}

/// The public keys of a file.
pub(crate) fn keyring(path: &Path) -> Result<Keyring, PackFailure> {
    let keys = read(path)?;
    Keyring::parse(&String::from_utf8_lossy(&keys))
        .map_err(|error| PackFailure::Keyring { path: path.to_owned(), reason: error.to_string() })
}

fn read(path: &Path) -> Result<Vec<u8>, PackFailure> {
    std::fs::read(path).map_err(|source| PackFailure::Unreadable { path: path.to_owned(), source })
}

/// The serial that bytes claim; 0 where they are no pack.
fn serial(bytes: &[u8]) -> u64 {
    yumen_rules::pack::Header::new_checked(bytes).map_or(0, |header| header.serial)
}

/// What changes when a file is replaced.
pub(crate) fn stamp(path: &Path) -> Option<(SystemTime, u64, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
}
