//! Enrolment over HTTP: [`yumen_exchange::enrol`].

use super::access::limited;
use super::{Hub, Peer, failed, problem};
use crate::clock::now_ms;
use crate::enrol::EnrolError;
use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use yumen_exchange::enrol::{Enrol, Enrolled, Renew};

const PEM: &str = "application/x-pem-file";

pub(super) async fn authority(State(hub): State<Arc<Hub>>) -> Response {
    ([(header::CONTENT_TYPE, PEM)], hub.enrolment.authority().chain().to_owned()).into_response()
}

/// The list of revocations as it stands in the file.
pub(super) async fn revocations(State(hub): State<Arc<Hub>>) -> Response {
    match tokio::fs::read_to_string(hub.enrolment.crl_file()).await {
        Ok(pem) => ([(header::CONTENT_TYPE, PEM)], pem).into_response(),
        Err(_) => problem(StatusCode::NOT_FOUND, "there is no list yet"),
    }
}

pub(super) async fn enrol(
    State(hub): State<Arc<Hub>>,
    peer: Option<axum::Extension<ConnectInfo<Peer>>>,
    Json(request): Json<Enrol>,
) -> Response {
    if let Err(refused) = limited(&hub, peer.as_deref()) {
        return refused;
    }
    answer(hub.enrolment.enrol(&request, now_ms()).await)
}

pub(super) async fn renew(
    State(hub): State<Arc<Hub>>,
    peer: Option<axum::Extension<ConnectInfo<Peer>>>,
    Json(request): Json<Renew>,
) -> Response {
    let serial = peer.and_then(|peer| peer.0.0.serial.clone());
    let Some(serial) = serial else {
        return problem(StatusCode::UNAUTHORIZED, "show your present certificate in TLS");
    };
    answer(hub.enrolment.renew(&serial, &request, now_ms()).await)
}

fn answer(enrolled: Result<Enrolled, EnrolError>) -> Response {
    match enrolled {
        Ok(enrolled) => Json(enrolled).into_response(),
        Err(EnrolError::Store(error)) => failed(&error),
        Err(error @ (EnrolError::Invitation | EnrolError::Proof | EnrolError::Certificate)) => {
            problem(StatusCode::FORBIDDEN, &error.to_string())
        }
        Err(error) => {
            tracing::warn!(%error, "an agent could not be enrolled");
            problem(StatusCode::UNPROCESSABLE_ENTITY, "the request can't be used; the hub's log says why")
        }
    }
}
