//! The audit log: rows are only added, and each one's hash covers the one before it.

use super::{Kind, Store, StoreError, signed, unsigned};
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its number, from 1.
    pub seq: u64,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Who did it.
    pub actor: String,
    /// What was done: a word.
    pub action: String,
    /// To whom or what.
    pub subject: String,
    /// More of it.
    pub detail: String,
    /// In hexadecimal.
    pub hash: String,
}

/// One addition at a time over all hubs; given back with the transaction.
const TURN: &str = "SELECT pg_advisory_xact_lock(7956013)";

const COLUMNS: &str = "seq, at_ms, actor, action, subject, detail, hash";

impl Store {
    /// Adds a row behind the last one: `make` gets that, if there is one, and gives the new one.
    ///
    /// # Errors
    /// Nothing was added.
    pub async fn add_audit(
        &self,
        make: impl FnOnce(Option<&AuditRow>) -> AuditRow + Send,
    ) -> Result<AuditRow, StoreError> {
        let mut transaction = self.begin().await?;
        if self.kind == Kind::Postgres {
            sqlx::query(TURN).execute(&mut *transaction).await?;
        }
        let last = format!("SELECT {COLUMNS} FROM audit ORDER BY seq DESC LIMIT 1");
        let last = sqlx::query(sqlx::AssertSqlSafe(last)).fetch_optional(&mut *transaction).await?;
        let last = last.as_ref().map(row).transpose()?;
        let new = make(last.as_ref());
        sqlx::query(
            "INSERT INTO audit (seq, at_ms, actor, action, subject, detail, hash) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(signed(new.seq))
        .bind(signed(new.at_ms))
        .bind(&new.actor)
        .bind(&new.action)
        .bind(&new.subject)
        .bind(&new.detail)
        .bind(&new.hash)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(new)
    }

    /// Rows behind a number, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_after(&self, seq: u64, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(signed(seq)).bind(i64::from(limit));
        query.fetch_all(&self.readers).await?.iter().map(row).collect()
    }

    /// Rows before a number, the last first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_before(&self, seq: u64, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM audit WHERE seq < $1 ORDER BY seq DESC LIMIT $2");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(signed(seq)).bind(i64::from(limit));
        query.fetch_all(&self.readers).await?.iter().map(row).collect()
    }
}

fn row(row: &AnyRow) -> Result<AuditRow, StoreError> {
    Ok(AuditRow {
        seq: unsigned(row.try_get("seq")?),
        at_ms: unsigned(row.try_get("at_ms")?),
        actor: row.try_get("actor")?,
        action: row.try_get("action")?,
        subject: row.try_get("subject")?,
        detail: row.try_get("detail")?,
        hash: row.try_get("hash")?,
    })
}
