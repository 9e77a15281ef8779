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
mod lanes;

pub(crate) use draft::{is_indicator, is_shared, shared_redress};
pub use lanes::{Offered, Overview};

use crate::config;
use crate::decay::DEFAULT;
use crate::ingest::Publisher;
use crate::store::{Observed, RuleDraftRow, SharedRow, Store, StoreError};
use bytes::Bytes;
use draft::BaseError;
use ed25519_dalek::SigningKey;
use lanes::{Lane, Last};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, watch};
use yumen_compiler::sign::{KeyFileError, emit_public_key, parse_signing_key, vouch};
use yumen_exchange::retract::{RETRACTED_MAX, Retractions, SignedRetractions};
use yumen_exchange::topic::{self, Name};

/// How often it is looked whether something expired, and whether the pack must be renewed.
const TICK: Duration = Duration::from_secs(60);
/// Least pause between two looks.
const LOOK: Duration = Duration::from_millis(200);

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
    /// A channel that the configuration doesn't have.
    #[error("there is no such channel")]
    Channel,
    /// No pack was published there yet, or none with other rules is kept.
    #[error("there is no pack to go to")]
    NoPack,
}

/// The public half of the key that signs packs, as a keyring's line.
///
/// # Errors
/// The key's file can't be used.
pub fn public_key(options: &config::Share) -> Result<String, ShareError> {
    signing_key(options).map(|key| emit_public_key(&key))
}

fn signing_key(options: &config::Share) -> Result<SigningKey, ShareError> {
    let path = options.signing_key.clone();
    let text = std::fs::read_to_string(&path)
        .map_err(|source| ShareError::KeyUnreadable { path: path.clone(), source })?;
    parse_signing_key(&text).map_err(|source| ShareError::Key { path, source })
}

/// Makes and publishes packs.
pub struct Sharer {
    options: config::Share,
    store: Store,
    lanes: Arc<Vec<Lane>>,
    key: SigningKey,
    publisher: Publisher,
    /// One pack at a time; holds what was last said on each channel.
    last: Mutex<BTreeMap<Name, Last>>,
    /// Rules and indicators that were last said to be taken back.
    said: Mutex<Option<(Vec<String>, Vec<String>)>>,
    /// Whether this hub is the one that publishes.
    leads: AtomicBool,
}

/// How far the looks have come.
#[derive(Debug, Default)]
struct Seen {
    revision: Option<u64>,
    /// Of the console's rules.
    rules: Option<u64>,
    until_ms: u64,
    /// Time has passed: what depends on the clock alone is due.
    ticked: bool,
}

impl Sharer {
    /// Reads rules and key; nothing is published yet. Blocks while the rules are compiled.
    ///
    /// # Errors
    /// [`ShareError`].
    pub fn new(
        options: config::Share,
        store: Store,
        publisher: Publisher,
        published: &[RuleDraftRow],
    ) -> Result<Self, ShareError> {
        let key = signing_key(&options)?;
        let lanes = options
            .channels
            .iter()
            .map(|channel| Lane::new(channel, &options, published))
            .collect::<Result<Vec<_>, BaseError>>()?;
        Ok(Self {
            options,
            store,
            lanes: Arc::new(lanes),
            key,
            publisher,
            last: Mutex::default(),
            said: Mutex::new(None),
            leads: AtomicBool::new(false),
        })
    }

    /// Looks at what came in, and at the clock, for as long as this hub leads.
    pub async fn run(&self, mut arrived: watch::Receiver<u64>) {
        let mut tick = tokio::time::interval(TICK);
        let mut seen = Seen::default();
        loop {
            arrived.mark_unchanged();
            if let Err(error) = self.look(&mut seen, crate::clock::now_ms()).await {
                tracing::error!(%error, "nothing was promoted");
            }
            // Under load commits come without a pause: one look serves many.
            tokio::time::sleep(LOOK).await;
            tokio::select! {
                changed = arrived.changed() => if changed.is_err() { return },
                _ = tick.tick() => seen.ticked = true,
            }
        }
    }

    /// Another hub may lead from now on: nothing is said again.
    pub fn step_down(&self) {
        self.leads.store(false, Ordering::Relaxed);
        self.publisher.hush();
    }

    /// Says what another hub or an analyst changed, promotes what is corroborated, lets go what is not seen any more, and
    /// publishes if that changed anything.
    async fn look(&self, seen: &mut Seen, now_ms: u64) -> Result<(), ShareError> {
        if !self.leads.load(Ordering::Relaxed) {
            // What is taken back is said before the first pack.
            self.last.lock().await.clear();
            self.say_retractions(now_ms).await?;
            self.leads.store(true, Ordering::Relaxed);
            *seen = Seen { ticked: true, ..Seen::default() };
        }
        let revision = self.store.revision().await?;
        let rules = self.store.rules_revision().await?;
        // 0 until the first one is published.
        if seen.rules.unwrap_or(0) != rules
            && let Err(error) = self.reload_rules().await
        {
            tracing::error!(%error, "rules of the console are left as they were");
        }
        if seen.revision != Some(revision) {
            self.say_retractions(now_ms).await?;
        }
        // With every tick as far back as anything counts: another hub's clock may be behind.
        let since_ms = if seen.ticked { now_ms.saturating_sub(DEFAULT.lifetime_ms) } else { seen.until_ms };
        let promoted = self.promote_corroborated(since_ms, now_ms).await?;
        let expired = if seen.ticked { self.expire(now_ms).await? } else { 0 };
        if seen.ticked || promoted + expired > 0 || seen.revision != Some(revision) {
            self.publish(now_ms).await?;
        }
        // A commit that is under way may carry a time of a moment ago.
        let until_ms = now_ms.saturating_sub(10_000);
        *seen = Seen { revision: Some(revision), rules: Some(rules), until_ms, ticked: false };
        Ok(())
    }

    async fn promote_corroborated(&self, since_ms: u64, now_ms: u64) -> Result<usize, ShareError> {
        let least = self.options.typology.values().copied().min().unwrap_or(u64::MAX);
        let members_min = least.min(self.options.members_min);
        let candidates = self.store.candidates(members_min, since_ms).await?;
        let mut promoted = Vec::new();
        for observed in candidates.into_iter().filter(|observed| self.is_corroborated(observed, now_ms)) {
            let Observed { kind, value, typology, members, .. } = observed;
            tracing::info!(kind, value, typology, members, "IndicatorPromoted");
            promoted.push(SharedRow { kind, value, typology });
        }
        // One that was seen for two typologies is shared once, for the first.
        promoted.dedup_by(|later, first| later.kind == first.kind && later.value == first.value);
        if !promoted.is_empty() {
            self.store.share(&promoted, "enforced", now_ms).await?;
        }
        Ok(promoted.len())
    }

    async fn expire(&self, now_ms: u64) -> Result<usize, ShareError> {
        let enforced = self.store.enforced().await?;
        let expired: Vec<SharedRow> = enforced
            .into_iter()
            .filter(|(_, last_ms, disputes)| !DEFAULT.holds(*last_ms, now_ms, *disputes))
            .map(|(shared, ..)| shared)
            .collect();
        for shared in &expired {
            tracing::info!(kind = shared.kind, value = shared.value, "IndicatorExpired");
        }
        if !expired.is_empty() {
            self.store.share(&expired, "expired", now_ms).await?;
        }
        Ok(expired.len())
    }

    /// Whether an indicator is a bank's, an authority's, or named in the configuration: it is never promoted.
    #[must_use]
    pub fn is_known_good(&self, kind: &str, value: &str) -> bool {
        self.lanes.iter().any(|lane| lane.base().is_known_good(kind, value))
    }

    /// An analyst's retraction stands until an analyst takes it back.
    fn is_corroborated(&self, observed: &Observed, now_ms: u64) -> bool {
        let needed = self.options.typology.get(&observed.typology).copied();
        // Whoever was right in an appeal stands against one member.
        observed.members >= needed.unwrap_or(self.options.members_min).saturating_add(observed.disputes)
            && !matches!(observed.state.as_deref(), Some("enforced" | "retracted"))
            && DEFAULT.holds(observed.last_ms, now_ms, observed.disputes)
            && !self.is_known_good(&observed.kind, &observed.value)
    }

    /// Enforces an indicator without waiting for members, or after it was retracted.
    ///
    /// # Errors
    /// [`ShareError`].
    pub async fn promote(&self, shared: SharedRow, now_ms: u64) -> Result<(), ShareError> {
        if !draft::is_indicator(&shared.kind, &shared.value) || draft::typology(&shared.typology).is_none() {
            return Err(ShareError::Unknown);
        }
        if self.is_known_good(&shared.kind, &shared.value) {
            return Err(ShareError::KnownGood(format!("{}:{}", shared.kind, shared.value)));
        }
        self.store.share(&[shared], "enforced", now_ms).await?;
        self.say_all(now_ms).await
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
        self.store.share(&[shared], "retracted", now_ms).await?;
        tracing::info!(kind, value, "IndicatorRetracted");
        self.say_all(now_ms).await
    }

    /// Takes a rule back.
    ///
    /// # Errors
    /// [`ShareError`].
    pub async fn retract_rule(&self, id: &str, now_ms: u64) -> Result<(), ShareError> {
        if !self.lanes.iter().any(|lane| lane.base().has_rule(id)) {
            return Err(ShareError::Unknown);
        }
        self.store.retract_rule(id, now_ms).await?;
        tracing::info!(id, "RuleRetracted");
        self.say_all(now_ms).await
    }

    /// Says at once what was just decided here; a hub that doesn't lead has woken the one that does.
    async fn say_all(&self, now_ms: u64) -> Result<(), ShareError> {
        if !self.leads.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.say_retractions(now_ms).await?;
        self.publish(now_ms).await
    }

    /// Publishes what is taken back. Also called at the start, since an embedded broker forgets.
    async fn say_retractions(&self, now_ms: u64) -> Result<(), ShareError> {
        // A later list never goes out before an earlier one.
        let mut said = self.said.lock().await;
        // Rules stand in the list for as long as they are retracted; indicators that fall off its end are in no pack any more.
        let limit = u32::try_from(RETRACTED_MAX / 2).unwrap_or(u32::MAX);
        let lists = self.store.retracted(limit).await?;
        if said.as_ref() == Some(&lists) && self.leads.load(Ordering::Relaxed) {
            return Ok(());
        }
        let sequence = self.store.give_out("retract", now_ms).await?;
        let (rules, indicators) = lists.clone();
        let list =
            serde_json::to_string(&Retractions { sequence, rules, indicators }).map_err(StoreError::Row)?;
        let (key, signature) = vouch(&self.key, &Retractions::signed(&list));
        let signed = SignedRetractions { list, key, signature };
        let payload = serde_json::to_vec(&signed).map_err(StoreError::Row)?;
        self.publisher.say(topic::RETRACT, Bytes::from(payload));
        *said = Some(lists);
        Ok(())
    }
}
