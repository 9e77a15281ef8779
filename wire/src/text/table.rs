//! The GSM 7-bit default alphabet and the national language tables (3GPP TS 23.038 §6.2.1, annex A).
//!
//! Tables map a septet to a UTF-16 unit: all of them lie in the Basic Multilingual Plane. A locking table has a space
//! where nothing is defined; an extension table has 0.

use super::{Language, indic};

pub(super) type Table = [u16; 128];

/// Instead of the default alphabet.
pub(super) const fn locking(language: Language) -> &'static Table {
    match language {
        // Spanish has no locking table of its own (§6.2.1.2.4).
        Language::Default | Language::Spanish => &DEFAULT,
        Language::Turkish => &TURKISH,
        Language::Portuguese => &PORTUGUESE,
        Language::Bengali => &indic::BENGALI,
        Language::Gujarati => &indic::GUJARATI,
        Language::Hindi => &indic::HINDI,
        Language::Kannada => &indic::KANNADA,
        Language::Malayalam => &indic::MALAYALAM,
        Language::Oriya => &indic::ORIYA,
        Language::Punjabi => &indic::PUNJABI,
        Language::Tamil => &indic::TAMIL,
        Language::Telugu => &indic::TELUGU,
        Language::Urdu => &indic::URDU,
    }
}

/// Instead of the default extension table.
pub(super) const fn single(language: Language) -> &'static Table {
    match language {
        Language::Default => &EXTENSION,
        Language::Turkish => &TURKISH_EXTENSION,
        Language::Spanish => &SPANISH_EXTENSION,
        Language::Portuguese => &PORTUGUESE_EXTENSION,
        Language::Bengali => &indic::BENGALI_EXTENSION,
        Language::Gujarati => &indic::GUJARATI_EXTENSION,
        Language::Hindi => &indic::HINDI_EXTENSION,
        Language::Kannada => &indic::KANNADA_EXTENSION,
        Language::Malayalam => &indic::MALAYALAM_EXTENSION,
        Language::Oriya => &indic::ORIYA_EXTENSION,
        Language::Punjabi => &indic::PUNJABI_EXTENSION,
        Language::Tamil => &indic::TAMIL_EXTENSION,
        Language::Telugu => &indic::TELUGU_EXTENSION,
        Language::Urdu => &indic::URDU_EXTENSION,
    }
}

/// §6.2.1. The escape stands as a space.
static DEFAULT: Table = table(concat!(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ",
    " !\"#¤%&'()*+,-./0123456789:;<=>?",
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§",
    "¿abcdefghijklmnopqrstuvwxyzäöñüà",
));

/// A.3.1.
static TURKISH: Table = table(concat!(
    "@£$¥€éùıòÇ\nĞğ\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ŞşßÉ",
    " !\"#¤%&'()*+,-./0123456789:;<=>?",
    "İABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§",
    "çabcdefghijklmnopqrstuvwxyzäöñüà",
));

/// A.3.3.
static PORTUGUESE: Table = table(concat!(
    "@£$¥êéúíóç\nÔô\rÁáΔ_ªÇÀ∞^\\€Ó| ÂâÊÉ",
    " !\"#º%&'()*+,-./0123456789:;<=>?",
    "ÍABCDEFGHIJKLMNOPQRSTUVWXYZÃÕÚÜ§",
    "~abcdefghijklmnopqrstuvwxyzãõ`üà",
));

/// §6.2.1.1.
static EXTENSION: Table = extension(EMPTY, BRACKETS);

/// A.2.1.
static TURKISH_EXTENSION: Table = extension(
    extension(EMPTY, BRACKETS),
    &[(0x47, 'Ğ'), (0x49, 'İ'), (0x53, 'Ş'), (0x63, 'ç'), (0x67, 'ğ'), (0x69, 'ı'), (0x73, 'ş')],
);

/// A.2.2.
static SPANISH_EXTENSION: Table = extension(extension(EMPTY, BRACKETS), SPANISH);

/// A.2.3.
static PORTUGUESE_EXTENSION: Table = extension(
    extension(extension(EMPTY, BRACKETS), SPANISH),
    &[
        (0x05, 'ê'),
        (0x0B, 'Ô'),
        (0x0C, 'ô'),
        (0x0E, 'Á'),
        (0x0F, 'á'),
        (0x12, 'Φ'),
        (0x13, 'Γ'),
        (0x15, 'Ω'),
        (0x16, 'Π'),
        (0x17, 'Ψ'),
        (0x18, 'Σ'),
        (0x19, 'Θ'),
        (0x1F, 'Ê'),
        (0x41, 'À'),
        (0x5B, 'Ã'),
        (0x5C, 'Õ'),
        (0x61, 'Â'),
        (0x7B, 'ã'),
        (0x7C, 'õ'),
        (0x7F, 'â'),
    ],
);

pub(super) const EMPTY: Table = [0; 128];

/// What every extension table has.
pub(super) const BRACKETS: &[(u8, char)] = &[
    (0x0A, '\u{C}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

const SPANISH: &[(u8, char)] = &[
    (0x09, 'ç'),
    (0x41, 'Á'),
    (0x49, 'Í'),
    (0x4F, 'Ó'),
    (0x55, 'Ú'),
    (0x61, 'á'),
    (0x69, 'í'),
    (0x6F, 'ó'),
    (0x75, 'ú'),
];

/// A table of 128 characters in the order of their septets.
pub(super) const fn table(text: &str) -> Table {
    let octets = text.as_bytes();
    let mut table = [0; 128];
    let (mut at, mut septet) = (0, 0);
    while at < octets.len() {
        let lead = octets[at] as u16;
        (table[septet], at) = match lead {
            0x00..=0x7F => (lead, at + 1),
            0xC0..=0xDF => ((lead & 0x1F) << 6 | continuation(octets, at + 1), at + 2),
            _ => (
                (lead & 0x0F) << 12 | continuation(octets, at + 1) << 6 | continuation(octets, at + 2),
                at + 3,
            ),
        };
        septet += 1;
    }
    assert!(septet == 128, "a table has 128 characters");
    table
}

const fn continuation(octets: &[u8], at: usize) -> u16 {
    (octets[at] & 0x3F) as u16
}

/// `base` with these characters put over it.
pub(super) const fn extension(mut table: Table, characters: &[(u8, char)]) -> Table {
    let mut at = 0;
    while at < characters.len() {
        let (septet, character) = characters[at];
        assert!((character as u32) < 0x1_0000, "of the Basic Multilingual Plane");
        table[septet as usize] = character as u16;
        at += 1;
    }
    table
}
