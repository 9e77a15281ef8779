//! Every limit of the compiler. Those of a pack's bytes stand with the format, in `yumen_rules`.

/// Size of one source file in bytes.
pub const SOURCE_BYTES_MAX: u64 = 16 << 20;
/// Source files of one build.
pub const SOURCE_FILES_MAX: usize = 4096;
/// How deep folders are searched for sources.
pub const FOLDER_DEPTH_MAX: usize = 8;
/// Nesting of parentheses and `!` in a condition.
pub const CONDITION_DEPTH_MAX: usize = 32;
/// Length of a condition in bytes.
pub const CONDITION_BYTES_MAX: usize = 8192;
/// How deep groups may include groups.
pub const INCLUDE_DEPTH_MAX: usize = 16;
/// Length of a literal in characters, before folding.
pub const LITERAL_CHARS_MAX: usize = 200;
/// Shortest literal in characters, after folding: a single character hits everywhere.
pub const LITERAL_CHARS_MIN: usize = 2;
/// Length of the sentence for a person who was blocked, in characters: it fits two segments of a message in Chinese.
pub const REDRESS_CHARS_MAX: usize = 200;
/// Columns of a source line that a diagnostic shows; longer lines are cut around the place.
pub const EXCERPT_COLUMNS_MAX: usize = 140;
/// Diagnostics of one run that are kept; what comes after is only counted.
pub const DIAGNOSTICS_MAX: usize = 2000;

const _: () = assert!(LITERAL_CHARS_MIN < LITERAL_CHARS_MAX);
const _: () = assert!(SOURCE_BYTES_MAX <= u32::MAX as u64, "spans are 32 bits");

/// Events of one sequence of a test.
pub const SEQUENCE_EVENTS_MAX: u64 = 20_000;
/// Longest pause, ring time or talk of a sequence, in milliseconds: a month.
pub const SEQUENCE_MS_MAX: u64 = 31 * 86_400_000;

/// Longest record of a screened file in bytes.
pub const SCREEN_RECORD_BYTES_MAX: usize = 1 << 20;
/// A batch of a screened file is handed to a worker from this size on, in bytes.
pub const SCREEN_BATCH_BYTES: usize = 256 << 10;
/// Or from this number of records on.
pub const SCREEN_BATCH_RECORDS: usize = 1024;
/// Batches that are read, judged or wait to be written, for each worker.
pub const SCREEN_BATCHES_PER_WORKER: usize = 4;
/// Rows of a CDR file that are held to put them in the order of their beginnings.
pub const CDR_REORDER_MAX: usize = 65_536;
/// Labels that are counted one by one.
pub const SCREEN_LABELS_MAX: usize = 1000;

/// Longest message whose hits are traced back to its words, in characters: the way back folds once a character.
pub const EXPLAINED_TEXT_CHARS_MAX: usize = 2000;

/// Files that an editor has open at a time.
pub const LSP_DOCUMENTS_MAX: usize = 1000;

/// Size of a labelled corpus in bytes.
pub const CORPUS_BYTES_MAX: u64 = 1 << 30;
/// Labels, and variants, of a corpus.
pub const CORPUS_LABELS_MAX: usize = 1000;
/// Messages that an evaluation hands to a thread at once.
pub const EVAL_CHUNK_RECORDS: usize = 512;
/// One in so many messages of an evaluation has its conditions timed.
pub const EVAL_TIMED_ONE_IN: usize = 8;

/// Missed messages that a suggestion looks at.
pub const SUGGEST_MISSED_MAX: usize = 5_000;
/// Honest messages that a suggestion looks at.
pub const SUGGEST_HAM_MAX: usize = 200_000;
/// Longest sequence that a suggestion considers, in Chinese characters or Latin words.
pub const SUGGEST_TOKENS_MAX: usize = 5;
/// Words and pairs of a suggestion.
pub const SUGGEST_MEMBERS_MAX: usize = 16;
/// Words that are tried in pairs.
pub const SUGGEST_PAIRED_MAX: usize = 120;

/// Runs on disk that a number list is sorted in: with 256 MiB of memory, four thousand million numbers.
pub const NUMBERS_RUNS_MAX: usize = 256;
/// Wrong lines of a number list's source that are named; what comes after is only counted.
pub const NUMBERS_ERRORS_MAX: usize = 20;
/// Longest line of a number list's source, in bytes.
pub const NUMBERS_LINE_BYTES_MAX: u64 = 4096;
/// Changes from one number list to another that are shown, unless told otherwise.
pub const NUMBERS_CHANGES_SHOWN: usize = 20;
