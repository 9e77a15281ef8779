//! Every limit of this crate. The sizes are those of a board with 192 KiB of RAM.

/// Longest line of a modem, in bytes: a PDU of 176 octets in hexadecimal and room for a centre's address.
pub const LINE_BYTES_MAX: usize = 640;
/// Octets of a TPDU with the centre's address before it (3GPP TS 27.005 §4.1): what such a line can hold.
pub const TPDU_BYTES_MAX: usize = LINE_BYTES_MAX / 2;
/// Text of one segment in UTF-8: 160 characters of three bytes.
pub const SEGMENT_BYTES_MAX: usize = 160 * 3;
/// Parts of a message that are kept together; those beyond are judged alone.
pub const PARTS_MAX: usize = 8;
/// Messages of several parts that are kept at a time; the oldest makes room.
pub const MESSAGES_MAX: usize = 4;
/// How long the parts of a message are waited for, in milliseconds.
pub const PARTS_AGE_MS: u64 = 10 * 60 * 1_000;
/// Text that is judged at a time, in bytes.
pub const TEXT_BYTES_MAX: usize = PARTS_MAX * SEGMENT_BYTES_MAX;

/// Patterns a pack may have: words that make the same difference to every rule are one.
pub const PATTERNS_MAX: usize = 3_072;
/// Groups a pack may have.
pub const GROUPS_MAX: usize = 1_536;
/// Rules a pack may have.
pub const RULES_MAX: usize = 512;
/// Hits that are kept for one message.
pub const HITS_MAX: usize = 512;
/// Rules that fired and are kept for one message.
pub const FIRED_MAX: usize = 32;
/// Contacts that are looked at in one text.
pub const CONTACTS_MAX: usize = 8;
/// Their values together, in bytes.
pub const VALUES_BYTES_MAX: usize = 512;

/// Commands of the telephone side that wait for the modem.
pub const COMMANDS_MAX: usize = 4;
/// How long the modem has for an answer to a command of ours, in milliseconds.
pub const ANSWER_MS: u64 = 5_000;
/// How long it has for one of the telephone side's: a dialled call or a sent message takes its time (3GPP TS 27.007 §6.2).
pub const ANSWER_TO_TELEPHONE_MS: u64 = 120_000;
/// How long a `RING` waits for the caller's number before it is passed on: less than the six seconds to the next one.
pub const CALLER_MS: u64 = 2_000;
/// Pause before set-up is tried again, in milliseconds.
pub const RETRY_MS: u64 = 2_000;
/// How long a caller that was hung up on may go on ringing before it counts as a new call.
pub const HANGUP_MS: u64 = 10_000;

/// Numbers whose behaviour is counted: in four roles each.
pub const NUMBERS_MAX: usize = 64;
/// Of these, busy ones: this telephone itself, and who calls it all day.
pub const BUSY_MAX: usize = 8;
/// The site's own numbers, and those that are always hung up on, together.
pub const LISTED_MAX: usize = 64;

/// How often the agent is told who this is and how it is, in milliseconds.
pub const HELLO_MS: u64 = 60_000;
/// What is on trial is confirmed after so long, in milliseconds,
pub const CONFIRM_MS: u64 = 10 * 60 * 1_000;
/// or after so many messages and calls judged.
pub const CONFIRM_JUDGED: u32 = 16;
/// A modem that can't be set up for so long, in milliseconds, makes the watchdog start everything anew.
pub const STUCK_MS: u64 = 5 * 60 * 1_000;
/// Most texts of a pack's own that are tried when it comes.
pub const CANARIES_MAX: u32 = 1_024;
