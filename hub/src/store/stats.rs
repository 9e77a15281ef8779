//! What was counted, for overview, history and reports.

use super::sql::Sql;
use super::{Observed, Store, StoreError, signed, unsigned};
use crate::limits::{PEOPLE_PAGE, STATISTICS_ROWS_MAX};
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// Sightings of a day, or of a name, by verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Typology or institution.
    pub name: String,
    /// `reject`, `flag`, …
    pub verdict: String,
    /// How many.
    pub hits: u64,
}

/// What [`Store::tally`] adds up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The practice.
    Typology,
    /// The institution.
    Member,
}

/// Days since the Unix epoch (UTC), both included; of one institution, or of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Days {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// The institution.
    pub member: Option<String>,
}

/// An indicator's day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndicatorDay {
    /// Since the Unix epoch, UTC.
    pub day: u64,
    /// Institutions that saw it.
    pub members: u64,
    /// Sightings.
    pub hits: u64,
    /// The last of them, in milliseconds since the Unix epoch.
    pub last_ms: u64,
}

/// Appeals of a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AppealTally {
    /// That came.
    pub opened: u64,
    /// Of these, those that were upheld.
    pub upheld: u64,
    /// Of these, those that weren't.
    pub rejected: u64,
    /// Of these, those that waited too long.
    pub late: u64,
}

const DAY_MS: u64 = 86_400_000;

impl Store {
    /// Sightings of some days, by name and verdict.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tally(&self, by: By, days: &Days) -> Result<Vec<Tally>, StoreError> {
        let mut query = Sql::new("SELECT ");
        query.push(match by {
            By::Typology => "typology",
            By::Member => "member",
        });
        query.push(" AS name, verdict, CAST(SUM(hits) AS BIGINT) AS hits FROM tally_day");
        between(&mut query, days);
        query.push(" GROUP BY 1, 2 ORDER BY 1, 2 LIMIT ").number(i64::from(STATISTICS_ROWS_MAX));
        let tally = |row: &AnyRow| -> Result<_, StoreError> {
            let (name, verdict) = (row.try_get("name")?, row.try_get("verdict")?);
            Ok(Tally { name, verdict, hits: unsigned(row.try_get("hits")?) })
        };
        query.build().fetch_all(&self.readers).await?.iter().map(tally).collect()
    }

    /// Sightings by day; days without any aren't there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hits_by_day(&self, days: &Days) -> Result<Vec<(u64, u64)>, StoreError> {
        let mut query = Sql::new("SELECT day AS at, CAST(SUM(hits) AS BIGINT) AS hits FROM tally_day");
        between(&mut query, days);
        query.push(" GROUP BY day ORDER BY day");
        query.build().fetch_all(&self.readers).await?.iter().map(pair).collect()
    }

    /// Sightings of all institutions by hour since the Unix epoch; hours without any aren't there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hits_by_hour(&self, since_hour: u64) -> Result<Vec<(u64, u64)>, StoreError> {
        let rows = sqlx::query(
            "SELECT hour AS at, CAST(SUM(hits) AS BIGINT) AS hits FROM tally WHERE hour >= $1 GROUP BY hour ORDER BY hour",
        );
        rows.bind(signed(since_hour)).fetch_all(&self.readers).await?.iter().map(pair).collect()
    }

    /// The appeals that came in some days.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn appeal_tally(&self, days: &Days) -> Result<AppealTally, StoreError> {
        let mut query = Sql::new(
            "SELECT COUNT(*) AS opened, \
             CAST(COALESCE(SUM(CASE WHEN state = 'upheld' THEN 1 ELSE 0 END), 0) AS BIGINT) AS upheld, \
             CAST(COALESCE(SUM(CASE WHEN state = 'rejected' THEN 1 ELSE 0 END), 0) AS BIGINT) AS rejected, \
             CAST(COALESCE(SUM(CASE WHEN escalated_ms > 0 THEN 1 ELSE 0 END), 0) AS BIGINT) AS late \
             FROM appeal WHERE opened_ms >= ",
        );
        query.number(signed(days.first.saturating_mul(DAY_MS)));
        query.push(" AND opened_ms < ").number(signed(days.last.saturating_add(1).saturating_mul(DAY_MS)));
        if let Some(member) = &days.member {
            query.push(" AND member = ").text(member.clone());
        }
        let row = query.build().fetch_one(&self.readers).await?;
        Ok(AppealTally {
            opened: unsigned(row.try_get("opened")?),
            upheld: unsigned(row.try_get("upheld")?),
            rejected: unsigned(row.try_get("rejected")?),
            late: unsigned(row.try_get("late")?),
        })
    }

    /// The days on which an indicator was seen with evidence of its own, over all typologies.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn indicator_days(
        &self,
        kind: &str,
        value: &str,
        since_day: u64,
    ) -> Result<Vec<IndicatorDay>, StoreError> {
        let rows = sqlx::query(
            "SELECT day, COUNT(DISTINCT member) AS members, CAST(SUM(hits) AS BIGINT) AS hits, \
             MAX(last_ms) AS last_ms FROM observed WHERE kind = $1 AND value = $2 AND day >= $3 \
             GROUP BY day ORDER BY day",
        )
        .bind(kind)
        .bind(value)
        .bind(signed(since_day))
        .fetch_all(&self.readers)
        .await?;
        let day = |row: &AnyRow| -> Result<_, StoreError> {
            Ok(IndicatorDay {
                day: unsigned(row.try_get("day")?),
                members: unsigned(row.try_get("members")?),
                hits: unsigned(row.try_get("hits")?),
                last_ms: unsigned(row.try_get("last_ms")?),
            })
        };
        rows.iter().map(day).collect()
    }

    /// What is known of an indicator, by typology.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn known(&self, kind: &str, value: &str) -> Result<Vec<Observed>, StoreError> {
        let mut query = Sql::new(OBSERVED);
        query.push("WHERE k.kind = ").text(kind).push(" AND k.value = ").text(value);
        query.push(" ORDER BY k.hits DESC");
        query.build().fetch_all(&self.readers).await?.iter().map(super::indicators::observed).collect()
    }

    /// A page of indicators that were seen since an instant, most members first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn observed_page(&self, since_ms: u64, page: u32) -> Result<Vec<Observed>, StoreError> {
        let mut query = Sql::new(OBSERVED);
        query.push("WHERE k.members >= 0 AND k.last_ms >= ").number(signed(since_ms));
        query.push(" ORDER BY k.members DESC, k.last_ms DESC LIMIT ").number(i64::from(PEOPLE_PAGE) + 1);
        query.push(" OFFSET ").number(i64::from(page) * i64::from(PEOPLE_PAGE));
        query.build().fetch_all(&self.readers).await?.iter().map(super::indicators::observed).collect()
    }

    /// Indicators of exactly this value, whatever their kind.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn known_values(&self, value: &str) -> Result<Vec<Observed>, StoreError> {
        let mut all = Vec::new();
        for kind in yumen_exchange::check::INDICATOR_KINDS {
            all.extend(self.known(kind, value).await?);
        }
        Ok(all)
    }

    /// Whether an indicator is shared: its typology, state, and since when.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn shared_state(
        &self,
        kind: &str,
        value: &str,
    ) -> Result<Option<(String, String, u64)>, StoreError> {
        let query =
            sqlx::query("SELECT typology, state, changed_ms FROM shared WHERE kind = $1 AND value = $2");
        let row = query.bind(kind).bind(value).fetch_optional(&self.readers).await?;
        row.map(|row| {
            let (typology, state) = (row.try_get("typology")?, row.try_get("state")?);
            Ok((typology, state, unsigned(row.try_get("changed_ms")?)))
        })
        .transpose()
    }

    /// How many indicators are enforced.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn enforced_count(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS count FROM shared WHERE state = 'enforced'");
        Ok(unsigned(row.fetch_one(&self.readers).await?.try_get("count")?))
    }
}

const OBSERVED: &str = "SELECT k.kind, k.value, k.typology, k.members, k.hits, k.last_ms, s.state, \
     (SELECT COUNT(*) FROM dispute d WHERE d.kind = k.kind AND d.value = k.value) AS disputes FROM known k \
     LEFT JOIN shared s ON s.kind = k.kind AND s.value = k.value ";

fn between(query: &mut Sql, days: &Days) {
    query.push(" WHERE day >= ").number(signed(days.first));
    query.push(" AND day <= ").number(signed(days.last));
    if let Some(member) = &days.member {
        query.push(" AND member = ").text(member.clone());
    }
}

fn pair(row: &AnyRow) -> Result<(u64, u64), StoreError> {
    Ok((unsigned(row.try_get("at")?), unsigned(row.try_get("hits")?)))
}
