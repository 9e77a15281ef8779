//! An SP and an ISMG, 2.0 or 3.0. Both check the other's MD5 authenticator where the specification lets them.

use super::{Layout, Link, emitted, segments};
use md5::{Digest, Md5};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::mpsc;
use yumen_wire::cmpp::{
    Body, Code, CommandId, Connect, ConnectResp, Deliver, Header, MessageResp, MsgId, MsgIdTime, Pdu, Submit,
    Version, client_digest_input, emit, emit_response, result, server_digest_input, status,
};

/// PDUs of one connection that nobody has taken yet; more are lost.
const INBOX_PDUS_MAX: usize = 100_000;

/// MMDDHHMMSS of every CONNECT: nothing here depends on when it is.
const TIMESTAMP: u32 = 1_124_020_000;

/// The account and secret that peers of the tests share.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    /// `SP_Id`, six digits.
    pub id: [u8; 6],
    /// The shared secret.
    pub secret: &'static [u8],
}

/// The account of the tests.
pub const ACCOUNT: Account = Account { id: *b"901234", secret: b"1234abcd" };

/// How a SUBMIT went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// `Result`.
    pub result: u32,
    /// The ISMG's id.
    pub msg_id: MsgId,
}

impl Submitted {
    /// The ISMG took it.
    #[must_use]
    pub const fn is_ok(&self) -> bool {
        self.result == result::OK
    }
}

/// A client. It answers DELIVER and ACTIVE_TEST by itself.
#[derive(Debug)]
pub struct Sp {
    link: Link,
    version: Version,
    inbox: mpsc::Receiver<Vec<u8>>,
    reference: AtomicU8,
}

impl Sp {
    /// Connects and logs in. The version in use is the server's, as the length of its answer says.
    ///
    /// # Errors
    /// The connection, or a refused login.
    pub async fn connect(
        address: impl ToSocketAddrs,
        version: Version,
        account: Account,
    ) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        let (arrived, inbox) = mpsc::channel(INBOX_PDUS_MAX);
        let answers = Arc::new(AtomicU8::new(version.wire()));
        let speaking = answers.clone();
        let link = Link::start(stream, Layout::CMPP, move |_, octets| {
            let pdu = Pdu::new_checked(octets).ok()?;
            if pdu.command_id() == CommandId::DELIVER {
                // A test that takes none of them gets as many as fit.
                let _full = arrived.try_send(octets.to_vec());
            }
            let version = Version::from_wire(speaking.load(Ordering::Relaxed))?;
            emitted(|out| emit_response(&pdu, version, result::OK, MsgId(0), out)).ok()
        })?;
        let digest = client_digest(account);
        let connect = Connect {
            source_addr: account.id,
            authenticator_source: digest,
            version: version.wire(),
            timestamp: TIMESTAMP,
        };
        let header = Header::new(CommandId::CONNECT, link.next_sequence());
        let response =
            link.request(emitted(|out| emit(&header, &Body::Connect(connect), version, out))?).await?;
        let version = Version::of_connect_resp(response.len()).ok_or(io::ErrorKind::InvalidData)?;
        let answer = response.get(12..).and_then(|body| ConnectResp::parse(body).ok());
        let answer = answer.ok_or(io::ErrorKind::InvalidData)?;
        if !answer.status.is_ok()
            || answer.authenticator_ismg != server_digest(version, status::OK, &digest, account)
        {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the login was refused"));
        }
        answers.store(version.wire(), Ordering::Relaxed);
        Ok(Self { link, version, inbox, reference: AtomicU8::new(0) })
    }

    /// The version in use.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Submits a text in UCS-2 in as many parts as it takes, one after the other. One answer a part.
    ///
    /// # Errors
    /// The connection.
    pub async fn submit(&self, from: &str, to: &str, text: &str) -> io::Result<Vec<Submitted>> {
        let reference = self.reference.fetch_add(1, Ordering::Relaxed);
        let parts = segments(text, reference);
        let total = u8::try_from(parts.len()).unwrap_or(u8::MAX);
        let mut destinations = [0; 32];
        let (destination_count, length) =
            Submit::pad_destinations(&[to.as_bytes()], self.version, &mut destinations).map_err(invalid)?;
        let mut answers = Vec::new();
        for (number, (has_udh, user_data)) in (1..=total).zip(&parts) {
            let submit = Submit {
                pk_total: total,
                pk_number: number,
                registered_delivery: 1,
                tp_udhi: u8::from(*has_udh),
                msg_fmt: 8,
                msg_src: &ACCOUNT.id,
                fee_type: b"01",
                fee_code: b"000000",
                src_id: from.as_bytes(),
                destination_count,
                destinations: destinations.get(..length).unwrap_or_default(),
                msg_content: user_data,
                trailer: [0; 20].get(..self.version.trailer_bytes()).unwrap_or_default(),
                ..Submit::default()
            };
            let header = Header::new(CommandId::SUBMIT, self.link.next_sequence());
            let octets = emitted(|out| emit(&header, &Body::Submit(submit), self.version, out))?;
            answers.push(self.request(octets).await?);
        }
        Ok(answers)
    }

    /// Sends a SUBMIT of the caller's own making and waits for the response to its sequence number.
    ///
    /// # Errors
    /// The connection.
    pub async fn request(&self, octets: Vec<u8>) -> io::Result<Submitted> {
        let response = self.link.request(octets).await?;
        let answer = response.get(12..).and_then(|body| MessageResp::parse(body).ok());
        let answer = answer.ok_or(io::ErrorKind::InvalidData)?;
        Ok(Submitted { result: answer.result.value(), msg_id: answer.msg_id })
    }

    /// The next sequence number, for PDUs of the caller's own making.
    #[must_use]
    pub fn next_sequence(&self) -> u32 {
        self.link.next_sequence()
    }

    /// The next DELIVER, reports included, as it came. `None` once the ISMG closed.
    pub async fn delivered(&mut self) -> Option<Vec<u8>> {
        self.inbox.recv().await
    }

    /// Tests the link.
    ///
    /// # Errors
    /// The connection.
    pub async fn active_test(&self) -> io::Result<()> {
        self.bare(CommandId::ACTIVE_TEST).await
    }

    /// Says good-bye and waits for the answer.
    ///
    /// # Errors
    /// The connection.
    pub async fn terminate(self) -> io::Result<()> {
        self.bare(CommandId::TERMINATE).await
    }

    async fn bare(&self, command_id: CommandId) -> io::Result<()> {
        let header = Header::new(command_id, self.link.next_sequence());
        self.link.request(emitted(|out| emit(&header, &Body::EMPTY, self.version, out))?).await.map(drop)
    }
}

/// An ISMG of one version that takes every login with the right digest and every SUBMIT, keeps the PDUs it got, and sends
/// reports where they are asked for.
#[derive(Debug)]
pub struct Ismg {
    local: SocketAddr,
    shared: Arc<Shared>,
    accepting: tokio::task::JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    version: Version,
    account: Account,
    received: Mutex<Vec<Vec<u8>>>,
    links: Mutex<Vec<Link>>,
    count: AtomicU64,
    id: AtomicU32,
    forgets: bool,
}

impl Ismg {
    /// Listens on `address`.
    ///
    /// # Errors
    /// The address is taken.
    pub async fn start(address: impl ToSocketAddrs, version: Version, account: Account) -> io::Result<Self> {
        Self::start_with(address, version, account, false).await
    }

    /// The same, but it keeps no PDUs: for a stream without an end.
    ///
    /// # Errors
    /// The address is taken.
    pub async fn start_forgetful(
        address: impl ToSocketAddrs,
        version: Version,
        account: Account,
    ) -> io::Result<Self> {
        Self::start_with(address, version, account, true).await
    }

    async fn start_with(
        address: impl ToSocketAddrs,
        version: Version,
        account: Account,
        forgets: bool,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let local = listener.local_addr()?;
        let shared = Arc::new(Shared {
            version,
            account,
            received: Mutex::default(),
            links: Mutex::default(),
            count: AtomicU64::new(0),
            id: AtomicU32::new(0),
            forgets,
        });
        let accepting = tokio::spawn(accept(listener, shared.clone()));
        Ok(Self { local, shared, accepting })
    }

    /// Where it listens.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Every SUBMIT it took, as it came, in order.
    #[must_use]
    pub fn received(&self) -> Vec<Vec<u8>> {
        lock(&self.shared.received).clone()
    }

    /// How many it took.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.shared.count.load(Ordering::Relaxed)
    }

    /// Delivers a text in UCS-2 to the client that logged in last, in as many parts as it takes. True for each that it took.
    ///
    /// # Errors
    /// Nobody is connected, or the connection.
    pub async fn deliver(&self, from: &str, to: &str, text: &str) -> io::Result<Vec<bool>> {
        let link = lock(&self.shared.links).iter().rev().find(|link| !link.is_closed()).cloned();
        let link = link.ok_or(io::ErrorKind::NotConnected)?;
        let mut taken = Vec::new();
        for (has_udh, user_data) in segments(text, 1) {
            let msg_id = self.shared.next_id();
            let deliver = Deliver {
                tp_udhi: u8::from(has_udh),
                msg_fmt: 8,
                ..self.shared.deliver(msg_id, from.as_bytes(), to.as_bytes(), &user_data)
            };
            let header = Header::new(CommandId::DELIVER, link.next_sequence());
            let octets = emitted(|out| emit(&header, &Body::Deliver(deliver), self.shared.version, out))?;
            let response = link.request(octets).await?;
            let answer = response.get(12..).and_then(|body| MessageResp::parse(body).ok());
            taken.push(answer.is_some_and(|answer| answer.result.is_ok() && answer.msg_id == msg_id));
        }
        Ok(taken)
    }
}

impl Drop for Ismg {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let ismg = shared.clone();
        let link = Link::start(stream, Layout::CMPP, move |link, octets| ismg.handle(link, octets));
        let mut links = lock(&shared.links);
        links.retain(|link| !link.is_closed());
        links.extend(link);
    }
}

impl Shared {
    fn handle(&self, link: &Link, octets: &[u8]) -> Option<Vec<u8>> {
        let pdu = Pdu::new_checked(octets).ok()?;
        match pdu.parse(self.version) {
            Ok(Body::Connect(connect)) => self.login(pdu.header(), &connect),
            Ok(Body::Submit(submit)) => self.take(link, &pdu, &submit),
            Ok(_) => emitted(|out| emit_response(&pdu, self.version, result::OK, MsgId(0), out)).ok(),
            Err(_) => {
                emitted(|out| emit_response(&pdu, self.version, result::BAD_STRUCTURE, MsgId(0), out)).ok()
            }
        }
    }

    fn login(&self, header: Header, connect: &Connect) -> Option<Vec<u8>> {
        let known = connect.source_addr == self.account.id;
        let proven =
            connect.timestamp == TIMESTAMP && connect.authenticator_source == client_digest(self.account);
        let code = match (known, proven) {
            (true, true) => status::OK,
            (true, false) => status::BAD_DIGEST,
            (false, _) => status::BAD_SOURCE,
        };
        let authenticator_ismg = if code == status::OK {
            server_digest(self.version, code, &connect.authenticator_source, self.account)
        } else {
            [0; 16]
        };
        let status = Code::new(self.version, code);
        let response = ConnectResp { status, authenticator_ismg, version: self.version.wire() };
        emitted(|out| emit(&header.response(), &Body::ConnectResp(response), self.version, out)).ok()
    }

    fn take(&self, link: &Link, pdu: &Pdu<'_>, submit: &Submit<'_>) -> Option<Vec<u8>> {
        self.count.fetch_add(1, Ordering::Relaxed);
        if !self.forgets {
            lock(&self.received).push(pdu.octets().to_vec());
        }
        let msg_id = self.next_id();
        if submit.registered_delivery == 1 {
            let terminal = submit.destinations.get(..self.version.terminal_id_bytes()).unwrap_or_default();
            let content = report(msg_id, terminal);
            let deliver = Deliver {
                registered_delivery: 1,
                ..self.deliver(self.next_id(), yumen_wire::cmpp::until_nul(terminal), submit.src_id, &content)
            };
            let header = Header::new(CommandId::DELIVER, link.next_sequence());
            // A test that lets its queue fill up gets fewer reports.
            let _full = emitted(|out| emit(&header, &Body::Deliver(deliver), self.version, out))
                .and_then(|octets| link.try_send(octets));
        }
        emitted(|out| emit_response(pdu, self.version, result::OK, msg_id, out)).ok()
    }

    fn deliver<'a>(&self, msg_id: MsgId, from: &'a [u8], to: &'a [u8], content: &'a [u8]) -> Deliver<'a> {
        Deliver {
            msg_id,
            dest_id: yumen_wire::cmpp::until_nul(to),
            src_terminal_id: from,
            msg_content: content,
            trailer: ZEROS.get(..self.version.trailer_bytes()).unwrap_or_default(),
            ..Deliver::default()
        }
    }

    fn next_id(&self) -> MsgId {
        let number = self.id.fetch_add(1, Ordering::Relaxed);
        let [low, high, second, _] = number.to_le_bytes();
        let time = MsgIdTime { month: 11, day: 24, hour: 2, minute: second % 60, second: 0 };
        MsgId::new(time, 1001, u16::from_le_bytes([low, high]))
    }
}

const ZEROS: [u8; 20] = [0; 20];

/// `Msg_Content` of a report: 60 octets in 2.0, 71 in 3.0.
fn report(msg_id: MsgId, terminal: &[u8]) -> Vec<u8> {
    let mut content = msg_id.0.to_be_bytes().to_vec();
    content.extend(b"DELIVRD26112402002611240200");
    content.extend(terminal);
    content.extend(7_u32.to_be_bytes());
    content
}

fn client_digest(account: Account) -> [u8; 16] {
    let mut input = [0; 128];
    let length = client_digest_input(&account.id, account.secret, TIMESTAMP, &mut input).unwrap_or_default();
    Md5::digest(input.get(..length).unwrap_or_default()).into()
}

fn server_digest(version: Version, status: u32, client: &[u8; 16], account: Account) -> [u8; 16] {
    let mut input = [0; 128];
    let length = server_digest_input(version, status, client, account.secret, &mut input).unwrap_or_default();
    Md5::digest(input.get(..length).unwrap_or_default()).into()
}

fn invalid(error: yumen_wire::error::EmitError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
