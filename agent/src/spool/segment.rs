//! One file of the log.

use super::cursor::read_up_to;
use super::record::{RECORD_HEADER_BYTES, Records, SEGMENT_HEADER_BYTES, decode, segment_header};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What file names of segments end with.
const SUFFIX: &str = ".seg";

/// How room for a segment is reserved: `fallocate`, or a full disk in a test.
pub(super) type Allocate = fn(&File, u64) -> io::Result<()>;

/// A segment with where its records start.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    pub(super) file: Arc<File>,
    /// Sequence of its first record.
    pub(super) first: u64,
    /// Where each record's header starts, in bytes.
    offsets: Vec<u32>,
    /// Where the next record goes, in bytes.
    end: u32,
    /// Nothing is appended any more.
    sealed: bool,
}

impl Segment {
    /// Makes a new one with all its room reserved, so that a full disk shows here and not in the middle of a record.
    pub(super) fn create(dir: &Path, first: u64, size: u32, allocate: Allocate) -> io::Result<Self> {
        let path = dir.join(format!("{first:020}{SUFFIX}"));
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path)?;
        let made = allocate(&file, size.into()).and_then(|()| file.write_all_at(&segment_header(first), 0));
        if let Err(error) = made {
            // What can't be removed either is found empty at the next start.
            let _ = std::fs::remove_file(&path);
            return Err(error);
        }
        let end = header_end();
        Ok(Self { path, file: Arc::new(file), first, offsets: Vec::new(), end, sealed: false })
    }

    /// Reads one back; `None` if it has no whole header.
    pub(super) fn open(path: PathBuf, size: u32, bytes_max: usize) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        // Read no more than a segment can have, whatever the file has grown to.
        let length = file.metadata()?.len().min(size.into());
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        let length = read_up_to(&file, &mut bytes)?;
        bytes.truncate(length);
        let Some(mut records) = Records::new(&bytes, bytes_max) else {
            return Ok(None);
        };
        let first = records.next_sequence();
        let offsets =
            records.by_ref().map(|record| u32::try_from(record.offset).unwrap_or(u32::MAX)).collect();
        let end = u32::try_from(records.offset()).unwrap_or(u32::MAX);
        Ok(Some(Self { path, file: Arc::new(file), first, offsets, end, sealed: true }))
    }

    /// Makes an opened segment ready for appending: what stands behind its last record is cut off, so that no old
    /// record can come back behind a new one.
    pub(super) fn reopen(&mut self, size: u32, allocate: Allocate) -> io::Result<()> {
        self.file.set_len(self.end.into())?;
        allocate(&self.file, size.into())?;
        self.sealed = false;
        Ok(())
    }

    /// How many records it has.
    pub(super) const fn records(&self) -> usize {
        self.offsets.len()
    }

    /// The sequence behind its last record.
    pub(super) const fn next(&self) -> u64 {
        self.first + self.offsets.len() as u64
    }

    /// Where the next record goes, in bytes.
    #[cfg(test)]
    pub(super) fn end_bytes(&self) -> usize {
        usize::try_from(self.end).unwrap_or(usize::MAX)
    }

    /// Whether a record of `length` payload bytes still goes in.
    pub(super) fn has_room(&self, length: usize, size: u32) -> bool {
        let room = size.saturating_sub(self.end);
        !self.sealed && usize::try_from(room).is_ok_and(|room| room >= RECORD_HEADER_BYTES + length)
    }

    /// Writes an encoded record behind the last one. After an error nothing is appended to this segment any more:
    /// half a record may stand there, and the next one has to start in a clean place.
    pub(super) fn append(&mut self, record: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all_at(record, self.end.into()) {
            self.sealed = true;
            return Err(error);
        }
        self.offsets.push(self.end);
        self.end += u32::try_from(record.len()).unwrap_or(u32::MAX);
        Ok(())
    }

    /// Nothing more goes in.
    pub(super) const fn seal(&mut self) {
        self.sealed = true;
    }

    /// Where records from `sequence` on stand: as many as fit into `bytes_max` and `records_max`, at least one.
    pub(super) fn extent(&self, sequence: u64, records_max: usize, bytes_max: usize) -> Option<Extent> {
        let index = usize::try_from(sequence.checked_sub(self.first)?).ok()?;
        let start = *self.offsets.get(index)?;
        let last = self.offsets.len().min(index.saturating_add(records_max.max(1)));
        let mut end = start;
        let mut count = 0;
        for next in index + 1..=last {
            let stop = self.offsets.get(next).copied().unwrap_or(self.end);
            let size = usize::try_from(stop.saturating_sub(start)).unwrap_or(usize::MAX);
            if count > 0 && size > bytes_max {
                break;
            }
            (end, count) = (stop, count + 1);
        }
        Some(Extent { file: Arc::clone(&self.file), sequence, start, end, count })
    }
}

/// Records of one segment that stand one behind the other; reading them needs no lock.
#[derive(Debug)]
pub(super) struct Extent {
    file: Arc<File>,
    sequence: u64,
    start: u32,
    end: u32,
    count: usize,
}

impl Extent {
    /// Reads the records, and checks each again: what was good at the start may have rotted since. Gives those before
    /// the first bad one.
    pub(super) fn read(&self, bytes_max: usize) -> io::Result<Vec<(u64, Vec<u8>)>> {
        let mut bytes = vec![0; usize::try_from(self.end.saturating_sub(self.start)).unwrap_or(0)];
        self.file.read_exact_at(&mut bytes, self.start.into())?;
        let mut records = Vec::with_capacity(self.count);
        let mut rest = &bytes[..];
        for sequence in (self.sequence..).take(self.count) {
            let Ok(payload) = decode(rest, sequence, bytes_max) else { break };
            records.push((sequence, payload.to_vec()));
            rest = rest.get(RECORD_HEADER_BYTES + payload.len()..).unwrap_or_default();
        }
        Ok(records)
    }
}

/// Paths of all segments in a directory, oldest first.
pub(super) fn list(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.strip_suffix(SUFFIX).is_some_and(|stem| stem.parse::<u64>().is_ok()) {
            paths.push(path);
        }
    }
    // Names are zero-padded sequences.
    paths.sort();
    Ok(paths)
}

/// Reserves room with `fallocate`; on file systems that can't, only the length is set, and a full disk shows later.
pub(super) fn preallocate(file: &File, size: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;
    match fallocate(file, FallocateFlags::empty(), 0, size) {
        Ok(()) => Ok(()),
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => file.set_len(size),
        Err(errno) => Err(errno.into()),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "24")]
const fn header_end() -> u32 {
    SEGMENT_HEADER_BYTES as u32
}
