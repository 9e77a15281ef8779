//! A device's line: opened, watched, opened again.

use super::serial::SerialPort;
use super::session::{Offer, Session, Told};
use super::{DeviceConfig, Known, Place};
use crate::clock;
use crate::limits::{DEVICE_FILE_BYTES_MAX, DEVICE_RETRY, DEVICE_WATCH};
use crate::packs::Packs;
use crate::report::{OfDevice, Redaction};
use bytes::Bytes;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;
use yumen_exchange::sighting::PackRef;
use yumen_exchange::status::Refused;
use yumen_link::{Hello, Kind, PROTOCOL, Sighting, Up};

/// Between a device and its spool.
pub(super) struct Relay {
    config: DeviceConfig,
    redaction: Arc<Redaction>,
    packs: Arc<Packs>,
    known: Arc<Mutex<Known>>,
    files: [(Kind, Option<Stamp>); 2],
}

type Stamp = (SystemTime, u64);

/// A line of either kind.
trait Line: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

impl Relay {
    pub(super) fn new(
        config: DeviceConfig,
        redaction: Arc<Redaction>,
        packs: Arc<Packs>,
        known: Arc<Mutex<Known>>,
    ) -> Self {
        Self { config, redaction, packs, known, files: [(Kind::Pack, None), (Kind::Image, None)] }
    }

    pub(super) async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        let mut is_failing = false;
        while !*stopped.borrow() {
            let ended = tokio::select! {
                ended = self.connected() => ended,
                _ = stopped.changed() => return,
            };
            let (device, error) = (&self.config.name, ended);
            // Hours without a device are one warning.
            if is_failing {
                tracing::debug!(%device, %error, "the device still can't be reached");
            } else {
                tracing::warn!(%device, %error, "DeviceLost: its sightings wait in its flash");
            }
            is_failing = true;
            tokio::select! {
                () = tokio::time::sleep(DEVICE_RETRY) => {}
                _ = stopped.changed() => return,
            }
        }
    }

    /// One line from its opening to its end.
    async fn connected(&mut self) -> io::Error {
        let mut line: Box<dyn Line> = match &self.config.place {
            Place::Tcp(address) => match TcpStream::connect(address).await {
                Ok(stream) => {
                    // A line that delays small frames is slow, and still right.
                    let _set = stream.set_nodelay(true);
                    Box::new(stream)
                }
                Err(error) => return error,
            },
            Place::Serial { port, baud } => match SerialPort::open(Path::new(port), *baud) {
                Ok(port) => Box::new(port),
                Err(error) => return error,
            },
        };
        tracing::info!(device = %self.config.name, "DeviceConnected");
        // The clock's low bits: another number than that of the line before.
        let session = u32::try_from(clock::now_ms() & u64::from(u32::MAX)).unwrap_or(1);
        let mut session = Session::new(session);
        self.files = [(Kind::Pack, None), (Kind::Image, None)];
        match self.serve(&mut line, &mut session).await {
            Ok(()) => io::ErrorKind::UnexpectedEof.into(),
            Err(error) => error,
        }
    }

    async fn serve(&mut self, line: &mut Box<dyn Line>, session: &mut Session) -> io::Result<()> {
        let opened = Instant::now();
        let mut buffer = [0; 4096];
        let mut looked: Option<Instant> = None;
        loop {
            if looked.is_none_or(|looked| looked.elapsed() >= DEVICE_WATCH) {
                looked = Some(Instant::now());
                self.look(session).await;
            }
            let now_ms = || u64::try_from(opened.elapsed().as_millis()).unwrap_or(u64::MAX);
            while let Some(bytes) = session.poll(now_ms(), clock::now_ms()) {
                line.write_all(bytes).await?;
            }
            line.flush().await?;
            let due_ms = session.poll_timeout().unwrap_or(u64::MAX).saturating_sub(now_ms());
            let wait = DEVICE_WATCH.min(std::time::Duration::from_millis(due_ms.max(1)));
            match tokio::time::timeout(wait, line.read(&mut buffer)).await {
                Err(_) => {}
                Ok(Ok(0)) => return Ok(()),
                Ok(Ok(length)) => {
                    let bytes = buffer.get(..length).unwrap_or_default();
                    session.handle(bytes, |told| self.take(told));
                }
                Ok(Err(error)) => return Err(error),
            }
        }
    }

    /// Takes care of what a device said; `false` where it must say it again.
    fn take(&self, told: &Told<'_>) -> bool {
        let device = &self.config.name;
        match &told.up {
            Some(Up::Hello(hello)) => self.hello(hello),
            Some(Up::Sighting(seen)) => return self.sighting(seen, told.bytes),
            Some(Up::Fault(fault)) => {
                tracing::error!(%device, cause = ?fault.cause, at = fault.at, words = fault.words, "DeviceFault");
            }
            Some(Up::Update(update)) => {
                tracing::info!(%device, kind = ?update.kind, serial = update.serial, outcome = ?update.outcome, "DeviceUpdate");
            }
            None => tracing::warn!(%device, "DeviceUnintelligible: it speaks another version"),
        }
        true
    }

    fn sighting(&self, seen: &Sighting<'_>, bytes: &[u8]) -> bool {
        let pack = self.known().pack.as_ref().map_or_else(|| "-".to_owned(), |pack| pack.name.clone());
        let told = OfDevice {
            device: &self.config.name,
            number: self.config.number.as_deref().unwrap_or_default(),
            pack: &pack,
            seen,
            bytes,
        };
        let current = self.packs.current();
        let registry = current.as_ref().map(|pack| pack.pack());
        match self.redaction.of_device(&told, registry, clock::now_ms()) {
            // Why the spool refused is counted and said there; the device keeps it meanwhile.
            Some(payload) => self.config.spool.append(&payload).is_ok(),
            // By the site's own list: the hub learns nothing from it.
            None => true,
        }
    }

    fn hello(&self, hello: &Hello<'_>) {
        let device = &self.config.name;
        if hello.protocol != PROTOCOL {
            tracing::warn!(%device, protocol = hello.protocol, ours = PROTOCOL, "DeviceProtocol");
        }
        tracing::info!(
            %device, board = hello.board, version = hello.version, serial = hello.serial, starts = hello.starts,
            cause = ?hello.cause, uptime_s = hello.uptime_s, stack = ?hello.stack, counters = ?hello.counters, "DeviceHello"
        );
        let counters = &hello.counters;
        let mut known = self.known();
        let has_pack = !hello.pack.is_empty();
        known.pack = has_pack.then(|| PackRef { name: hello.pack.to_owned(), serial: hello.serial });
        known.judged = u64::from(counters.messages) + u64::from(counters.calls);
        known.blocked = u64::from(counters.messages_blocked) + u64::from(counters.calls_blocked);
        known.refused.clear();
        if hello.refused != 0 {
            let (what, reason) = ("pack".to_owned(), "canary".to_owned());
            known.refused.push(Refused { what, reason, count: 1, last_ms: clock::now_ms() });
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks whether there is anything new to be handed down.
    async fn look(&mut self, session: &mut Session) {
        for (kind, seen) in &mut self.files {
            let file = match kind {
                Kind::Pack => &self.config.pack,
                Kind::Image => &self.config.image,
            };
            let Some(file) = file else { continue };
            let stamp = stamp(file).await;
            if stamp == *seen {
                continue;
            }
            *seen = stamp;
            match offer(*kind, file).await {
                Ok(offer) => session.offer(offer),
                Err(error) => {
                    tracing::warn!(device = %self.config.name, file = %file.display(), %error, "DeviceFileUnusable");
                }
            }
        }
    }
}

async fn stamp(file: &Path) -> Option<Stamp> {
    let metadata = tokio::fs::metadata(file).await.ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// What a file holds, by what it says of itself: the device verifies it.
async fn offer(kind: Kind, file: &Path) -> io::Result<Offer> {
    let bytes = Bytes::from(tokio::fs::read(file).await?);
    let wrong = |what: &'static str| io::Error::new(io::ErrorKind::InvalidData, what);
    if bytes.len() > DEVICE_FILE_BYTES_MAX {
        return Err(wrong("larger than any device's flash"));
    }
    let serial = match kind {
        Kind::Pack => yumen_rules::pack::Header::new_checked(&bytes).ok().map(|header| header.serial),
        Kind::Image => version(&bytes),
    };
    let serial = serial.ok_or_else(|| wrong("not a pack or an image"))?;
    Ok(Offer { kind, serial, bytes })
}

/// The version of an image: its magic, its length, its version.
fn version(bytes: &[u8]) -> Option<u64> {
    let version = bytes.strip_prefix(b"YUMENFW1")?.get(4..)?.first_chunk().copied()?;
    Some(u32::from_le_bytes(version).into())
}
