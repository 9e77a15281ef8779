//! Peers that follow the specifications and nothing else: clients and centres of SMPP, CMPP, SMGP and SGIP, on real sockets. The
//! end-to-end tests and the demonstration stand a gateway between them.
//!
//! ```text
//! socket → PDUs → response: whoever waits for its sequence number
//!               → request: the peer's handler, whose answer goes back
//! ```

pub mod cmpp;
pub mod sgip;
pub mod smgp;
pub mod smpp;

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use yumen_wire::frame::{Frame, Framing};

/// Where a protocol keeps what a peer must know of any PDU.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    framing: Framing,
    /// Offset of the sequence number.
    sequence_at: usize,
}

impl Layout {
    pub(crate) const SMPP: Self = Self { framing: Framing::SMPP, sequence_at: 12 };
    pub(crate) const CMPP: Self = Self { framing: Framing::CMPP, sequence_at: 8 };
    pub(crate) const SMGP: Self = Self { framing: Framing::SMGP, sequence_at: 8 };
    /// The last of its three words tells requests of one connection apart.
    pub(crate) const SGIP: Self = Self { framing: Framing::SGIP, sequence_at: 16 };

    fn sequence(self, pdu: &[u8]) -> u32 {
        word(pdu, self.sequence_at)
    }

    fn is_response(pdu: &[u8]) -> bool {
        word(pdu, 4) & 0x8000_0000 != 0
    }
}

fn word(pdu: &[u8], at: usize) -> u32 {
    pdu.get(at..at + 4).and_then(|octets| octets.try_into().ok()).map_or(0, u32::from_be_bytes)
}

/// Requests that wait for their answers, and PDUs that wait to be written.
const QUEUE_PDUS_MAX: usize = 4096;

/// One connection. Clones are the same connection.
#[derive(Clone, Debug)]
pub(crate) struct Link(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    layout: Layout,
    outgoing: mpsc::Sender<Vec<u8>>,
    waiting: Mutex<Option<HashMap<u32, oneshot::Sender<Vec<u8>>>>>,
    sequence: AtomicU32,
}

impl Link {
    /// Takes over a connection. `handle` gets every request of the other side, and gives the answer, if there is one.
    pub(crate) fn start(
        stream: TcpStream,
        layout: Layout,
        mut handle: impl FnMut(&Self, &[u8]) -> Option<Vec<u8>> + Send + 'static,
    ) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let (reader, writer) = stream.into_split();
        let (outgoing, queue) = mpsc::channel(QUEUE_PDUS_MAX);
        let waiting = Mutex::new(Some(HashMap::new()));
        let link = Self(Arc::new(Shared { layout, outgoing, waiting, sequence: AtomicU32::new(1) }));
        tokio::spawn(write_all(writer, queue));
        let reading = link.clone();
        tokio::spawn(async move {
            reading.read(reader, &mut handle).await;
            // Whoever waits is told that nothing comes any more.
            reading.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        });
        Ok(link)
    }

    /// The next sequence number.
    pub(crate) fn next_sequence(&self) -> u32 {
        self.0.sequence.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends a request and waits for its answer.
    pub(crate) async fn request(&self, pdu: Vec<u8>) -> io::Result<Vec<u8>> {
        let sequence = self.0.layout.sequence(&pdu);
        let (answer, answered) = oneshot::channel();
        match self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(waiting) => waiting.insert(sequence, answer),
            None => return Err(closed()),
        };
        self.send(pdu).await?;
        answered.await.map_err(|_| closed())
    }

    /// Sends, and waits for nothing but room in the queue.
    pub(crate) async fn send(&self, pdu: Vec<u8>) -> io::Result<()> {
        self.0.outgoing.send(pdu).await.map_err(|_| closed())
    }

    /// Sends where there is room at once.
    pub(crate) fn try_send(&self, pdu: Vec<u8>) -> io::Result<()> {
        self.0.outgoing.try_send(pdu).map_err(|_| closed())
    }

    /// Whether the other side closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    async fn read(
        &self,
        mut reader: OwnedReadHalf,
        handle: &mut impl FnMut(&Self, &[u8]) -> Option<Vec<u8>>,
    ) {
        let mut buffer = Vec::with_capacity(64 * 1024);
        while matches!(reader.read_buf(&mut buffer).await, Ok(count) if count > 0) {
            let mut used = 0;
            while let Some(rest) = buffer.get(used..)
                && let Ok(Frame::Whole(length)) = self.0.layout.framing.frame(rest)
                && let Some(pdu) = rest.get(..length)
            {
                used += length;
                if Layout::is_response(pdu) {
                    self.answered(pdu);
                } else if let Some(answer) = handle(self, pdu)
                    && self.send(answer).await.is_err()
                {
                    return;
                }
            }
            buffer.drain(..used);
        }
    }

    fn answered(&self, pdu: &[u8]) {
        let sequence = self.0.layout.sequence(pdu);
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = waiting.as_mut().and_then(|waiting| waiting.remove(&sequence)) {
            // Whoever asked may have given up.
            let _unheard = answer.send(pdu.to_vec());
        }
    }
}

async fn write_all(mut writer: OwnedWriteHalf, mut queue: mpsc::Receiver<Vec<u8>>) {
    let (mut pdus, mut octets) = (Vec::new(), Vec::new());
    while queue.recv_many(&mut pdus, 64).await > 0 {
        octets.clear();
        pdus.drain(..).for_each(|pdu| octets.extend_from_slice(&pdu));
        if writer.write_all(&octets).await.is_err() {
            return;
        }
    }
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the other side closed")
}

/// Writes a PDU by the wire crate's `emit`.
pub(crate) fn emitted<E: std::error::Error + Send + Sync + 'static>(
    emit: impl FnOnce(&mut [u8]) -> Result<usize, E>,
) -> io::Result<Vec<u8>> {
    let mut octets = vec![0; 96 * 1024];
    let length = emit(&mut octets).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    octets.truncate(length);
    Ok(octets)
}

/// The text of a message, cut into parts of at most `units` UTF-16 units, each in UCS-2.
pub(crate) fn ucs2_parts(text: &str, units: usize) -> Vec<Vec<u8>> {
    let all: Vec<u16> = text.encode_utf16().collect();
    all.chunks(units).map(|part| part.iter().flat_map(|unit| unit.to_be_bytes()).collect()).collect()
}

/// UTF-16 units of a message of one part, and of each of several behind a header with an 8-bit reference.
pub(crate) const UNITS_ALONE: usize = 70;
/// See [`UNITS_ALONE`].
pub(crate) const UNITS_A_PART: usize = 67;

/// The user data of each part, with a header where there are several: what every sender of long messages does.
pub(crate) fn segments(text: &str, reference: u8) -> Vec<(bool, Vec<u8>)> {
    if text.encode_utf16().count() <= UNITS_ALONE {
        return ucs2_parts(text, UNITS_ALONE.max(1)).into_iter().map(|part| (false, part)).collect();
    }
    let parts = ucs2_parts(text, UNITS_A_PART);
    let total = u8::try_from(parts.len()).unwrap_or(u8::MAX);
    (1..=total)
        .zip(parts)
        .map(|(number, part)| {
            let mut user_data = vec![5, 0, 3, reference, total, number];
            user_data.extend(part);
            (true, user_data)
        })
        .collect()
}
