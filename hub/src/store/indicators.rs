//! What is known of indicators across members.

use super::commit::{Both, TELL};
use super::{Kind, Store, StoreError, signed, unsigned};
use crate::limits::{CANDIDATES_MAX, OBSERVED_MAX, SHARED_MAX};
use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

/// A rule of this name, in any typology, stops what is in the shared list.
pub const SHARED_RULE: &str = "shared";

/// An indicator of one typology, added up over members and days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// Its kind.
    pub kind: String,
    /// Its canonical value.
    pub value: String,
    /// The practice.
    pub typology: String,
    /// Different members that saw it within the lifetime before the last time.
    pub members: u64,
    /// Sightings, all of them.
    pub hits: u64,
    /// The last of them, by the hub's clock, in milliseconds since the Unix epoch.
    pub last_ms: u64,
    /// `enforced`, `expired`, `retracted`; none while it was never shared.
    pub state: Option<String>,
    /// Appeals that were upheld against it.
    pub disputes: u64,
}

/// A shared indicator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SharedRow {
    /// Its kind.
    pub kind: String,
    /// Its canonical value.
    pub value: String,
    /// The practice.
    pub typology: String,
}

impl Store {
    /// Indicators that were seen since an instant, most members first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn observed(&self, since_ms: u64) -> Result<Vec<Observed>, StoreError> {
        let rows = sqlx::query(
            "SELECT k.kind, k.value, k.typology, k.members, k.hits, k.last_ms, s.state, (SELECT COUNT(*) FROM dispute d \
             WHERE d.kind = k.kind AND d.value = k.value) AS disputes FROM known k \
             LEFT JOIN shared s ON s.kind = k.kind AND s.value = k.value \
             WHERE k.last_ms >= $1 ORDER BY k.members DESC, k.last_ms DESC LIMIT $2",
        )
        .bind(signed(since_ms))
        .bind(i64::from(OBSERVED_MAX))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(observed).collect()
    }

    /// Enforced indicators, when each was last seen with evidence (one that an analyst promoted counts from then), and how
    /// many appeals were upheld against it since it was promoted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn enforced(&self) -> Result<Vec<(SharedRow, u64, u64)>, StoreError> {
        let rows = sqlx::query(
            "SELECT s.kind, s.value, s.typology, s.changed_ms, COALESCE((SELECT MAX(k.last_ms) FROM known k \
             WHERE k.kind = s.kind AND k.value = s.value), 0) AS last_ms, (SELECT COUNT(*) FROM dispute d \
             WHERE d.kind = s.kind AND d.value = s.value AND d.at_ms > s.changed_ms) AS disputes \
             FROM shared s WHERE s.state = 'enforced' ORDER BY s.kind, s.value LIMIT $1",
        )
        .bind(i64::from(SHARED_MAX))
        .fetch_all(&self.readers)
        .await?;
        let shared = |row: &AnyRow| -> Result<_, StoreError> {
            let (kind, value) = (row.try_get("kind")?, row.try_get("value")?);
            let shared = SharedRow { kind, value, typology: row.try_get("typology")? };
            let (changed, last): (i64, i64) = (row.try_get("changed_ms")?, row.try_get("last_ms")?);
            Ok((shared, unsigned(changed.max(last)), unsigned(row.try_get("disputes")?)))
        };
        rows.iter().map(shared).collect()
    }

    /// Indicators that at least so many members saw, that were seen since an instant, and that are neither enforced nor
    /// retracted; all of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn candidates(&self, members_min: u64, since_ms: u64) -> Result<Vec<Observed>, StoreError> {
        let mut all = Vec::new();
        loop {
            let rows = sqlx::query(
                "SELECT k.kind, k.value, k.typology, k.members, k.hits, k.last_ms, s.state, \
                 (SELECT COUNT(*) FROM dispute d WHERE d.kind = k.kind AND d.value = k.value) AS disputes FROM known k \
                 LEFT JOIN shared s ON s.kind = k.kind AND s.value = k.value \
                 WHERE k.members >= $1 AND k.last_ms >= $2 AND (s.state IS NULL OR s.state = 'expired') \
                 ORDER BY k.kind, k.value, k.typology LIMIT $3 OFFSET $4",
            )
            .bind(signed(members_min))
            .bind(signed(since_ms))
            .bind(i64::from(OBSERVED_MAX))
            .bind(i64::try_from(all.len()).unwrap_or(i64::MAX))
            .fetch_all(&self.readers)
            .await?;
            for row in &rows {
                all.push(observed(row)?);
            }
            if rows.len() < usize::try_from(OBSERVED_MAX).unwrap_or(usize::MAX) || all.len() >= CANDIDATES_MAX
            {
                return Ok(all);
            }
        }
    }

    /// Sets the state of indicators; an empty typology leaves the one that is there.
    ///
    /// # Errors
    /// Nothing was changed.
    pub async fn share(&self, shared: &[SharedRow], state: &str, now_ms: u64) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(SHARE.of(self.kind))
            .bind(serde_json::to_string(shared)?)
            .bind(state)
            .bind(signed(now_ms))
            .execute(&mut *transaction)
            .await?;
        give_out(&mut transaction, REVISION, 1).await?;
        self.tell(&mut transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Rises with every change of what is shared or retracted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revision(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT number FROM given_out WHERE name = $1").bind(REVISION);
        let row = row.fetch_optional(&self.readers).await?;
        row.map_or(Ok(0), |row| Ok(unsigned(row.try_get("number")?)))
    }

    /// Wakes the other hubs once the transaction is committed.
    pub(super) async fn tell(&self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        if self.kind == Kind::Postgres {
            sqlx::query(TELL).execute(connection).await?;
        }
        Ok(())
    }

    /// Takes a rule back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn retract_rule(&self, id: &str, now_ms: u64) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO retracted_rule (id, changed_ms) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
        )
        .bind(id)
        .bind(signed(now_ms))
        .execute(&mut *transaction)
        .await?;
        give_out(&mut transaction, REVISION, 1).await?;
        self.tell(&mut transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Rules, and indicators as `kind:value`, that are taken back; the newest `limit` of each.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn retracted(&self, limit: u32) -> Result<(Vec<String>, Vec<String>), StoreError> {
        let rules = "SELECT id AS entry FROM retracted_rule ORDER BY changed_ms DESC, id LIMIT $1";
        let indicators = "SELECT kind || ':' || value AS entry FROM shared WHERE state = 'retracted' \
                          ORDER BY changed_ms DESC, kind, value LIMIT $1";
        let mut lists = [Vec::new(), Vec::new()];
        for (list, sql) in lists.iter_mut().zip([rules, indicators]) {
            let rows = sqlx::query(sql).bind(i64::from(limit)).fetch_all(&self.readers).await?;
            *list = rows.iter().map(|row| row.try_get("entry")).collect::<Result<_, _>>()?;
        }
        Ok(lists.into())
    }

    /// Gives out a number that is at least `floor` and larger than any given out under this name before.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was given out.
    pub async fn give_out(&self, name: &str, floor: u64) -> Result<u64, StoreError> {
        give_out(&mut *self.writer.acquire().await?, name, floor).await
    }
}

/// What [`Store::revision`] counts under.
pub(super) const REVISION: &str = "revision";

const SHARE: Both = Both {
    sqlite: "INSERT INTO shared (kind, value, typology, state, changed_ms, created_ms) \
             SELECT j.value->>'kind', j.value->>'value', j.value->>'typology', $2, $3, $3 FROM json_each($1) j WHERE true \
             ON CONFLICT (kind, value) DO UPDATE SET state = excluded.state, changed_ms = excluded.changed_ms, \
             typology = CASE WHEN excluded.typology = '' THEN shared.typology ELSE excluded.typology END",
    postgres: "INSERT INTO shared (kind, value, typology, state, changed_ms, created_ms) \
               SELECT kind, value, typology, $2, $3, $3 FROM json_to_recordset($1::json) \
               AS r(kind text, value text, typology text) \
               ON CONFLICT (kind, value) DO UPDATE SET state = excluded.state, changed_ms = excluded.changed_ms, \
               typology = CASE WHEN excluded.typology = '' THEN shared.typology ELSE excluded.typology END",
};

pub(super) async fn give_out(
    connection: &mut AnyConnection,
    name: &str,
    floor: u64,
) -> Result<u64, StoreError> {
    let row = sqlx::query(
        "INSERT INTO given_out (name, number) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE \
         SET number = CASE WHEN excluded.number > given_out.number THEN excluded.number ELSE given_out.number + 1 END \
         RETURNING number",
    )
    .bind(name)
    .bind(signed(floor))
    .fetch_one(connection)
    .await?;
    Ok(unsigned(row.try_get("number")?))
}

pub(super) fn observed(row: &AnyRow) -> Result<Observed, StoreError> {
    Ok(Observed {
        kind: row.try_get("kind")?,
        value: row.try_get("value")?,
        typology: row.try_get("typology")?,
        members: unsigned(row.try_get("members")?),
        hits: unsigned(row.try_get("hits")?),
        last_ms: unsigned(row.try_get("last_ms")?),
        state: row.try_get("state")?,
        disputes: unsigned(row.try_get("disputes")?),
    })
}
