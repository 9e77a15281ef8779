//! Stream connections of a proxy: those that came, and those that it opens.

use super::super::transport::{Flow, Transport};
use crate::doors::counters::Counters;
use crate::doors::stream::Stream;
use crate::limits::{
    ACCEPT_RETRY, SIP_CONNECT_TIMEOUT, SIP_CONNECTIONS_OUT_MAX, SIP_IDLE_MAX, SIP_STREAM_QUEUE,
    TLS_ACCEPT_TIMEOUT,
};
use crate::pipeline::Gate;
use bytes::Bytes;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use yumen_wire::limits::SIP_MESSAGE_BYTES_MAX;
use yumen_wire::sip::{StreamFrame, frame_stream};

/// What connections, and whoever asks for names, tell the proxy.
#[derive(Debug)]
pub(super) enum Inbound {
    /// Somebody connected.
    Opened(Flow, mpsc::Sender<Outbound>),
    /// A message.
    Message(Flow, Bytes),
    /// A connection is gone; these branches' messages weren't sent.
    Closed(u64, Vec<u64>),
    /// The address of a name.
    Resolved(String, Option<IpAddr>),
}

/// A message for a connection, and whose it is.
pub(super) type Outbound = (Bytes, u64);

/// All stream connections.
#[derive(Debug)]
pub(super) struct Connections {
    open: HashMap<u64, mpsc::Sender<Outbound>>,
    by_place: HashMap<(SocketAddr, Transport), u64>,
    shared: Arc<Shared>,
    places_out: Arc<Semaphore>,
}

/// What tasks of connections share.
pub(super) struct Shared {
    next: AtomicU64,
    inbox: mpsc::Sender<Inbound>,
    gate: Arc<Gate>,
    places_in: Arc<Semaphore>,
    tls: Option<(TlsConnector, Option<ServerName<'static>>)>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(
        inbox: mpsc::Sender<Inbound>,
        gate: Arc<Gate>,
        connections_max: usize,
        tls: Option<(TlsConnector, Option<ServerName<'static>>)>,
    ) -> Self {
        // 0 stands for datagrams.
        Self {
            next: AtomicU64::new(1),
            inbox,
            gate,
            places_in: Arc::new(Semaphore::new(connections_max)),
            tls,
        }
    }

    fn next(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}

impl Connections {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let places_out = Arc::new(Semaphore::new(SIP_CONNECTIONS_OUT_MAX));
        Self { open: HashMap::new(), by_place: HashMap::new(), shared, places_out }
    }

    pub(super) fn opened(&mut self, flow: Flow, queue: mpsc::Sender<Outbound>) {
        self.open.insert(flow.connection, queue);
    }

    pub(super) fn closed(&mut self, connection: u64) {
        self.open.remove(&connection);
        self.by_place.retain(|_, of| *of != connection);
    }

    /// Back over the connection that a request came by; `false` where that isn't possible.
    pub(super) fn back(&self, connection: u64, octets: &[u8]) -> bool {
        let message = (Bytes::copy_from_slice(octets), 0);
        self.open.get(&connection).is_some_and(|queue| queue.try_send(message).is_ok())
    }

    /// To an address, over the connection that there is, or a new one; `false` where that isn't possible.
    pub(super) fn send(
        &mut self,
        (address, transport, host): (SocketAddr, Transport, &str),
        branch: u64,
        octets: &[u8],
    ) -> bool {
        let message = (Bytes::copy_from_slice(octets), branch);
        if let Some(queue) = self.by_place.get(&(address, transport)).and_then(|id| self.open.get(id)) {
            return queue.try_send(message).is_ok();
        }
        let Ok(place) = self.places_out.clone().try_acquire_owned() else { return false };
        let connection = self.shared.next();
        let (queue, queued) = mpsc::channel(SIP_STREAM_QUEUE);
        if queue.try_send(message).is_err() {
            return false;
        }
        self.open.insert(connection, queue.clone());
        self.by_place.insert((address, transport), connection);
        let (shared, host) = (self.shared.clone(), host.to_owned());
        let flow = Flow { address, transport, connection };
        tokio::spawn(async move {
            let stream = tokio::time::timeout(SIP_CONNECT_TIMEOUT, connect(&shared, flow, &host)).await;
            let stream = stream.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
            match stream {
                Ok(stream) => serve(&shared, stream, flow, queue, queued).await,
                Err(error) => {
                    tracing::debug!(%address, %error, "a next hop can't be connected to");
                    Counters::add(&shared.gate.counters.upstream_failures);
                    drop(queue);
                    closed(&shared, flow, queued).await;
                }
            }
            drop(place);
        });
        true
    }
}

async fn connect(shared: &Shared, flow: Flow, host: &str) -> io::Result<Stream> {
    let stream = TcpStream::connect(flow.address).await?;
    stream.set_nodelay(true)?;
    if flow.transport != Transport::Tls {
        return Ok(Stream::Plain(stream));
    }
    let Some((connector, name)) = &shared.tls else {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "no hop_tls is configured"));
    };
    let name = match name {
        Some(name) => name.clone(),
        None => ServerName::try_from(host.to_owned()).map_err(io::Error::other)?,
    };
    Ok(Stream::Tls(Box::new(connector.connect(name, stream).await?.into())))
}

/// Takes connections on one socket.
pub(super) async fn accept(
    shared: Arc<Shared>,
    socket: TcpListener,
    acceptor: Option<TlsAcceptor>,
    mut drain: watch::Receiver<bool>,
) {
    let counters = &shared.gate.counters;
    loop {
        let accepted = tokio::select! {
            biased;
            _ = drain.changed() => return,
            accepted = socket.accept() => accepted,
        };
        let Ok((stream, address)) = accepted else {
            tokio::time::sleep(ACCEPT_RETRY).await;
            continue;
        };
        Counters::add(&counters.connections_accepted);
        let Ok(place) = shared.places_in.clone().try_acquire_owned() else {
            Counters::add(&counters.connections_refused);
            continue;
        };
        let (shared, acceptor) = (shared.clone(), acceptor.clone());
        tokio::spawn(async move {
            let counters = &shared.gate.counters;
            let (stream, transport) = match acceptor {
                None => (Stream::Plain(stream), Transport::Tcp),
                Some(acceptor) => {
                    match tokio::time::timeout(TLS_ACCEPT_TIMEOUT, acceptor.accept(stream)).await {
                        Ok(Ok(stream)) => (Stream::Tls(Box::new(stream.into())), Transport::Tls),
                        _ => return Counters::add(&counters.tls_failures),
                    }
                }
            };
            let flow = Flow { address, transport, connection: shared.next() };
            let (queue, queued) = mpsc::channel(SIP_STREAM_QUEUE);
            Counters::add(&counters.connections_open);
            if shared.inbox.send(Inbound::Opened(flow, queue.clone())).await.is_ok() {
                serve(&shared, stream, flow, queue, queued).await;
            }
            counters.connections_open.fetch_sub(1, Ordering::Relaxed);
            drop(place);
        });
    }
}

/// Reads and writes until either side ends.
async fn serve(
    shared: &Shared,
    stream: Stream,
    flow: Flow,
    queue: mpsc::Sender<Outbound>,
    mut queued: mpsc::Receiver<Outbound>,
) {
    let (reading, writing) = tokio::io::split(stream);
    let pong = queue.downgrade();
    drop(queue);
    let ended = tokio::select! {
        ended = read(shared, reading, flow, &pong) => ended,
        ended = write(writing, &mut queued) => ended,
    };
    if let Err(error) = ended {
        tracing::debug!(peer = %flow.address, %error, "SIP connection ended");
    }
    closed(shared, flow, queued).await;
}

/// Tells what wasn't sent.
async fn closed(shared: &Shared, flow: Flow, mut queued: mpsc::Receiver<Outbound>) {
    queued.close();
    let mut unsent = Vec::new();
    while let Some((_, branch)) = queued.recv().await {
        if branch != 0 {
            unsent.push(branch);
        }
    }
    // The proxy is gone where this fails.
    let _told = shared.inbox.send(Inbound::Closed(flow.connection, unsent)).await;
}

async fn write(mut stream: WriteHalf<Stream>, queued: &mut mpsc::Receiver<Outbound>) -> io::Result<()> {
    while let Some((octets, _)) = queued.recv().await {
        let written = tokio::time::timeout(SIP_CONNECT_TIMEOUT, stream.write_all(&octets));
        written.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        stream.flush().await?;
    }
    Ok(())
}

async fn read(
    shared: &Shared,
    mut stream: ReadHalf<Stream>,
    flow: Flow,
    pong: &mpsc::WeakSender<Outbound>,
) -> io::Result<()> {
    let mut input = bytes::BytesMut::new();
    loop {
        let read = tokio::time::timeout(SIP_IDLE_MAX, stream.read_buf(&mut input));
        if read.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?? == 0 {
            return Ok(());
        }
        loop {
            match frame_stream(&input, SIP_MESSAGE_BYTES_MAX) {
                Ok(StreamFrame::NeedMore) => break,
                Ok(StreamFrame::Keepalive(length)) => {
                    // Two line ends ask, one answers (RFC 5626 §4.4.1).
                    if length >= 4
                        && let Some(queue) = pong.upgrade()
                    {
                        // A full queue answers it by what is in it.
                        let _queued = queue.try_send((Bytes::from_static(b"\r\n"), 0));
                    }
                    drop(input.split_to(length));
                }
                Ok(StreamFrame::Whole(length)) => {
                    let message = Inbound::Message(flow, input.split_to(length).freeze());
                    if shared.inbox.send(message).await.is_err() {
                        return Ok(());
                    }
                }
                Err(_) => {
                    Counters::add(&shared.gate.counters.frame_errors);
                    return Ok(());
                }
            }
        }
    }
}
