//! Sockets and timers of a [`Proxy`]: one task owns it; connections bring it their messages.

use super::connections::{Connections, Inbound, Shared, accept};
use super::names::{Lookup, Names};
use super::output::{Destination, Outputs};
use super::{Proxy, Transport};
use crate::doors::counters::Counters;
use crate::doors::session::Now;
use crate::doors::sip::driver::Changes;
use crate::doors::sip::transport::{Flow, Place};
use crate::limits::{SIP_BATCH_MAX, SIP_INBOX, SIP_PRESSED_BATCHES};
use crate::pipeline::Gate;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{mpsc, watch};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use yumen_wire::limits::SIP_MESSAGE_BYTES_MAX;

/// What a proxy listens on.
pub(in super::super) struct Sockets {
    pub(in super::super) udp: Option<UdpSocket>,
    pub(in super::super) streams: Vec<(TcpListener, Option<TlsAcceptor>)>,
    /// How TLS next hops are connected to, and the name that their certificates must have.
    pub(in super::super) hop_tls: Option<(TlsConnector, Option<ServerName<'static>>)>,
    pub(in super::super) connections_max: usize,
}

/// Serves until the drain is over.
pub(in super::super) async fn run(
    sockets: Sockets,
    proxy: Proxy,
    gate: Arc<Gate>,
    mut drain: watch::Receiver<bool>,
    mut changes: Changes,
) {
    let (inbox, mut inbound) = mpsc::channel(SIP_INBOX);
    let shared = Arc::new(Shared::new(inbox.clone(), gate.clone(), sockets.connections_max, sockets.hop_tls));
    for (socket, acceptor) in sockets.streams {
        tokio::spawn(accept(shared.clone(), socket, acceptor, drain.clone()));
    }
    let mut driver = Driver {
        proxy,
        gate,
        udp: sockets.udp,
        connections: Connections::new(shared),
        names: Names::default(),
        inbox,
        out: Outputs::default(),
        full_batches: 0,
    };
    let mut buffer = vec![0; SIP_MESSAGE_BYTES_MAX];
    driver.timers();
    loop {
        let due = driver.proxy.poll_timeout();
        let timer = async {
            match due {
                Some(due) => tokio::time::sleep_until(due.into()).await,
                None => std::future::pending().await,
            }
        };
        let readable = async {
            match &driver.udp {
                Some(socket) => socket.readable().await,
                None => std::future::pending().await,
            }
        };
        let mut first = None;
        tokio::select! {
            biased;
            ready = readable => if let Err(error) = ready {
                tracing::error!(%error, "SipSocketLost");
                return;
            },
            message = inbound.recv() => first = message,
            () = timer => {}
            () = changes.changed() => driver.resume(),
            changed = drain.changed(), if !driver.proxy.is_draining() => {
                driver.proxy.drain();
                if changed.is_err() { return }
            }
        }
        driver.datagrams(&mut buffer);
        let rest = std::iter::from_fn(|| inbound.try_recv().ok());
        for message in first.into_iter().chain(rest).take(SIP_BATCH_MAX) {
            driver.inbound(message);
        }
        driver.timers();
        if driver.proxy.is_draining() && driver.proxy.open() == 0 {
            return;
        }
        // Nothing above waits while messages are there: others get their turn.
        tokio::task::yield_now().await;
    }
}

struct Driver {
    proxy: Proxy,
    gate: Arc<Gate>,
    udp: Option<UdpSocket>,
    connections: Connections,
    names: Names,
    inbox: mpsc::Sender<Inbound>,
    out: Outputs,
    full_batches: u32,
}

impl Driver {
    fn datagrams(&mut self, buffer: &mut [u8]) {
        let began = Instant::now();
        let mut taken = 0;
        while taken < SIP_BATCH_MAX {
            let Some(Ok((length, address))) = self.udp.as_ref().map(|socket| socket.try_recv_from(buffer))
            else {
                break;
            };
            taken += 1;
            let octets = buffer.get(..length).unwrap_or_default();
            // A few line ends keep a binding in a NAT open (RFC 5626 §3.5.1).
            if octets.iter().all(|octet| matches!(octet, b'\r' | b'\n' | 0)) {
                continue;
            }
            self.proxy.handle(
                octets,
                Flow { address, transport: Transport::Udp, connection: 0 },
                now(),
                &mut self.out,
            );
            self.send();
        }
        self.full_batches = if taken == SIP_BATCH_MAX { self.full_batches + 1 } else { 0 };
        if self.full_batches >= SIP_PRESSED_BATCHES {
            self.proxy.press(began);
        }
    }

    fn inbound(&mut self, message: Inbound) {
        match message {
            Inbound::Opened(flow, queue) => self.connections.opened(flow, queue),
            Inbound::Message(flow, octets) => {
                self.proxy.handle(&octets, flow, now(), &mut self.out);
                self.send();
            }
            Inbound::Closed(connection, unsent) => {
                self.connections.closed(connection);
                self.unsent(unsent);
            }
            Inbound::Resolved(host, address) => {
                let waiting = self.names.answered(&host, address, Instant::now());
                let mut unsent = Vec::new();
                for (place, branch, octets) in waiting {
                    let sent = address.is_some_and(|ip| {
                        self.send_to(SocketAddr::new(ip, place.port), &place, branch, &octets)
                    });
                    if !sent {
                        unsent.push(branch);
                    }
                }
                self.unsent(unsent);
            }
        }
    }

    fn timers(&mut self) {
        self.proxy.handle_timeout(now(), &mut self.out);
        self.send();
    }

    fn resume(&mut self) {
        self.proxy.resume(now(), &mut self.out);
        self.send();
    }

    /// Tells the proxy what couldn't be sent; what it makes of that is sent.
    fn unsent(&mut self, branches: Vec<u64>) {
        for branch in branches {
            if branch != 0 {
                self.proxy.unreachable(branch, now(), &mut self.out);
            }
        }
        self.send();
    }

    fn send(&mut self) {
        // Each round of it is an attempt less, so it ends.
        loop {
            let mut unsent = Vec::new();
            let out = std::mem::take(&mut self.out);
            for (to, octets) in out.iter() {
                match to {
                    Destination::Back(flow) => self.send_back(*flow, octets),
                    Destination::To { place, branch } => {
                        if !self.send_on(place, *branch, octets) {
                            unsent.push(*branch);
                        }
                    }
                }
            }
            self.out = out;
            self.out.clear();
            for branch in unsent.iter().copied().filter(|branch| *branch != 0) {
                self.proxy.unreachable(branch, now(), &mut self.out);
            }
            if self.out.is_empty() {
                return;
            }
        }
    }

    fn send_back(&self, flow: Flow, octets: &[u8]) {
        let sent = if flow.transport.is_stream() {
            self.connections.back(flow.connection, octets)
        } else {
            self.udp.as_ref().is_some_and(|socket| socket.try_send_to(octets, flow.address).is_ok())
        };
        if !sent {
            Counters::add(&self.gate.counters.datagrams_unsent);
        }
    }

    fn send_on(&mut self, place: &Arc<Place>, branch: u64, octets: &[u8]) -> bool {
        match self.names.look(place, branch, octets, Instant::now()) {
            Lookup::Found(address) => self.send_to(address, place, branch, octets),
            Lookup::Waits => true,
            Lookup::Ask => {
                let (inbox, host, port) = (self.inbox.clone(), place.host.clone(), place.port);
                tokio::spawn(async move {
                    let found = tokio::net::lookup_host((host.as_str(), port)).await;
                    let address = found.ok().and_then(|mut found| found.next()).map(|address| address.ip());
                    // The proxy is gone where this fails.
                    let _told = inbox.send(Inbound::Resolved(host, address)).await;
                });
                true
            }
            Lookup::Refused => false,
        }
    }

    fn send_to(&mut self, address: SocketAddr, place: &Place, branch: u64, octets: &[u8]) -> bool {
        if place.transport.is_stream() {
            return self.connections.send((address, place.transport, &place.host), branch, octets);
        }
        let Some(socket) = &self.udp else { return false };
        match socket.try_send_to(octets, address) {
            Ok(_) => true,
            // Lost, as any datagram may be: it is sent again.
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                Counters::add(&self.gate.counters.datagrams_unsent);
                true
            }
            Err(_) => false,
        }
    }
}

fn now() -> Now {
    Now { instant: Instant::now(), time_ms: crate::clock::now_ms() }
}
