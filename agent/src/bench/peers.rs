//! The two ends of an SMPP connection: an ESME that keeps a window, and a centre that gives every message an id. Every PDU
//! is encoded and decoded.

use super::BenchError;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use yumen_wire::address::RawAddress;
use yumen_wire::frame::{Frame, Framing};
use yumen_wire::smpp::{
    Bind, Body, CommandId, CommandStatus, Header, MessageResp, MessageView, Pdu, Sm, emit,
};

/// How a peer writes PDUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    /// Each when it is made, as the libraries for ESMEs and centres do.
    Each,
    /// All that one read gave rise to in one: the cheapest that a peer can be.
    Batched,
}

/// A socket, the PDUs read from it and those to be written.
struct Link {
    stream: TcpStream,
    input: Vec<u8>,
    output: Vec<u8>,
    writes: Writes,
}

impl Link {
    fn new(stream: TcpStream, writes: Writes) -> std::io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, input: Vec::new(), output: Vec::new(), writes })
    }

    /// False at the end of the stream.
    async fn read(&mut self) -> std::io::Result<bool> {
        self.input.reserve(READ_BYTES);
        Ok(self.stream.read_buf(&mut self.input).await? > 0)
    }

    /// The length of the whole PDU that stands at `at` of the input.
    fn pdu_at(&self, at: usize) -> Option<usize> {
        match Framing::SMPP.frame(self.input.get(at..)?) {
            Ok(Frame::Whole(length)) => Some(length),
            _ => None,
        }
    }

    async fn write(&mut self, header: &Header, body: &Body<'_>) -> Result<(), BenchError> {
        let start = self.output.len();
        self.output.resize(start + PDU_BYTES_MAX, 0);
        let length = emit(header, body, self.output.get_mut(start..).unwrap_or_default())?;
        self.output.truncate(start + length);
        if self.writes == Writes::Each {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> std::io::Result<()> {
        if !self.output.is_empty() {
            self.stream.write_all(&self.output).await?;
            self.output.clear();
        }
        Ok(())
    }
}

/// A centre: takes every bind and every submit on `listener`, for ever.
pub(super) async fn centre(listener: TcpListener, writes: Writes) {
    let ids = Arc::new(AtomicU64::new(1_000_000_000));
    while let Ok((stream, _)) = listener.accept().await {
        let ids = ids.clone();
        tokio::spawn(async move {
            // Whatever ends it ends the connection, and the other side says so.
            let _ended = answer_all(stream, writes, &ids).await;
        });
    }
}

async fn answer_all(stream: TcpStream, writes: Writes, ids: &AtomicU64) -> Result<(), BenchError> {
    let mut link = Link::new(stream, writes)?;
    while link.read().await? {
        let mut at = 0;
        while let Some(length) = link.pdu_at(at) {
            let (header, is_message) = {
                let octets = link.input.get(at..at + length).unwrap_or_default();
                let pdu = Pdu::new_checked(octets).map_err(|_| unexpected("a PDU that is none"))?;
                let message = (pdu.command_id() == CommandId::SUBMIT_SM).then(|| MessageView::parse(&pdu));
                let message = message.transpose().map_err(|_| unexpected("a submit_sm that is none"))?;
                (pdu.header(), message.is_some_and(|view| !view.user_data().octets.is_empty()))
            };
            at += length;
            let response = header.response(CommandStatus::ESME_ROK);
            if is_message {
                let id = ids.fetch_add(1, Ordering::Relaxed).to_string();
                link.write(&response, &Body::MessageResp(MessageResp::new(id.as_bytes()))).await?;
            } else if header.command_id == CommandId::BIND_TRANSCEIVER {
                link.write(&response, &Body::Opaque(b"bench\0")).await?;
            } else {
                link.write(&response, &Body::EMPTY).await?;
            }
        }
        link.input.drain(..at);
        link.flush().await?;
    }
    Ok(())
}

/// An ESME's connection, bound.
pub(super) struct Esme {
    link: Link,
    /// Of each message, in UCS-2.
    texts: Arc<[Vec<u8>]>,
    /// Whose it is, as source address.
    source: String,
    /// The start of the numbers that it sends to: nobody is written to by ten ESMEs, which would be a flood.
    subscribers: String,
    next: u32,
    /// Submits without an answer: sequence number, and when it was sent.
    window: Vec<(u32, Instant)>,
}

/// What an answer says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub(super) taken: bool,
    pub(super) sent_at: Instant,
}

impl Esme {
    /// Connects and binds.
    pub(super) async fn bind(
        target: SocketAddr,
        number: usize,
        texts: Arc<[Vec<u8>]>,
        writes: Writes,
    ) -> Result<Self, BenchError> {
        let link = Link::new(TcpStream::connect(target).await?, writes)?;
        let source = format!("1069{number:06}");
        let subscribers = format!("8613{:02}", number % 100);
        let mut esme = Self { link, texts, source, subscribers, next: 1, window: Vec::new() };
        let bind = Bind { system_id: b"bench", interface_version: 0x34, ..Bind::default() };
        let header = Header::request(CommandId::BIND_TRANSCEIVER, esme.take_number());
        esme.link.write(&header, &Body::Bind(bind)).await?;
        esme.link.flush().await?;
        while esme.link.pdu_at(0).is_none() {
            if !esme.link.read().await? {
                return Err(unexpected("the end, instead of an answer to the bind"));
            }
        }
        let length = esme.link.pdu_at(0).unwrap_or(0);
        let pdu = Pdu::new_checked(esme.link.input.get(..length).unwrap_or_default());
        let bound = pdu.is_ok_and(|pdu| {
            pdu.command_id() == CommandId::BIND_TRANSCEIVER_RESP && pdu.command_status().is_ok()
        });
        esme.link.input.drain(..length);
        if bound { Ok(esme) } else { Err(unexpected("a refusal of the bind")) }
    }

    /// Submits without an answer.
    pub(super) fn open(&self) -> usize {
        self.window.len()
    }

    /// Sends the next messages, each to another subscriber.
    pub(super) async fn submit(&mut self, count: usize) -> Result<(), BenchError> {
        for _ in 0..count {
            let number = self.take_number();
            let texts = self.texts.clone();
            let text = usize::try_from(number).ok().and_then(|number| texts.get(number % texts.len()));
            let destination =
                format!("{}{:07}", self.subscribers, number.wrapping_mul(2_654_431) % 10_000_000);
            let source = std::mem::take(&mut self.source);
            let address = |ton, octets| RawAddress { ton, npi: 1, octets };
            let sm = Sm {
                source: address(0, source.as_bytes()),
                destination: address(1, destination.as_bytes()),
                registered_delivery: 1,
                data_coding: 8,
                short_message: text.map(Vec::as_slice).unwrap_or_default(),
                ..Sm::default()
            };
            self.window.push((number, Instant::now()));
            let sent = self.link.write(&Header::request(CommandId::SUBMIT_SM, number), &Body::Sm(sm)).await;
            self.source = source;
            sent?;
        }
        Ok(self.link.flush().await?)
    }

    /// Waits for answers. Safe to drop while it waits.
    pub(super) async fn read(&mut self) -> Result<(), BenchError> {
        if self.link.read().await? { Ok(()) } else { Err(unexpected("the end of the connection")) }
    }

    /// The next answer among what was read.
    pub(super) fn next_answer(&mut self, at: &mut usize) -> Result<Option<Answer>, BenchError> {
        let Some(length) = self.link.pdu_at(*at) else {
            self.link.input.drain(..*at);
            *at = 0;
            return Ok(None);
        };
        let octets = self.link.input.get(*at..*at + length).unwrap_or_default();
        *at += length;
        let pdu = Pdu::new_checked(octets).map_err(|_| unexpected("a PDU that is none"))?;
        let response = MessageResp::parse(pdu.body_octets());
        let has_id = response.is_ok_and(|response| response.message_id.is_some_and(|id| !id.is_empty()));
        let number = pdu.header().sequence_number;
        let place = self.window.iter().position(|(open, _)| *open == number);
        let (true, Some(place)) = (pdu.command_id() == CommandId::SUBMIT_SM_RESP, place) else {
            return Err(unexpected("an answer to nothing"));
        };
        let (_, sent_at) = self.window.swap_remove(place);
        Ok(Some(Answer { taken: pdu.command_status().is_ok() && has_id, sent_at }))
    }

    fn take_number(&mut self) -> u32 {
        let number = self.next;
        // Sequence numbers are 1 to 0x7FFFFFFF (SMPP 3.4 §3.2).
        self.next = self.next % 0x7FFF_FFFF + 1;
        number
    }
}

fn unexpected(what: &str) -> BenchError {
    BenchError::Peer(format!("a peer got {what}"))
}

const READ_BYTES: usize = 16 * 1024;
/// Of what these peers send.
const PDU_BYTES_MAX: usize = 512;
