//! The link to the agent, and the flash behind it: sightings wait in the ring, updates come down.

use crate::board::Start;
use crate::clock::Moment;
use crate::limits::HELLO_MS;
use yumen_link::limits::MESSAGE_BYTES_MAX;
use yumen_link::{
    Cause, Down, Endpoint, Event, Fault, Hello, Kind, Outcome, Sighting, Up, Update, from_bytes, to_bytes,
};
use yumen_storage::ring::RECORD_BYTES_MAX;
use yumen_storage::{self as storage, Check, Flash, Pushed, Store, StoreError, UpdateError};

/// What waits for its acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sending {
    Nothing,
    /// The oldest record of the ring.
    Record,
    News,
}

/// What the agent asks of the rest of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To take this for the time.
    Time(u64),
    /// To try out what was written.
    Finish,
}

/// What became of the ring, beside what the link says of itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Kept {
    pub(crate) displaced: u32,
    pub(crate) lost: u32,
}

#[derive(Debug)]
pub(crate) struct Uplink<F> {
    endpoint: Endpoint,
    store: Option<Store<F>>,
    sending: Sending,
    next_id: u64,
    hello_ms: Option<u64>,
    news: Option<Update>,
    update: Option<(Kind, u64)>,
    kept: Kept,
    /// The ring was found empty, and nothing was kept since: it needn't be searched.
    is_ring_empty: bool,
}

impl<F: Flash> Uplink<F> {
    /// Over a store; without one sightings are counted as lost, and updates refused.
    pub(crate) fn new(store: Option<Store<F>>, start: &Start<'_>) -> Self {
        let starts = store.as_ref().map_or(0, |store| store.state().starts);
        let mut uplink = Self {
            endpoint: Endpoint::new(starts),
            store,
            sending: Sending::Nothing,
            next_id: u64::from(starts) << 32,
            hello_ms: Some(0),
            news: None,
            update: None,
            kept: Kept::default(),
            is_ring_empty: false,
        };
        if matches!(start.cause, Cause::Watchdog | Cause::Panic | Cause::Fault) {
            let fault = |id| Up::Fault(Fault { id, cause: start.cause, at: start.at, words: start.words });
            uplink.keep(fault);
        }
        uplink
    }

    pub(crate) const fn store(&self) -> Option<&Store<F>> {
        self.store.as_ref()
    }

    pub(crate) fn into_store(self) -> Option<Store<F>> {
        self.store
    }

    pub(crate) const fn store_mut(&mut self) -> Option<&mut Store<F>> {
        self.store.as_mut()
    }

    pub(crate) const fn kept(&self) -> Kept {
        self.kept
    }

    /// Keeps a sighting until the agent has it.
    pub(crate) fn sighting(&mut self, sighting: &Sighting<'_>, at: Moment) {
        let mut told = sighting.clone();
        told.time_ms = at.unix_ms;
        self.keep(|id| {
            told.id = id;
            Up::Sighting(told)
        });
    }

    fn keep<'u>(&mut self, make: impl FnOnce(u64) -> Up<'u>) {
        self.is_ring_empty = false;
        let id = self.next_id;
        self.next_id = self.next_id.saturating_add(1);
        let mut buffer = [0; RECORD_BYTES_MAX];
        let record = shortened(make(id), &mut buffer);
        let pushed = match (&mut self.store, record) {
            (Some(store), Some(record)) => store.push(record),
            _ => Err(StoreError::TooLong),
        };
        match pushed {
            Ok(Pushed::Appended) => {}
            Ok(Pushed::Displaced) => {
                self.kept.displaced = self.kept.displaced.saturating_add(1);
                // What is being sent may have gone with its sector; what is acknowledged next is another's.
                self.sending = Sending::Nothing;
            }
            Err(_) => self.kept.lost = self.kept.lost.saturating_add(1),
        }
    }

    /// Takes a byte of the link.
    pub(crate) fn push(&mut self, byte: u8) -> Option<Asked> {
        match self.endpoint.push(byte)? {
            Event::Acknowledged => {
                if core::mem::replace(&mut self.sending, Sending::Nothing) == Sending::Record
                    && let Some(store) = &mut self.store
                {
                    // Where it can't be dropped it is sent again, and the agent knows it by its id.
                    let _ = store.pop();
                }
                None
            }
            Event::Message { .. } => {
                let asked = self.message();
                self.endpoint.accept();
                asked
            }
        }
    }

    fn message(&mut self) -> Option<Asked> {
        let message = from_bytes::<Down<'_>>(self.endpoint.message())?;
        let outcome = match message {
            Down::Ask => {
                self.hello_ms = Some(0);
                return None;
            }
            Down::Time { unix_ms } => return Some(Asked::Time(unix_ms)),
            Down::Finish => return Some(Asked::Finish),
            Down::Begin { kind, serial, length } => {
                self.update = Some((kind, serial));
                match &mut self.store {
                    Some(store) => store.begin(stored(kind), serial, length),
                    None => Err(UpdateError::Flash),
                }
            }
            Down::Piece { at, bytes } => match &mut self.store {
                Some(store) => store.write(at, bytes),
                None => Err(UpdateError::Flash),
            },
        };
        if let Err(error) = outcome {
            self.tell(outcome_of(error));
        }
        None
    }

    /// The update was written: it is verified, tried out, and on trial from then on.
    pub(crate) fn finish(&mut self, check: &impl Check, try_out: impl FnOnce(&[u8]) -> bool) -> Option<Kind> {
        let finished = match &mut self.store {
            Some(store) => store.finish(check, try_out),
            None => Err(UpdateError::Flash),
        };
        self.tell(finished.map_or_else(outcome_of, |()| Outcome::OnTrial));
        finished.ok().and(self.update.map(|(kind, _)| kind))
    }

    /// Has the agent told what became of the update.
    pub(crate) fn tell(&mut self, outcome: Outcome) {
        if let Some((kind, serial)) = self.update {
            self.news = Some(Update { kind, serial, outcome });
        }
    }

    /// Has the agent told that something was confirmed.
    pub(crate) fn confirmed(&mut self, kind: Kind, serial: u64) {
        self.news = Some(Update { kind, serial, outcome: Outcome::Confirmed });
    }

    /// Sends what there is to send.
    pub(crate) fn poll<'h>(
        &mut self,
        now_ms: u64,
        hello: impl FnOnce() -> Hello<'h>,
        mut line: impl FnMut(&[u8]),
    ) {
        if self.endpoint.is_free() {
            self.send_next(now_ms, hello);
        }
        while let Some(bytes) = self.endpoint.poll(now_ms) {
            line(bytes);
        }
    }

    fn send_next<'h>(&mut self, now_ms: u64, hello: impl FnOnce() -> Hello<'h>) {
        let mut buffer = [0; MESSAGE_BYTES_MAX];
        let mut ring = [0; RECORD_BYTES_MAX];
        let (message, sending) = if self.hello_ms.is_none_or(|due_ms| due_ms <= now_ms) {
            self.hello_ms = Some(now_ms.saturating_add(HELLO_MS));
            (to_bytes(&Up::Hello(hello()), &mut buffer), Sending::Nothing)
        } else if let Some(news) = self.news.take() {
            (to_bytes(&Up::Update(news), &mut buffer), Sending::News)
        } else {
            if self.is_ring_empty {
                return;
            }
            let oldest = self.store.as_mut().and_then(|store| store.oldest(&mut ring).ok().flatten());
            self.is_ring_empty = oldest.is_none();
            (oldest, Sending::Record)
        };
        if let Some(message) = message
            && self.endpoint.send(message, now_ms).is_ok()
        {
            self.sending = sending;
        }
    }
}

/// A record that fits the ring: contacts go first, then the weaker rules.
fn shortened<'b>(mut up: Up<'_>, buffer: &'b mut [u8; RECORD_BYTES_MAX]) -> Option<&'b [u8]> {
    let length = loop {
        if let Some(record) = to_bytes(&up, buffer) {
            break record.len();
        }
        let Up::Sighting(sighting) = &mut up else { return None };
        if sighting.contacts.pop().is_none() {
            sighting.rules.pop()?;
        }
    };
    buffer.get(..length)
}

pub(crate) const fn stored(kind: Kind) -> storage::Kind {
    match kind {
        Kind::Pack => storage::Kind::Pack,
        Kind::Image => storage::Kind::Image,
    }
}

const fn outcome_of(error: UpdateError) -> Outcome {
    match error {
        UpdateError::NotNewer => Outcome::NotNewer,
        UpdateError::TooLarge => Outcome::TooLarge,
        UpdateError::OutOfOrder => Outcome::OutOfOrder,
        UpdateError::Invalid => Outcome::Invalid,
        UpdateError::Flash => Outcome::Flash,
    }
}
