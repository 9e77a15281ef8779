//! The agent's end of a device's line, without IO.
//!
//! ```text
//! connected ──► Ask ──► Hello ──► Time ──► is there anything newer for it? ──► Begin, Piece …, Finish ──► Update: on trial, …
//! ```

use bytes::Bytes;
use yumen_link::limits::{MESSAGE_BYTES_MAX, PIECE_BYTES};
use yumen_link::{Down, Endpoint, Event, Hello, Kind, Outcome, Up, from_bytes, to_bytes};

/// Something that a device may be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What it is.
    pub kind: Kind,
    /// Its serial or version.
    pub serial: u64,
    /// All of it.
    pub bytes: Bytes,
}

/// What a device said that somebody must take care of.
#[derive(Debug)]
pub struct Told<'t> {
    /// The message; `None` where it is none of this version.
    pub up: Option<Up<'t>>,
    /// The bytes that it came as.
    pub bytes: &'t [u8],
}

/// How far an offer has been handed down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Begin,
    Piece(usize),
    Finish,
    /// All was said: its outcome is awaited.
    Awaited,
}

/// What a device holds, as it last said.
#[derive(Clone, Copy, Debug, Default)]
struct Holds {
    serial: u64,
    floor: u64,
    refused: u64,
    version: u64,
    version_refused: u64,
    is_on_trial: bool,
}

impl Holds {
    const fn wants(&self, kind: Kind, serial: u64) -> bool {
        if self.is_on_trial {
            return false;
        }
        match kind {
            Kind::Pack => serial > self.serial && serial > self.floor && serial != self.refused,
            Kind::Image => serial > self.version && serial != self.version_refused,
        }
    }
}

/// The agent's end.
#[derive(Debug)]
pub struct Session {
    endpoint: Endpoint,
    is_to_ask: bool,
    is_to_tell_time: bool,
    holds: Option<Holds>,
    offers: Vec<Offer>,
    /// What is handed down now.
    feed: Option<(Offer, Step)>,
    /// What the device didn't take: not offered again on this line.
    declined: Vec<(Kind, u64)>,
}

/// Offers of a device: one of each kind.
const OFFERS_MAX: usize = 2;
/// Declined offers that are remembered.
const DECLINED_MAX: usize = 16;

impl Session {
    /// On a line that was just opened. `session` differs from that of the line before.
    #[must_use]
    pub const fn new(session: u32) -> Self {
        Self {
            endpoint: Endpoint::new(session),
            is_to_ask: true,
            is_to_tell_time: false,
            holds: None,
            offers: Vec::new(),
            feed: None,
            declined: Vec::new(),
        }
    }

    /// What there is to be handed down, in place of what there was of its kind.
    pub fn offer(&mut self, offer: Offer) {
        self.offers.retain(|known| known.kind != offer.kind);
        if self.offers.len() < OFFERS_MAX {
            self.offers.push(offer);
        }
    }

    /// Takes bytes of the line. `take` says whether what was said was taken care of: otherwise the device says it again.
    pub fn handle(&mut self, bytes: &[u8], mut take: impl FnMut(&Told<'_>) -> bool) {
        for &byte in bytes {
            match self.endpoint.push(byte) {
                None => {}
                Some(Event::Acknowledged) => self.advance(),
                Some(Event::Message { .. }) => {
                    // A copy: the message must not borrow what answers it.
                    let message = self.endpoint.message().to_vec();
                    if self.message(&message, &mut take) {
                        self.endpoint.accept();
                    } else {
                        self.endpoint.refuse();
                    }
                }
            }
        }
    }

    /// What goes over the line now. `unix_ms` is what the device is told for the time.
    pub fn poll(&mut self, now_ms: u64, unix_ms: u64) -> Option<&[u8]> {
        if self.endpoint.is_free() {
            self.send_next(now_ms, unix_ms);
        }
        self.endpoint.poll(now_ms)
    }

    /// When [`Session::poll`] has something again by itself.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        self.endpoint.poll_timeout()
    }

    fn message(&mut self, message: &[u8], take: &mut impl FnMut(&Told<'_>) -> bool) -> bool {
        let told = Told { up: from_bytes(message), bytes: message };
        match &told.up {
            Some(Up::Hello(hello)) => self.hello(hello),
            Some(Up::Update(update)) => {
                if update.outcome != Outcome::OnTrial && update.outcome != Outcome::Confirmed {
                    self.feed = None;
                    if self.declined.len() >= DECLINED_MAX {
                        self.declined.remove(0);
                    }
                    self.declined.push((update.kind, update.serial));
                } else {
                    self.feed = None;
                    // What it holds now, it says itself; until then nothing is offered.
                    self.holds = None;
                    self.is_to_ask = true;
                }
            }
            _ => {}
        }
        take(&told)
    }

    fn hello(&mut self, hello: &Hello<'_>) {
        self.is_to_tell_time = true;
        let is_restart = self.holds.is_none() || hello.uptime_s < RESTARTED_S;
        if is_restart {
            // What was under way is forgotten on the other side.
            self.feed = None;
        }
        self.holds = Some(Holds {
            serial: hello.serial,
            floor: hello.floor,
            refused: hello.refused,
            version: hello.version.into(),
            version_refused: hello.version_refused.into(),
            is_on_trial: hello.is_on_trial,
        });
    }

    /// A message of ours has arrived.
    fn advance(&mut self) {
        if let Some((offer, step)) = &mut self.feed {
            *step = match *step {
                Step::Begin => Step::Piece(0),
                Step::Piece(at) if at.saturating_add(PIECE_BYTES) < offer.bytes.len() => {
                    Step::Piece(at.saturating_add(PIECE_BYTES))
                }
                Step::Piece(_) => Step::Finish,
                Step::Finish | Step::Awaited => Step::Awaited,
            };
        }
    }

    fn send_next(&mut self, now_ms: u64, unix_ms: u64) {
        let mut buffer = [0; MESSAGE_BYTES_MAX];
        if let Some(message) = self.next(unix_ms)
            && let Some(message) = to_bytes(&message, &mut buffer)
        {
            // It is free, and the longest message fits.
            let _sent = self.endpoint.send(message, now_ms);
        }
    }

    fn next(&mut self, unix_ms: u64) -> Option<Down<'_>> {
        // In the middle of an update nothing else is said: each acknowledgement is a step of it.
        if self.feed.as_ref().is_none_or(|(_, step)| *step == Step::Awaited) {
            if std::mem::take(&mut self.is_to_ask) {
                return Some(Down::Ask);
            }
            if std::mem::take(&mut self.is_to_tell_time) {
                return Some(Down::Time { unix_ms });
            }
        }
        if self.feed.is_none() {
            let holds = self.holds?;
            let wanted = self.offers.iter().find(|offer| {
                holds.wants(offer.kind, offer.serial) && !self.declined.contains(&(offer.kind, offer.serial))
            });
            self.feed = Some((wanted?.clone(), Step::Begin));
        }
        let (offer, step) = self.feed.as_ref()?;
        match *step {
            Step::Begin => Some(Down::Begin {
                kind: offer.kind,
                serial: offer.serial,
                length: u32::try_from(offer.bytes.len()).ok()?,
            }),
            Step::Piece(at) => {
                let end = at.saturating_add(PIECE_BYTES).min(offer.bytes.len());
                Some(Down::Piece { at: u32::try_from(at).ok()?, bytes: offer.bytes.get(at..end)? })
            }
            Step::Finish => Some(Down::Finish),
            Step::Awaited => None,
        }
    }
}

/// A device that says so soon after its start who it is has just been started.
const RESTARTED_S: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use yumen_link::{Cause, Counters, PROTOCOL, Update};

    /// A device that takes everything.
    struct Device {
        endpoint: Endpoint,
        got: Vec<u8>,
        said: Vec<String>,
    }

    impl Device {
        fn say(&mut self, up: &Up<'_>) {
            let mut buffer = [0; MESSAGE_BYTES_MAX];
            self.endpoint.send(to_bytes(up, &mut buffer).unwrap(), 0).unwrap();
        }

        /// Hands bytes to and fro until both are silent.
        fn talk(&mut self, session: &mut Session) {
            for _ in 0..10_000 {
                let mut silent = true;
                while let Some(bytes) = self.endpoint.poll(0).map(<[u8]>::to_vec) {
                    silent = false;
                    session.handle(&bytes, |_| true);
                }
                while let Some(bytes) = session.poll(0, 1_800_000_000_000).map(<[u8]>::to_vec) {
                    silent = false;
                    for byte in bytes {
                        if let Some(Event::Message { .. }) = self.endpoint.push(byte) {
                            match from_bytes(self.endpoint.message()).unwrap() {
                                Down::Piece { at, bytes } => {
                                    assert_eq!(at as usize, self.got.len());
                                    self.got.extend_from_slice(bytes);
                                }
                                other => self.said.push(format!("{other:?}")),
                            }
                            self.endpoint.accept();
                        }
                    }
                }
                if silent {
                    return;
                }
            }
        }
    }

    fn hello(serial: u64) -> Hello<'static> {
        Hello {
            protocol: PROTOCOL,
            board: "test",
            version: 1,
            version_refused: 0,
            pack: "yumen",
            serial,
            floor: serial,
            refused: 0,
            is_on_trial: false,
            starts: 1,
            cause: Cause::Power,
            uptime_s: 0,
            stack: (0, 0),
            counters: Counters::default(),
        }
    }

    #[test]
    fn a_newer_pack_goes_down_whole_and_once() {
        let (mut session, mut device) =
            (Session::new(1), Device { endpoint: Endpoint::new(2), got: Vec::new(), said: Vec::new() });
        let bytes: Vec<u8> = (0..=250).cycle().take(2_000).collect();
        session.offer(Offer { kind: Kind::Pack, serial: 8, bytes: bytes.clone().into() });
        device.talk(&mut session);
        assert_eq!(device.said, ["Ask"]);
        device.say(&Up::Hello(hello(7)));
        device.talk(&mut session);
        assert_eq!(device.got, bytes);
        assert_eq!(
            device.said[1..],
            ["Time { unix_ms: 1800000000000 }", "Begin { kind: Pack, serial: 8, length: 2000 }", "Finish"]
        );
        device.say(&Up::Update(Update { kind: Kind::Pack, serial: 8, outcome: Outcome::OnTrial }));
        device.talk(&mut session);
        device.say(&Up::Hello(hello(8)));
        device.talk(&mut session);
        assert_eq!(device.got.len(), 2_000, "it has it already");
    }

    #[test]
    fn what_was_declined_isnt_offered_again() {
        let (mut session, mut device) =
            (Session::new(1), Device { endpoint: Endpoint::new(2), got: Vec::new(), said: Vec::new() });
        session.offer(Offer { kind: Kind::Image, serial: 2, bytes: Bytes::from_static(&[7; 100]) });
        device.say(&Up::Hello(hello(7)));
        device.talk(&mut session);
        assert_eq!(device.got.len(), 100);
        device.say(&Up::Update(Update { kind: Kind::Image, serial: 2, outcome: Outcome::Invalid }));
        device.talk(&mut session);
        device.say(&Up::Hello(hello(7)));
        device.talk(&mut session);
        assert_eq!(device.got.len(), 100);
    }

    #[test]
    fn what_isnt_taken_care_of_comes_again() {
        let (mut session, mut device) =
            (Session::new(1), Device { endpoint: Endpoint::new(2), got: Vec::new(), said: Vec::new() });
        device.say(&Up::Hello(hello(7)));
        let bytes = device.endpoint.poll(0).unwrap().to_vec();
        let mut count = 0;
        session.handle(&bytes, |_| {
            count += 1;
            false
        });
        session.handle(&bytes, |_| {
            count += 1;
            true
        });
        session.handle(&bytes, |_| {
            count += 1;
            true
        });
        assert_eq!(count, 2);
    }
}
