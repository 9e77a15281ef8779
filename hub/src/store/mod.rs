//! Where sightings stand: SQLite for one hub, PostgreSQL for one or several. Nothing outside this module names SQL.
//!
//! Statements are written for both: parameters as `$1`, columns of `BIGINT` and `TEXT` only (what [`sqlx::any`] can read),
//! sums cast to `BIGINT`, `CASE` in place of `MAX(a, b)`. Where that can't be, [`Kind`] tells which. Tables are in
//! `hub/migrations/{sqlite,postgres}`.
//!
//! SQLite: one connection writes, several read (WAL), every commit is synced. PostgreSQL: `synchronous_commit` stays as the
//! server has it, which is on. What is acknowledged to an agent survives a power cut.

mod address;
mod appeals;
mod audit;
mod care;
mod clues;
mod commit;
mod forget;
mod indicators;
mod lead;
mod packs;
mod people;
mod platforms;
mod read;
mod rules;
mod schema;
mod sql;
mod stats;
mod trust;

pub use address::{Address, AddressError, Kind};
pub use appeals::{AppealCounts, AppealRow};
pub use audit::AuditRow;
pub use clues::{ClueFilter, ClueRow, Remark};
pub use indicators::{Observed, SHARED_RULE, SharedRow};
pub use lead::Lead;
pub use packs::PackRow;
pub use people::{PersonRow, TokenRow};
pub use platforms::{KnownEntry, Named, Place, SharedEntry};
pub use rules::RuleDraftRow;
pub use stats::{AppealTally, By, Days, IndicatorDay, Tally};
pub use trust::{CertificateRow, EnrolledRow, RefusalRow};

use sqlx::any::AnyPoolOptions;
use sqlx::{Any, AnyPool, Connection as _, Executor as _, Transaction};
use std::time::Duration;
use uuid::Uuid;
use yumen_exchange::sighting::Sighting;
use yumen_exchange::status::Status;
use yumen_exchange::topic::Name;

use crate::limits::{READERS_MAX, WRITERS_MAX};

/// How long a connection to the database may take before the request fails.
const ACQUIRE: Duration = Duration::from_secs(10);

/// What went wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database's own error.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// The schema can't be brought up to date.
    #[error("database schema: {0}")]
    Migrate(Box<sqlx::migrate::MigrateError>),
    /// A row that this program can't have written.
    #[error("the database has a row that can't be read: {0}")]
    Row(#[from] serde_json::Error),
    /// An id that this program can't have written.
    #[error("the database has an id that isn't one: {0}")]
    Id(#[from] uuid::Error),
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
    /// It isn't copied by the hub.
    #[error("a PostgreSQL is backed up by its own tools: pg_dump, or pg_basebackup with its log")]
    Server,
    /// The database was written by a trial version.
    #[error("the database was written by a trial version, and can't be taken over: move the file away")]
    Trial,
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
    kind: Kind,
    address: Address,
    writer: AnyPool,
    readers: AnyPool,
}

impl Store {
    /// Opens the database, makes the file where it is one, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open(address: &Address) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let kind = address.kind();
        let (writers, write, read) = match kind {
            Kind::Sqlite => (1, "mode=rwc", "mode=ro"),
            Kind::Postgres => {
                (WRITERS_MAX, "application_name=yumen-hub", "application_name=yumen-hub-reader")
            }
        };
        let writer = pool(kind, writers, true).connect(&address.url(write)).await?;
        schema::migrate(&writer, kind).await?;
        let readers = pool(kind, READERS_MAX, false).connect(&address.url(read)).await?;
        Ok(Self { kind, address: address.clone(), writer, readers })
    }

    /// Which database it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// A transaction that writes.
    async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        Ok(match self.kind {
            // One that began by reading couldn't write any more once another program had.
            Kind::Sqlite => self.writer.begin_with("BEGIN IMMEDIATE").await?,
            Kind::Postgres => self.writer.begin().await?,
        })
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

fn pool(kind: Kind, connections: u32, writes: bool) -> AnyPoolOptions {
    let settings = match (kind, writes) {
        (Kind::Sqlite, true) => {
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 10000"
        }
        (Kind::Sqlite, false) => "PRAGMA busy_timeout = 10000",
        // A hub that is cut off in a transaction must not hold up the others.
        (Kind::Postgres, true) => "SET idle_in_transaction_session_timeout = '10s'",
        (Kind::Postgres, false) => "SET statement_timeout = '30s'",
    };
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                connection.execute(settings).await?;
                Ok(())
            })
        })
        // After an error of the disk SQLite has rolled back by itself, and the crate, whose own rollback then fails, takes
        // the connection for one in a transaction for ever: a new one is made in its place.
        .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
}

fn id(text: &str) -> Result<Uuid, StoreError> {
    Ok(text.parse()?)
}

/// For a column of signed 64 bits: an instant after the year 292,278,994 is that one.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
