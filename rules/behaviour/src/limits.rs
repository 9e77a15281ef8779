//! Every limit of the counters.

/// Roles of numbers that are tracked, unless somebody says otherwise.
pub const NUMBERS: usize = 256 * 1024;
/// Roles that a replay of records tracks: files are smaller than networks.
pub const NUMBERS_REPLAYED: usize = 64 * 1024;
/// Roles that one sequence of a rule's tests tracks.
pub const NUMBERS_TESTED: usize = 16 * 1024;
/// One in so many roles has buckets: those with more attempts a day than a slot holds.
pub const NUMBERS_PER_BUSY: usize = 64;
/// Locks of the table of numbers.
pub const SHARDS: usize = 64;
/// Deltas that wait to be sent to the other gateways: 56 bytes each.
pub const OUTBOX_DELTAS_MAX: usize = 256 * 1024;
/// Other gateways whose deltas are told apart.
pub const GATEWAYS_MAX: usize = 64;
/// Longest snapshot that is read, in bytes.
pub const SNAPSHOT_BYTES_MAX: u64 = 4 << 30;
/// Calls of a replay whose end is still to come.
pub const TIMELINE_PENDING_MAX: usize = 1 << 20;

const _: () = assert!(NUMBERS_TESTED.is_multiple_of(SHARDS) && NUMBERS.is_multiple_of(SHARDS));
