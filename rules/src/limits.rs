//! Every limit of this crate, and how they relate.

/// A pack file, in bytes.
pub const PACK_BYTES_MAX: usize = 64 << 20;
/// Sections in a pack.
pub const SECTIONS_MAX: usize = 64;
/// Patterns in a pack.
pub const PATTERNS_MAX: usize = 200_000;
/// Groups in a pack.
pub const GROUPS_MAX: usize = 100_000;
/// Rules in a pack.
pub const RULES_MAX: usize = 20_000;
/// Suppressions in a pack.
pub const SUPPRESSIONS_MAX: usize = 5_000;
/// Protections in a pack.
pub const PROTECTIONS_MAX: usize = 1_000;
/// Nodes of one condition.
pub const CONDITION_NODES_MAX: usize = 1_024;
/// One string of a pack, in bytes.
pub const STRING_BYTES_MAX: usize = 64 << 10;

/// The text of one event, in bytes: 255 segments of 67 characters, three bytes each, and some more. What is longer isn't judged to its end.
pub const TEXT_BYTES_MAX: usize = 64 << 10;
/// A signature in a text, in bytes.
pub const SIGNATURE_BYTES_MAX: usize = 256;
/// Contacts that are looked at in one text.
pub const CONTACTS_MAX: usize = 16;
/// Their values together, in bytes.
pub const CONTACT_VALUES_BYTES_MAX: usize = 2_048;

/// Digits of a number that can be in a number list.
pub const NUMBER_DIGITS_MAX: usize = 18;
/// Numbers in a block of a number list.
pub const NUMBER_BLOCK_MAX: usize = 256;
/// 64-bit words of a block's high bits.
pub const NUMBER_HIGH_WORDS_MAX: usize = 16;
/// Low bits of a number in a block.
pub const NUMBER_LOW_BITS_MAX: u32 = 56;
/// Ranges of a number list.
pub const NUMBER_RANGES_MAX: u32 = 1 << 20;
/// Different pairs of score and typology in a number list.
pub const NUMBER_PALETTE_MAX: u16 = 1_024;
/// Answers of number lists that are remembered while an event is judged.
pub const LISTED_MAX: usize = 8;

/// Rules that fired for one event and are reported; those beyond are counted only.
pub const FIRED_MAX: usize = 64;
/// Pattern hits that are kept for one event; an event with more has [`crate::engine::Judgement::overflowed`] set.
pub const HITS_MAX: usize = 4_096;

const _: () = assert!(
    RULES_MAX + SUPPRESSIONS_MAX + PROTECTIONS_MAX <= u16::MAX as usize,
    "conditions are counted in 16 bits"
);
const _: () = assert!(CONDITION_NODES_MAX < 0xFFFE, "two node indices are taken by the results");
const _: () = assert!(PACK_BYTES_MAX <= u32::MAX as usize, "offsets are 32 bits");
const _: () = assert!(TEXT_BYTES_MAX > 255 * 67 * 3, "the longest message of several parts fits");
const _: () = assert!(FIRED_MAX <= RULES_MAX, "no more rules can fire than there are");
const _: () = assert!(HITS_MAX <= u16::MAX as usize, "hits are counted in 16 bits");
const _: () = assert!(
    NUMBER_HIGH_WORDS_MAX * 64 > 3 * NUMBER_BLOCK_MAX,
    "a block's numbers and twice as many steps fit its high bits"
);
