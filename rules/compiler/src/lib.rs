//! Rule source → checked → signed pack.
//!
//! ```text
//! TOML files → source (spans) → check (types, names, folding) → PackDraft → emit (bytes) → sign → canary
//! ```

pub mod cel;
pub mod check;
pub mod cli;
pub mod diagnostic;
pub mod draft;
pub mod emit;
pub mod limits;
mod report;
pub mod screen;
pub mod sign;
pub mod source;

pub use report::{Report, check_paths};
