//! The thread that syncs the log in groups, so that no append waits for the disk's cache.

use super::Shared;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often it is said again that records are dropped.
const SAY_INTERVAL: Duration = Duration::from_secs(10);

/// Stops the thread, after a last sync, when dropped.
#[derive(Debug)]
pub(super) struct Syncer {
    shared: Weak<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Syncer {
    pub(super) fn start(shared: &Arc<Shared>, interval: Duration) -> io::Result<Self> {
        let own = Arc::clone(shared);
        let thread =
            std::thread::Builder::new().name("spool-sync".into()).spawn(move || run(&own, interval))?;
        Ok(Self { shared: Arc::downgrade(shared), thread: Some(thread) })
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.lock().closing = true;
            shared.dirty.notify_all();
        }
        if let Some(thread) = self.thread.take() {
            // It can only have panicked, and then has said so.
            let _ = thread.join();
        }
    }
}

fn run(shared: &Shared, interval: Duration) {
    let mut said = Said { dropped: 0, at: None };
    loop {
        let mut log = shared.lock();
        while log.unsynced.is_empty() && !log.closing {
            let waited = shared.dirty.wait_timeout(log, SAY_INTERVAL);
            log = waited.unwrap_or_else(PoisonError::into_inner).0;
            drop(log);
            said.say(shared);
            log = shared.lock();
        }
        // The group gathers for one interval from its first record on; closing doesn't wait.
        let until = Instant::now() + interval;
        while !log.closing {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            log = shared.dirty.wait_timeout(log, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let closing = log.closing;
        drop(log);
        if let Err(error) = shared.sync() {
            // The kernel may have dropped the pages that failed: they aren't tried again, as that would succeed
            // without having written anything. The records stay readable until the machine stops.
            shared.counts.sync_failures.fetch_add(1, Ordering::Relaxed);
            tracing::error!(%error, "the spool could not be synced: a power cut now may lose sightings");
        }
        said.say(shared);
        if closing {
            return;
        }
    }
}

/// What has been said about dropped records.
struct Said {
    dropped: u64,
    at: Option<Instant>,
}

impl Said {
    fn say(&mut self, shared: &Shared) {
        let counts = &shared.counts;
        let full = counts.dropped_full.load(Ordering::Relaxed);
        let disk = counts.dropped_disk.load(Ordering::Relaxed);
        let length = counts.dropped_length.load(Ordering::Relaxed);
        let dropped = full + disk + length;
        if dropped == self.dropped || self.at.is_some_and(|at| at.elapsed() < SAY_INTERVAL) {
            return;
        }
        let since = dropped - self.dropped;
        tracing::error!(since, full, disk, length, "the spool refused sightings: they are lost");
        (self.dropped, self.at) = (dropped, Some(Instant::now()));
    }
}
