//! Indicators as other platforms are given them, in the order of their last change; and what those were told.

use super::commit::Both;
use super::{Store, StoreError, signed, unsigned};
use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// An indicator that is, or was, shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedEntry {
    /// Its kind.
    pub kind: String,
    /// Its canonical value.
    pub value: String,
    /// The practice.
    pub typology: String,
    /// `enforced`, `expired` or `retracted`.
    pub state: String,
    /// When it was first shared, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// When its state last changed, likewise.
    pub changed_ms: u64,
}

/// An indicator that members saw, for one practice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownEntry {
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
    /// The first of them, by the hub's clock, in milliseconds since the Unix epoch.
    pub first_ms: u64,
    /// The last of them, likewise.
    pub last_ms: u64,
}

/// Where a page begins: the first row at or behind it. Fields that a table doesn't have are left empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The last change, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The kind.
    pub kind: String,
    /// The value.
    pub value: String,
    /// The practice.
    pub typology: String,
}

/// An id that was handed out, and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    /// The object's id.
    pub id: String,
    /// Which table: `shared` or `known`.
    pub family: String,
    /// The kind.
    pub kind: String,
    /// The value.
    pub value: String,
    /// The practice; empty for `shared`.
    pub typology: String,
}

const NAME: Both = Both {
    sqlite: "INSERT INTO object_id (id, family, kind, value, typology, told_ms) SELECT j.value->>'id', j.value->>'family', \
             j.value->>'kind', j.value->>'value', j.value->>'typology', $2 FROM json_each($1) j WHERE true \
             ON CONFLICT (id) DO NOTHING",
    postgres: "INSERT INTO object_id (id, family, kind, value, typology, told_ms) SELECT id, family, kind, value, typology, $2 \
               FROM json_to_recordset($1::json) AS r(id text, family text, kind text, value text, typology text) \
               ON CONFLICT (id) DO NOTHING",
};

const UNNAMED: Both = Both {
    sqlite: "SELECT j.value->>'id' AS id FROM json_each($1) j WHERE NOT EXISTS \
             (SELECT 1 FROM object_id o WHERE o.id = j.value->>'id')",
    postgres: "SELECT r.id FROM json_to_recordset($1::json) AS r(id text) WHERE NOT EXISTS \
               (SELECT 1 FROM object_id o WHERE o.id = r.id)",
};

impl Store {
    /// Shared indicators in the order of their last change.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn shared_from(&self, from: &Place, limit: u32) -> Result<Vec<SharedEntry>, StoreError> {
        let rows = sqlx::query(
            "SELECT kind, value, typology, state, created_ms, changed_ms FROM shared WHERE changed_ms >= $1 \
             AND (changed_ms > $1 OR (kind, value) >= ($2, $3)) ORDER BY changed_ms, kind, value LIMIT $4",
        )
        .bind(signed(from.at_ms))
        .bind(&from.kind)
        .bind(&from.value)
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(shared).collect()
    }

    /// Indicators that members saw, in the order of the last sighting.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn known_from(&self, from: &Place, limit: u32) -> Result<Vec<KnownEntry>, StoreError> {
        let rows = sqlx::query(
            "SELECT kind, value, typology, members, hits, first_ms, last_ms FROM known WHERE last_ms >= $1 \
             AND (last_ms > $1 OR (kind, value, typology) >= ($2, $3, $4)) \
             ORDER BY last_ms, kind, value, typology LIMIT $5",
        )
        .bind(signed(from.at_ms))
        .bind(&from.kind)
        .bind(&from.value)
        .bind(&from.typology)
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(known).collect()
    }

    /// One shared indicator.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn shared_entry(&self, kind: &str, value: &str) -> Result<Option<SharedEntry>, StoreError> {
        let row = sqlx::query(
            "SELECT kind, value, typology, state, created_ms, changed_ms FROM shared WHERE kind = $1 AND value = $2",
        );
        let row = row.bind(kind).bind(value).fetch_optional(&self.readers).await?;
        row.as_ref().map(shared).transpose()
    }

    /// One indicator that members saw.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn known_entry(
        &self,
        kind: &str,
        value: &str,
        typology: &str,
    ) -> Result<Option<KnownEntry>, StoreError> {
        let row = sqlx::query(
            "SELECT kind, value, typology, members, hits, first_ms, last_ms FROM known \
             WHERE kind = $1 AND value = $2 AND typology = $3",
        );
        let row = row.bind(kind).bind(value).bind(typology).fetch_optional(&self.readers).await?;
        row.as_ref().map(known).transpose()
    }

    /// Remembers what ids stand for that are being handed out: they can't be turned back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn name_objects(&self, named: &[Named], now_ms: u64) -> Result<(), StoreError> {
        let all = serde_json::to_string(named)?;
        // A reader sees most of the time that nothing is new, and the one writer is left alone.
        let new = sqlx::query(UNNAMED.of(self.kind)).bind(&all).fetch_all(&self.readers).await?;
        if new.is_empty() {
            return Ok(());
        }
        sqlx::query(NAME.of(self.kind)).bind(all).bind(signed(now_ms)).execute(&self.writer).await?;
        Ok(())
    }

    /// What an id stands for that was handed out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn named_object(&self, id: &str) -> Result<Option<Named>, StoreError> {
        let row =
            sqlx::query("SELECT id, family, kind, value, typology FROM object_id WHERE id = $1").bind(id);
        let row = row.fetch_optional(&self.readers).await?;
        row.map(|row| {
            Ok(Named {
                id: row.try_get("id")?,
                family: row.try_get("family")?,
                kind: row.try_get("kind")?,
                value: row.try_get("value")?,
                typology: row.try_get("typology")?,
            })
        })
        .transpose()
    }

    /// Keeps what came of a request to add objects, as JSON, and lets go what came of those before `since_ms`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_status(
        &self,
        (id, caller): (&str, &str),
        status: &str,
        now_ms: u64,
        since_ms: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM taxii_status WHERE at_ms < $1")
            .bind(signed(since_ms))
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT INTO taxii_status (id, caller, at_ms, data) VALUES ($1, $2, $3, $4)")
            .bind(id)
            .bind(caller)
            .bind(signed(now_ms))
            .bind(status)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// What came of a request of this caller.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn status(&self, id: &str, caller: &str) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT data FROM taxii_status WHERE id = $1 AND caller = $2");
        let row = row.bind(id).bind(caller).fetch_optional(&self.readers).await?;
        Ok(row.map(|row| row.try_get("data")).transpose()?)
    }
}

fn shared(row: &AnyRow) -> Result<SharedEntry, StoreError> {
    Ok(SharedEntry {
        kind: row.try_get("kind")?,
        value: row.try_get("value")?,
        typology: row.try_get("typology")?,
        state: row.try_get("state")?,
        created_ms: unsigned(row.try_get("created_ms")?),
        changed_ms: unsigned(row.try_get("changed_ms")?),
    })
}

fn known(row: &AnyRow) -> Result<KnownEntry, StoreError> {
    Ok(KnownEntry {
        kind: row.try_get("kind")?,
        value: row.try_get("value")?,
        typology: row.try_get("typology")?,
        members: unsigned(row.try_get("members")?),
        hits: unsigned(row.try_get("hits")?),
        first_ms: unsigned(row.try_get("first_ms")?),
        last_ms: unsigned(row.try_get("last_ms")?),
    })
}
