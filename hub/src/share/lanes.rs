//! Channels: what was published on each, how far it has been rolled out, and the way back.
//!
//! ```text
//! changed lists → new serial, same share      changed rules → new serial, first share → wider … → all
//!                                                                       └ rollback: new serial, the rules before, all
//! ```
//!
//! What stands in the database is what is said: whichever hub leads says it, whoever changed it.

use super::draft::{self, Base, BaseError};
use super::{ShareError, Sharer};
use crate::config;
use crate::limits::LAG_MS;
use crate::store::{AgentRow, PackRow, RuleDraftRow, SharedRow, StoreError};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use yumen_compiler::sign::vouch;
use yumen_exchange::rollout::{ALL, Rollout, SignedRollout, bucket};
use yumen_exchange::topic::{self, Name};

/// A pack is made anew when it is so old, long before agents would refuse it.
const RENEW_MS: u64 = 30 * 86_400_000;

/// A channel and its rules.
pub(super) struct Lane {
    name: Name,
    rules: Vec<PathBuf>,
    known_good: Vec<String>,
    /// Changes when a rule of the console is published or withdrawn.
    base: RwLock<Arc<Base>>,
    first_share: u16,
}

/// What was last said on a channel.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Last {
    /// What is in the last pack that was made here.
    enforced: Option<Vec<SharedRow>>,
    /// Serial and share.
    said: Option<(u64, u16)>,
}

/// A channel as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// The channel.
    pub channel: String,
    /// Its kept packs, newest first.
    pub packs: Vec<PackRow>,
    /// How many agents that are there run each of them.
    pub agents: BTreeMap<u64, u64>,
    /// Agents that have an older one than is meant for them, as `member/agent`, with their serial.
    pub lagging: Vec<(String, u64)>,
}

/// A channel's newest pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Its serial.
    pub serial: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Lane {
    pub(super) fn new(
        channel: &config::Channel,
        share: &config::Share,
        published: &[RuleDraftRow],
    ) -> Result<Self, BaseError> {
        let rules = channel.rules.as_ref().unwrap_or(&share.rules).clone();
        let first_share = u16::from(channel.first_percent.min(100)) * (ALL / 100);
        let more = of_channel(&channel.name, published);
        // What stands in the way of a rule of the console must not stop the hub: it goes on without.
        let base = match Base::load(&rules, &share.known_good, &more) {
            Err(error) if !more.is_empty() => {
                tracing::error!(channel = %channel.name, %error, "rules of the console are left out");
                Base::load(&rules, &share.known_good, &[])?
            }
            loaded => loaded?,
        };
        let (name, known_good) = (channel.name.clone(), share.known_good.clone());
        Ok(Self { name, rules, known_good, base: RwLock::new(Arc::new(base)), first_share })
    }

    pub(super) fn base(&self) -> Arc<Base> {
        Arc::clone(&self.base.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// With the rules that are published in the console now. Blocks while they are checked; where they are wrong it goes on
    /// with those before.
    fn reload(&self, published: &[RuleDraftRow]) -> Result<(), BaseError> {
        let base = Base::load(&self.rules, &self.known_good, &of_channel(&self.name, published))?;
        *self.base.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(base);
        Ok(())
    }
}

fn of_channel(channel: &Name, published: &[RuleDraftRow]) -> Vec<(String, String)> {
    let meant = |row: &&RuleDraftRow| row.channel.is_empty() || row.channel == channel.as_str();
    published.iter().filter(meant).map(|row| (row.name.clone(), row.published.clone())).collect()
}

impl Sharer {
    /// Takes over what was published or withdrawn in the console, here or at another hub.
    pub(super) async fn reload_rules(&self) -> Result<(), ShareError> {
        let published = self.store.published_rules().await?;
        let lanes = Arc::clone(&self.lanes);
        let reloaded =
            tokio::task::spawn_blocking(move || lanes.iter().try_for_each(|lane| lane.reload(&published)));
        reloaded.await.map_err(|_| ShareError::NoPack)??;
        Ok(())
    }

    /// Takes over what was just published or withdrawn in the console, and says it.
    ///
    /// # Errors
    /// [`ShareError`]; the rules before stay in force.
    pub async fn rules_changed(&self, now_ms: u64) -> Result<(), ShareError> {
        self.reload_rules().await?;
        self.say_all(now_ms).await
    }

    /// The names of the channels.
    #[must_use]
    pub fn channels(&self) -> Vec<String> {
        self.lanes.iter().map(|lane| lane.name.to_string()).collect()
    }

    /// Says on each channel what belongs there, and makes a new pack where lists or rules have changed.
    pub(super) async fn publish(&self, now_ms: u64) -> Result<(), ShareError> {
        let mut last = self.last.lock().await;
        let enforced: Vec<SharedRow> =
            self.store.enforced().await?.into_iter().map(|(row, ..)| row).collect();
        for lane in self.lanes.iter() {
            let last = last.entry(lane.name.clone()).or_default();
            self.publish_on(lane, last, &enforced, now_ms).await?;
        }
        Ok(())
    }

    async fn publish_on(
        &self,
        lane: &Lane,
        last: &mut Last,
        enforced: &[SharedRow],
        now_ms: u64,
    ) -> Result<(), ShareError> {
        let base = lane.base();
        let kept = self.store.packs(lane.name.as_str()).await?;
        let newest = kept.first();
        let withdrawn = kept.iter().any(|pack| pack.withdrawn && pack.base == base.digest());
        let current = newest.is_some_and(|pack| {
            pack.base == base.digest() && now_ms.saturating_sub(pack.created_ms) < RENEW_MS
        });
        if withdrawn || (current && last.enforced.as_deref() == Some(enforced)) {
            let Some(newest) = newest.filter(|pack| last.said != Some((pack.serial, pack.share))) else {
                return Ok(());
            };
            if withdrawn {
                tracing::warn!(channel = %lane.name, "PackWithheld: these rules were rolled back; new lists wait for others");
            }
            let bytes = self.store.pack_bytes(lane.name.as_str(), newest.serial).await?;
            return self.say(lane, last, newest, bytes.ok_or(ShareError::NoPack)?).await;
        }
        let now_s = now_ms / 1000;
        // `yumen rules build` takes the seconds since 1970 too, so that a hub's pack follows one that was built by hand.
        let serial = self.store.give_out("serial", now_s).await?;
        let bytes = base.pack(enforced, &lane.name, serial, now_s, &self.key)?;
        let share = match newest {
            Some(pack) if pack.base == base.digest() => pack.share,
            Some(_) => lane.first_share,
            None => ALL,
        };
        let pack = PackRow {
            channel: lane.name.to_string(),
            serial,
            created_ms: now_ms,
            base: base.digest().to_owned(),
            withdrawn: false,
            share,
            length: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        };
        self.store.keep_pack(&pack, &bytes).await?;
        tracing::info!(channel = %lane.name, serial, share, indicators = enforced.len(), bytes = bytes.len(), "PackPublished");
        last.enforced = Some(enforced.to_vec());
        self.say(lane, last, &pack, bytes).await
    }

    /// The share before the pack that it is about.
    async fn say(
        &self,
        lane: &Lane,
        last: &mut Last,
        pack: &PackRow,
        bytes: Vec<u8>,
    ) -> Result<(), ShareError> {
        let sequence = self.store.give_out("rollout", pack.created_ms).await?;
        let rollout =
            Rollout { sequence, channel: lane.name.clone(), serial: pack.serial, share: pack.share };
        let rollout = serde_json::to_string(&rollout).map_err(StoreError::Row)?;
        let (key, signature) = vouch(&self.key, &Rollout::signed(&rollout));
        let signed =
            serde_json::to_vec(&SignedRollout { rollout, key, signature }).map_err(StoreError::Row)?;
        self.publisher.say(&topic::rollout(&lane.name), Bytes::from(signed));
        self.publisher.say(&topic::pack(&lane.name), Bytes::from(bytes));
        last.said = Some((pack.serial, pack.share));
        Ok(())
    }

    /// Lets so many agents in a hundred have a channel's newest pack; 0 holds it up where it is.
    ///
    /// # Errors
    /// [`ShareError`].
    pub async fn roll_out(&self, channel: &str, percent: u8, now_ms: u64) -> Result<(), ShareError> {
        let lane = self.lane(channel)?;
        let kept = self.store.packs(channel).await?;
        let newest = kept.first().ok_or(ShareError::NoPack)?;
        let share = u16::from(percent.min(100)) * (ALL / 100);
        self.store.set_share(channel, newest.serial, share).await?;
        tracing::info!(channel = %lane.name, serial = newest.serial, percent, "PackRolledOut");
        self.say_all(now_ms).await
    }

    /// Publishes the last pack with other rules again, under a new serial and for all; packs with the newest's rules aren't
    /// made any more.
    ///
    /// # Errors
    /// [`ShareError`].
    pub async fn roll_back(&self, channel: &str, now_ms: u64) -> Result<u64, ShareError> {
        let lane = self.lane(channel)?;
        let serial = {
            // No pack is made in between.
            let _last = self.last.lock().await;
            let kept = self.store.packs(channel).await?;
            let newest = kept.first().ok_or(ShareError::NoPack)?;
            let target = kept.iter().find(|pack| pack.base != newest.base && !pack.withdrawn);
            let target = target.ok_or(ShareError::NoPack)?;
            let bytes = self.store.pack_bytes(channel, target.serial).await?.ok_or(ShareError::NoPack)?;
            let serial = self.store.give_out("serial", now_ms / 1000).await?;
            let bytes = draft::restamp(bytes, serial, now_ms / 1000, &self.key)?;
            self.store.withdraw_base(channel, &newest.base).await?;
            let pack = PackRow { serial, created_ms: now_ms, share: ALL, ..target.clone() };
            self.store.keep_pack(&pack, &bytes).await?;
            tracing::warn!(channel = %lane.name, serial, content_of = target.serial, "PackRolledBack");
            serial
        };
        self.say_all(now_ms).await?;
        Ok(serial)
    }

    /// The newest pack of a channel.
    ///
    /// # Errors
    /// [`ShareError`].
    pub async fn offered(&self, channel: &str) -> Result<Offered, ShareError> {
        self.lane(channel)?;
        let serial = self.newest(channel).await?;
        let bytes = self.store.pack_bytes(channel, serial).await?.ok_or(ShareError::NoPack)?;
        Ok(Offered { serial, bytes })
    }

    /// Its serial.
    ///
    /// # Errors
    /// [`ShareError`].
    pub async fn newest(&self, channel: &str) -> Result<u64, ShareError> {
        self.lane(channel)?;
        Ok(self.store.packs(channel).await?.first().ok_or(ShareError::NoPack)?.serial)
    }

    /// Who runs what on each channel. An agent belongs to the channel whose pack it runs.
    ///
    /// # Errors
    /// [`ShareError`].
    pub async fn overview(&self, now_ms: u64) -> Result<Vec<Overview>, ShareError> {
        let agents = self.store.agents().await?;
        let mut channels = Vec::new();
        for lane in self.lanes.iter() {
            let packs = self.store.packs(lane.name.as_str()).await?;
            channels.push(overview(&lane.name, packs, &agents, now_ms));
        }
        Ok(channels)
    }

    fn lane(&self, channel: &str) -> Result<&Lane, ShareError> {
        self.lanes.iter().find(|lane| lane.name.as_str() == channel).ok_or(ShareError::Channel)
    }
}

fn overview(channel: &Name, packs: Vec<PackRow>, agents: &[AgentRow], now_ms: u64) -> Overview {
    let mut running = BTreeMap::new();
    let mut lagging = Vec::new();
    for row in agents.iter().filter(|row| row.status.online) {
        let Some(serial) = row.status.pack.as_ref().map(|pack| pack.serial) else { continue };
        if !packs.iter().any(|pack| pack.serial == serial) {
            continue;
        }
        *running.entry(serial).or_insert(0) += 1;
        let (Ok(member), Ok(agent)) = (row.member.parse(), row.agent.parse()) else { continue };
        let place = bucket(channel, &member, &agent);
        let due = packs.iter().find(|pack| place < pack.share && !pack.withdrawn);
        let lags = |due: &PackRow| serial < due.serial && now_ms.saturating_sub(due.created_ms) > LAG_MS;
        if due.is_some_and(lags) {
            lagging.push((format!("{member}/{agent}"), serial));
        }
    }
    Overview { channel: channel.to_string(), packs, agents: running, lagging }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yumen_exchange::sighting::PackRef;
    use yumen_exchange::status::Status;

    #[test]
    fn who_has_an_older_pack_than_is_meant_for_it_lags_after_a_while() {
        let pack = |serial, share| PackRow {
            channel: "stable".into(),
            serial,
            created_ms: serial * 1000,
            base: "b".into(),
            withdrawn: false,
            share,
            length: 1,
        };
        let golden = include_bytes!("../../../exchange/tests/golden/status_of_a_running_agent.json");
        let status: Status = serde_json::from_slice(golden).unwrap();
        let agent = |agent: &str, serial| AgentRow {
            member: "bank-a".into(),
            agent: agent.into(),
            received_ms: 1,
            status: Status { pack: Some(PackRef { name: "yumen".into(), serial }), ..status.clone() },
        };
        // gw1 stands at 3633, gw0 at 4306: a share of 40 % reaches the first of them only.
        let agents = [agent("gw0", 5), agent("gw1", 5), agent("gw2", 9), agent("gw3", 777)];
        let packs = vec![pack(9, 4000), pack(5, ALL)];
        let shown = overview(&Name::stable(), packs.clone(), &agents, 9_000 + LAG_MS + 1);
        assert_eq!(
            shown.agents,
            BTreeMap::from([(5, 2), (9, 1)]),
            "one that follows no channel isn't counted"
        );
        assert_eq!(shown.lagging, [("bank-a/gw1".to_owned(), 5)]);
        assert!(overview(&Name::stable(), packs, &agents, 9_000 + LAG_MS).lagging.is_empty());
    }
}
