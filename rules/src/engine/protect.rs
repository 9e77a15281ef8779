//! Traffic that no score may block.

use super::condition::{self, ConditionId, Groups};
use super::facts::Facts;
use super::judgement::ProtectedSet;
use super::observer::Observer;
use crate::behave::{self, Behaviour};
use crate::number::{self, CANONICAL_LEN_MAX};
use crate::numbers::Listed;
use crate::pack::{OrganisationKind, Pack};
use crate::signal::Protected;

/// What the institution says about itself.
#[derive(Clone, Copy, Debug)]
pub struct Site<'c> {
    /// The institution's own numbers, which are registered and protected.
    pub own: &'c dyn OwnNumbers,
    /// Local time, minutes ahead of UTC: 480 in China.
    pub utc_offset_minutes: i32,
    /// Who knows how numbers have been behaving.
    pub behaviour: &'c dyn Behaviour,
    /// What the hub took back since the pack was made.
    pub withdrawn: &'c dyn Withdrawn,
    /// The number lists that it keeps.
    pub lists: &'c dyn NumberLists,
}

/// Number lists that conditions name: `caller.listed("reported")`.
pub trait NumberLists: core::fmt::Debug + Sync {
    /// What a list says of a number in canonical form ([`crate::number`]); `None` where it isn't in it, and where there is no such list.
    fn listed(&self, list: &str, canonical: &str) -> Option<Listed>;
}

/// There are none.
#[derive(Clone, Copy, Debug)]
pub struct NoLists;

impl NumberLists for NoLists {
    fn listed(&self, _list: &str, _canonical: &str) -> Option<Listed> {
        None
    }
}

/// Rules and indicators that were taken back after the pack was made: they count for nothing at once.
pub trait Withdrawn: core::fmt::Debug + Sync {
    /// Whether a rule is, by its id.
    fn has_rule(&self, id: &str) -> bool;
    /// Whether an indicator is, by kind and canonical value.
    fn has_indicator(&self, kind: &str, value: &str) -> bool;
}

/// Nothing is.
#[derive(Clone, Copy, Debug)]
struct NothingWithdrawn;

impl Withdrawn for NothingWithdrawn {
    fn has_rule(&self, _id: &str) -> bool {
        false
    }

    fn has_indicator(&self, _kind: &str, _value: &str) -> bool {
        false
    }
}

impl Site<'static> {
    /// No number of its own, Chinese time, nobody counts, no lists.
    pub const DEFAULT: Self = Self {
        own: &NoNumbers,
        utc_offset_minutes: 480,
        behaviour: &behave::Unobserved,
        withdrawn: &NothingWithdrawn,
        lists: &NoLists,
    };
}

impl Site<'_> {
    pub(super) fn hour_of_day(&self, time_ms: u64) -> i64 {
        let minutes = i64::try_from(time_ms / 60_000).unwrap_or(0) + i64::from(self.utc_offset_minutes);
        minutes.div_euclid(60).rem_euclid(24)
    }
}

/// The institution's own numbers.
pub trait OwnNumbers: core::fmt::Debug + Sync {
    /// Whether a number in canonical form ([`crate::number`]) is one of them.
    fn contains(&self, canonical: &str) -> bool;
}

/// None.
#[derive(Clone, Copy, Debug)]
struct NoNumbers;

impl OwnNumbers for NoNumbers {
    fn contains(&self, _canonical: &str) -> bool {
        false
    }
}

/// Numbers in canonical form; a trailing `*` makes a prefix.
#[derive(Clone, Copy, Debug)]
pub struct NumberList<'c>(pub &'c [&'c str]);

impl OwnNumbers for NumberList<'_> {
    fn contains(&self, canonical: &str) -> bool {
        self.0.iter().any(|own| number_matches(own, canonical))
    }
}

/// Whether `canonical` is `own`, or starts with it where it ends in `*`.
#[must_use]
pub fn number_matches(own: &str, canonical: &str) -> bool {
    match own.strip_suffix('*') {
        Some(prefix) => canonical.starts_with(prefix),
        None => own == canonical,
    }
}

/// The emergency services' own numbers, of the mainland and those that mobile networks route worldwide, and the police's
/// number for messages.
const EMERGENCY: [&str; 8] = ["110", "112", "119", "120", "122", "999", "12110", "12395"];

/// The classes an event is in: the built-in ones and those the pack adds.
pub(super) fn protected<O: Observer>(
    pack: &Pack<'_>,
    groups: &Groups<'_>,
    facts: &mut Facts<'_, '_>,
    observer: &mut O,
) -> ProtectedSet {
    let mut set = ProtectedSet::NONE;
    if facts.has_otp_form() && otp_sender_is_known(facts) {
        set = set.with(Protected::Otp);
    }
    if is_emergency(facts) {
        set = set.with(Protected::Emergency);
    }
    if facts.sender_kinds().any(OrganisationKind::is_authority) {
        set = set.with(Protected::Court);
    }
    let own = facts.site().own;
    if facts.sender().is_some_and(|sender| own.contains(sender.canonical)) {
        set = set.with(Protected::Own);
    }
    for (index, protection) in pack.protections() {
        let nodes = (protection.first_node, protection.nodes);
        if condition::holds(pack, ConditionId::Protection(index), nodes, groups, facts, observer) {
            set = set.with(protection.class);
        }
    }
    set
}

/// Where no originator is known, as in files, the signature stands for it.
fn otp_sender_is_known(facts: &mut Facts<'_, '_>) -> bool {
    if facts.event().originator.is_absent() {
        !facts.signature_organisations().is_empty()
    } else {
        facts.sender_is_registered()
    }
}

/// From an emergency service, or to one: a call or a message for help is never stopped.
fn is_emergency(facts: &mut Facts<'_, '_>) -> bool {
    let mut buffer = [0; CANONICAL_LEN_MAX];
    let to = number::classify(facts.event().destination.digits, &mut buffer);
    let is_known = |canonical: &str| EMERGENCY.contains(&canonical);
    to.is_some_and(|to| is_known(to.canonical))
        || facts.sender().is_some_and(|sender| is_known(sender.canonical))
        || facts.sender_kinds().any(|kind| kind == OrganisationKind::Emergency)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_local() {
        let noon_utc = 12 * 3_600_000;
        assert_eq!(Site::DEFAULT.hour_of_day(noon_utc), 20);
        assert_eq!(Site { utc_offset_minutes: -13 * 60, ..Site::DEFAULT }.hour_of_day(noon_utc), 23);
        assert!((0..24).contains(&Site::DEFAULT.hour_of_day(u64::MAX)));
    }

    #[test]
    fn own_numbers_are_exact_or_prefixes() {
        let own = NumberList(&["95500", "1069000*"]);
        assert!(own.contains("95500") && own.contains("106900012"));
        assert!(!own.contains("955001") && !own.contains("1068"));
    }
}
