//! Snapshots and batches of deltas, as they may come from a disk or from Redis.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yumen_behaviour::{Batch, Behaviour};

fuzz_target!(|bytes: &[u8]| {
    let now_ms = 1_800_000_000_000;
    if let Some(batch) = Batch::from_bytes(bytes) {
        assert_eq!(Batch::from_bytes(&batch.to_bytes()).as_ref(), Some(&batch));
        let behaviour = Behaviour::new(64);
        behaviour.receive(&batch, now_ms);
        behaviour.receive(&batch, now_ms);
    }
    // With a right checksum, so that what stands before it is looked at.
    let mut whole = b"YMNBEHAV\x01\0\0\0".to_vec();
    whole.extend_from_slice(bytes);
    whole.extend_from_slice(&crc32c::crc32c(&whole).to_le_bytes());
    if let Ok((behaviour, _)) = Behaviour::load(whole.as_slice(), 64, None, false, now_ms) {
        let mut again = Vec::new();
        behaviour.save(&mut again, now_ms).expect("memory");
        assert!(Behaviour::load(again.as_slice(), 64, None, false, now_ms).is_ok());
    }
});
