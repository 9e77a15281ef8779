//! A TAXII 2.1 server: `/taxii2/` names one API root, which has a collection of what is enforced, one of what members saw,
//! and one that is written to: what comes in there becomes clues.
//!
//! ```text
//! request → gate (who asks) → rate → Accept → collection: may they? → objects (page) → store
//! ```

use super::accept::{STIX, TAXII, accepts, is_taxii};
use super::export::Collection;
use super::objects::{Page, Query, added, page};
use super::stix::version;
use super::{Parsed, read};
use crate::accounts::{Access, Caller};
use crate::api::access::Routes;
use crate::api::{Hub, Parameters, failed};
use crate::limits::{TAXII_BODY_BYTES_MAX, TAXII_OBJECTS_MAX};
use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;
use yumen_exchange::time;

/// Where it is.
pub(crate) const BASE: &str = "/taxii2/";
/// How long it is told what came of a request.
const STATUS_MS: u64 = 86_400_000;

/// Its routes. TAXII's paths end with a slash.
pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/taxii2/", Access::Member, discovery)
        .get("/taxii2/hub/", Access::Member, root)
        .get("/taxii2/hub/status/{id}/", Access::Member, status)
        .get("/taxii2/hub/collections/", Access::Member, collections)
        .get("/taxii2/hub/collections/{id}/", Access::Member, collection)
        .get("/taxii2/hub/collections/{id}/manifest/", Access::Member, manifest)
        .get("/taxii2/hub/collections/{id}/objects/", Access::Member, objects)
        .post("/taxii2/hub/collections/{id}/objects/", Access::Member, add)
        .get("/taxii2/hub/collections/{id}/objects/{object}/", Access::Member, object)
        .get("/taxii2/hub/collections/{id}/objects/{object}/versions/", Access::Member, versions)
}

/// Who asks for what, and how.
type Asked = (State<Arc<Hub>>, Extension<Caller>, HeaderMap);

/// The collection that is written to.
const INBOX: &str = "clues";

/// §4.1.
async fn discovery(asked: Asked) -> Response {
    let hub = match admitted(&asked) {
        Ok(hub) => hub,
        Err(refused) => return refused,
    };
    answer(&json!({
        "title": hub.platforms.stix.name(),
        "description": "Indicators of financial fraud over SMS and calls 短信与电话金融黑灰产指标",
        "default": "/taxii2/hub/",
        "api_roots": ["/taxii2/hub/"],
    }))
}

/// §4.2.
async fn root(asked: Asked) -> Response {
    let hub = match admitted(&asked) {
        Ok(hub) => hub,
        Err(refused) => return refused,
    };
    answer(&json!({
        "title": hub.platforms.stix.name(),
        "versions": [TAXII],
        "max_content_length": TAXII_BODY_BYTES_MAX,
    }))
}

/// §5.1.
async fn collections(asked: Asked) -> Response {
    let hub = match admitted(&asked) {
        Ok(hub) => hub,
        Err(refused) => return refused,
    };
    let readable = Collection::ALL.into_iter().filter(|one| asked.1.may(one.access()));
    let mut all: Vec<Value> = readable.map(|one| described(hub, one)).collect();
    all.push(inbox(hub));
    answer(&json!({ "collections": all }))
}

/// §5.2.
async fn collection(asked: Asked, Path(id): Path<String>) -> Response {
    let hub = match admitted(&asked) {
        Ok(hub) => hub,
        Err(refused) => return refused,
    };
    if is_inbox(hub, &id) {
        return answer(&inbox(hub));
    }
    match readable(hub, &asked.1, &id) {
        Ok(collection) => answer(&described(hub, collection)),
        Err(refused) => refused,
    }
}

fn described(hub: &Hub, collection: Collection) -> Value {
    let (title, description) = collection.titles();
    json!({
        "id": hub.platforms.stix.id("collection", &[collection.id()]), "alias": collection.id(), "title": title,
        "description": description, "can_read": true, "can_write": false, "media_types": [STIX],
    })
}

fn inbox(hub: &Hub) -> Value {
    json!({
        "id": hub.platforms.stix.id("collection", &[INBOX]), "alias": INBOX, "title": "Clues 线索",
        "description": "What is written here is put before an analyst, and enforced nowhere before that.",
        "can_read": false, "can_write": true, "media_types": [STIX],
    })
}

fn is_inbox(hub: &Hub, id: &str) -> bool {
    id == INBOX || id == hub.platforms.stix.id("collection", &[INBOX]).to_string()
}

/// The collection of this id or alias, where the caller may read it; others don't exist for them.
#[expect(clippy::result_large_err, reason = "the error is the answer")]
fn readable(hub: &Hub, caller: &Caller, id: &str) -> Result<Collection, Response> {
    let named = |one: &Collection| {
        one.id() == id || hub.platforms.stix.id("collection", &[one.id()]).to_string() == id
    };
    let found = Collection::ALL.into_iter().find(named).filter(|one| caller.may(one.access()));
    found.ok_or_else(|| {
        if is_inbox(hub, id) {
            error(StatusCode::FORBIDDEN, "this collection is only written to")
        } else {
            error(StatusCode::NOT_FOUND, "there is no such collection")
        }
    })
}

/// §5.4.
async fn objects(asked: Asked, Path(id): Path<String>, parameters: Parameters) -> Response {
    paged(&asked, &id, None, &parameters.0, |page| {
        if page.objects.is_empty() { json!({}) } else { json!({ "objects": page.objects }) }
    })
    .await
}

/// §5.6.
async fn object(
    asked: Asked,
    Path((id, object)): Path<(String, String)>,
    parameters: Parameters,
) -> Response {
    let envelope = |page: &Page| json!({ "objects": page.objects });
    paged(&asked, &id, Some(object), &parameters.0, envelope).await
}

/// §5.3.
async fn manifest(asked: Asked, Path(id): Path<String>, parameters: Parameters) -> Response {
    paged(&asked, &id, None, &parameters.0, |page| {
        let records = page.objects.iter().map(|object| {
            json!({
                "id": object.get("id"), "date_added": added(object), "version": version(object), "media_type": STIX,
            })
        });
        let records: Vec<Value> = records.collect();
        if records.is_empty() { json!({}) } else { json!({ "objects": records }) }
    })
    .await
}

/// §5.8.
async fn versions(
    asked: Asked,
    Path((id, object)): Path<(String, String)>,
    parameters: Parameters,
) -> Response {
    paged(&asked, &id, Some(object), &parameters.0, |page| {
        let versions: Vec<&str> = page.objects.iter().map(version).collect();
        json!({ "versions": versions })
    })
    .await
}

/// A page of a collection, or of one object in it, as `shown`.
async fn paged(
    asked: &Asked,
    id: &str,
    object: Option<String>,
    parameters: &[(String, String)],
    shown: impl Fn(&Page) -> Value,
) -> Response {
    let hub = match admitted(asked) {
        Ok(hub) => hub,
        Err(refused) => return refused,
    };
    let collection = match readable(hub, &asked.1, id) {
        Ok(collection) => collection,
        Err(refused) => return refused,
    };
    let mut query = match Query::parse(parameters) {
        Ok(query) => query,
        Err(wrong) => return error(StatusCode::BAD_REQUEST, &wrong.to_string()),
    };
    let is_one = object.is_some();
    if let Some(object) = object {
        query.ids = Some(vec![object]);
    }
    let found = page(&hub.store, &hub.platforms.stix, collection, &query, crate::clock::now_ms()).await;
    let page = match found {
        Ok(page) => page,
        Err(error) => return failed(&error),
    };
    if is_one && page.objects.is_empty() {
        return error(StatusCode::NOT_FOUND, "there is no such object in this collection");
    }
    let mut body = shown(&page);
    if let (Some(next), Some(body)) = (&page.next, body.as_object_mut()) {
        body.insert("more".to_owned(), json!(true));
        body.insert("next".to_owned(), json!(next));
    }
    let mut response = answer(&body);
    if let (Some(first), Some(last)) = (page.objects.first(), page.objects.last()) {
        for (name, object) in [("x-taxii-date-added-first", first), ("x-taxii-date-added-last", last)] {
            if let Ok(value) = added(object).parse() {
                response.headers_mut().insert(name, value);
            }
        }
    }
    response
}

/// §5.5: what is added becomes clues. The objects that give no clue are said one by one.
async fn add(asked: Asked, Path(id): Path<String>, body: Body) -> Response {
    let hub = match admitted(&asked) {
        Ok(hub) => hub,
        Err(refused) => return refused,
    };
    if !is_inbox(hub, &id) {
        return match readable(hub, &asked.1, &id) {
            Ok(_) => error(StatusCode::FORBIDDEN, "this collection is only read"),
            Err(refused) => refused,
        };
    }
    let kind = asked.2.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !is_taxii(kind) {
        return error(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "what is added is application/taxii+json;version=2.1",
        );
    }
    let Ok(bytes) = to_bytes(body, TAXII_BODY_BYTES_MAX).await else {
        return error(StatusCode::PAYLOAD_TOO_LARGE, "that is too large");
    };
    let objects = match serde_json::from_slice::<Value>(&bytes) {
        Ok(Value::Object(mut envelope)) => match envelope.remove("objects") {
            Some(Value::Array(objects)) if objects.len() <= TAXII_OBJECTS_MAX => objects,
            Some(Value::Array(_)) => {
                return error(StatusCode::PAYLOAD_TOO_LARGE, "there are too many objects for one request");
            }
            _ => return error(StatusCode::UNPROCESSABLE_ENTITY, "an envelope has 'objects'"),
        },
        _ => return error(StatusCode::BAD_REQUEST, "the body isn't an envelope in JSON"),
    };
    accept(hub, &asked.1, &objects).await
}

async fn accept(hub: &Arc<Hub>, caller: &Caller, objects: &[Value]) -> Response {
    let now_ms = crate::clock::now_ms();
    let origin = caller.member.as_ref().map_or_else(|| caller.name.clone(), ToString::to_string);
    let mut all = Vec::new();
    let (mut taken, mut refused) = (Vec::new(), Vec::new());
    for object in objects {
        let detail = |message: &str| {
            json!({
                "id": object.get("id").and_then(Value::as_str).unwrap_or_default(),
                "version": version(object), "message": message,
            })
        };
        match read::stix_object(object, now_ms) {
            Ok(candidates) if candidates.is_empty() => taken.push(detail("context: not kept")),
            Ok(candidates) => {
                let good = super::export::known_good(hub, &candidates).await;
                match good {
                    Some(good) => refused.push(detail(&format!("{good} is known good"))),
                    None => {
                        taken.push(detail("a clue"));
                        all.extend(candidates);
                    }
                }
            }
            Err(why) => refused.push(detail(why)),
        }
    }
    let parsed = Parsed { candidates: all, skipped: Vec::new() };
    if let Err(error) = super::export::open(hub, &caller.name, "taxii", &origin, &parsed, now_ms).await {
        return failed(&error);
    }
    let id = Uuid::now_v7().to_string();
    let status = json!({
        "id": id, "status": "complete", "request_timestamp": time::format(now_ms), "total_count": objects.len(),
        "success_count": taken.len(), "successes": taken, "failure_count": refused.len(), "failures": refused,
        "pending_count": 0,
    });
    let kept = hub
        .store
        .keep_status((&id, &caller.name), &status.to_string(), now_ms, now_ms.saturating_sub(STATUS_MS))
        .await;
    match kept {
        Ok(()) => (StatusCode::ACCEPTED, answer(&status)).into_response(),
        Err(error) => failed(&error),
    }
}

/// §4.3.
async fn status(asked: Asked, Path(id): Path<String>) -> Response {
    let hub = match admitted(&asked) {
        Ok(hub) => hub,
        Err(refused) => return refused,
    };
    match hub.store.status(&id, &asked.1.name).await {
        Ok(Some(text)) => ([(header::CONTENT_TYPE, TAXII)], text).into_response(),
        Ok(None) => error(StatusCode::NOT_FOUND, "nothing of that id was added by you within a day"),
        Err(error) => failed(&error),
    }
}

/// Whether the caller may ask now, and takes what will be answered.
#[expect(clippy::result_large_err, reason = "the error is the answer")]
fn admitted((State(hub), Extension(caller), headers): &Asked) -> Result<&Arc<Hub>, Response> {
    if let Err(wait_s) = hub.platforms.rate.admits(&caller.name, crate::clock::now_ms()) {
        let mut refused = error(StatusCode::TOO_MANY_REQUESTS, "too many requests: wait a while");
        refused.headers_mut().insert(header::RETRY_AFTER, wait_s.into());
        return Err(refused);
    }
    let ranges = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    if accepts(ranges) {
        Ok(hub)
    } else {
        Err(error(StatusCode::NOT_ACCEPTABLE, "only application/taxii+json;version=2.1 is spoken here"))
    }
}

fn answer(body: &Value) -> Response {
    ([(header::CONTENT_TYPE, TAXII)], body.to_string()).into_response()
}

/// §3.6.1.
fn error(status: StatusCode, description: &str) -> Response {
    let title = status.canonical_reason().unwrap_or("error");
    let body =
        json!({ "title": title, "description": description, "http_status": status.as_u16().to_string() });
    (status, answer(&body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_taxiis_own() {
        let response = error(StatusCode::NOT_FOUND, "no");
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.headers()[header::CONTENT_TYPE], TAXII);
    }
}
