//! All limits of the hub, and how they relate.

use std::time::Duration;

/// Most sightings committed in one transaction.
pub const BATCH_MAX: usize = 1000;

/// Messages between the broker and the database. The broker is told as much (receive maximum): it sends no more before
/// some are committed.
pub const RECEIVE_MAX: u16 = 2048;

/// Requests that wait to be written to the broker: an acknowledgement for each received message, and one to each agent.
pub const REQUESTS_MAX: usize = 4 * RECEIVE_MAX as usize;

/// First and longest pause after the database or the broker failed.
pub const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(15));

/// Sightings deleted in one transaction when they aren't kept any longer.
pub const FORGET_MAX: u32 = 1000;

/// Connections that write to PostgreSQL at a time: a batch, and an analyst's hand beside it. SQLite has one.
pub const WRITERS_MAX: u32 = 3;

/// Connections that read the database at a time.
pub const READERS_MAX: u32 = 4;

/// How long the broker keeps the hub's subscription, and what came in on it, while the hub is away.
pub const SESSION_EXPIRY_S: u32 = 7 * 24 * 3600;

/// Most sightings on a page.
pub const PAGE_MAX: u32 = 500;

/// Sightings on a page, where nothing is said.
pub const PAGE_DEFAULT: u32 = 50;

/// Sightings that a live stream reads at a time.
pub const STREAM_READ_MAX: u32 = 100;

/// Live streams at a time.
pub const STREAMS_MAX: usize = 64;

/// Longest query string, in bytes.
pub const QUERY_BYTES_MAX: usize = 2048;

/// Most agents that are listed.
pub const AGENTS_MAX: u32 = 1000;

/// An agent that has said nothing for so long counts as silent.
pub const SILENT_AFTER_MS: u64 = 60_000;

/// Connections that the embedded broker takes.
pub const BROKER_CONNECTIONS_MAX: usize = 1000;

/// Messages that the embedded broker sends to a client before it waits for an acknowledgement.
pub const BROKER_INFLIGHT_MAX: usize = 500;

/// The embedded broker keeps so much of a topic filter's messages, in bytes and pieces; what is older goes, and comes
/// again from the agents' spools.
pub const BROKER_SEGMENT: (usize, usize) = (4 << 20, 16);

/// Indicators that are looked at or listed at a time.
pub const OBSERVED_MAX: u32 = 1000;

/// Most indicators that are promoted at a time.
pub const CANDIDATES_MAX: usize = 50_000;

/// Packs that are kept of each channel, beside the last of each set of rules.
pub const PACKS_KEPT: i64 = 8;

/// An agent that has an older pack than is meant for it, so long after that was published, lags.
pub const LAG_MS: u64 = 60_000;

/// Most indicators in a shared pack.
pub const SHARED_MAX: u32 = 200_000;

/// Most agents that are enrolled, and members.
pub const ENROLLED_MAX: u32 = 20_000;

/// Most certificates that haven't expired.
pub const CERTIFICATES_MAX: u32 = 200_000;

/// Most people, and programs with a token.
pub const PEOPLE_MAX: u32 = 10_000;

/// Different senders in whose names refused messages are counted.
pub const REFUSALS_MAX: usize = 2_000;

/// Refusals on a page.
pub const REFUSALS_SHOWN_MAX: u32 = 500;

/// Rows of the audit log on a page.
pub const AUDIT_PAGE: u32 = 100;

/// Clues and appeals on a page.
pub const PEOPLE_PAGE: u32 = 50;

/// The last page of a queue that is shown.
pub const PAGES_MAX: u32 = 200;

/// Clues that are written in one transaction.
pub const CLUES_NEW_MAX: usize = 1000;

/// Clues that wait for a decision, up to which more are made of what members saw: a queue that nobody can work off
/// helps nobody. What people bring comes on top.
pub const CLUES_SEEN_MAX: u32 = 2000;

/// Clues whose place in the queue is looked at each minute, beside those whose indicator was seen since.
pub const CLUES_LOOKED_AT: u32 = 500;

/// What is said about a clue or an appeal: so many remarks are shown, of so many characters.
pub const REMARKS_MAX: u32 = 100;
/// Longest remark, statement or answer, in characters.
pub const REMARK_CHARS_MAX: usize = 500;

/// Appeals of one decision.
pub const APPEALS_MAX: u64 = 3;

/// Longest text that a subscriber reports, in bytes.
pub const COMPLAINT_BYTES_MAX: usize = 4096;

/// Lines of a statistic.
pub const STATISTICS_ROWS_MAX: u32 = 20_000;

/// Rules that are written in the console, and the longest of them in bytes: a form with it, percent-encoded, is posted.
pub const RULE_DRAFTS_MAX: u32 = 500;
/// See [`RULE_DRAFTS_MAX`].
pub const RULE_BYTES_MAX: usize = 16 * 1024;

/// Messages on which a rule is replayed.
pub const REPLAY_MESSAGES_MAX: usize = 200_000;
/// Findings about a rule, and messages that it changes, that are shown.
pub const FINDINGS_SHOWN_MAX: usize = 50;
/// See [`FINDINGS_SHOWN_MAX`].
pub const DIFFERENCE_SHOWN_MAX: usize = 50;

/// Largest form or JSON that is posted, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// Largest file of rule titles, in bytes, and how many files are read.
pub const TITLES: (u64, usize) = (4 << 20, 500);

/// Objects on a page of TAXII, where nothing is said, and at most.
pub const TAXII_PAGE_DEFAULT: usize = 100;

/// Most objects on a page of TAXII.
pub const TAXII_PAGE_MAX: usize = 1000;

/// Most values of one `match` of TAXII.
pub const MATCH_MAX: usize = 50;

/// Largest body that is added by TAXII, in bytes.
pub const TAXII_BODY_BYTES_MAX: usize = 1 << 20;

/// Most objects that are added by TAXII at a time.
pub const TAXII_OBJECTS_MAX: usize = 1000;

/// Largest list that is imported over HTTP, in bytes.
pub const IMPORT_BODY_BYTES_MAX: usize = 8 << 20;

/// Largest file that is imported by the command line, in bytes.
pub const IMPORT_FILE_BYTES_MAX: u64 = 64 << 20;

/// Most indicators of one list.
pub const IMPORT_MAX: usize = 100_000;

/// Entries that gave nothing and are shown, of one list.
pub const SKIPPED_SHOWN_MAX: usize = 100;

/// Rows of an export read at a time.
pub const PLATFORM_BATCH: u32 = 1000;

/// Requests that a caller may make a minute of what is for other platforms.
pub const PLATFORM_REQUESTS_MAX: u32 = 600;

/// Callers whose requests are counted.
pub const PLATFORM_CALLERS_MAX: usize = 20_000;

const _: () =
    assert!(BATCH_MAX <= RECEIVE_MAX as usize, "a whole batch can arrive before anything is acknowledged");
const _: () =
    assert!(REQUESTS_MAX >= RECEIVE_MAX as usize + BATCH_MAX, "acknowledging never waits for the broker");
const _: () = assert!(RULE_BYTES_MAX * 3 < BODY_BYTES_MAX, "a rule fits a form");
const _: () = assert!(PAGE_DEFAULT <= PAGE_MAX && STREAM_READ_MAX <= PAGE_MAX);
const _: () = assert!(TAXII_PAGE_DEFAULT <= TAXII_PAGE_MAX && TAXII_BODY_BYTES_MAX <= IMPORT_BODY_BYTES_MAX);
