//! Pages of STIX objects out of a collection (TAXII 2.1 §3.5, §5.3–5.6): in the order in which this version of each came
//! in, behind an instant, of chosen types, ids and versions.

use super::Stix;
use super::export::Collection;
use super::stix::{STATIC_MS, version};
use crate::limits::{MATCH_MAX, TAXII_PAGE_DEFAULT, TAXII_PAGE_MAX};
use crate::store::{KnownEntry, Named, Place, SharedEntry, Store, StoreError};
use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;
use std::collections::HashSet;
use yumen_exchange::time;

/// What is wrong with a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum QueryError {
    /// Not a parameter that this place has.
    #[error("there is no such parameter here")]
    Unknown,
    /// `added_after` isn't an instant.
    #[error("'added_after' is an RFC 3339 instant")]
    AddedAfter,
    /// `limit` isn't 1 or more.
    #[error("'limit' is a number, 1 or more")]
    Limit,
    /// `next` wasn't given out here.
    #[error("'next' is what the last page said")]
    Next,
    /// Too many values, or a version that is neither a word nor an instant.
    #[error("a 'match' has at most {MATCH_MAX} values; a version is first, last, all or an instant")]
    Match,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    added_after_ms: Option<u64>,
    limit: usize,
    next: Option<Cursor>,
    pub(super) ids: Option<Vec<String>>,
    types: Option<Vec<String>>,
    /// Instants; none where any version will do: there is one of each object.
    versions: Option<Vec<u64>>,
    spec_21: bool,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            added_after_ms: None,
            limit: TAXII_PAGE_DEFAULT,
            next: None,
            ids: None,
            types: None,
            versions: None,
            spec_21: true,
        }
    }
}

impl Query {
    /// Reads the parameters of a URL.
    pub(super) fn parse(parameters: &[(String, String)]) -> Result<Self, QueryError> {
        let mut query = Self::default();
        for (key, value) in parameters {
            match &key[..] {
                "added_after" => {
                    query.added_after_ms = Some(time::parse(value).ok_or(QueryError::AddedAfter)?);
                }
                "limit" => {
                    let limit: usize = value.parse().map_err(|_| QueryError::Limit)?;
                    if limit == 0 {
                        return Err(QueryError::Limit);
                    }
                    query.limit = limit.min(TAXII_PAGE_MAX);
                }
                "next" => query.next = Some(Cursor::read(value).ok_or(QueryError::Next)?),
                "match[id]" => query.ids = Some(list(value)?),
                "match[type]" => query.types = Some(list(value)?),
                "match[spec_version]" => query.spec_21 = list(value)?.iter().any(|version| version == "2.1"),
                "match[version]" => query.versions = versions(&list(value)?)?,
                _ => return Err(QueryError::Unknown),
            }
        }
        Ok(query)
    }

    fn takes(&self, object: &Value) -> bool {
        let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
        let among = |list: &Option<Vec<String>>, field: &str| {
            list.as_ref().is_none_or(|list| list.iter().any(|one| one == text(field)))
        };
        let version_ms = time::parse(version(object)).unwrap_or(0);
        self.spec_21
            && among(&self.ids, "id")
            && among(&self.types, "type")
            && self.versions.as_ref().is_none_or(|versions| versions.contains(&version_ms))
    }

    /// Whether any object that is made of a row can be of a type that is asked for.
    fn wants_rows(&self) -> bool {
        let types = self.types.as_ref();
        self.spec_21
            && types.is_none_or(|types| types.iter().any(|one| one == "indicator" || one == "sighting"))
    }

    /// The instants between which rows must have changed, the first excluded where it is `added_after`.
    fn first_ms(&self) -> u64 {
        let after = self.added_after_ms.map_or(0, |after| after.saturating_add(1));
        let versions = self.versions.as_ref().and_then(|versions| versions.iter().min().copied());
        after.max(versions.unwrap_or(0))
    }

    fn last_ms(&self) -> u64 {
        self.versions.as_ref().and_then(|versions| versions.iter().max().copied()).unwrap_or(u64::MAX)
    }
}

fn list(value: &str) -> Result<Vec<String>, QueryError> {
    let list: Vec<String> = value.split(',').map(|one| one.trim().to_owned()).collect();
    if list.len() > MATCH_MAX { Err(QueryError::Match) } else { Ok(list) }
}

/// There is one version of each object, so that its first is its last.
fn versions(words: &[String]) -> Result<Option<Vec<u64>>, QueryError> {
    let mut instants = Vec::new();
    for word in words {
        match &word[..] {
            "first" | "last" | "all" => return Ok(None),
            word => instants.push(time::parse(word).ok_or(QueryError::Match)?),
        }
    }
    Ok(Some(instants))
}

/// Where the next page begins: a row, and how many of its objects were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Cursor {
    place: Place,
    given: usize,
}

impl Cursor {
    fn write(&self) -> String {
        let Place { at_ms, kind, value, typology } = &self.place;
        let fields = serde_json::json!([at_ms, kind, value, typology, self.given]);
        BASE64URL_NOPAD.encode(fields.to_string().as_bytes())
    }

    fn read(text: &str) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (at_ms, kind, value, typology, given) = serde_json::from_slice(&bytes).ok()?;
        Some(Self { place: Place { at_ms, kind, value, typology }, given })
    }
}

/// A page.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) objects: Vec<Value>,
    /// Where the next one begins; none where this is the last.
    pub(super) next: Option<String>,
}

/// A row, and what is made of it.
struct Made {
    place: Place,
    named: Vec<Named>,
    objects: Vec<Value>,
}

/// Reads a page.
pub(super) async fn page(
    store: &Store,
    stix: &Stix,
    collection: Collection,
    query: &Query,
    now_ms: u64,
) -> Result<Page, StoreError> {
    if query.ids.is_some() {
        return by_id(store, stix, collection, query).await;
    }
    let mut page = Page::default();
    let mut named = Vec::new();
    let begin = query.next.clone().unwrap_or_default();
    // What never changes comes first; its place has no kind, which no row's has.
    if begin.place.kind.is_empty() && query.added_after_ms.is_none_or(|after| after < STATIC_MS) {
        let statics = Made { place: Place::default(), named: Vec::new(), objects: stix.statics() };
        if take(&mut page, statics, begin.given, query) {
            return Ok(page);
        }
    }
    let mut from = if begin.place.kind.is_empty() { Place::default() } else { begin.place.clone() };
    if from.at_ms < query.first_ms() {
        from = Place { at_ms: query.first_ms(), ..Place::default() };
    }
    let mut given = if from == begin.place { begin.given } else { 0 };
    let batch = u32::try_from(query.limit).unwrap_or(u32::MAX).saturating_add(1);
    'rows: while query.wants_rows() {
        let rows = rows(store, stix, collection, &from, batch).await?;
        let is_last = rows.len() < usize::try_from(batch).unwrap_or(usize::MAX);
        let Some(last) = rows.last().map(|row| row.place.clone()) else { break };
        for (at, mut row) in rows.into_iter().enumerate() {
            if row.place.at_ms > query.last_ms() {
                break 'rows;
            }
            named.append(&mut row.named);
            let given = if at == 0 && row.place == from { given } else { 0 };
            if take(&mut page, row, given, query) {
                break 'rows;
            }
        }
        if is_last {
            break;
        }
        // The last row is read once more, and all of it was given.
        (from, given) = (last, usize::MAX);
    }
    if !named.is_empty() {
        store.name_objects(&named, now_ms).await?;
    }
    Ok(page)
}

/// Puts a row's objects on the page, behind those that were given before; whether the page is full, and there is more.
fn take(page: &mut Page, row: Made, given: usize, query: &Query) -> bool {
    for (at, object) in row.objects.into_iter().enumerate().skip(given) {
        if !query.takes(&object) {
            continue;
        }
        if page.objects.len() >= query.limit {
            page.next = Some(Cursor { place: row.place, given: at }.write());
            return true;
        }
        page.objects.push(object);
    }
    false
}

async fn rows(
    store: &Store,
    stix: &Stix,
    collection: Collection,
    from: &Place,
    limit: u32,
) -> Result<Vec<Made>, StoreError> {
    Ok(match collection {
        Collection::Enforced => {
            store.shared_from(from, limit).await?.into_iter().map(|row| of_shared(stix, row)).collect()
        }
        Collection::Observed => {
            store.known_from(from, limit).await?.into_iter().map(|row| of_known(stix, row)).collect()
        }
    })
}

fn of_shared(stix: &Stix, row: SharedEntry) -> Made {
    let objects: Vec<Value> = stix.shared(&row).into_iter().collect();
    let SharedEntry { kind, value, changed_ms, .. } = row;
    made("shared", Place { at_ms: changed_ms, kind, value, typology: String::new() }, objects)
}

fn of_known(stix: &Stix, row: KnownEntry) -> Made {
    let objects: Vec<Value> = stix.known(&row).into_iter().flatten().collect();
    let KnownEntry { kind, value, typology, last_ms, .. } = row;
    made("known", Place { at_ms: last_ms, kind, value, typology }, objects)
}

fn made(family: &str, place: Place, objects: Vec<Value>) -> Made {
    let ids = objects.iter().filter_map(|object| object.get("id").and_then(Value::as_str));
    let named = ids.map(|id| Named {
        id: id.to_owned(),
        family: family.to_owned(),
        kind: place.kind.clone(),
        value: place.value.clone(),
        typology: place.typology.clone(),
    });
    Made { named: named.collect(), place, objects }
}

/// Objects by their ids, which were handed out before; all on one page, since there are few.
async fn by_id(
    store: &Store,
    stix: &Stix,
    collection: Collection,
    query: &Query,
) -> Result<Page, StoreError> {
    let mut objects: Vec<Value> = stix.statics();
    for id in query.ids.iter().flatten() {
        let Some(named) = store.named_object(id).await? else { continue };
        match (collection, &named.family[..]) {
            (Collection::Enforced, "shared") => {
                let row = store.shared_entry(&named.kind, &named.value).await?;
                objects.extend(row.and_then(|row| stix.shared(&row)));
            }
            (Collection::Observed, "known") => {
                let row = store.known_entry(&named.kind, &named.value, &named.typology).await?;
                objects.extend(row.and_then(|row| stix.known(&row)).into_iter().flatten());
            }
            _ => {}
        }
    }
    objects.retain(|object| {
        let at_ms = if is_static(object) { STATIC_MS } else { time::parse(version(object)).unwrap_or(0) };
        query.takes(object) && query.added_after_ms.is_none_or(|after| at_ms > after)
    });
    objects.sort_by(|one, other| version(one).cmp(version(other)));
    // A row's objects come once for each of them that is asked for.
    let mut seen = HashSet::new();
    objects.retain(|object| seen.insert(object.get("id").and_then(Value::as_str).map(str::to_owned)));
    let skip = query.next.as_ref().map_or(0, |next| next.given);
    let more = objects.len() > skip.saturating_add(query.limit);
    let objects: Vec<Value> = objects.into_iter().skip(skip).take(query.limit).collect();
    let next = more.then(|| Cursor { place: Place::default(), given: skip + objects.len() }.write());
    Ok(Page { objects, next })
}

fn is_static(object: &Value) -> bool {
    let kind = object.get("type").and_then(Value::as_str);
    !matches!(kind, Some("indicator" | "sighting"))
}

/// When an object came into its collection, as TAXII writes it.
pub(super) fn added(object: &Value) -> String {
    if is_static(object) { time::format(STATIC_MS) } else { version(object).to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Address, SharedRow};

    async fn store(dir: &std::path::Path) -> Store {
        let store = Store::open(&Address::file(&dir.join("hub.sqlite")).unwrap()).await.unwrap();
        for (at, count) in [(1_764_000_000_000, 7), (1_764_000_000_500, 5)] {
            let rows: Vec<SharedRow> = (0..count)
                .map(|n| SharedRow {
                    kind: "domain".into(),
                    value: format!("{at}-{n}.example"),
                    typology: "fraud".into(),
                })
                .collect();
            store.share(&rows, "enforced", at).await.unwrap();
        }
        store
    }

    fn query(pairs: &[(&str, &str)]) -> Query {
        let pairs: Vec<_> = pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        Query::parse(&pairs).unwrap()
    }

    async fn all(store: &Store, stix: &Stix, pairs: &[(&str, &str)]) -> Vec<String> {
        let mut ids = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let mut pairs = pairs.to_vec();
            if let Some(next) = &next {
                pairs.push(("next", next));
            }
            let page = page(store, stix, Collection::Enforced, &query(&pairs), 1).await.unwrap();
            ids.extend(page.objects.iter().map(|object| object["id"].as_str().unwrap().to_owned()));
            match page.next {
                Some(more) => next = Some(more),
                None => return ids,
            }
        }
    }

    #[tokio::test]
    async fn pages_of_any_size_give_every_object_once_in_the_same_order() {
        let dir = tempfile::tempdir().unwrap();
        let (store, stix) = (store(dir.path()).await, Stix::new("Test"));
        let whole = all(&store, &stix, &[]).await;
        assert_eq!(whole.len(), stix.statics().len() + 12);
        for limit in ["1", "2", "3", "5", "6", "12", "16", "17", "18"] {
            assert_eq!(all(&store, &stix, &[("limit", limit)]).await, whole, "{limit}");
        }
        let rows = &whole[stix.statics().len()..];
        assert_eq!(all(&store, &stix, &[("limit", "2"), ("match[type]", "indicator")]).await, rows);
        let after = ("added_after", "2025-11-24T16:00:00.000Z");
        assert_eq!(all(&store, &stix, &[("limit", "2"), after]).await, rows[7..]);
        let version = ("match[version]", "2025-11-24T16:00:00.000Z");
        assert_eq!(all(&store, &stix, &[("limit", "3"), version]).await, rows[..7]);
        assert_eq!(all(&store, &stix, &[("match[id]", &rows[3])]).await, rows[3..4]);
        let two = format!("{},{}", rows[3], whole[0]);
        assert_eq!(all(&store, &stix, &[("match[id]", &two), ("limit", "1")]).await.len(), 2);
        assert!(all(&store, &stix, &[("match[spec_version]", "2.0")]).await.is_empty());
        store.close().await;
    }

    #[test]
    fn what_is_no_question_is_said() {
        let wrong = |key: &str, value: &str| Query::parse(&[(key.into(), value.into())]).unwrap_err();
        assert_eq!(wrong("limit", "0"), QueryError::Limit);
        assert_eq!(wrong("limit", "-1"), QueryError::Limit);
        assert_eq!(wrong("next", "x"), QueryError::Next);
        assert_eq!(wrong("added_after", "yesterday"), QueryError::AddedAfter);
        assert_eq!(wrong("match[version]", "newest"), QueryError::Match);
        assert_eq!(wrong("match[id]", &"a,".repeat(MATCH_MAX)), QueryError::Match);
        assert_eq!(wrong("match[colour]", "red"), QueryError::Unknown);
    }
}
