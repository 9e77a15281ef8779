//! Sockets and timers of a [`Redirect`]: datagrams have one of their own, streams share one. A proxy has a driver of its
//! own.

use super::SipConfig;
use super::proxy::{self, DIALOG_KEY_BYTES, Local, Proxy, ProxyConfig, Sockets};
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
use crate::stir::Stir;
use rustix::net::sockopt::set_socket_recv_buffer_size;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
        if let Some(settings) = config.proxy.clone() {
            return Self::start_proxy(config, settings, gate).await;
        }
        let unbound = |bind| {
            let name = config.name.clone();
            move |source| ListenError::Bind { name, bind, source }
        };
        let (drain, draining) = watch::channel(false);
        let stir = verifier(&config)?;
        let mut local = config.bind;
        if config.udp {
            let socket = bind_udp(local).await.map_err(unbound(local))?;
            local = socket.local_addr().map_err(unbound(local))?;
            let server = Redirect::new(config.clone(), gate.clone(), Instant::now()).with_stir(stir.clone());
            tokio::spawn(datagrams(
                socket,
                server,
                gate.clone(),
                draining.clone(),
                Changes::of(stir.as_ref()),
            ));
        }
        let shared = Arc::new(Streams {
            server: Mutex::new(
                Redirect::new(config.clone(), gate.clone(), Instant::now()).with_stir(stir.clone()),
            ),
            stir: stir.clone(),
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

    /// The same for a proxy.
    async fn start_proxy(
        config: SipConfig,
        settings: ProxyConfig,
        gate: Arc<Gate>,
    ) -> Result<Self, ListenError> {
        let unbound = |bind| {
            let name = config.name.clone();
            move |source| ListenError::Bind { name, bind, source }
        };
        let unusable = |source| ListenError::Tls { name: config.name.clone(), source };
        let (drain, draining) = watch::channel(false);
        let mut local = config.bind;
        let mut sockets = Sockets {
            udp: None,
            streams: Vec::new(),
            hop_tls: None,
            connections_max: config.connections_max,
        };
        if config.udp {
            let socket = bind_udp(local).await.map_err(unbound(local))?;
            local = socket.local_addr().map_err(unbound(local))?;
            sockets.udp = Some(socket);
        }
        if config.tcp {
            let socket = TcpListener::bind(local).await.map_err(unbound(local))?;
            local = socket.local_addr().map_err(unbound(local))?;
            sockets.streams.push((socket, None));
        }
        let mut tls_port = None;
        if let Some((bind, files)) = &config.tls {
            let acceptor = tls::acceptor(files).map_err(unusable)?;
            let socket = TcpListener::bind(bind).await.map_err(unbound(*bind))?;
            tls_port = Some(socket.local_addr().map_err(unbound(*bind))?.port());
            sockets.streams.push((socket, Some(acceptor)));
        }
        if let Some(files) = &settings.hop_tls {
            let named = files.server_name.is_some();
            let (connector, name) = tls::connector(files, "localhost").map_err(unusable)?;
            sockets.hop_tls = Some((connector, named.then_some(name)));
        }
        let key = dialog_key(&settings.dialog_key).map_err(|source| ListenError::Key {
            name: config.name.clone(),
            path: settings.dialog_key.clone(),
            source,
        })?;
        let us = Local::new(local, tls_port, settings.advertise.as_deref(), &settings.domains, &key);
        let stir = verifier(&config)?;
        let changes = Changes::of(stir.as_ref());
        let server = Proxy::new(&config, settings, us, gate.clone(), Instant::now()).with_stir(stir);
        tokio::spawn(proxy::run(sockets, server, gate.clone(), draining, changes));
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

/// What verifies signatures at a door, where it is set to.
fn verifier(config: &SipConfig) -> Result<Option<Arc<Stir>>, ListenError> {
    let unusable = |source| ListenError::Tls { name: config.name.clone(), source };
    config.stir.clone().map(|settings| Stir::new(settings).map_err(unusable)).transpose()
}

/// Tells when a certificate came; never, where nothing is verified.
pub(super) struct Changes(Option<watch::Receiver<u64>>);

impl Changes {
    fn of(stir: Option<&Arc<Stir>>) -> Self {
        Self(stir.map(|stir| stir.changes()))
    }

    pub(super) async fn changed(&mut self) {
        let changed = match &mut self.0 {
            Some(changes) => changes.changed().await.is_ok(),
            None => false,
        };
        if !changed {
            std::future::pending::<()>().await;
        }
    }
}

async fn bind_udp(local: SocketAddr) -> std::io::Result<UdpSocket> {
    let socket = UdpSocket::bind(local).await?;
    if let Err(error) = set_socket_recv_buffer_size(&socket, SIP_RECEIVE_BYTES) {
        tracing::debug!(%error, "SO_RCVBUF refused");
    }
    Ok(socket)
}

/// The key of our Record-Routes; made at the first start, readable by its owner only.
fn dialog_key(path: &Path) -> std::io::Result<[u8; DIALOG_KEY_BYTES]> {
    let mut key = [0; DIALOG_KEY_BYTES];
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            File::open("/dev/urandom")?.read_exact(&mut key)?;
            file.write_all(&key)?;
            file.sync_all()?;
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            File::open(path)?.read_exact(&mut key)?;
        }
        Err(error) => return Err(error),
    }
    Ok(key)
}

async fn datagrams(
    socket: UdpSocket,
    mut server: Redirect,
    gate: Arc<Gate>,
    mut drain: watch::Receiver<bool>,
    mut changes: Changes,
) {
    let mut buffer = vec![0; SIP_MESSAGE_BYTES_MAX];
    let mut out = Answers::default();
    let mut full_batches = 0;
    loop {
        let due = server.poll_timeout().into_iter().chain(server.poll_waiting()).min();
        let mut resumes = false;
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
            () = changes.changed() => resumes = true,
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
            server.handle(octets, Peer { address, over_stream: false }, moment(), &mut out);
            send(&socket, &gate, &mut out);
        }
        full_batches = if taken == SIP_BATCH_MAX { full_batches + 1 } else { 0 };
        if full_batches >= SIP_PRESSED_BATCHES {
            server.press(began);
        }
        let now = moment();
        server.handle_timeout(now.instant, &mut out);
        if resumes || server.poll_waiting().is_some_and(|due| due <= now.instant) {
            server.resume(None, now, &mut out);
        }
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
    stir: Option<Arc<Stir>>,
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
    let came_by = Peer { address: peer, over_stream: true };
    tokio::select! {
        ended = serve(&shared, stream, peer) => if let Err(error) = ended {
            tracing::debug!(%peer, %error, "SIP connection ended");
        },
        // Over a stream every request has its answer already when this is looked at.
        _ = drain.changed() => {}
    }
    held(&shared).gone(came_by);
    counters.connections_open.fetch_sub(1, Ordering::Relaxed);
}

/// Reads and answers, until the peer closes, sends what can't be followed, or is silent for too long.
async fn serve(shared: &Streams, mut stream: Stream, address: SocketAddr) -> std::io::Result<()> {
    let mut input = Vec::new();
    let mut out = Answers::default();
    let mut changes = Changes::of(shared.stir.as_ref());
    let peer = Peer { address, over_stream: true };
    let silent = || std::io::Error::from(std::io::ErrorKind::TimedOut);
    let mut heard = Instant::now();
    loop {
        let waits_until = held(shared).poll_waiting();
        let due = waits_until.unwrap_or(heard + SIP_IDLE_MAX).min(heard + SIP_IDLE_MAX);
        tokio::select! {
            read = stream.read_buf(&mut input) => {
                heard = Instant::now();
                if read? == 0 {
                    return Ok(());
                }
            }
            () = changes.changed() => held(shared).resume(Some(peer), moment(), &mut out),
            () = tokio::time::sleep_until(due.into()) => {
                if waits_until.is_none() && heard.elapsed() >= SIP_IDLE_MAX {
                    return Err(silent());
                }
                held(shared).resume(Some(peer), moment(), &mut out);
                // Others' calls that are due are theirs to look at.
                tokio::time::sleep(RESUME_PAUSE).await;
            }
        }
        let followed = take(shared, &mut stream, &mut input, peer, &mut out).await?;
        for (_, octets) in out.iter() {
            let written = tokio::time::timeout(SIP_IDLE_MAX, stream.write_all(octets));
            written.await.map_err(|_| silent())??;
        }
        out.clear();
        stream.flush().await?;
        if !followed {
            Counters::add(&shared.gate.counters.frame_errors);
            return Ok(());
        }
    }
}

/// Takes every whole message out of `input`; `false` where the stream can't be followed any further.
async fn take(
    shared: &Streams,
    stream: &mut Stream,
    input: &mut Vec<u8>,
    peer: Peer,
    out: &mut Answers,
) -> std::io::Result<bool> {
    let mut used = 0;
    let mut keepalives: usize = 0;
    let followed = loop {
        let rest = input.get(used..).unwrap_or_default();
        match frame_stream(rest, SIP_MESSAGE_BYTES_MAX) {
            Ok(StreamFrame::NeedMore) => break true,
            Ok(StreamFrame::Keepalive(length)) => {
                // Two line ends ask, one answers (RFC 5626 §4.4.1).
                keepalives += length / 4;
                used += length;
            }
            Ok(StreamFrame::Whole(length)) => {
                let octets = rest.get(..length).unwrap_or_default();
                let now = moment();
                let mut server = held(shared);
                server.handle_timeout(now.instant, out);
                server.handle(octets, peer, now, out);
                used += length;
            }
            Err(_) => break false,
        }
    };
    input.drain(..used);
    if keepalives > 0 {
        stream.write_all(b"\r\n").await?;
    }
    Ok(followed)
}

fn held(shared: &Streams) -> MutexGuard<'_, Redirect> {
    shared.server.lock().unwrap_or_else(PoisonError::into_inner)
}

fn moment() -> Now {
    Now { instant: Instant::now(), time_ms: crate::clock::now_ms() }
}

/// Between two looks at calls that are due.
const RESUME_PAUSE: std::time::Duration = std::time::Duration::from_millis(5);
