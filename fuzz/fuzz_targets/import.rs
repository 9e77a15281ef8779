//! A list that comes in, of whatever form: refused, or every candidate is one that a sighting could have.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yumen_exchange::check::INDICATOR_KINDS;
use yumen_exchange::limits::INDICATOR_BYTES_MAX;
use yumen_hub::platforms::{Format, import};

fuzz_target!(|bytes: &[u8]| {
    for format in [Format::Auto, Format::Stix, Format::Misp, Format::Csv] {
        let Ok(parsed) = import(format, bytes, 1_764_000_000_000, |_, _| false) else { continue };
        for one in parsed.candidates {
            assert!(INDICATOR_KINDS.contains(&&one.kind[..]) && one.confidence <= 100);
            assert!((1..=INDICATOR_BYTES_MAX).contains(&one.value.len()));
            assert!(!one.value.chars().any(char::is_control));
        }
    }
});
