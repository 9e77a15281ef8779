//! What was equal, what wasn't, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

/// All fields of all files.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// By field.
    pub rows: BTreeMap<String, Row>,
    /// In the order in which they were met.
    pub differences: Vec<Difference>,
    file: u64,
}

/// One field.
#[derive(Clone, Debug, Default)]
pub struct Row {
    frames: BTreeSet<(u64, u64)>,
    /// Values that both have.
    pub equal: u64,
    /// Values that one of them has in another way, or not at all.
    pub different: u64,
    /// Values that only one has, with the reason.
    pub explained: BTreeMap<&'static str, u64>,
}

impl Row {
    /// Frames that have the field.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.frames.len()
    }
}

/// A field that isn't the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The capture.
    pub file: PathBuf,
    /// The packet.
    pub frame: u64,
    /// The field.
    pub field: String,
    /// What tshark has.
    pub tshark: Option<String>,
    /// What Yumen has.
    pub ours: Option<String>,
}

impl Table {
    /// The next file: its frames are others.
    pub fn next_file(&mut self) {
        self.file += 1;
    }

    /// Values that both have.
    #[must_use]
    pub fn equal_values(&self) -> u64 {
        self.rows.values().map(|row| row.equal).sum()
    }

    pub(super) fn equal(&mut self, frame: u64, field: &str) {
        self.row(frame, field).equal += 1;
    }

    pub(super) fn explained(&mut self, frame: u64, field: &str, reason: &'static str) {
        *self.row(frame, field).explained.entry(reason).or_default() += 1;
    }

    pub(super) fn different(
        &mut self,
        file: &Path,
        frame: u64,
        field: &str,
        tshark: Option<String>,
        ours: Option<String>,
    ) {
        self.row(frame, field).different += 1;
        let (file, field) = (file.to_owned(), field.to_owned());
        self.differences.push(Difference { file, frame, field, tshark, ours });
    }

    fn row(&mut self, frame: u64, field: &str) -> &mut Row {
        let row = self.rows.entry(field.to_owned()).or_default();
        row.frames.insert((self.file, frame));
        row
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<44} {:>6} {:>6} {:>9} {:>9}", "field", "frames", "equal", "explained", "different")?;
        let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
        for (name, row) in &self.rows {
            let explained: u64 = row.explained.values().sum();
            writeln!(
                f,
                "{name:<44} {:>6} {:>6} {explained:>9} {:>9}",
                row.frames(),
                row.equal,
                row.different
            )?;
            for (reason, count) in &row.explained {
                *reasons.entry(reason).or_default() += count;
            }
        }
        writeln!(f)?;
        for (reason, count) in reasons {
            writeln!(f, "{count:>6} explained: {reason}")?;
        }
        writeln!(f, "{:>6} equal, {} different", self.equal_values(), self.differences.len())?;
        for difference in &self.differences {
            writeln!(
                f,
                "{}:{} {}: tshark {:?}, Yumen {:?}",
                difference.file.display(),
                difference.frame,
                difference.field,
                difference.tshark,
                difference.ours
            )?;
        }
        Ok(())
    }
}
