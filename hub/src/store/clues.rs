//! Clues: indicators that somebody should decide about, and what people say about them.

use super::commit::Both;
use super::sql::Sql;
use super::{Store, StoreError, signed, unsigned};
use crate::limits::{CLUES_LOOKED_AT, PEOPLE_PAGE, REMARKS_MAX};
use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;
use uuid::Uuid;

/// A clue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClueRow {
    /// Its id, a UUIDv7.
    pub id: String,
    /// Kind of the indicator.
    pub kind: String,
    /// Its canonical value.
    pub value: String,
    /// The practice.
    pub typology: String,
    /// `open`, `assigned`, `accepted`, `rejected` or `merged`.
    pub state: String,
    /// `seen`, `report`, `import` or `manual`.
    pub source: String,
    /// The feed, the institution or the person that it is from.
    pub origin: String,
    /// Who looks at it; empty for nobody.
    pub assignee: String,
    /// The clue that it was merged into; empty otherwise.
    pub merged: String,
    /// `indicator` or `rule`, where it was accepted; empty otherwise.
    pub outcome: String,
    /// How sure whoever brought it is, 0 to 100.
    pub confidence: u64,
    /// Different members that saw it.
    pub members: u64,
    /// Sightings.
    pub hits: u64,
    /// The last of them, in milliseconds since the Unix epoch; 0 where there is none.
    pub last_ms: u64,
    /// Its place in the queue: [`crate::clues::harm`].
    pub harm: u64,
    /// When it was opened, in milliseconds since the Unix epoch.
    pub opened_ms: u64,
    /// When somebody last did something about it, likewise.
    pub changed_ms: u64,
}

/// Which clues are asked for; `None` for any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClueFilter {
    /// By state; without one those that wait for a decision.
    pub state: Option<String>,
    /// By typology.
    pub typology: Option<String>,
    /// By what brought it.
    pub source: Option<String>,
    /// By who looks at it.
    pub assignee: Option<String>,
    /// Of exactly this value.
    pub value: Option<String>,
}

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Who.
    pub author: String,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// What.
    pub text: String,
}

const COLUMNS: &str = "SELECT c.id, c.kind, c.value, c.typology, c.state, c.source, c.origin, c.assignee, c.merged, \
     c.outcome, c.confidence, c.members, c.hits, c.last_ms, c.harm, c.opened_ms, c.changed_ms FROM clue c ";

/// What is known of an indicator, over all typologies.
const KNOWN: &str = "SELECT c.id, c.kind, c.value, c.typology, c.state, c.source, c.origin, c.assignee, c.merged, \
     c.outcome, c.confidence, c.harm, c.opened_ms, c.changed_ms, \
     CAST(COALESCE(MAX(k.members), 0) AS BIGINT) AS members, CAST(COALESCE(SUM(k.hits), 0) AS BIGINT) AS hits, \
     CAST(COALESCE(MAX(k.last_ms), 0) AS BIGINT) AS last_ms FROM clue c \
     LEFT JOIN known k ON k.kind = c.kind AND k.value = c.value ";

const GROUPED: &str = " GROUP BY c.id, c.kind, c.value, c.typology, c.state, c.source, c.origin, c.assignee, c.merged, \
     c.outcome, c.confidence, c.harm, c.opened_ms, c.changed_ms";

const INSERT: Both = Both {
    sqlite: "INSERT INTO clue (id, kind, value, typology, state, active, source, origin, assignee, merged, outcome, \
             confidence, members, hits, last_ms, harm, opened_ms, changed_ms) \
             SELECT j.value->>'id', j.value->>'kind', j.value->>'value', j.value->>'typology', 'open', 1, \
             j.value->>'source', j.value->>'origin', '', '', '', j.value->>'confidence', j.value->>'members', \
             j.value->>'hits', j.value->>'last_ms', j.value->>'harm', j.value->>'opened_ms', j.value->>'changed_ms' \
             FROM json_each($1) j WHERE true ON CONFLICT (kind, value) DO NOTHING RETURNING id",
    postgres: "INSERT INTO clue (id, kind, value, typology, state, active, source, origin, assignee, merged, outcome, \
               confidence, members, hits, last_ms, harm, opened_ms, changed_ms) \
               SELECT id, kind, value, typology, 'open', 1, source, origin, '', '', '', confidence, members, hits, \
               last_ms, harm, opened_ms, changed_ms FROM json_to_recordset($1::json) \
               AS r(id text, kind text, value text, typology text, source text, origin text, confidence bigint, \
               members bigint, hits bigint, last_ms bigint, harm bigint, opened_ms bigint, changed_ms bigint) \
               ON CONFLICT (kind, value) DO NOTHING RETURNING id",
};

const REFRESH: Both = Both {
    sqlite: "UPDATE clue SET members = j.value->>'members', hits = j.value->>'hits', last_ms = j.value->>'last_ms', \
             harm = j.value->>'harm' FROM json_each($1) j WHERE clue.id = j.value->>'id'",
    postgres: "UPDATE clue SET members = r.members, hits = r.hits, last_ms = r.last_ms, harm = r.harm \
               FROM json_to_recordset($1::json) \
               AS r(id text, members bigint, hits bigint, last_ms bigint, harm bigint) WHERE clue.id = r.id",
};

impl Store {
    /// Adds clues, all or nothing; one whose indicator has a clue already is left as it is. Gives the ids that are new.
    ///
    /// # Errors
    /// Nothing was added.
    pub async fn add_clues(&self, clues: &[ClueRow]) -> Result<Vec<String>, StoreError> {
        let mut transaction = self.begin().await?;
        let rows = sqlx::query(INSERT.of(self.kind))
            .bind(serde_json::to_string(clues)?)
            .fetch_all(&mut *transaction)
            .await?;
        transaction.commit().await?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
    }

    /// A page of clues: those that wait by harm, the others by when they were decided.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clues(&self, filter: &ClueFilter, page: u32) -> Result<Vec<ClueRow>, StoreError> {
        let mut query = Sql::new(COLUMNS);
        match &filter.state {
            Some(state) => query.push("WHERE c.state = ").text(state.clone()),
            None => query.push("WHERE c.active = 1"),
        };
        for (column, value) in [
            (" AND c.typology = ", &filter.typology),
            (" AND c.source = ", &filter.source),
            (" AND c.assignee = ", &filter.assignee),
            (" AND c.value = ", &filter.value),
        ] {
            if let Some(value) = value {
                query.push(column).text(value.clone());
            }
        }
        let closed = matches!(filter.state.as_deref(), Some("accepted" | "rejected" | "merged"));
        query.push(if closed { " ORDER BY c.changed_ms DESC, c.id" } else { " ORDER BY c.harm DESC, c.id" });
        // One more than shown tells whether there is a next page.
        query.push(" LIMIT ").number(i64::from(PEOPLE_PAGE) + 1);
        query.push(" OFFSET ").number(i64::from(page) * i64::from(PEOPLE_PAGE));
        query.build().fetch_all(&self.readers).await?.iter().map(clue).collect()
    }

    /// One clue.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clue(&self, id: &str) -> Result<Option<ClueRow>, StoreError> {
        let mut query = Sql::new(COLUMNS);
        query.push("WHERE c.id = ").text(id);
        query.build().fetch_optional(&self.readers).await?.as_ref().map(clue).transpose()
    }

    /// The clue of an indicator.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clue_of(&self, kind: &str, value: &str) -> Result<Option<ClueRow>, StoreError> {
        let mut query = Sql::new(COLUMNS);
        query.push("WHERE c.kind = ").text(kind).push(" AND c.value = ").text(value);
        query.build().fetch_optional(&self.readers).await?.as_ref().map(clue).transpose()
    }

    /// Those that were merged into a clue.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn merged_into(&self, id: &str) -> Result<Vec<ClueRow>, StoreError> {
        let mut query = Sql::new(COLUMNS);
        query.push("WHERE c.merged = ").text(id).push(" ORDER BY c.id LIMIT ").number(i64::from(PEOPLE_PAGE));
        query.build().fetch_all(&self.readers).await?.iter().map(clue).collect()
    }

    /// How many wait for a decision.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clues_waiting(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS count FROM clue WHERE active = 1");
        Ok(unsigned(row.fetch_one(&self.readers).await?.try_get("count")?))
    }

    /// Changes a clue that is still as it was read; false where somebody else was first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_clue(&self, before: &ClueRow, after: &ClueRow) -> Result<bool, StoreError> {
        let active = i64::from(matches!(&after.state[..], "open" | "assigned"));
        let changed = sqlx::query(
            "UPDATE clue SET typology = $1, state = $2, active = $3, assignee = $4, merged = $5, outcome = $6, \
             changed_ms = $7, harm = $8 WHERE id = $9 AND state = $10 AND changed_ms = $11",
        )
        .bind(&after.typology)
        .bind(&after.state)
        .bind(active)
        .bind(&after.assignee)
        .bind(&after.merged)
        .bind(&after.outcome)
        .bind(signed(after.changed_ms))
        .bind(signed(after.harm))
        .bind(&before.id)
        .bind(&before.state)
        .bind(signed(before.changed_ms))
        .execute(&self.writer)
        .await?;
        Ok(changed.rows_affected() == 1)
    }

    /// What was merged into one clue is merged into another.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn repoint_clues(&self, from: &str, to: &str) -> Result<(), StoreError> {
        let query = sqlx::query("UPDATE clue SET merged = $1 WHERE merged = $2").bind(to).bind(from);
        query.execute(&self.writer).await?;
        Ok(())
    }

    /// Indicators that members saw within a time, that nobody shares, and that have no clue; most members first. Only the
    /// first `limit` are looked for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn without_clue(&self, since_ms: u64, limit: u32) -> Result<Vec<super::Observed>, StoreError> {
        let rows = sqlx::query(
            "SELECT k.kind, k.value, k.typology, k.members, k.hits, k.last_ms, s.state, \
             (SELECT COUNT(*) FROM dispute d WHERE d.kind = k.kind AND d.value = k.value) AS disputes FROM known k \
             LEFT JOIN shared s ON s.kind = k.kind AND s.value = k.value \
             LEFT JOIN clue c ON c.kind = k.kind AND c.value = k.value \
             WHERE k.members >= 1 AND k.last_ms >= $1 AND c.id IS NULL AND (s.state IS NULL OR s.state = 'expired') \
             ORDER BY k.members DESC, k.last_ms DESC LIMIT $2",
        )
        .bind(signed(since_ms))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(super::indicators::observed).collect()
    }

    /// Waiting clues with what is known of them now: the first of the queue, and all whose indicator was seen since an
    /// instant.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clues_now(&self, since_ms: u64) -> Result<Vec<ClueRow>, StoreError> {
        let mut first = Sql::new(KNOWN);
        first.push("WHERE c.id IN (SELECT id FROM clue WHERE active = 1 ORDER BY harm DESC, id LIMIT ");
        first.number(i64::from(CLUES_LOOKED_AT)).push(")").push(GROUPED);
        let mut seen = Sql::new(KNOWN);
        seen.push("WHERE c.active = 1 AND c.id IN (SELECT n.id FROM known r JOIN clue n ON n.kind = r.kind AND n.value = r.value ");
        seen.push("WHERE r.last_ms >= ").number(signed(since_ms)).push(" LIMIT ");
        seen.number(i64::from(CLUES_LOOKED_AT)).push(")").push(GROUPED);
        let mut rows = first.build().fetch_all(&self.readers).await?;
        rows.extend(seen.build().fetch_all(&self.readers).await?);
        rows.iter().map(clue).collect()
    }

    /// Writes down what is known of clues now.
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn refresh_clues(&self, clues: &[ClueRow]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(REFRESH.of(self.kind))
            .bind(serde_json::to_string(clues)?)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Keeps what somebody said about a clue or an appeal.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_remark(&self, subject: &str, remark: &Remark) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO remark (id, subject, author, at_ms, text) VALUES ($1, $2, $3, $4, $5)")
            .bind(Uuid::now_v7().to_string())
            .bind(subject)
            .bind(&remark.author)
            .bind(signed(remark.at_ms))
            .bind(&remark.text)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// What was said about a clue or an appeal, in order; the last so many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remarks(&self, subject: &str) -> Result<Vec<Remark>, StoreError> {
        let query = sqlx::query(
            "SELECT author, at_ms, text FROM remark WHERE subject = $1 ORDER BY id DESC LIMIT $2",
        );
        let rows = query.bind(subject).bind(i64::from(REMARKS_MAX)).fetch_all(&self.readers).await?;
        let remark = |row: &AnyRow| -> Result<_, StoreError> {
            let (author, text) = (row.try_get("author")?, row.try_get("text")?);
            Ok(Remark { author, at_ms: unsigned(row.try_get("at_ms")?), text })
        };
        rows.iter().rev().map(remark).collect()
    }
}

fn clue(row: &AnyRow) -> Result<ClueRow, StoreError> {
    Ok(ClueRow {
        id: row.try_get("id")?,
        kind: row.try_get("kind")?,
        value: row.try_get("value")?,
        typology: row.try_get("typology")?,
        state: row.try_get("state")?,
        source: row.try_get("source")?,
        origin: row.try_get("origin")?,
        assignee: row.try_get("assignee")?,
        merged: row.try_get("merged")?,
        outcome: row.try_get("outcome")?,
        confidence: unsigned(row.try_get("confidence")?),
        members: unsigned(row.try_get("members")?),
        hits: unsigned(row.try_get("hits")?),
        last_ms: unsigned(row.try_get("last_ms")?),
        harm: unsigned(row.try_get("harm")?),
        opened_ms: unsigned(row.try_get("opened_ms")?),
        changed_ms: unsigned(row.try_get("changed_ms")?),
    })
}
