//! What is asked about sightings, without HTTP and without SQL.

use crate::limits::{PAGE_DEFAULT, PAGE_MAX, QUERY_BYTES_MAX};
use crate::store::{Filter, Row, Store, StoreError};
use uuid::Uuid;
use yumen_exchange::time;

/// A page of sightings, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Which ones.
    pub filter: Filter,
    /// Those older than this one.
    pub before: Option<Uuid>,
    /// How many; 0 stands for the default.
    pub limit: u32,
}

/// What is wrong with a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A parameter that nobody knows; a typing error would otherwise show everything.
    #[error("unknown parameter '{0}'")]
    Unknown(String),
    /// A parameter twice.
    #[error("parameter '{0}' is given twice")]
    Twice(String),
    /// Not an RFC 3339 instant.
    #[error("'{0}' is an RFC 3339 instant, such as 2026-11-23T10:00:00Z")]
    Instant(String),
    /// Not an id.
    #[error("'before' is a sighting's id")]
    Id,
    /// Not a number in range.
    #[error("'limit' is 1 to {PAGE_MAX}")]
    Limit,
    /// Too much of it.
    #[error("the query has more than {QUERY_BYTES_MAX} bytes")]
    TooLong,
}

/// A page, and where the next one begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The sightings, newest id first.
    pub rows: Vec<Row>,
    /// `before` of the next page; none on the last.
    pub next: Option<Uuid>,
}

impl Query {
    /// From the parameters of a URL. Empty values count as absent, as forms send them.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, QueryError> {
        let mut query = Self::default();
        let mut length = 0;
        for (key, value) in pairs {
            length += key.len() + value.len();
            if length > QUERY_BYTES_MAX {
                return Err(QueryError::TooLong);
            }
            let value = value.trim();
            if !value.is_empty() {
                query.set(key, value)?;
            }
        }
        Ok(query)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), QueryError> {
        let filter = &mut self.filter;
        match key {
            "typology" => once(&mut filter.typology, key, value.to_owned()),
            "verdict" => once(&mut filter.verdict, key, value.to_owned()),
            "member" => once(&mut filter.member, key, value.to_owned()),
            "agent" => once(&mut filter.agent, key, value.to_owned()),
            "indicator" => once(&mut filter.indicator, key, value.to_owned()),
            "since" => once(&mut filter.since_ms, key, instant(key, value)?),
            "until" => once(&mut filter.until_ms, key, instant(key, value)?),
            "before" => once(&mut self.before, key, value.parse().map_err(|_| QueryError::Id)?),
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=PAGE_MAX).contains(limit));
                self.limit = limit.ok_or(QueryError::Limit)?;
                Ok(())
            }
            _ => Err(QueryError::Unknown(key.to_owned())),
        }
    }

    /// Asks the store.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn page(&self, store: &Store) -> Result<Page, StoreError> {
        let limit = if self.limit == 0 { PAGE_DEFAULT } else { self.limit.min(PAGE_MAX) };
        // One more than shown tells whether there is a next page.
        let mut rows = store.page(&self.filter, self.before, limit + 1).await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().map(|row| row.id).filter(|_| more);
        Ok(Page { rows, next })
    }
}

fn once<T>(slot: &mut Option<T>, key: &str, value: T) -> Result<(), QueryError> {
    if slot.replace(value).is_some() { Err(QueryError::Twice(key.to_owned())) } else { Ok(()) }
}

fn instant(key: &str, value: &str) -> Result<u64, QueryError> {
    time::parse(value).ok_or_else(|| QueryError::Instant(key.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_and_empty_values_are_none() {
        let query = Query::parse([
            ("typology", "fraud"),
            ("verdict", ""),
            ("since", "1970-01-01T00:00:01Z"),
            ("indicator", " pay.example.com "),
            ("limit", "7"),
        ]);
        let filter = Filter {
            typology: Some("fraud".into()),
            since_ms: Some(1000),
            indicator: Some("pay.example.com".into()),
            ..Filter::default()
        };
        assert_eq!(query, Ok(Query { filter, before: None, limit: 7 }));
    }

    #[test]
    fn mistakes_are_named() {
        for (pairs, error) in [
            (vec![("typologie", "fraud")], QueryError::Unknown("typologie".into())),
            (vec![("member", "a"), ("member", "b")], QueryError::Twice("member".into())),
            (vec![("until", "tomorrow")], QueryError::Instant("until".into())),
            (vec![("before", "7")], QueryError::Id),
            (vec![("limit", "0")], QueryError::Limit),
            (vec![("limit", "501")], QueryError::Limit),
            (vec![("limit", "many")], QueryError::Limit),
        ] {
            assert_eq!(Query::parse(pairs), Err(error));
        }
        let long = "x".repeat(QUERY_BYTES_MAX);
        assert_eq!(Query::parse([("member", &long[..])]), Err(QueryError::TooLong));
    }
}
