//! Several hubs on one PostgreSQL: what only one of them does, and how they wake one another. A hub on a file is alone.

use super::{Kind, Store, StoreError};
use crate::limits::RETRY;
use sqlx::postgres::PgListener;
use sqlx::{AnyConnection, Connection as _, Executor as _};
use std::future::pending;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// Held by one session at a time; the server gives it on when that session ends, however it ended.
const LOCK: &str = "SELECT pg_advisory_lock(7956011)";
/// How often it is looked whether the session still stands, and how long that may take.
const LOOK: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));
/// A server keeps the session of a hub whose machine is gone for so long: under half a minute.
const KEEP_ALIVE: &str =
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3";
/// What batches and analysts' decisions are told on.
const CHANNEL: &str = "yumen_hub";

/// Leading lasts as long as this does.
#[derive(Debug)]
pub struct Lead(Option<AnyConnection>);

impl Store {
    /// Waits until this hub is the one that leads; at once on a file.
    ///
    /// # Errors
    /// The database doesn't answer.
    pub async fn lead(&self) -> Result<Lead, StoreError> {
        if self.kind == Kind::Sqlite {
            return Ok(Lead(None));
        }
        let mut connection =
            AnyConnection::connect(&self.address.url("application_name=yumen-hub-leader")).await?;
        connection.execute(KEEP_ALIVE).await?;
        connection.execute(LOCK).await?;
        Ok(Lead(Some(connection)))
    }

    /// Tells `arrived` whenever another hub has committed something, for ever.
    pub async fn follow(&self, arrived: watch::Sender<u64>) {
        if self.kind == Kind::Sqlite {
            return pending().await;
        }
        loop {
            let ended = self.listen(&arrived).await;
            if let Err(error) = ended {
                tracing::debug!(%error, "other hubs' commits aren't heard of");
            }
            sleep(RETRY.0).await;
        }
    }

    async fn listen(&self, arrived: &watch::Sender<u64>) -> Result<(), StoreError> {
        let mut listener =
            PgListener::connect(&self.address.url("application_name=yumen-hub-listener")).await?;
        listener.listen(CHANNEL).await?;
        loop {
            // What was committed while nobody listened is found by looking.
            arrived.send_modify(|commits| *commits += 1);
            if listener.try_recv().await?.is_none() {
                return Ok(());
            }
        }
    }
}

impl Lead {
    /// Completes when this hub leads no more.
    pub async fn lost(&mut self) {
        let Some(connection) = &mut self.0 else { return pending().await };
        loop {
            sleep(LOOK.0).await;
            if !matches!(timeout(LOOK.1, connection.ping()).await, Ok(Ok(()))) {
                return;
            }
        }
    }
}
