use super::*;
use proptest::prelude::*;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::AtomicBool;

fn options(dir: &Path) -> Options {
    Options {
        segment_bytes: SPOOL_SEGMENT_BYTES_MIN,
        bytes_max: 4 * u64::from(SPOOL_SEGMENT_BYTES_MIN),
        sync_interval: Duration::from_millis(5),
        ..Options::new(dir)
    }
}

fn open(dir: &Path) -> (Spool, Recovery) {
    Spool::open(options(dir)).unwrap()
}

fn pending(spool: &Spool) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    let mut next = 0;
    loop {
        let more = spool.read(next, 7, 10_000).unwrap();
        let Some(last) = more.last() else { return records };
        next = last.sequence + 1;
        records.extend(more);
    }
}

fn payload(sequence: u64, length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from((sequence * 31 + at as u64) % 251).unwrap()).collect()
}

#[test]
fn records_come_back_in_order_and_go_when_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, recovery) = open(dir.path());
    assert_eq!(recovery, Recovery::default());
    for sequence in 1..=300 {
        assert_eq!(spool.append(&payload(sequence, 500)).unwrap(), sequence);
    }
    let records = pending(&spool);
    assert_eq!(records.len(), 300);
    assert!(records.iter().all(|record| record.payload == payload(record.sequence, 500)));
    assert_eq!(spool.stats().bytes, 3 * u64::from(SPOOL_SEGMENT_BYTES_MIN));
    spool.acknowledge(299);
    assert_eq!(spool.first_pending(), 300);
    assert_eq!(pending(&spool).len(), 1);
    assert_eq!(spool.stats().bytes, u64::from(SPOOL_SEGMENT_BYTES_MIN), "drained segments are gone");
    spool.acknowledge(u64::MAX);
    assert_eq!(spool.stats().records, 0);
    assert_eq!(spool.append(b"x").unwrap(), 301, "an acknowledgement beyond the end changes no sequence");
}

#[test]
fn a_clean_stop_loses_nothing_and_repeats_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..5u64 {
        let (spool, recovery) = open(dir.path());
        assert_eq!(recovery.pending, u64::from(round > 0));
        assert_eq!(spool.first_pending(), round * 10 + u64::from(round == 0));
        for _ in 0..10 {
            spool.append(&payload(round, 40)).unwrap();
        }
        spool.acknowledge(round * 10 + 9);
    }
}

#[test]
fn a_full_spool_refuses_the_newest_and_keeps_what_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, _) = open(dir.path());
    let mut accepted = 0;
    while spool.append(&payload(accepted + 1, 1000)).is_ok() {
        accepted += 1;
    }
    assert!(matches!(spool.append(b"another large one".repeat(60).as_slice()), Err(AppendError::Full)));
    assert_eq!(spool.stats().dropped_full, 2);
    assert_eq!(pending(&spool).len() as u64, accepted);
    assert!(spool.stats().bytes <= options(dir.path()).bytes_max);
    spool.acknowledge(accepted / 2);
    spool.append(&payload(accepted + 1, 1000)).unwrap();
    assert_eq!(pending(&spool).len() as u64, accepted - accepted / 2 + 1);
}

#[test]
fn a_record_of_a_wrong_length_is_refused_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, _) = open(dir.path());
    assert!(matches!(spool.append(b""), Err(AppendError::Length)));
    assert!(matches!(spool.append(&vec![0; SPOOL_RECORD_BYTES_MAX + 1]), Err(AppendError::Length)));
    spool.append(&vec![0; SPOOL_RECORD_BYTES_MAX]).unwrap();
    assert_eq!(spool.stats().dropped_length, 2);
}

#[test]
fn bad_options_and_a_second_process_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let (_spool, _) = open(dir.path());
    assert!(matches!(Spool::open(options(dir.path())), Err(OpenError::InUse { .. })));
    let small = Options { segment_bytes: 1, ..options(dir.path()) };
    assert!(matches!(Spool::open(small), Err(OpenError::SegmentBytes(1))));
    let tight = Options { bytes_max: 100_000, ..options(dir.path()) };
    assert!(matches!(Spool::open(tight), Err(OpenError::BytesMax { .. })));
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(matches!(Spool::open(options(&file)), Err(OpenError::Directory { .. })));
}

static DISK_IS_FULL: AtomicBool = AtomicBool::new(false);

#[test]
fn a_full_disk_costs_records_and_nothing_else() {
    fn allocate(file: &File, size: u64) -> io::Result<()> {
        if DISK_IS_FULL.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        segment::preallocate(file, size)
    }
    let dir = tempfile::tempdir().unwrap();
    let (spool, _) = Spool::open_with(options(dir.path()), allocate).unwrap();
    let mut accepted = 0;
    DISK_IS_FULL.store(true, Ordering::Relaxed);
    assert!(matches!(spool.append(b"first"), Err(AppendError::Disk)), "no segment could be made");
    DISK_IS_FULL.store(false, Ordering::Relaxed);
    assert!(matches!(spool.append(b"second"), Err(AppendError::Disk)), "the disk isn't asked at once again");
    spool.shared.lock().retry_at = None;
    while spool.stats().bytes < u64::from(SPOOL_SEGMENT_BYTES_MIN) || accepted < 30 {
        accepted = spool.append(&payload(accepted + 1, 1000)).unwrap();
    }
    DISK_IS_FULL.store(true, Ordering::Relaxed);
    while spool.append(&payload(accepted + 1, 1000)).is_ok() {
        accepted += 1;
    }
    assert_eq!(spool.stats().dropped_disk, 3);
    assert_eq!(pending(&spool).len() as u64, accepted);
    drop(spool);
    // A start on a full disk still gives what is there.
    let (spool, recovery) = Spool::open_with(options(dir.path()), allocate).unwrap();
    assert_eq!(recovery.pending, accepted);
    assert_eq!(pending(&spool).len() as u64, accepted);
    DISK_IS_FULL.store(false, Ordering::Relaxed);
    assert_eq!(spool.append(b"third").unwrap(), accepted + 1);
}

#[test]
fn a_record_that_rots_is_skipped_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, _) = open(dir.path());
    for sequence in 1..=3 {
        spool.append(&payload(sequence, 100)).unwrap();
    }
    let second = record::SEGMENT_HEADER_BYTES + 100 + record::RECORD_HEADER_BYTES;
    let path = segment::list(dir.path()).unwrap().remove(0);
    let file = File::options().write(true).open(path).unwrap();
    file.write_all_at(&[0xFF], second as u64 + 40).unwrap();
    let sequences: Vec<u64> = pending(&spool).iter().map(|record| record.sequence).collect();
    assert_eq!(sequences, [1, 3]);
    assert_eq!(spool.stats().lost, 1);
}

#[test]
fn a_foreign_file_with_a_segments_name_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("00000000000000000009.seg"), b"not a segment").unwrap();
    let (spool, recovery) = open(dir.path());
    assert_eq!(recovery, Recovery { discarded: 1, ..Recovery::default() });
    assert_eq!(spool.append(b"x").unwrap(), 1);
}

#[test]
fn a_lost_segment_is_counted_and_the_rest_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, _) = open(dir.path());
    for sequence in 1..=200 {
        spool.append(&payload(sequence, 1000)).unwrap();
    }
    drop(spool);
    let paths = segment::list(dir.path()).unwrap();
    std::fs::remove_file(&paths[1]).unwrap();
    let (spool, recovery) = open(dir.path());
    assert_eq!(recovery.pending + recovery.lost, 200);
    assert!(recovery.lost > 0);
    let sequences: Vec<u64> = pending(&spool).iter().map(|record| record.sequence).collect();
    assert_eq!(sequences.len() as u64, recovery.pending);
    assert!(sequences.is_sorted() && sequences.contains(&200));
}

/// What is done to a log before it is looked at again.
#[derive(Clone, Debug)]
enum Damage {
    /// As after kill -9: nothing at all, but nobody closed it either.
    None,
    /// The last segment is cut off.
    Cut(prop::sample::Index),
    /// A byte of the last segment is another one.
    Garble(prop::sample::Index, u8),
    /// The last segment's end was never written: pages of zeros.
    Zero(prop::sample::Index),
    /// The cursor is gone.
    LoseCursor,
}

fn damages() -> impl Strategy<Value = Damage> {
    prop_oneof![
        Just(Damage::None),
        any::<prop::sample::Index>().prop_map(Damage::Cut),
        any::<(prop::sample::Index, u8)>().prop_map(|(at, byte)| Damage::Garble(at, byte)),
        any::<prop::sample::Index>().prop_map(Damage::Zero),
        Just(Damage::LoseCursor),
    ]
}

/// Damages a copy of the log; gives where in the last segment the damage starts.
fn damage(dir: &Path, damage: &Damage, written: usize) -> Option<usize> {
    let path = segment::list(dir).unwrap().pop()?;
    let mut bytes = std::fs::read(&path).unwrap();
    // Where something was written: the zeros behind it say nothing new.
    let at = |index: &prop::sample::Index| index.index(written.min(bytes.len()).max(1));
    let start = match damage {
        Damage::None => return None,
        Damage::LoseCursor => {
            std::fs::remove_file(dir.join("acknowledged")).unwrap();
            return None;
        }
        Damage::Cut(index) => {
            let at = at(index);
            bytes.truncate(at);
            at
        }
        Damage::Garble(index, byte) => {
            let at = at(index);
            bytes[at] = *byte;
            at
        }
        Damage::Zero(index) => {
            let at = at(index);
            bytes[at..].fill(0);
            at
        }
    };
    std::fs::write(path, bytes).unwrap();
    Some(start)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// However it is interrupted, the log reopens as what was appended and not acknowledged, up to the damage; and
    /// goes on from there.
    #[test]
    fn any_damage_leaves_what_was_written_before_it(
        lengths in prop::collection::vec(1usize..3000, 1..90),
        acknowledged in any::<prop::sample::Index>(),
        how in damages(),
        again in damages(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let copy = tempfile::tempdir().unwrap();
        let (spool, _) = open(dir.path());
        let mut count = 0;
        for (sequence, length) in (1..).zip(&lengths) {
            if spool.append(&payload(sequence, *length)).is_err() { break }
            count = sequence;
        }
        let through = acknowledged.index(usize::try_from(count).unwrap() + 1) as u64;
        spool.acknowledge(through);
        spool.sync().unwrap();
        let (last_first, last_end) = {
            let log = spool.shared.lock();
            let last = log.segments.back().unwrap();
            (last.first, last.end_bytes())
        };
        copy_dir(dir.path(), copy.path());
        let start = damage(copy.path(), &how, last_end);

        let (reopened, recovery) = open(copy.path());
        let records = pending(&reopened);
        prop_assert_eq!(records.len() as u64, recovery.pending);
        let first = records.first().map_or(through + 1, |record| record.sequence);
        let cursor_lost = matches!(how, Damage::LoseCursor);
        prop_assert!(cursor_lost && first <= through + 1 || first == through + 1);
        for (record, sequence) in records.iter().zip(first..) {
            prop_assert_eq!(record.sequence, sequence);
            prop_assert_eq!(&record.payload, &payload(sequence, lengths[usize::try_from(sequence).unwrap() - 1]));
        }
        // All that was written before the damage is there.
        let mut whole = last_first - 1;
        let mut offset = record::SEGMENT_HEADER_BYTES;
        for sequence in last_first..=count {
            offset += record::RECORD_HEADER_BYTES + lengths[usize::try_from(sequence).unwrap() - 1];
            if start.is_some_and(|start| start < offset) { break }
            whole = sequence;
        }
        let last = records.last().map_or(through, |record| record.sequence);
        prop_assert!(last >= whole.max(through), "{last} of {whole}");

        // It goes on, and a second crash keeps what is appended now too.
        let next = reopened.append(b"behind the damage").unwrap();
        prop_assert!(next > last);
        drop(reopened);
        if matches!(again, Damage::None | Damage::LoseCursor) {
            damage(copy.path(), &again, 0);
            let (reopened, _) = open(copy.path());
            let records = pending(&reopened);
            let last = records.last().unwrap();
            prop_assert_eq!((last.sequence, &last.payload[..]), (next, &b"behind the damage"[..]));
        }
    }
}

fn copy_dir(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
