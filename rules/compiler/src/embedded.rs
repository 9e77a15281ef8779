//! The project's own packs, carried as sources by every binary that links this crate.

use crate::build::{BuildError, BuildOptions, pack_bytes};
use crate::report::Report;

include!(concat!(env!("OUT_DIR"), "/packs.rs"));

/// The sources as path and content.
#[must_use]
pub const fn files() -> &'static [(&'static str, &'static str)] {
    FILES
}

/// What the sources make.
#[must_use]
pub fn report() -> Report {
    Report::of_texts(files().iter().copied())
}

/// The pack of all of them, not signed: the same sources give the same bytes.
///
/// # Errors
/// [`BuildError`], which the tests of this crate rule out.
pub fn pack() -> Result<Vec<u8>, BuildError> {
    pack_bytes(&report(), &BuildOptions::default())
}
