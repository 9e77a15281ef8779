//! User data headers: split without losing text, walked without end.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yumen_wire::udh::{Udh, UserData};

fuzz_target!(|octets: &[u8]| {
    let parts = UserData { octets, has_udh: true }.parts();
    assert_eq!(parts.udh_bytes + parts.text.len(), octets.len());
    assert!(octets.ends_with(parts.text));
    assert!(parts.fill_bits() < 7);
    assert_eq!(parts.defect.is_some(), Udh::new_checked(octets).is_err());
    if let Some(place) = parts.concatenation() {
        assert!(place.total >= 2 && (1..=place.total).contains(&place.number));
    }
    let walked: usize = parts.udh.elements().map(|element| 2 + element.data.len()).sum();
    assert_eq!(walked, parts.udh.octets().len());
    let _ = (parts.udh.ports(), parts.udh.single_shift(), parts.udh.locking_shift());
});
