//! Who may publish and read what at a broker. One table, for the embedded broker's door and for an external one's file.
//!
//! | topic | an agent `member/agent` | the hub |
//! |---|---|---|
//! | `yumen/v1/{member}/{agent}/sighting`, `…/status` | writes its own | reads all |
//! | `yumen/v1/{member}/{agent}/ack` | reads its own | writes all |
//! | `yumen/v1/retract`, `yumen/v1/pack/#` | reads | writes |

use yumen_exchange::topic::{self, Name, PACK_ROOT, RETRACT, ROOT};

/// An agent at the door: what its certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The institution.
    pub member: Name,
    /// Its agent.
    pub agent: Name,
}

impl Identity {
    /// From a certificate's common name, `member/agent`.
    #[must_use]
    pub fn parse(common_name: &str) -> Option<Self> {
        let (member, agent) = common_name.split_once('/')?;
        Some(Self { member: member.parse().ok()?, agent: agent.parse().ok()? })
    }

    /// Whether it may publish on a topic.
    #[must_use]
    pub fn may_publish(&self, topic: &str) -> bool {
        topic == topic::sighting(&self.member, &self.agent)
            || topic == topic::status(&self.member, &self.agent)
    }

    /// Whether it may subscribe to a filter: only to one that can match nothing but what it may read.
    #[must_use]
    pub fn may_subscribe(&self, filter: &str) -> bool {
        let is_pack = filter.strip_prefix(PACK_ROOT).is_some_and(|rest| rest.starts_with('/'));
        is_pack || filter == RETRACT || filter == topic::ack(&self.member, &self.agent)
    }

    /// The name its session must have: with another one it could end another's.
    #[must_use]
    pub fn client_id(&self) -> String {
        topic::client_id(&self.member, &self.agent)
    }
}

/// Mosquitto's `acl_file`, where user names are the common names of certificates (`use_identity_as_username`). `hub` is
/// the common name of the hub's own.
#[must_use]
pub fn mosquitto(hub: &str) -> String {
    format!(
        "# Who may publish and read what; user names are the common names of client certificates, member/agent.\n\
         user {hub}\n\
         topic read {ROOT}/+/+/sighting\n\
         topic read {ROOT}/+/+/status\n\
         topic write {ROOT}/+/+/ack\n\
         topic readwrite {RETRACT}\n\
         topic readwrite {PACK_ROOT}/#\n\
         \n\
         # Every agent.\n\
         pattern write {ROOT}/%u/sighting\n\
         pattern write {ROOT}/%u/status\n\
         pattern read {ROOT}/%u/ack\n\
         pattern read {RETRACT}\n\
         pattern read {PACK_ROOT}/#\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_writes_its_own_and_reads_what_is_for_all() {
        let agent = Identity::parse("bank-a/gw1").unwrap();
        for topic in ["yumen/v1/bank-a/gw1/sighting", "yumen/v1/bank-a/gw1/status"] {
            assert!(agent.may_publish(topic) && !agent.may_subscribe(topic), "{topic}");
        }
        for topic in [
            "yumen/v1/bank-b/gw1/sighting",
            "yumen/v1/bank-a/gw2/status",
            "yumen/v1/bank-a/gw1/ack",
            "yumen/v1/retract",
            "yumen/v1/pack/stable",
            "yumen/v1/bank-a/gw1/sighting/x",
            "$SYS/x",
            "",
        ] {
            assert!(!agent.may_publish(topic), "{topic}");
        }
        for filter in
            ["yumen/v1/bank-a/gw1/ack", "yumen/v1/retract", "yumen/v1/pack/stable", "yumen/v1/pack/#"]
        {
            assert!(agent.may_subscribe(filter), "{filter}");
        }
        for filter in [
            "#",
            "yumen/#",
            "yumen/v1/+/+/ack",
            "yumen/v1/bank-b/gw1/ack",
            "yumen/v1/+/gw1/sighting",
            "$share/g/yumen/v1/+/+/sighting",
            "$share/g/yumen/v1/bank-a/gw1/ack",
            "yumen/v1/pack",
            "yumen/v1/pack+/x",
            "yumen/v1/packs/x",
        ] {
            assert!(!agent.may_subscribe(filter), "{filter}");
        }
        assert_eq!(Identity::parse("yumen-hub"), None);
        assert_eq!(Identity::parse("a/b/c"), None);
        assert_eq!(Identity::parse("+/#"), None);
    }
}
