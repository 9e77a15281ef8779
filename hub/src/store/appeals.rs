//! Appeals, and what they say against indicators.

use super::sql::Sql;
use super::{Store, StoreError, signed, unsigned};
use crate::limits::PEOPLE_PAGE;
use crate::store::Row;
use sqlx::Row as _;
use sqlx::any::AnyRow;
use uuid::Uuid;
use yumen_exchange::sighting::Sighting;

/// Somebody says that they were blocked by mistake.
#[derive(Clone, Debug, PartialEq)]
pub struct AppealRow {
    /// Its id, a UUIDv7.
    pub id: String,
    /// The sighting that it is about.
    pub sighting: String,
    /// The institution that blocked.
    pub member: String,
    /// Its agent.
    pub agent: String,
    /// The blocked sender as `kind:value`; empty where none is known.
    pub about: String,
    /// The practice.
    pub typology: String,
    /// When it was judged, in milliseconds since the Unix epoch.
    pub judged_ms: u64,
    /// What was seen.
    pub data: Sighting,
    /// `sender`, `recipient` or `member`: who appeals.
    pub side: String,
    /// In their words.
    pub statement: String,
    /// `open`, `upheld` or `rejected`.
    pub state: String,
    /// Earlier appeals of the same sender that were found in bad faith.
    pub standing: u64,
    /// Whether this one was.
    pub bad_faith: bool,
    /// What they are told.
    pub answer: String,
    /// Who answered.
    pub answered_by: String,
    /// When it came, in milliseconds since the Unix epoch.
    pub opened_ms: u64,
    /// Until when it is to be answered.
    pub due_ms: u64,
    /// When it was found to be overdue; 0 while it isn't.
    pub escalated_ms: u64,
    /// When it was answered; 0 while it isn't.
    pub closed_ms: u64,
}

/// How the queue is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AppealCounts {
    /// Appeals that wait.
    pub open: u64,
    /// Of these, those that waited too long.
    pub overdue: u64,
}

const COLUMNS: &str = "SELECT id, sighting, member, agent, about, typology, judged_ms, data, side, statement, state, \
     standing, bad_faith, answer, answered_by, opened_ms, due_ms, escalated_ms, closed_ms FROM appeal ";

impl Store {
    /// The decision that an appeal id names: a sighting's own id, or what the agent's decision interface gave out for it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn appealed(&self, id: Uuid) -> Result<Option<Row>, StoreError> {
        if let Some(row) = self.sighting(id).await? {
            return Ok(Some(row));
        }
        let named = sqlx::query("SELECT sighting FROM mention WHERE value = $1 LIMIT 1");
        let named = named.bind(mention(&id.simple().to_string())).fetch_optional(&self.readers).await?;
        match named {
            Some(row) => self.sighting(super::id(row.try_get("sighting")?)?).await,
            None => Ok(None),
        }
    }

    /// Keeps an appeal, unless the sighting has one that is open, or so many already; false then.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_appeal(&self, appeal: &AppealRow, most: u64) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        if self.kind == super::Kind::Postgres {
            // Two at once would both find none.
            let lock = sqlx::query("SELECT pg_advisory_xact_lock(7956014)");
            lock.execute(&mut *transaction).await?;
        }
        let before = sqlx::query(
            "SELECT CAST(COUNT(*) AS BIGINT) AS count, \
             CAST(COALESCE(SUM(CASE WHEN state = 'open' THEN 1 ELSE 0 END), 0) AS BIGINT) AS open \
             FROM appeal WHERE sighting = $1",
        );
        let before = before.bind(&appeal.sighting).fetch_one(&mut *transaction).await?;
        if unsigned(before.try_get("count")?) >= most || before.try_get::<i64, _>("open")? > 0 {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO appeal (id, sighting, member, agent, about, typology, judged_ms, data, side, statement, state, \
             standing, bad_faith, answer, answered_by, opened_ms, due_ms, escalated_ms, closed_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open', $11, 0, '', '', $12, $13, 0, 0)",
        )
        .bind(&appeal.id)
        .bind(&appeal.sighting)
        .bind(&appeal.member)
        .bind(&appeal.agent)
        .bind(&appeal.about)
        .bind(&appeal.typology)
        .bind(signed(appeal.judged_ms))
        .bind(serde_json::to_string(&appeal.data)?)
        .bind(&appeal.side)
        .bind(&appeal.statement)
        .bind(signed(appeal.standing))
        .bind(signed(appeal.opened_ms))
        .bind(signed(appeal.due_ms))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Appeals about a sender that were found in bad faith since an instant.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bad_faith(&self, about: &str, since_ms: u64) -> Result<u64, StoreError> {
        let query = sqlx::query(
            "SELECT COUNT(*) AS count FROM appeal WHERE about = $1 AND bad_faith = 1 AND closed_ms >= $2",
        );
        let row = query.bind(about).bind(signed(since_ms)).fetch_one(&self.readers).await?;
        Ok(unsigned(row.try_get("count")?))
    }

    /// A page of appeals: open ones in the order in which they are to be answered, the others the last first; of one
    /// institution, or of all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn appeals(
        &self,
        member: Option<&str>,
        open: bool,
        page: u32,
    ) -> Result<Vec<AppealRow>, StoreError> {
        let mut query = Sql::new(COLUMNS);
        query.push(if open { "WHERE state = 'open'" } else { "WHERE closed_ms > 0" });
        if let Some(member) = member {
            query.push(" AND member = ").text(member);
        }
        query.push(if open { " ORDER BY standing, due_ms, id" } else { " ORDER BY closed_ms DESC, id" });
        query.push(" LIMIT ").number(i64::from(PEOPLE_PAGE) + 1);
        query.push(" OFFSET ").number(i64::from(page) * i64::from(PEOPLE_PAGE));
        query.build().fetch_all(&self.readers).await?.iter().map(appeal).collect()
    }

    /// One appeal.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn appeal(&self, id: &str) -> Result<Option<AppealRow>, StoreError> {
        let mut query = Sql::new(COLUMNS);
        query.push("WHERE id = ").text(id);
        query.build().fetch_optional(&self.readers).await?.as_ref().map(appeal).transpose()
    }

    /// The appeals of a sighting, the last first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn appeals_of(&self, sighting: &str) -> Result<Vec<AppealRow>, StoreError> {
        let mut query = Sql::new(COLUMNS);
        query.push("WHERE sighting = ").text(sighting).push(" ORDER BY id DESC LIMIT ");
        query.number(i64::from(PEOPLE_PAGE));
        query.build().fetch_all(&self.readers).await?.iter().map(appeal).collect()
    }

    /// Answers an appeal that is open; false where somebody else has. What an upheld one is about is disputed from then
    /// on: `disputed` as kind and value.
    ///
    /// # Errors
    /// Nothing was changed.
    pub async fn answer_appeal(
        &self,
        appeal: &AppealRow,
        disputed: &[(String, String)],
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let answered = sqlx::query(
            "UPDATE appeal SET state = $1, bad_faith = $2, answer = $3, answered_by = $4, closed_ms = $5 \
             WHERE id = $6 AND state = 'open'",
        )
        .bind(&appeal.state)
        .bind(i64::from(appeal.bad_faith))
        .bind(&appeal.answer)
        .bind(&appeal.answered_by)
        .bind(signed(appeal.closed_ms))
        .bind(&appeal.id)
        .execute(&mut *transaction)
        .await?;
        if answered.rows_affected() != 1 {
            return Ok(false);
        }
        for (kind, value) in disputed {
            sqlx::query(
                "INSERT INTO dispute (kind, value, appeal, at_ms) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (kind, value, appeal) DO NOTHING",
            )
            .bind(kind)
            .bind(value)
            .bind(&appeal.id)
            .bind(signed(appeal.closed_ms))
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// Marks open appeals that are overdue; gives those that weren't marked yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn escalate(&self, now_ms: u64) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(
            "UPDATE appeal SET escalated_ms = $1 WHERE state = 'open' AND due_ms < $1 AND escalated_ms = 0 \
             RETURNING id",
        )
        .bind(signed(now_ms))
        .fetch_all(&self.writer)
        .await?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
    }

    /// How many appeals wait, of one institution or of all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn appeal_counts(&self, member: Option<&str>, now_ms: u64) -> Result<AppealCounts, StoreError> {
        let mut query = Sql::new("SELECT COUNT(*) AS open, CAST(COALESCE(SUM(CASE WHEN due_ms < ");
        query.number(signed(now_ms));
        query.push(" THEN 1 ELSE 0 END), 0) AS BIGINT) AS overdue FROM appeal WHERE state = 'open'");
        if let Some(member) = member {
            query.push(" AND member = ").text(member);
        }
        let row = query.build().fetch_one(&self.readers).await?;
        Ok(AppealCounts { open: unsigned(row.try_get("open")?), overdue: unsigned(row.try_get("overdue")?) })
    }

    /// Upheld appeals against an indicator since an instant.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn disputes(&self, kind: &str, value: &str, since_ms: u64) -> Result<u64, StoreError> {
        let query = sqlx::query(
            "SELECT COUNT(*) AS count FROM dispute WHERE kind = $1 AND value = $2 AND at_ms >= $3",
        );
        let row = query.bind(kind).bind(value).bind(signed(since_ms)).fetch_one(&self.readers).await?;
        Ok(unsigned(row.try_get("count")?))
    }
}

/// How an appeal id of the decision interface stands among the values that sightings name.
pub(super) fn mention(appeal: &str) -> String {
    format!("appeal {appeal}")
}

fn appeal(row: &AnyRow) -> Result<AppealRow, StoreError> {
    Ok(AppealRow {
        id: row.try_get("id")?,
        sighting: row.try_get("sighting")?,
        member: row.try_get("member")?,
        agent: row.try_get("agent")?,
        about: row.try_get("about")?,
        typology: row.try_get("typology")?,
        judged_ms: unsigned(row.try_get("judged_ms")?),
        data: serde_json::from_str(row.try_get("data")?)?,
        side: row.try_get("side")?,
        statement: row.try_get("statement")?,
        state: row.try_get("state")?,
        standing: unsigned(row.try_get("standing")?),
        bad_faith: row.try_get::<i64, _>("bad_faith")? == 1,
        answer: row.try_get("answer")?,
        answered_by: row.try_get("answered_by")?,
        opened_ms: unsigned(row.try_get("opened_ms")?),
        due_ms: unsigned(row.try_get("due_ms")?),
        escalated_ms: unsigned(row.try_get("escalated_ms")?),
        closed_ms: unsigned(row.try_get("closed_ms")?),
    })
}
