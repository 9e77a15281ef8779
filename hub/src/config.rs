//! `hub.toml`: every field has a default, so that the hub runs without a file. `docs/hub.toml` shows them all; a test
//! holds it against these types.

use crate::store::{Address, Kind};
use serde::Deserialize;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use toml::Spanned;

/// The example with every field.
pub const EXAMPLE: &str = include_str!("../../docs/hub.toml");

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the database is kept.
    pub data_dir: PathBuf,
    /// What is logged, and how.
    pub log: Log,
    /// The database.
    pub store: Store,
    /// API, console and metrics.
    pub http: Http,
    /// Whose messages are taken.
    pub trust: Trust,
    /// The authority of the members' certificates.
    pub ca: Ca,
    /// What agents are told when they are enrolled.
    pub enrol: Enrol,
    /// The embedded broker.
    pub broker: Broker,
    /// An external broker; with it the embedded one isn't started.
    pub mqtt: Option<Spanned<Mqtt>>,
    /// The page.
    pub console: Console,
    /// Who was blocked by mistake.
    pub appeals: Appeals,
    /// Packs for all members; without it nothing is promoted.
    pub share: Option<Share>,
    /// What the hub is for other platforms.
    pub platforms: Platforms,
    /// SHA-256 of the file, for the audit log; empty without a file.
    #[serde(skip)]
    pub digest: String,
}

/// Whose messages are taken.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trust {
    /// Whether sightings and statuses must be signed by an enrolled agent; without it, they must once any is enrolled.
    pub require_signatures: Option<bool>,
}

/// The authority of the members' certificates.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ca {
    /// PEM file with its certificate, and those above it; without it one is made in the data directory.
    pub cert: Option<PathBuf>,
    /// PEM file with its key.
    pub key: Option<PathBuf>,
    /// How long an agent's certificate counts, in days.
    pub days: u64,
}

/// What agents are told when they are enrolled.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Enrol {
    /// Where the broker is.
    pub broker: Option<yumen_exchange::enrol::BrokerAddress>,
}

/// The database.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// Where it is; without it the file `hub.sqlite` in the data directory.
    pub url: Option<Address>,
    /// File with the password of PostgreSQL's user, nothing else in it.
    pub password_file: Option<PathBuf>,
    /// Sightings are kept for so many days.
    pub keep_days: u32,
    /// What was added up from them, by member and day, is kept for so many.
    pub keep_counts_days: u32,
}

/// What the hub is for other platforms: TAXII, MISP.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Platforms {
    /// Its name there. All ids are made from it: with another name they are other objects.
    pub identity: String,
}

impl Default for Platforms {
    fn default() -> Self {
        Self { identity: "Yumen hub".to_owned() }
    }
}

/// Packs for all members.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Folders with the rules that every pack has.
    pub rules: Vec<PathBuf>,
    /// File with the key that signs packs and retractions.
    pub signing_key: PathBuf,
    /// The channels it publishes on.
    #[serde(default = "channels")]
    pub channels: Vec<Channel>,
    /// So many different members must have seen an indicator before it is enforced everywhere.
    #[serde(default = "members_min")]
    pub members_min: u64,
    /// The same for one typology, by its id.
    #[serde(default)]
    pub typology: std::collections::BTreeMap<String, u64>,
    /// Indicators that are never promoted, as `kind:value`, beside the numbers and domains of the rules' sender registry.
    #[serde(default)]
    pub known_good: Vec<String>,
}

/// A channel of packs: agents follow the one that their configuration names.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// Its name.
    pub name: yumen_exchange::topic::Name,
    /// Folders with its rules, where they are others than [`Share::rules`].
    pub rules: Option<Vec<PathBuf>>,
    /// So many agents in a hundred take a pack with changed rules at first; an analyst lets the others have it.
    #[serde(default = "everybody")]
    pub first_percent: u8,
}

fn channels() -> Vec<Channel> {
    let name = yumen_exchange::topic::Name::stable();
    vec![Channel { name, rules: None, first_percent: everybody() }]
}

const fn everybody() -> u8 {
    100
}

const fn members_min() -> u64 {
    3
}

/// What is logged, and how.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// A level, or directives as of `tracing`.
    pub level: String,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// API, console and metrics.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Where it listens.
    pub bind: SocketAddr,
    /// Names it may be called by, beside this machine's own: a page elsewhere can't read it through a name that it made
    /// point here.
    pub allowed_hosts: Vec<String>,
    /// HTTPS; without it only this machine, or a proxy on it, may ask.
    pub tls: Option<HttpTls>,
    /// Whether people come through a proxy that speaks HTTPS: cookies are then for HTTPS only.
    pub behind_tls: bool,
    /// Whether everybody needs a second factor.
    pub second_factor: bool,
}

/// HTTPS.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpTls {
    /// PEM file with the chain.
    pub cert: PathBuf,
    /// PEM file with the private key.
    pub key: PathBuf,
}

/// The embedded broker.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Broker {
    /// Where it listens without TLS, for agents on this machine and for the hub itself.
    pub bind: SocketAddr,
    /// A second listener for agents elsewhere.
    pub tls: Option<ServerTls>,
}

/// A TLS listener; clients must show a certificate.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerTls {
    /// Where it listens.
    pub bind: SocketAddr,
    /// PEM file with the authorities of client certificates; without it, the hub's own.
    pub ca: Option<PathBuf>,
    /// PEM file with the chain.
    pub cert: PathBuf,
    /// PEM file with the private key.
    pub key: PathBuf,
}

/// An external broker.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mqtt {
    /// Host name or address.
    pub host: String,
    /// 8883 with TLS, 1883 without.
    pub port: Option<u16>,
    /// The name of the hub's session at the broker; two hubs need two.
    #[serde(default = "client_id")]
    pub client_id: String,
    /// Hubs of one group share what comes in: each message goes to one of them.
    pub group: Option<yumen_exchange::topic::Name>,
    /// User name, where the broker asks for one.
    pub username: Option<String>,
    /// File with the password, nothing else in it.
    pub password_file: Option<PathBuf>,
    /// TLS.
    pub tls: Option<ClientTls>,
}

/// TLS towards the broker.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientTls {
    /// PEM file with the authorities that the broker's certificate must come from.
    pub ca: PathBuf,
    /// PEM file with our certificate chain.
    pub cert: Option<PathBuf>,
    /// PEM file with our private key.
    pub key: Option<PathBuf>,
}

/// The page.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Console {
    /// Folders with rule sources, for the titles of rules.
    pub rules: Vec<PathBuf>,
    /// Labelled messages, which a rule that is written in the console is replayed on beside the rules' own examples.
    pub corpus: Vec<PathBuf>,
}

/// Redress for who was blocked by mistake.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Appeals {
    /// Whether anybody may quote an appeal id at `/appeal`; otherwise only institutions enter appeals.
    pub public: bool,
    /// An appeal is answered within so many hours.
    pub answer_hours: u32,
    /// Whether the one who appeals is told for which practice they were blocked, beside the sentence of the rules.
    pub show_practice: bool,
}

impl Default for Appeals {
    fn default() -> Self {
        Self { public: true, answer_hours: 24, show_practice: false }
    }
}

fn client_id() -> String {
    "yumen-hub".to_owned()
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: "yumen-hub-data".into(),
            log: Log::default(),
            store: Store::default(),
            http: Http::default(),
            trust: Trust::default(),
            ca: Ca::default(),
            enrol: Enrol::default(),
            broker: Broker::default(),
            mqtt: None,
            console: Console::default(),
            appeals: Appeals::default(),
            share: None,
            platforms: Platforms::default(),
            digest: String::new(),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Text }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self { url: None, password_file: None, keep_days: 30, keep_counts_days: 400 }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 8470)),
            allowed_hosts: Vec::new(),
            tls: None,
            behind_tls: false,
            second_factor: true,
        }
    }
}

impl Default for Ca {
    fn default() -> Self {
        Self { cert: None, key: None, days: 30 }
    }
}

impl Default for Broker {
    fn default() -> Self {
        Self { bind: SocketAddr::from(([127, 0, 0, 1], 1883)), tls: None }
    }
}

/// Why a configuration was refused.
#[derive(Debug)]
pub enum ConfigError {
    /// The file can't be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Something in it is wrong.
    Invalid {
        /// The file.
        path: PathBuf,
        /// The line, from 1; 0 where no place can be named.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// The source line.
        source: String,
        /// What is wrong.
        message: String,
    },
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let digest = crate::secret::digest(&text);
        Ok(Self { digest, ..Self::parse(&text, path)? })
    }

    /// The same from a text; `path` is for errors.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let hint = if error.message().starts_with("unknown field") {
                "; docs/hub.toml shows every field"
            } else {
                ""
            };
            invalid(text, path, error.span().map(|span| span.start), format!("{}{hint}", error.message()))
        })?;
        config.relations().map_err(|(at, message)| invalid(text, path, at, message.to_owned()))?;
        Ok(config)
    }

    /// Looks at it again after something was replaced by the command line.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self) -> Result<(), &'static str> {
        self.relations().map_err(|(_, message)| message)
    }

    /// What can't be seen field by field.
    fn relations(&self) -> Result<(), (Option<usize>, &'static str)> {
        if self.share.as_ref().is_some_and(|share| share.members_min == 0 || share.rules.is_empty()) {
            return Err((None, "share.members_min is at least 1, and share.rules names at least one folder"));
        }
        let channels = self.share.iter().flat_map(|share| &share.channels);
        if self.share.as_ref().is_some_and(|share| share.channels.is_empty())
            || channels
                .into_iter()
                .any(|channel| channel.first_percent > 100 || channel.name.as_str().len() > 16)
        {
            return Err((
                None,
                "share.channels has at least one; a name has at most 16 characters, first_percent is 0 to 100",
            ));
        }
        if self.mqtt.is_none() && !self.broker.bind.ip().is_loopback() {
            return Err((
                None,
                "broker.bind is this machine's: agents elsewhere come in at [broker.tls], or at an external broker",
            ));
        }
        if self.ca.cert.is_some() != self.ca.key.is_some() {
            return Err((None, "ca needs both cert and key, or neither"));
        }
        if !(1..=825).contains(&self.ca.days) {
            return Err((None, "ca.days is 1 to 825"));
        }
        if !self.http.bind.ip().is_loopback() && self.http.tls.is_none() && !self.http.behind_tls {
            return Err((
                None,
                "http.bind is for other machines: it needs [http.tls], or behind_tls where a proxy speaks HTTPS",
            ));
        }
        let server = self.store.url.as_ref().is_some_and(|url| url.kind() == Kind::Postgres);
        if self.store.password_file.is_some() && !server {
            return Err((None, "store.password_file belongs to a store.url of PostgreSQL"));
        }
        if !(1..=24 * 60).contains(&self.appeals.answer_hours) {
            return Err((None, "appeals.answer_hours is 1 to 1440"));
        }
        if self.store.keep_days == 0 || self.store.keep_counts_days < self.store.keep_days {
            return Err((None, "store.keep_days is at least 1, and keep_counts_days at least as much"));
        }
        let Some(mqtt) = &self.mqtt else { return Ok(()) };
        let at = Some(mqtt.span().start);
        let mqtt = mqtt.as_ref();
        let half = |cert: &Option<PathBuf>, key: &Option<PathBuf>| cert.is_some() != key.is_some();
        if mqtt.tls.as_ref().is_some_and(|tls| half(&tls.cert, &tls.key)) {
            return Err((at, "mqtt.tls needs both cert and key, or neither"));
        }
        if mqtt.username.is_some() != mqtt.password_file.is_some() {
            return Err((at, "mqtt needs both username and password_file, or neither"));
        }
        if mqtt.client_id.is_empty() || mqtt.client_id.len() > 64 {
            return Err((at, "mqtt.client_id has 1 to 64 characters"));
        }
        Ok(())
    }
}

fn invalid(text: &str, path: &Path, at: Option<usize>, message: String) -> ConfigError {
    let Some(head) = at.and_then(|at| text.get(..at)) else {
        return ConfigError::Invalid {
            path: path.to_owned(),
            line: 0,
            column: 0,
            source: String::new(),
            message,
        };
    };
    let start = head.rfind('\n').map_or(0, |at| at + 1);
    ConfigError::Invalid {
        path: path.to_owned(),
        line: head.matches('\n').count() + 1,
        column: head.get(start..).unwrap_or_default().chars().count() + 1,
        source: text.get(start..).unwrap_or_default().lines().next().unwrap_or_default().to_owned(),
        message,
    }
}

/// ```text
/// error: unknown field `bnd`, expected `bind` or `allowed_hosts`; docs/hub.toml shows every field
///   --> hub.toml:4:1
///    |
///  4 | bnd = "127.0.0.1:8470"
///    | ^
/// ```
impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, source } => write!(f, "error: {}: {source}", path.display()),
            Self::Invalid { path, line: 0, message, .. } => {
                write!(f, "error: {message}\n  --> {}", path.display())
            }
            Self::Invalid { path, line, column, source, message } => {
                writeln!(f, "error: {message}\n  --> {}:{line}:{column}\n     |", path.display())?;
                write!(f, "{line:4} | {source}\n     | {:>column$}", "^")
            }
        }
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Config::parse(text, Path::new("hub.toml")).unwrap_err().to_string()
    }

    #[test]
    fn the_example_is_right_and_shows_the_defaults() {
        let example = Config::parse(EXAMPLE, Path::new("docs/hub.toml")).unwrap();
        let default = Config::default();
        assert_eq!((example.http.bind, example.broker.bind), (default.http.bind, default.broker.bind));
        assert_eq!(example.log.level, default.log.level);
        assert_eq!(example.store.keep_days, default.store.keep_days);
        assert_eq!(example.store.keep_counts_days, default.store.keep_counts_days);
    }

    #[test]
    fn every_optional_field_of_the_example_is_understood() {
        let text = EXAMPLE.replace("#= ", "");
        let config = Config::parse(&text, Path::new("docs/hub.toml")).unwrap();
        let mqtt = config.mqtt.unwrap().into_inner();
        assert!(mqtt.tls.unwrap().cert.is_some() && mqtt.password_file.is_some() && mqtt.port.is_some());
        assert!(config.store.url.is_some_and(|url| url.kind() == Kind::Postgres));
        assert!(config.broker.tls.is_some() && !config.console.rules.is_empty());
        assert!(!config.console.corpus.is_empty() && config.appeals.answer_hours == 24);
        assert_eq!(config.share.unwrap().members_min, 3);
        assert!(!config.http.allowed_hosts.is_empty() && config.http.tls.is_some());
        assert!(config.ca.cert.is_some() && config.trust.require_signatures == Some(true));
        assert!(config.enrol.broker.unwrap().tls);
    }

    #[test]
    fn an_empty_file_is_enough() {
        assert!(Config::parse("", Path::new("hub.toml")).is_ok());
    }

    #[test]
    fn mistakes_are_pointed_at() {
        let text = error("[http]\n  bnd = \"127.0.0.1:1\"\n");
        assert!(text.contains("unknown field `bnd`") && text.contains("hub.toml:2:3"), "{text}");
        assert!(text.ends_with("   2 |   bnd = \"127.0.0.1:1\"\n     |   ^"), "{text}");
        assert!(error("[http]\nbind = \"here\"\n").contains("hub.toml:2:8"));
        assert!(error("data_dir = \"a\"\n[mqtt]\nhost = \"b\"\nusername = \"c\"\n").contains("hub.toml:2:1"));
        assert!(
            error("[mqtt]\nhost = \"b\"\ntls = { ca = \"a\", cert = \"b\" }\n").contains("both cert and key")
        );
        assert!(error("[store]\nurl = \"mysql://a/b\"\n").contains("hub.toml:2:7"));
        assert!(error("[store]\npassword_file = \"p\"\n").contains("PostgreSQL"));
        assert!(error("[http]\nbind = \"0.0.0.0:8470\"\n").contains("[http.tls]"));
        assert!(error("[broker]\nbind = \"0.0.0.0:1883\"\n").contains("[broker.tls]"));
        assert!(error("[ca]\ncert = \"a\"\n").contains("both cert and key"));
        assert!(error("x").contains("hub.toml:1"));
    }
}
