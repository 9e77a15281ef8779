//! National language tables of the Indic scripts and of Urdu (3GPP TS 23.038 annex A).

use super::table::{BRACKETS, EMPTY, Table, extension, table};

/// A.3.4.
pub(super) static BENGALI: Table = indic(
    0x0980,
    &[0x0D, 0x0E, 0x11, 0x12, 0x29, 0x31, 0x33, 0x34, 0x35, 0x45, 0x46, 0x49, 0x4A],
    0x4E,
    [0x57, 0x5C, 0x5D, 0x70, 0x71],
);

/// A.3.5.
pub(super) static GUJARATI: Table =
    indic(0x0A80, &[0x0E, 0x12, 0x29, 0x31, 0x34, 0x46, 0x4A], 0x50, [0x60, 0x61, 0x62, 0x63, 0x71]);

/// A.3.6.
pub(super) static HINDI: Table = indic(0x0900, &[], 0x50, [0x72, 0x7B, 0x7C, 0x7E, 0x7F]);

/// A.3.7.
pub(super) static KANNADA: Table =
    indic(0x0C80, &[0x01, 0x0D, 0x11, 0x29, 0x34, 0x45, 0x49], 0x55, [0x56, 0x60, 0x61, 0x62, 0x63]);

/// A.3.8.
pub(super) static MALAYALAM: Table =
    indic(0x0D00, &[0x01, 0x0D, 0x11, 0x29, 0x3C, 0x45, 0x49], 0x57, [0x60, 0x61, 0x62, 0x63, 0x79]);

/// A.3.9.
pub(super) static ORIYA: Table = indic(
    0x0B00,
    &[0x0D, 0x0E, 0x11, 0x12, 0x29, 0x31, 0x34, 0x45, 0x46, 0x49, 0x4A],
    0x56,
    [0x57, 0x60, 0x61, 0x62, 0x63],
);

/// A.3.10.
pub(super) static PUNJABI: Table = indic(
    0x0A00,
    &[0x0B, 0x0C, 0x0D, 0x0E, 0x11, 0x12, 0x29, 0x31, 0x34, 0x37, 0x3D, 0x43, 0x44, 0x45, 0x46, 0x49, 0x4A],
    0x51,
    [0x70, 0x71, 0x72, 0x73, 0x74],
);

/// A.3.11.
pub(super) static TAMIL: Table = indic(
    0x0B80,
    &[
        0x01, 0x0B, 0x0C, 0x0D, 0x11, 0x16, 0x17, 0x18, 0x1B, 0x1D, 0x20, 0x21, 0x22, 0x25, 0x26, 0x27, 0x2B,
        0x2C, 0x2D, 0x3C, 0x3D, 0x43, 0x44, 0x45, 0x49,
    ],
    0x50,
    [0x57, 0x70, 0x71, 0x72, 0x79],
);

/// A.3.12.
pub(super) static TELUGU: Table =
    indic(0x0C00, &[0x0D, 0x11, 0x29, 0x34, 0x3C, 0x45, 0x49], 0x55, [0x56, 0x60, 0x61, 0x62, 0x63]);

/// A.3.13.
pub(super) static URDU: Table = table(concat!(
    "\u{627}\u{622}\u{628}\u{67B}\u{680}\u{67E}\u{6A6}\u{62A}\u{6C2}\u{67F}\n\u{679}\u{67D}\r\u{67A}\u{67C}",
    "\u{62B}\u{62C}\u{681}\u{684}\u{683}\u{685}\u{686}\u{687}\u{62D}\u{62E}\u{62F} \u{68C}\u{688}\u{689}\u{68A}",
    " !\u{68F}\u{68D}\u{630}\u{631}\u{691}\u{693})(\u{699}\u{632},\u{696}.\u{698}",
    "0123456789:;\u{69A}\u{633}\u{634}?",
    "\u{635}\u{636}\u{637}\u{638}\u{639}\u{641}\u{642}\u{6A9}\u{6AA}\u{6AB}\u{6AF}\u{6B3}\u{6B1}\u{644}\u{645}\u{646}",
    "\u{6BA}\u{6BB}\u{6BC}\u{648}\u{6C4}\u{6D5}\u{6C1}\u{6BE}\u{621}\u{6CC}\u{6D0}\u{6D2}\u{64D}\u{650}\u{64F}\u{657}",
    "\u{654}abcdefghijklmnopqrstuvwxyz\u{655}\u{651}\u{653}\u{656}\u{670}",
));

/// A.2.4. Digits start at 0x19: there are no dandas.
pub(super) static BENGALI_EXTENSION: Table = extension(
    extension(indic_extension(), BRACKETS),
    &[
        (0x19, '\u{9E6}'),
        (0x1A, '\u{9E7}'),
        (0x1C, '\u{9E8}'),
        (0x1D, '\u{9E9}'),
        (0x1E, '\u{9EA}'),
        (0x1F, '\u{9EB}'),
        (0x20, '\u{9EC}'),
        (0x21, '\u{9ED}'),
        (0x22, '\u{9EE}'),
        (0x23, '\u{9EF}'),
        (0x24, '\u{9DF}'),
        (0x25, '\u{9E0}'),
        (0x26, '\u{9E1}'),
        (0x27, '\u{9E2}'),
        (0x2A, '\u{9E3}'),
        (0x2B, '\u{9F2}'),
        (0x2C, '\u{9F3}'),
        (0x2D, '\u{9F4}'),
        (0x2E, '\u{9F5}'),
        (0x30, '\u{9F6}'),
        (0x31, '\u{9F7}'),
        (0x32, '\u{9F8}'),
        (0x33, '\u{9F9}'),
        (0x34, '\u{9FA}'),
    ],
);

/// A.2.5.
pub(super) static GUJARATI_EXTENSION: Table = extension(digits('\u{AE6}'), DANDAS);

/// A.2.6.
pub(super) static HINDI_EXTENSION: Table = extension(
    extension(digits('\u{966}'), DANDAS),
    &[
        (0x26, '\u{951}'),
        (0x27, '\u{952}'),
        (0x2A, '\u{953}'),
        (0x2B, '\u{954}'),
        (0x2C, '\u{958}'),
        (0x2D, '\u{959}'),
        (0x2E, '\u{95A}'),
        (0x30, '\u{95B}'),
        (0x31, '\u{95C}'),
        (0x32, '\u{95D}'),
        (0x33, '\u{95E}'),
        (0x34, '\u{95F}'),
        (0x35, '\u{960}'),
        (0x36, '\u{961}'),
        (0x37, '\u{962}'),
        (0x38, '\u{963}'),
        (0x39, '\u{970}'),
        (0x3A, '\u{971}'),
    ],
);

/// A.2.7.
pub(super) static KANNADA_EXTENSION: Table = extension(
    extension(digits('\u{CE6}'), DANDAS),
    &[(0x26, '\u{CDE}'), (0x27, '\u{CF1}'), (0x2A, '\u{CF2}')],
);

/// A.2.8.
pub(super) static MALAYALAM_EXTENSION: Table = extension(
    extension(digits('\u{D66}'), DANDAS),
    &[
        (0x26, '\u{D70}'),
        (0x27, '\u{D71}'),
        (0x2A, '\u{D72}'),
        (0x2B, '\u{D73}'),
        (0x2C, '\u{D74}'),
        (0x2D, '\u{D75}'),
        (0x2E, '\u{D7A}'),
        (0x30, '\u{D7B}'),
        (0x31, '\u{D7C}'),
        (0x32, '\u{D7D}'),
        (0x33, '\u{D7E}'),
        (0x34, '\u{D7F}'),
    ],
);

/// A.2.9.
pub(super) static ORIYA_EXTENSION: Table = extension(
    extension(digits('\u{B66}'), DANDAS),
    &[(0x26, '\u{B5C}'), (0x27, '\u{B5D}'), (0x2A, '\u{B5F}'), (0x2B, '\u{B70}'), (0x2C, '\u{B71}')],
);

/// A.2.10.
pub(super) static PUNJABI_EXTENSION: Table = extension(
    extension(digits('\u{A66}'), DANDAS),
    &[
        (0x26, '\u{A59}'),
        (0x27, '\u{A5A}'),
        (0x2A, '\u{A5B}'),
        (0x2B, '\u{A5C}'),
        (0x2C, '\u{A5E}'),
        (0x2D, '\u{A75}'),
    ],
);

/// A.2.11.
pub(super) static TAMIL_EXTENSION: Table = extension(
    extension(digits('\u{BE6}'), DANDAS),
    &[
        (0x26, '\u{BF3}'),
        (0x27, '\u{BF4}'),
        (0x2A, '\u{BF5}'),
        (0x2B, '\u{BF6}'),
        (0x2C, '\u{BF7}'),
        (0x2D, '\u{BF8}'),
        (0x2E, '\u{BFA}'),
    ],
);

/// A.2.12.
pub(super) static TELUGU_EXTENSION: Table = extension(
    digits('\u{C66}'),
    &[
        (0x26, '\u{C58}'),
        (0x27, '\u{C59}'),
        (0x2A, '\u{C78}'),
        (0x2B, '\u{C79}'),
        (0x2C, '\u{C7A}'),
        (0x2D, '\u{C7B}'),
        (0x2E, '\u{C7C}'),
        (0x30, '\u{C7D}'),
        (0x31, '\u{C7E}'),
        (0x32, '\u{C7F}'),
    ],
);

/// A.2.13.
pub(super) static URDU_EXTENSION: Table = extension(
    digits('\u{6F0}'),
    &[
        (0x19, '\u{600}'),
        (0x1A, '\u{601}'),
        (0x26, '\u{60C}'),
        (0x27, '\u{60D}'),
        (0x2A, '\u{60E}'),
        (0x2B, '\u{60F}'),
        (0x2C, '\u{610}'),
        (0x2D, '\u{611}'),
        (0x2E, '\u{612}'),
        (0x30, '\u{613}'),
        (0x31, '\u{614}'),
        (0x32, '\u{61B}'),
        (0x33, '\u{61F}'),
        (0x34, '\u{640}'),
        (0x35, '\u{652}'),
        (0x36, '\u{658}'),
        (0x37, '\u{66B}'),
        (0x38, '\u{66C}'),
        (0x39, '\u{672}'),
        (0x3A, '\u{673}'),
        (0x3B, '\u{6CD}'),
        (0x3F, '\u{6D4}'),
    ],
);

const DANDAS: &[(u8, char)] = &[(0x19, '\u{964}'), (0x1A, '\u{965}')];

/// The locking tables of the Indic scripts. Their Unicode blocks run in parallel, so the tables do: each puts the same
/// offsets of its block, in the same order, around the characters that all have at the same place. `gaps` are offsets
/// that the script hasn't; 0x60 and 0x7B to 0x7F are the script's own.
const fn indic(block: u16, gaps: &[u8], at_60: u8, from_7b: [u8; 5]) -> Table {
    const SHARED: &[u8; 128] = b"\0\0\0\0\0\0\0\0\0\0\n\0\0\r\0\0\0\0\0\0\0\0\0\0\0\0\0 \0\0\0\0\
         \x20!\0\0\0\0\0\0)(\0\0,\0.\x000123456789:;\0\0\0?\
         \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
         \0abcdefghijklmnopqrstuvwxyz\0\0\0\0\0";
    let mut table = [0; 128];
    let (mut septet, mut offset) = (0, 1);
    while septet < 128 {
        table[septet] = match septet {
            0x60 => block + at_60 as u16,
            0x7B..=0x7F => block + from_7b[septet - 0x7B] as u16,
            _ if SHARED[septet] != 0 => SHARED[septet] as u16,
            _ => {
                let this = offset;
                offset = following(offset);
                if has(gaps, this) { 0x20 } else { block + this as u16 }
            }
        };
        septet += 1;
    }
    table
}

/// Offsets that no locking table has: the short A (04), and the two between consonants and vowel signs (3A, 3B).
const fn following(offset: u8) -> u8 {
    match offset {
        0x03 => 0x05,
        0x39 => 0x3C,
        _ => offset + 1,
    }
}

const fn has(gaps: &[u8], offset: u8) -> bool {
    let mut at = 0;
    while at < gaps.len() {
        if gaps[at] == offset {
            return true;
        }
        at += 1;
    }
    false
}

/// What the extension tables of Indic scripts and Urdu share: punctuation and capital letters.
const fn indic_extension() -> Table {
    let mut table = extension(
        EMPTY,
        &[
            (0x00, '@'),
            (0x01, '£'),
            (0x02, '$'),
            (0x03, '¥'),
            (0x04, '¿'),
            (0x05, '"'),
            (0x06, '¤'),
            (0x07, '%'),
            (0x08, '&'),
            (0x09, '\''),
            (0x0B, '*'),
            (0x0C, '+'),
            (0x0E, '-'),
            (0x0F, '/'),
            (0x10, '<'),
            (0x11, '='),
            (0x12, '>'),
            (0x13, '¡'),
            (0x15, '¡'),
            (0x16, '_'),
            (0x17, '#'),
            (0x18, '*'),
        ],
    );
    let mut letter = b'A';
    while letter <= b'Z' {
        table[letter as usize] = letter as u16;
        letter += 1;
    }
    table
}

/// The shared part with ten digits from 0x1C to 0x25.
const fn digits(zero: char) -> Table {
    let mut table = extension(indic_extension(), BRACKETS);
    let mut digit = 0;
    while digit < 10 {
        table[0x1C + digit as usize] = zero as u16 + digit;
        digit += 1;
    }
    table
}
