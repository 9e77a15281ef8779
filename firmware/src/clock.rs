//! What time it is, on a board without a battery: the agent says it, or the modem's network (3GPP TS 27.007 §8.15), and until then
//! nobody knows.

/// A moment, by both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds since the program started.
    pub now_ms: u64,
    /// Milliseconds since the Unix epoch; 0 where nobody has said.
    pub unix_ms: u64,
}

impl Moment {
    /// The time of an event: by the calendar where it is known, so that rules may ask for the hour, otherwise since the start, so that
    /// counters count all the same.
    #[must_use]
    pub const fn event_ms(&self) -> u64 {
        if self.unix_ms > 0 { self.unix_ms } else { self.now_ms }
    }
}

/// The clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    /// What the calendar said, and when since the start.
    set: Option<(u64, u64)>,
    is_by_agent: bool,
}

impl Clock {
    /// Nobody has said what time it is.
    #[must_use]
    pub const fn new() -> Self {
        Self { set: None, is_by_agent: false }
    }

    /// The moment.
    #[must_use]
    pub fn at(&self, now_ms: u64) -> Moment {
        let unix_ms =
            self.set.map_or(0, |(unix_ms, since_ms)| unix_ms.saturating_add(now_ms.saturating_sub(since_ms)));
        Moment { now_ms, unix_ms }
    }

    /// The agent says what time it is: it knows better than the modem.
    pub fn set_by_agent(&mut self, unix_ms: u64, now_ms: u64) {
        if unix_ms >= EARLIEST_MS {
            self.set = Some((unix_ms, now_ms));
            self.is_by_agent = true;
        }
    }

    /// The modem says it.
    pub fn set_by_modem(&mut self, unix_ms: u64, now_ms: u64) {
        if !self.is_by_agent && unix_ms >= EARLIEST_MS {
            self.set = Some((unix_ms, now_ms));
        }
    }
}

/// 2025-01-01: a clock that says less was never set.
const EARLIEST_MS: u64 = 1_735_689_600_000;

/// `26/11/25,18:03:04+32`, local time and its offset in quarters of an hour → milliseconds since the Unix epoch.
#[must_use]
pub fn parse(text: &str) -> Option<u64> {
    let (date, rest) = text.trim_matches('"').split_once(',')?;
    let at = rest.find(['+', '-'])?;
    let (time, zone) = rest.split_at_checked(at)?;
    let mut numbers = date.split('/').chain(time.split(':')).map(|number| number.parse::<i64>().ok());
    let mut next = || numbers.next().flatten();
    let (year, month, day) = (next()?, next()?, next()?);
    let (hour, minute, second) = (next()?, next()?, next()?);
    let zone: i64 = zone.parse().ok()?;
    let is_sane = (0..100).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second)
        && (-96..=96).contains(&zone);
    if !is_sane {
        return None;
    }
    // Days since 1970-01-01 of the proleptic Gregorian calendar, years beginning in March.
    let (year, month) = if month <= 2 { (1999 + year, month + 9) } else { (2000 + year, month - 3) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - zone * 900;
    u64::try_from(seconds).ok()?.checked_mul(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_modems() {
        assert_eq!(parse("\"26/11/25,18:03:04+32\""), Some(1_795_600_984_000));
        assert_eq!(parse("70/01/01,00:00:00+00"), Some(3_155_760_000_000));
        assert_eq!(parse("24/02/29,00:00:00+00"), Some(1_709_164_800_000));
        for wrong in ["", "26/11/25", "26/13/25,18:03:04+32", "26/11/25,18:03:04", "a/b/c,d:e:f+g"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_agent_knows_better() {
        let mut clock = Clock::new();
        assert_eq!(clock.at(5), Moment { now_ms: 5, unix_ms: 0 });
        clock.set_by_modem(1, 5);
        assert_eq!(clock.at(5).unix_ms, 0, "a clock that was never set says nothing");
        clock.set_by_modem(1_800_000_000_000, 5);
        clock.set_by_agent(1_800_000_001_000, 10);
        clock.set_by_modem(1_900_000_000_000, 20);
        assert_eq!(clock.at(1_010).unix_ms, 1_800_000_002_000);
    }
}
