//! The PDUs of `testdata`, which every test of a protocol starts from.

use std::fs;
use std::path::Path;

/// One PDU of `testdata`.
pub(crate) struct Sample {
    /// The file's name without its ending.
    pub(crate) name: String,
    /// The PDU.
    pub(crate) octets: Vec<u8>,
}

/// All PDUs of a protocol, by name.
pub(crate) fn samples(protocol: &str) -> Vec<Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(protocol);
    let mut samples: Vec<Sample> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "hex"))
        .map(|path| Sample {
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            octets: hex(&fs::read_to_string(&path).unwrap()),
        })
        .collect();
    samples.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(!samples.is_empty(), "{}: no samples", folder.display());
    samples
}

/// Hexadecimal digits in lines; a line that starts with `#` says what they show.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::bytes)
        .filter(|digit| !digit.is_ascii_whitespace())
        .collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
