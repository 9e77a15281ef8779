//! A centre that takes everything and an ESME that sends as fast as its window, or a pace, lets it. Both do as
//! little as they can, so that what stands between them is what is measured.

use super::BenchError;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use yumen_wire::address::RawAddress;
use yumen_wire::frame::{Frame, Framing};
use yumen_wire::smpp::{Bind, Body, CommandId, CommandStatus, Header, MessageResp, Sm, emit};

/// What an ESME is told to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// Where it connects.
    pub(super) target: SocketAddr,
    /// How many of it there are.
    pub(super) connections: usize,
    /// Submits without an answer, on each connection.
    pub(super) window: usize,
    /// Messages a second over all connections; `None` sends as fast as the window lets it.
    pub(super) pace_per_s: Option<f64>,
    /// How long.
    pub(super) duration: Duration,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Submits answered with ESME_ROK.
    pub(super) taken: u64,
    /// Submits answered otherwise.
    pub(super) refused: u64,
    /// Seconds from the first submit to the last answer.
    pub(super) seconds: f64,
    /// From submit to answer, in microseconds, sorted. Only under a pace.
    pub(super) latencies_us: Vec<u32>,
}

impl Outcome {
    pub(super) fn per_s(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let answered = (self.taken + self.refused) as f64;
        answered / self.seconds.max(f64::EPSILON)
    }

    /// The latency that `share` (0 to 1) of the answers stay under.
    pub(super) fn percentile_us(&self, share: f64) -> u32 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index below the length"
        )]
        let at = (self.latencies_us.len() as f64 * share) as usize;
        self.latencies_us.get(at).or(self.latencies_us.last()).copied().unwrap_or(0)
    }
}

/// Takes every bind and every submit on `listener`, for ever.
pub(super) async fn centre(listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => { connections.spawn(answer_all(stream)); }
                Err(_) => return,
            },
            Some(_ended) = connections.join_next() => {}
        }
    }
}

async fn answer_all(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = Input::default();
    let mut output = Vec::with_capacity(READ_BYTES);
    while input.read(&mut stream).await? {
        output.clear();
        input.each_pdu(|pdu| {
            let Some(header) = header_of(pdu) else { return };
            let response = header.response(CommandStatus::ESME_ROK);
            let mut octets = [0; 64];
            let body = match header.command_id {
                CommandId::SUBMIT_SM => Body::MessageResp(MessageResp::new(b"0001")),
                CommandId::BIND_TRANSCEIVER => Body::Opaque(b"bench\0"),
                _ => Body::EMPTY,
            };
            if let Ok(length) = emit(&response, &body, &mut octets) {
                output.extend_from_slice(octets.get(..length).unwrap_or_default());
            }
        });
        stream.write_all(&output).await?;
    }
    Ok(())
}

/// Sends `texts` in turn, as UCS-2.
pub(super) async fn run(load: Load, texts: &[String]) -> Result<Outcome, BenchError> {
    let frames: Vec<Vec<u8>> = texts.iter().map(|text| submit(text)).collect::<Result<_, _>>()?;
    let mut connections = JoinSet::new();
    for _ in 0..load.connections {
        let stream = bind(load.target).await?;
        connections.spawn(send(stream, load, frames.clone()));
    }
    let mut total = Outcome::default();
    while let Some(ended) = connections.join_next().await {
        let outcome = ended.map_err(|_| BenchError::Peer("a sender died".to_owned()))??;
        total.taken += outcome.taken;
        total.refused += outcome.refused;
        total.seconds = total.seconds.max(outcome.seconds);
        total.latencies_us.extend(outcome.latencies_us);
    }
    total.latencies_us.sort_unstable();
    Ok(total)
}

async fn bind(target: SocketAddr) -> Result<TcpStream, BenchError> {
    let mut stream = TcpStream::connect(target).await?;
    stream.set_nodelay(true)?;
    let bind = Bind { system_id: b"bench", interface_version: 0x34, ..Bind::default() };
    let mut octets = [0; 64];
    let length = emit(&Header::request(CommandId::BIND_TRANSCEIVER, 1), &Body::Bind(bind), &mut octets)?;
    stream.write_all(octets.get(..length).unwrap_or_default()).await?;
    let mut input = Input::default();
    let mut bound = false;
    while !bound && input.read(&mut stream).await? {
        input.each_pdu(|pdu| {
            bound |= header_of(pdu).is_some_and(|h| {
                h.command_id == CommandId::BIND_TRANSCEIVER_RESP && h.command_status.is_ok()
            });
        });
    }
    if bound { Ok(stream) } else { Err(BenchError::Peer("the bind was refused".to_owned())) }
}

/// One connection's part of the load.
async fn send(mut stream: TcpStream, load: Load, frames: Vec<Vec<u8>>) -> Result<Outcome, BenchError> {
    let mut sender =
        Sender { frames, next: 0, open: 0, sent_at: vec![Instant::now(); SENT_AT_SLOTS], output: Vec::new() };
    let mut outcome = Outcome::default();
    let mut input = Input::default();
    let started = Instant::now();
    #[expect(clippy::cast_precision_loss, reason = "few connections")]
    let pace = load.pace_per_s.map(|pace| pace / load.connections as f64);
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        let now = Instant::now();
        let sending = now.duration_since(started) < load.duration;
        if !sending && sender.open == 0 {
            break;
        }
        if sending {
            let due = pace.map_or(load.window, |pace| due_by(now.duration_since(started), pace, sender.next));
            sender.queue(due.min(load.window.saturating_sub(sender.open)), now);
            if !sender.output.is_empty() {
                stream.write_all(&sender.output).await?;
                sender.output.clear();
            }
        }
        tokio::select! {
            read = input.read(&mut stream) => {
                if !read? {
                    return Err(BenchError::Peer("the connection was closed".to_owned()));
                }
                let now = Instant::now();
                input.each_pdu(|pdu| sender.answered(pdu, now, pace.is_some(), &mut outcome));
            }
            _ = tick.tick(), if pace.is_some() => {}
        }
    }
    outcome.seconds = started.elapsed().as_secs_f64();
    Ok(outcome)
}

/// How many messages a pace wants beyond those `sent`.
fn due_by(elapsed: Duration, per_s: f64, sent: u32) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive count")]
    let wanted = (elapsed.as_secs_f64() * per_s) as u32;
    wanted.saturating_sub(sent) as usize
}

struct Sender {
    frames: Vec<Vec<u8>>,
    next: u32,
    open: usize,
    sent_at: Vec<Instant>,
    output: Vec<u8>,
}

impl Sender {
    fn queue(&mut self, count: usize, now: Instant) {
        for _ in 0..count {
            let frame = &self.frames[self.next as usize % self.frames.len()];
            let at = self.output.len();
            self.output.extend_from_slice(frame);
            let sequence = self.next.wrapping_add(SEQUENCE_START);
            self.output[at + 12..at + 16].copy_from_slice(&sequence.to_be_bytes());
            self.sent_at[self.next as usize % SENT_AT_SLOTS] = now;
            self.next = self.next.wrapping_add(1);
            self.open += 1;
        }
    }

    fn answered(&mut self, pdu: &[u8], now: Instant, timed: bool, outcome: &mut Outcome) {
        let Some(header) = header_of(pdu).filter(|header| header.command_id == CommandId::SUBMIT_SM_RESP)
        else {
            return;
        };
        self.open = self.open.saturating_sub(1);
        if header.command_status.is_ok() {
            outcome.taken += 1
        } else {
            outcome.refused += 1
        }
        if timed {
            let index = header.sequence_number.wrapping_sub(SEQUENCE_START) as usize;
            let took = now.duration_since(self.sent_at[index % SENT_AT_SLOTS]);
            outcome.latencies_us.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
        }
    }
}

/// Bytes read, and the PDUs in them.
#[derive(Default)]
struct Input {
    octets: Vec<u8>,
}

impl Input {
    /// False at the end of the stream.
    async fn read(&mut self, stream: &mut TcpStream) -> std::io::Result<bool> {
        self.octets.reserve(READ_BYTES);
        Ok(stream.read_buf(&mut self.octets).await? > 0)
    }

    fn each_pdu(&mut self, mut take: impl FnMut(&[u8])) {
        let mut at = 0;
        while let Ok(Frame::Whole(length)) = Framing::SMPP.frame(self.octets.get(at..).unwrap_or_default()) {
            take(&self.octets[at..at + length]);
            at += length;
        }
        self.octets.drain(..at);
    }
}

fn header_of(pdu: &[u8]) -> Option<Header> {
    yumen_wire::smpp::Pdu::new_checked(pdu).ok().map(|pdu| pdu.header())
}

/// A `submit_sm` with sequence number 0.
fn submit(text: &str) -> Result<Vec<u8>, BenchError> {
    let ucs2: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let address = |ton, octets| RawAddress { ton, npi: 1, octets };
    let sm = Sm {
        source: address(0, b"10690000"),
        destination: address(1, b"8613800000001"),
        data_coding: 8,
        short_message: &ucs2,
        ..Sm::default()
    };
    let mut octets = vec![0; 512];
    let length = emit(&Header::request(CommandId::SUBMIT_SM, 0), &Body::Sm(sm), &mut octets)?;
    octets.truncate(length);
    Ok(octets)
}

const READ_BYTES: usize = 64 * 1024;
const SEQUENCE_START: u32 = 2;
/// More than any window.
const SENT_AT_SLOTS: usize = 1 << 16;
/// The finest that the runtime's timer has.
const TICK: Duration = Duration::from_millis(1);
