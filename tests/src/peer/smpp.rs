//! An ESME and a centre.

use super::{Layout, Link, emitted, segments};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::mpsc;
use yumen_wire::address::RawAddress;
use yumen_wire::smpp::{
    Bind, BindResp, Body, CommandId, CommandStatus, EsmClass, Header, MessageResp, Pdu, Sm, emit,
};

/// PDUs of one connection that nobody has taken yet; more are lost.
const INBOX_PDUS_MAX: usize = 100_000;

/// How a submit went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// The response's status.
    pub status: CommandStatus,
    /// The centre's id; empty where it refused.
    pub message_id: Vec<u8>,
}

impl Submitted {
    /// The centre took it.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.status.is_ok()
    }
}

/// A client bound as transceiver. It answers `deliver_sm` and `enquire_link` by itself.
#[derive(Debug)]
pub struct Esme {
    link: Link,
    inbox: mpsc::Receiver<Vec<u8>>,
    reference: AtomicU8,
}

impl Esme {
    /// Connects and binds.
    ///
    /// # Errors
    /// The connection, or a refused bind.
    pub async fn bind(address: impl ToSocketAddrs, system_id: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        let (arrived, inbox) = mpsc::channel(INBOX_PDUS_MAX);
        let link = Link::start(stream, Layout::SMPP, move |_, octets| {
            let pdu = Pdu::new_checked(octets).ok()?;
            if pdu.command_id() == CommandId::DELIVER_SM {
                // A test that takes none of them gets as many as fit.
                let _full = arrived.try_send(octets.to_vec());
            }
            answer(&pdu.header(), b"")
        })?;
        let bind = Bind {
            system_id: system_id.as_bytes(),
            password: b"secret",
            interface_version: 0x34,
            ..Bind::default()
        };
        let header = Header::request(CommandId::BIND_TRANSCEIVER, link.next_sequence());
        let response = link.request(emitted(|out| emit(&header, &Body::Bind(bind), out))?).await?;
        match Pdu::new_checked(&response) {
            Ok(pdu) if pdu.command_status().is_ok() => Ok(Self { link, inbox, reference: AtomicU8::new(0) }),
            _ => Err(io::Error::new(io::ErrorKind::PermissionDenied, "the bind was refused")),
        }
    }

    /// Submits a text in UCS-2, in as many parts as it takes, one after the other. One answer a part.
    ///
    /// # Errors
    /// The connection.
    pub async fn submit(&self, from: &str, to: &str, text: &str) -> io::Result<Vec<Submitted>> {
        let reference = self.reference.fetch_add(1, Ordering::Relaxed);
        let mut answers = Vec::new();
        for (has_udh, user_data) in segments(text, reference) {
            let esm_class = EsmClass(if has_udh { EsmClass::UDHI } else { 0 });
            let sm = Sm {
                source: RawAddress::new(5, 0, from.as_bytes()),
                destination: RawAddress::new(1, 1, to.as_bytes()),
                esm_class,
                registered_delivery: 1,
                data_coding: 8,
                short_message: &user_data,
                ..Sm::default()
            };
            answers.push(self.submit_sm(sm).await?);
        }
        Ok(answers)
    }

    /// Submits one `submit_sm`.
    ///
    /// # Errors
    /// The connection.
    pub async fn submit_sm(&self, sm: Sm<'_>) -> io::Result<Submitted> {
        let header = Header::request(CommandId::SUBMIT_SM, self.link.next_sequence());
        self.request(emitted(|out| emit(&header, &Body::Sm(sm), out))?).await
    }

    /// Sends a PDU of the caller's own making and waits for the response to its sequence number.
    ///
    /// # Errors
    /// The connection.
    pub async fn request(&self, octets: Vec<u8>) -> io::Result<Submitted> {
        let response = self.link.request(octets).await?;
        let broken = |error| io::Error::new(io::ErrorKind::InvalidData, error);
        let pdu = Pdu::new_checked(&response).map_err(broken)?;
        let message_id = match pdu.parse().map_err(broken)? {
            Body::MessageResp(response) => response.message_id.unwrap_or_default().to_vec(),
            _ => Vec::new(),
        };
        Ok(Submitted { status: pdu.command_status(), message_id })
    }

    /// The next sequence number, for PDUs of the caller's own making.
    #[must_use]
    pub fn next_sequence(&self) -> u32 {
        self.link.next_sequence()
    }

    /// The next `deliver_sm`, receipts included, as it came. `None` once the centre closed.
    pub async fn delivered(&mut self) -> Option<Vec<u8>> {
        self.inbox.recv().await
    }

    /// Tests the link.
    ///
    /// # Errors
    /// The connection.
    pub async fn enquire_link(&self) -> io::Result<()> {
        let header = Header::request(CommandId::ENQUIRE_LINK, self.link.next_sequence());
        self.link.request(emitted(|out| emit(&header, &Body::EMPTY, out))?).await.map(drop)
    }

    /// Unbinds and waits for the answer.
    ///
    /// # Errors
    /// The connection.
    pub async fn unbind(self) -> io::Result<()> {
        let header = Header::request(CommandId::UNBIND, self.link.next_sequence());
        self.link.request(emitted(|out| emit(&header, &Body::EMPTY, out))?).await.map(drop)
    }
}

/// A centre that takes every bind and every message, keeps the PDUs it got, and sends receipts where they are asked for.
#[derive(Debug)]
pub struct Centre {
    local: SocketAddr,
    shared: Arc<Shared>,
    accepting: tokio::task::JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    received: Mutex<Vec<Vec<u8>>>,
    links: Mutex<Vec<Link>>,
    message_id: AtomicU64,
    count: AtomicU64,
    forgets: bool,
}

impl Centre {
    /// Listens on `address`.
    ///
    /// # Errors
    /// The address is taken.
    pub async fn start(address: impl ToSocketAddrs) -> io::Result<Self> {
        Self::start_with(address, false).await
    }

    /// The same, but it keeps no PDUs: for a stream without an end.
    ///
    /// # Errors
    /// The address is taken.
    pub async fn start_forgetful(address: impl ToSocketAddrs) -> io::Result<Self> {
        Self::start_with(address, true).await
    }

    async fn start_with(address: impl ToSocketAddrs, forgets: bool) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let local = listener.local_addr()?;
        let shared = Arc::new(Shared { forgets, ..Shared::default() });
        let accepting = tokio::spawn(accept(listener, shared.clone()));
        Ok(Self { local, shared, accepting })
    }

    /// Where it listens.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Every message PDU it took, as it came, in order.
    #[must_use]
    pub fn received(&self) -> Vec<Vec<u8>> {
        lock(&self.shared.received).clone()
    }

    /// How many it took.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.shared.count.load(Ordering::Relaxed)
    }

    /// Delivers a text in UCS-2 to the client that bound last, in as many parts as it takes. True for each that it took.
    ///
    /// # Errors
    /// Nobody is bound, or the connection.
    pub async fn deliver(&self, from: &str, to: &str, text: &str) -> io::Result<Vec<bool>> {
        let link = lock(&self.shared.links).iter().rev().find(|link| !link.is_closed()).cloned();
        let link = link.ok_or(io::ErrorKind::NotConnected)?;
        let mut taken = Vec::new();
        for (has_udh, user_data) in segments(text, 1) {
            let sm = Sm {
                source: RawAddress::new(1, 1, from.as_bytes()),
                destination: RawAddress::new(0, 1, to.as_bytes()),
                esm_class: EsmClass(if has_udh { EsmClass::UDHI } else { 0 }),
                data_coding: 8,
                short_message: &user_data,
                ..Sm::default()
            };
            let header = Header::request(CommandId::DELIVER_SM, link.next_sequence());
            let response = link.request(emitted(|out| emit(&header, &Body::Sm(sm), out))?).await?;
            taken.push(Pdu::new_checked(&response).is_ok_and(|pdu| pdu.command_status().is_ok()));
        }
        Ok(taken)
    }
}

impl Drop for Centre {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let centre = shared.clone();
        let link = Link::start(stream, Layout::SMPP, move |link, octets| centre.handle(link, octets));
        let mut links = lock(&shared.links);
        links.retain(|link| !link.is_closed());
        links.extend(link);
    }
}

impl Shared {
    fn handle(&self, link: &Link, octets: &[u8]) -> Option<Vec<u8>> {
        let pdu = Pdu::new_checked(octets).ok()?;
        let header = pdu.header();
        if header.command_id.is_bind() {
            let response = BindResp { system_id: Some(b"centre"), ..BindResp::default() };
            let header = header.response(CommandStatus::ESME_ROK);
            return emitted(|out| emit(&header, &Body::BindResp(response), out)).ok();
        }
        if !header.command_id.carries_message() {
            return answer(&header, b"");
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        if !self.forgets {
            lock(&self.received).push(octets.to_vec());
        }
        let message_id = format!("{:010}", 1_000_000_001 + self.message_id.fetch_add(1, Ordering::Relaxed));
        if let Ok(Body::Sm(sm)) = pdu.parse()
            && sm.registered_delivery & 1 != 0
        {
            // Sent before the response is written: a client must match it all the same. It queues behind nothing.
            let _full = receipt(link, &sm, &message_id).and_then(|receipt| link.try_send(receipt));
        }
        answer(&header, message_id.as_bytes())
    }
}

fn receipt(link: &Link, submitted: &Sm<'_>, message_id: &str) -> io::Result<Vec<u8>> {
    let text = format!(
        "id:{message_id} sub:001 dlvrd:001 submit date:2611240200 done date:2611240200 stat:DELIVRD err:000 text:"
    );
    let sm = Sm {
        source: submitted.destination,
        destination: submitted.source,
        esm_class: EsmClass(EsmClass::DELIVERY_RECEIPT),
        short_message: text.as_bytes(),
        ..Sm::default()
    };
    let header = Header::request(CommandId::DELIVER_SM, link.next_sequence());
    emitted(|out| emit(&header, &Body::Sm(sm), out))
}

/// The usual answer to a request: success.
fn answer(request: &Header, message_id: &[u8]) -> Option<Vec<u8>> {
    let header = request.response(CommandStatus::ESME_ROK);
    let body = if request.command_id.carries_message() {
        Body::MessageResp(MessageResp::new(message_id))
    } else {
        Body::EMPTY
    };
    emitted(|out| emit(&header, &body, out)).ok()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
