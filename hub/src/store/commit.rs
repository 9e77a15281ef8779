//! A batch on its way into the tables: one transaction, one statement a table, whatever the batch's size. The rows of a
//! statement are one parameter, an array in JSON, which both databases take apart.

use super::{Kind, StatusReceived, Store, StoreError, signed};
use crate::decay::DEFAULT;
use serde::Serialize;
use sqlx::AnyConnection;
use sqlx::Row as _;
use std::collections::{BTreeMap, HashSet};
use uuid::Uuid;
use yumen_exchange::check::Received;
use yumen_exchange::sighting::Sighting;

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
/// A verdict that an agent dates further back than this, or ahead, is counted at this or now.
const TALLY_MS: u64 = 30 * DAY_MS;

#[derive(Serialize)]
struct SightingRow<'a> {
    i: Uuid,
    m: &'a str,
    a: &'a str,
    t: i64,
    v: &'a str,
    y: &'a str,
    s: u8,
    d: String,
}

#[derive(Serialize)]
struct MentionRow<'a> {
    v: &'a str,
    s: Uuid,
}

#[derive(Serialize)]
struct TallyRow<'a> {
    y: &'a str,
    h: i64,
    n: u64,
}

#[derive(Serialize)]
struct DayRow<'a> {
    d: i64,
    m: &'a str,
    y: &'a str,
    v: &'a str,
    n: u64,
}

#[derive(Serialize)]
struct ObservedRow<'a> {
    k: &'a str,
    v: &'a str,
    y: &'a str,
    m: &'a str,
    n: u64,
}

/// A statement for each database.
pub(super) struct Both {
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

impl Both {
    pub(super) const fn of(&self, kind: Kind) -> &'static str {
        match kind {
            Kind::Sqlite => self.sqlite,
            Kind::Postgres => self.postgres,
        }
    }
}

const SIGHTINGS: Both = Both {
    sqlite: "INSERT INTO sighting (id, member, agent, time_ms, received_ms, verdict, typology, score, data) \
             SELECT value->>'i', value->>'m', value->>'a', value->>'t', $2, value->>'v', value->>'y', value->>'s', \
             value->>'d' FROM json_each($1) WHERE true ON CONFLICT (id) DO NOTHING RETURNING id",
    postgres: "INSERT INTO sighting (id, member, agent, time_ms, received_ms, verdict, typology, score, data) \
               SELECT i, m, a, t, $2, v, y, s, d FROM json_to_recordset($1::json) \
               AS r(i text, m text, a text, t bigint, v text, y text, s bigint, d text) \
               ON CONFLICT (id) DO NOTHING RETURNING id",
};

const MENTIONS: Both = Both {
    sqlite: "INSERT INTO mention (value, sighting) SELECT value->>'v', value->>'s' FROM json_each($1) WHERE true \
             ON CONFLICT (value, sighting) DO NOTHING",
    postgres: "INSERT INTO mention (value, sighting) SELECT v, s FROM json_to_recordset($1::json) AS r(v text, s text) \
               ON CONFLICT (value, sighting) DO NOTHING",
};

const TALLY: Both = Both {
    sqlite: "INSERT INTO tally (typology, hour, hits) SELECT value->>'y', value->>'h', value->>'n' FROM json_each($1) \
             WHERE true ON CONFLICT (hour, typology) DO UPDATE SET hits = tally.hits + excluded.hits",
    postgres: "INSERT INTO tally (typology, hour, hits) SELECT y, h, n FROM json_to_recordset($1::json) \
               AS r(y text, h bigint, n bigint) \
               ON CONFLICT (hour, typology) DO UPDATE SET hits = tally.hits + excluded.hits",
};

const TALLY_DAY: Both = Both {
    sqlite: "INSERT INTO tally_day (day, member, typology, verdict, hits) \
             SELECT value->>'d', value->>'m', value->>'y', value->>'v', value->>'n' FROM json_each($1) WHERE true \
             ON CONFLICT (day, member, typology, verdict) DO UPDATE SET hits = tally_day.hits + excluded.hits",
    postgres: "INSERT INTO tally_day (day, member, typology, verdict, hits) \
               SELECT d, m, y, v, n FROM json_to_recordset($1::json) \
               AS r(d bigint, m text, y text, v text, n bigint) \
               ON CONFLICT (day, member, typology, verdict) DO UPDATE SET hits = tally_day.hits + excluded.hits",
};

const OBSERVED: Both = Both {
    sqlite: "INSERT INTO observed (kind, value, typology, member, day, hits, first_ms, last_ms) \
             SELECT value->>'k', value->>'v', value->>'y', value->>'m', $2, value->>'n', $3, $3 FROM json_each($1) \
             WHERE true ON CONFLICT (kind, value, typology, member, day) \
             DO UPDATE SET hits = observed.hits + excluded.hits, last_ms = excluded.last_ms",
    postgres: "INSERT INTO observed (kind, value, typology, member, day, hits, first_ms, last_ms) \
               SELECT k, v, y, m, $2, n, $3, $3 FROM json_to_recordset($1::json) \
               AS r(k text, v text, y text, m text, n bigint) ON CONFLICT (kind, value, typology, member, day) \
               DO UPDATE SET hits = observed.hits + excluded.hits, last_ms = excluded.last_ms",
};

/// Runs after [`OBSERVED`], so that the members of this batch count too.
const KNOWN: Both = Both {
    sqlite: "INSERT INTO known (kind, value, typology, members, hits, first_ms, last_ms) \
             SELECT r.value->>'k', r.value->>'v', r.value->>'y', (SELECT COUNT(DISTINCT o.member) FROM observed o \
             WHERE o.kind = r.value->>'k' AND o.value = r.value->>'v' AND o.typology = r.value->>'y' AND o.last_ms >= $2), \
             r.value->>'n', $3, $3 FROM json_each($1) r WHERE true ON CONFLICT (kind, value, typology) \
             DO UPDATE SET members = excluded.members, hits = known.hits + excluded.hits, last_ms = excluded.last_ms",
    postgres: "INSERT INTO known (kind, value, typology, members, hits, first_ms, last_ms) \
               SELECT k, v, y, (SELECT COUNT(DISTINCT o.member) FROM observed o \
               WHERE o.kind = k AND o.value = v AND o.typology = y AND o.last_ms >= $2), \
               n, $3, $3 FROM json_to_recordset($1::json) AS r(k text, v text, y text, n bigint) \
               ON CONFLICT (kind, value, typology) \
               DO UPDATE SET members = excluded.members, hits = known.hits + excluded.hits, last_ms = excluded.last_ms",
};

/// One batch at a time over all hubs: the order of arrival is then the order of commits, which live streams rely on, and
/// two batches never wait for each other's rows. Given back with the transaction, also when a hub is killed in it.
const TURN: &str = "SELECT pg_advisory_xact_lock(7956010)";

/// Wakes the other hubs' streams once this is committed.
pub(super) const TELL: &str = "SELECT pg_notify('yumen_hub', '')";

impl Store {
    /// Commits sightings and statuses in one transaction; gives how many sightings were new. One that is there already
    /// is left as it is.
    ///
    /// # Errors
    /// Nothing was committed, or it isn't known whether: committing it again does no harm.
    pub async fn commit(
        &self,
        sightings: &[Received],
        statuses: &[StatusReceived],
        received_ms: u64,
    ) -> Result<usize, StoreError> {
        let mut transaction = self.begin().await?;
        if self.kind == Kind::Postgres {
            sqlx::query(TURN).execute(&mut *transaction).await?;
        }
        let mut new = insert(&mut transaction, self.kind, sightings, received_ms).await?;
        let count = new.len();
        // The first of a batch that has one twice is the one that was taken.
        let fresh: Vec<&Received> =
            sightings.iter().filter(|received| new.remove(&received.envelope.id)).collect();
        if !fresh.is_empty() {
            add_up(&mut transaction, self.kind, &fresh, received_ms).await?;
        }
        for status in statuses {
            put_status(&mut transaction, status, received_ms).await?;
        }
        if self.kind == Kind::Postgres {
            sqlx::query(TELL).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(count)
    }
}

/// The ids that were new.
async fn insert(
    connection: &mut AnyConnection,
    kind: Kind,
    sightings: &[Received],
    received_ms: u64,
) -> Result<HashSet<Uuid>, StoreError> {
    if sightings.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = sightings.iter().map(|received| {
        let data = &received.envelope.data;
        Ok(SightingRow {
            i: received.envelope.id,
            m: received.member.as_str(),
            a: received.agent.as_str(),
            t: signed(received.time_ms),
            v: &data.verdict,
            y: &data.typology,
            s: data.score,
            d: serde_json::to_string(data)?,
        })
    });
    let rows = serde_json::to_string(&rows.collect::<Result<Vec<_>, StoreError>>()?)?;
    let query = sqlx::query(SIGHTINGS.of(kind)).bind(rows).bind(signed(received_ms));
    let new = query.fetch_all(connection).await?;
    new.iter().map(|row| super::id(row.try_get("id")?)).collect()
}

/// Everything that is derived from sightings.
async fn add_up(
    connection: &mut AnyConnection,
    kind: Kind,
    fresh: &[&Received],
    received_ms: u64,
) -> Result<(), StoreError> {
    let (mut appeals, mut appealed) = (Vec::new(), Vec::new());
    let mut mentions = Vec::new();
    let mut tally = BTreeMap::new();
    let mut days = BTreeMap::new();
    // In order, so that the tables' trees are walked along once.
    let mut observed = BTreeMap::new();
    let mut known = BTreeMap::new();
    for received in fresh {
        let (data, id) = (&received.envelope.data, received.envelope.id);
        let hour = received.time_ms.clamp(received_ms.saturating_sub(TALLY_MS), received_ms) / HOUR_MS;
        *tally.entry((hour, &*data.typology)).or_insert(0) += 1;
        let day = (hour / 24, received.member.as_str(), &*data.typology, &*data.verdict);
        *days.entry(day).or_insert(0) += 1;
        if let Some(appeal) = &data.appeal {
            appeals.push(super::appeals::mention(appeal));
            appealed.push(id);
        }
        for indicator in &data.indicators {
            mentions.push(MentionRow { v: &indicator.value, s: id });
        }
        if has_evidence(data) {
            for (kind, value) in distinct(data) {
                *observed.entry((kind, value, &*data.typology, received.member.as_str())).or_insert(0) += 1;
                *known.entry((kind, value, &*data.typology)).or_insert(0) += 1;
            }
        }
    }
    let now = signed(received_ms);
    let tally: Vec<_> = tally.into_iter().map(|((h, y), n)| TallyRow { y, h: signed(h), n }).collect();
    let observed: Vec<_> =
        observed.into_iter().map(|((k, v, y, m), n)| ObservedRow { k, v, y, m, n }).collect();
    let known: Vec<_> = known.into_iter().map(|((k, v, y), n)| ObservedRow { k, v, y, m: "", n }).collect();
    mentions.extend(appeals.iter().zip(appealed).map(|(v, s)| MentionRow { v, s }));
    if !mentions.is_empty() {
        mentions.sort_unstable_by_key(|row| row.v);
        let rows = serde_json::to_string(&mentions)?;
        sqlx::query(MENTIONS.of(kind)).bind(rows).execute(&mut *connection).await?;
    }
    sqlx::query(TALLY.of(kind)).bind(serde_json::to_string(&tally)?).execute(&mut *connection).await?;
    let days: Vec<_> =
        days.into_iter().map(|((d, m, y, v), n)| DayRow { d: signed(d), m, y, v, n }).collect();
    sqlx::query(TALLY_DAY.of(kind)).bind(serde_json::to_string(&days)?).execute(&mut *connection).await?;
    if observed.is_empty() {
        return Ok(());
    }
    sqlx::query(OBSERVED.of(kind))
        .bind(serde_json::to_string(&observed)?)
        .bind(signed(received_ms / DAY_MS))
        .bind(now)
        .execute(&mut *connection)
        .await?;
    sqlx::query(KNOWN.of(kind))
        .bind(serde_json::to_string(&known)?)
        .bind(signed(received_ms.saturating_sub(DEFAULT.lifetime_ms)))
        .bind(now)
        .execute(&mut *connection)
        .await?;
    Ok(())
}

/// Whether a rule fired that isn't about shared indicators alone.
fn has_evidence(data: &Sighting) -> bool {
    data.rules.iter().any(|rule| !crate::share::is_shared(&rule.id))
}

/// Indicators by kind and value: one that is there from the originator and from the text counts once.
fn distinct(data: &Sighting) -> HashSet<(&str, &str)> {
    data.indicators.iter().map(|indicator| (&*indicator.kind, &*indicator.value)).collect()
}

async fn put_status(
    connection: &mut AnyConnection,
    received: &StatusReceived,
    received_ms: u64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO agent (member, agent, received_ms, status) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (member, agent) DO UPDATE SET received_ms = excluded.received_ms, status = excluded.status",
    )
    .bind(received.member.as_str())
    .bind(received.agent.as_str())
    .bind(signed(received_ms))
    .bind(serde_json::to_string(&received.status)?)
    .execute(&mut *connection)
    .await?;
    Ok(())
}
