//! What isn't kept any longer.

use super::{Kind, Store, StoreError, signed};
use serde::Serialize;
use sqlx::Row as _;
use std::collections::HashSet;
use yumen_exchange::sighting::Sighting;

const DAY_MS: u64 = 86_400_000;
const HOUR_MS: u64 = 3_600_000;

#[derive(Serialize)]
struct Mention {
    v: String,
    s: String,
}

impl Store {
    /// Deletes at most `limit` sightings that arrived before an instant, the oldest first; gives how many went. What was
    /// added up from them stays.
    ///
    /// # Errors
    /// Nothing was deleted.
    pub async fn forget_sightings(&self, before_ms: u64, limit: u32) -> Result<u64, StoreError> {
        let oldest = "SELECT arrival, id, received_ms, data FROM sighting ORDER BY arrival LIMIT $1";
        let rows = sqlx::query(oldest).bind(i64::from(limit)).fetch_all(&self.readers).await?;
        let mut mentions = HashSet::new();
        let mut last = None;
        for row in &rows {
            if row.try_get::<i64, _>("received_ms")? >= signed(before_ms) {
                break;
            }
            last = Some(row.try_get::<i64, _>("arrival")?);
            let data: Sighting = serde_json::from_str(row.try_get("data")?)?;
            let id: &str = row.try_get("id")?;
            mentions
                .extend(data.appeal.iter().map(|appeal| (super::appeals::mention(appeal), id.to_owned())));
            mentions.extend(data.indicators.into_iter().map(|indicator| (indicator.value, id.to_owned())));
        }
        let Some(last) = last else { return Ok(0) };
        let mentions: Vec<_> = mentions.into_iter().map(|(v, s)| Mention { v, s }).collect();
        let delete = match self.kind {
            Kind::Sqlite => {
                "DELETE FROM mention WHERE (value, sighting) IN \
                 (SELECT j.value->>'v', j.value->>'s' FROM json_each($1) j)"
            }
            Kind::Postgres => {
                "DELETE FROM mention m USING json_to_recordset($1::json) AS r(v text, s text) \
                 WHERE m.value = r.v AND m.sighting = r.s"
            }
        };
        let mut transaction = self.begin().await?;
        sqlx::query(delete).bind(serde_json::to_string(&mentions)?).execute(&mut *transaction).await?;
        let gone =
            sqlx::query("DELETE FROM sighting WHERE arrival <= $1").bind(last).execute(&mut *transaction);
        let gone = gone.await?.rows_affected();
        transaction.commit().await?;
        Ok(gone)
    }

    /// Deletes what people said in appeals that were answered before an instant; that they appealed, and how it was
    /// decided, stays with the counts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_statements(&self, before_ms: u64) -> Result<(), StoreError> {
        let query =
            "UPDATE appeal SET statement = '' WHERE closed_ms > 0 AND closed_ms < $1 AND statement <> ''";
        sqlx::query(query).bind(signed(before_ms)).execute(&self.writer).await?;
        Ok(())
    }

    /// Deletes what was added up from sightings before an instant, of indicators that weren't seen since and aren't shared.
    ///
    /// # Errors
    /// Not all of it was deleted.
    pub async fn forget_counts(&self, before_ms: u64) -> Result<(), StoreError> {
        let known = "DELETE FROM known WHERE last_ms < $1 AND NOT EXISTS \
                     (SELECT 1 FROM shared s WHERE s.kind = known.kind AND s.value = known.value)";
        for (statement, before) in [
            ("DELETE FROM tally WHERE hour < $1", before_ms / HOUR_MS),
            ("DELETE FROM tally_day WHERE day < $1", before_ms / DAY_MS),
            ("DELETE FROM object_id WHERE told_ms < $1", before_ms),
            ("DELETE FROM dispute WHERE at_ms < $1", before_ms),
            ("DELETE FROM appeal WHERE closed_ms > 0 AND closed_ms < $1", before_ms),
            ("DELETE FROM clue WHERE active = 0 AND changed_ms < $1", before_ms),
            ("DELETE FROM remark WHERE at_ms < $1", before_ms),
            ("DELETE FROM observed WHERE day < $1", before_ms / DAY_MS),
            (known, before_ms),
        ] {
            sqlx::query(statement).bind(signed(before)).execute(&self.writer).await?;
        }
        Ok(())
    }
}
