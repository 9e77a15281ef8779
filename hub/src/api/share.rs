//! What an analyst does with indicators. There is no log-in yet, so that these only answer on this machine; a page from
//! elsewhere can't call them, since a browser asks before it sends JSON.

use super::json::Parameters;
use super::{Hub, failed, problem};
use crate::decay::DEFAULT;
use crate::share::ShareError;
use crate::store::SharedRow;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use yumen_exchange::time;

/// What is promoted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Promote {
    kind: String,
    value: String,
    typology: String,
}

/// What is taken back: a rule, or an indicator.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(super) enum Retract {
    Rule { rule: String },
    Indicator { kind: String, value: String },
}

pub(super) async fn indicators(State(hub): State<Arc<Hub>>, parameters: Parameters) -> Response {
    if !parameters.is_empty() {
        return problem(StatusCode::BAD_REQUEST, "no parameters are known here");
    }
    let now_ms = crate::clock::now_ms();
    let from_ms = now_ms.saturating_sub(DEFAULT.lifetime_ms);
    match hub.store.observed(from_ms).await {
        Ok(observed) => {
            let rows = observed.iter().map(|row| {
                json!({
                    "kind": row.kind, "value": row.value, "typology": row.typology, "members": row.members,
                    "hits": row.hits, "last": time::format(row.last_ms), "state": row.state,
                    "score": DEFAULT.score(row.last_ms, now_ms).round(),
                })
            });
            Json(json!({ "indicators": rows.collect::<Vec<Value>>() })).into_response()
        }
        Err(error) => failed(&error),
    }
}

pub(super) async fn promote(State(hub): State<Arc<Hub>>, Json(body): Json<Promote>) -> Response {
    let Some(sharer) = hub.sharer.as_ref().filter(|_| hub.local) else { return unavailable(&hub) };
    let Promote { kind, value, typology } = body;
    answer(sharer.promote(SharedRow { kind, value, typology }, crate::clock::now_ms()).await)
}

pub(super) async fn retract(State(hub): State<Arc<Hub>>, Json(body): Json<Retract>) -> Response {
    let Some(sharer) = hub.sharer.as_ref().filter(|_| hub.local) else { return unavailable(&hub) };
    let now_ms = crate::clock::now_ms();
    answer(match body {
        Retract::Rule { rule } => sharer.retract_rule(&rule, now_ms).await,
        Retract::Indicator { kind, value } => sharer.retract(&kind, &value, now_ms).await,
    })
}

pub(super) fn unavailable(hub: &Hub) -> Response {
    if hub.sharer.is_none() {
        return problem(StatusCode::CONFLICT, "the hub has no [share] in its configuration");
    }
    problem(StatusCode::FORBIDDEN, "the console listens for other machines, and nobody's name is asked yet")
}

pub(super) fn answer(done: Result<(), ShareError>) -> Response {
    match done {
        Ok(()) => Json(json!({ "done": true })).into_response(),
        Err(ShareError::Store(error)) => failed(&error),
        Err(error @ ShareError::KnownGood(_)) => problem(StatusCode::CONFLICT, &error.to_string()),
        Err(error @ (ShareError::Channel | ShareError::NoPack)) => {
            problem(StatusCode::NOT_FOUND, &error.to_string())
        }
        Err(error @ ShareError::Unknown) => problem(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
        Err(error) => {
            tracing::error!(%error, "a pack could not be made");
            problem(StatusCode::INTERNAL_SERVER_ERROR, "the pack can't be made; the log says why")
        }
    }
}
