//! Packs over HTTP: for whoever doesn't follow the broker, and for those who roll them out.

use super::share::{answer, unavailable};
use super::{Hub, failed, problem};
use crate::accounts::Caller;
use crate::audit::{self, Action};
use crate::store::PackRow;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use yumen_exchange::rollout::ALL;
use yumen_exchange::time;

/// How far a pack goes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RollOut {
    channel: String,
    percent: u8,
}

/// Where it goes back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RollBack {
    channel: String,
}

/// Every channel: its packs, who runs which, who lags.
pub(super) async fn packs(State(hub): State<Arc<Hub>>) -> Response {
    let Some(sharer) = &hub.sharer else { return Json(json!({ "channels": [] })).into_response() };
    match sharer.overview(crate::clock::now_ms()).await {
        Ok(channels) => {
            let channels = channels.iter().map(|channel| {
                let lagging =
                    channel.lagging.iter().map(|(agent, serial)| json!({ "agent": agent, "serial": serial }));
                json!({
                    "channel": channel.channel,
                    "packs": channel.packs.iter().map(pack).collect::<Vec<_>>(),
                    "agents": channel.agents,
                    "lagging": lagging.collect::<Vec<_>>(),
                })
            });
            Json(json!({ "channels": channels.collect::<Vec<_>>() })).into_response()
        }
        Err(error) => answer(Err(error)),
    }
}

fn pack(pack: &PackRow) -> Value {
    json!({
        "serial": pack.serial, "created": time::format(pack.created_ms), "rules": pack.base,
        "percent": f64::from(pack.share) * 100.0 / f64::from(ALL), "withdrawn": pack.withdrawn, "bytes": pack.length,
    })
}

/// A channel's newest pack; 304 where it is the one that the caller has.
pub(super) async fn newest(
    State(hub): State<Arc<Hub>>,
    Path(channel): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(sharer) = &hub.sharer else { return unavailable() };
    let tag = |serial: u64| format!("\"{serial}\"");
    match sharer.newest(&channel).await {
        Ok(serial) if is_known(&headers, &tag(serial)) => {
            return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag(serial))]).into_response();
        }
        Ok(_) => {}
        Err(error) => return answer(Err(error)),
    }
    match sharer.offered(&channel).await {
        Ok(pack) => {
            let named = [
                (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
                (header::ETAG, tag(pack.serial)),
                (header::CACHE_CONTROL, "no-cache".to_owned()),
            ];
            (named, pack.bytes).into_response()
        }
        Err(error) => answer(Err(error)),
    }
}

/// RFC 9110 §13.1.2, with the weak comparison that it asks for.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

pub(super) async fn roll_out(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    Json(body): Json<RollOut>,
) -> Response {
    let Some(sharer) = &hub.sharer else { return unavailable() };
    if body.percent > 100 {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "'percent' is 0 to 100");
    }
    let detail = format!("{} %", body.percent);
    if let Err(error) = audit::add(&hub.store, &caller.name, Action::RolledOut, &body.channel, &detail).await
    {
        return failed(&error);
    }
    answer(sharer.roll_out(&body.channel, body.percent, crate::clock::now_ms()).await)
}

pub(super) async fn roll_back(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    Json(body): Json<RollBack>,
) -> Response {
    let Some(sharer) = &hub.sharer else { return unavailable() };
    if let Err(error) = audit::add(&hub.store, &caller.name, Action::RolledBack, &body.channel, "").await {
        return failed(&error);
    }
    match sharer.roll_back(&body.channel, crate::clock::now_ms()).await {
        Ok(serial) => Json(json!({ "done": true, "serial": serial })).into_response(),
        Err(error) => answer(Err(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_of_the_callers_tags_counts() {
        let known = |value: &'static str| {
            is_known(&HeaderMap::from_iter([(header::IF_NONE_MATCH, value.parse().unwrap())]), "\"7\"")
        };
        assert!(known("\"7\"") && known("\"6\", \"7\"") && known("W/\"7\"") && known("*"));
        assert!(!known("\"77\"") && !known("7") && !is_known(&HeaderMap::new(), "\"7\""));
    }
}
