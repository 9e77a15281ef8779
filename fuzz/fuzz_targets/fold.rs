//! Any text, into room of any size: views are UTF-8 and stay when folded again; what is extracted lies inside them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yumen_rules::digest::digest;
use yumen_rules::extract::{Contact, extract};
use yumen_rules::fold::{fold, folded_len_max, origin, sound, squeeze};
use yumen_rules::number::{CANONICAL_LEN_MAX, classify};

fuzz_target!(|input: (u8, u8, u8, u8, &str)| {
    let (room, slots, start, len, text) = input;
    let mut buffer = vec![0; folded_len_max(text.len())];
    let folded = fold(text, &mut buffer);
    assert!(!folded.stats().truncated);
    let once = core::str::from_utf8(folded.bytes()).expect("UTF-8");
    let mut again = vec![0; folded_len_max(once.len())];
    assert_eq!(fold(once, &mut again).text(), once);

    let mut view = vec![0; folded.bytes().len() * 2];
    assert!(core::str::from_utf8(squeeze(&folded, &mut view)).is_ok());
    assert!(core::str::from_utf8(sound(&folded, &mut view)).is_ok());
    let (start, len) = (usize::from(start), usize::from(len));
    assert!(text.get(origin(text, start..start + len, &mut again)).is_some());

    let mut contacts = vec![Contact::default(); usize::from(slots % 20)];
    let mut values = vec![0; usize::from(room)];
    let found = extract(text, &folded, &mut contacts, &mut values);
    assert!(found.contacts().all(|(contact, _)| contact.span.end as usize <= once.len()));
    assert!(found.signature.is_none_or(|range| text.get(range).is_some()));

    let mut short = vec![0; usize::from(room)];
    let cut = fold(text, &mut short);
    assert!(core::str::from_utf8(cut.bytes()).is_ok());
    let _ = digest(cut.bytes());
    let _ = classify(text, &mut [0; CANONICAL_LEN_MAX]);
});
