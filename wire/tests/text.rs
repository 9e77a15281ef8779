//! Decoding and encoding of text, against values of the standards and against each other.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic in a test is a failed test"
)]

use proptest::prelude::*;
use yumen_wire::limits::TEXT_GROWTH_MAX;
use yumen_wire::text::{
    Coding, Decoded, Decoder, EncodeError, Language, Shifts, blank, decode, decode_segment, encode_gb18030,
    encode_gsm7, encode_latin1, encode_ucs2, pack, packed_septets, unpack,
};
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

fn decoded(coding: Coding, octets: &[u8]) -> (String, Decoded) {
    let mut buffer = vec![0; octets.len() * TEXT_GROWTH_MAX + 4];
    let out = blank(&mut buffer);
    let decoded = decode(coding, octets, out);
    (out[..decoded.written].to_owned(), decoded)
}

fn text(coding: Coding, octets: &[u8]) -> String {
    decoded(coding, octets).0
}

fn segment(coding: Coding, octets: &[u8]) -> String {
    let mut buffer = vec![0; octets.len() * TEXT_GROWTH_MAX + 4];
    let out = blank(&mut buffer);
    let decoded = decode_segment(coding, &UserData { octets, has_udh: true }.parts(), out);
    out[..decoded.written].to_owned()
}

fn ucs2(text: &str) -> Vec<u8> {
    let mut out = vec![0; text.len() * 2];
    let length = encode_ucs2(text, &mut out).unwrap();
    out.truncate(length);
    out
}

fn gb18030(text: &str) -> Vec<u8> {
    let mut out = vec![0; text.len() * 4 + 4];
    let length = encode_gb18030(text, &mut out).unwrap();
    out.truncate(length);
    out
}

#[test]
fn default_alphabet_and_its_extension_table() {
    assert_eq!(text(Coding::Gsm7, b"\x00\x01\x02\x10\x1E\x24\x40\x60\x7F"), "@£$Δß¤¡¿à");
    assert_eq!(text(Coding::Gsm7, b"\x1B\x65\x1B\x28\x1B\x3C\x1B\x3D\x1B\x3E\x1B\x40"), "€{[~]|");
    assert_eq!(text(Coding::Gsm7, b"\x1B\x14\x1B\x29\x1B\x2F\x1B\x0A"), "^}\\\u{C}");
    assert_eq!(text(Coding::Gsm7, b"\x1BA\x1B\x1BB"), "A B", "undefined: main table; second escape: space");
    assert_eq!(text(Coding::Gsm7, b"A\x1B"), "A");
    let (shown, decoded) = decoded(Coding::Gsm7, b"A\x80B");
    assert_eq!((shown.as_str(), decoded.lossy), ("A\u{FFFD}B", true));
}

#[test]
fn packed_septets_of_the_standard() {
    assert_eq!(
        text(Coding::Gsm7Packed, &[0xE8, 0x32, 0x9B, 0xFD, 0x46, 0x97, 0xD9, 0xEC, 0x37]),
        "hellohello"
    );
    // Seven characters leave seven spare bits, which aren't an eighth one.
    let mut packed = [0; 7];
    assert_eq!(pack(b"abcdefg", 0, &mut packed), Some(7));
    assert_eq!(text(Coding::Gsm7Packed, &packed), "abcdefg");
    assert_eq!(packed_septets(140, 0), 160);
    assert_eq!(packed_septets(134, 1), 153);
    assert_eq!(pack(b"abcdefgh", 0, &mut [0; 6]), None);
}

#[test]
fn packed_septets_start_after_the_fill_bits() {
    let mut wire = [0; 20];
    wire[..6].copy_from_slice(&[5, 0, 3, 0x2A, 2, 1]);
    let length = pack(b"hello", 1, &mut wire[6..]).unwrap();
    assert_eq!(segment(Coding::Gsm7Packed, &wire[..6 + length]), "hello");
}

#[test]
fn national_tables_of_the_header() {
    // Locking shift.
    for (language, septets, shown) in [
        (1, &b"\x04\x07\x0B\x0C\x1C\x1D\x40\x60"[..], "€ıĞğŞşİç"),
        (2, b"\x04\x07", "èì"),
        (3, b"\x04\x09\x12\x15\x18\x40\x7B\x7F", "êçª∞€Íãà"),
        (
            4,
            b"\x00\x03\x0F\x15\x4D\x50\x5F\x60\x7C",
            "\u{981}\u{985}\u{98F}\u{995}\u{9B9}\u{9BE}\u{9CD}\u{9CE}\u{9DC}",
        ),
        (5, b"\x00\x0C\x60\x7F", "\u{A81}\u{A8D}\u{AD0}\u{AF1}"),
        (
            6,
            b"\x00\x03\x15\x22\x2F\x3C\x4E\x5F\x60\x7B",
            "\u{901}\u{905}\u{915}\u{91F}\u{928}\u{929}\u{93C}\u{94D}\u{950}\u{972}",
        ),
        (7, b"\x00\x01\x45\x60\x7B", " \u{C82}\u{CB1}\u{CD5}\u{CD6}"),
        (8, b"\x00\x01\x48\x60\x7F", " \u{D02}\u{D34}\u{D57}\u{D79}"),
        (9, b"\x01\x49\x60\x7B", "\u{B02}\u{B35}\u{B56}\u{B57}"),
        (10, b"\x01\x47\x4A\x60\x7F", "\u{A02}\u{A33}\u{A36}\u{A51}\u{A74}"),
        (11, b"\x01\x15\x1A\x3C\x60\x7F", "\u{B82}\u{B95}\u{B9A}\u{BA9}\u{BD0}\u{BF9}"),
        (12, b"\x00\x45\x60\x7F", "\u{C01}\u{C31}\u{C55}\u{C63}"),
        (13, b"\x00\x09\x3F\x40\x53\x5F\x60\x7F", "\u{627}\u{67F}?\u{635}\u{648}\u{657}\u{654}\u{670}"),
        (14, b"\x04", "è"),
    ] {
        let mut wire = vec![3, 0x25, 1, language];
        wire.extend(septets);
        assert_eq!(segment(Coding::Gsm7, &wire), shown, "locking {language}");
    }
    // Single shift.
    for (language, septets, shown) in [
        (1, &b"\x1B\x53\x1B\x67\x1B\x65"[..], "Şğ€"),
        (2, b"\x1B\x09\x1B\x41\x1B\x75", "çÁú"),
        (3, b"\x1B\x05\x1B\x15\x1B\x7F\x1B\x4F", "êΩâÓ"),
        (4, b"\x1B\x19\x1B\x1C\x1B\x34\x1BZ", "\u{9E6}\u{9E8}\u{9FA}Z"),
        (5, b"\x1B\x19\x1B\x1C\x1B\x25", "\u{964}\u{AE6}\u{AEF}"),
        (6, b"\x1B\x1C\x1B\x2C\x1B\x2F\x1B\x3A", "\u{966}\u{958}\\\u{971}"),
        (12, b"\x1B\x1C\x1B\x32\x1B\x3D", "\u{C66}\u{C7F}~"),
        (13, b"\x1B\x19\x1B\x25\x1B\x3F\x1B\x40\x1B\x65", "\u{600}\u{6F9}\u{6D4}|€"),
    ] {
        let mut wire = vec![3, 0x24, 1, language];
        wire.extend(septets);
        assert_eq!(segment(Coding::Gsm7, &wire), shown, "single {language}");
    }
}

#[test]
fn every_character_of_every_table_is_encoded_back() {
    for locking in Language::ALL {
        for single in Language::ALL {
            let shifts = Shifts { locking, single };
            let header = [6, 0x25, 1, locking as u8, 0x24, 1, single as u8];
            for septet in 0..0x80 {
                for septets in [&[septet][..], &[0x1B, septet][..]] {
                    let wire = [&header, septets].concat();
                    let shown = segment(Coding::Gsm7, &wire);
                    let mut again = header.to_vec();
                    again.resize(32, 0);
                    let length = encode_gsm7(&shown, shifts, &mut again[7..]).unwrap();
                    assert_eq!(segment(Coding::Gsm7, &again[..7 + length]), shown, "{shifts:?} {septets:x?}");
                }
            }
        }
    }
}

#[test]
fn ucs2_with_surrogates_whole_and_unpaired() {
    assert_eq!(text(Coding::Ucs2, &ucs2("【测试】验证码1234😀")), "【测试】验证码1234😀");
    let (shown, lone) = decoded(Coding::Ucs2, b"\x4E\x00\xD8\x3D\x4E\x8C");
    assert_eq!((shown.as_str(), lone.lossy), ("一\u{FFFD}二", true));
    assert_eq!(text(Coding::Ucs2, b"\xDE\x00\x4E\x00"), "\u{FFFD}一");
    assert_eq!(text(Coding::Ucs2, b"\x4E\x00\xD8\x3D"), "一\u{FFFD}");
    assert_eq!(text(Coding::Ucs2, b"\x4E\x00\x4E"), "一\u{FFFD}");
    let long: String = "长😀".repeat(200);
    assert_eq!(text(Coding::Ucs2, &ucs2(&long)), long, "a pair never falls between two runs");
}

#[test]
fn ucs2_of_the_other_byte_order() {
    let sentence = "您的验证码是1234，请勿泄露";
    let swapped: Vec<u8> = sentence.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (shown, order) = decoded(Coding::Ucs2, &swapped);
    assert_eq!((shown.as_str(), order.little_endian), (sentence, true));
    assert_ne!(text(Coding::Ucs2BigEndian, &swapped), sentence);
    assert_eq!(text(Coding::Ucs2, &[b"\xFF\xFE", &swapped[..]].concat()), sentence);
    assert_eq!(text(Coding::Ucs2, &[b"\xFE\xFF", &ucs2(sentence)[..]].concat()), sentence);
    for honest in ["안녕하세요", "Привет", "مرحبا", "สวัสดี", "😀😀", "é"] {
        let (shown, order) = decoded(Coding::Ucs2, &ucs2(honest));
        assert_eq!((shown.as_str(), order.little_endian), (honest, false));
    }
}

#[test]
fn octet_codings() {
    assert_eq!(text(Coding::Latin1, b"caf\xE9"), "café");
    assert!(decoded(Coding::Ascii, b"caf\xE9").1.lossy);
    assert_eq!(text(Coding::Ascii, b"caf\xE9"), "caf\u{FFFD}");
    assert_eq!(text(Coding::Cyrillic, b"\xBF\xE0\xD8\xD2\xD5\xE2"), "Привет");
    assert_eq!(text(Coding::Hebrew, b"\xF9\xEC\xE5\xED"), "שלום");
    assert_eq!(text(Coding::ShiftJis, b"\x93\xFA\x96\x7B"), "日本");
    assert_eq!(text(Coding::KsC5601, b"\xC7\xD1\xB1\xB9"), "한국");
    assert_eq!(text(Coding::Gb18030, &gb18030("退订回T。𠀀")), "退订回T。𠀀");
    assert_eq!(text(Coding::Binary, b"\x01\x02"), "");
}

#[test]
fn a_full_output_ends_at_a_character() {
    let mut buffer = [0; 7];
    let out = blank(&mut buffer);
    let cut = decode(Coding::Ucs2, &ucs2("验证码"), out);
    assert_eq!((&out[..cut.written], cut.full), ("验证", true));
}

#[test]
fn what_a_coding_has_not_is_named() {
    let mut out = [0; 64];
    assert_eq!(encode_gsm7("验", Shifts::default(), &mut out), Err(EncodeError::Unmappable('验')));
    assert_eq!(encode_gsm7("\0", Shifts::default(), &mut out), Err(EncodeError::Unmappable('\0')));
    assert_eq!(encode_latin1("€", &mut out), Err(EncodeError::Unmappable('€')));
    assert_eq!(encode_ucs2("ab", &mut out[..3]), Err(EncodeError::BufferFull));
}

/// Feeds `octets` cut at `cuts`, flushes, and gives the text.
fn fed(coding: Coding, octets: &[u8], cuts: &[usize]) -> String {
    let mut decoder = Decoder::new(coding);
    let mut buffer = vec![0; octets.len() * TEXT_GROWTH_MAX + 16];
    let out = blank(&mut buffer);
    let mut written = 0;
    let mut start = 0;
    for end in cuts.iter().copied().chain([octets.len()]) {
        let end = end.clamp(start, octets.len());
        written += decoder
            .feed(&Parts { text: &octets[start..end], ..Parts::default() }, &mut out[written..])
            .written;
        start = end;
    }
    written += decoder.flush(&mut out[written..]).written;
    out[..written].to_owned()
}

#[test]
fn characters_split_at_a_border_of_segments() {
    let wire = gb18030("验证码𠀀");
    for cut in 0..=wire.len() {
        assert_eq!(fed(Coding::Gb18030, &wire, &[cut]), "验证码𠀀", "{cut}");
    }
    let wire = ucs2("一😀二");
    for cut in 0..=wire.len() {
        assert_eq!(fed(Coding::Ucs2BigEndian, &wire, &[cut]), "一😀二", "{cut}");
    }
    assert_eq!(fed(Coding::Gsm7, b"a\x1B\x65b", &[2]), "a€b");
    for cut in 0..4 {
        assert_eq!(fed(Coding::Gsm7, b"a\x1B\x1B", &[cut]), "a ", "two escapes are a space");
    }
    assert_eq!(fed(Coding::Gb18030, &gb18030("验")[..1], &[]), "\u{FFFD}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_octets_decode_into_any_room(octets: Vec<u8>, room in 0usize..64, fill in 0usize..14) {
        for coding in CODINGS {
            let mut buffer = vec![0; room];
            let out = blank(&mut buffer);
            let decoded = decode(coding, &octets, out);
            prop_assert!(out.is_char_boundary(decoded.written));
            let mut buffer = vec![0; room];
            let parts = Parts { text: &octets, udh_bytes: fill, ..Parts::default() };
            let out = blank(&mut buffer);
            let decoded = decode_segment(coding, &parts, out);
            prop_assert!(out.is_char_boundary(decoded.written));
        }
    }

    #[test]
    fn the_promised_room_is_enough(octets: Vec<u8>) {
        for coding in CODINGS {
            prop_assert!(!decoded(coding, &octets).1.full, "{coding:?}");
        }
    }

    #[test]
    fn text_comes_back_from_ucs2_and_gb18030(sent: String) {
        prop_assert_eq!(text(Coding::Ucs2BigEndian, &ucs2(&sent)), sent.clone());
        // GB 18030 as the Encoding Standard has it folds some private-use characters.
        if !sent.chars().any(|c| ('\u{E000}'..='\u{F8FF}').contains(&c)) {
            prop_assert_eq!(text(Coding::Gb18030, &gb18030(&sent)), sent);
        }
    }

    #[test]
    fn cuts_change_nothing(octets: Vec<u8>, mut cuts in prop::collection::vec(0usize..100, 0..5)) {
        cuts.sort_unstable();
        for coding in [Coding::Ucs2BigEndian, Coding::Gb18030, Coding::Utf8, Coding::Gsm7, Coding::Latin1] {
            prop_assert_eq!(fed(coding, &octets, &cuts), text(coding, &octets), "{:?}", coding);
        }
    }

    #[test]
    fn common_text_in_ucs2_is_read_in_its_order(sent in "[一-龥0-9，。！]{1,70}") {
        let (shown, order) = decoded(Coding::Ucs2, &ucs2(&sent));
        prop_assert_eq!(shown, sent);
        prop_assert!(!order.little_endian);
    }

    #[test]
    fn packed_septets_unpack_to_themselves(septets in prop::collection::vec(0u8..0x80, 0..160), fill in 0u8..7) {
        let mut packed = [0; 160];
        let length = pack(&septets, fill, &mut packed).unwrap();
        let mut unpacked = [0xFF; 160];
        let count = unpack(&packed[..length], fill, septets.len(), &mut unpacked);
        prop_assert_eq!(&unpacked[..count], &septets[..]);
    }
}
