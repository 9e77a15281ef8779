//! The number lists in use: loaded, kept fresh, swapped under traffic.
//!
//! ```text
//! file → verify → check → swap        (SIGHUP, or the file was replaced)
//!           └─ refused: the last good one stays, the reason is logged and counted        expired in use: nobody is listed any more
//! ```
//!
//! A list is replaced by renaming a new file over the old one (`yumen numbers build` does): the old one lives on until the last look at
//! it is over. See the head of `yumen_matcher`'s `numbers` for what happens to a file that is changed in its place.

use crate::clock;
use crate::config;
use crate::packs::{PackFailure, keyring, stamp};
use crate::serial::SerialFile;
use arc_swap::ArcSwapOption;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use yumen_matcher::{LoadedNumbers, NumbersOptions, NumbersRefusal, Residence, Trust};
use yumen_rules::engine::NumberLists;
use yumen_rules::numbers::Listed;

/// Where a list comes from.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name, as conditions have it.
    pub name: String,
    /// Its file.
    pub file: PathBuf,
    /// Public keys that may sign it.
    pub trusted_keys: PathBuf,
    /// Where its bytes are.
    pub residence: Residence,
    /// How often the file is looked at.
    pub watch: Option<Duration>,
}

/// Why no list could be taken.
#[derive(Debug, thiserror::Error)]
pub enum ListFailure {
    /// The trusted keys.
    #[error(transparent)]
    Keys(#[from] PackFailure),
    /// The list.
    #[error(transparent)]
    Refused(#[from] NumbersRefusal),
}

impl ListFailure {
    /// A word for metrics and logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Keys(failure) => failure.code(),
            Self::Refused(refusal) => refusal.code(),
        }
    }
}

/// All lists of this gateway.
#[derive(Debug, Default)]
pub struct Lists {
    lists: Vec<List>,
    metrics: Metrics,
}

#[derive(Debug)]
struct List {
    source: Source,
    serial: SerialFile,
    current: ArcSwapOption<LoadedNumbers>,
    reload: Notify,
}

#[derive(Clone, Debug, Default)]
struct Metrics {
    serial: Family<ListLabel, Gauge>,
    numbers: Family<ListLabel, Gauge>,
    refusals: Family<RefusalLabel, Counter>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ListLabel {
    list: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RefusalLabel {
    list: String,
    reason: String,
}

impl Lists {
    /// With nothing loaded yet; the highest serials are kept in `data_dir`.
    #[must_use]
    pub fn new(sources: Vec<Source>, data_dir: &Path) -> Self {
        let list = |source: Source| List {
            serial: SerialFile::new(data_dir.join(format!("number-list-{}-serial", source.name))),
            source,
            current: ArcSwapOption::empty(),
            reload: Notify::new(),
        };
        Self { lists: sources.into_iter().map(list).collect(), metrics: Metrics::default() }
    }

    /// As the configuration says.
    #[must_use]
    pub fn from_config(config: &config::Config) -> Self {
        Self::new(config.number_list_sources(), &config.data_dir)
    }

    /// Adds what is counted about lists.
    pub fn register(&self, registry: &mut Registry) {
        let metrics = &self.metrics;
        registry.register(
            "yumen_number_list_serial",
            "Serial of a number list in use, 0 without one",
            metrics.serial.clone(),
        );
        registry.register(
            "yumen_number_list_numbers",
            "Single numbers in a number list in use",
            metrics.numbers.clone(),
        );
        registry.register(
            "yumen_number_list_refusals",
            "Number lists refused since start, by reason",
            metrics.refusals.clone(),
        );
    }

    /// Whether a list of this name is configured.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        self.lists.iter().any(|list| list.source.name == name)
    }

    /// Loads every list that can be taken. Takes as long as reading them does: call it off the runtime.
    pub fn load(&self) {
        self.lists.iter().for_each(|list| self.load_one(list));
    }

    fn load_one(&self, list: &List) {
        let name = list.source.name.as_str();
        match list.read() {
            Ok(loaded) => {
                let header = *loaded.header();
                list.current.store(Some(Arc::new(loaded)));
                self.measure(list);
                tracing::info!(
                    name,
                    serial = header.serial,
                    numbers = header.entries,
                    ranges = header.ranges,
                    "NumberListSwapped"
                );
                if let Err(error) = list.serial.keep(header.serial) {
                    tracing::warn!(name, %error, "SerialUnkept: an older list would be taken after a restart");
                }
            }
            Err(failure) => {
                let (code, kept_serial) = (failure.code(), list.serial_in_use());
                tracing::error!(name, code, kept_serial, "NumberListRefused: {failure}");
                let label = RefusalLabel { list: name.to_owned(), reason: code.to_owned() };
                self.metrics.refusals.get_or_create(&label).inc();
            }
        }
    }

    fn measure(&self, list: &List) {
        let label = ListLabel { list: list.source.name.clone() };
        let current = list.current.load();
        let header = current.as_ref().map(|loaded| loaded.header());
        let gauge = |value: Option<u64>| i64::try_from(value.unwrap_or(0)).unwrap_or(i64::MAX);
        self.metrics.serial.get_or_create(&label).set(gauge(header.map(|header| header.serial)));
        self.metrics.numbers.get_or_create(&label).set(gauge(header.map(|header| header.entries)));
    }

    /// Asks for a reload of all: SIGHUP.
    pub fn request_reload(&self) {
        self.lists.iter().for_each(|list| list.reload.notify_one());
    }

    /// Reloads each list when asked and when its file is replaced, and drops it when it expires, for ever.
    pub fn watch(self: &Arc<Self>) {
        for index in 0..self.lists.len() {
            tokio::spawn(Arc::clone(self).watch_one(index));
        }
    }

    async fn watch_one(self: Arc<Self>, index: usize) {
        let Some(list) = self.lists.get(index) else { return };
        let mut seen = stamp(&list.source.file);
        loop {
            let interval = list.source.watch.unwrap_or(EXPIRY_INTERVAL);
            let asked = tokio::time::timeout(interval, list.reload.notified()).await.is_ok();
            let now = stamp(&list.source.file);
            if asked || list.source.watch.is_some() && now != seen {
                seen = now;
                let lists = Arc::clone(&self);
                let load = move || lists.lists.get(index).map(|list| lists.load_one(list));
                // A failure was logged; a panic there must not end the watch.
                let _outcome = tokio::task::spawn_blocking(load).await;
            }
            if list.drop_expired(clock::now_s()) {
                self.measure(list);
            }
        }
    }
}

/// How often a list that isn't watched is looked at for its age.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(60);

impl List {
    fn read(&self) -> Result<LoadedNumbers, ListFailure> {
        let keyring = keyring(&self.source.trusted_keys)?;
        let options = NumbersOptions {
            trust: Trust::Keyring(&keyring),
            now_s: Some(clock::now_s()),
            last_serial: self.serial.read().max(Some(self.serial_in_use())),
            name: Some(&self.source.name),
            residence: self.source.residence,
        };
        Ok(LoadedNumbers::open(&self.source.file, &options)?)
    }

    fn serial_in_use(&self) -> u64 {
        self.current.load().as_ref().map_or(0, |loaded| loaded.header().serial)
    }

    /// Numbers get new owners: what was true of one isn't for ever.
    fn drop_expired(&self, now_s: u64) -> bool {
        let expired = self.current.load().as_ref().is_some_and(|loaded| loaded.header().expires_s <= now_s);
        if expired {
            self.current.store(None);
            tracing::error!(
                name = self.source.name,
                "NumberListExpired: nobody is in it until a new one comes"
            );
        }
        expired
    }
}

impl NumberLists for Lists {
    fn listed(&self, list: &str, canonical: &str) -> Option<Listed> {
        let list = self.lists.iter().find(|known| known.source.name == list)?;
        list.current.load().as_ref()?.set().lookup(canonical)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yumen_compiler::numbers::{self, Duplicates};
    use yumen_compiler::sign::{emit_public_key, signing_key};

    struct Site {
        dir: tempfile::TempDir,
    }

    impl Site {
        fn new() -> Self {
            let site = Self { dir: tempfile::tempdir().unwrap() };
            std::fs::write(site.path("keys"), emit_public_key(&signing_key(&[7; 32]))).unwrap();
            site
        }

        fn path(&self, name: &str) -> PathBuf {
            self.dir.path().join(name)
        }

        fn lists(&self) -> Lists {
            let source = Source {
                name: "reported".to_owned(),
                file: self.path("reported.ynl"),
                trusted_keys: self.path("keys"),
                residence: Residence::Map,
                watch: Some(Duration::from_millis(20)),
            };
            Lists::new(vec![source], self.dir.path())
        }

        fn build(&self, lines: &str, serial: u64, expires_s: u64) {
            let source = self.path("lines.csv");
            std::fs::write(&source, lines).unwrap();
            let options = numbers::NumbersOptions {
                name: "reported".to_owned(),
                serial,
                created_s: 0,
                expires_s,
                key: Some(&signing_key(&[7; 32])),
                memory_bytes: 1 << 20,
                duplicates: Duplicates::Highest,
            };
            numbers::build(&[source], &self.path("reported.ynl"), &options).unwrap();
        }
    }

    fn score(lists: &Lists, number: &str) -> Option<u8> {
        lists.listed("reported", number).map(|listed| listed.score)
    }

    #[test]
    fn the_last_good_list_stays() {
        let site = Site::new();
        let lists = site.lists();
        lists.load();
        assert_eq!(score(&lists, "13800000001"), None, "no file yet");
        site.build("13800000001,80\n", 5, u64::MAX);
        lists.load();
        assert_eq!(score(&lists, "13800000001"), Some(80));
        assert_eq!(lists.listed("other", "13800000001"), None);
        site.build("13800000001,10\n", 4, u64::MAX);
        lists.load();
        assert_eq!(score(&lists, "13800000001"), Some(80), "an older one is refused");
        site.build("13800000001,10\n", 6, 1);
        lists.load();
        assert_eq!(score(&lists, "13800000001"), Some(80), "an expired one is refused");
        site.build("13800000001,20\n", 6, u64::MAX);
        lists.load();
        assert_eq!(score(&lists, "13800000001"), Some(20));
        site.build("13800000001,30\n", 5, u64::MAX);
        let restarted = site.lists();
        restarted.load();
        assert_eq!(score(&restarted, "13800000001"), None, "the highest serial is remembered over a restart");
    }

    #[test]
    fn a_list_that_expires_in_use_lists_nobody() {
        let site = Site::new();
        let lists = site.lists();
        let expires_s = clock::now_s() + 3_600;
        site.build("13800000001,80\n", 5, expires_s);
        lists.load();
        assert!(!lists.lists[0].drop_expired(expires_s - 1));
        assert_eq!(score(&lists, "13800000001"), Some(80));
        assert!(lists.lists[0].drop_expired(expires_s));
        assert_eq!(score(&lists, "13800000001"), None);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_replaced_file_is_taken_while_it_is_asked() {
        let site = Site::new();
        site.build("13800000001,80\n170*,5\n", 5, u64::MAX);
        let lists = Arc::new(site.lists());
        lists.load();
        lists.watch();
        for serial in 6..12u64 {
            site.build(&format!("13800000001,{}\n170*,5\n", serial + 10), serial, u64::MAX);
            let began = std::time::Instant::now();
            while score(&lists, "13800000001") != u8::try_from(serial + 10).ok() {
                assert_eq!(score(&lists, "17012345678"), Some(5), "there is a list all the time");
                assert!(began.elapsed() < Duration::from_secs(20), "serial {serial} isn't taken");
                tokio::task::yield_now().await;
            }
        }
    }
}
