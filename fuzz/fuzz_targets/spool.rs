//! A segment of the agent's spool, as a crash or a bad disk may leave it: what is read was written, record behind record.
#![no_main]

use libfuzzer_sys::fuzz_target;

// The reader alone, without the agent's other dependencies.
#[path = "../../agent/src/spool/record.rs"]
#[allow(dead_code)]
mod record;

const BYTES_MAX: usize = 8 * 1024;

fuzz_target!(|bytes: &[u8]| {
    let Some(mut records) = record::Records::new(bytes, BYTES_MAX) else { return };
    let mut again = record::segment_header(records.next_sequence()).to_vec();
    let mut buffer = Vec::new();
    for found in records.by_ref() {
        assert!((1..=BYTES_MAX).contains(&found.payload.len()));
        record::encode(&mut buffer, found.sequence, found.payload, found.payload.len() as u32);
        again.extend_from_slice(&buffer);
    }
    assert!(records.end().is_some());
    assert_eq!(again, bytes[..records.offset()]);
});
