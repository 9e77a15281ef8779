//! How long an indicator counts: MISP's polynomial decay. `base × (1 − (age / lifetime)^(1 / speed))`, restarted by each
//! sighting that has evidence of its own.

/// The model of a kind of indicator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decay {
    /// Score of one just seen, 0 to 100.
    pub base: f64,
    /// After so long without a sighting the score is 0, in milliseconds.
    pub lifetime_ms: u64,
    /// Above 1 it falls steeply first, below 1 late.
    pub speed: f64,
    /// Enforced while the score is at least this.
    pub threshold: f64,
}

const DAY_MS: u64 = 86_400_000;

/// MISP's model for phone numbers.
pub const DEFAULT: Decay = Decay { base: 80.0, lifetime_ms: 10 * DAY_MS, speed: 2.3, threshold: 30.0 };

impl Decay {
    /// The score of an indicator last seen at `last_ms`; a clock that went back makes none older.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an age in milliseconds is far below 2^53")]
    pub fn score(&self, last_ms: u64, now_ms: u64) -> f64 {
        let age = now_ms.saturating_sub(last_ms).min(self.lifetime_ms) as f64;
        let share = age / (self.lifetime_ms.max(1) as f64);
        (self.base * (1.0 - share.powf(self.speed.recip()))).clamp(0.0, 100.0)
    }

    /// The score of an indicator against which so many appeals were upheld: each halves it.
    #[must_use]
    pub fn disputed(&self, last_ms: u64, now_ms: u64, disputes: u64) -> f64 {
        self.score(last_ms, now_ms) * 0.5f64.powi(i32::try_from(disputes).unwrap_or(i32::MAX))
    }

    /// Whether it is enforced still, with so many appeals upheld against it.
    #[must_use]
    pub fn holds(&self, last_ms: u64, now_ms: u64, disputes: u64) -> bool {
        self.disputed(last_ms, now_ms, disputes) >= self.threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_default_falls_as_misps_model_does() {
        let at = |days: u64| DEFAULT.score(0, days * 86_400_000);
        assert!((at(0) - 80.0).abs() < 1e-9 && at(10) == 0.0 && at(99) == 0.0);
        // 80 × (1 − 0.1^(1/2.3)) = 50.60…
        assert!((at(1) - 50.603).abs() < 0.01, "{}", at(1));
        // (1 − 30/80)^2.3 × 10 days = 3.3929…
        assert!(DEFAULT.holds(0, 339 * 864_000, 0) && !DEFAULT.holds(0, 340 * 864_000, 0));
        // One appeal that was upheld halves it, two end it.
        assert!(DEFAULT.holds(0, 0, 1) && !DEFAULT.holds(0, 0, 2) && !DEFAULT.holds(0, 86_400_000, 1));
    }

    proptest! {
        #[test]
        fn it_only_falls_with_age_and_stays_in_range(last: u64, a: u64, b: u64, speed in 0.1f64..10.0, base in 0.0f64..=100.0) {
            let model = Decay { speed, base, ..DEFAULT };
            let (early, late) = (a.min(b), a.max(b));
            let (first, second) = (model.score(last, early), model.score(last, late));
            prop_assert!((0.0..=base).contains(&first) && second <= first);
        }

        #[test]
        fn a_sighting_restarts_it_and_a_clock_set_back_does_no_harm(last: u64, back: u64) {
            prop_assert_eq!(DEFAULT.score(last, last), DEFAULT.base);
            prop_assert_eq!(DEFAULT.score(last, last.saturating_sub(back)), DEFAULT.base);
        }
    }
}
