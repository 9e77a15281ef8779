//! Lists against what a map says, damaged ones, and the whole way from lines to answers.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::PathBuf;

use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use yumen_matcher::{
    Keyring, LoadedNumbers, NumbersOptions as LoadOptions, NumbersRefusal, Residence, Trust,
};
use yumen_rules::numbers::{
    BLOCK_HEADER_LEN, Header, Key, Layout, Listed, NumbersError, Range, SIGNATURE_LEN, spans,
};
use yumen_rules::verdict::Typology;

use super::*;

const PALETTE: [Listed; 3] = [
    Listed { score: 10, typology: None },
    Listed { score: 60, typology: Some(Typology::Fraud) },
    Listed { score: 100, typology: Some(Typology::DebtCollection) },
];

fn bytes(entries: &BTreeMap<u64, u16>, ranges: &[Range]) -> Vec<u8> {
    let mut writer = Writer::new(Cursor::new(Vec::new()), PALETTE.to_vec()).unwrap();
    entries.iter().for_each(|(&key, &value)| writer.push(key, value).unwrap());
    let mut header = Header::new("test").unwrap();
    (header.serial, header.expires_s) = (7, u64::MAX);
    writer.finish(&header, ranges).unwrap().into_inner()
}

/// Keys as lists have them: dense runs, thin stretches, and far jumps.
fn keys() -> impl Strategy<Value = BTreeMap<u64, u16>> {
    let cluster = (0u64..1 << 62, 1u64..5_000, 1usize..400);
    proptest::collection::vec((cluster, any::<u64>()), 0..8).prop_map(|clusters| {
        let mut keys = BTreeMap::new();
        for ((start, step, len), seed) in clusters {
            let mut key = start;
            for nth in 0..len as u64 {
                keys.insert(key, u16::try_from((seed ^ nth) % 3).unwrap());
                key += 1 + (seed.rotate_left(u32::try_from(nth % 64).unwrap()) % step);
            }
        }
        keys
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_list_says_what_a_map_says(entries in keys(), strays in proptest::collection::vec(0u64..1 << 62, 0..50)) {
        let bytes = bytes(&entries, &[]);
        let layout = Layout::new_checked(&bytes).unwrap();
        let set = layout.set(&bytes);
        prop_assert_eq!(set.len(), entries.len() as u64);
        let near = entries.keys().flat_map(|key| [key.saturating_sub(1), *key, key + 1]);
        for key in near.chain(strays).chain([0, u64::MAX]) {
            let found = set.value_of(Key { value: key, cut: false });
            prop_assert_eq!(found, entries.get(&key).copied(), "{}", key);
            prop_assert_eq!(set.value_of(Key { value: key, cut: true }), None);
        }
        let listed: Vec<(u64, u16)> = set.entries().collect();
        prop_assert_eq!(listed, entries.into_iter().collect::<Vec<_>>());
    }

    /// Whatever is done to the bytes: they are refused, or still hold what they held; and no look at them panics, checked or not.
    #[test]
    fn damage_is_found(entries in keys(), changes in proptest::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..4), cut in any::<prop::sample::Index>()) {
        let whole = bytes(&entries, &[Range { first: 5, last: 9, value: 1, longer: false }]);
        let layout = Layout::new_checked(&whole).unwrap();
        let mut damaged = whole.clone();
        // A key id and a signature are the keyring's to check.
        let checked = |at: usize| !(120..128).contains(&at) && at < whole.len() - SIGNATURE_LEN;
        let mut touched = false;
        for (at, flip) in changes {
            let at = at.index(whole.len());
            damaged[at] ^= flip;
            touched |= checked(at) && damaged[at] != whole[at];
        }
        let result = Layout::new_checked(&damaged);
        let only_padding = damaged.iter().zip(&whole).enumerate().all(|(at, (a, b))| a == b || !checked(at) || is_tail_padding(at, &layout, whole.len()));
        if touched && damaged != whole && !only_padding {
            prop_assert!(result.is_err());
        }
        for set in [layout.set(&damaged), layout.set(&whole[..cut.index(whole.len())])] {
            for key in entries.keys().take(50).copied().chain([0, 7, u64::MAX]) {
                let _ = set.value_of(Key { value: key, cut: false }).and_then(|value| set.listed(value));
            }
            let _ = set.entries().take(entries.len() + 1000).count();
            let _ = set.ranges().count();
        }
        prop_assert!(Layout::new_checked(&whole[..cut.index(whole.len())]).is_err());
    }
}

/// The zeros between the checksum and the signature: nobody reads them.
fn is_tail_padding(at: usize, layout: &Layout, len: usize) -> bool {
    let header = layout.header();
    let index = usize::try_from(header.index_at).unwrap();
    let blocks = usize::try_from(header.blocks).unwrap();
    let checksum = index
        + blocks * 12
        + 4
        + blocks.div_ceil(64) * 8
        + usize::try_from(header.ranges).unwrap() * 24
        + usize::from(header.palette) * 2;
    (checksum + 4..len - SIGNATURE_LEN).contains(&at)
}

#[test]
fn a_block_that_contradicts_itself_is_refused_whatever_its_checksum() {
    let entries: BTreeMap<u64, u16> = (0..100).map(|nth| (1_000 + nth * nth, 1)).collect();
    let whole = bytes(&entries, &[]);
    let mut refused = 0;
    // Each bit of the block in turn, the checksum made right again.
    let block_len = usize::try_from(Layout::new_checked(&whole).unwrap().header().index_at).unwrap() - 128;
    for bit in 32..block_len * 8 {
        let mut changed = whole.clone();
        changed[128 + bit / 8] ^= 1 << (bit % 8);
        let checksum = yumen_rules::numbers::CHECKSUM.checksum(&changed[132..128 + block_len]);
        changed[128..132].copy_from_slice(&checksum.to_le_bytes());
        match Layout::new_checked(&changed) {
            Err(NumbersError::Block(0) | NumbersError::Index(_) | NumbersError::Header) => refused += 1,
            Err(other) => panic!("bit {bit}: {other}"),
            // Other low bits or values may make another list that is in order.
            Ok(layout) => assert_eq!(layout.set(&changed).entries().count(), entries.len()),
        }
    }
    assert!(refused > BLOCK_HEADER_LEN, "{refused} of {}", block_len * 8);
}

#[test]
fn a_number_s_own_entry_counts_before_its_range() {
    let key = |number| Key::of(number).unwrap().value;
    let entries = BTreeMap::from([(key("17000000001"), 2)]);
    let ranges: Vec<Range> = spans("170")
        .map(|span| Range { first: span.first, last: span.last, value: 0, longer: span.longer })
        .collect();
    let bytes = bytes(&entries, &ranges);
    let set = Layout::new_checked(&bytes).unwrap();
    let set = set.set(&bytes);
    let score = |number| set.lookup(number).map(|listed| listed.score);
    assert_eq!(score("17000000001"), Some(100));
    assert_eq!(score("17000000002"), Some(10));
    assert_eq!(score("170000000000000000000000"), Some(10), "longer than a key, and begins so");
    for nobody in ["17100000001", "1", "+17000000001", "+8617000000001", "EXAMPLE", ""] {
        assert_eq!(score(nobody), None, "{nobody}");
    }
}

struct Made {
    folder: tempfile::TempDir,
    key: SigningKey,
}

impl Made {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), key: SigningKey::from_bytes(&[7; 32]) }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("test.ynl")
    }

    fn build(
        &self,
        text: &str,
        change: impl FnOnce(&mut NumbersOptions<'_>),
    ) -> Result<Summary, NumbersBuildError> {
        let source = self.folder.path().join("test.csv");
        std::fs::write(&source, text).unwrap();
        let mut options = NumbersOptions {
            name: "test".to_owned(),
            serial: 5,
            created_s: 0,
            expires_s: 2_000,
            key: Some(&self.key),
            memory_bytes: 1 << 20,
            duplicates: Duplicates::Highest,
        };
        change(&mut options);
        build(&[source], &self.path(), &options)
    }

    fn open(&self, change: impl FnOnce(&mut LoadOptions<'_>)) -> Result<LoadedNumbers, NumbersRefusal> {
        let keyring = Keyring::new([self.key.verifying_key()]);
        let mut options = LoadOptions {
            trust: Trust::Keyring(&keyring),
            now_s: Some(1_000),
            last_serial: Some(5),
            name: Some("test"),
            residence: Residence::Map,
        };
        change(&mut options);
        LoadedNumbers::open(&self.path(), &options)
    }
}

#[test]
fn lines_become_a_list_that_a_gateway_takes() {
    let made = Made::new();
    let text = "number,score,typology\n+86 138 0000 0001,80,fraud\n0138-0000-0001,60\n95588,5\n170*,40\n1700000*,70\n+447700900123,90\n\n# end\n";
    let summary = made.build(text, |_| {}).unwrap();
    assert_eq!((summary.lines, summary.numbers, summary.duplicates), (9, 3, 1));
    for residence in [Residence::Map, Residence::Copy] {
        let list = made.open(|options| options.residence = residence).unwrap();
        let score = |number: &str| list.set().lookup(number).map(|listed| listed.score);
        assert_eq!(list.set().lookup("13800000001").unwrap().typology, Some(Typology::Fraud));
        assert_eq!(score("13800000001"), Some(80), "the higher of the two");
        assert_eq!((score("17000000001"), score("17012345678")), (Some(70), Some(40)));
        assert_eq!((score("95588"), score("+447700900123")), (Some(5), Some(90)));
        assert_eq!((score("95589"), score("447700900123")), (None, None));
    }
}

#[test]
fn the_same_lines_give_the_same_bytes_however_little_memory_there_is() {
    let made = Made::new();
    let text: String = (0..20_000u64)
        .map(|nth| format!("138{:08},{}\n", nth.wrapping_mul(2_654_435_761) % 100_000_000, 1 + nth % 100))
        .collect();
    let mut files = Vec::new();
    for memory_bytes in [16 * 700, 1 << 30] {
        made.build(&text, |options| options.memory_bytes = memory_bytes).unwrap();
        files.push(std::fs::read(made.path()).unwrap());
    }
    assert!(files[0] == files[1]);
    assert_eq!(std::fs::read_dir(made.folder.path()).unwrap().count(), 2, "nothing is left behind");
}

#[test]
fn wrong_lines_are_named_and_nothing_is_made() {
    let made = Made::new();
    let NumbersBuildError::Lines(errors, 0) =
        made.build("13800000001,80\n\nhello,1\n13800000002,0\n", |_| {}).unwrap_err()
    else {
        panic!("lines are wrong")
    };
    let places: Vec<u64> = errors.iter().map(|error| error.line).collect();
    assert_eq!(places, [3, 4]);
    let refuse = |options: &mut NumbersOptions<'_>| options.duplicates = Duplicates::Refuse;
    for (text, line, defect) in [
        ("13800000001,80\n95588,1\n+8613800000001,81\n", 3, LineDefect::Differs(1)),
        ("170*,80\n170*,81\n", 2, LineDefect::Differs(1)),
        ("100..200,80\n150..250,81\n", 2, LineDefect::Overlaps(1)),
    ] {
        let NumbersBuildError::Lines(errors, _) = made.build(text, refuse).unwrap_err() else {
            panic!("{text}")
        };
        assert_eq!((errors[0].line, &errors[0].defect), (line, &defect));
        assert!(!made.path().exists() && std::fs::read_dir(made.folder.path()).unwrap().count() == 1);
    }
    made.build("13800000001,80\n13800000001,80\n", refuse).unwrap();
    assert!(matches!(
        made.build("1,1", |options| options.name = "No".to_owned()),
        Err(NumbersBuildError::Name(_))
    ));
}

#[test]
fn each_refusal_has_its_reason() {
    let made = Made::new();
    made.build("13800000001,80\n", |_| {}).unwrap();
    let code =
        |made: &Made, change: fn(&mut LoadOptions<'_>)| made.open(change).map(drop).unwrap_err().code();
    assert_eq!(code(&made, |options| options.now_s = Some(2_000)), "expired");
    assert_eq!(code(&made, |options| options.last_serial = Some(6)), "older");
    assert_eq!(code(&made, |options| options.name = Some("other")), "name");
    let good = std::fs::read(made.path()).unwrap();
    let with = |change: fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        std::fs::write(made.path(), bytes).unwrap();
        made.open(|_| {}).map(drop).unwrap_err().code()
    };
    assert_eq!(with(|bytes| bytes.truncate(100)), "damaged");
    assert_eq!(with(|bytes| bytes.push(0)), "damaged");
    assert_eq!(with(|bytes| bytes[16] = 9), "bad-signature");
    assert_eq!(with(|bytes| bytes[140] ^= 1), "bad-signature");
    assert_eq!(with(|bytes| bytes[120] ^= 1), "foreign-key");
    let mode = |mode| {
        let open = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(made.path(), open).unwrap();
    };
    std::fs::write(made.path(), &good).unwrap();
    mode(0o664);
    assert_eq!(code(&made, |_| {}), "open-file");
    mode(0o644);
    made.build("13800000001,80\n", |options| options.key = None).unwrap();
    assert_eq!(code(&made, |_| {}), "unsigned");
    assert!(made.open(|options| options.trust = Trust::Anything).is_ok());
}

#[test]
fn a_replaced_file_lives_on_while_it_is_mapped() {
    let made = Made::new();
    made.build("13800000001,80\n", |_| {}).unwrap();
    let old = made.open(|_| {}).unwrap();
    made.build("13800000002,80\n", |options| options.serial = 6).unwrap();
    let new = made.open(|_| {}).unwrap();
    let has = |list: &LoadedNumbers, number: &str| list.set().lookup(number).is_some();
    assert!(has(&old, "13800000001") && !has(&old, "13800000002"));
    assert!(has(&new, "13800000002") && !has(&new, "13800000001"));
}

#[test]
fn changes_are_what_differs() {
    let made = Made::new();
    let list = |text: &str| {
        made.build(text, |_| {}).unwrap();
        made.open(|options| options.residence = Residence::Copy).unwrap()
    };
    let old = list("13800000001,80\n13800000002,50\n170*,10\n171*,10\n");
    let new = list("13800000002,60,fraud\n13800000003,1\n170*,20\n171*,10\n");
    let mut singles = Vec::new();
    let mut ranges = 0;
    for change in changes(&old.set(), &new.set()) {
        let score = |listed: Option<Listed>| listed.map(|listed| listed.score);
        if change.first == change.last && change.first > 100_000_000_000 {
            singles.push((change.first % 10, score(change.old), score(change.new)));
        } else {
            ranges += 1;
            assert_eq!((score(change.old), score(change.new)), (Some(10), Some(20)));
        }
    }
    assert_eq!(singles, [(1, Some(80), None), (2, Some(50), Some(60)), (3, None, Some(1))]);
    assert_eq!(ranges, 16);
    assert_eq!(changes(&old.set(), &old.set()).count(), 0);
}

/// Numbers as subscribers have them: H codes that are in use, each with a part of its ten thousand lines.
#[test]
fn a_list_of_subscribers_is_small() {
    let mut random = 0x9E37_79B9_7F4A_7C15u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let palette: Vec<Listed> = (1..=100).map(|score| Listed { score, typology: None }).collect();
    let mut writer = Writer::new(Cursor::new(Vec::new()), palette).unwrap();
    let mut entries = 0u32;
    for code in 0..2_000u64 {
        for line in 0..10_000 {
            if next() % 100 == 0 {
                let value = u16::try_from(next() % 100).unwrap();
                writer.push(113_800_000_000 + code * 10_000 + line, value).unwrap();
                entries += 1;
            }
        }
    }
    let bytes = writer.finish(&Header::new("test").unwrap(), &[]).unwrap().into_inner();
    let each = bytes.len() as f64 / f64::from(entries);
    assert!(each < 2.5, "{each} bytes a number");
    assert!(Layout::new_checked(&bytes).is_ok());
}
