//! The two ends of an SGIP connection. Both sides of SGIP are both: an SP submits as a client and takes what is delivered as
//! a server, an SMG the other way about.

use super::{Layout, Link, emitted};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use yumen_wire::sgip::{Bind, Body, CommandId, Header, Pdu, Response, Sequence, emit, emit_response, result};

const NAME: [u8; 16] = *b"yumen-test\0\0\0\0\0\0";
const PASSWORD: [u8; 16] = *b"not-a-secret\0\0\0\0";

/// Who opened the connection: the only one that sends commands.
#[derive(Debug)]
pub struct Client {
    link: Link,
    node: u32,
}

impl Client {
    /// Connects and binds: `login_type` 1 is an SP that submits, 2 an SMG that delivers.
    ///
    /// # Errors
    /// The connection, or a refused login.
    pub async fn bind(address: impl ToSocketAddrs, login_type: u8, node: u32) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        // The other side only answers.
        let client = Self { link: Link::start(stream, Layout::SGIP, |_, _| None)?, node };
        let bind = Bind { login_type, login_name: NAME, login_password: PASSWORD, reserve: [0; 8] };
        let header = Header::new(CommandId::BIND, client.next_sequence());
        let taken = client.request(emitted(|out| emit(&header, &Body::Bind(bind), out))?).await?;
        if taken != result::OK {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the login was refused"));
        }
        Ok(client)
    }

    /// The next sequence number.
    #[must_use]
    pub fn next_sequence(&self) -> Sequence {
        // A time that is none: it must come back as it is.
        Sequence { node: self.node, time: 301_151_218, count: self.link.next_sequence() }
    }

    /// Sends a command of the caller's own making, waits for its answer, and checks that all three words came back.
    ///
    /// # Errors
    /// The connection, or another sequence number.
    pub async fn request(&self, octets: Vec<u8>) -> io::Result<u8> {
        let words = octets.get(8..20).map(<[u8]>::to_vec);
        let response = self.link.request(octets).await?;
        if response.get(8..20).map(<[u8]>::to_vec) != words {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "another sequence number"));
        }
        let body = response.get(20..).and_then(|body| Response::parse(body).ok());
        body.map(|body| body.result).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Says good-bye.
    ///
    /// # Errors
    /// The connection.
    pub async fn unbind(self) -> io::Result<()> {
        let header = Header::new(CommandId::UNBIND, self.next_sequence());
        self.link.request(emitted(|out| emit(&header, &Body::EMPTY, out))?).await.map(drop)
    }
}

/// Who was connected to. It takes everything, and keeps the PDUs it got, Bind and Unbind aside.
#[derive(Debug)]
pub struct Server {
    received: Arc<Mutex<Vec<Vec<u8>>>>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Listens on `address`.
    ///
    /// # Errors
    /// The address is taken.
    pub async fn start(address: impl ToSocketAddrs) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let received = Arc::new(Mutex::new(Vec::new()));
        let keeping = received.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let keeping = keeping.clone();
                // A connection that can't be set up is closed, which its peer sees.
                let _link = Link::start(stream, Layout::SGIP, move |_, octets| handle(&keeping, octets));
            }
        });
        Ok(Self { received, accepting })
    }

    /// Every command it took, as it came, in order.
    #[must_use]
    pub fn received(&self) -> Vec<Vec<u8>> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn handle(received: &Mutex<Vec<Vec<u8>>>, octets: &[u8]) -> Option<Vec<u8>> {
    let pdu = Pdu::new_checked(octets).ok()?;
    let code = match pdu.parse() {
        Ok(Body::Bind(bind)) if bind.login_name != NAME || bind.login_password != PASSWORD => {
            result::BAD_LOGIN
        }
        Ok(Body::Bind(_)) => result::OK,
        _ if pdu.command_id() == CommandId::UNBIND => result::OK,
        _ => {
            received.lock().unwrap_or_else(PoisonError::into_inner).push(octets.to_vec());
            result::OK
        }
    };
    emitted(|out| emit_response(&pdu.header(), code, out)).ok()
}
