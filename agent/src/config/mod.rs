//! `agent.toml`: every field, its default, and what is wrong with it, pointed at.
//!
//! ```text
//! text → toml (syntax, types, unknown fields: line and column) → Config → validate (relations) → doors, mqtt, …
//! ```
//! `docs/agent.toml` shows every field; a test holds it against these types.

mod api;
mod behaviour;
mod device;
mod doors;
mod error;
mod numbers;
mod place;
mod sip;
mod validate;

pub use api::Api;
pub use behaviour::{Behaviour, Share};
pub use device::{Device, DeviceError};
pub use doors::LinkError;
pub use error::{ConfigError, Problem};
pub use numbers::{NumberList, Residence};
pub use sip::{BlockStatus, Mode, Sip, SipProxy, SipStir, SipTls, TrunkSide};

use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use toml::Spanned;
use yumen_exchange::topic::Name;

/// The whole file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The institution's name at the hub: 1 to 64 of a-z, 0-9 and inner '-'.
    #[schemars(with = "String")]
    pub member: Name,
    /// This gateway's name within the institution, of the same form.
    #[schemars(with = "String")]
    pub agent: Name,
    /// Where the spool, the database cache and the last serial are kept.
    pub data_dir: PathBuf,
    /// Local time's offset from UTC, for rules that ask for the hour of day.
    #[serde(default = "defaults::utc_offset_min")]
    pub utc_offset_min: i32,
    /// The institution's own numbers: never blocked by score.
    #[serde(default)]
    pub own_numbers: Vec<String>,
    /// What is logged, and how.
    #[serde(default)]
    pub log: Log,
    /// Health and metrics.
    #[serde(default)]
    pub http: Http,
    /// The rule pack.
    pub pack: Pack,
    /// Sightings on disk until the hub has them.
    #[serde(default)]
    pub spool: Spool,
    /// The hub's broker; without it sightings stay in the spool.
    pub mqtt: Option<Mqtt>,
    /// How numbers' behaviour is counted, kept and shared.
    #[serde(default)]
    pub behaviour: Behaviour,
    /// Lists of numbers with a score, for conditions.
    #[serde(default, rename = "number_list")]
    pub number_lists: Vec<NumberList>,
    /// The HTTP decision API.
    pub api: Option<Api>,
    /// The doors.
    #[serde(default, rename = "listener")]
    #[schemars(with = "Vec<Listener>")]
    pub listeners: Vec<Spanned<Listener>>,
    /// The doors for calls.
    #[serde(default)]
    #[schemars(with = "Vec<Sip>")]
    pub sip: Vec<Spanned<Sip>>,
    /// Devices in front of modems.
    #[serde(default, rename = "device")]
    #[schemars(with = "Vec<Device>")]
    pub devices: Vec<Spanned<Device>>,
}

/// What is logged, and how.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, `trace`, or directives such as `info,yumen_agent::doors=debug`.
    pub level: String,
    /// `text` or `json` (one object a line).
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Health and metrics.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Where `/healthz`, `/readyz` and `/metrics` listen. They carry no secret, but show load: keep it internal.
    #[schemars(with = "String")]
    pub bind: SocketAddr,
}

/// The rule pack.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// The signed pack; replaced on SIGHUP and when the file changes.
    pub file: PathBuf,
    /// Public keys that may sign a pack, one a line.
    pub trusted_keys: PathBuf,
    /// How often the file is looked at, in seconds; 0 leaves it to SIGHUP.
    #[serde(default = "defaults::pack_watch_s")]
    pub watch_s: u64,
    /// Takes the hub's packs of this channel, and what the hub retracts; without it only the file counts.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub channel: Option<Name>,
    /// What matches patterns: `auto` takes Hyperscan where it passes the gate.
    #[serde(default)]
    pub matcher: MatcherChoice,
}

/// What matches patterns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MatcherChoice {
    /// Hyperscan where it passes the gate, otherwise the Rust engine, with a warning.
    #[default]
    Auto,
    /// Hyperscan or nothing: the agent doesn't start where the gate fails.
    Hyperscan,
    /// The Rust engine: right, but slower.
    Rust,
}

/// Sightings on disk until the hub has them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Spool {
    /// Most bytes kept. When it is full, new sightings are dropped and counted; messages are decided all the same.
    pub bytes_max: u64,
    /// How often written sightings are synced to the disk, in milliseconds: what a power cut may lose.
    pub sync_interval_ms: u64,
    /// File with the key of the victims' pseudonyms: `epoch hex`, the last line is the active one. Without it a
    /// random key is made and kept in `data_dir`.
    pub pseudonym_key: Option<PathBuf>,
}

/// The hub's broker.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mqtt {
    /// Host name or address.
    pub host: String,
    /// 8883 with TLS, 1883 without.
    #[serde(default = "defaults::mqtt_port")]
    pub port: u16,
    /// TLS; plain TCP is accepted to loopback only.
    pub tls: Option<ClientTls>,
    /// User name, where the broker asks for one.
    pub username: Option<String>,
    /// File with the password, nothing else in it.
    pub password_file: Option<PathBuf>,
    /// File with the key that signs what is said to the hub. Without it a random key is made and kept in `data_dir`.
    pub signing_key: Option<PathBuf>,
    /// Most sightings sent a second, also while the spool drains after an outage.
    #[serde(default = "defaults::mqtt_rate_max")]
    pub rate_max: u32,
    /// Sightings sent and not acknowledged.
    #[serde(default = "defaults::mqtt_inflight_max")]
    pub inflight_max: u16,
    /// Whose word deletes a sighting from the spool: the hub's, or the broker's.
    #[serde(default)]
    pub acknowledge: AcknowledgeBy,
    /// How often the retained status is renewed, in seconds.
    #[serde(default = "defaults::mqtt_status_interval_s")]
    pub status_interval_s: u64,
}

/// Whose word deletes a sighting from the spool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AcknowledgeBy {
    /// The hub's, when it stands in the hub's database.
    #[default]
    Hub,
    /// The broker's PUBACK: for consumers that aren't a Yumen hub.
    Broker,
}

/// TLS towards a server.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientTls {
    /// PEM file with the authorities that the server's certificate must come from.
    pub ca: PathBuf,
    /// PEM file with our certificate chain, where the server asks for one.
    pub cert: Option<PathBuf>,
    /// PEM file with our private key.
    pub key: Option<PathBuf>,
    /// Name expected in the server's certificate; the host of the address by default.
    pub server_name: Option<String>,
}

/// TLS towards clients.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerTls {
    /// PEM file with our certificate chain.
    pub cert: PathBuf,
    /// PEM file with our private key.
    pub key: PathBuf,
    /// PEM file with the authorities of client certificates; set, a client must show one.
    pub client_ca: Option<PathBuf>,
}

/// A door: where clients connect, where they are connected to, and what is done in between.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// Name in logs, metrics and sightings.
    pub name: String,
    /// The protocol spoken on both sides.
    pub protocol: Protocol,
    /// Where clients connect.
    #[schemars(with = "String")]
    pub bind: Spanned<SocketAddr>,
    /// TLS towards clients.
    pub tls: Option<ServerTls>,
    /// Where clients are connected to.
    #[serde(rename = "upstream")]
    pub upstreams: Vec<Upstream>,
    /// Which upstream a new connection gets.
    #[serde(default)]
    pub balance: Balance,
    /// What is judged.
    #[serde(default = "defaults::screen")]
    pub screen: Vec<Screened>,
    /// Most connections at a time; one more is closed at once.
    #[serde(default = "defaults::connections_max")]
    pub connections_max: usize,
    /// Longest PDU, in bytes; a longer one ends the session with the protocol's error.
    #[serde(default = "defaults::pdu_bytes_max")]
    pub pdu_bytes_max: usize,
    /// How long connecting to an upstream may take, in milliseconds.
    #[serde(default = "defaults::connect_timeout_ms")]
    pub connect_timeout_ms: u64,
    /// How long a drain waits for outstanding answers after SIGTERM, in milliseconds.
    #[serde(default = "defaults::drain_timeout_ms")]
    pub drain_timeout_ms: u64,
    /// What SMPP's `data_coding` 0 stands for here.
    #[serde(default)]
    pub default_alphabet: DefaultAlphabet,
    /// From a score to what is done.
    #[serde(default)]
    pub policy: Policy,
    /// What is done when no decision is to be had.
    #[serde(default)]
    pub on_failure: OnFailure,
}

/// The protocol spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// SMPP 3.4 and 5.0.
    Smpp,
    /// CMPP 2.0 and 3.0.
    Cmpp,
    /// SMGP 3.0.3 and 1.3.
    Smgp,
    /// SGIP 1.2: a listener for SP to SMG, another for SMG to SP.
    Sgip,
}

/// Where clients are connected to.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// `host:port`.
    pub address: String,
    /// TLS towards it.
    pub tls: Option<ClientTls>,
}

/// Which upstream a new connection gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Balance {
    /// The first that accepts, in the order written.
    #[default]
    Failover,
    /// In turn; one that doesn't accept is passed over.
    RoundRobin,
}

/// What is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Screened {
    /// From the client towards the centre.
    Submit,
    /// From the centre towards the client.
    Deliver,
}

/// What `data_coding` 0 stands for (SMPP 3.4 §5.2.19: "SMSC default alphabet").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DefaultAlphabet {
    /// GSM 7-bit, one septet an octet.
    #[default]
    Gsm7,
    /// GSM 7-bit, packed.
    Gsm7Packed,
    /// ISO 8859-1.
    Latin1,
    /// ASCII.
    Ascii,
    /// UTF-8, which no standard has, but some centres take.
    Utf8,
}

/// From a score to what is done.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// How far any typology may go here: `shadow` (count), `flag` (report), `enforce` (block).
    pub ladder: LadderStep,
    /// Another step for single typologies, by id.
    pub typology: BTreeMap<String, LadderStep>,
    /// Combined score from which a message is reported.
    pub flag_at: u8,
    /// Combined score from which a message is blocked.
    pub reject_at: u8,
    /// What blocking means: `reject` answers with `block_status`, `drop` answers as if it had been taken.
    pub action: BlockAction,
    /// Status of a rejected submit: SMPP `command_status`, CMPP and SGIP `Result`, SMGP `Status`. Each protocol has a default.
    pub block_status: Option<u32>,
}

/// A step of the ladder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LadderStep {
    /// Counted and reported as a shadow hit; nothing is changed.
    #[default]
    Shadow,
    /// Reported; the message goes on.
    Flag,
    /// Blocked.
    Enforce,
}

/// What blocking means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BlockAction {
    /// Refused with a status.
    #[default]
    Reject,
    /// Taken, with a plausible id, and dropped.
    Drop,
}

/// What is done when no decision is to be had.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OnFailure {
    /// Longest a decision may take, in milliseconds.
    pub deadline_ms: u64,
    /// The decision came later than that.
    pub late: Fail,
    /// No pack is loaded.
    pub no_pack: Fail,
    /// The table of multi-part messages is full.
    pub memory: Fail,
    /// The text can't be decoded by the coding it announces.
    pub undecodable: Fail,
    /// The PDU carries a message, and its fields don't fit its length.
    pub malformed: Fail,
    /// The engine failed.
    pub engine: Fail,
}

/// Fail-open or fail-closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Fail {
    /// Pass it on.
    #[default]
    Open,
    /// Refuse it, with a status that asks the sender to try again.
    Closed,
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// Every problem found, each with its place in the file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Checks a text; `path` is for messages and stands for nothing else.
    ///
    /// # Errors
    /// Every problem found, each with its place in the text.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let config: Self =
            toml::from_str(text).map_err(|error| ConfigError::from_toml(&error, text, path))?;
        let problems = validate::problems(&config, text);
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError::Invalid { path: path.to_owned(), problems })
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self { bind: SocketAddr::from(([127, 0, 0, 1], 9464)) }
    }
}

impl Default for Spool {
    fn default() -> Self {
        Self { bytes_max: 1 << 30, sync_interval_ms: 100, pseudonym_key: None }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            ladder: LadderStep::Shadow,
            typology: BTreeMap::new(),
            flag_at: 50,
            reject_at: 70,
            action: BlockAction::Reject,
            block_status: None,
        }
    }
}

impl Default for OnFailure {
    fn default() -> Self {
        Self {
            deadline_ms: 500,
            late: Fail::Open,
            no_pack: Fail::Open,
            memory: Fail::Open,
            undecodable: Fail::Open,
            malformed: Fail::Open,
            engine: Fail::Open,
        }
    }
}

mod defaults {
    use super::Screened;

    pub(super) fn utc_offset_min() -> i32 {
        480
    }
    pub(super) fn pack_watch_s() -> u64 {
        2
    }
    pub(super) fn mqtt_port() -> u16 {
        8883
    }
    pub(super) fn mqtt_rate_max() -> u32 {
        2_000
    }
    pub(super) fn mqtt_inflight_max() -> u16 {
        100
    }
    pub(super) fn mqtt_status_interval_s() -> u64 {
        10
    }
    pub(super) fn screen() -> Vec<Screened> {
        vec![Screened::Submit, Screened::Deliver]
    }
    pub(super) fn connections_max() -> usize {
        1_000
    }
    pub(super) fn pdu_bytes_max() -> usize {
        64 * 1024
    }
    pub(super) fn connect_timeout_ms() -> u64 {
        5_000
    }
    pub(super) fn drain_timeout_ms() -> u64 {
        10_000
    }
}

#[cfg(test)]
mod tests;
