//! Files that leave the hub, a batch of rows at a time, and lists that come in. Each act stands in the audit log first.

use super::candidates::{Candidate, ImportError, Parsed, import};
use super::known_good::KnownGood;
use super::read::Format;
use super::{Stix, csv, misp};
use crate::accounts::{Access, Caller};
use crate::api::access::Routes;
use crate::api::{Hub, Parameters, failed, problem};
use crate::audit::{self, Action};
use crate::clues::{self, NewClue, Opened, Source};
use crate::limits::{IMPORT_BODY_BYTES_MAX, PLATFORM_BATCH};
use crate::store::{Place, Store, StoreError};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures_util::stream;
use serde_json::{Value, json};
use std::io::Write;
use std::sync::Arc;
use yumen_rules::verdict::Typology;

/// What there is to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collection {
    /// What is enforced at every member, and what was.
    Enforced,
    /// What members saw.
    Observed,
}

impl Collection {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Enforced, Self::Observed];

    /// Its word.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Enforced => "enforced",
            Self::Observed => "observed",
        }
    }

    /// By its word.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.id() == id)
    }

    /// Who may read it: packs tell every member what is enforced, and not what others saw.
    #[must_use]
    pub const fn access(self) -> Access {
        match self {
            Self::Enforced => Access::Member,
            Self::Observed => Access::Reader,
        }
    }

    pub(super) const fn titles(self) -> (&'static str, &'static str) {
        match self {
            Self::Enforced => (
                "Enforced 已共享指标",
                "Indicators that are enforced at every member; those that expired or were retracted are marked. TLP:GREEN",
            ),
            Self::Observed => (
                "Observed 已发现指标",
                "Indicators that members saw, with sightings added up: how many, and when first and last. TLP:AMBER",
            ),
        }
    }
}

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/export/{file}", Access::Member, export)
        .get("/feeds/misp/{file}", Access::Member, feed)
        .post("/api/v1/import", Access::Analyst, take)
}

/// A file under construction.
struct Export {
    store: Store,
    stix: Stix,
    collection: Collection,
    is_stix: bool,
    now_ms: u64,
    state: Step,
}

enum Step {
    Head,
    Rows(Option<Place>),
    End,
}

impl Export {
    /// The next piece; none behind the last.
    async fn next(&mut self) -> Result<Option<String>, StoreError> {
        let (head, tail) = self.stix.bundle(self.collection.id(), self.now_ms);
        match &self.state {
            Step::Head => {
                self.state = Step::Rows(None);
                if !self.is_stix {
                    let header =
                        if self.collection == Collection::Enforced { csv::SHARED } else { csv::KNOWN };
                    return Ok(Some(header.to_owned()));
                }
                let statics: Vec<String> = self.stix.statics().iter().map(Value::to_string).collect();
                Ok(Some(head + &statics.join(",\n")))
            }
            Step::Rows(last) => {
                let last = last.clone();
                let (text, next) = self.rows(last.as_ref()).await?;
                match next {
                    Some(next) => self.state = Step::Rows(Some(next)),
                    None => self.state = Step::End,
                }
                let tail = if matches!(self.state, Step::End) && self.is_stix { tail } else { "" };
                Ok(Some(text + tail))
            }
            Step::End => Ok(None),
        }
    }

    /// Rows behind the last one that was written, and the last one of these where there are more.
    async fn rows(&self, last: Option<&Place>) -> Result<(String, Option<Place>), StoreError> {
        let from = last.cloned().unwrap_or_default();
        let mut text = String::new();
        let mut place = None;
        let mut count = 0;
        let mut put = |at: Place, line: String, objects: Vec<Value>| {
            count += 1;
            if last != Some(&at) {
                if self.is_stix {
                    for object in objects {
                        text.push_str(",\n");
                        text.push_str(&object.to_string());
                    }
                } else {
                    text.push_str(&line);
                }
            }
            place = Some(at);
        };
        match self.collection {
            Collection::Enforced => {
                for row in self.store.shared_from(&from, PLATFORM_BATCH).await? {
                    let (kind, value) = (row.kind.clone(), row.value.clone());
                    let at = Place { at_ms: row.changed_ms, kind, value, typology: String::new() };
                    put(at, csv::shared(&row), self.stix.shared(&row).into_iter().collect());
                }
            }
            Collection::Observed => {
                for row in self.store.known_from(&from, PLATFORM_BATCH).await? {
                    let (kind, value, typology) = (row.kind.clone(), row.value.clone(), row.typology.clone());
                    let at = Place { at_ms: row.last_ms, kind, value, typology };
                    put(at, csv::known(&row), self.stix.known(&row).into_iter().flatten().collect());
                }
            }
        }
        Ok((text, place.filter(|_| count >= PLATFORM_BATCH)))
    }
}

fn begin(store: Store, stix: &Stix, collection: Collection, is_stix: bool) -> Export {
    let now_ms = crate::clock::now_ms();
    Export { store, stix: stix.clone(), collection, is_stix, now_ms, state: Step::Head }
}

/// Writes a file: a STIX bundle, or lines.
///
/// # Errors
/// The database, or whatever is written to.
pub async fn write(
    store: &Store,
    stix: &Stix,
    collection: Collection,
    is_stix: bool,
    to: &mut (dyn Write + Send),
) -> Result<(), std::io::Error> {
    let mut export = begin(store.clone(), stix, collection, is_stix);
    while let Some(piece) = export.next().await.map_err(std::io::Error::other)? {
        to.write_all(piece.as_bytes())?;
    }
    to.flush()
}

/// Writes the files of a MISP feed into a folder.
///
/// # Errors
/// The database, or the folder.
pub async fn write_misp(store: &Store, stix: &Stix, dir: &std::path::Path) -> Result<(), std::io::Error> {
    let rows = misp::load(store).await.map_err(std::io::Error::other)?;
    let events = misp::events(stix, &rows);
    std::fs::create_dir_all(dir)?;
    for event in &events {
        std::fs::write(dir.join(format!("{}.json", event.id)), misp::event(stix, event).to_string())?;
    }
    std::fs::write(dir.join("hashes.csv"), misp::hashes(&events))?;
    // Last: whoever reads it finds the events that it names.
    std::fs::write(dir.join("manifest.json"), misp::manifest(stix, &events).to_string())
}

/// `/api/v1/export/{enforced|observed}.{json|csv}`.
async fn export(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    Path(file): Path<String>,
) -> Response {
    let asked = file.rsplit_once('.').and_then(|(name, ending)| Some((Collection::from_id(name)?, ending)));
    let (collection, is_stix) = match asked {
        Some((collection, "json")) => (collection, true),
        Some((collection, "csv")) => (collection, false),
        _ => {
            return problem(StatusCode::NOT_FOUND, "there are enforced and observed, each as .json and .csv");
        }
    };
    if !caller.may(collection.access()) {
        return problem(StatusCode::FORBIDDEN, "your role may not do this 您的角色无权进行此操作");
    }
    if let Err(refused) = admitted(&hub, &caller) {
        return refused;
    }
    if let Err(error) = audit::add(&hub.store, &caller.name, Action::Exported, &file, "").await {
        return failed(&error);
    }
    let export = begin(hub.store.clone(), &hub.platforms.stix, collection, is_stix);
    let pieces = stream::unfold(export, |mut export| async move {
        match export.next().await {
            Ok(piece) => piece.map(|piece| (Ok(Bytes::from(piece)), export)),
            Err(error) => {
                tracing::error!(%error, "an export broke off");
                export.state = Step::End;
                Some((Err(error), export))
            }
        }
    });
    let kind = if is_stix { super::accept::STIX } else { "text/csv; charset=utf-8; header=present" };
    let named = format!("attachment; filename=\"yumen-{file}\"");
    (
        [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, named)],
        Body::from_stream(pieces),
    )
        .into_response()
}

/// A MISP feed: `manifest.json`, `hashes.csv`, and an event a file.
async fn feed(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    Path(file): Path<String>,
) -> Response {
    if let Err(refused) = admitted(&hub, &caller) {
        return refused;
    }
    let stix = &hub.platforms.stix;
    let events = match misp::load(&hub.store).await {
        Ok(rows) => misp::events(stix, &rows),
        Err(error) => return failed(&error),
    };
    match &file[..] {
        "manifest.json" => Json(misp::manifest(stix, &events)).into_response(),
        "hashes.csv" => {
            ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], misp::hashes(&events)).into_response()
        }
        file => match events.iter().find(|event| file.strip_suffix(".json") == Some(&event.id.to_string())) {
            Some(event) => Json(misp::event(stix, event)).into_response(),
            None => problem(StatusCode::NOT_FOUND, "the feed has no such file"),
        },
    }
}

#[expect(clippy::result_large_err, reason = "the error is the answer")]
fn admitted(hub: &Hub, caller: &Caller) -> Result<(), Response> {
    hub.platforms.rate.admits(&caller.name, crate::clock::now_ms()).map_err(|wait_s| {
        let mut refused = problem(StatusCode::TOO_MANY_REQUESTS, "too many requests: wait a while");
        refused.headers_mut().insert(header::RETRY_AFTER, wait_s.into());
        refused
    })
}

/// A list comes in: STIX, MISP or CSV in the body.
async fn take(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
    body: Body,
) -> Response {
    let mut options = Options::default();
    for (key, value) in &parameters.0 {
        if options.set(key, value).is_none() {
            return problem(StatusCode::BAD_REQUEST, "format, typology and origin are known here");
        }
    }
    let Ok(bytes) = to_bytes(body, IMPORT_BODY_BYTES_MAX).await else {
        return problem(StatusCode::PAYLOAD_TOO_LARGE, "that is too large");
    };
    let judged = Arc::clone(&hub);
    let format = options.format;
    let parsed = tokio::task::spawn_blocking(move || {
        import(format, &bytes, crate::clock::now_ms(), |kind, value| is_known_good(&judged, kind, value))
    });
    let mut parsed = match parsed.await {
        Ok(Ok(parsed)) => parsed,
        Ok(Err(error @ ImportError::KnownGood)) => return problem(StatusCode::CONFLICT, &error.to_string()),
        Ok(Err(error)) => return problem(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
        Err(_) => return problem(StatusCode::INTERNAL_SERVER_ERROR, "the list could not be read"),
    };
    for one in &mut parsed.candidates {
        one.typology = one.typology.or(options.typology);
    }
    let origin = if options.origin.is_empty() { caller.name.clone() } else { options.origin };
    match open(&hub, &caller.name, "import", &origin, &parsed, crate::clock::now_ms()).await {
        Ok(Opened { new, known, refused }) => {
            let skipped: Vec<Value> =
                parsed.skipped.iter().map(|one| json!({ "what": one.what, "why": one.why })).collect();
            Json(json!({ "new": new, "known": known, "refused": refused, "skipped": skipped }))
                .into_response()
        }
        Err(error) => failed(&error),
    }
}

/// How a list is to be taken.
#[derive(Default)]
struct Options {
    format: Format,
    typology: Option<Typology>,
    origin: String,
}

impl Options {
    fn set(&mut self, key: &str, value: &str) -> Option<()> {
        match key {
            "format" => self.format = value.parse().ok()?,
            "typology" => self.typology = Some(Typology::from_id(value)?),
            "origin" if (1..=128).contains(&value.len()) => value.clone_into(&mut self.origin),
            _ => return None,
        }
        Some(())
    }
}

/// Whether an indicator is known good: to the rules that this program carries, and to those of `[share]`.
fn is_known_good(hub: &Hub, kind: &str, value: &str) -> bool {
    hub.sharer.as_ref().is_some_and(|sharer| sharer.is_known_good(kind, value))
        || KnownGood::builtin().has(kind, value)
}

/// The first that is known good.
pub(super) async fn known_good(hub: &Arc<Hub>, candidates: &[Candidate]) -> Option<String> {
    let (hub, candidates) = (Arc::clone(hub), candidates.to_vec());
    let look = tokio::task::spawn_blocking(move || {
        let good = candidates.iter().find(|one| is_known_good(&hub, &one.kind, &one.value));
        good.map(|one| format!("{}:{}", one.kind, one.value))
    });
    // A look that failed lets nothing in.
    look.await.unwrap_or_else(|_| Some("it".to_owned()))
}

/// Opens clues. One whose practice nobody says counts as fraud.
pub(super) async fn open(
    hub: &Hub,
    actor: &str,
    what: &str,
    origin: &str,
    parsed: &Parsed,
    now_ms: u64,
) -> Result<Opened, StoreError> {
    clues::open(&hub.store, actor, &format!("{what} {origin}"), &new_clues(parsed, origin), now_ms).await
}

/// As the queue takes them.
pub(crate) fn new_clues(parsed: &Parsed, origin: &str) -> Vec<NewClue> {
    let new = parsed.candidates.iter().map(|one| NewClue {
        kind: one.kind.clone(),
        value: one.value.clone(),
        typology: one.typology.unwrap_or(Typology::Fraud).id().to_owned(),
        source: Source::Import,
        origin: origin.to_owned(),
        confidence: one.confidence,
    });
    new.collect()
}
