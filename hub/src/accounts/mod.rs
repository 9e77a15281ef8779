//! Who asks, and what they may.
//!
//! ```text
//! request → cookie or bearer token → Caller (name, role, member) → may the role enter the route? → handler
//! ```

mod limiter;
mod login;
mod password;
mod second;

pub use limiter::Limiter;
pub use login::{
    Accounts, Attempt, LoginError, PersonError, SESSION_IDLE_MS, SESSION_MS, SecondSetUp, new_person,
};
pub use password::{PASSWORD_CHARS_MIN, PasswordError};

use std::fmt;
use std::str::FromStr;
use yumen_exchange::topic::Name;

/// What somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Sees an institution's own rows.
    MemberAnalyst,
    /// Sees everything, changes nothing.
    Regulator,
    /// Sees everything, promotes and retracts.
    HubAnalyst,
    /// Decides who may do what.
    Administrator,
}

/// It isn't a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a role is member-analyst, regulator, hub-analyst or administrator")]
pub struct RoleError;

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::MemberAnalyst, Self::Regulator, Self::HubAnalyst, Self::Administrator];

    /// Its word.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::MemberAnalyst => "member-analyst",
            Self::Regulator => "regulator",
            Self::HubAnalyst => "hub-analyst",
            Self::Administrator => "administrator",
        }
    }
}

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        Self::ALL.into_iter().find(|role| role.id() == text).ok_or(RoleError)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// Who may enter a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Anybody: logging in, assets, health.
    Public,
    /// Whoever has logged in, also before the second factor is set up: the own account.
    Account,
    /// Whoever has logged in; a member's analyst sees the member's rows only.
    Member,
    /// Who brings reports and appeals: a member's analyst for the member, the hub's for any.
    Reporter,
    /// Who sees all members' rows.
    Reader,
    /// Who changes what is shared.
    Analyst,
    /// Who decides about people and agents.
    Administrator,
}

impl Access {
    /// Whether a role may enter.
    #[must_use]
    pub const fn allows(self, role: Role) -> bool {
        match self {
            Self::Public | Self::Account | Self::Member => true,
            Self::Reporter => !matches!(role, Role::Regulator),
            Self::Reader => !matches!(role, Role::MemberAnalyst),
            Self::Analyst => matches!(role, Role::HubAnalyst | Role::Administrator),
            Self::Administrator => matches!(role, Role::Administrator),
        }
    }
}

/// How a caller showed who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// A browser's session, by the hash of its cookie, with the token that its forms must carry.
    Session {
        /// Its hash.
        hash: String,
        /// What its forms must carry.
        csrf: String,
    },
    /// A program's token, which no browser sends by itself.
    Token,
    /// Nobody is asked: the demonstration.
    Demonstration,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// Whose rows they see; none for all.
    pub member: Option<Name>,
    /// Whether they have a second factor, where they are a person.
    pub has_second: bool,
    /// How they showed it.
    pub via: Via,
}

impl Caller {
    /// Of the demonstration: an administrator that nobody asked for a name.
    #[must_use]
    pub fn demonstration() -> Self {
        Self {
            name: "demonstration".to_owned(),
            role: Role::Administrator,
            member: None,
            has_second: true,
            via: Via::Demonstration,
        }
    }

    /// The token that forms must carry; empty where none is needed.
    #[must_use]
    pub fn csrf(&self) -> &str {
        match &self.via {
            Via::Session { csrf, .. } => csrf,
            Via::Token | Via::Demonstration => "",
        }
    }

    /// Whether they see a member's rows.
    #[must_use]
    pub fn sees(&self, member: &str) -> bool {
        self.member.as_ref().is_none_or(|own| own.as_str() == member)
    }

    /// Whether they may enter a route.
    #[must_use]
    pub const fn may(&self, access: Access) -> bool {
        access.allows(self.role)
    }
}

/// Role and member of a row. None for a row that gives no right to anything: an unknown role, or a member's analyst
/// without a member.
fn scope(role: &str, member: &str) -> Option<(Role, Option<Name>)> {
    match role.parse().ok()? {
        Role::MemberAnalyst => Some((Role::MemberAnalyst, Some(member.parse().ok()?))),
        role => Some((role, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_says_nonsense_gives_no_right() {
        assert_eq!(scope("root", ""), None);
        assert_eq!(scope("member-analyst", ""), None, "not all members' rows");
        assert_eq!(scope("member-analyst", "bank-a"), Some((Role::MemberAnalyst, "bank-a".parse().ok())));
        assert_eq!(scope("regulator", "bank-a"), Some((Role::Regulator, None)));
        for role in Role::ALL {
            assert_eq!(role.id().parse(), Ok(role));
        }
    }
}
