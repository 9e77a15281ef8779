//! Whose word counts: the enrolled agents' keys, as the database has them, and what was refused.
//!
//! ```text
//! message → topic's agent → enrolled? revoked? → signature over topic and payload → newer than the last status? → ingest
//!                └ refused: counted, listed, never answered
//! ```
//!
//! `yumen-hub agent revoke` is another process: the database's epoch is looked at before each batch, at most every
//! [`LOOK`], so that a revocation counts at once at every hub.

mod refusals;

pub use refusals::Refusals;

use crate::store::{EnrolledRow, Store, StoreError};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;
use yumen_exchange::check::Defect;
use yumen_exchange::seal;
use yumen_exchange::topic::Name;
use yumen_matcher::{Keyring, parse_key};

/// How long what is known may be older than the database.
pub const LOOK: Duration = Duration::from_millis(200);

/// An agent that was enrolled.
#[derive(Debug)]
struct Enrolled {
    keyring: Keyring,
    is_revoked: bool,
}

/// Everything that is trusted, at one moment.
#[derive(Debug, Default)]
pub struct Known {
    epoch: i64,
    is_required: bool,
    agents: HashMap<(Name, Name), Enrolled>,
    /// Serial numbers of certificates that are revoked and haven't expired.
    revoked: HashSet<String>,
}

impl Known {
    fn new(epoch: i64, required: Option<bool>, rows: &[EnrolledRow]) -> Self {
        let mut agents = HashMap::new();
        for row in rows {
            let names = row.member.parse().ok().zip(row.agent.parse().ok());
            let (Some(names), Some(key)) = (names, parse_key(&row.public_key)) else {
                tracing::error!(
                    member = row.member,
                    agent = row.agent,
                    "an enrolled agent's row can't be read"
                );
                continue;
            };
            agents.insert(names, Enrolled { keyring: Keyring::new([key]), is_revoked: row.revoked_ms > 0 });
        }
        let is_required = required.unwrap_or(!agents.is_empty());
        Self { epoch, is_required, agents, revoked: HashSet::new() }
    }

    /// Whether a certificate is revoked, by its serial number in hexadecimal.
    #[must_use]
    pub fn is_revoked(&self, serial: &str) -> bool {
        self.revoked.contains(serial)
    }

    /// Whether an agent may speak: it is enrolled, and not revoked.
    #[must_use]
    pub fn is_enrolled(&self, member: &Name, agent: &Name) -> bool {
        self.agents.get(&(member.clone(), agent.clone())).is_some_and(|enrolled| !enrolled.is_revoked)
    }

    /// Whether messages must be signed by an enrolled agent.
    #[must_use]
    pub const fn is_required(&self) -> bool {
        self.is_required
    }

    /// Whether the agent of a topic said this.
    ///
    /// # Errors
    /// A defect of trust.
    pub fn check(
        &self,
        (member, agent): (&Name, &Name),
        topic: &str,
        payload: &[u8],
        properties: &[(String, String)],
    ) -> Result<(), Defect> {
        let Some(enrolled) = self.agents.get(&(member.clone(), agent.clone())) else {
            return if self.is_required { Err(Defect::NotEnrolled) } else { Ok(()) };
        };
        if enrolled.is_revoked {
            return Err(Defect::Revoked);
        }
        let (key, signature) = seal::find(properties).ok_or(Defect::Unsigned)?;
        if enrolled.keyring.vouches(key, &seal::signed(topic, payload), signature) {
            Ok(())
        } else {
            Err(Defect::Signature)
        }
    }
}

/// What is trusted, kept as new as the database.
#[derive(Debug)]
pub struct Trust {
    store: Store,
    required: Option<bool>,
    known: RwLock<Arc<Known>>,
    looked: Mutex<Option<Instant>>,
}

impl Trust {
    /// Reads what is trusted. `required` is whether messages must be signed; without it they must once any agent is
    /// enrolled.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn load(store: Store, required: Option<bool>) -> Result<Self, StoreError> {
        let known = read(&store, required).await?;
        Ok(Self { store, required, known: RwLock::new(Arc::new(known)), looked: Mutex::new(None) })
    }

    /// What was known at the last look.
    #[must_use]
    pub fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is known now, at most [`LOOK`] old.
    ///
    /// # Errors
    /// The database can't be asked: nothing may be decided on what may be old.
    pub async fn look(&self) -> Result<Arc<Known>, StoreError> {
        let mut looked = self.looked.lock().await;
        if looked.is_none_or(|at| at.elapsed() >= LOOK) {
            if self.store.trust_epoch().await? != self.known().epoch {
                let known = read(&self.store, self.required).await?;
                tracing::info!(epoch = known.epoch, agents = known.agents.len(), "TrustChanged");
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
            }
            *looked = Some(Instant::now());
        }
        Ok(self.known())
    }
}

async fn read(store: &Store, required: Option<bool>) -> Result<Known, StoreError> {
    // The number first: what changes between is read again.
    let epoch = store.trust_epoch().await?;
    let mut known = Known::new(epoch, required, &store.enrolled().await?);
    let certificates = store.certificates(crate::clock::now_ms()).await?;
    known.revoked = certificates.into_iter().filter(|row| row.revoked_ms > 0).map(|row| row.serial).collect();
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use yumen_compiler::sign::{emit_public_key, signing_key, vouch};

    const TOPIC: &str = "yumen/v1/bank-a/gw1/sighting";

    fn row(agent: &str, seed: u8, revoked_ms: u64) -> EnrolledRow {
        EnrolledRow {
            member: "bank-a".into(),
            agent: agent.into(),
            public_key: emit_public_key(&signing_key(&[seed; 32])),
            enrolled_ms: 1,
            revoked_ms,
        }
    }

    fn sealed(seed: u8, topic: &str, payload: &[u8]) -> Vec<(String, String)> {
        let (key, signature) = vouch(&signing_key(&[seed; 32]), &seal::signed(topic, payload));
        vec![(seal::KEY.into(), key), (seal::SIGNATURE.into(), signature)]
    }

    #[test]
    fn only_the_topics_own_agent_is_believed() {
        let known = Known::new(1, None, &[row("gw1", 1, 0), row("gw2", 2, 0), row("gw3", 3, 9)]);
        let name = |text: &str| text.parse::<Name>().unwrap();
        let check = |agent: &str, topic: &str, properties: &[(String, String)]| {
            known.check((&name("bank-a"), &name(agent)), topic, b"{}", properties)
        };
        assert_eq!(check("gw1", TOPIC, &sealed(1, TOPIC, b"{}")), Ok(()));
        assert_eq!(check("gw1", TOPIC, &[]), Err(Defect::Unsigned));
        assert_eq!(check("gw1", TOPIC, &sealed(1, TOPIC, b"{ }")), Err(Defect::Signature), "another payload");
        assert_eq!(check("gw1", TOPIC, &sealed(2, TOPIC, b"{}")), Err(Defect::Signature), "another agent");
        // What gw2 said of itself, said again in gw1's name.
        let replayed = sealed(2, "yumen/v1/bank-a/gw2/sighting", b"{}");
        assert_eq!(check("gw1", TOPIC, &replayed), Err(Defect::Signature));
        assert_eq!(check("gw3", TOPIC, &sealed(3, TOPIC, b"{}")), Err(Defect::Revoked));
        assert_eq!(check("gw4", TOPIC, &sealed(4, TOPIC, b"{}")), Err(Defect::NotEnrolled));
        let (mut twice, more) = (sealed(1, TOPIC, b"{}"), sealed(1, TOPIC, b"{}"));
        twice.extend(more);
        assert_eq!(check("gw1", TOPIC, &twice), Err(Defect::Unsigned));
    }

    #[test]
    fn signatures_are_needed_once_an_agent_is_enrolled_or_as_configured() {
        let name = |text: &str| text.parse::<Name>().unwrap();
        let unsigned =
            |known: &Known, agent: &str| known.check((&name("bank-a"), &name(agent)), TOPIC, b"", &[]);
        assert_eq!(unsigned(&Known::new(0, None, &[]), "gw1"), Ok(()));
        assert_eq!(unsigned(&Known::new(0, Some(true), &[]), "gw1"), Err(Defect::NotEnrolled));
        let lax = Known::new(1, Some(false), &[row("gw1", 1, 0)]);
        assert_eq!(unsigned(&lax, "gw9"), Ok(()));
        assert_eq!(
            unsigned(&lax, "gw1"),
            Err(Defect::Unsigned),
            "one that has a key is never believed without it"
        );
    }
}
