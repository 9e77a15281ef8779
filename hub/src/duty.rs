//! What one hub does for all that share its database: packs and retractions, and letting go of what isn't kept any longer.
//! When it ends, or loses the database, another takes over within seconds.

use crate::appeals;
use crate::clock;
use crate::clues;
use crate::config;
use crate::limits::{FORGET_MAX, RETRY};
use crate::metrics::Metrics;
use crate::share::Sharer;
use crate::store::{Store, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{interval, sleep};

/// How often it is looked whether something is too old.
const FORGET: Duration = Duration::from_secs(3600);
/// Between two deletions, so that ingest has the database in between.
const BREATH: Duration = Duration::from_millis(50);

/// How often the queues of clues and appeals are looked at.
const QUEUES: Duration = Duration::from_secs(30);

const DAY_MS: u64 = 86_400_000;

/// What is needed for it.
#[derive(Clone)]
pub struct Duty {
    /// The database.
    pub store: Store,
    /// Packs, where the hub has them.
    pub sharer: Option<Arc<Sharer>>,
    /// How long things are kept.
    pub keep: config::Store,
    /// Changes with each commit.
    pub arrived: watch::Receiver<u64>,
    /// Whether this hub leads, for all to see.
    pub leads: Arc<AtomicBool>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl Duty {
    /// Waits for its turn, again and again, until `stop`.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        tokio::select! {
            () = self.turns() => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    async fn turns(&self) {
        loop {
            match self.store.lead().await {
                Ok(mut lead) => {
                    tracing::info!("this hub leads");
                    self.leads.store(true, Ordering::Relaxed);
                    tokio::select! {
                        () = self.work() => {}
                        () = lead.lost() => tracing::warn!("this hub leads no more: its session at the database ended"),
                    }
                    self.leads.store(false, Ordering::Relaxed);
                    if let Some(sharer) = &self.sharer {
                        sharer.step_down();
                    }
                }
                Err(error) => tracing::debug!(%error, "no hub can lead"),
            }
            sleep(RETRY.0).await;
        }
    }

    async fn work(&self) {
        let forget = async {
            let mut tick = interval(FORGET);
            loop {
                tick.tick().await;
                if let Err(error) = self.forget(clock::now_ms()).await {
                    tracing::error!(%error, "what is too old is still there");
                }
            }
        };
        let queues = async {
            let mut tick = interval(QUEUES);
            let mut since_ms = 0;
            loop {
                tick.tick().await;
                let now_ms = clock::now_ms();
                match self.queues(since_ms, now_ms).await {
                    Ok(()) => since_ms = now_ms,
                    Err(error) => tracing::error!(%error, "the queues of clues and appeals are as they were"),
                }
            }
        };
        match &self.sharer {
            Some(sharer) => tokio::join!(sharer.run(self.arrived.clone()), forget, queues).1,
            None => tokio::join!(forget, queues).0,
        }
    }

    /// New clues, their order, and what is overdue.
    async fn queues(&self, since_ms: u64, now_ms: u64) -> Result<(), StoreError> {
        let overdue = appeals::escalate(&self.store, now_ms).await?;
        self.metrics.escalations.inc_by(u64::try_from(overdue).unwrap_or(0));
        clues::gather(&self.store, self.sharer.as_deref(), since_ms, now_ms).await?;
        let appeals = self.store.appeal_counts(None, now_ms).await?;
        let gauge = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.metrics.appeals.set(gauge(appeals.open));
        self.metrics.appeals_overdue.set(gauge(appeals.overdue));
        self.metrics.clues.set(gauge(self.store.clues_waiting().await?));
        Ok(())
    }

    async fn forget(&self, now_ms: u64) -> Result<(), StoreError> {
        let before = |days: u32| now_ms.saturating_sub(u64::from(days) * DAY_MS);
        let mut gone = 0;
        loop {
            let some = self.store.forget_sightings(before(self.keep.keep_days), FORGET_MAX).await?;
            if some == 0 {
                break;
            }
            gone += some;
            sleep(BREATH).await;
        }
        if gone > 0 {
            tracing::info!(gone, days = self.keep.keep_days, "SightingsForgotten");
        }
        self.store.forget_statements(before(self.keep.keep_days)).await?;
        self.store.forget_counts(before(self.keep.keep_counts_days)).await
    }
}
