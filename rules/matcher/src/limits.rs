//! Every limit of this crate.

/// A regular expression of a rule, in bytes.
pub const REGEX_BYTES_MAX: usize = 2_048;
/// The largest count in a repetition, `{n}` or `{n,m}`.
pub const REPETITION_MAX: u32 = 200;
/// Depth of nested groups in a regular expression.
pub const REGEX_NEST_MAX: u32 = 30;
/// Memory the Rust engine may use for one expression or one set of them, in bytes.
pub const REGEX_PROGRAM_BYTES_MAX: usize = 256 << 20;
/// Memory that trying one expression may take on one thread, in bytes; it is seldom used.
pub const LAZY_CACHE_BYTES_MAX: usize = 256 << 10;
/// Cached databases that are kept in one folder.
pub const CACHE_FILES_MAX: usize = 8;
/// A cached database, in bytes.
pub const CACHE_FILE_BYTES_MAX: u64 = 512 << 20;
/// Keys in a keyring.
pub const KEYS_MAX: usize = 64;

const _: () =
    assert!(REGEX_BYTES_MAX <= yumen_rules::limits::STRING_BYTES_MAX, "an expression fits a pack's string");
