//! The tables, and how they came to be: each file once, in order, in a transaction; several hubs wait for one another.

use super::{Kind, StoreError};
use sqlx::AnyPool;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{Row as _, SqlSafeStr as _};

const SQLITE: &[(&str, &str)] = &[
    ("hub", include_str!("../../migrations/sqlite/0001_hub.sql")),
    ("packs", include_str!("../../migrations/sqlite/0002_packs.sql")),
    ("trust", include_str!("../../migrations/sqlite/0003_trust.sql")),
    ("people", include_str!("../../migrations/sqlite/0004_people.sql")),
    ("platforms", include_str!("../../migrations/sqlite/0005_platforms.sql")),
];
const POSTGRES: &[(&str, &str)] = &[
    ("hub", include_str!("../../migrations/postgres/0001_hub.sql")),
    ("packs", include_str!("../../migrations/postgres/0002_packs.sql")),
    ("trust", include_str!("../../migrations/postgres/0003_trust.sql")),
    ("people", include_str!("../../migrations/postgres/0004_people.sql")),
    ("platforms", include_str!("../../migrations/postgres/0005_platforms.sql")),
];

const _: () = assert!(SQLITE.len() == POSTGRES.len(), "both databases have the same tables");

/// The schema that this program knows.
pub(super) const KNOWN: usize = SQLITE.len();

/// Brings the schema up to date.
pub(super) async fn migrate(pool: &AnyPool, kind: Kind) -> Result<(), StoreError> {
    if kind == Kind::Sqlite {
        let old = "SELECT COUNT(*) AS count FROM sqlite_master WHERE name = 'schema_version'";
        if sqlx::query(old).fetch_one(pool).await?.try_get::<i64, _>("count")? > 0 {
            return Err(StoreError::Trial);
        }
    }
    let files = match kind {
        Kind::Sqlite => SQLITE,
        Kind::Postgres => POSTGRES,
    };
    let migrations = (1..).zip(files).map(|(version, &(name, sql))| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    match Migrator::with_migrations(migrations.collect()).run(pool).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(found)) => Err(StoreError::Newer { found, known: KNOWN }),
        Err(error) => Err(StoreError::Migrate(Box::new(error))),
    }
}
