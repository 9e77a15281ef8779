//! What an agent sends to the hub: refused, or within every limit, and the same when written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yumen_exchange::{check, limits};

const TOPIC: &str = "yumen/v1/bank-a/gw1/sighting";

fuzz_target!(|payload: &[u8]| {
    let _ = (check::id(payload), check::status("yumen/v1/bank-a/gw1/status", payload));
    let Ok(received) = check::sighting(TOPIC, payload) else { return };
    let data = &received.envelope.data;
    assert!(data.score <= 100 && data.rules.len() <= limits::RULES_MAX);
    assert!(data.indicators.len() <= limits::INDICATORS_MAX);
    let again = serde_json::to_vec(&received.envelope).unwrap();
    if again.len() <= limits::SIGHTING_BYTES_MAX {
        assert_eq!(check::sighting(TOPIC, &again), Ok(received));
    }
});
