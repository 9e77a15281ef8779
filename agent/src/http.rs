//! `/healthz`, `/readyz`, `/metrics`.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde::Serialize;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Whether the agent can do its work; `ready` only where every part can.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Readiness {
    /// A pack is loaded.
    pub pack: bool,
    /// Every listener accepts.
    pub listeners: bool,
    /// The spool takes records.
    pub spool: bool,
    /// The agent is ending, and takes no new connection.
    pub draining: bool,
}

impl Readiness {
    /// All of it.
    #[must_use]
    pub const fn ready(&self) -> bool {
        self.pack && self.listeners && self.spool && !self.draining
    }
}

struct Shared {
    registry: Registry,
    readiness: Box<dyn Fn() -> Readiness + Send + Sync>,
}

/// Serves until `stop` turns true.
///
/// # Errors
/// The listener fails.
pub async fn serve(
    listener: TcpListener,
    registry: Registry,
    readiness: impl Fn() -> Readiness + Send + Sync + 'static,
    mut stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let shared = Arc::new(Shared { registry, readiness: Box::new(readiness) });
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(shared);
    // A closed channel means that the agent is gone: stop as well.
    axum::serve(listener, router)
        .with_graceful_shutdown(async move {
            let _gone = stop.wait_for(|stop| *stop).await;
        })
        .await
}

async fn readyz(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let readiness = (shared.readiness)();
    let status = if readiness.ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(readiness))
}

async fn metrics(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let mut text = String::new();
    match encode(&mut text, &shared.registry) {
        Ok(()) => (
            StatusCode::OK,
            [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")],
            text,
        ),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, [(header::CONTENT_TYPE, "text/plain")], String::new()),
    }
}
