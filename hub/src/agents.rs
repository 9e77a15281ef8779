//! How the agents are, without HTTP and without SQL.

use crate::accounts::Caller;
use crate::limits::SILENT_AFTER_MS;
use crate::store::{AgentRow, Store, StoreError};
use yumen_exchange::status::Status;

/// What an agent's last word, and its age, say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// It reports, and has a pack, and loses nothing.
    Online,
    /// It reports, but judges without a pack, or had to drop sightings.
    Impaired,
    /// It hasn't said anything for a while, nor good-bye.
    Silent,
    /// It said good-bye, or its broker did so for it.
    Offline,
}

/// An agent as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Agent {
    /// The institution.
    pub member: String,
    /// Its agent.
    pub agent: String,
    /// How it is.
    pub health: Health,
    /// When it was last heard, in milliseconds since the Unix epoch.
    pub heard_ms: u64,
    /// Its last word.
    pub status: Status,
}

/// All agents, those that need attention first.
///
/// # Errors
/// [`StoreError`].
pub async fn all(store: &Store, now_ms: u64) -> Result<Vec<Agent>, StoreError> {
    let mut agents: Vec<Agent> = store.agents().await?.into_iter().map(|row| agent(row, now_ms)).collect();
    agents.sort_by_key(|agent| std::cmp::Reverse(agent.health as u8));
    Ok(agents)
}

/// Those that a caller may see.
///
/// # Errors
/// [`StoreError`].
pub async fn seen_by(caller: &Caller, store: &Store, now_ms: u64) -> Result<Vec<Agent>, StoreError> {
    let mut agents = all(store, now_ms).await?;
    agents.retain(|agent| caller.sees(&agent.member));
    Ok(agents)
}

fn agent(row: AgentRow, now_ms: u64) -> Agent {
    let health = health(&row.status, row.received_ms, now_ms);
    Agent { member: row.member, agent: row.agent, health, heard_ms: row.received_ms, status: row.status }
}

fn health(status: &Status, heard_ms: u64, now_ms: u64) -> Health {
    if !status.online {
        return Health::Offline;
    }
    // By the hub's clock alone: an agent's may be wrong.
    if now_ms.saturating_sub(heard_ms) > SILENT_AFTER_MS {
        return Health::Silent;
    }
    if status.pack.is_none() || status.spool_dropped > 0 { Health::Impaired } else { Health::Online }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yumen_exchange::sighting::PackRef;

    #[test]
    fn health_is_what_was_said_and_how_long_ago() {
        let good = Status {
            online: true,
            time_ms: 0,
            session_ms: 0,
            version: "0.1.0".into(),
            pack: Some(PackRef { name: "yumen".into(), serial: 1 }),
            spool_records: 5,
            spool_dropped: 0,
            judged: 1,
            blocked: 1,
            refused: Vec::new(),
        };
        assert_eq!(health(&good, 1_000, 1_000 + SILENT_AFTER_MS), Health::Online);
        assert_eq!(health(&good, 1_000, 1_001 + SILENT_AFTER_MS), Health::Silent);
        assert_eq!(health(&good, 9_000, 1_000), Health::Online, "the clock was set back");
        assert_eq!(health(&Status { pack: None, ..good.clone() }, 1, 2), Health::Impaired);
        assert_eq!(health(&Status { spool_dropped: 1, ..good.clone() }, 1, 2), Health::Impaired);
        assert_eq!(health(&Status { online: false, ..good }, 1, u64::MAX), Health::Offline);
    }
}
