//! Text of every coding into room of any size; segments cut anywhere read as the whole does.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yumen_wire::limits::TEXT_GROWTH_MAX;
use yumen_wire::text::{Coding, Decoder, blank, decode, decode_segment};
use yumen_wire::udh::{Parts, UserData};

const CODINGS: [Coding; 14] = [
    Coding::Gsm7,
    Coding::Gsm7Packed,
    Coding::Ascii,
    Coding::Latin1,
    Coding::Utf8,
    Coding::Ucs2,
    Coding::Ucs2BigEndian,
    Coding::Gb18030,
    Coding::Cyrillic,
    Coding::Hebrew,
    Coding::ShiftJis,
    Coding::Iso2022Jp,
    Coding::KsC5601,
    Coding::Binary,
];

/// Codings whose characters may be cut anywhere: the others have states, or an order that a part doesn't show.
const CUT: [Coding; 5] =
    [Coding::Gsm7, Coding::Latin1, Coding::Utf8, Coding::Ucs2BigEndian, Coding::Gb18030];

fuzz_target!(|input: (u8, u8, u8, &[u8])| {
    let (coding, room, cut, octets) = input;
    let coding = CODINGS[usize::from(coding) % CODINGS.len()];
    let mut buffer = vec![0; usize::from(room)];
    let out = blank(&mut buffer);
    let decoded = decode_segment(coding, &UserData { octets, has_udh: true }.parts(), out);
    assert!(out.is_char_boundary(decoded.written));

    let mut buffer = vec![0; octets.len() * TEXT_GROWTH_MAX + 4];
    let whole = blank(&mut buffer);
    let decoded = decode(coding, octets, whole);
    assert!(!decoded.full);
    if CUT.contains(&coding) {
        let mut buffer = vec![0; octets.len() * TEXT_GROWTH_MAX + 16];
        let out = blank(&mut buffer);
        let (first, second) = octets.split_at(usize::from(cut).min(octets.len()));
        let mut decoder = Decoder::new(coding);
        let mut written = 0;
        for text in [first, second] {
            written += decoder.feed(&Parts { text, ..Parts::default() }, &mut out[written..]).written;
        }
        written += decoder.flush(&mut out[written..]).written;
        assert_eq!(out[..written], whole[..decoded.written]);
    }
});
