//! Packs that were published.

use super::indicators::{REVISION, give_out};
use super::{Store, StoreError, signed, unsigned};
use crate::limits::PACKS_KEPT;
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// A published pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackRow {
    /// The channel.
    pub channel: String,
    /// Its serial.
    pub serial: u64,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// Digest of its rules.
    pub base: String,
    /// Whether a rollback took it away.
    pub withdrawn: bool,
    /// So many of 10,000 agents take it.
    pub share: u16,
    /// Its length in bytes.
    pub length: u64,
}

impl Store {
    /// Keeps a pack, and lets the oldest of its channel go.
    ///
    /// # Errors
    /// Nothing was changed.
    pub async fn keep_pack(&self, pack: &PackRow, bytes: &[u8]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO pack (channel, serial, created_ms, base, state, share, bytes) \
             VALUES ($1, $2, $3, $4, 'offered', $5, $6)",
        )
        .bind(&pack.channel)
        .bind(signed(pack.serial))
        .bind(signed(pack.created_ms))
        .bind(&pack.base)
        .bind(i64::from(pack.share))
        .bind(bytes.to_vec())
        .execute(&mut *transaction)
        .await?;
        // The last one with other rules stays, however many with new lists came since: it is what a rollback goes to.
        sqlx::query(
            "DELETE FROM pack WHERE channel = $1 AND serial NOT IN \
             (SELECT serial FROM pack WHERE channel = $1 ORDER BY serial DESC LIMIT $2) AND serial NOT IN \
             (SELECT MAX(serial) FROM pack WHERE channel = $1 GROUP BY base)",
        )
        .bind(&pack.channel)
        .bind(PACKS_KEPT)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The kept packs of a channel, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn packs(&self, channel: &str) -> Result<Vec<PackRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT channel, serial, created_ms, base, state, share, CAST(LENGTH(bytes) AS BIGINT) AS length FROM pack \
             WHERE channel = $1 ORDER BY serial DESC",
        )
        .bind(channel)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(pack).collect()
    }

    /// The bytes of a pack.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn pack_bytes(&self, channel: &str, serial: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let row = sqlx::query("SELECT bytes FROM pack WHERE channel = $1 AND serial = $2")
            .bind(channel)
            .bind(signed(serial))
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| Ok(row.try_get("bytes")?)).transpose()
    }

    /// Sets how many of 10,000 agents take a pack.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_share(&self, channel: &str, serial: u64, share: u16) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE pack SET share = $3 WHERE channel = $1 AND serial = $2")
            .bind(channel)
            .bind(signed(serial))
            .bind(i64::from(share))
            .execute(&mut *transaction)
            .await?;
        give_out(&mut transaction, REVISION, 1).await?;
        self.tell(&mut transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Marks every pack of a channel with these rules as taken away.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn withdraw_base(&self, channel: &str, base: &str) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE pack SET state = 'withdrawn' WHERE channel = $1 AND base = $2")
            .bind(channel)
            .bind(base)
            .execute(&mut *transaction)
            .await?;
        give_out(&mut transaction, REVISION, 1).await?;
        self.tell(&mut transaction).await?;
        transaction.commit().await?;
        Ok(())
    }
}

fn pack(row: &AnyRow) -> Result<PackRow, StoreError> {
    Ok(PackRow {
        channel: row.try_get("channel")?,
        serial: unsigned(row.try_get("serial")?),
        created_ms: unsigned(row.try_get("created_ms")?),
        base: row.try_get("base")?,
        withdrawn: row.try_get::<&str, _>("state")? == "withdrawn",
        share: u16::try_from(row.try_get::<i64, _>("share")?).unwrap_or(0),
        length: unsigned(row.try_get("length")?),
    })
}
