//! Which column of a CDR file is what.

use crate::screen::Column;
use std::fmt;

/// What a column can be. Only the two numbers and the start must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Who called.
    Caller,
    /// Who was called.
    Callee,
    /// When it began.
    Start,
    /// When it was answered; or whether.
    Answered,
    /// When it ended.
    Ended,
    /// How long they talked, in seconds.
    Duration,
    /// How long it took from start to end, in seconds.
    Total,
    /// How it ended: a word, or a cause's name.
    Outcome,
    /// The caller's display name.
    Name,
    /// The caller's user agent.
    UserAgent,
}

impl Role {
    /// All of them, with the word on the command line.
    pub const WORDS: [(&'static str, Self); 10] = [
        ("caller", Self::Caller),
        ("callee", Self::Callee),
        ("start", Self::Start),
        ("answered", Self::Answered),
        ("ended", Self::Ended),
        ("duration", Self::Duration),
        ("total", Self::Total),
        ("outcome", Self::Outcome),
        ("name", Self::Name),
        ("user_agent", Self::UserAgent),
    ];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, role)| *role == self).map_or("", |(word, _)| word)
    }
}

/// The columns of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CdrMap {
    columns: Vec<(Role, Column)>,
    /// What times without a zone are ahead of UTC, in minutes.
    pub zone_minutes: i64,
}

/// Why a map can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MapError {
    /// Not `role=column`.
    Part(String),
    /// No such role.
    Role(String),
    /// A role that must be there isn't.
    Missing(Role),
    /// Not `+08:00`.
    Zone(String),
}

impl fmt::Display for MapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Part(part) => write!(
                f,
                "--map: `{part}` isn't role=column, asterisk or freeswitch; 应为 角色=列、asterisk 或 freeswitch"
            ),
            Self::Role(role) => {
                write!(f, "--map: there is no role `{role}`; 没有这个角色 (")?;
                for (at, (word, _)) in Role::WORDS.iter().enumerate() {
                    write!(f, "{}{word}", if at == 0 { "" } else { ", " })?;
                }
                f.write_str(")")
            }
            Self::Missing(role) => {
                write!(f, "--map: {word}=COLUMN is missing; 缺少 {word}=列", word = role.word())
            }
            Self::Zone(zone) => write!(f, "--zone: `{zone}` isn't of the form +08:00; 应形如 +08:00"),
        }
    }
}

impl CdrMap {
    /// `asterisk`, `freeswitch`, or `role=column,…`; a column by number from 1, or by its name in the first row. `zone` is that of
    /// times that don't say theirs, `+08:00`.
    ///
    /// # Errors
    /// [`MapError`].
    pub fn parse(text: &str, zone: &str) -> Result<Self, MapError> {
        let zone_minutes = zone_minutes(zone).ok_or_else(|| MapError::Zone(zone.to_owned()))?;
        let numbered = |places: &[(Role, usize)]| {
            let columns = places.iter().map(|&(role, number)| (role, Column::Number(number))).collect();
            Self { columns, zone_minutes }
        };
        match text {
            "asterisk" => return Ok(numbered(&ASTERISK)),
            "freeswitch" => return Ok(numbered(&FREESWITCH)),
            _ => {}
        }
        let mut columns = Vec::new();
        for part in text.split(',') {
            let (word, column) = part.split_once('=').ok_or_else(|| MapError::Part(part.to_owned()))?;
            let known = Role::WORDS.iter().find(|(known, _)| *known == word.trim());
            let &(_, role) = known.ok_or_else(|| MapError::Role(word.to_owned()))?;
            columns.push((role, Column::parse(column.trim())));
        }
        for role in [Role::Caller, Role::Callee, Role::Start] {
            if !columns.iter().any(|(known, _)| *known == role) {
                return Err(MapError::Missing(role));
            }
        }
        Ok(Self { columns, zone_minutes })
    }

    /// Whether a column is named: the first row holds the names then.
    pub(super) fn has_header(&self) -> bool {
        self.columns.iter().any(|(_, column)| matches!(column, Column::Name(_)))
    }

    /// Where each role stands, from 0. An error names a column that isn't in `header`.
    pub(super) fn places(&self, header: &[String]) -> Result<Vec<(Role, usize)>, String> {
        let place = |(role, column): &(Role, Column)| match column {
            Column::Number(number) => Ok((*role, number.saturating_sub(1))),
            Column::Name(name) => {
                let found = header.iter().position(|known| known.trim().eq_ignore_ascii_case(name));
                found.map(|index| (*role, index)).ok_or_else(|| name.clone())
            }
        };
        self.columns.iter().map(place).collect()
    }
}

/// Asterisk's `Master.csv` (cdr_csv): accountcode, src, dst, dcontext, clid, channel, dstchannel, lastapp, lastdata, start, answer,
/// end, duration, billsec, disposition, amaflags, and what may follow.
const ASTERISK: [(Role, usize); 9] = [
    (Role::Caller, 2),
    (Role::Callee, 3),
    (Role::Name, 5),
    (Role::Start, 10),
    (Role::Answered, 11),
    (Role::Ended, 12),
    (Role::Total, 13),
    (Role::Duration, 14),
    (Role::Outcome, 15),
];

/// FreeSWITCH's mod_cdr_csv with its template `example`: caller_id_name, caller_id_number, destination_number, context,
/// start_stamp, answer_stamp, end_stamp, duration, billsec, hangup_cause, and what may follow.
const FREESWITCH: [(Role, usize); 9] = [
    (Role::Name, 1),
    (Role::Caller, 2),
    (Role::Callee, 3),
    (Role::Start, 5),
    (Role::Answered, 6),
    (Role::Ended, 7),
    (Role::Total, 8),
    (Role::Duration, 9),
    (Role::Outcome, 10),
];

fn zone_minutes(zone: &str) -> Option<i64> {
    let (sign, rest) = match zone.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes) = (hours.parse::<i64>().ok()?, minutes.parse::<i64>().ok()?);
    ((0..=14).contains(&hours) && (0..60).contains(&minutes)).then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_names_its_columns_or_its_defect() {
        let map = CdrMap::parse("caller=A,callee=2,start= time ,duration=9", "+08:00").unwrap();
        assert!(map.has_header() && map.zone_minutes == 480);
        let header = ["a", "b", "Time"].map(str::to_owned);
        let places = map.places(&header).unwrap();
        assert_eq!(places, [(Role::Caller, 0), (Role::Callee, 1), (Role::Start, 2), (Role::Duration, 8)]);
        assert_eq!(map.places(&[]), Err("A".to_owned()));
        assert!(!CdrMap::parse("asterisk", "-03:30").unwrap().has_header());
        for (text, zone) in [
            ("caller=1,callee=2", "+08:00"),
            ("asterix", "+08:00"),
            ("caller=1,callee=2,start=3,colour=4", "+08:00"),
            ("asterisk", "8"),
        ] {
            let error = CdrMap::parse(text, zone).unwrap_err().to_string();
            assert!(error.starts_with("--map") || error.starts_with("--zone"), "{error}");
        }
    }
}
