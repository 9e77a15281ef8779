//! Sightings on disk until the hub has them: a log of preallocated segments, appended to by the doors and drained in
//! order by `mqtt`.
//!
//! ```text
//! append → segment (write(2)) → [group fdatasync] → read → … → acknowledge → cursor; segments behind it are removed
//! ```
//!
//! What is promised:
//! - When [`Spool::append`] has returned a sequence, the record survives the death of the process; after
//!   [`Options::sync_interval`] it survives a power cut.
//! - Only [`Spool::acknowledge`] removes a record. When the spool is full, the *newest* record is the one that is
//!   refused and counted: what was once accepted, and for which a sender has been answered, is never taken back.
//! - After a crash the log is what was written, up to the first record that isn't whole.
//! - A disk that is full or fails costs records (counted in [`Stats`]), never the gateway.

mod cursor;
pub mod record;
mod segment;
mod syncer;

use cursor::Cursor;
use segment::{Allocate, Segment};
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

pub use crate::limits::{SPOOL_RECORD_BYTES_MAX, SPOOL_SEGMENT_BYTES_MAX, SPOOL_SEGMENT_BYTES_MIN};

/// After a disk error, how long nothing is tried again.
const DISK_RETRY: Duration = Duration::from_secs(1);

/// Where and how large.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory; made if it isn't there. One process at a time.
    pub dir: PathBuf,
    /// Size of a segment in bytes, within [`SPOOL_SEGMENT_BYTES_MIN`] and [`SPOOL_SEGMENT_BYTES_MAX`].
    pub segment_bytes: u32,
    /// Size of all segments together in bytes; at least two segments.
    pub bytes_max: u64,
    /// How long a record may wait for `fdatasync`.
    pub sync_interval: Duration,
}

impl Options {
    /// 256 MiB in segments of 4 MiB, synced every 100 ms.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            segment_bytes: 4 << 20,
            bytes_max: 256 << 20,
            sync_interval: Duration::from_millis(100),
        }
    }
}

/// Why a spool can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory or a file in it can't be read or written.
    #[error("the spool directory {} can't be used: {source}", dir.display())]
    Directory {
        /// The directory.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has it open.
    #[error("the spool directory {} is in use by another process", dir.display())]
    InUse {
        /// The directory.
        dir: PathBuf,
    },
    /// A segment's size is outside the limits.
    #[error("a spool segment has {SPOOL_SEGMENT_BYTES_MIN} to {SPOOL_SEGMENT_BYTES_MAX} bytes, not {0}")]
    SegmentBytes(u32),
    /// Less than two segments.
    #[error("the spool needs room for two segments of {segment_bytes} bytes, and has {bytes_max}")]
    BytesMax {
        /// The segment's size.
        segment_bytes: u32,
        /// The room given.
        bytes_max: u64,
    },
}

/// Why a record was refused. Each is counted in [`Stats`].
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Empty, or longer than [`SPOOL_RECORD_BYTES_MAX`].
    #[error("a record has 1 to {SPOOL_RECORD_BYTES_MAX} bytes")]
    Length,
    /// All room is taken by records that aren't acknowledged.
    #[error("the spool is full")]
    Full,
    /// The disk is full or failed, now or less than a second ago.
    #[error("the spool's disk failed")]
    Disk,
}

/// What was found when the spool was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Records that wait to be acknowledged.
    pub pending: u64,
    /// Records known to be missing between two segments, which only rot or a lost file explains.
    pub lost: u64,
    /// Files that were no segments any more, and removed.
    pub discarded: u64,
}

/// A record read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its sequence.
    pub sequence: u64,
    /// What was appended.
    pub payload: Vec<u8>,
}

/// What happened since the spool was opened, and what stands in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Records that wait to be acknowledged.
    pub records: u64,
    /// Bytes of all segments, preallocated ones included.
    pub bytes: u64,
    /// Records appended.
    pub appended: u64,
    /// Records refused because the spool was full.
    pub dropped_full: u64,
    /// Records refused because the disk was full or failed.
    pub dropped_disk: u64,
    /// Records refused for their length.
    pub dropped_length: u64,
    /// Records that rotted on disk, or stood between two segments, and were skipped.
    pub lost: u64,
    /// Failed `fdatasync` calls.
    pub sync_failures: u64,
}

impl Stats {
    /// All records that were refused.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped_full + self.dropped_disk + self.dropped_length
    }
}

/// The spool. Clones share it; the last one that goes syncs it.
#[derive(Clone, Debug)]
pub struct Spool {
    shared: Arc<Shared>,
    _syncer: Arc<syncer::Syncer>,
}

#[derive(Debug)]
struct Shared {
    log: Mutex<Log>,
    /// Wakes the syncer.
    dirty: Condvar,
    /// Wakes who drains.
    appended: Notify,
    counts: Counts,
    /// Held for the lock on it.
    _lock: File,
}

#[derive(Debug, Default)]
struct Counts {
    appended: AtomicU64,
    dropped_full: AtomicU64,
    dropped_disk: AtomicU64,
    dropped_length: AtomicU64,
    lost: AtomicU64,
    sync_failures: AtomicU64,
}

#[derive(Debug)]
struct Log {
    options: Options,
    allocate: Allocate,
    segments: VecDeque<Segment>,
    cursor: Cursor,
    /// All sequences up to this one are acknowledged.
    acknowledged: u64,
    /// The next record's sequence.
    next: u64,
    /// Records not acknowledged; `next` and `acknowledged` don't tell, where records were lost between them.
    pending: u64,
    scratch: Vec<u8>,
    retry_at: Option<Instant>,
    unsynced: Unsynced,
    closing: bool,
}

/// What the syncer has to do.
#[derive(Debug, Default)]
struct Unsynced {
    files: Vec<Arc<File>>,
    cursor: bool,
    dir: bool,
}

impl Unsynced {
    fn is_empty(&self) -> bool {
        self.files.is_empty() && !self.cursor && !self.dir
    }
}

impl Spool {
    /// Opens the spool, and says what it found there.
    ///
    /// # Errors
    /// Bad options, a directory that can't be used, or one that is in use. Damage inside isn't an error.
    pub fn open(options: Options) -> Result<(Self, Recovery), OpenError> {
        Self::open_with(options, segment::preallocate)
    }

    fn open_with(options: Options, allocate: Allocate) -> Result<(Self, Recovery), OpenError> {
        let segment_bytes = options.segment_bytes;
        if !(SPOOL_SEGMENT_BYTES_MIN..=SPOOL_SEGMENT_BYTES_MAX).contains(&segment_bytes) {
            return Err(OpenError::SegmentBytes(segment_bytes));
        }
        if options.bytes_max < 2 * u64::from(segment_bytes) {
            return Err(OpenError::BytesMax { segment_bytes, bytes_max: options.bytes_max });
        }
        let dir = options.dir.clone();
        let directory = |source| OpenError::Directory { dir: dir.clone(), source };
        std::fs::create_dir_all(&dir).map_err(directory)?;
        let lock = File::create(dir.join("lock")).map_err(directory)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(OpenError::InUse { dir }),
            Err(std::fs::TryLockError::Error(source)) => return Err(directory(source)),
        }
        let sync_interval = options.sync_interval;
        let (log, recovery) = Log::open(options, allocate).map_err(directory)?;
        let counts = Counts { lost: AtomicU64::new(recovery.lost), ..Counts::default() };
        let shared = Arc::new(Shared {
            log: Mutex::new(log),
            dirty: Condvar::new(),
            appended: Notify::new(),
            counts,
            _lock: lock,
        });
        let syncer = syncer::Syncer::start(&shared, sync_interval).map_err(directory)?;
        Ok((Self { shared, _syncer: Arc::new(syncer) }, recovery))
    }

    /// Appends a record and gives its sequence; it is in the kernel's hands when this returns, and on the disk after
    /// the next group sync. Blocks for a `write(2)` only, and once a segment for a `fallocate(2)`.
    ///
    /// # Errors
    /// The record is refused and counted; see [`AppendError`].
    pub fn append(&self, payload: &[u8]) -> Result<u64, AppendError> {
        let counts = &self.shared.counts;
        let mut log = self.shared.lock();
        let idle = log.unsynced.is_empty();
        let result = log.append(payload);
        let wake = idle && result.is_ok();
        drop(log);
        let count = match &result {
            Ok(_) => &counts.appended,
            Err(AppendError::Length) => &counts.dropped_length,
            Err(AppendError::Full) => &counts.dropped_full,
            Err(AppendError::Disk) => &counts.dropped_disk,
        };
        count.fetch_add(1, Ordering::Relaxed);
        if result.is_ok() {
            self.shared.appended.notify_one();
        }
        if wake {
            self.shared.dirty.notify_one();
        }
        result
    }

    /// Records from `sequence` on that aren't acknowledged, in order: at most `records_max`, and about `bytes_max`
    /// bytes, of one segment. Empty only where there are none. Records that rotted since they were written are
    /// skipped and counted.
    ///
    /// # Errors
    /// The disk's.
    pub fn read(&self, sequence: u64, records_max: usize, bytes_max: usize) -> io::Result<Vec<Record>> {
        let mut from = sequence;
        loop {
            let extent = self.shared.lock().extent(from, records_max, bytes_max);
            let Some((start, extent)) = extent else {
                return Ok(Vec::new());
            };
            let records = extent.read(SPOOL_RECORD_BYTES_MAX)?;
            if !records.is_empty() {
                return Ok(records
                    .into_iter()
                    .map(|(sequence, payload)| Record { sequence, payload })
                    .collect());
            }
            // The first one asked for has rotted.
            self.shared.counts.lost.fetch_add(1, Ordering::Relaxed);
            from = start + 1;
        }
    }

    /// Everything up to and including `sequence` is where it should go: it may be removed.
    pub fn acknowledge(&self, sequence: u64) {
        let removed = self.shared.lock().acknowledge(sequence);
        for path in removed {
            // A segment that stays is found acknowledged at the next start.
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::warn!(path = %path.display(), %error, "a drained spool segment could not be removed");
            }
        }
        self.shared.dirty.notify_one();
    }

    /// The sequence of the oldest record that isn't acknowledged, or of the next one appended.
    #[must_use]
    pub fn first_pending(&self) -> u64 {
        self.shared.lock().acknowledged + 1
    }

    /// Completes when a record was appended since the last call.
    pub async fn appended(&self) {
        self.shared.appended.notified().await;
    }

    /// Writes and syncs all that is still to be: for a clean stop.
    ///
    /// # Errors
    /// The disk's.
    pub fn sync(&self) -> io::Result<()> {
        self.shared.sync()
    }

    /// What stands in the spool and what happened to it.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let (records, bytes) = {
            let log = self.shared.lock();
            (log.pending, log.bytes())
        };
        let counts = &self.shared.counts;
        Stats {
            records,
            bytes,
            appended: counts.appended.load(Ordering::Relaxed),
            dropped_full: counts.dropped_full.load(Ordering::Relaxed),
            dropped_disk: counts.dropped_disk.load(Ordering::Relaxed),
            dropped_length: counts.dropped_length.load(Ordering::Relaxed),
            lost: counts.lost.load(Ordering::Relaxed),
            sync_failures: counts.sync_failures.load(Ordering::Relaxed),
        }
    }
}

impl Shared {
    /// The log. A thread that panicked with the lock left it in order: every change of it is one step.
    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the cursor and syncs what has been written since the last time, without holding the lock meanwhile.
    fn sync(&self) -> io::Result<()> {
        let (unsynced, cursor, dir) = {
            let mut log = self.lock();
            let unsynced = std::mem::take(&mut log.unsynced);
            let acknowledged = log.acknowledged;
            let cursor = if unsynced.cursor {
                log.cursor.write(acknowledged)?;
                Some(log.cursor.file().try_clone()?)
            } else {
                None
            };
            (unsynced, cursor, log.options.dir.clone())
        };
        for file in unsynced.files {
            file.sync_data()?;
        }
        cursor.map_or(Ok(()), |file| file.sync_data())?;
        if unsynced.dir { File::open(dir)?.sync_all() } else { Ok(()) }
    }
}

impl Log {
    fn open(options: Options, allocate: Allocate) -> io::Result<(Self, Recovery)> {
        let mut recovery = Recovery::default();
        let (cursor, mut acknowledged) = Cursor::open(&options.dir.join("acknowledged"))?;
        let mut segments = VecDeque::new();
        for path in segment::list(&options.dir)? {
            let opened = Segment::open(path.clone(), options.segment_bytes, SPOOL_RECORD_BYTES_MAX)?;
            let after = segments.back().map_or(0, Segment::next);
            // A segment that reaches back before the one in front of it can't have been written by this log.
            let Some(segment) = opened.filter(|segment| segment.first >= after) else {
                std::fs::remove_file(path)?;
                recovery.discarded += 1;
                continue;
            };
            segments.push_back(segment);
        }
        // A segment is removed only when it is acknowledged, so the cursor may be older than the first one left.
        acknowledged =
            acknowledged.max(segments.front().map_or(0, |segment| segment.first.saturating_sub(1)));
        let next = segments.back().map_or(1, Segment::next).max(acknowledged + 1);
        let mut log = Self {
            options,
            allocate,
            segments,
            cursor,
            acknowledged,
            next,
            pending: 0,
            scratch: Vec::with_capacity(SPOOL_RECORD_BYTES_MAX + record::RECORD_HEADER_BYTES),
            retry_at: None,
            unsynced: Unsynced { cursor: true, dir: true, ..Unsynced::default() },
            closing: false,
        };
        for path in log.drained() {
            std::fs::remove_file(path)?;
        }
        log.reuse_last();
        log.pending = log.count_pending();
        recovery.pending = log.pending;
        recovery.lost = (log.next - 1 - log.acknowledged) - log.pending;
        Ok((log, recovery))
    }

    /// Appends go on in the last segment if its next sequence is the log's; a full disk or an odd end starts a new one.
    fn reuse_last(&mut self) {
        let (size, allocate, next) = (self.options.segment_bytes, self.allocate, self.next);
        let Some(last) = self.segments.back_mut().filter(|last| last.next() == next) else { return };
        if let Err(error) = last.reopen(size, allocate) {
            tracing::warn!(%error, "the last spool segment could not be reopened; a new one will be started");
        }
        self.unsynced.files.push(Arc::clone(&last.file));
    }

    fn append(&mut self, payload: &[u8]) -> Result<u64, AppendError> {
        let length = u32::try_from(payload.len()).ok();
        let length = length.filter(|_| (1..=SPOOL_RECORD_BYTES_MAX).contains(&payload.len()));
        let length = length.ok_or(AppendError::Length)?;
        self.make_room(payload.len())?;
        let sequence = self.next;
        let last = self.segments.back_mut().ok_or(AppendError::Disk)?;
        record::encode(&mut self.scratch, sequence, payload, length);
        if let Err(error) = last.append(&self.scratch) {
            return Err(self.disk_failed(&error));
        }
        if !self.unsynced.files.iter().any(|file| Arc::ptr_eq(file, &last.file)) {
            self.unsynced.files.push(Arc::clone(&last.file));
        }
        self.next += 1;
        self.pending += 1;
        Ok(sequence)
    }

    /// Starts a new segment if the last one hasn't room for `length` bytes.
    fn make_room(&mut self, length: usize) -> Result<(), AppendError> {
        let size = self.options.segment_bytes;
        if self.segments.back().is_some_and(|last| last.has_room(length, size)) {
            return Ok(());
        }
        if self.retry_at.is_some_and(|at| Instant::now() < at) {
            return Err(AppendError::Disk);
        }
        if self.bytes() + u64::from(size) > self.options.bytes_max {
            return Err(AppendError::Full);
        }
        if self.segments.back().is_some_and(|last| last.records() == 0) {
            // Its first write failed. The new one has the same name, and takes its place.
            self.segments.pop_back();
        } else if let Some(last) = self.segments.back_mut() {
            last.seal();
        }
        match Segment::create(&self.options.dir, self.next, size, self.allocate) {
            Ok(segment) => {
                self.segments.push_back(segment);
                self.unsynced.dir = true;
                self.retry_at = None;
                Ok(())
            }
            Err(error) => Err(self.disk_failed(&error)),
        }
    }

    fn disk_failed(&mut self, error: &io::Error) -> AppendError {
        if self.retry_at.is_none() {
            tracing::error!(%error, dir = %self.options.dir.display(), "the spool's disk fails: sightings are dropped");
        }
        self.retry_at = Some(Instant::now() + DISK_RETRY);
        AppendError::Disk
    }

    fn extent(&self, sequence: u64, records_max: usize, bytes_max: usize) -> Option<(u64, segment::Extent)> {
        let wanted = sequence.max(self.acknowledged + 1);
        // The segment with the sequence, or the next one where a gap is.
        let segment = self.segments.iter().find(|segment| segment.next() > wanted)?;
        let start = wanted.max(segment.first);
        Some((start, segment.extent(start, records_max, bytes_max)?))
    }

    /// Moves the cursor; gives the paths of segments that can go.
    fn acknowledge(&mut self, sequence: u64) -> Vec<PathBuf> {
        let sequence = sequence.min(self.next - 1);
        if sequence <= self.acknowledged {
            return Vec::new();
        }
        self.acknowledged = sequence;
        self.unsynced.cursor = true;
        self.pending = self.count_pending();
        self.drained()
    }

    /// Takes segments that are wholly acknowledged out of the log, but for the one that is appended to.
    fn drained(&mut self) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        while let Some(front) = self.segments.front() {
            let is_last = self.segments.len() == 1;
            if front.next() > self.acknowledged + 1 || (is_last && front.next() == self.next) {
                break;
            }
            paths.extend(self.segments.pop_front().map(|segment| segment.path));
        }
        self.unsynced.dir |= !paths.is_empty();
        paths
    }

    fn count_pending(&self) -> u64 {
        let first = self.acknowledged + 1;
        self.segments
            .iter()
            .map(|segment| segment.next().saturating_sub(segment.first.max(first)))
            .fold(0, u64::saturating_add)
    }

    fn bytes(&self) -> u64 {
        u64::from(self.options.segment_bytes) * self.segments.len() as u64
    }
}

#[cfg(test)]
mod tests;
