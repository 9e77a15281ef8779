//! HTTP: a thin layer over the logic.
//!
//! ```text
//! request → guard (host) → gate of the route (who asks, what they may) → handler → sightings, agents → store
//! ```

pub(crate) mod access;
mod enrol;
mod guard;
mod json;
mod listen;
mod openapi;
mod packs;
pub(crate) mod people;
mod refused;
mod share;
mod stream;

pub use access::Declared;
pub(crate) use json::Parameters;
pub use listen::{HttpsError, Peer, TlsListener, https};
pub(crate) use listen::{serial, server_config};
pub use openapi::description;
pub use stream::Streams;
pub(crate) use stream::open as open_stream;

use crate::accounts::{Access, Accounts, Caller, Limiter};
use crate::enrol::Enrolment;
use access::Routes;
use yumen_exchange::enrol::{CA_PATH, ENROL_PATH, RENEW_PATH};

use crate::console;
use crate::metrics::Metrics;
use crate::platforms;
use crate::rulebook::Rulebook;
use crate::share::Sharer;
use crate::store::{Store, StoreError};
use crate::titles::Titles;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
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
    /// Who may ask.
    pub accounts: Accounts,
    /// How often an address may try a secret.
    pub limiter: Limiter,
    /// Certificates of agents.
    pub enrolment: Enrolment,
    /// Whose messages are taken.
    pub trust: Arc<crate::trust::Trust>,
    /// The rules, as sources.
    pub rulebook: Arc<Rulebook>,
    /// Labelled messages on which rules are replayed.
    pub corpus: Vec<std::path::PathBuf>,
    /// How appeals are answered.
    pub appeals: crate::config::Appeals,
    /// Wakes live streams after something was committed here.
    pub told: tokio::sync::watch::Sender<u64>,
    /// What other platforms are given.
    pub platforms: crate::platforms::Platforms,
    /// Whether everybody needs a second factor.
    pub second_factor: bool,
    /// Whether cookies are for HTTPS only.
    pub secure: bool,
    /// Whether nobody is asked who they are.
    pub demonstration: bool,
    /// What the first administrator's link carries; none once there is anybody.
    pub set_up: std::sync::Mutex<Option<String>>,
    /// Live streams.
    pub streams: Streams,
    /// Whether the hub is subscribed at the broker.
    pub subscribed: Box<dyn Fn() -> bool + Send + Sync>,
}

/// All routes, and who may enter each. `allowed_hosts` are names beside this machine's own and `bind`.
pub fn router(hub: Arc<Hub>, bind: SocketAddr, allowed_hosts: &[String]) -> (Router, Vec<Declared>) {
    let hosts = Arc::new(guard::Hosts::new(bind, allowed_hosts));
    let routes = Routes::new(Arc::clone(&hub))
        .get("/api/v1/sightings", Access::Member, json::sightings)
        .get("/api/v1/sightings/stream", Access::Member, stream::sightings)
        .get("/api/v1/sightings/{id}", Access::Member, json::sighting)
        .get("/api/v1/agents", Access::Member, json::agents)
        .get("/api/v1/indicators", Access::Reader, share::indicators)
        .get("/api/v1/refusals", Access::Reader, refused::refusals)
        .post("/api/v1/promote", Access::Analyst, share::promote)
        .post("/api/v1/retract", Access::Analyst, share::retract)
        .get("/api/v1/packs", Access::Reader, packs::packs)
        // Packs are signed, and for all.
        .get("/api/v1/packs/{channel}", Access::Public, packs::newest)
        .post("/api/v1/rollout", Access::Analyst, packs::roll_out)
        .post("/api/v1/rollback", Access::Analyst, packs::roll_back)
        .get("/api/v1/clues", Access::Reader, people::clues)
        .post("/api/v1/clues", Access::Analyst, people::open_clues)
        .post("/api/v1/clues/change", Access::Analyst, people::change_clue)
        .post("/api/v1/clues/accept", Access::Analyst, people::accept_clue)
        .get("/api/v1/appeals", Access::Member, people::appeals)
        .post("/api/v1/appeals", Access::Reporter, people::open_appeal)
        .post("/api/v1/appeals/answer", Access::Analyst, people::answer_appeal)
        .post("/api/v1/complaints", Access::Reporter, people::complain)
        .get("/api/v1/openapi.json", Access::Public, openapi::openapi)
        .get("/api/v1/asyncapi.json", Access::Public, openapi::asyncapi)
        .get(CA_PATH, Access::Public, enrol::authority)
        .get("/enrol/v1/crl", Access::Public, enrol::revocations)
        .post(ENROL_PATH, Access::Public, enrol::enrol)
        .post(RENEW_PATH, Access::Public, enrol::renew);
    let routes = platforms::taxii_routes(platforms::export_routes(routes));
    let (router, declared) = console::routes(routes).into_parts();
    let router = router
        .layer(axum::extract::DefaultBodyLimit::max(crate::limits::BODY_BYTES_MAX))
        .layer(axum::middleware::from_fn_with_state(hosts, guard::check))
        // Who watches the hub calls it by whatever name it has there.
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(hub);
    (router, declared)
}

/// A member's analyst sees the member's rows, whatever they ask for.
pub(crate) fn scoped(filter: &mut crate::store::Filter, caller: &Caller) {
    if let Some(member) = &caller.member {
        filter.member = Some(member.to_string());
    }
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
