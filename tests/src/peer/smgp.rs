//! An SP and an SMGW of SMGP 3.0. Both check the other's MD5 authenticator.

use super::{Layout, Link, emitted};
use md5::{Digest, Md5};
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use yumen_wire::smgp::{
    Body, CommandId, Header, Login, LoginResp, MessageResp, MsgId, Pdu, Version, client_digest_input, emit,
    emit_response, server_digest_input, status,
};

const CLIENT_ID: [u8; 8] = *b"10690001";
const SECRET: &[u8] = b"1234abcd";
const TIMESTAMP: u32 = 301_000_000;

/// A client. It answers Deliver by itself, and keeps what it got.
#[derive(Debug)]
pub struct Sp {
    link: Link,
    received: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Sp {
    /// Connects and logs in.
    ///
    /// # Errors
    /// The connection, or a refused login.
    pub async fn connect(address: impl ToSocketAddrs) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        let received = Arc::new(Mutex::new(Vec::new()));
        let keeping = received.clone();
        let link = Link::start(stream, Layout::SMGP, move |_, octets| {
            let pdu = Pdu::new_checked(octets).ok()?;
            if pdu.command_id() == CommandId::DELIVER {
                lock(&keeping).push(octets.to_vec());
            }
            emitted(|out| emit_response(&pdu, Version::V3, status::OK, MsgId::default(), out)).ok()
        })?;
        let login = Login {
            client_id: CLIENT_ID,
            authenticator_client: client_digest(),
            login_mode: 2,
            timestamp: TIMESTAMP,
            client_version: Version::V3.wire(),
        };
        let header = Header::new(CommandId::LOGIN, link.next_sequence());
        let response =
            link.request(emitted(|out| emit(&header, &Body::Login(login), Version::V3, out))?).await?;
        let answer = response.get(12..).and_then(|body| LoginResp::parse(body).ok());
        let proof = server_digest(&client_digest());
        if answer.is_none_or(|answer| answer.status != status::OK || answer.authenticator_server != proof) {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the login was refused"));
        }
        Ok(Self { link, received })
    }

    /// Sends a Submit of the caller's own making and waits for its answer.
    ///
    /// # Errors
    /// The connection.
    pub async fn submit(&self, octets: Vec<u8>) -> io::Result<MessageResp> {
        answer(&self.link.request(octets).await?)
    }

    /// Every Deliver it got, as it came.
    #[must_use]
    pub fn received(&self) -> Vec<Vec<u8>> {
        lock(&self.received).clone()
    }

    /// The next sequence number.
    #[must_use]
    pub fn next_sequence(&self) -> u32 {
        self.link.next_sequence()
    }

    /// Active_Test, then Exit.
    ///
    /// # Errors
    /// The connection.
    pub async fn leave(self) -> io::Result<()> {
        for id in [CommandId::ACTIVE_TEST, CommandId::EXIT] {
            let header = Header::new(id, self.link.next_sequence());
            self.link.request(emitted(|out| emit(&header, &Body::EMPTY, Version::V3, out))?).await?;
        }
        Ok(())
    }
}

/// A server that takes every login with the right digest, and every Submit, and keeps what it got.
#[derive(Debug)]
pub struct Smgw {
    shared: Arc<Shared>,
    accepting: tokio::task::JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    received: Mutex<Vec<Vec<u8>>>,
    links: Mutex<Vec<Link>>,
    id: AtomicU32,
}

impl Smgw {
    /// Listens on `address`.
    ///
    /// # Errors
    /// The address is taken.
    pub async fn start(address: impl ToSocketAddrs) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let shared = Arc::new(Shared::default());
        let accepting = tokio::spawn(accept(listener, shared.clone()));
        Ok(Self { shared, accepting })
    }

    /// Every Submit it took, as it came, in order.
    #[must_use]
    pub fn received(&self) -> Vec<Vec<u8>> {
        lock(&self.shared.received).clone()
    }

    /// Sends a Deliver of the caller's own making to whoever connected last, and waits for its answer.
    ///
    /// # Errors
    /// Nobody is connected, or the connection.
    pub async fn deliver(&self, octets: Vec<u8>) -> io::Result<MessageResp> {
        let link = lock(&self.shared.links).last().cloned().ok_or(io::ErrorKind::NotConnected)?;
        answer(&link.request(octets).await?)
    }
}

impl Drop for Smgw {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let smgw = shared.clone();
        let link = Link::start(stream, Layout::SMGP, move |_, octets| smgw.handle(octets));
        lock(&shared.links).extend(link);
    }
}

impl Shared {
    fn handle(&self, octets: &[u8]) -> Option<Vec<u8>> {
        let pdu = Pdu::new_checked(octets).ok()?;
        if let Ok(Body::Login(login)) = pdu.parse(Version::V3) {
            let proven = login.client_id == CLIENT_ID && login.authenticator_client == client_digest();
            let response = LoginResp {
                status: if proven { status::OK } else { status::BAD_LOGIN },
                authenticator_server: server_digest(&login.authenticator_client),
                server_version: Version::V3.wire(),
            };
            let header = pdu.header().response();
            return emitted(|out| emit(&header, &Body::LoginResp(response), Version::V3, out)).ok();
        }
        if pdu.command_id() == CommandId::SUBMIT {
            lock(&self.received).push(octets.to_vec());
        }
        let [_, high, middle, low] = self.id.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let id = MsgId([0x01, 0x00, 0x61, 0x11, 0x24, 0x02, 0x00, high, middle, low]);
        emitted(|out| emit_response(&pdu, Version::V3, status::OK, id, out)).ok()
    }
}

fn answer(response: &[u8]) -> io::Result<MessageResp> {
    let body = response.get(12..).and_then(|body| MessageResp::parse(body).ok());
    body.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn client_digest() -> [u8; 16] {
    let mut input = [0; 64];
    let length = client_digest_input(&CLIENT_ID, SECRET, TIMESTAMP, &mut input).unwrap_or_default();
    Md5::digest(input.get(..length).unwrap_or_default()).into()
}

fn server_digest(client: &[u8; 16]) -> [u8; 16] {
    let mut input = [0; 64];
    let length = server_digest_input(status::OK, client, SECRET, &mut input).unwrap_or_default();
    Md5::digest(input.get(..length).unwrap_or_default()).into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
