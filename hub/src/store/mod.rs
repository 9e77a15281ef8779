//! Where sightings stand: SQLite for now. Nothing outside this module names SQL.
//!
//! One connection writes, several read (WAL), and every commit is synced: what is acknowledged to an agent survives a
//! power cut.

mod indicators;
mod read;

pub use indicators::{Observed, SHARED_RULE, SharedRow};

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Row as _, SqliteConnection};
use std::path::Path;
use std::time::Duration;
use uuid::Uuid;
use yumen_exchange::check::Received;
use yumen_exchange::sighting::Sighting;
use yumen_exchange::status::Status;
use yumen_exchange::topic::Name;

use crate::limits::READERS_MAX;

/// Each file once, in order.
const MIGRATIONS: [&str; 2] = [
    include_str!("../../migrations/0001_sightings.sql"),
    include_str!("../../migrations/0002_indicators.sql"),
];

/// What went wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database's own error.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// A row that this program can't have written.
    #[error("the database has a row that can't be read: {0}")]
    Row(#[from] serde_json::Error),
    /// The database was written by a newer program.
    #[error(
        "the database has schema {found}, and this program knows up to {known}: it was written by a newer one"
    )]
    Newer {
        /// In the file.
        found: i64,
        /// In the program.
        known: usize,
    },
}

/// A sighting in the database.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Row {
    /// The order of arrival.
    pub arrival: i64,
    /// The sighting's id.
    pub id: Uuid,
    /// The institution.
    pub member: String,
    /// Its agent.
    pub agent: String,
    /// When it was judged, in milliseconds since the Unix epoch.
    pub time_ms: u64,
    /// When it arrived, likewise.
    pub received_ms: u64,
    /// What was seen.
    pub data: Sighting,
}

/// An agent's last word.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentRow {
    /// The institution.
    pub member: String,
    /// Its agent.
    pub agent: String,
    /// When it arrived, in milliseconds since the Unix epoch.
    pub received_ms: u64,
    /// What it said.
    pub status: Status,
}

/// Which sightings are asked for; `None` for any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// By typology.
    pub typology: Option<String>,
    /// By verdict.
    pub verdict: Option<String>,
    /// By institution.
    pub member: Option<String>,
    /// By agent.
    pub agent: Option<String>,
    /// Judged then or later, in milliseconds since the Unix epoch.
    pub since_ms: Option<u64>,
    /// Judged before, likewise.
    pub until_ms: Option<u64>,
    /// With an indicator of exactly this value.
    pub indicator: Option<String>,
}

/// A status on its way in.
#[derive(Clone, Debug)]
pub struct StatusReceived {
    /// The institution.
    pub member: Name,
    /// Its agent.
    pub agent: Name,
    /// What it said.
    pub status: Status,
}

/// The database. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Store {
    /// Opens or makes the database file, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10));
        let writer = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
        migrate(&mut *writer.acquire().await?).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .connect_with(options.read_only(true))
            .await?;
        Ok(Self { writer, readers })
    }

    /// Commits sightings and statuses in one transaction; gives how many sightings were new. One that is there already
    /// is left as it is.
    ///
    /// # Errors
    /// Nothing was committed.
    pub async fn commit(
        &self,
        sightings: &[Received],
        statuses: &[StatusReceived],
        received_ms: u64,
    ) -> Result<usize, StoreError> {
        let mut transaction = self.writer.begin().await?;
        let mut new = 0;
        for received in sightings {
            if insert(&mut transaction, received, received_ms).await? {
                new += 1;
            }
        }
        for status in statuses {
            put_status(&mut transaction, status, received_ms).await?;
        }
        transaction.commit().await?;
        Ok(new)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// It doesn't.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.readers).await?;
        Ok(())
    }

    /// Writes what is in memory to the file, and closes it.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Whether it was new.
async fn insert(
    connection: &mut SqliteConnection,
    received: &Received,
    received_ms: u64,
) -> Result<bool, StoreError> {
    let data = &received.envelope.data;
    let id = received.envelope.id.to_string();
    let inserted = sqlx::query(
        "INSERT INTO sighting (id, member, agent, time_ms, received_ms, verdict, typology, score, data) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
    )
    .bind(&id)
    .bind(received.member.as_str())
    .bind(received.agent.as_str())
    .bind(signed(received.time_ms))
    .bind(signed(received_ms))
    .bind(&data.verdict)
    .bind(&data.typology)
    .bind(i64::from(data.score))
    .bind(serde_json::to_string(data)?)
    .execute(&mut *connection)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(false);
    }
    for indicator in &data.indicators {
        sqlx::query(
            "INSERT INTO indicator (value, kind, origin, sighting) VALUES (?, ?, ?, ?) \
             ON CONFLICT (value, kind, sighting) DO NOTHING",
        )
        .bind(&indicator.value)
        .bind(&indicator.kind)
        .bind(&indicator.origin)
        .bind(&id)
        .execute(&mut *connection)
        .await?;
    }
    indicators::observe(connection, received, received_ms).await?;
    Ok(true)
}

async fn put_status(
    connection: &mut SqliteConnection,
    received: &StatusReceived,
    received_ms: u64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO agent (member, agent, received_ms, status) VALUES (?, ?, ?, ?) \
         ON CONFLICT (member, agent) DO UPDATE SET received_ms = excluded.received_ms, status = excluded.status",
    )
    .bind(received.member.as_str())
    .bind(received.agent.as_str())
    .bind(signed(received_ms))
    .bind(serde_json::to_string(&received.status)?)
    .execute(&mut *connection)
    .await?;
    Ok(())
}

async fn migrate(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")
        .execute(&mut *connection)
        .await?;
    let row = sqlx::query("SELECT COALESCE(MAX(version), 0) AS version FROM schema_version");
    let found: i64 = row.fetch_one(&mut *connection).await?.try_get("version")?;
    let done = usize::try_from(found).unwrap_or(0);
    if done > MIGRATIONS.len() {
        return Err(StoreError::Newer { found, known: MIGRATIONS.len() });
    }
    for (version, sql) in (1i64..).zip(MIGRATIONS).skip(done) {
        let mut transaction = sqlx::Connection::begin(&mut *connection).await?;
        sqlx::raw_sql(sql).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO schema_version (version) VALUES (?)")
            .bind(version)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
    }
    Ok(())
}

/// For a column of signed 64 bits: an instant after the year 292,278,994 is that one.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests;
