//! Victims' numbers as keyed pseudonyms: equal for equal numbers under one key, and nothing without it.
//!
//! A plain hash wouldn't do: there are few enough mobile numbers to try them all.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use yumen_exchange::limits::PSEUDONYM_HEX;
use yumen_rules::number::{CANONICAL_LEN_MAX, classify};

/// Shortest key in bytes.
const KEY_BYTES_MIN: usize = 32;
/// Longest key in bytes: a block of SHA-256.
const KEY_BYTES_MAX: usize = 64;
/// Longest epoch, in characters.
const EPOCH_CHARS_MAX: usize = 16;
/// Largest key file, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// Keeps these values apart from any other use of the key.
const DOMAIN: &[u8] = b"yumen victim v1\0";

/// Makes pseudonyms with one key.
#[derive(Clone)]
pub struct Pseudonyms {
    epoch: String,
    mac: Hmac<Sha256>,
}

/// Why a key file was refused.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file can't be read or made.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line isn't `epoch hex`: 1 to 16 of a-z, 0-9 and '-', then 64 to 128 hexadecimal digits.
    #[error("{}:{line}: a line has an epoch (1 to 16 of a-z, 0-9, '-') and a key of 64 to 128 hexadecimal digits", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// No line in it.
    #[error("{}: no key in it", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

impl Pseudonyms {
    /// Reads a key file: one `epoch hex` a line, the last line counts; `#` starts a comment.
    ///
    /// # Errors
    /// [`KeyError`], never with the key in it.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let file = |source| KeyError::File { path: path.to_owned(), source };
        let mut text = String::new();
        File::open(path).map_err(file)?.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(file)?;
        let mut last = None;
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if !line.is_empty() {
                last = Some(parse(line).ok_or(KeyError::Line { path: path.to_owned(), line: index + 1 })?);
            }
        }
        last.ok_or(KeyError::Empty { path: path.to_owned() })
    }

    /// Reads the key file; where there is none, makes one with a random key that only the owner can read.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load_or_make(path: &Path) -> Result<Self, KeyError> {
        match make(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(KeyError::File { path: path.to_owned(), source }),
        }
        Self::load(path)
    }

    /// `v1:` epoch `:` 32 hexadecimal digits of HMAC-SHA-256 over the number's canonical form, so that `+8613800000001`
    /// and `13800000001` are one person. `None` for an empty number.
    #[must_use]
    pub fn of(&self, number: &str) -> Option<String> {
        let mut storage = [0; CANONICAL_LEN_MAX];
        let canonical = classify(number, &mut storage)?.canonical;
        let mut mac = self.mac.clone();
        mac.update(DOMAIN);
        mac.update(canonical.as_bytes());
        let mut pseudonym = format!("v1:{}:", self.epoch);
        for byte in mac.finalize().into_bytes().iter().take(PSEUDONYM_HEX / 2) {
            // Writing to a String can't fail.
            let _ = write!(pseudonym, "{byte:02x}");
        }
        Some(pseudonym)
    }
}

/// Without the key.
impl fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pseudonyms").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

fn parse(line: &str) -> Option<Pseudonyms> {
    let (epoch, hex) = line.split_once(char::is_whitespace)?;
    let legal = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    if !(1..=EPOCH_CHARS_MAX).contains(&epoch.len()) || !epoch.bytes().all(legal) {
        return None;
    }
    let key = bytes(hex.trim())?;
    if !(KEY_BYTES_MIN..=KEY_BYTES_MAX).contains(&key.len()) {
        return None;
    }
    Some(Pseudonyms { epoch: epoch.to_owned(), mac: Hmac::new_from_slice(&key).ok()? })
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    rest.is_empty()
        .then(|| pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect())?
}

fn make(path: &Path) -> io::Result<()> {
    let mut key = [0; KEY_BYTES_MIN];
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    File::open("/dev/urandom")?.read_exact(&mut key)?;
    let hex = key.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    writeln!(
        file,
        "# Key of the victims' pseudonyms, made at the first start. Keep it secret.\nlocal-1 {hex}"
    )?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    /// HMAC-SHA-256 by Python's `hmac`: key bytes(range(32)), message b"yumen victim v1\0" + b"13800000001".
    #[test]
    fn a_pseudonym_is_hmac_sha_256_of_the_canonical_number() {
        let key: String = (0..32).map(|byte| format!("{byte:02x}")).collect();
        let pseudonyms = Pseudonyms::load(file(&format!("e1 {key}\n")).path()).unwrap();
        let pseudonym = pseudonyms.of("13800000001").unwrap();
        assert_eq!(pseudonym, "v1:e1:7bb9ca2a93389efe2b4f2721ec43208c");
        assert_eq!(pseudonyms.of("+8613800000001").unwrap(), pseudonym);
        assert_ne!(pseudonyms.of("13800000002").unwrap(), pseudonym);
        assert_eq!(pseudonyms.of(""), None);
    }

    #[test]
    fn the_last_line_counts_and_another_key_gives_other_pseudonyms() {
        let (one, two) = ("11".repeat(32), "22".repeat(32));
        let first = Pseudonyms::load(file(&format!("2026-10 {one}\n")).path()).unwrap();
        let rotated =
            Pseudonyms::load(file(&format!("# old\n2026-10 {one}\n\n2026-11 {two} # now\n")).path()).unwrap();
        let (before, after) = (first.of("13800000001").unwrap(), rotated.of("13800000001").unwrap());
        assert!(after.starts_with("v1:2026-11:") && before.starts_with("v1:2026-10:"));
        assert_ne!(before.rsplit(':').next(), after.rsplit(':').next());
    }

    #[test]
    fn bad_lines_are_named_and_the_key_is_not_shown() {
        let long = "ab".repeat(65);
        for line in
            ["e1", "e1 00", "E1 00", &format!("e1 {long}"), &format!("e1 {}g", "0".repeat(63)), "é 00"]
        {
            let file = file(&format!("# comment\n{line}\n"));
            let error = Pseudonyms::load(file.path()).unwrap_err();
            assert!(matches!(error, KeyError::Line { line: 2, .. }), "{line}: {error}");
        }
        assert!(matches!(Pseudonyms::load(file("# nothing\n").path()), Err(KeyError::Empty { .. })));
        assert!(matches!(Pseudonyms::load(Path::new("/nonexistent")), Err(KeyError::File { .. })));
        let shown =
            format!("{:?}", Pseudonyms::load(file(&format!("e1 {}", "5a".repeat(32))).path()).unwrap());
        assert!(!shown.contains("5a5a") && !shown.contains("90, 90"), "{shown}");
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pseudonym.key");
        let first = Pseudonyms::load_or_make(&path).unwrap().of("13800000001");
        assert_eq!(Pseudonyms::load_or_make(&path).unwrap().of("13800000001"), first);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let other = Pseudonyms::load_or_make(&dir.path().join("other.key")).unwrap().of("13800000001");
        assert_ne!(other, first);
    }
}
