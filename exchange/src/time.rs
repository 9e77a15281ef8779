//! Time on the wire: RFC 3339 §5.6 in UTC, with milliseconds.

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// The last instant that [`format`] writes in 24 bytes: 9999-12-31T23:59:59.999Z.
const LAST_MS: u64 = 253_402_300_799_999;

/// `2026-11-23T18:02:00.000Z` from milliseconds since the Unix epoch; instants after the year 9999 are written as
/// its last.
#[must_use]
pub fn format(time_ms: u64) -> String {
    let time_ms = time_ms.min(LAST_MS);
    let (year, month, day) = civil(time_ms / DAY_MS);
    let rest = time_ms % DAY_MS;
    let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
    let (second, millis) = (rest / 1000 % 60, rest % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Milliseconds since the Unix epoch from an RFC 3339 instant, with any offset and any number of fractional digits
/// (further ones than three are cut). `None` for anything else, instants before 1970 included. A leap second counts
/// as the second before it.
#[must_use]
pub fn parse(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    let year = digits(bytes, 0, 4)?;
    let (month, day) = (after(bytes, 4, b"-", 2)?, after(bytes, 7, b"-", 2)?);
    let (hour, minute) = (after(bytes, 10, b"Tt ", 2)?, after(bytes, 13, b":", 2)?);
    let second = after(bytes, 16, b":", 2)?;
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut rest = bytes.get(19..)?;
    let mut millis = 0;
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if length == 0 {
            return None;
        }
        for place in 0..3 {
            millis = millis * 10 + fraction[..length].get(place).map_or(0, |digit| u64::from(digit - b'0'));
        }
        rest = fraction.get(length..)?;
    }
    let day_ms = ((hour * 60 + minute) * 60 + second.min(59)) * 1000 + millis;
    let local_ms = days(year, month, day)?.checked_mul(DAY_MS)?.checked_add(day_ms)?;
    offset(rest, local_ms)
}

/// UTC from a local instant and `Z`, `+08:00` or `-03:30`.
fn offset(zone: &[u8], local_ms: u64) -> Option<u64> {
    if matches!(zone, b"Z" | b"z") {
        return Some(local_ms);
    }
    let (hours, minutes) = (digits(zone, 1, 2)?, after(zone, 3, b":", 2)?);
    if zone.len() != 6 || hours > 23 || minutes > 59 {
        return None;
    }
    let shift_ms = (hours * 60 + minutes) * 60_000;
    match zone.first()? {
        b'+' => local_ms.checked_sub(shift_ms),
        b'-' => local_ms.checked_add(shift_ms),
        _ => None,
    }
}

/// `count` digits at `at`, preceded by nothing.
fn digits(bytes: &[u8], at: usize, count: usize) -> Option<u64> {
    bytes
        .get(at..at + count)?
        .iter()
        .try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u64::from(byte - b'0')))
}

/// `count` digits behind one of `marks` at `at`.
fn after(bytes: &[u8], at: usize, marks: &[u8], count: usize) -> Option<u64> {
    marks.contains(bytes.get(at)?).then(|| digits(bytes, at + 1, count))?
}

const fn leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_in(year: u64, month: u64) -> u64 {
    match month {
        2 if leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01, after Howard Hinnant's `days_from_civil`; `None` before it.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    // The year starts in March, so that the leap day is its last.
    let year = if month <= 2 { year.checked_sub(1)? } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    (era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year).checked_sub(719_468)
}

/// Year, month and day of a day since 1970-01-01, after Howard Hinnant's `civil_from_days`.
const fn civil(day: u64) -> (u64, u64, u64) {
    let day = day + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + (month <= 2) as u64;
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_instants() {
        for (time_ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_767_225_599_999, "2025-12-31T23:59:59.999Z"),
            (LAST_MS, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(format(time_ms), text);
            assert_eq!(parse(text), Some(time_ms));
        }
        assert_eq!(format(u64::MAX), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn other_zones_and_fractions_mean_the_same_instant() {
        let utc = parse("2026-11-23T10:02:00.500Z");
        for text in
            ["2026-11-23T18:02:00.5+08:00", "2026-11-23t06:32:00.5004-03:30", "2026-11-23 10:02:00.500z"]
        {
            assert_eq!(parse(text), utc, "{text}");
        }
    }

    #[test]
    fn what_is_not_an_instant_is_refused() {
        for text in [
            "",
            "2026-11-23",
            "2026-11-23T10:02:00",
            "2026-11-23T10:02:00.Z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-23T24:00:00Z",
            "1969-12-31T23:59:59Z",
            "2026-11-23T10:02:00Zx",
            "1970-01-01T00:00:00+00:01",
            "２026-11-23T10:02:00Z",
            "2026-11-23T10:02:00+0800",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(time_ms in 0..=LAST_MS) {
            prop_assert_eq!(parse(&format(time_ms)), Some(time_ms));
        }

        #[test]
        fn any_text_at_all_is_read_without_a_panic(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}
