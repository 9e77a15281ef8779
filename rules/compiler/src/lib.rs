//! Rule source → checked → signed pack.
//!
//! ```text
//! TOML files → source (spans) → check (types, names, folding) → PackDraft → emit (bytes) → sign → canary
//! ```

pub mod bench;
pub mod build;
pub mod cel;
pub mod check;
pub mod cli;
pub mod compare;
pub mod corpus;
pub mod diagnostic;
pub mod draft;
pub mod edge;
pub mod embedded;
pub mod emit;
pub mod evade;
pub mod eval;
pub mod explain;
pub mod format;
pub mod grammar;
pub mod limits;
pub mod lint;
pub mod lsp;
pub mod numbers;
mod report;
pub mod schema;
pub mod screen;
mod sequence;
pub mod sign;
pub mod skeleton;
pub mod source;
pub mod suggest;
pub mod test;
pub mod train;

pub use build::{BuildError, BuildOptions, Built, build};
pub use report::{Report, check_paths};

use yumen_matcher::{Keyring, LoadOptions, LoadedPack, Refusal};

/// Loads a pack as a gateway with this keyring would: signature, age, every byte, patterns, and its own tests.
///
/// # Errors
/// [`Refusal`], the first reason found.
pub fn verify(bytes: &[u8], keyring: &Keyring, now_s: u64) -> Result<LoadedPack, Refusal> {
    LoadedPack::load(bytes, &LoadOptions::trusting(keyring, now_s))
}
