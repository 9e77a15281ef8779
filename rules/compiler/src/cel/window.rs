//! Window calls: `caller.attempts("10m")`.

use yumen_rules::behave::{Measure, Query, Subject, WINDOW_S_MAX, WINDOW_S_MIN};

/// Whether a call asks about behaviour: whom it names does, whatever the method.
pub(super) fn is_call(path: &str, method: &str) -> bool {
    method != "startsWith" && subject(path).is_some()
}

/// The question; `None` where there is no such measure of the subject, or no such window.
pub(super) fn query(path: &str, method: &str, window: Option<&str>) -> Option<Query> {
    let subject = subject(path)?;
    let measure = Measure::ALL.into_iter().find(|measure| measure.name() == method)?;
    let window_s = seconds(window?)?;
    let valid = measure.suits(subject) && (WINDOW_S_MIN..=WINDOW_S_MAX).contains(&window_s);
    valid.then_some(Query { subject, measure, window_s })
}

/// The measures that a subject has.
pub(super) fn measures_of(path: &str) -> Vec<&'static str> {
    let Some(subject) = subject(path) else { return Vec::new() };
    Measure::ALL.into_iter().filter(|measure| measure.suits(subject)).map(Measure::name).collect()
}

fn subject(path: &str) -> Option<Subject> {
    Subject::ALL.into_iter().find(|subject| subject.name() == path)
}

/// `10s`, `10m`, `24h`, `1d`.
pub(crate) fn seconds(window: &str) -> Option<u32> {
    let digits = window.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match window.get(digits.len()..)? {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    digits.parse::<u32>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_ten_seconds_to_a_day() {
        let window_s = |window| query("caller", "attempts", Some(window)).map(|query| query.window_s);
        assert_eq!(window_s("10s"), Some(10));
        assert_eq!(window_s("90m"), Some(5400));
        assert_eq!(window_s("1d"), window_s("24h"));
        for wrong in ["9s", "25h", "10", "m", "10 m", "-1m", "99999999h", "10min"] {
            assert_eq!(window_s(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_measure_must_suit_its_subject() {
        assert!(query("callee", "distinct_callers", Some("5m")).is_some());
        assert!(query("caller", "distinct_callers", Some("5m")).is_none());
        assert!(query("pair", "sequential", Some("5m")).is_none());
    }
}
