//! A number list with any bytes changed, its checksums made right again if asked: it is refused, or what it says is the same however it is
//! asked.
#![no_main]

use std::io::Cursor;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use yumen_compiler::numbers::Writer;
use yumen_rules::numbers::{CHECKSUM, Header, Key, Layout, Listed, Range, SIGNATURE_LEN};

type Input<'a> = (Vec<(u16, u8)>, Option<u16>, bool, u64, &'a str);

fuzz_target!(|input: Input<'_>| {
    let (changes, cut, mend, key, number) = input;
    let mut bytes = whole().to_vec();
    let len = bytes.len();
    for (at, value) in changes {
        bytes[usize::from(at) % len] = value;
    }
    bytes.truncate(cut.map_or(len, |cut| usize::from(cut) % (len + 1)));
    if mend {
        mend_checksums(&mut bytes);
    }
    // Unchecked bytes under a good layout give wrong answers, and nothing worse.
    let good = Layout::new_checked(whole()).expect("a whole list");
    let _ = good.set(&bytes).lookup(number);
    let _ = good.set(&bytes).entries().take(len * 64).count();
    let Ok(layout) = Layout::new_checked(&bytes) else { return };
    let set = layout.set(&bytes);
    let _ = set.lookup(number);
    let _ = set.value_of(Key { value: key, cut: false });
    let mut before = None;
    let mut count = 0;
    for (key, value) in set.entries() {
        assert!(before.is_none_or(|before| before < key));
        assert_eq!(set.value_of(Key { value: key, cut: false }), Some(value));
        assert!(set.listed(value).is_some());
        (before, count) = (Some(key), count + 1);
    }
    assert_eq!(count, set.len());
    for range in set.ranges() {
        assert!(range.first <= range.last && set.listed(range.value).is_some());
    }
});

/// The first block's and the index's.
fn mend_checksums(bytes: &mut [u8]) {
    let Ok(header) = Header::new_checked(bytes) else { return };
    let Ok(index_at) = usize::try_from(header.index_at) else { return };
    let Some(end) = bytes.len().checked_sub(SIGNATURE_LEN) else { return };
    if (132..end).contains(&index_at) {
        let checksum = CHECKSUM.checksum(&bytes[132..index_at]);
        bytes[128..132].copy_from_slice(&checksum.to_le_bytes());
    }
    // The checksum stands in the last 8 bytes before the signature, with or without zeros behind it.
    for at in end.saturating_sub(8)..end.saturating_sub(3) {
        if at < index_at || at < 128 {
            continue;
        }
        let mut digest = CHECKSUM.digest();
        digest.update(&bytes[..Header::KEY_ID_AT]);
        digest.update(&bytes[index_at..at]);
        let mut mended = bytes.to_vec();
        mended[at..at + 4].copy_from_slice(&digest.finalize().to_le_bytes());
        if Layout::new_checked(&mended).is_ok() {
            bytes.copy_from_slice(&mended);
            return;
        }
    }
}

fn whole() -> &'static [u8] {
    static LIST: OnceLock<Vec<u8>> = OnceLock::new();
    LIST.get_or_init(|| {
        let palette = (1..=9).map(|score| Listed { score, typology: None }).collect();
        let mut writer = Writer::new(Cursor::new(Vec::new()), palette).expect("memory");
        for nth in 0..40u64 {
            writer.push(113_800_000_000 + nth * nth * 3, u16::try_from(nth % 9).expect("small")).expect("in order");
        }
        let header = Header::new("fuzz").expect("a name");
        let ranges = [Range { first: 1170, last: 1179, value: 3, longer: false }];
        writer.finish(&header, &ranges).expect("memory").into_inner()
    })
}
