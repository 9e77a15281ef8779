//! `[[device]]`: devices in front of modems.

use super::place::{Report, at};
use super::{Config, LinkError};
use crate::doors::device::{DeviceConfig, Place};
use crate::enrol::Files;
use crate::identity::Identity;
use crate::mqtt;
use crate::spool::{self, Spool};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use yumen_exchange::topic::Name;

/// A device in front of a modem, at a serial port or behind TCP.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Its own name at the hub, of the same form as `agent`.
    #[schemars(with = "String")]
    pub name: Name,
    /// The serial port that it is at.
    pub serial: Option<String>,
    /// The port's speed.
    #[serde(default = "baud")]
    pub baud: u32,
    /// Or where it is behind TCP, `host:port`.
    pub address: Option<String>,
    /// The pack built for it; handed down when the file changes.
    pub edge_pack: Option<PathBuf>,
    /// The signed image of its program; handed down when the file changes.
    pub image: Option<PathBuf>,
    /// The number of the telephone that it guards.
    pub number: Option<String>,
}

const fn baud() -> u32 {
    115_200
}

/// Everything wrong with the devices.
pub(super) fn check(config: &Config, report: &mut Report<'_>) {
    let mut names = HashSet::from([config.agent.as_str()]);
    for (number, device) in config.devices.iter().enumerate() {
        let device = device.get_ref();
        if !names.insert(device.name.as_str()) {
            report.add(
                &at!["device", number, "name"],
                format!("the name '{}' is taken", device.name),
                "every device has a name of its own, other than the agent's",
            );
        }
        if device.serial.is_some() == device.address.is_some() {
            report.add(
                &at!["device", number],
                format!("device '{}' needs either serial or address", device.name),
                "serial = \"/dev/ttyUSB0\", or address = \"127.0.0.1:7003\"",
            );
        }
    }
}

impl Config {
    /// The devices, each with a spool and a key of its own in `data_dir/devices/NAME`.
    ///
    /// # Errors
    /// A folder, a spool or a key can't be used.
    pub fn devices(&self) -> Result<Vec<DeviceConfig>, DeviceError> {
        let base = self.link_options()?;
        self.devices.iter().map(|device| self.device(device.get_ref(), base.as_ref())).collect()
    }

    fn device(&self, device: &Device, base: Option<&mqtt::Options>) -> Result<DeviceConfig, DeviceError> {
        let dir = self.data_dir.join("devices").join(device.name.as_str());
        std::fs::create_dir_all(&dir).map_err(|source| DeviceError::Dir { path: dir.clone(), source })?;
        let options = spool::Options { dir: dir.join("spool"), ..self.spool_options() };
        let (spool, _) = Spool::open(options)?;
        let link = match base {
            Some(base) => Some(self.device_link(device, &dir, base)?),
            None => None,
        };
        Ok(DeviceConfig {
            name: device.name.clone(),
            place: match (&device.serial, &device.address) {
                (Some(port), _) => Place::Serial { port: port.clone(), baud: device.baud },
                (None, address) => Place::Tcp(address.clone().unwrap_or_default()),
            },
            pack: device.edge_pack.clone(),
            image: device.image.clone(),
            number: device.number.clone(),
            spool,
            link,
        })
    }

    /// The agent's way to the hub under the device's name: with the device's own key, and its own certificate where it was enrolled
    /// (`yumen enrol --data-dir data_dir/devices/NAME`).
    fn device_link(
        &self,
        device: &Device,
        dir: &std::path::Path,
        base: &mqtt::Options,
    ) -> Result<mqtt::Options, DeviceError> {
        let identity = Arc::new(Identity::load_or_make(&Identity::file(dir))?);
        let mut options =
            mqtt::Options { agent: device.name.clone(), identity: Some(identity), ..base.clone() };
        let client = Files::new(dir).client();
        if let Some(tls) = self.mqtt.as_ref().and_then(|link| link.tls.as_ref())
            && client.exists()
        {
            let pair = Some((client.as_path(), client.as_path()));
            options.tls =
                Some(mqtt::Tls::load(&tls.ca, pair, tls.server_name.as_deref()).map_err(LinkError::Tls)?);
        }
        Ok(options)
    }
}

/// Why a device can't be served.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// Its folder.
    #[error("{}: {source}", path.display())]
    Dir {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Its spool.
    #[error("spool: {0}")]
    Spool(#[from] spool::OpenError),
    /// Its key.
    #[error(transparent)]
    Identity(#[from] crate::identity::IdentityError),
    /// Its way to the hub.
    #[error(transparent)]
    Link(#[from] LinkError),
}
