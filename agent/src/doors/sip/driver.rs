//! Sockets and timers of a [`Redirect`]: datagrams have one of their own, streams share one.

use super::SipConfig;
use super::redirect::{Answers, Peer, Redirect};
use crate::doors::counters::Counters;
use crate::doors::listener::ListenError;
use crate::doors::session::Now;
use crate::doors::stream::Stream;
use crate::doors::tls;
use crate::limits::{
    ACCEPT_RETRY, SIP_BATCH_MAX, SIP_IDLE_MAX, SIP_PRESSED_BATCHES, SIP_RECEIVE_BYTES, TLS_ACCEPT_TIMEOUT,
};
use crate::pipeline::Gate;
use rustix::net::sockopt::set_socket_recv_buffer_size;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use yumen_wire::limits::SIP_MESSAGE_BYTES_MAX;
use yumen_wire::sip::{StreamFrame, frame_stream};

/// A SIP door that runs.
#[derive(Debug)]
pub struct SipListener {
    gate: Arc<Gate>,
    local: SocketAddr,
    drain: watch::Sender<bool>,
    config: SipConfig,
}

impl SipListener {
    /// Binds, and serves from now on.
    ///
    /// # Errors
    /// An address can't be bound, or the TLS files can't be used.
    pub async fn start(config: SipConfig, gate: Arc<Gate>) -> Result<Self, ListenError> {
        let unbound = |bind| {
            let name = config.name.clone();
            move |source| ListenError::Bind { name, bind, source }
        };
        let (drain, draining) = watch::channel(false);
        let mut local = config.bind;
        if config.udp {
            let socket = UdpSocket::bind(local).await.map_err(unbound(local))?;
            local = socket.local_addr().map_err(unbound(local))?;
            if let Err(error) = set_socket_recv_buffer_size(&socket, SIP_RECEIVE_BYTES) {
                tracing::debug!(%error, "SO_RCVBUF refused");
            }
            let server = Redirect::new(config.clone(), gate.clone(), Instant::now());
            tokio::spawn(datagrams(socket, server, gate.clone(), draining.clone()));
        }
        let shared = Arc::new(Streams {
            server: Mutex::new(Redirect::new(config.clone(), gate.clone(), Instant::now())),
            gate: gate.clone(),
            places: Arc::new(Semaphore::new(config.connections_max)),
        });
        if config.tcp {
            let socket = TcpListener::bind(local).await.map_err(unbound(local))?;
            local = socket.local_addr().map_err(unbound(local))?;
            tokio::spawn(accept(shared.clone(), socket, None, draining.clone()));
        }
        if let Some((bind, files)) = &config.tls {
            let acceptor = tls::acceptor(files)
                .map_err(|source| ListenError::Tls { name: config.name.clone(), source })?;
            let socket = TcpListener::bind(bind).await.map_err(unbound(*bind))?;
            tokio::spawn(accept(shared.clone(), socket, Some(acceptor), draining));
        }
        tracing::info!(listener = %config.name, %local, "listening");
        Ok(Self { gate, local, drain, config })
    }

    /// Where it listens.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Its gate.
    #[must_use]
    pub const fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// New calls are put off with 503 from now on; returns when every transaction is over, or after the drain's timeout.
    pub async fn drain(&self) {
        self.drain.send_replace(true);
        let over = self.drain.closed();
        if tokio::time::timeout(self.config.drain_timeout, over).await.is_err() {
            tracing::warn!(listener = %self.config.name, "calls were still open after the drain");
        }
    }
}

async fn datagrams(
    socket: UdpSocket,
    mut server: Redirect,
    gate: Arc<Gate>,
    mut drain: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; SIP_MESSAGE_BYTES_MAX];
    let mut out = Answers::default();
    let mut full_batches = 0;
    loop {
        let due = server.poll_timeout();
        let timer = async {
            match due {
                Some(due) => tokio::time::sleep_until(due.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            ready = socket.readable() => if let Err(error) = ready {
                tracing::error!(%error, "SipSocketLost");
                return;
            },
            () = timer => {}
            changed = drain.changed(), if !server.is_draining() => {
                server.drain();
                if changed.is_err() { return }
            }
        }
        let began = Instant::now();
        let mut taken = 0;
        while taken < SIP_BATCH_MAX {
            let Ok((length, address)) = socket.try_recv_from(&mut buffer) else { break };
            taken += 1;
            let octets = buffer.get(..length).unwrap_or_default();
            // A few line ends keep a binding in a NAT open (RFC 5626 §3.5.1).
            if octets.iter().all(|octet| matches!(octet, b'\r' | b'\n' | 0)) {
                continue;
            }
            let now = Now { instant: Instant::now(), time_ms: crate::clock::now_ms() };
            server.handle(octets, Peer { address, over_stream: false }, now, &mut out);
            send(&socket, &gate, &mut out);
        }
        full_batches = if taken == SIP_BATCH_MAX { full_batches + 1 } else { 0 };
        if full_batches >= SIP_PRESSED_BATCHES {
            server.press(began);
        }
        server.handle_timeout(Instant::now(), &mut out);
        send(&socket, &gate, &mut out);
        if server.is_draining() && server.transactions() == 0 {
            return;
        }
        // Nothing above waits while datagrams are there: others get their turn.
        tokio::task::yield_now().await;
    }
}

/// What the socket doesn't take is lost, as any datagram may be: its transaction sends it again.
fn send(socket: &UdpSocket, gate: &Gate, out: &mut Answers) {
    for (to, octets) in out.iter() {
        if socket.try_send_to(octets, to).is_err() {
            Counters::add(&gate.counters.datagrams_unsent);
        }
    }
    out.clear();
}

/// What all stream connections of a door share.
struct Streams {
    server: Mutex<Redirect>,
    gate: Arc<Gate>,
    places: Arc<Semaphore>,
}

async fn accept(
    shared: Arc<Streams>,
    socket: TcpListener,
    acceptor: Option<TlsAcceptor>,
    mut drain: watch::Receiver<bool>,
) {
    loop {
        let accepted = tokio::select! {
            biased;
            _ = drain.changed() => return,
            accepted = socket.accept() => accepted,
        };
        let Ok((client, peer)) = accepted else {
            tokio::time::sleep(ACCEPT_RETRY).await;
            continue;
        };
        let counters = &shared.gate.counters;
        Counters::add(&counters.connections_accepted);
        let Ok(place) = shared.places.clone().try_acquire_owned() else {
            Counters::add(&counters.connections_refused);
            continue;
        };
        tokio::spawn(connection(shared.clone(), client, peer, acceptor.clone(), place, drain.clone()));
    }
}

async fn connection(
    shared: Arc<Streams>,
    client: TcpStream,
    peer: SocketAddr,
    acceptor: Option<TlsAcceptor>,
    _place: OwnedSemaphorePermit,
    mut drain: watch::Receiver<bool>,
) {
    let counters = &shared.gate.counters;
    let stream = match acceptor {
        None => Stream::Plain(client),
        Some(acceptor) => match tokio::time::timeout(TLS_ACCEPT_TIMEOUT, acceptor.accept(client)).await {
            Ok(Ok(stream)) => Stream::Tls(Box::new(stream.into())),
            _ => return Counters::add(&counters.tls_failures),
        },
    };
    Counters::add(&counters.connections_open);
    tokio::select! {
        ended = serve(&shared, stream, peer) => if let Err(error) = ended {
            tracing::debug!(%peer, %error, "SIP connection ended");
        },
        // Over a stream every request has its answer already when this is looked at.
        _ = drain.changed() => {}
    }
    counters.connections_open.fetch_sub(1, Ordering::Relaxed);
}

/// Reads and answers, until the peer closes, sends what can't be followed, or is silent for too long.
async fn serve(shared: &Streams, mut stream: Stream, peer: SocketAddr) -> std::io::Result<()> {
    let mut input = Vec::new();
    let mut out = Answers::default();
    let silent = || std::io::Error::from(std::io::ErrorKind::TimedOut);
    loop {
        let read =
            tokio::time::timeout(SIP_IDLE_MAX, stream.read_buf(&mut input)).await.map_err(|_| silent())??;
        if read == 0 {
            return Ok(());
        }
        let mut used = 0;
        let mut keepalives: usize = 0;
        let lost = loop {
            let rest = input.get(used..).unwrap_or_default();
            match frame_stream(rest, SIP_MESSAGE_BYTES_MAX) {
                Ok(StreamFrame::NeedMore) => break false,
                Ok(StreamFrame::Keepalive(length)) => {
                    // Two line ends ask, one answers (RFC 5626 §4.4.1).
                    keepalives += length / 4;
                    used += length;
                }
                Ok(StreamFrame::Whole(length)) => {
                    let now = Now { instant: Instant::now(), time_ms: crate::clock::now_ms() };
                    let octets = rest.get(..length).unwrap_or_default();
                    let mut server = shared.server.lock().unwrap_or_else(PoisonError::into_inner);
                    server.handle_timeout(now.instant, &mut out);
                    server.handle(octets, Peer { address: peer, over_stream: true }, now, &mut out);
                    used += length;
                }
                Err(_) => break true,
            }
        };
        input.drain(..used);
        if keepalives > 0 {
            stream.write_all(b"\r\n").await?;
        }
        for (_, octets) in out.iter() {
            let written = tokio::time::timeout(SIP_IDLE_MAX, stream.write_all(octets));
            written.await.map_err(|_| silent())??;
        }
        out.clear();
        stream.flush().await?;
        if lost {
            Counters::add(&shared.gate.counters.frame_errors);
            return Ok(());
        }
    }
}
