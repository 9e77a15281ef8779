//! Devices in front of modems: what they saw goes to the hub in their own names, packs and programs go down to them.
//!
//! ```text
//! board ⇄ serial line or TCP ⇄ driver (tokio) ⇄ Session (sans-IO, yumen-link)
//!                                 └→ report: Sighting → the device's own spool → MQTT → hub
//!                                 ←─ edge pack and image files, when they change
//! ```
//! A sighting is acknowledged to the device when it stands in the spool; the device keeps it in flash until then.

mod driver;
mod serial;
mod session;

pub use session::{Offer, Session, Told};

use crate::mqtt::{self, Facts, Link};
use crate::packs::Packs;
use crate::report::Redaction;
use crate::spool::Spool;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use yumen_exchange::sighting::PackRef;
use yumen_exchange::status::Refused;
use yumen_exchange::topic::Name;

/// Where a device is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// At a serial port.
    Serial {
        /// Its path.
        port: String,
        /// Its speed in baud; eight bits, no parity, one stop bit.
        baud: u32,
    },
    /// Behind a terminal server, or in an emulator: `host:port`.
    Tcp(String),
}

/// One device.
#[derive(Debug)]
pub struct DeviceConfig {
    /// Its name at the hub.
    pub name: Name,
    /// Where it is.
    pub place: Place,
    /// The pack built for it (`yumen rules build --profile edge`).
    pub pack: Option<PathBuf>,
    /// The image of its program.
    pub image: Option<PathBuf>,
    /// The number of the telephone that it guards: it leaves as a pseudonym.
    pub number: Option<String>,
    /// Its sightings on disk.
    pub spool: Spool,
    /// Its way to the hub.
    pub link: Option<mqtt::Options>,
}

/// What a device last said of itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pack: Option<PackRef>,
    judged: u64,
    blocked: u64,
    refused: Vec<Refused>,
}

/// All devices of the agent.
#[derive(Debug)]
pub struct Devices {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    links: Vec<Link>,
    spools: Vec<Spool>,
}

impl Devices {
    /// Connects to every device, and again whenever a line breaks. Needs a tokio runtime.
    #[must_use]
    pub fn start(configs: Vec<DeviceConfig>, redaction: &Arc<Redaction>, packs: &Arc<Packs>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut devices = Self { stop, tasks: Vec::new(), links: Vec::new(), spools: Vec::new() };
        for mut config in configs {
            let known = Arc::new(Mutex::new(Known::default()));
            devices.spools.push(config.spool.clone());
            if let Some(options) = config.link.take() {
                let facts = facts(Arc::clone(&known));
                devices.links.push(Link::start(options, config.spool.clone(), Arc::new(facts)));
            }
            let relay = driver::Relay::new(config, Arc::clone(redaction), Arc::clone(packs), known);
            devices.tasks.push(tokio::spawn(relay.run(stopped.clone())));
        }
        devices
    }

    /// Leaves the lines, says good-bye to the hub, syncs the spools.
    pub async fn stop(self) {
        // Nobody listens where the tasks have ended already.
        let _sent = self.stop.send(true);
        for task in self.tasks {
            let _ended = task.await;
        }
        for link in self.links {
            link.stop().await;
        }
        for spool in self.spools {
            if let Err(error) = spool.sync() {
                tracing::error!(%error, "SpoolUnsynced");
            }
        }
    }
}

fn facts(known: Arc<Mutex<Known>>) -> impl Fn() -> Facts + Send + Sync {
    move || {
        let known = known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Facts { pack: known.pack, judged: known.judged, blocked: known.blocked, refused: known.refused }
    }
}
