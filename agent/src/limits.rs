//! All limits of the agent, and how they relate.

use yumen_exchange::limits::SIGHTING_BYTES_MAX;

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
