//! MQTT topics, under `yumen/v1/`.

use std::fmt;

/// The root of all topics of this version.
pub const ROOT: &str = "yumen/v1";

pub use crate::limits::NAME_BYTES_MAX;

/// A member's or an agent's name: 1 to 64 of `a-z 0-9 -`, not starting or ending with `-`. Safe in a topic, a
/// certificate's common name, and a URL.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Why a name was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty or longer than [`NAME_BYTES_MAX`].
    #[error("a name has 1 to {NAME_BYTES_MAX} characters")]
    Length,
    /// A character outside `a-z 0-9 -`, or a `-` at an end.
    #[error("a name consists of a-z, 0-9 and inner '-'")]
    Character,
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        if text.is_empty() || text.len() > NAME_BYTES_MAX {
            return Err(NameError::Length);
        }
        let legal = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if !legal || text.starts_with('-') || text.ends_with('-') {
            return Err(NameError::Character);
        }
        Ok(Self(text))
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl std::str::FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        text.to_owned().try_into()
    }
}

impl Name {
    /// `stable`, the usual channel.
    #[must_use]
    pub fn stable() -> Self {
        Self("stable".to_owned())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `yumen/v1/{member}/{agent}/sighting`: agent → hub, one hit a message.
#[must_use]
pub fn sighting(member: &Name, agent: &Name) -> String {
    format!("{ROOT}/{member}/{agent}/sighting")
}

/// `yumen/v1/{member}/{agent}/status`: agent → hub, retained, also the last will.
#[must_use]
pub fn status(member: &Name, agent: &Name) -> String {
    format!("{ROOT}/{member}/{agent}/status")
}

/// `yumen/v1/{member}/{agent}/ack`: hub → agent, what is committed or refused; not retained.
#[must_use]
pub fn ack(member: &Name, agent: &Name) -> String {
    format!("{ROOT}/{member}/{agent}/ack")
}

/// Hub → all, retained: a signed [`Retractions`](crate::retract::Retractions).
pub const RETRACT: &str = "yumen/v1/retract";

/// What all topics with packs begin with: hub → all.
pub const PACK_ROOT: &str = "yumen/v1/pack";

/// The MQTT client id of an agent. No name has a dot, so that no two agents have the same.
#[must_use]
pub fn client_id(member: &Name, agent: &Name) -> String {
    format!("yumen-{member}.{agent}")
}

/// `yumen/v1/pack/{channel}`: hub → all, retained, the channel's newest signed pack.
#[must_use]
pub fn pack(channel: &Name) -> String {
    format!("{ROOT}/pack/{channel}")
}

/// `yumen/v1/pack/{channel}/rollout`: hub → all, retained, a [`SignedRollout`](crate::rollout::SignedRollout).
#[must_use]
pub fn rollout(channel: &Name) -> String {
    format!("{ROOT}/pack/{channel}/rollout")
}

/// Names that no member may have: topics of the hub begin with them.
pub const RESERVED: [&str; 2] = ["pack", "retract"];

/// What the hub subscribes to for sightings of all agents.
pub const SIGHTING_FILTER: &str = "yumen/v1/+/+/sighting";
/// What the hub subscribes to for the status of all agents.
pub const STATUS_FILTER: &str = "yumen/v1/+/+/status";

/// Member and agent of a topic of the form `yumen/v1/{member}/{agent}/{kind}`.
#[must_use]
pub fn sender(topic: &str) -> Option<(Name, Name, &str)> {
    let rest = topic.strip_prefix(ROOT)?.strip_prefix('/')?;
    let mut parts = rest.split('/');
    let member = parts.next()?.parse().ok()?;
    let agent = parts.next()?.parse().ok()?;
    let kind = parts.next()?;
    parts.next().is_none().then_some((member, agent, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_gives_back_its_sender() {
        let (member, agent): (Name, Name) = ("bank-a".parse().unwrap(), "gw1".parse().unwrap());
        let topic = sighting(&member, &agent);
        assert_eq!(topic, "yumen/v1/bank-a/gw1/sighting");
        assert_eq!(sender(&topic), Some((member, agent, "sighting")));
    }

    #[test]
    fn a_name_cannot_reach_into_another_topic() {
        for text in ["", "a/b", "+", "#", "-a", "a-", "A", "甲", &"a".repeat(65)] {
            assert!(text.parse::<Name>().is_err(), "{text:?}");
        }
    }
}
