//! Looking at a database from outside, and copying it, while a hub runs on it.

use super::{Address, Kind, Store, StoreError, pool, schema};
use sqlx::{Any, Pool, Row as _};
use std::path::Path;

impl Store {
    /// The schema that the database has, 0 where it has none, and the one that this program knows. Nothing is changed.
    ///
    /// # Errors
    /// It doesn't answer, or was written by a newer program.
    pub async fn schema(address: &Address) -> Result<(usize, usize), StoreError> {
        let pool = outside(address).await?;
        let tables = match address.kind() {
            Kind::Sqlite => "SELECT COUNT(*) AS count FROM sqlite_master WHERE name = '_sqlx_migrations'",
            Kind::Postgres => {
                "SELECT COUNT(*) AS count FROM pg_tables WHERE tablename = '_sqlx_migrations' \
                 AND schemaname = current_schema()"
            }
        };
        let has_any = sqlx::query(tables).fetch_one(&pool).await?.try_get::<i64, _>("count")? > 0;
        let mut found = 0;
        if has_any {
            let last = "SELECT CAST(MAX(version) AS BIGINT) AS last FROM _sqlx_migrations";
            found = sqlx::query(last).fetch_one(&pool).await?.try_get::<Option<i64>, _>("last")?.unwrap_or(0);
        }
        pool.close().await;
        let found_here = usize::try_from(found).unwrap_or(0);
        if found_here > schema::KNOWN {
            return Err(StoreError::Newer { found, known: schema::KNOWN });
        }
        Ok((found_here, schema::KNOWN))
    }

    /// Copies a file's database, as it is at one moment, into a new file. A server has tools of its own for this.
    ///
    /// # Errors
    /// The new file is there already or can't be written, or it isn't a file's database.
    pub async fn backup(address: &Address, output: &Path) -> Result<(), StoreError> {
        if address.kind() == Kind::Postgres {
            return Err(StoreError::Server);
        }
        let pool = outside(address).await?;
        let copied = sqlx::query("VACUUM INTO $1").bind(output.to_string_lossy().into_owned()).execute(&pool);
        let copied = copied.await;
        pool.close().await;
        copied?;
        Ok(())
    }
}

async fn outside(address: &Address) -> Result<Pool<Any>, StoreError> {
    sqlx::any::install_default_drivers();
    let kind = address.kind();
    let parameters = match kind {
        Kind::Sqlite => "mode=rw",
        Kind::Postgres => "application_name=yumen-hub-doctor",
    };
    Ok(pool(kind, 1, false).connect(&address.url(parameters)).await?)
}
