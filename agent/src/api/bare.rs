//! What the API is measured against: a handler that parses the same JSON, and does nothing else.

use super::model::Question;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Serves `POST /v1/decisions` on `bind`, for ever: 204 to every question that can be read.
///
/// # Errors
/// `bind` can't be had, or nobody can be accepted.
pub async fn run_bare(bind: SocketAddr) -> std::io::Result<()> {
    let parse = post(|Json(question): Json<Question>| async move {
        std::hint::black_box(&question);
        StatusCode::NO_CONTENT
    });
    let router = Router::new().route("/v1/decisions", parse);
    let listener = TcpListener::bind(bind).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            // That a client leaves is its own business.
            let _left = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
