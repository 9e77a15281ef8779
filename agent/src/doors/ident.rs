//! Message ids for messages that are taken and dropped: of the form that the centre gives, and none that it gave.

use std::hash::{BuildHasher, RandomState};
use yumen_wire::cmpp::{MsgId, MsgIdTime};
use yumen_wire::smgp;

/// Octets of an SMPP `message_id`, its NUL left out (SMPP 3.4 §5.2.23).
const SMPP_ID_BYTES_MAX: usize = 64;
/// Shorter ids are lengthened: among few of them a made one could be given to another message later.
const SMPP_ID_BYTES_MIN: usize = 10;
/// Octets taken over from the centre's last id, so that a number doesn't outgrow what the sender keeps it in.
const SMPP_ID_KEPT_BYTES: usize = 2;
/// Ids of the learned form that are tried before it is given up.
const MAKE_TRIES_MAX: u32 = 64;
/// Ids of the centre that are remembered, by hash.
const SEEN_IDS_MAX: usize = 64;

/// The form of a centre's SMPP ids, learned from its responses.
#[derive(Debug)]
pub(super) struct SmppIds {
    sample: [u8; SMPP_ID_BYTES_MAX],
    length: usize,
    lower_hex: bool,
    upper_hex: bool,
    seen: [u64; SEEN_IDS_MAX],
    next: usize,
    random: Random,
}

impl SmppIds {
    pub(super) fn new() -> Self {
        Self {
            sample: [b'0'; SMPP_ID_BYTES_MAX],
            length: 0,
            lower_hex: false,
            upper_hex: false,
            seen: [0; SEEN_IDS_MAX],
            next: 0,
            random: Random::new(),
        }
    }

    /// The centre gave this id.
    pub(super) fn learn(&mut self, id: &[u8]) {
        let Some(sample) = self.sample.get_mut(..id.len()).filter(|_| !id.is_empty()) else { return };
        sample.copy_from_slice(id);
        self.length = id.len();
        if id.iter().all(u8::is_ascii_hexdigit) {
            self.lower_hex |= id.iter().any(u8::is_ascii_lowercase);
            self.upper_hex |= id.iter().any(u8::is_ascii_uppercase);
        } else {
            self.lower_hex = false;
            self.upper_hex = false;
        }
        let hash = hash(id);
        if let Some(place) = self.seen.get_mut(self.next % SEEN_IDS_MAX) {
            *place = hash;
        }
        self.next = self.next.wrapping_add(1);
    }

    /// Hands a made id to `then`: as long as the centre's, of the same alphabet, and none that was seen.
    pub(super) fn make<T>(&mut self, then: impl FnOnce(&[u8]) -> T) -> T {
        let mut id = self.sample;
        let length = self.length.max(SMPP_ID_BYTES_MIN);
        let kept = if self.length < SMPP_ID_BYTES_MIN { 0 } else { SMPP_ID_KEPT_BYTES };
        let learned = self.length;
        let mut tries = 0_u32;
        loop {
            // A form with hardly anything free in it is given up, for digits.
            let (kept, learned) = if tries < MAKE_TRIES_MAX { (kept, learned) } else { (0, 0) };
            tries = tries.saturating_add(1);
            for (at, octet) in id.iter_mut().enumerate().take(length).skip(kept) {
                let class = if at < learned { *octet } else { b'0' };
                *octet = self.random.like(class, self.lower_hex, self.upper_hex);
                if at == 0 && *octet == b'0' {
                    *octet = b'1';
                }
            }
            let made = id.get(..length).unwrap_or_default();
            if !self.seen.contains(&hash(made)) {
                return then(made);
            }
        }
    }
}

/// The form of an ISMG's ids, learned from its responses.
#[derive(Debug)]
pub(super) struct CmppIds {
    last: Option<MsgId>,
    utc_offset_s: i64,
    made: u16,
}

impl CmppIds {
    pub(super) const fn new() -> Self {
        Self { last: None, utc_offset_s: CHINA_UTC_OFFSET_S, made: 0 }
    }

    /// The ISMG gave this id at `time_ms`.
    pub(super) fn learn(&mut self, id: MsgId, time_ms: u64) {
        if id.0 == 0 {
            return;
        }
        self.last = Some(id);
        let time = id.time();
        let of_day = i64::from(time.hour) * 3600 + i64::from(time.minute) * 60 + i64::from(time.second);
        let utc = seconds(time_ms).rem_euclid(DAY_S);
        // Offsets are whole quarters of an hour, between -12 and +12 hours.
        let offset = (of_day - utc + DAY_S / 2).rem_euclid(DAY_S) - DAY_S / 2;
        self.utc_offset_s = (offset + QUARTER_S / 2).div_euclid(QUARTER_S) * QUARTER_S;
    }

    /// An id of this second and of that ISMG, with a sequence half a circle away from the real ones.
    pub(super) fn make(&mut self, time_ms: u64) -> MsgId {
        let last = self.last.unwrap_or(MsgId(0));
        self.made = self.made.wrapping_add(1) & 0x3FFF;
        let sequence = last.sequence().wrapping_add(0x8000).wrapping_add(self.made);
        let ismg = if self.last.is_some() { last.ismg() } else { FALLBACK_ISMG };
        MsgId::new(civil(seconds(time_ms) + self.utc_offset_s), ismg, sequence)
    }
}

/// The form of an SMGW's ids: BCD of its code, minute and number where the peer keeps to the specification, any octets
/// where it doesn't (M-2).
#[derive(Debug)]
pub(super) struct SmgpIds {
    last: Option<smgp::MsgId>,
    utc_offset_s: i64,
    made: u32,
    random: Random,
}

impl SmgpIds {
    pub(super) fn new() -> Self {
        Self { last: None, utc_offset_s: CHINA_UTC_OFFSET_S, made: 0, random: Random::new() }
    }

    /// The SMGW gave this id at `time_ms`.
    pub(super) fn learn(&mut self, id: smgp::MsgId, time_ms: u64) {
        if id == smgp::MsgId::default() {
            return;
        }
        self.last = Some(id);
        if let [.., hour, minute, _, _, _] = id.0
            && let (Some(hour), Some(minute)) = (from_bcd(hour), from_bcd(minute))
        {
            let utc = seconds(time_ms).rem_euclid(DAY_S);
            let of_day = i64::from(hour) * 3600 + i64::from(minute) * 60;
            let offset = (of_day - utc + DAY_S / 2).rem_euclid(DAY_S) - DAY_S / 2;
            self.utc_offset_s = (offset + QUARTER_S / 2).div_euclid(QUARTER_S) * QUARTER_S;
        }
    }

    /// An id of this minute and of that SMGW, with a number half a circle away from the real ones.
    pub(super) fn make(&mut self, time_ms: u64) -> smgp::MsgId {
        let last = self.last.map_or(FALLBACK_SMGW_ID, |id| id.0);
        let [code @ .., _, _, _, _, high, middle, low] = last;
        self.made = (self.made + 1) % (SMGP_NUMBERS / 4);
        let number = |octets: [u8; 3]| {
            octets.into_iter().try_fold(0, |number, octet| Some(number * 100 + u32::from(from_bcd(octet)?)))
        };
        match number([high, middle, low]) {
            Some(number) if last.iter().all(|octet| from_bcd(*octet).is_some()) => {
                let number = (number + SMGP_NUMBERS / 2 + self.made) % SMGP_NUMBERS;
                let time = civil(seconds(time_ms) + self.utc_offset_s);
                let digits = |value: u32| to_bcd(u8::try_from(value % 100).unwrap_or_default());
                let [c0, c1, c2] = code;
                let time = [time.month, time.day, time.hour, time.minute].map(to_bcd);
                let [month, day, hour, minute] = time;
                let (high, middle, low) = (digits(number / 10_000), digits(number / 100), digits(number));
                smgp::MsgId([c0, c1, c2, month, day, hour, minute, high, middle, low])
            }
            _ => {
                // Of a form that can't be told: what comes first stays, the rest is by chance.
                let mut id = last;
                for octet in id.iter_mut().skip(SMGP_ID_KEPT_BYTES) {
                    *octet = self.random.next().to_le_bytes()[0];
                }
                smgp::MsgId(id)
            }
        }
    }
}

/// The number of an SMGP id has six digits.
const SMGP_NUMBERS: u32 = 1_000_000;
/// Octets kept of an SMGP id of unknown form.
const SMGP_ID_KEPT_BYTES: usize = 3;
/// An SMGW's id before a real one is known: area 010, gateway 1.
const FALLBACK_SMGW_ID: [u8; 10] = [0x01, 0x00, 0x61, 0, 0, 0, 0, 0, 0, 0];

fn from_bcd(octet: u8) -> Option<u8> {
    let (high, low) = (octet >> 4, octet & 0x0F);
    (high < 10 && low < 10).then_some(high * 10 + low)
}

const fn to_bcd(value: u8) -> u8 {
    ((value / 10 % 10) << 4) | (value % 10)
}

const DAY_S: i64 = 86_400;
const QUARTER_S: i64 = 900;
const CHINA_UTC_OFFSET_S: i64 = 8 * 3600;
/// An ISMG's code before the real one's is known.
const FALLBACK_ISMG: u32 = 1001;

fn seconds(time_ms: u64) -> i64 {
    i64::try_from(time_ms / 1000).unwrap_or(i64::MAX / 2)
}

/// Month, day and time of day of a count of seconds since 1970 (Hinnant's `civil_from_days`, without the year).
fn civil(seconds: i64) -> MsgIdTime {
    let of_day = seconds.rem_euclid(DAY_S);
    let day_of_era = (seconds.div_euclid(DAY_S) + 719_468).rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let small = |value: i64| u8::try_from(value).unwrap_or_default();
    MsgIdTime {
        month: small(month),
        day: small(day),
        hour: small(of_day / 3600),
        minute: small(of_day / 60 % 60),
        second: small(of_day % 60),
    }
}

fn hash(id: &[u8]) -> u64 {
    id.iter()
        .fold(0xCBF2_9CE4_8422_2325, |hash, octet| (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01B3))
}

/// splitmix64: ids need to differ, not to be secret.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn new() -> Self {
        Self(RandomState::new().hash_one(0))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn like(&mut self, class: u8, lower_hex: bool, upper_hex: bool) -> u8 {
        let alphabet: &[u8] = match class {
            b'0'..=b'9' | b'a'..=b'f' if lower_hex => b"0123456789abcdef",
            b'0'..=b'9' | b'A'..=b'F' if upper_hex => b"0123456789ABCDEF",
            b'0'..=b'9' => b"0123456789",
            b'a'..=b'z' => b"abcdefghijklmnopqrstuvwxyz",
            b'A'..=b'Z' => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            other => return other,
        };
        let count = u64::try_from(alphabet.len()).unwrap_or(1);
        let at = usize::try_from(self.next() % count).unwrap_or_default();
        alphabet.get(at).copied().unwrap_or(class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made_like(samples: &[&str]) -> String {
        let mut ids = SmppIds::new();
        for sample in samples {
            ids.learn(sample.as_bytes());
        }
        ids.make(|id| String::from_utf8(id.to_vec()).unwrap())
    }

    #[test]
    fn a_made_id_looks_like_the_centres() {
        let number = made_like(&["1234567890", "1234567891"]);
        assert_eq!(number.len(), 10);
        assert!(number.starts_with("12") && number.bytes().all(|octet| octet.is_ascii_digit()), "{number}");
        let hex = made_like(&["00a1b2c3d4e5", "001122334455"]);
        assert!(
            hex.len() == 12 && hex.bytes().all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f')),
            "{hex}"
        );
        let uuid = made_like(&["6f1c0a4e-6d2b-4a67-9f8e-0123456789ab"]);
        assert_eq!(uuid.match_indices('-').map(|(at, _)| at).collect::<Vec<_>>(), [8, 13, 18, 23]);
        assert_eq!(made_like(&[]).len(), SMPP_ID_BYTES_MIN);
        assert_eq!(made_like(&["7"]).len(), SMPP_ID_BYTES_MIN);
    }

    #[test]
    fn a_made_id_is_none_that_was_seen() {
        let mut ids = SmppIds::new();
        for number in 0..SEEN_IDS_MAX {
            ids.learn(format!("99------{number:02}").as_bytes());
        }
        // Two free digits only, and 64 of the 100 are taken.
        for _ in 0..200 {
            ids.make(|id| {
                let number: usize = std::str::from_utf8(&id[8..]).unwrap().parse().unwrap();
                assert!(number >= SEEN_IDS_MAX, "{number} was seen");
            });
        }
    }

    #[test]
    fn an_smgw_id_carries_its_code_and_the_present_minute() {
        let mut ids = SmgpIds::new();
        // 2026-11-23 18:00:00 UTC is 02:00 on the 24th in China.
        let time_ms = 1_795_456_800_000;
        ids.learn(smgp::MsgId([0x02, 0x10, 0x62, 0x11, 0x24, 0x02, 0x00, 0x12, 0x34, 0x56]), time_ms);
        let made = ids.make(time_ms + 61_000).0;
        assert_eq!(made, [0x02, 0x10, 0x62, 0x11, 0x24, 0x02, 0x01, 0x62, 0x34, 0x57]);
        assert_ne!(ids.make(time_ms), ids.make(time_ms));
        ids.learn(smgp::MsgId([0x64, 0x95, 0xC3, 0x6A, 0xC4, 0xEA, 0x6B, 0, 0, 0x0B]), time_ms);
        let made = ids.make(time_ms);
        assert_eq!(made.0[..3], [0x64, 0x95, 0xC3]);
        assert_ne!(made, ids.make(time_ms));
    }

    #[test]
    fn an_ismg_id_carries_its_gateway_and_the_present_second() {
        let mut ids = CmppIds::new();
        // 2026-11-23 18:00:00 UTC is 02:00 on the 24th in China.
        let time_ms = 1_795_456_800_000;
        let real = MsgId::new(MsgIdTime { month: 11, day: 24, hour: 2, minute: 0, second: 0 }, 220_001, 7);
        ids.learn(real, time_ms);
        let made = ids.make(time_ms + 61_000);
        assert_eq!(made.time(), MsgIdTime { month: 11, day: 24, hour: 2, minute: 1, second: 1 });
        assert_eq!(made.ismg(), 220_001);
        assert_ne!(made.sequence(), real.sequence());
        assert_ne!(ids.make(time_ms), ids.make(time_ms));
    }
}
