//! Source files, places in them, and what was written there.
//!
//! ```text
//! folders → files (map) → TOML with spans (reader) → rules, groups, lists as they were written (tree)
//! ```

pub mod listed;
pub mod map;
mod reader;
mod sections;
pub mod sequence;
pub mod template;
pub mod text;
pub mod tree;

pub use map::{FileId, SourceMap, Span};
pub use sections::read_module;
pub(crate) use sections::sender_kinds;
pub use text::Text;
