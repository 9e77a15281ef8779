//! What of a text is counted: its template, and whether it is a one-time password.

use std::cell::RefCell;
use yumen_rules::limits::TEXT_BYTES_MAX;
use yumen_rules::{digest, extract, fold};

/// The digest of a text's template (0 where it has too little of one), and whether it has the form of a one-time
/// password. Texts that were rewritten word by word have other digests: those are for the sightings, which compare by
/// distance.
pub(super) fn of(text: &str) -> (u64, bool) {
    FOLDED.with_borrow_mut(|buffer| {
        buffer.resize(TEXT_BYTES_MAX, 0);
        let folded = fold::fold(text, buffer);
        let campaign = match folded.stats().chars {
            0..CAMPAIGN_CHARS_MIN => 0,
            _ => digest::digest(folded.bytes()).0,
        };
        (campaign, extract::has_otp_form(&folded))
    })
}

/// Shorter texts (`好的`, `在吗`) are everybody's.
const CAMPAIGN_CHARS_MIN: u32 = 12;

thread_local! {
    static FOLDED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}
