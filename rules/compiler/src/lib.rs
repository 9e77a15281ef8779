//! Rule source → checked → signed pack.
//!
//! ```text
//! TOML files → source (spans) → check (types, names, folding) → PackDraft → emit (bytes) → sign → canary
//! ```

pub mod draft;
