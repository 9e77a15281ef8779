//! What the hub sends to all agents: packs, and what it takes back. Nothing that isn't signed by a trusted key is taken,
//! whatever the broker let through.
//!
//! ```text
//! yumen/v1/pack/{channel}         → for this agent already? → Packs::offer (verify → canaries → swap → keep)
//! yumen/v1/pack/{channel}/rollout → verify → newer than the last → lets a pack go that was kept aside
//! yumen/v1/retract                → verify → newer than the last → Packs::withdraw, kept on disk for the next start
//! ```

use crate::packs::Packs;
use bytes::Bytes;
use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use yumen_exchange::retract::{RETRACT_BYTES_MAX, Retractions, SignedRetractions};
use yumen_exchange::rollout::{ROLLOUT_BYTES_MAX, Rollout, SignedRollout};
use yumen_exchange::topic::Name;
use yumen_matcher::Keyring;
use yumen_rules::engine::Withdrawn;

/// Rules and indicators that are taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    rules: HashSet<String>,
    /// `kind:value`.
    indicators: HashSet<String>,
}

impl Withdrawn for Taken {
    fn has_rule(&self, id: &str) -> bool {
        !self.rules.is_empty() && self.rules.contains(id)
    }

    fn has_indicator(&self, kind: &str, value: &str) -> bool {
        !self.indicators.is_empty() && self.indicators.contains(&format!("{kind}:{value}"))
    }
}

impl From<Retractions> for Taken {
    fn from(list: Retractions) -> Self {
        Self { rules: list.rules.into_iter().collect(), indicators: list.indicators.into_iter().collect() }
    }
}

/// Why a list of retractions, or word of a rollout, was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RetractRefusal {
    /// Too large, or not the JSON of its type.
    #[error("it isn't the JSON of its type")]
    Malformed,
    /// Not signed by a trusted key.
    #[error("it isn't signed by a trusted key")]
    Signature,
    /// The one in force is as new or newer.
    #[error("the one in force is as new or newer")]
    Older,
}

impl RetractRefusal {
    /// A word for the hub's list; the same as of packs where it means the same.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "damaged",
            Self::Signature => "bad-signature",
            Self::Older => "older",
        }
    }
}

/// Takes what comes from the hub.
#[derive(Debug)]
pub struct Shared {
    packs: Arc<Packs>,
    sequence: Mutex<u64>,
    newest: watch::Sender<Bytes>,
    /// The channel, and where this agent stands in its rollouts.
    place: (Name, u16),
    staging: Mutex<Staging>,
}

/// How far the newest pack has been rolled out, and the pack itself while it isn't for this agent.
#[derive(Debug, Default)]
struct Staging {
    rollout: Option<Rollout>,
    held: Option<Bytes>,
}

impl Shared {
    /// With what was kept of the last run in force. Needs a tokio runtime.
    #[must_use]
    pub fn start(packs: Arc<Packs>, channel: Name, bucket: u16) -> Arc<Self> {
        let (newest, offered) = watch::channel(Bytes::new());
        let shared = Arc::new(Self {
            packs,
            sequence: Mutex::new(0),
            newest,
            place: (channel, bucket),
            staging: Mutex::default(),
        });
        if let Ok(kept) = std::fs::read(shared.file())
            && let Err(refusal) = shared.take(&kept)
        {
            tracing::error!(%refusal, "RetractionsUnkept: what was taken back before isn't in force");
        }
        tokio::spawn(offers(Arc::clone(&shared.packs), offered));
        shared
    }

    /// A pack came. Only the newest of several that come while one is compiled is looked at.
    pub fn pack(&self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        let serial = yumen_rules::pack::Header::new_checked(&bytes).map_or(0, |header| header.serial);
        let mut staging = self.staging.lock().unwrap_or_else(PoisonError::into_inner);
        if staging.rollout.as_ref().is_some_and(|rollout| rollout.holds(serial, self.place.1)) {
            tracing::info!(serial, "PackHeld: its rollout hasn't reached this agent");
            staging.held = Some(bytes);
            return;
        }
        staging.held = None;
        self.newest.send_replace(bytes);
    }

    /// Word of a rollout came: a pack that was kept aside is taken once it is for this agent.
    ///
    /// # Errors
    /// [`RetractRefusal`]; the rollout goes on as it was.
    pub fn rollout(&self, payload: &[u8]) -> Result<(), RetractRefusal> {
        let keyring = self.packs.keyring().map_err(|_| RetractRefusal::Signature)?;
        let rollout = verified_rollout(payload, &keyring)?;
        let (channel, bucket) = &self.place;
        if rollout.channel != *channel {
            return Err(RetractRefusal::Malformed);
        }
        let mut staging = self.staging.lock().unwrap_or_else(PoisonError::into_inner);
        if staging.rollout.as_ref().is_some_and(|known| known.sequence >= rollout.sequence) {
            return Err(RetractRefusal::Older);
        }
        tracing::info!(serial = rollout.serial, share = rollout.share, "RolloutTaken");
        if bucket < &rollout.share
            && let Some(bytes) = staging.held.take()
        {
            self.newest.send_replace(bytes);
        }
        staging.rollout = Some(rollout);
        Ok(())
    }

    /// A list of retractions came; it is in force when this returns.
    ///
    /// # Errors
    /// [`RetractRefusal`]; the list in force stays.
    pub fn retract(&self, payload: &[u8]) -> Result<(), RetractRefusal> {
        self.take(payload)?;
        if let Err(error) = keep(&self.file(), payload) {
            tracing::warn!(%error, "RetractionsUnkept: what was taken back isn't in force after a restart");
        }
        Ok(())
    }

    /// Has the hub told that a list was refused.
    pub fn refused(&self, refusal: RetractRefusal) {
        self.packs.note_refused("retractions", refusal.code());
    }

    fn take(&self, payload: &[u8]) -> Result<(), RetractRefusal> {
        let keyring = self.packs.keyring().map_err(|_| RetractRefusal::Signature)?;
        let list = verified(payload, &keyring)?;
        let mut sequence = self.sequence.lock().unwrap_or_else(PoisonError::into_inner);
        if list.sequence <= *sequence {
            return Err(RetractRefusal::Older);
        }
        *sequence = list.sequence;
        let (rules, indicators) = (list.rules.len(), list.indicators.len());
        self.packs.withdraw(list.into());
        tracing::info!(sequence = *sequence, rules, indicators, "RetractionsTaken");
        Ok(())
    }

    fn file(&self) -> std::path::PathBuf {
        self.packs.data_dir().join("retractions.json")
    }
}

fn verified(payload: &[u8], keyring: &Keyring) -> Result<Retractions, RetractRefusal> {
    if payload.len() > RETRACT_BYTES_MAX {
        return Err(RetractRefusal::Malformed);
    }
    let signed: SignedRetractions = serde_json::from_slice(payload).map_err(|_| RetractRefusal::Malformed)?;
    if !keyring.vouches(&signed.key, &Retractions::signed(&signed.list), &signed.signature) {
        return Err(RetractRefusal::Signature);
    }
    let list: Retractions = serde_json::from_str(&signed.list).map_err(|_| RetractRefusal::Malformed)?;
    if list.is_too_long() { Err(RetractRefusal::Malformed) } else { Ok(list) }
}

fn verified_rollout(payload: &[u8], keyring: &Keyring) -> Result<Rollout, RetractRefusal> {
    if payload.len() > ROLLOUT_BYTES_MAX {
        return Err(RetractRefusal::Malformed);
    }
    let signed: SignedRollout = serde_json::from_slice(payload).map_err(|_| RetractRefusal::Malformed)?;
    if !keyring.vouches(&signed.key, &Rollout::signed(&signed.rollout), &signed.signature) {
        return Err(RetractRefusal::Signature);
    }
    serde_json::from_str(&signed.rollout).map_err(|_| RetractRefusal::Malformed)
}

fn keep(file: &Path, payload: &[u8]) -> std::io::Result<()> {
    let new = file.with_extension("new");
    std::fs::write(&new, payload)?;
    std::fs::rename(new, file)
}

/// Compiling takes its time, and is done off the runtime, one pack at a time.
async fn offers(packs: Arc<Packs>, mut offered: watch::Receiver<Bytes>) {
    while offered.changed().await.is_ok() {
        let bytes = offered.borrow_and_update().clone();
        let packs = Arc::clone(&packs);
        // A refusal was logged and counted; a panic there must not end the offers.
        let _outcome = tokio::task::spawn_blocking(move || packs.offer(&bytes)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yumen_compiler::sign::{signing_key, vouch};

    fn payload(seed: u8, list: &Retractions) -> Vec<u8> {
        let list = serde_json::to_string(list).unwrap();
        let (key, signature) = vouch(&signing_key(&[seed; 32]), &Retractions::signed(&list));
        serde_json::to_vec(&SignedRetractions { list, key, signature }).unwrap()
    }

    #[test]
    fn only_a_trusted_keys_list_is_taken() {
        let keyring = Keyring::new([signing_key(&[1; 32]).verifying_key()]);
        let list =
            Retractions { sequence: 3, rules: vec!["fraud/x".into()], indicators: vec!["qq:700001".into()] };
        assert_eq!(verified(&payload(1, &list), &keyring), Ok(list.clone()));
        assert_eq!(verified(&payload(2, &list), &keyring), Err(RetractRefusal::Signature));
        let text = String::from_utf8(payload(1, &list)).unwrap();
        assert_eq!(
            verified(text.replace("700001", "700002").as_bytes(), &keyring),
            Err(RetractRefusal::Signature)
        );
        assert_eq!(verified(&text.as_bytes()[..40], &keyring), Err(RetractRefusal::Malformed));
        let taken = Taken::from(list);
        assert!(
            taken.has_rule("fraud/x")
                && taken.has_indicator("qq", "700001")
                && !taken.has_indicator("qq", "7")
        );
    }

    #[test]
    fn word_of_a_rollout_counts_when_it_is_signed_for_that() {
        let keyring = Keyring::new([signing_key(&[1; 32]).verifying_key()]);
        let rollout = Rollout { sequence: 3, channel: Name::stable(), serial: 5, share: 100 };
        let text = serde_json::to_string(&rollout).unwrap();
        let payload = |signed: &[u8]| {
            let (key, signature) = vouch(&signing_key(&[1; 32]), signed);
            serde_json::to_vec(&SignedRollout { rollout: text.clone(), key, signature }).unwrap()
        };
        let good = payload(&Rollout::signed(&text));
        assert_eq!(verified_rollout(&good, &keyring), Ok(rollout));
        // The signature of a list of retractions with the same words is none.
        let other = payload(&Retractions::signed(&text));
        assert_eq!(verified_rollout(&other, &keyring), Err(RetractRefusal::Signature));
        let wider = String::from_utf8(good).unwrap().replace("100", "10000");
        assert_eq!(verified_rollout(wider.as_bytes(), &keyring), Err(RetractRefusal::Signature));
    }
}
