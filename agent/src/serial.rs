//! The highest serial that was ever in use, kept over restarts: nothing older is taken.

use std::io;
use std::path::PathBuf;

/// A file with one serial.
#[derive(Clone, Debug)]
pub(crate) struct SerialFile(PathBuf);

impl SerialFile {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The serial; `None` where none was kept.
    pub(crate) fn read(&self) -> Option<u64> {
        std::fs::read_to_string(&self.0).ok().and_then(|text| text.trim().parse().ok())
    }

    /// Keeps a serial, whole or not at all.
    pub(crate) fn keep(&self, serial: u64) -> io::Result<()> {
        let new = self.0.with_extension("new");
        if let Some(folder) = self.0.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&new, format!("{serial}\n"))?;
        std::fs::rename(new, &self.0)
    }
}
