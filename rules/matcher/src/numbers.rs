//! Number lists where they lie: mapped from their files, verified and checked before they are asked.
//!
//! ```text
//! file → map (or copy) → header → keyring (signature) → age, serial, name → Layout::new_checked (every block) → LoadedNumbers
//! ```
//!
//! # Files are replaced, never changed
//! A mapped file that is made shorter while it is in use kills the process (`SIGBUS`) at the next look at what is gone, and one that is
//! written into answers wrongly. Whoever writes a list must write another file and rename it over the old one, as `yumen numbers build`
//! does: the old file then lives on for as long as it is mapped. What isn't sure to be replaced so is to be loaded as [`Residence::Copy`]; a
//! file that others than its owner may write isn't taken from a keyring at all.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use memmap2::{Advice, Mmap};
use yumen_rules::numbers::{Header, Layout, NumberSet, NumbersError};

use crate::loaded::Trust;
use crate::refusal::Refusal;

/// Where a list's bytes are while it is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Residence {
    /// In the page cache: what isn't asked for may be dropped and read again.
    #[default]
    Map,
    /// In the page cache, and kept there: needs as much locked memory as the file is long.
    Lock,
    /// In memory of the process's own: nothing that is done to the file matters.
    Copy,
}

/// How to load a list.
#[derive(Clone, Copy, Debug)]
pub struct NumbersOptions<'a> {
    /// Whose lists are taken.
    pub trust: Trust<'a>,
    /// Now, seconds since the Unix epoch. `None` takes an expired list too.
    pub now_s: Option<u64>,
    /// The highest serial that was in use: an older one is refused.
    pub last_serial: Option<u64>,
    /// The name that it must have.
    pub name: Option<&'a str>,
    /// Where its bytes are to be.
    pub residence: Residence,
}

impl NumbersOptions<'static> {
    /// Takes anything, expired or not.
    pub const ANYTHING: Self = Self {
        trust: Trust::Anything,
        now_s: None,
        last_serial: None,
        name: None,
        residence: Residence::Map,
    };
}

/// Why a number list isn't taken. The last good one stays.
#[derive(Debug, thiserror::Error)]
pub enum NumbersRefusal {
    /// The file can't be read or mapped.
    #[error("{0}")]
    Unreadable(#[from] io::Error),
    /// It can't be kept in memory.
    #[error("it can't be locked in memory: {0} (raise LimitMEMLOCK, or choose another residence)")]
    Unlockable(io::Error),
    /// Others than its owner may write it.
    #[error("others than its owner may write it (chmod go-w)")]
    OpenFile,
    /// Not a list, or not a whole one.
    #[error("the number list is damaged: {0}")]
    Damaged(#[from] NumbersError),
    /// The signature, or whose it is.
    #[error("{}", said(.0))]
    Untrusted(Refusal),
    /// Expired.
    #[error("the number list expired at {expires_s} (now {now_s}, seconds since the Unix epoch)")]
    Expired {
        /// When it expired.
        expires_s: u64,
        /// When it was looked at.
        now_s: u64,
    },
    /// Older than the one in use.
    #[error("the number list has serial {serial}, older than {last_serial}, which was in use already")]
    Older {
        /// Its serial.
        serial: u64,
        /// The highest that was in use.
        last_serial: u64,
    },
    /// Another list.
    #[error("it is the list {found:?}, not {expected:?}")]
    Name {
        /// The name that it has.
        found: String,
        /// The name that it should have.
        expected: String,
    },
}

/// What a refusal says of packs is true of lists.
fn said(refusal: &Refusal) -> String {
    refusal.to_string().replace("the pack", "the number list")
}

impl NumbersRefusal {
    /// A word for metrics and logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "unreadable",
            Self::Unlockable(_) => "unlockable",
            Self::OpenFile => "open-file",
            Self::Damaged(_) => "damaged",
            Self::Untrusted(refusal) => refusal.code(),
            Self::Expired { .. } => "expired",
            Self::Older { .. } => "older",
            Self::Name { .. } => "name",
        }
    }
}

/// A list in use, shared by all threads.
pub struct LoadedNumbers {
    bytes: Held,
    layout: Layout,
}

enum Held {
    Mapped(Mmap),
    Copied(Vec<u8>),
}

impl Held {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Copied(bytes) => bytes,
        }
    }
}

impl LoadedNumbers {
    /// Loads a list: signature, age, name and every byte, in this order. Takes as long as reading it all does.
    ///
    /// # Errors
    /// [`NumbersRefusal`], the first reason found.
    pub fn open(path: &Path, options: &NumbersOptions<'_>) -> Result<Self, NumbersRefusal> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file").into());
        }
        if matches!(options.trust, Trust::Keyring(_)) && metadata.permissions().mode() & 0o022 != 0 {
            return Err(NumbersRefusal::OpenFile);
        }
        let bytes = match options.residence {
            Residence::Copy => Held::Copied(copied(&mut file, metadata.len())?),
            Residence::Map | Residence::Lock => Held::Mapped(mapped(&file)?),
        };
        let layout = checked(bytes.bytes(), options)?;
        if let Held::Mapped(map) = &bytes {
            // Numbers are asked for here and there: reading ahead would only drive out what is of use.
            map.advise(Advice::Random)?;
            if options.residence == Residence::Lock {
                map.lock().map_err(NumbersRefusal::Unlockable)?;
            }
        }
        Ok(Self { bytes, layout })
    }

    /// The list.
    #[inline]
    #[must_use]
    pub fn set(&self) -> NumberSet<'_> {
        self.layout.set(self.bytes.bytes())
    }

    /// What it says about itself.
    #[must_use]
    pub const fn header(&self) -> &Header {
        self.layout.header()
    }
}

impl std::fmt::Debug for LoadedNumbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let header = self.header();
        f.debug_struct("LoadedNumbers")
            .field("name", &header.name())
            .field("serial", &header.serial)
            .finish_non_exhaustive()
    }
}

fn checked(bytes: &[u8], options: &NumbersOptions<'_>) -> Result<Layout, NumbersRefusal> {
    let header = Header::new_checked(bytes)?;
    if let Trust::Keyring(keyring) = options.trust {
        keyring.verify_signed(bytes, header.key_id).map_err(NumbersRefusal::Untrusted)?;
    }
    if let Some(now_s) = options.now_s.filter(|now_s| *now_s >= header.expires_s) {
        return Err(NumbersRefusal::Expired { expires_s: header.expires_s, now_s });
    }
    if let Some(last_serial) = options.last_serial.filter(|last| header.serial < *last) {
        return Err(NumbersRefusal::Older { serial: header.serial, last_serial });
    }
    if let Some(expected) = options.name.filter(|name| *name != header.name()) {
        return Err(NumbersRefusal::Name { found: header.name().to_owned(), expected: expected.to_owned() });
    }
    Ok(Layout::new_checked(bytes)?)
}

fn mapped(file: &File) -> io::Result<Mmap> {
    // SAFETY: the bytes are only read, as bytes, and no answer but a wrong one comes of their being changed; that nobody makes the file
    // shorter is what the head of this module asks of whoever replaces it.
    unsafe { Mmap::map(file) }
}

fn copied(file: &mut File, len: u64) -> io::Result<Vec<u8>> {
    let expected = usize::try_from(len).map_err(io::Error::other)?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(expected).map_err(io::Error::other)?;
    file.take(len).read_to_end(&mut bytes)?;
    Ok(bytes)
}
