//! What is asked of the database.

use super::sql::Sql;
use super::{AgentRow, Filter, Kind, Row, Store, StoreError, signed, unsigned};
use crate::limits::AGENTS_MAX;
use sqlx::Row as _;
use sqlx::any::AnyRow;
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
        // The same, but the table of mentions has it in order for each value.
        let id = if filter.indicator.is_some() { "m.sighting" } else { "s.id" };
        if let Some(before) = before {
            query.push(" AND ").push(id).push(" < ").text(before.to_string());
        }
        query.push(" ORDER BY ").push(id).push(" DESC LIMIT ").number(i64::from(limit));
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
        query.push(" AND s.arrival > ").number(arrival);
        query.push(" ORDER BY s.arrival LIMIT ").number(i64::from(limit));
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
        let mut query = Sql::new(COLUMNS);
        query.push("WHERE s.id = ").text(id.to_string());
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

    /// Bytes of the whole database.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bytes(&self) -> Result<u64, StoreError> {
        let sql = match self.kind {
            Kind::Sqlite => {
                "SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()"
            }
            Kind::Postgres => "SELECT pg_database_size(current_database()) AS bytes",
        };
        Ok(unsigned(sqlx::query(sql).fetch_one(&self.readers).await?.try_get("bytes")?))
    }

    /// Sightings judged since the full hour before an instant (milliseconds since the Unix epoch), by typology, most first;
    /// those count too that aren't kept any more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn typologies_since(&self, since_ms: u64) -> Result<Vec<(String, u64)>, StoreError> {
        let rows = sqlx::query(
            "SELECT typology, CAST(SUM(hits) AS BIGINT) AS count FROM tally WHERE hour >= $1 \
             GROUP BY typology ORDER BY count DESC, typology",
        )
        .bind(signed(since_ms / 3_600_000))
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
            "SELECT member, agent, received_ms, status FROM agent ORDER BY member, agent LIMIT $1",
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

fn select(filter: &Filter) -> Sql {
    let mut query = Sql::new(COLUMNS);
    if let Some(indicator) = &filter.indicator {
        query.push("JOIN mention m ON m.sighting = s.id WHERE m.value = ").text(indicator.clone());
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
            query.push(column).text(value.clone());
        }
    }
    if let Some(since_ms) = filter.since_ms {
        query.push(" AND s.time_ms >= ").number(signed(since_ms));
    }
    if let Some(until_ms) = filter.until_ms {
        query.push(" AND s.time_ms < ").number(signed(until_ms));
    }
    query
}

fn row(row: &AnyRow) -> Result<Row, StoreError> {
    Ok(Row {
        arrival: row.try_get("arrival")?,
        id: super::id(row.try_get("id")?)?,
        member: row.try_get("member")?,
        agent: row.try_get("agent")?,
        time_ms: unsigned(row.try_get("time_ms")?),
        received_ms: unsigned(row.try_get("received_ms")?),
        data: serde_json::from_str(row.try_get("data")?)?,
    })
}
