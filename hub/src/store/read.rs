//! What is asked of the database.

use super::{AgentRow, Filter, Row, Store, StoreError, signed, unsigned};
use crate::limits::AGENTS_MAX;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite};
use uuid::Uuid;

const COLUMNS: &str =
    "SELECT s.arrival, s.id, s.member, s.agent, s.time_ms, s.received_ms, s.data FROM sighting s ";

impl Store {
    /// Sightings, newest id first, beginning behind `before`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn page(
        &self,
        filter: &Filter,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        let mut query = select(filter);
        if let Some(before) = before {
            query.push(" AND s.id < ").push_bind(before.to_string());
        }
        query.push(" ORDER BY s.id DESC LIMIT ").push_bind(i64::from(limit));
        query.build().fetch_all(&self.readers).await?.iter().map(row).collect()
    }

    /// Sightings in the order of their arrival, beginning behind `arrival`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn arrived_after(
        &self,
        filter: &Filter,
        arrival: i64,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        let mut query = select(filter);
        query.push(" AND s.arrival > ").push_bind(arrival);
        query.push(" ORDER BY s.arrival LIMIT ").push_bind(i64::from(limit));
        query.build().fetch_all(&self.readers).await?.iter().map(row).collect()
    }

    /// The last arrival; 0 where there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn last_arrival(&self) -> Result<i64, StoreError> {
        let row = sqlx::query("SELECT COALESCE(MAX(arrival), 0) AS last FROM sighting")
            .fetch_one(&self.readers)
            .await?;
        Ok(row.try_get("last")?)
    }

    /// One sighting.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sighting(&self, id: Uuid) -> Result<Option<Row>, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new(COLUMNS);
        query.push("WHERE s.id = ").push_bind(id.to_string());
        query.build().fetch_optional(&self.readers).await?.as_ref().map(row).transpose()
    }

    /// How many sightings there are.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS count FROM sighting").fetch_one(&self.readers).await?;
        Ok(unsigned(row.try_get("count")?))
    }

    /// Sightings judged since an instant (milliseconds since the Unix epoch), by typology, most first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn typologies_since(&self, since_ms: u64) -> Result<Vec<(String, u64)>, StoreError> {
        let rows = sqlx::query(
            "SELECT typology, COUNT(*) AS count FROM sighting WHERE time_ms >= ? GROUP BY typology ORDER BY count DESC",
        )
        .bind(signed(since_ms))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| Ok((row.try_get("typology")?, unsigned(row.try_get("count")?)))).collect()
    }

    /// Agents by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn agents(&self) -> Result<Vec<AgentRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT member, agent, received_ms, status FROM agent ORDER BY member, agent LIMIT ?",
        )
        .bind(i64::from(AGENTS_MAX))
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(AgentRow {
                    member: row.try_get("member")?,
                    agent: row.try_get("agent")?,
                    received_ms: unsigned(row.try_get("received_ms")?),
                    status: serde_json::from_str(row.try_get("status")?)?,
                })
            })
            .collect()
    }
}

fn select(filter: &Filter) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(COLUMNS);
    if let Some(indicator) = &filter.indicator {
        // A value may be there as several kinds; the sighting counts once.
        query.push("WHERE s.id IN (SELECT i.sighting FROM indicator i WHERE i.value = ");
        query.push_bind(indicator.clone()).push(")");
    } else {
        query.push("WHERE 1 = 1");
    }
    for (column, value) in [
        (" AND s.typology = ", &filter.typology),
        (" AND s.verdict = ", &filter.verdict),
        (" AND s.member = ", &filter.member),
        (" AND s.agent = ", &filter.agent),
    ] {
        if let Some(value) = value {
            query.push(column).push_bind(value.clone());
        }
    }
    if let Some(since_ms) = filter.since_ms {
        query.push(" AND s.time_ms >= ").push_bind(signed(since_ms));
    }
    if let Some(until_ms) = filter.until_ms {
        query.push(" AND s.time_ms < ").push_bind(signed(until_ms));
    }
    query
}

fn row(row: &SqliteRow) -> Result<Row, StoreError> {
    let id: &str = row.try_get("id")?;
    let id = id.parse().map_err(|error| sqlx::Error::Decode(Box::new(error) as Box<_>))?;
    Ok(Row {
        arrival: row.try_get("arrival")?,
        id,
        member: row.try_get("member")?,
        agent: row.try_get("agent")?,
        time_ms: unsigned(row.try_get("time_ms")?),
        received_ms: unsigned(row.try_get("received_ms")?),
        data: serde_json::from_str(row.try_get("data")?)?,
    })
}
