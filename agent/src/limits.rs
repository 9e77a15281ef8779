//! All limits of the agent, and how they relate.

use std::time::Duration;
use yumen_exchange::limits::SIGHTING_BYTES_MAX;
use yumen_rules::limits::TEXT_BYTES_MAX;
use yumen_wire::limits::{SMPP_SHORT_MESSAGE_BYTES_MAX, USER_DATA_BYTES_MAX};

/// Longest record of the spool, in bytes: one sighting.
pub const SPOOL_RECORD_BYTES_MAX: usize = SIGHTING_BYTES_MAX;

/// Smallest segment of the spool, in bytes.
pub const SPOOL_SEGMENT_BYTES_MIN: u32 = 64 * 1024;

/// Largest segment of the spool, in bytes: what a start reads at once.
pub const SPOOL_SEGMENT_BYTES_MAX: u32 = 64 * 1024 * 1024;

/// Most sightings read back from the spool and not acknowledged, in records.
pub const MQTT_WINDOW_MAX: usize = 1024;

/// The same in bytes of payload: nothing more is read back above it.
pub const MQTT_WINDOW_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Bytes read back from the spool at a time.
pub const MQTT_READ_BYTES_MAX: usize = 64 * 1024;

const _: () =
    assert!(SPOOL_SEGMENT_BYTES_MIN as usize > 2 * SPOOL_RECORD_BYTES_MAX, "a segment holds several records");
const _: () = assert!(SPOOL_SEGMENT_BYTES_MIN < SPOOL_SEGMENT_BYTES_MAX);
const _: () =
    assert!(MQTT_WINDOW_BYTES_MAX > MQTT_READ_BYTES_MAX && MQTT_READ_BYTES_MAX > SPOOL_RECORD_BYTES_MAX);

/// Longest a message may wait for its verdict, unless the listener says otherwise.
pub const DECISION_DEADLINE: Duration = Duration::from_millis(500);

/// UTF-8 bytes that are judged at a time; a longer text is judged in stretches.
pub const JUDGED_BYTES_MAX: usize = 32 * 1024;

/// Bytes that a stretch has in common with the one before: longer than any pattern reaches.
pub const JUDGED_OVERLAP_BYTES: usize = 4 * 1024;

/// Bytes of decoded text that a thread keeps room for between messages.
pub const TEXT_KEPT_BYTES_MAX: usize = 256 * 1024;

/// Multi-part messages that are remembered at a time.
pub const REASSEMBLY_MESSAGES_MAX: usize = 16 * 1024;

/// Bytes of their user data, bookkeeping included.
pub const REASSEMBLY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// How long a multi-part message is remembered after its last part.
pub const REASSEMBLY_AGE_MAX: Duration = Duration::from_secs(10 * 60);

/// Locks of the table of multi-part messages.
pub const REASSEMBLY_SHARDS: usize = 64;

/// Messages of a shard that are looked at for their age whenever a part comes.
pub const REASSEMBLY_SWEEP_STEPS: usize = 3;

/// What a part costs besides its octets, in bytes.
pub const PART_OVERHEAD_BYTES: usize = 160;

/// First size of a connection's read buffer, in bytes.
pub const INPUT_BYTES_START: usize = 4 * 1024;

/// What a busy connection reads at a time, in bytes; only a longer PDU makes the buffer larger.
pub const INPUT_BYTES_STEP_MAX: usize = 32 * 1024;

/// Bytes queued for a slow reader above which nothing more is read for it.
pub const OUTPUT_BYTES_HIGH: usize = 64 * 1024;

/// The gateway's own longest answer, in bytes: a `submit_multi_resp` with an id of 64.
pub const ANSWER_BYTES_MAX: usize = 128;

/// Blocked commands that an SGIP listener remembers, so that a resend is answered again, over a reconnect too: those of a
/// client's timeout of 30 s, at 500 a second.
pub const SGIP_BLOCKED_MAX: usize = 16 * 1024;

/// Longest body of a request to the decision API, in bytes: a batch of the longest texts has to be cut.
pub const API_BODY_BYTES_MAX: usize = 256 * 1024;

/// Longest text of a question, in characters.
pub const API_TEXT_CHARS_MAX: usize = 4_096;

/// Longest number or sender ID, and longest header of a call, in characters.
pub const API_FIELD_CHARS_MAX: usize = 64;

/// Questions of one batch.
pub const API_BATCH_MAX: usize = 100;

/// How long a client may take for the head of a request; an idle connection is closed after it too.
pub const API_HEAD_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a client may take for the body of a request.
pub const API_BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Largest head of a request, in bytes.
pub const API_HEAD_BYTES_MAX: usize = 32 * 1024;

/// Tokens of a file.
pub const API_TOKENS_MAX: usize = 1_024;

/// Shortest token, in bytes.
pub const API_TOKEN_BYTES_MIN: usize = 16;

/// Client certificates whose rate is kept; the least used makes room.
pub const API_CERTIFICATES_MAX: usize = 1_024;

/// Decisions that can be looked up for an appeal.
pub const API_APPEALS_MAX: usize = 100_000;

const _: () = assert!(API_TEXT_CHARS_MAX * 4 <= JUDGED_BYTES_MAX, "a text is judged in one stretch");
const _: () = assert!(API_TEXT_CHARS_MAX * 12 < API_BODY_BYTES_MAX, "the longest text fits, escaped in full");

/// Number lists of one gateway.
pub const NUMBER_LISTS_MAX: usize = 32;

/// How long a client may take for its TLS handshake.
pub const TLS_ACCEPT_TIMEOUT: Duration = Duration::from_secs(10);

/// Pause after a failed accept.
pub const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// How long a half-closed pair may stand without a byte moving.
pub const CLOSED_STALL_MAX: Duration = Duration::from_secs(600);

/// How long a closed connection is still read, so that its last answers arrive.
pub const LINGER_MAX: Duration = Duration::from_secs(1);

/// How often deltas are sent to the other gateways and theirs are read.
pub const SHARE_INTERVAL: Duration = Duration::from_millis(50);

/// Longest wait for an answer of Redis.
pub const SHARE_WAIT_MAX: Duration = Duration::from_secs(2);

/// Shortest and longest pause before Redis is tried again.
pub const SHARE_PAUSE_MIN: Duration = Duration::from_millis(100);
/// See [`SHARE_PAUSE_MIN`].
pub const SHARE_PAUSE_MAX: Duration = Duration::from_secs(2);

/// Deltas of a batch: 112 KiB.
pub const SHARE_BATCH_DELTAS: usize = 2048;

/// Batches that are read at once.
pub const SHARE_READ_BATCHES: usize = 32;

/// Round trip that SIP's timers are made of (RFC 3261 §17.1.1.1).
pub const SIP_T1: Duration = Duration::from_millis(500);

/// Longest pause between two of the same answer (RFC 3261 §17.1.2.2).
pub const SIP_T2: Duration = Duration::from_secs(4);

/// How long a message may be under way (RFC 3261 §17.1.2.2).
pub const SIP_T4: Duration = Duration::from_secs(5);

/// Datagrams taken before timers are looked at.
pub const SIP_BATCH_MAX: usize = 64;

/// Full batches in a row from which on more comes than is served.
pub const SIP_PRESSED_BATCHES: u32 = 8;

/// Bytes of datagrams that the system keeps for us.
pub const SIP_RECEIVE_BYTES: usize = 4 * 1024 * 1024;

/// How long a stream may be silent.
pub const SIP_IDLE_MAX: Duration = Duration::from_secs(600);

/// Bytes that the transactions of a proxy take; above it, new ones are put off.
pub const SIP_PROXY_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Calls that were asked for a password and are expected again.
pub const SIP_CHALLENGES_MAX: usize = 16 * 1024;

/// How long a next hop may take to say that it is there.
pub const SIP_PROBE_TIMEOUT: Duration = Duration::from_secs(4);

/// Failures in a row after which a next hop is passed over.
pub const SIP_HOP_LOST_AFTER: u32 = 2;

/// How long it is passed over where nobody asks whether it is back.
pub const SIP_HOP_REST: Duration = Duration::from_secs(30);

/// Messages that wait for one stream connection to take them.
pub const SIP_STREAM_QUEUE: usize = 1024;

/// Messages from streams that wait for the proxy.
pub const SIP_INBOX: usize = 4096;

/// Stream connections that a proxy opens at a time.
pub const SIP_CONNECTIONS_OUT_MAX: usize = 256;

/// How long a stream connection to a next hop may take.
pub const SIP_CONNECT_TIMEOUT: Duration = Duration::from_secs(4);

/// Host names whose address is known, or asked for.
pub const SIP_NAMES_MAX: usize = 1024;

/// How long an address of a name is used.
pub const SIP_NAME_AGE_MAX: Duration = Duration::from_secs(60);

/// Messages that wait for the address of a name.
pub const SIP_NAME_QUEUE: usize = 256;

/// Certificates of callers' signers that are kept, or asked for.
pub const STIR_CERTIFICATES_MAX: usize = 4096;

/// Certificates that are fetched at a time.
pub const STIR_FETCHES_MAX: usize = 32;

/// How long a fetch may take.
pub const STIR_FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// Largest certificate chain, in bytes.
pub const STIR_CERTIFICATE_BYTES_MAX: usize = 64 * 1024;

/// How long a certificate that didn't come isn't asked for again.
pub const STIR_RETRY: Duration = Duration::from_secs(30);

/// Calls of a door that wait for a certificate.
pub const STIR_WAITING_MAX: usize = 1024;

const _: () = assert!(SIP_T1.as_millis() < SIP_T2.as_millis() && SIP_T2.as_millis() < SIP_T4.as_millis());
/// Multi-part messages of a capture that wait for their last part before they are shown.
pub const REPLAY_UNFINISHED_MAX: usize = 1024;

/// Bytes of packets that the system keeps for a tap until it reads them.
pub const TAP_RECEIVE_BYTES: i32 = 32 * 1024 * 1024;

/// Calls of a capture whose outcome is awaited.
pub const REPLAY_CALLS_MAX: usize = 8 * 1024;

/// Longest Call-ID of a capture that is remembered, in bytes.
pub const REPLAY_CALL_ID_BYTES_MAX: usize = 256;

const _: () = assert!(JUDGED_BYTES_MAX <= TEXT_BYTES_MAX, "the engine judges a stretch to its end");
const _: () = assert!(JUDGED_OVERLAP_BYTES + 4 < JUDGED_BYTES_MAX / 2, "stretches move on");
const _: () = assert!(REASSEMBLY_MESSAGES_MAX >= REASSEMBLY_SHARDS, "every shard holds a message");
const _: () = assert!(
    REASSEMBLY_BYTES_MAX / REASSEMBLY_SHARDS > 255 * (PART_OVERHEAD_BYTES + SMPP_SHORT_MESSAGE_BYTES_MAX),
    "the longest message of parts of the usual size fits"
);
const _: () =
    assert!(REASSEMBLY_BYTES_MAX / REASSEMBLY_SHARDS > 2 * USER_DATA_BYTES_MAX, "two parts of any size fit");
const _: () = assert!(INPUT_BYTES_START <= INPUT_BYTES_STEP_MAX);

/// A pack or an image for a device, in bytes.
pub const DEVICE_FILE_BYTES_MAX: usize = 4 << 20;

/// How often a device's files are looked at, and the longest silence on its line between two looks.
pub const DEVICE_WATCH: Duration = Duration::from_secs(1);

/// Pause before a device's line is opened again.
pub const DEVICE_RETRY: Duration = Duration::from_secs(1);
