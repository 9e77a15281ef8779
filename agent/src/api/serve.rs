//! Connections: bounded in number, each in time from its handshake to its last answer.

use super::{Shared, routes};
use crate::limits::{ACCEPT_RETRY, API_HEAD_BYTES_MAX, TLS_ACCEPT_TIMEOUT};
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    /// SHA-256 of the certificate that it showed.
    pub(super) certificate: Option<[u8; 32]>,
}

pub(super) async fn accept(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    places: Arc<Semaphore>,
    mut stop: watch::Receiver<bool>,
) {
    let router = routes::router(shared.clone());
    loop {
        let accepted = tokio::select! {
            () = stopped(&mut stop) => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "ApiAcceptFailed");
                tokio::time::sleep(ACCEPT_RETRY).await;
                continue;
            }
        };
        shared.counters.add(|counters| &counters.connections);
        let Ok(place) = places.clone().try_acquire_owned() else {
            shared.counters.add(|counters| &counters.connections_refused);
            continue;
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY refused");
        }
        tokio::spawn(connection(
            stream,
            address,
            acceptor.clone(),
            shared.clone(),
            router.clone(),
            stop.clone(),
            place,
        ));
    }
}

async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    acceptor: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    router: Router,
    stop: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
) {
    let Some(acceptor) = acceptor else {
        return serve(stream, Peer { address, certificate: None }, shared.head_timeout, router, stop).await;
    };
    match tokio::time::timeout(TLS_ACCEPT_TIMEOUT, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
            let certificate = shown.map(|certificate| Sha256::digest(certificate.as_ref()).into());
            serve(stream, Peer { address, certificate }, shared.head_timeout, router, stop).await;
        }
        Ok(Err(error)) => {
            shared.counters.add(|counters| &counters.tls_failures);
            tracing::warn!(peer = %address, %error, "ApiTlsFailed");
        }
        Err(_) => {
            shared.counters.add(|counters| &counters.tls_failures);
            tracing::warn!(peer = %address, "ApiTlsTooSlow");
        }
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    peer: Peer,
    head_timeout: Duration,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    let service = TowerToHyperService::new(router.layer(Extension(peer)));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(head_timeout).max_buf_size(API_HEAD_BYTES_MAX);
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(peer = %peer.address, %error, "ApiConnectionEnded");
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A closed channel means that the agent is gone: stop as well.
    let _gone = stop.wait_for(|stop| *stop).await;
}
