//! The routes: who asks, what is asked, what is answered.

use super::access::Caller;
use super::model::{Answers, Batch, Object, Outcome, Question};
use super::problem::Problem;
use super::serve::Peer;
use super::{Shared, decide};
use crate::limits::API_BODY_BYTES_MAX;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Instant;

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/decisions", post(decisions))
        .route("/v1/decisions/batch", post(batch))
        .route("/v1/outcomes", post(outcomes))
        .route("/v1/appeals/{appeal_id}", get(appeal))
        .route("/v1/openapi.json", get(description))
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::method() })
        .with_state(shared)
}

async fn decisions(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, Problem> {
    let (caller, body, began) = shared.take(request).await?;
    let question: Question = shared.parse(&body)?;
    shared.checked(question.check(""))?;
    shared.charge(&caller, 1)?;
    Ok(Json(decide::answer(&shared, &question, began)).into_response())
}

async fn batch(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, Problem> {
    let (caller, body, _) = shared.take(request).await?;
    let Object(batch): Object<Batch> = shared.parse(&body)?;
    shared.checked(batch.check())?;
    shared.charge(&caller, batch.items.len())?;
    // The deadline is one question's, not the batch's.
    let answers = batch.items.iter().map(|question| decide::answer(&shared, question, Instant::now()));
    Ok(Json(Answers { answers: answers.collect() }).into_response())
}

async fn outcomes(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, Problem> {
    let (caller, body, _) = shared.take(request).await?;
    let Object(outcome): Object<Outcome> = shared.parse(&body)?;
    shared.checked(outcome.check())?;
    shared.charge(&caller, 1)?;
    shared.counters.add(|counters| &counters.outcomes);
    decide::outcome(&shared, &outcome);
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn appeal(
    State(shared): State<Arc<Shared>>,
    Path(appeal_id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let caller = shared.identify(&request)?;
    shared.charge(&caller, 1)?;
    shared.appeals.find(&appeal_id).map(|appeal| Json(appeal).into_response()).ok_or_else(Problem::not_found)
}

async fn description(State(shared): State<Arc<Shared>>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], Body::from(shared.description.clone())).into_response()
}

impl Shared {
    /// Who asks, the whole body, and when the wait for a decision began.
    async fn take(&self, request: Request) -> Result<(Caller, Bytes, Instant), Problem> {
        self.counters.add(|counters| &counters.requests);
        let caller = self.identify(&request)?;
        if !is_json(request.headers()) {
            return self.checked(Err(Problem::media_type()));
        }
        let announced = request.headers().get(header::CONTENT_LENGTH);
        let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|length| length > API_BODY_BYTES_MAX) {
            return self.checked(Err(Problem::too_large()));
        }
        let body = axum::body::to_bytes(request.into_body(), API_BODY_BYTES_MAX);
        let body = match tokio::time::timeout(self.body_timeout, body).await {
            Ok(Ok(body)) => body,
            Ok(Err(_)) => return self.checked(Err(Problem::too_large())),
            Err(_) => return self.checked(Err(Problem::too_slow())),
        };
        Ok((caller, body, Instant::now()))
    }

    fn identify(&self, request: &Request) -> Result<Caller, Problem> {
        let peer = request.extensions().get::<Peer>();
        let authorization = request.headers().get(header::AUTHORIZATION).map(|value| value.as_bytes());
        self.access.identify(authorization, peer.and_then(|peer| peer.certificate)).inspect_err(|_| {
            self.counters.add(|counters| &counters.unauthorized);
            let shown = authorization.is_some();
            match peer {
                // What was shown may be a secret with one letter wrong.
                Some(peer) => tracing::warn!(peer = %peer.address, shown, "ApiUnauthorized"),
                None => tracing::warn!(shown, "ApiUnauthorized"),
            }
        })
    }

    fn charge(&self, caller: &Caller, decisions: usize) -> Result<(), Problem> {
        self.access
            .charge(caller, decisions, Instant::now())
            .inspect_err(|_| self.counters.add(|counters| &counters.rate_limited))
    }

    fn parse<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, Problem> {
        // The path to a defect is looked for only where there is one.
        self.checked(serde_json::from_slice(body).map_err(|error| explain::<T>(body, &error)))
    }

    fn checked<T>(&self, checked: Result<T, Problem>) -> Result<T, Problem> {
        checked.inspect_err(|_| self.counters.add(|counters| &counters.malformed))
    }
}

/// What is wrong with a body, and where.
fn explain<T: DeserializeOwned>(body: &[u8], error: &serde_json::Error) -> Problem {
    if !error.is_data() {
        return Problem::json(&error.to_string());
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        Ok(_) => Problem::json(&error.to_string()),
        Err(error) => {
            let path = error.path().to_string();
            let message = error.inner().to_string();
            // serde names a missing or unknown field between backticks; its path ends one above.
            let named = message.split('`').nth(1).filter(|_| message.contains(" field `"));
            let field = match (path.as_str(), named) {
                (".", Some(named)) => named.to_owned(),
                (path, Some(named)) if !path.ends_with(named) => format!("{path}.{named}"),
                (path, _) => path.to_owned(),
            };
            Problem::field(&field, &message)
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}
