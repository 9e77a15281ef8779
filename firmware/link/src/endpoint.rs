//! One end of the line.

use crate::frame::{Frame, Frames, Head, Kind, framed};
use crate::limits::{MESSAGE_BYTES_MAX, RESEND_MS, RESEND_MS_MAX};
use heapless::Vec;

/// Bytes of an acknowledgement's frame.
const ANSWER_BYTES: usize = 16;

/// What came of a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A message: [`Endpoint::message`] has it until [`Endpoint::accept`] or [`Endpoint::refuse`].
    Message {
        /// The other side has started anew since its last message.
        is_new_session: bool,
    },
    /// Our message has arrived, and the other side has taken care of it.
    Acknowledged,
}

/// Why a message isn't sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The one before isn't acknowledged yet.
    Busy,
    /// It is longer than [`MESSAGE_BYTES_MAX`].
    TooLong,
}

/// A message that isn't acknowledged.
#[derive(Debug)]
struct Sent {
    sequence: u16,
    frame: Frame,
    due_ms: u64,
    pause_ms: u64,
}

/// One end: frames in, frames out, a clock that the caller brings.
#[derive(Debug)]
pub struct Endpoint {
    session: u32,
    next: u16,
    sent: Option<Sent>,
    frames: Frames,
    /// Session and sequence number of the newest message of the other side, and of the one before.
    newest: Option<(u32, u16)>,
    before: Option<(u32, u16)>,
    message: Vec<u8, MESSAGE_BYTES_MAX>,
    is_waiting: bool,
    acknowledgement: Option<(u32, u16)>,
    answer: Vec<u8, ANSWER_BYTES>,
}

impl Endpoint {
    /// `session` differs from that of the start before: a counter, or a random number.
    #[must_use]
    pub const fn new(session: u32) -> Self {
        Self {
            session,
            next: 0,
            sent: None,
            frames: Frames::new(),
            newest: None,
            before: None,
            message: Vec::new(),
            is_waiting: false,
            acknowledgement: None,
            answer: Vec::new(),
        }
    }

    /// Whether a message can be sent.
    #[must_use]
    pub const fn is_free(&self) -> bool {
        self.sent.is_none()
    }

    /// Sends a message: [`Endpoint::poll`] gives its frame, again and again until it is acknowledged.
    ///
    /// # Errors
    /// [`SendError`].
    pub fn send(&mut self, message: &[u8], now_ms: u64) -> Result<(), SendError> {
        if self.sent.is_some() {
            return Err(SendError::Busy);
        }
        if message.len() > MESSAGE_BYTES_MAX {
            return Err(SendError::TooLong);
        }
        let sequence = self.next;
        let head = Head { kind: Kind::Message, session: self.session, sequence };
        let frame = framed(head, message).ok_or(SendError::TooLong)?;
        self.next = self.next.wrapping_add(1);
        self.sent = Some(Sent { sequence, frame, due_ms: now_ms, pause_ms: RESEND_MS });
        Ok(())
    }

    /// What goes over the line now: to be called until there is nothing more.
    pub fn poll(&mut self, now_ms: u64) -> Option<&[u8]> {
        if let Some((session, sequence)) = self.acknowledgement.take() {
            let head = Head { kind: Kind::Acknowledgement, session, sequence };
            self.answer = framed(head, &[])?;
            return Some(&self.answer);
        }
        let sent = self.sent.as_mut().filter(|sent| sent.due_ms <= now_ms)?;
        sent.due_ms = now_ms.saturating_add(sent.pause_ms);
        sent.pause_ms = sent.pause_ms.saturating_mul(2).min(RESEND_MS_MAX);
        Some(&sent.frame)
    }

    /// When [`Endpoint::poll`] has something again by itself.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        self.sent.as_ref().map(|sent| sent.due_ms)
    }

    /// Takes a byte of the line.
    pub fn push(&mut self, byte: u8) -> Option<Event> {
        let (head, message) = self.frames.push(byte)?;
        if head.kind == Kind::Acknowledgement {
            let is_ours = head.session == self.session
                && self.sent.as_ref().is_some_and(|sent| sent.sequence == head.sequence);
            return is_ours.then(|| {
                self.sent = None;
                Event::Acknowledged
            });
        }
        let this = (head.session, head.sequence);
        if self.newest == Some(this) {
            if !self.is_waiting {
                // Our acknowledgement was lost.
                self.acknowledgement = Some(this);
            }
            return None;
        }
        if self.is_waiting {
            // It comes again when there is room for it.
            return None;
        }
        self.message.clear();
        self.message.extend_from_slice(message).ok()?;
        let is_new_session = self.newest.is_none_or(|(session, _)| session != head.session);
        if is_new_session && let Some(sent) = &mut self.sent {
            // Somebody listens again: what they missed comes at once.
            (sent.due_ms, sent.pause_ms) = (0, RESEND_MS);
        }
        self.before = self.newest.replace(this);
        self.is_waiting = true;
        Some(Event::Message { is_new_session })
    }

    /// The message that came and wasn't accepted or refused yet.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        if self.is_waiting { &self.message } else { &[] }
    }

    /// It was taken care of: the other side is told.
    pub fn accept(&mut self) {
        if core::mem::take(&mut self.is_waiting) {
            self.acknowledgement = self.newest;
        }
    }

    /// It couldn't be taken care of now: it comes again.
    pub fn refuse(&mut self) {
        if core::mem::take(&mut self.is_waiting) {
            self.newest = self.before;
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec as List;

    fn drain(endpoint: &mut Endpoint, now_ms: u64) -> List<u8> {
        let mut bytes = List::new();
        while let Some(out) = endpoint.poll(now_ms) {
            bytes.extend_from_slice(out);
        }
        bytes
    }

    fn feed(endpoint: &mut Endpoint, bytes: &[u8]) -> List<Event> {
        bytes.iter().filter_map(|&byte| endpoint.push(byte)).collect()
    }

    #[test]
    fn a_message_comes_again_until_it_is_accepted() {
        let (mut device, mut agent) = (Endpoint::new(1), Endpoint::new(2));
        device.send(b"sighting", 0).unwrap();
        assert_eq!(device.send(b"another", 0), Err(SendError::Busy));
        let frame = drain(&mut device, 0);
        assert_eq!(feed(&mut agent, &frame), [Event::Message { is_new_session: true }]);
        assert_eq!(agent.message(), b"sighting");
        // The spool is full: nothing is acknowledged, and it comes again.
        agent.refuse();
        assert_eq!(drain(&mut agent, 0), []);
        assert_eq!(drain(&mut device, RESEND_MS - 1), []);
        let again = drain(&mut device, RESEND_MS);
        assert_eq!(feed(&mut agent, &again).len(), 1);
        agent.accept();
        let lost = drain(&mut agent, 0);
        assert!(!lost.is_empty());
        // The acknowledgement was lost: the message isn't seen twice, and acknowledged again.
        let again = drain(&mut device, 100_000);
        assert_eq!(feed(&mut agent, &again), []);
        let acknowledgement = drain(&mut agent, 0);
        assert_eq!(feed(&mut device, &acknowledgement), [Event::Acknowledged]);
        assert!(device.is_free());
    }

    #[test]
    fn a_restart_is_seen_and_an_old_acknowledgement_is_no_answer() {
        let (mut device, mut agent) = (Endpoint::new(1), Endpoint::new(2));
        device.send(b"one", 0).unwrap();
        feed(&mut agent, &drain(&mut device, 0));
        agent.accept();
        let acknowledgement = drain(&mut agent, 0);
        let mut device = Endpoint::new(3);
        device.send(b"two", 0).unwrap();
        assert_eq!(feed(&mut device, &acknowledgement), []);
        assert_eq!(feed(&mut agent, &drain(&mut device, 0)), [Event::Message { is_new_session: true }]);
    }

    proptest! {
        /// A line that loses, repeats and changes bytes: what arrives are the messages, in order, each once.
        #[test]
        fn over_a_bad_line_everything_arrives_once_and_in_order(
            noise in prop::collection::vec((0..200_usize, any::<u8>(), 0..4_u8), 0..120), count in 1..12_u8,
        ) {
            let (mut device, mut agent) = (Endpoint::new(7), Endpoint::new(9));
            let (mut got, mut next, mut now_ms) = (List::new(), 0, 0);
            let mut noise = noise.into_iter();
            let mut spoilt = |mut bytes: List<u8>| {
                if let Some((at, value, way)) = noise.next() && !bytes.is_empty() {
                    let at = at % bytes.len();
                    match way {
                        0 => bytes[at] = value,
                        1 => { bytes.remove(at); }
                        2 => bytes.insert(at, value),
                        _ => bytes.truncate(at),
                    }
                }
                bytes
            };
            for _ in 0..2_000 {
                if next < count && device.is_free() {
                    device.send(&[next; 40], now_ms).unwrap();
                    next += 1;
                }
                let bytes = spoilt(drain(&mut device, now_ms));
                for byte in bytes {
                    if let Some(Event::Message { .. }) = agent.push(byte) {
                        got.push(agent.message().to_vec());
                        agent.accept();
                    }
                }
                let back = spoilt(drain(&mut agent, now_ms));
                feed(&mut device, &back);
                now_ms += 500;
            }
            let expected: List<_> = (0..count).map(|number| List::from([number; 40])).collect();
            prop_assert_eq!(got, expected);
        }

        #[test]
        fn any_bytes_are_read_or_dropped(bytes: List<u8>) {
            let mut endpoint = Endpoint::new(1);
            for byte in bytes {
                if endpoint.push(byte).is_some() {
                    endpoint.accept();
                }
            }
        }
    }
}
