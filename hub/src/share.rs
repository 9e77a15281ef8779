//! From sightings to packs for all members.
//!
//! ```text
//! commit → corroborated by k members? → enforced ─┐
//! decay: not seen for a while → expired ──────────┼→ pack (rules + lists) → sign → yumen/v1/pack/{channel}
//! analyst: promote, retract ──────────────────────┘                      └ retract → yumen/v1/retract, first
//! ```
//!
//! The key stands in a file, never in the database.

mod draft;

use crate::config;
use crate::decay::DEFAULT;
use crate::ingest::Publisher;
use crate::store::{Observed, SharedRow, Store, StoreError};
use bytes::Bytes;
use draft::{Base, BaseError};
use ed25519_dalek::SigningKey;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::{Mutex, watch};
use yumen_compiler::sign::{KeyFileError, parse_signing_key, vouch};
use yumen_exchange::retract::{RETRACTED_MAX, Retractions, SignedRetractions};
use yumen_exchange::topic;

/// How often it is looked whether something expired, and whether the pack must be renewed.
const TICK: Duration = Duration::from_secs(60);

/// Why nothing can be shared.
#[derive(Debug, thiserror::Error)]
pub enum ShareError {
    /// The key's file can't be read.
    #[error("share.signing_key {}: {source}", path.display())]
    KeyUnreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It isn't a key.
    #[error("share.signing_key {}: {source}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: KeyFileError,
    },
    /// The rules.
    #[error("share.rules: {0}")]
    Base(#[from] BaseError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is a bank's, an authority's, or named in `share.known_good`.
    #[error("{0} is known good and is never promoted")]
    KnownGood(String),
    /// Not a kind that sightings have, a value that can't be one, or an unknown typology or rule.
    #[error("there is no such kind of indicator, typology or rule")]
    Unknown,
}

/// Makes and publishes packs.
pub struct Sharer {
    options: config::Share,
    store: Store,
    base: Base,
    key: SigningKey,
    publisher: Publisher,
    /// One pack at a time; holds what is in the last one.
    last: Mutex<Option<Vec<SharedRow>>>,
}

impl Sharer {
    /// Reads rules and key; nothing is published yet. Blocks while the rules are compiled.
    ///
    /// # Errors
    /// [`ShareError`].
    pub fn new(options: config::Share, store: Store, publisher: Publisher) -> Result<Self, ShareError> {
        let path = options.signing_key.clone();
        let text = std::fs::read_to_string(&path)
            .map_err(|source| ShareError::KeyUnreadable { path: path.clone(), source })?;
        let key = parse_signing_key(&text).map_err(|source| ShareError::Key { path, source })?;
        let base = Base::load(&options.rules, &options.known_good)?;
        Ok(Self { options, store, base, key, publisher, last: Mutex::new(None) })
    }

    /// Looks at what came in, and at the clock, until `stop`.
    pub async fn run(&self, mut arrived: watch::Receiver<u64>, mut stop: watch::Receiver<bool>) {
        let mut tick = tokio::time::interval(TICK);
        let mut since_ms = 0;
        loop {
            arrived.mark_unchanged();
            let now_ms = crate::clock::now_ms();
            match self.look(since_ms, now_ms).await {
                // A commit that is under way may carry a time of a moment ago.
                Ok(()) => since_ms = now_ms.saturating_sub(5_000),
                Err(error) => tracing::error!(%error, "nothing was promoted"),
            }
            tokio::select! {
                changed = arrived.changed() => if changed.is_err() { return },
                _ = tick.tick() => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Promotes what is corroborated since an instant, lets go what is not seen any more, and publishes if that changed
    /// anything.
    async fn look(&self, since_ms: u64, now_ms: u64) -> Result<(), ShareError> {
        for observed in self.store.observed(since_ms).await? {
            if self.is_corroborated(&observed, now_ms) {
                let Observed { kind, value, typology, members, .. } = observed;
                tracing::info!(kind, value, typology, members, "IndicatorPromoted");
                self.store.share(&SharedRow { kind, value, typology }, "enforced", now_ms).await?;
            }
        }
        for (shared, last_ms) in self.store.enforced().await? {
            if !DEFAULT.holds(last_ms, now_ms) {
                tracing::info!(kind = shared.kind, value = shared.value, "IndicatorExpired");
                self.store.share(&shared, "expired", now_ms).await?;
            }
        }
        self.publish(now_ms).await
    }

    /// An analyst's retraction stands until an analyst takes it back.
    fn is_corroborated(&self, observed: &Observed, now_ms: u64) -> bool {
        let needed = self.options.typology.get(&observed.typology).copied();
        observed.members >= needed.unwrap_or(self.options.members_min)
            && !matches!(observed.state.as_deref(), Some("enforced" | "retracted"))
            && DEFAULT.holds(observed.last_ms, now_ms)
            && !self.base.is_known_good(&observed.kind, &observed.value)
    }

    /// Enforces an indicator without waiting for members, or after it was retracted.
    ///
    /// # Errors
    /// [`ShareError`].
    pub async fn promote(&self, shared: SharedRow, now_ms: u64) -> Result<(), ShareError> {
        if !draft::is_indicator(&shared.kind, &shared.value) || draft::typology(&shared.typology).is_none() {
            return Err(ShareError::Unknown);
        }
        if self.base.is_known_good(&shared.kind, &shared.value) {
            return Err(ShareError::KnownGood(format!("{}:{}", shared.kind, shared.value)));
        }
        self.store.share(&shared, "enforced", now_ms).await?;
        self.say_retractions(now_ms).await?;
        self.publish(now_ms).await
    }

    /// Takes an indicator back: the agents are told before the next pack is made.
    ///
    /// # Errors
    /// [`ShareError`].
    pub async fn retract(&self, kind: &str, value: &str, now_ms: u64) -> Result<(), ShareError> {
        if !draft::is_indicator(kind, value) {
            return Err(ShareError::Unknown);
        }
        // An empty typology leaves the one it has.
        let shared = SharedRow { kind: kind.to_owned(), value: value.to_owned(), typology: String::new() };
        self.store.share(&shared, "retracted", now_ms).await?;
        tracing::info!(kind, value, "IndicatorRetracted");
        self.say_retractions(now_ms).await?;
        self.publish(now_ms).await
    }

    /// Takes a rule back.
    ///
    /// # Errors
    /// [`ShareError`].
    pub async fn retract_rule(&self, id: &str, now_ms: u64) -> Result<(), ShareError> {
        if !self.base.has_rule(id) {
            return Err(ShareError::Unknown);
        }
        self.store.retract_rule(id, now_ms).await?;
        tracing::info!(id, "RuleRetracted");
        self.say_retractions(now_ms).await
    }

    /// Publishes what is taken back. Also called at the start, since an embedded broker forgets.
    ///
    /// # Errors
    /// [`ShareError`].
    pub async fn say_retractions(&self, now_ms: u64) -> Result<(), ShareError> {
        // Rules stand in the list for as long as they are retracted; indicators that fall off its end are in no pack any more.
        let limit = u32::try_from(RETRACTED_MAX / 2).unwrap_or(u32::MAX);
        let (rules, indicators) = self.store.retracted(limit).await?;
        let sequence = self.store.give_out("retract", now_ms).await?;
        let list =
            serde_json::to_string(&Retractions { sequence, rules, indicators }).map_err(StoreError::Row)?;
        let (key, signature) = vouch(&self.key, &Retractions::signed(&list));
        let signed = SignedRetractions { list, key, signature };
        let payload = serde_json::to_vec(&signed).map_err(StoreError::Row)?;
        self.publisher.say(topic::RETRACT, Bytes::from(payload));
        Ok(())
    }

    /// Builds, signs and publishes a pack, unless the last one says the same.
    async fn publish(&self, now_ms: u64) -> Result<(), ShareError> {
        let mut last = self.last.lock().await;
        let enforced: Vec<SharedRow> = self.store.enforced().await?.into_iter().map(|(row, _)| row).collect();
        if last.as_ref() == Some(&enforced) {
            return Ok(());
        }
        let now_s = now_ms / 1000;
        // `yumen rules build` takes the seconds since 1970 too, so that a hub's pack follows one that was built by hand.
        let serial = self.store.give_out("serial", now_s).await?;
        let bytes = self.base.pack(&enforced, &self.options.channel, serial, now_s, &self.key)?;
        tracing::info!(serial, indicators = enforced.len(), bytes = bytes.len(), "PackPublished");
        self.publisher.say(&topic::pack(&self.options.channel), Bytes::from(bytes));
        *last = Some(enforced);
        Ok(())
    }
}
