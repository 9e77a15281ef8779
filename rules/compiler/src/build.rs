//! Sources → the bytes of a pack.

use std::path::PathBuf;

use yumen_matcher::{Refusal, WorkerError};

use crate::diagnostic::{Defect, Diagnostic};
use crate::draft::PackDraft;
use crate::emit::{EmitError, emit};
use crate::report::{Report, check_paths};
use crate::test::{self, TestSummary};

/// What a pack says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildOptions {
    /// Its name.
    pub name: String,
    /// Release channel, `stable` or `canary`.
    pub channel: String,
    /// Rises with every pack of a name and channel.
    pub serial: u64,
    /// Seconds since the Unix epoch.
    pub created_s: u64,
    /// Seconds since the Unix epoch; the pack is refused from then on.
    pub expires_s: u64,
}

impl Default for BuildOptions {
    /// A pack without age, so that the same sources give the same bytes.
    fn default() -> Self {
        Self {
            name: "yumen".to_owned(),
            channel: "stable".to_owned(),
            serial: 0,
            created_s: 0,
            expires_s: u64::MAX,
        }
    }
}

impl BuildOptions {
    /// The draft of a pack that says this about itself.
    #[must_use]
    pub fn applied_to(&self, draft: &PackDraft) -> PackDraft {
        PackDraft {
            name: self.name.clone(),
            channel: self.channel.clone(),
            serial: self.serial,
            created_s: self.created_s,
            expires_s: self.expires_s,
            ..draft.clone()
        }
    }
}

/// Why no pack was made of sources that have no errors.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The sources have errors; the report says which.
    #[error("the sources have errors")]
    Sources,
    /// It doesn't fit the format.
    #[error(transparent)]
    Emit(#[from] EmitError),
    /// The engine refuses it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The engine has no memory for a thread.
    #[error(transparent)]
    Worker(#[from] WorkerError),
}

/// A pack that passed its tests; not signed yet.
#[derive(Debug)]
pub struct Built {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What it was made of, with warnings.
    pub report: Report,
    /// Its tests.
    pub tests: TestSummary,
}

/// Checks, tests and builds.
///
/// # Errors
/// The report, with every error: of the sources, of the tests, or of the engine.
pub fn build(paths: &[PathBuf], options: &BuildOptions) -> Result<Built, Box<Report>> {
    let mut report = check_paths(paths);
    if !report.is_buildable() {
        return Err(Box::new(report));
    }
    let built = test::run(&mut report).and_then(|tests| Ok((tests, pack_bytes(&report, options)?)));
    match built {
        Ok((tests, bytes)) if report.is_buildable() => Ok(Built { bytes, report, tests }),
        Ok(_) => Err(Box::new(report)),
        Err(error) => {
            report.diagnostics.push(Diagnostic::general(Defect::NotBuilt { reason: error.to_string() }));
            Err(Box::new(report))
        }
    }
}

/// The bytes of a pack, without running its tests.
///
/// # Errors
/// [`BuildError::Sources`] and [`BuildError::Emit`].
pub fn pack_bytes(report: &Report, options: &BuildOptions) -> Result<Vec<u8>, BuildError> {
    if !report.is_buildable() {
        return Err(BuildError::Sources);
    }
    Ok(emit(&options.applied_to(&report.draft))?)
}
