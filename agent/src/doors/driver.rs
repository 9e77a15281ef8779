//! Carries a [`Session`] over two sockets: one task for both directions.
//!
//! Nothing is queued without a bound: while a side does not take what it was sent, the other side is not read, and TCP
//! tells it so. A side that half-closes is passed on as a half-close, once everything before it is written.

use super::protocol::{Protocol, Side};
use super::session::{Now, Outputs, Session};
use super::stream::Stream;
use crate::limits::{
    CLOSED_STALL_MAX, INPUT_BYTES_START, INPUT_BYTES_STEP_MAX, LINGER_MAX, OUTPUT_BYTES_HIGH,
};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::Sleep;

/// Runs a pair until both sides closed, the session ended, or the drain is over.
pub(super) async fn relay<P: Protocol>(
    client: Stream,
    server: Stream,
    session: Session<P>,
    mut drain: watch::Receiver<Option<Instant>>,
) {
    let mut pair = Pair {
        session,
        ends: [End::new(client), End::new(server)],
        outputs: Outputs::default(),
        timer: Box::pin(tokio::time::sleep(CLOSED_STALL_MAX)),
        progress_at: Instant::now(),
    };
    let news = drain.clone();
    let mut draining = Box::pin(async move {
        let said = drain.wait_for(Option::is_some).await.map(|deadline| *deadline);
        match said {
            Ok(deadline) => deadline,
            // The listener is gone without a drain: nothing will ever be said.
            Err(_) => std::future::pending().await,
        }
    });
    let (mut asked, mut drained) = (false, false);
    poll_fn(|cx| {
        // Asked once, it wakes this task; asking takes a lock that all connections share, so it isn't done without news.
        let ask = !drained && (!asked || news.has_changed().unwrap_or(true));
        asked = true;
        if ask && let Poll::Ready(deadline) = draining.as_mut().poll(cx) {
            drained = true;
            if let Some(deadline) = deadline {
                pair.session.drain(deadline);
            }
        }
        pair.poll(cx)
    })
    .await;
    pair.linger().await;
}

struct Pair<P> {
    session: Session<P>,
    ends: [End; 2],
    outputs: Outputs,
    /// Sleeps until the session's timeout, or until a half-closed pair stalled for too long.
    timer: Pin<Box<Sleep>>,
    progress_at: Instant,
}

/// One side's socket with what was read from it and what is to be written to it.
struct End {
    stream: Stream,
    input: Vec<u8>,
    /// `input[start..end]` was read and not used up.
    start: usize,
    end: usize,
    output: Vec<u8>,
    /// `output[written..]` is still to be written.
    written: usize,
    /// Nothing more comes from it.
    read_closed: bool,
    /// Nothing more goes to it.
    write_closed: bool,
    /// Written, but perhaps still in the TLS layer.
    unflushed: bool,
}

impl<P: Protocol> Pair<P> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let mut progress = false;
            for side in Side::BOTH {
                progress |= self.poll_read(cx, side);
            }
            for side in Side::BOTH {
                progress |= self.poll_write(cx, side);
            }
            if self.is_over() {
                return Poll::Ready(());
            }
            if progress {
                self.progress_at = Instant::now();
                continue;
            }
            if self.poll_timer(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Ready where the session must be looked at again, or the pair is given up.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let half_closed = self.ends.iter().any(|end| end.read_closed || end.write_closed);
        let stalled = (half_closed || self.session.is_ended()).then(|| self.progress_at + CLOSED_STALL_MAX);
        let due = match (self.session.poll_timeout(), stalled) {
            (Some(first), Some(second)) => first.min(second),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return Poll::Pending,
        };
        if self.timer.deadline().into_std() != due {
            self.timer.as_mut().reset(due.into());
        }
        if self.timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        let now = Instant::now();
        self.session.handle_timeout(now);
        if stalled.is_some_and(|limit| now >= limit) {
            for end in &mut self.ends {
                end.give_up();
            }
        }
        Poll::Ready(())
    }

    /// Reads once and hands what came to the session. True where something happened.
    fn poll_read(&mut self, cx: &mut Context<'_>, side: Side) -> bool {
        let [client, server] = &mut self.ends;
        let (from, to) = match side {
            Side::Client => (client, server),
            Side::Server => (server, client),
        };
        let jammed = from.backlog() > OUTPUT_BYTES_HIGH || to.backlog() > OUTPUT_BYTES_HIGH;
        if from.read_closed || jammed || !self.session.wants(side) {
            return false;
        }
        match from.poll_fill(cx, self.session.pdu_bytes_max()) {
            Poll::Pending => false,
            Poll::Ready(Ok(0)) => {
                from.read_closed = true;
                close(cx, &mut self.session, side, (from, to), &mut self.outputs);
                true
            }
            Poll::Ready(Ok(_)) => {
                let now = Now { instant: Instant::now(), time_ms: crate::clock::now_ms() };
                let input = from.input.get(from.start..from.end).unwrap_or_default();
                let used = self.session.handle(side, input, now, &mut self.outputs);
                for range in self.outputs.forward() {
                    to.send(cx, input.get(range.clone()).unwrap_or_default());
                }
                from.start += used;
                if !self.outputs.reply.is_empty() {
                    from.queue(&self.outputs.reply);
                }
                self.outputs.clear();
                true
            }
            Poll::Ready(Err(_)) => {
                // A reset: nobody is left to read an answer there. What was read before still goes on.
                close(cx, &mut self.session, side, (from, to), &mut self.outputs);
                from.give_up();
                true
            }
        }
    }

    /// Writes what is queued, and passes a half-close on behind it.
    fn poll_write(&mut self, cx: &mut Context<'_>, side: Side) -> bool {
        let ended = self.session.is_ended();
        let [client, server] = &mut self.ends;
        let (to, from) = match side {
            Side::Client => (client, server),
            Side::Server => (server, client),
        };
        if to.write_closed {
            // Nothing can be handed on any more, so nothing more is read for it.
            if !from.read_closed && !ended {
                from.read_closed = true;
                self.session.close(side.peer(), from.end - from.start, &mut self.outputs);
                self.outputs.clear();
                return true;
            }
            return false;
        }
        let mut progress = to.poll_drain(cx);
        if to.backlog() == 0 && !to.unflushed && (from.read_closed || ended) {
            progress |= to.poll_close(cx);
        }
        progress
    }

    fn is_over(&self) -> bool {
        self.ends.iter().all(|end| end.write_closed)
    }

    /// Reads on for a moment after the end: a socket that is closed with unread bytes resets the connection, and takes
    /// answers with it that the peer has not read yet.
    async fn linger(mut self) {
        let both = async {
            let [client, server] = &mut self.ends;
            tokio::join!(client.discard(), server.discard());
        };
        // Whatever comes after that is not waited for.
        let _elapsed = tokio::time::timeout(LINGER_MAX, both).await;
    }
}

/// Tells the session that nothing more comes from `from`, and hands on what is left of it where the policy lets it.
fn close<P: Protocol>(
    cx: &mut Context<'_>,
    session: &mut Session<P>,
    side: Side,
    (from, to): (&mut End, &mut End),
    outputs: &mut Outputs,
) {
    let left = from.input.get(from.start..from.end).unwrap_or_default();
    session.close(side, left.len(), outputs);
    for range in outputs.forward() {
        to.send(cx, left.get(range.clone()).unwrap_or_default());
    }
    from.start = from.end;
    outputs.clear();
}

impl End {
    fn new(stream: Stream) -> Self {
        Self {
            stream,
            input: Vec::new(),
            start: 0,
            end: 0,
            output: Vec::new(),
            written: 0,
            read_closed: false,
            write_closed: false,
            unflushed: false,
        }
    }

    fn backlog(&self) -> usize {
        self.output.len() - self.written
    }

    /// Reads into free room; the buffer grows as far as one PDU, or a busy connection, needs it.
    fn poll_fill(&mut self, cx: &mut Context<'_>, pdu_bytes_max: usize) -> Poll<std::io::Result<usize>> {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        } else if self.start > 0 && self.end == self.input.len() {
            self.input.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.input.len() {
            let wanted =
                (2 * self.input.len()).clamp(INPUT_BYTES_START, INPUT_BYTES_STEP_MAX.max(pdu_bytes_max));
            self.input.resize(wanted, 0);
        }
        let mut room = ReadBuf::new(self.input.get_mut(self.end..).unwrap_or_default());
        match Pin::new(&mut self.stream).poll_read(cx, &mut room) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) => {
                let count = room.filled().len();
                self.end += count;
                // A full read says that more is waiting: take more at a time.
                if self.end == self.input.len() && self.input.len() < INPUT_BYTES_STEP_MAX {
                    self.input.resize(2 * self.input.len(), 0);
                }
                Poll::Ready(Ok(count))
            }
        }
    }

    /// Writes straight from the reader's buffer where nothing is queued; queues the rest.
    fn send(&mut self, cx: &mut Context<'_>, mut octets: &[u8]) {
        if self.write_closed {
            return;
        }
        while self.backlog() == 0 && !octets.is_empty() {
            match Pin::new(&mut self.stream).poll_write(cx, octets) {
                Poll::Ready(Ok(count)) if count > 0 => {
                    self.unflushed = true;
                    octets = octets.get(count..).unwrap_or_default();
                }
                Poll::Ready(_) => return self.give_up(),
                Poll::Pending => break,
            }
        }
        self.queue(octets);
    }

    fn queue(&mut self, octets: &[u8]) {
        if !self.write_closed {
            self.output.extend_from_slice(octets);
        }
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> bool {
        let mut progress = false;
        while let Some(octets) = self.output.get(self.written..).filter(|octets| !octets.is_empty()) {
            match Pin::new(&mut self.stream).poll_write(cx, octets) {
                Poll::Ready(Ok(count)) if count > 0 => {
                    self.written += count;
                    self.unflushed = true;
                    progress = true;
                }
                Poll::Ready(_) => {
                    self.give_up();
                    return true;
                }
                Poll::Pending => break,
            }
        }
        if self.backlog() == 0 {
            self.output.clear();
            self.written = 0;
        } else if self.written > OUTPUT_BYTES_HIGH {
            self.output.drain(..self.written);
            self.written = 0;
        }
        if self.unflushed {
            match Pin::new(&mut self.stream).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(_)) => {
                    self.give_up();
                    return true;
                }
                Poll::Pending => {}
            }
        }
        progress
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> bool {
        match Pin::new(&mut self.stream).poll_shutdown(cx) {
            Poll::Ready(_) => {
                self.write_closed = true;
                true
            }
            Poll::Pending => false,
        }
    }

    /// The socket is of no more use in either direction.
    fn give_up(&mut self) {
        self.read_closed = true;
        self.write_closed = true;
        self.unflushed = false;
        self.output.clear();
        self.written = 0;
    }

    async fn discard(&mut self) {
        let mut scrap = [0; 512];
        while !self.read_closed {
            let read = poll_fn(|cx| {
                let mut room = ReadBuf::new(&mut scrap);
                Pin::new(&mut self.stream).poll_read(cx, &mut room).map_ok(|()| room.filled().len())
            });
            match read.await {
                Ok(count) if count > 0 => {}
                _ => self.read_closed = true,
            }
        }
    }
}
