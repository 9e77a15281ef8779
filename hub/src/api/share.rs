//! What an analyst does with indicators. Each act stands in the audit log before it is done.

use super::json::Parameters;
use super::{Hub, failed, problem};
use crate::accounts::Caller;
use crate::audit::{self, Action};
use crate::decay::DEFAULT;
use crate::share::ShareError;
use crate::store::SharedRow;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
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
                    "score": DEFAULT.disputed(row.last_ms, now_ms, row.disputes).round(),
                    "disputes": row.disputes,
                })
            });
            Json(json!({ "indicators": rows.collect::<Vec<Value>>() })).into_response()
        }
        Err(error) => failed(&error),
    }
}

pub(super) async fn promote(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    Json(body): Json<Promote>,
) -> Response {
    let Some(sharer) = &hub.sharer else { return unavailable() };
    let Promote { kind, value, typology } = body;
    let subject = format!("{kind}:{value}");
    if let Err(error) = audit::add(&hub.store, &caller.name, Action::Promote, &subject, &typology).await {
        return failed(&error);
    }
    answer(sharer.promote(SharedRow { kind, value, typology }, crate::clock::now_ms()).await)
}

pub(super) async fn retract(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    Json(body): Json<Retract>,
) -> Response {
    let Some(sharer) = &hub.sharer else { return unavailable() };
    let now_ms = crate::clock::now_ms();
    let subject = match &body {
        Retract::Rule { rule } => format!("rule {rule}"),
        Retract::Indicator { kind, value } => format!("{kind}:{value}"),
    };
    if let Err(error) = audit::add(&hub.store, &caller.name, Action::Retract, &subject, "").await {
        return failed(&error);
    }
    answer(match body {
        Retract::Rule { rule } => sharer.retract_rule(&rule, now_ms).await,
        Retract::Indicator { kind, value } => sharer.retract(&kind, &value, now_ms).await,
    })
}

pub(super) fn unavailable() -> Response {
    problem(StatusCode::CONFLICT, "the hub has no [share] in its configuration")
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
