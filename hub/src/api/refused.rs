//! What was refused: messages at the hub, and packs and retractions at the agents.

use super::{Hub, failed};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use yumen_exchange::time;

pub(super) async fn refusals(State(hub): State<Arc<Hub>>) -> Response {
    let (refusals, agents) = match (hub.store.refusals().await, hub.store.agents().await) {
        (Ok(refusals), Ok(agents)) => (refusals, agents),
        (Err(error), _) | (_, Err(error)) => return failed(&error),
    };
    let messages = refusals.iter().map(|row| {
        json!({
            "member": row.member, "agent": row.agent, "reason": row.reason, "count": row.count,
            "first": time::format(row.first_ms), "last": time::format(row.last_ms),
        })
    });
    let packs = agents.iter().flat_map(|agent| {
        agent.status.refused.iter().map(|refused| {
            json!({
                "member": agent.member, "agent": agent.agent, "what": refused.what, "reason": refused.reason,
                "count": refused.count, "last": time::format(refused.last_ms),
            })
        })
    });
    Json(json!({
        "messages": messages.collect::<Vec<Value>>(),
        "packs": packs.collect::<Vec<Value>>(),
    }))
    .into_response()
}
