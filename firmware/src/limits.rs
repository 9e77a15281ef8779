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

/// Patterns a pack may have.
pub const PATTERNS_MAX: usize = 8_192;
/// Groups a pack may have.
pub const GROUPS_MAX: usize = 2_048;
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

/// Reports that wait to be acknowledged; when it is full the oldest goes, and is counted.
pub const REPORTS_MAX: usize = 32;
/// Bytes of a report as it is framed.
pub const REPORT_BYTES_MAX: usize = 96;
/// How long the agent has to acknowledge a report, in milliseconds.
pub const ACKNOWLEDGE_MS: u64 = 3_000;
