//! HTTP: a thin layer over the logic.
//!
//! ```text
//! request → guard (host, method) → route → sightings, agents → store
//! ```

mod guard;
mod json;
mod packs;
mod share;
mod stream;

pub use stream::Streams;
pub(crate) use stream::open as open_stream;

use crate::console;
use crate::metrics::Metrics;
use crate::share::Sharer;
use crate::store::{Store, StoreError};
use crate::titles::Titles;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What every request may need.
pub struct Hub {
    /// The database.
    pub store: Store,
    /// Names of rules.
    pub titles: Titles,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The same, to be shown.
    pub registry: Registry,
    /// Packs for all members.
    pub sharer: Option<Arc<Sharer>>,
    /// Whether this hub does what one does for all on its database.
    pub leads: Arc<AtomicBool>,
    /// Whether only this machine can ask.
    pub local: bool,
    /// Live streams.
    pub streams: Streams,
    /// Whether the hub is subscribed at the broker.
    pub subscribed: Box<dyn Fn() -> bool + Send + Sync>,
}

/// All routes. `allowed_hosts` are names beside this machine's own and `bind`.
pub fn router(hub: Arc<Hub>, bind: SocketAddr, allowed_hosts: &[String]) -> Router {
    let hosts = Arc::new(guard::Hosts::new(bind, allowed_hosts));
    Router::new()
        .route("/api/v1/sightings", get(json::sightings))
        .route("/api/v1/sightings/stream", get(stream::sightings))
        .route("/api/v1/sightings/{id}", get(json::sighting))
        .route("/api/v1/agents", get(json::agents))
        .route("/api/v1/indicators", get(share::indicators))
        .route("/api/v1/promote", post(share::promote))
        .route("/api/v1/retract", post(share::retract))
        .route("/api/v1/packs", get(packs::packs))
        .route("/api/v1/packs/{channel}", get(packs::newest))
        .route("/api/v1/rollout", post(packs::roll_out))
        .route("/api/v1/rollback", post(packs::roll_back))
        .merge(console::routes())
        .layer(axum::middleware::from_fn_with_state(hosts, guard::check))
        // Who watches the hub calls it by whatever name it has there.
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(hub)
}

async fn readyz(State(hub): State<Arc<Hub>>) -> Response {
    let database = hub.store.ping().await.is_ok();
    let subscribed = (hub.subscribed)();
    let status = if database && subscribed { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let leads = hub.leads.load(Ordering::Relaxed);
    (
        status,
        axum::Json(serde_json::json!({ "database": database, "subscribed": subscribed, "leads": leads })),
    )
        .into_response()
}

async fn metrics(State(hub): State<Arc<Hub>>) -> Response {
    let mut text = String::new();
    match encode(&mut text, &hub.registry) {
        Ok(()) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A failure of the hub itself: said in the log, not to whoever asked.
pub(crate) fn failed(error: &StoreError) -> Response {
    tracing::error!(%error, "a request could not be answered");
    problem(StatusCode::INTERNAL_SERVER_ERROR, "the database can't be read")
}

/// RFC 9457.
pub(crate) fn problem(status: StatusCode, detail: &str) -> Response {
    let body = serde_json::json!({ "status": status.as_u16(), "detail": detail });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}
