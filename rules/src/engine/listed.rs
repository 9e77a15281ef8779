//! Questions to number lists.

use crate::number::NumberKind;
use crate::numbers::Listed;
use crate::verdict::Typology;

/// Whose number is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ListSubject {
    /// The originator of a call or a message.
    Caller = 0,
    /// Its destination.
    Callee = 1,
    /// The telephone numbers in a message's text: the highest score of them counts.
    Contact = 2,
}

impl ListSubject {
    /// All of them, in the order of their wire values.
    pub const ALL: [Self; 3] = [Self::Caller, Self::Callee, Self::Contact];

    /// As written in a condition.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Callee => "callee",
            Self::Contact => "contact",
        }
    }

    /// From the wire value of a pack.
    #[must_use]
    pub const fn from_wire(value: u8) -> Option<Self> {
        match value {
            0 => Some(Self::Caller),
            1 => Some(Self::Callee),
            2 => Some(Self::Contact),
            _ => None,
        }
    }
}

/// A question to a number list: its answer is a score, 0 for a number that isn't in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListQuery {
    /// Whose number.
    pub subject: ListSubject,
    /// Only what is listed for this practice counts.
    pub typology: Option<Typology>,
    /// The list's name, a string of the pack.
    pub list: u32,
}

/// A number that a list has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListHit {
    /// What was asked.
    pub query: ListQuery,
    /// What the list says.
    pub listed: Listed,
}

/// Whether numbers of a kind can be in a list.
pub(super) fn can_be_listed(kind: NumberKind) -> bool {
    kind != NumberKind::Alphanumeric
}
