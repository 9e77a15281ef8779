//! The counters as bytes, to survive a restart.
//!
//! ```text
//! magic 8 | version u32 | secret u64 | written at, ms u64
//! records: 1 | slot: key u64, last u32, busy u8, 14 × (time u32, bits u32)
//!          2 | buckets: key u64, last u32, n u8, n × (level u8, place u8, stamp u32, 10 × u16), m u16, m × (cell u8, time u32)
//!          3 | gateway u64, next own delta u64, position u64 u64, n u8, n × (gateway u64, next u64)
//! 0 | CRC-32C of everything before, u32
//! ```
//!
//! All little-endian. Times are absolute: a clock that was set meanwhile makes entries lie ahead or behind, and what lies within a
//! window of now counts. Where other gateways' deltas have been read to is written last: what is counted while the copy is made
//! may be missing from it, and is never counted twice.

use std::io::{self, Read, Write};

use yumen_rules::behave::{
    Bucket, Busy, CELLS, COUNTERS, Entry, LEVEL_BUCKETS, LEVELS, SLOT_ENTRIES, Slot, WINDOW_S_MAX,
};

use crate::limits::{GATEWAYS_MAX, SNAPSHOT_BYTES_MAX};
use crate::{Behaviour, Others, held, seconds};

const MAGIC: &[u8; 8] = b"YMNBEHAV";
/// Rises with every change of the layout, of [`Slot`] and of [`Busy`].
const VERSION: u32 = 1;
const END: u8 = 0;
const SLOT: u8 = 1;
const BUSY: u8 = 2;
const SHARED: u8 = 3;

/// Why a snapshot isn't read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// It can't be read.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It is something else.
    #[error("isn't a snapshot of counters")]
    Foreign,
    /// Another program wrote it.
    #[error("has version {0}, this program reads {VERSION}")]
    Version(u32),
    /// Its checksum isn't that of what it holds, or it ends in the middle.
    #[error("is damaged")]
    Damaged,
    /// It was made with another secret than the one configured.
    #[error("was made with another secret")]
    Secret,
}

/// What came of a snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// When it was written, in milliseconds since the Unix epoch.
    pub written_ms: u64,
    /// Numbers that are tracked again.
    pub numbers: u64,
    /// Numbers whose last attempt was too long ago, or for which there is no room.
    pub left_out: u64,
}

impl Behaviour {
    /// Writes everything. Counting goes on meanwhile. Returns how many numbers there were.
    ///
    /// # Errors
    /// The writer's.
    pub fn save(&self, out: impl Write, now_ms: u64) -> io::Result<u64> {
        let mut out = Summed { inner: out, crc: 0 };
        let mut numbers = 0u64;
        out.write_all(MAGIC)?;
        out.write_all(&VERSION.to_le_bytes())?;
        out.write_all(&self.secret.to_le_bytes())?;
        out.write_all(&now_ms.to_le_bytes())?;
        let mut record = Vec::new();
        for (slots, busy) in self.store.kept() {
            record.clear();
            slots.iter().for_each(|slot| write_slot(&mut record, slot));
            busy.iter().for_each(|busy| write_busy(&mut record, busy));
            out.write_all(&record)?;
            numbers = numbers.saturating_add(slots.len() as u64);
        }
        record.clear();
        self.write_shared(&mut record);
        record.push(END);
        out.write_all(&record)?;
        let crc = out.crc;
        out.inner.write_all(&crc.to_le_bytes())?;
        out.inner.flush()?;
        Ok(numbers)
    }

    /// Counters with room for so many numbers, from a snapshot; `sharing` as [`Behaviour::sharing`]. `secret`: the configured one, which the snapshot's must be.
    ///
    /// # Errors
    /// [`SnapshotError`]: begin with empty ones then. Nothing of a damaged snapshot is used.
    pub fn load(
        input: impl Read,
        numbers: usize,
        secret: Option<u64>,
        sharing: bool,
        now_ms: u64,
    ) -> Result<(Self, Restored), SnapshotError> {
        let mut bytes = Vec::new();
        input.take(SNAPSHOT_BYTES_MAX).read_to_end(&mut bytes)?;
        let mut reader = Reader(&bytes);
        if reader.array::<8>().ok_or(SnapshotError::Foreign)? != *MAGIC {
            return Err(SnapshotError::Foreign);
        }
        let version = reader.u32().ok_or(SnapshotError::Damaged)?;
        if version != VERSION {
            return Err(SnapshotError::Version(version));
        }
        let (content, crc) = bytes.split_last_chunk::<4>().ok_or(SnapshotError::Damaged)?;
        if crc32c::crc32c(content) != u32::from_le_bytes(*crc) {
            return Err(SnapshotError::Damaged);
        }
        let kept_secret = reader.u64().ok_or(SnapshotError::Damaged)?;
        if secret.is_some_and(|secret| secret != kept_secret) {
            return Err(SnapshotError::Secret);
        }
        let written_ms = reader.u64().ok_or(SnapshotError::Damaged)?;
        let mut behaviour = Self::with_secret(numbers, kept_secret);
        let mut restored = Restored { written_ms, ..Restored::default() };
        behaviour.read_records(&mut reader, &mut restored, seconds(now_ms)).ok_or(SnapshotError::Damaged)?;
        Ok((if sharing { behaviour.sharing() } else { behaviour }, restored))
    }

    fn read_records(&mut self, reader: &mut Reader<'_>, restored: &mut Restored, now_s: u32) -> Option<()> {
        loop {
            match reader.u8()? {
                SLOT => {
                    let slot = read_slot(reader)?;
                    let recent = slot.last_s.abs_diff(now_s) < WINDOW_S_MAX;
                    let kept = recent && self.store.restore(&slot, now_s);
                    let count = if kept { &mut restored.numbers } else { &mut restored.left_out };
                    *count = count.saturating_add(1);
                }
                BUSY => {
                    let busy = read_busy(reader)?;
                    if busy.last_s.abs_diff(now_s) < WINDOW_S_MAX {
                        self.store.restore_busy(&busy, now_s);
                    }
                }
                SHARED => self.read_shared(reader)?,
                END => return Some(()),
                _ => return None,
            }
        }
    }

    fn write_shared(&self, out: &mut Vec<u8>) {
        // The position first: what is read after it comes again, and is known by its number.
        let others = held(&self.others);
        let next = self.outbox.as_ref().map_or(0, |outbox| held(outbox).next());
        out.push(SHARED);
        for number in [self.gateway, next, others.position.0, others.position.1] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.push(u8::try_from(others.next.len()).unwrap_or(u8::MAX));
        for (gateway, next) in &others.next {
            out.extend_from_slice(&gateway.to_le_bytes());
            out.extend_from_slice(&next.to_le_bytes());
        }
    }

    /// This gateway goes on under another name: what it sent under the old one after the snapshot was made, it doesn't know
    /// any more, and takes as another's.
    fn read_shared(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        let (before, next) = (reader.u64()?, reader.u64()?);
        let position = (reader.u64()?, reader.u64()?);
        let mut others = Others { position, ..Others::default() };
        for _ in 0..reader.u8()? {
            let (gateway, next) = (reader.u64()?, reader.u64()?);
            if others.next.len() < GATEWAYS_MAX {
                others.next.push((gateway, next));
            }
        }
        others.learn(before, next);
        self.others = std::sync::Mutex::new(others);
        Some(())
    }
}

fn write_slot(out: &mut Vec<u8>, slot: &Slot) {
    out.push(SLOT);
    out.extend_from_slice(&slot.key.to_le_bytes());
    out.extend_from_slice(&slot.last_s.to_le_bytes());
    out.push(slot.busy);
    for entry in &slot.entries {
        out.extend_from_slice(&entry.time_s.to_le_bytes());
        out.extend_from_slice(&entry.bits.to_le_bytes());
    }
}

fn read_slot(reader: &mut Reader<'_>) -> Option<Slot> {
    let (key, last_s, busy) = (reader.u64()?, reader.u32()?, reader.u8()?);
    let mut entries = [Entry::default(); SLOT_ENTRIES];
    for entry in &mut entries {
        *entry = Entry { time_s: reader.u32()?, bits: reader.u32()? };
    }
    Some(Slot { key, last_s, busy: busy.min(1), entries, ..Slot::FREE })
}

fn write_busy(out: &mut Vec<u8>, busy: &Busy) {
    out.push(BUSY);
    out.extend_from_slice(&busy.key.to_le_bytes());
    out.extend_from_slice(&busy.last_s.to_le_bytes());
    let levels = (0u8..).zip(&busy.buckets);
    let all =
        levels.flat_map(|(level, buckets)| (0u8..).zip(buckets).map(move |(at, bucket)| (level, at, bucket)));
    let used: Vec<(u8, u8, &Bucket)> = all.filter(|(.., bucket)| bucket.stamp != 0).collect();
    out.push(u8::try_from(used.len()).unwrap_or(u8::MAX));
    for (level, at, bucket) in used {
        out.extend_from_slice(&[level, at]);
        out.extend_from_slice(&bucket.stamp.to_le_bytes());
        bucket.counts.iter().for_each(|count| out.extend_from_slice(&count.to_le_bytes()));
    }
    let cells: Vec<(u8, u32)> = (0u8..=u8::MAX).zip(busy.cells).filter(|(_, time_s)| *time_s != 0).collect();
    out.extend_from_slice(&u16::try_from(cells.len()).unwrap_or(u16::MAX).to_le_bytes());
    for (cell, time_s) in cells {
        out.push(cell);
        out.extend_from_slice(&time_s.to_le_bytes());
    }
}

const _: () =
    assert!(LEVELS * LEVEL_BUCKETS <= u8::MAX as usize && CELLS == 256, "counted in a byte, named by one");

fn read_busy(reader: &mut Reader<'_>) -> Option<Busy> {
    let mut busy = Busy { key: reader.u64()?, last_s: reader.u32()?, ..Busy::FREE };
    for _ in 0..reader.u8()? {
        let (level, at) = (reader.u8()?, reader.u8()?);
        let stamp = reader.u32()?;
        let mut counts = [0; COUNTERS];
        for count in &mut counts {
            *count = u16::from_le_bytes(reader.array()?);
        }
        *busy.buckets.get_mut(usize::from(level))?.get_mut(usize::from(at))? = Bucket { stamp, counts };
    }
    for _ in 0..u16::from_le_bytes(reader.array()?) {
        let cell = reader.u8()?;
        *busy.cells.get_mut(usize::from(cell))? = reader.u32()?;
    }
    Some(busy)
}

/// Sums up what is written.
struct Summed<W> {
    inner: W,
    crc: u32,
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.crc = crc32c::crc32c_append(self.crc, bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

struct Reader<'b>(&'b [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*bytes)
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CallOutcome;
    use proptest::prelude::*;
    use yumen_rules::behave::{Behaviour as _, Measure, Query, Subject};
    use yumen_wire::event::{Address, Channel, Event};

    const NOW_MS: u64 = 1_800_000_000_000;

    fn call<'a>(caller: &'a str, callee: &'a str, time_ms: u64) -> Event<'a> {
        Event {
            channel: Channel::Call,
            originator: Address::new(caller),
            destination: Address::new(callee),
            time_ms,
            ..Event::text_only("")
        }
    }

    fn ask(behaviour: &Behaviour, measure: Measure, now_ms: u64) -> i64 {
        let event = call("13800000001", "13900000002", now_ms);
        behaviour.measure(&event, Query { subject: Subject::Caller, measure, window_s: 3600 })
    }

    fn counted(calls: u64) -> Behaviour {
        let behaviour = Behaviour::new(4096);
        for nth in 0..calls {
            let callee = format!("1390000{nth:04}");
            let at_ms = NOW_MS + nth * 1000;
            behaviour.attempt(&call("13800000001", &callee, at_ms));
            behaviour.outcome("13800000001", &callee, CallOutcome::Cancelled { ring_ms: 2000 }, at_ms + 2000);
        }
        behaviour
    }

    fn saved(behaviour: &Behaviour) -> Vec<u8> {
        let mut bytes = Vec::new();
        behaviour.save(&mut bytes, NOW_MS).expect("memory");
        bytes
    }

    #[test]
    fn a_snapshot_measures_as_before() {
        let before = counted(100);
        let (after, restored) =
            Behaviour::load(saved(&before).as_slice(), 8192, None, false, NOW_MS + 120_000).expect("whole");
        assert_eq!((restored.written_ms, restored.left_out), (NOW_MS, 0));
        assert_eq!(restored.numbers, before.stats().tracked);
        for measure in [Measure::Attempts, Measure::DistinctCallees, Measure::RingMs, Measure::Sequential] {
            assert_eq!(ask(&before, measure, NOW_MS + 120_000), ask(&after, measure, NOW_MS + 120_000));
        }
        assert_eq!(ask(&after, Measure::Attempts, NOW_MS + 120_000), 100);
    }

    #[test]
    fn what_is_too_old_or_ahead_is_left_out() {
        let bytes = saved(&counted(3));
        for now_ms in [NOW_MS + 2 * 86_400_000, NOW_MS - 2 * 86_400_000] {
            let (after, restored) =
                Behaviour::load(bytes.as_slice(), 4096, None, false, now_ms).expect("whole");
            assert_eq!((restored.numbers, after.stats().tracked), (0, 0));
        }
        // Set back by half an hour: what lies ahead within the window counts.
        let (after, _) =
            Behaviour::load(bytes.as_slice(), 4096, None, false, NOW_MS - 1_800_000).expect("whole");
        assert_eq!(ask(&after, Measure::Attempts, NOW_MS - 1_800_000), 3);
    }

    #[test]
    fn a_snapshot_with_another_secret_is_refused() {
        let bytes = saved(&Behaviour::with_secret(1024, 7));
        assert!(Behaviour::load(bytes.as_slice(), 1024, Some(7), true, NOW_MS).is_ok());
        assert!(matches!(
            Behaviour::load(bytes.as_slice(), 1024, Some(8), true, NOW_MS),
            Err(SnapshotError::Secret)
        ));
    }

    #[test]
    fn what_was_sent_after_the_snapshot_comes_back_once() {
        let before = Behaviour::with_secret(1024, 7).sharing();
        before.attempt(&call("13800000001", "13900000002", NOW_MS));
        let bytes = saved(&before);
        before.attempt(&call("13800000001", "13900000003", NOW_MS));
        let batch = before.batch(100).expect("two wait");
        assert_eq!(batch.deltas.len(), 2);
        let (after, _) = Behaviour::load(bytes.as_slice(), 1024, Some(7), true, NOW_MS).expect("whole");
        for _ in 0..3 {
            after.receive(&batch, NOW_MS);
        }
        assert_eq!(ask(&after, Measure::Attempts, NOW_MS), 2);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_damaged_snapshot_is_refused(at in any::<prop::sample::Index>(), flip in 1u8..=255, cut in any::<prop::sample::Index>()) {
            let whole = saved(&counted(20));
            let mut bytes = whole.clone();
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert!(Behaviour::load(bytes.as_slice(), 1024, None, false, NOW_MS).is_err());
            let cut = &whole[..cut.index(whole.len())];
            prop_assert!(Behaviour::load(cut, 1024, None, false, NOW_MS).is_err());
        }

        #[test]
        fn any_bytes_with_a_right_sum_end(mut body in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut bytes = MAGIC.to_vec();
            bytes.extend_from_slice(&VERSION.to_le_bytes());
            bytes.append(&mut body);
            let crc = crc32c::crc32c(&bytes);
            bytes.extend_from_slice(&crc.to_le_bytes());
            let _ = Behaviour::load(bytes.as_slice(), 1024, None, false, NOW_MS);
        }
    }
}
