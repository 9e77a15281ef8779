//! The API's answers.

use super::{Hub, failed, problem};
use crate::accounts::Caller;
use crate::agents::{self, Agent};
use crate::sightings::{Query, QueryError};
use crate::store::Row;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;
use yumen_exchange::time;

/// The parameters of a URL, in order.
pub(crate) type Parameters = axum::extract::Query<Vec<(String, String)>>;

/// Reads a query.
///
/// # Errors
/// What is wrong with it, for [`refused`].
pub(crate) fn query(parameters: &Parameters) -> Result<Query, QueryError> {
    Query::parse(parameters.iter().map(|(key, value)| (&key[..], &value[..])))
}

/// The answer to a bad query.
pub(crate) fn refused(error: &QueryError) -> Response {
    problem(StatusCode::BAD_REQUEST, &error.to_string())
}

/// A sighting as the API gives it.
pub(crate) fn value(row: &Row) -> Value {
    json!({
        "id": row.id,
        "arrival": row.arrival,
        "member": row.member,
        "agent": row.agent,
        "time": time::format(row.time_ms),
        "received": time::format(row.received_ms),
        "data": row.data,
    })
}

pub(super) async fn sightings(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
) -> Response {
    let mut query = match query(&parameters) {
        Ok(query) => query,
        Err(error) => return refused(&error),
    };
    super::scoped(&mut query.filter, &caller);
    match query.page(&hub.store).await {
        Ok(page) => {
            let rows: Vec<Value> = page.rows.iter().map(value).collect();
            Json(json!({ "sightings": rows, "next": page.next })).into_response()
        }
        Err(error) => failed(&error),
    }
}

pub(super) async fn sighting(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Response {
    let Ok(id) = id.parse::<Uuid>() else {
        return problem(StatusCode::BAD_REQUEST, "an id is a UUID");
    };
    match hub.store.sighting(id).await {
        Ok(Some(row)) if caller.sees(&row.member) => Json(value(&row)).into_response(),
        // Another member's isn't there for them.
        Ok(_) => problem(StatusCode::NOT_FOUND, "no such sighting"),
        Err(error) => failed(&error),
    }
}

pub(super) async fn agents(State(hub): State<Arc<Hub>>, Extension(caller): Extension<Caller>) -> Response {
    match agents::seen_by(&caller, &hub.store, crate::clock::now_ms()).await {
        Ok(agents) => Json(json!({ "agents": agents.iter().map(agent).collect::<Vec<_>>() })).into_response(),
        Err(error) => failed(&error),
    }
}

fn agent(agent: &Agent) -> Value {
    json!({
        "member": agent.member,
        "agent": agent.agent,
        "health": agent.health,
        "heard": time::format(agent.heard_ms),
        "status": agent.status,
    })
}
