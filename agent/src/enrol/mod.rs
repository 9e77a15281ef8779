//! How this agent becomes one of its member's at a hub, and keeps its certificate fresh: [`yumen_exchange::enrol`].
//!
//! ```text
//! token → hub's authority, known by its fingerprint → keys made here → request → certificate, broker, pack key
//!       → data_dir/identity/{client.pem, hub-ca.pem, hub-pack.pub, enrolment.json}
//! later: a third of the lifetime left → a new key, requested with the present certificate → client.pem replaced
//! ```

mod http;
mod renewal;

pub use renewal::Renewal;

use crate::clock;
use crate::identity::{Identity, IdentityError};
use http::{Client, HttpError, Trusted};
use rcgen::{CertificateParams, KeyPair};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use yumen_exchange::enrol::{CA_PATH, ENROL_PATH, Enrol, Enrolled, RENEW_PATH, Renew, Token, proof};

/// Why this agent isn't enrolled, or its certificate not renewed.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// A file can't be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The signing key.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The way to the hub, or its answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Somebody else answered.
    #[error("whoever answers at {0} isn't the hub that made the token")]
    OtherHub(String),
    /// Without HTTPS only on this machine.
    #[error("{0}: https:// is needed, but for a hub on this machine")]
    Plain(String),
    /// A key or a request can't be made.
    #[error("the request for a certificate can't be made: {0}")]
    Request(#[from] rcgen::Error),
    /// The file that says where this agent was enrolled isn't one.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// The files of an enrolment.
#[derive(Clone, Debug)]
pub struct Files {
    folder: PathBuf,
}

/// Where this agent was enrolled, and how long its certificate counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The hub's address.
    pub hub: String,
    /// When the certificate was issued, in milliseconds since the Unix epoch, by this machine's clock.
    pub issued_ms: u64,
    /// Until when it counts.
    pub not_after_ms: u64,
}

impl Files {
    /// In an agent's data directory.
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        Self { folder: data_dir.join("identity") }
    }

    /// The certificate, the authority's, and the private key: one file, so that they are replaced together.
    #[must_use]
    pub fn client(&self) -> PathBuf {
        self.folder.join("client.pem")
    }

    /// The hub's authority.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.join("hub-ca.pem")
    }

    /// The keyring with the hub's pack key.
    #[must_use]
    pub fn pack_keys(&self) -> PathBuf {
        self.folder.join("hub-pack.pub")
    }

    fn record_file(&self) -> PathBuf {
        self.folder.join("enrolment.json")
    }

    /// Where this agent was enrolled; none where it wasn't.
    ///
    /// # Errors
    /// The file is there, and can't be read.
    pub fn record(&self) -> Result<Option<Record>, EnrolError> {
        let path = self.record_file();
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|source| EnrolError::Unreadable { path, source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(EnrolError::File { path, source }),
        }
    }

    fn put_client(&self, certificate: &str, key: &KeyPair, record: &Record) -> Result<(), EnrolError> {
        let key = key.serialize_pem();
        let text = serde_json::to_string_pretty(record)
            .map_err(|source| EnrolError::Unreadable { path: self.record_file(), source })?;
        write(&self.client(), &format!("{certificate}{key}"), 0o600)?;
        write(&self.record_file(), &text, 0o644)
    }
}

/// Takes an invitation up; gives the lines for `agent.toml`.
///
/// # Errors
/// [`EnrolError`].
pub fn enrol(hub: &str, token: &Token, data_dir: &Path) -> Result<String, EnrolError> {
    let hub = hub.trim_end_matches('/');
    fs::create_dir_all(data_dir).map_err(|source| EnrolError::File { path: data_dir.to_owned(), source })?;
    let files = Files::new(data_dir);
    fs::create_dir_all(&files.folder)
        .map_err(|source| EnrolError::File { path: files.folder.clone(), source })?;
    let identity = Identity::load_or_make(&Identity::file(data_dir))?;
    // Nothing secret is said before it is known who listens.
    let authority = Client::new(hub, Trusted::Nobody)?.get(CA_PATH)?;
    if fingerprint(&authority).as_deref() != Some(&token.fingerprint) {
        return Err(EnrolError::OtherHub(hub.to_owned()));
    }
    let (key, csr) = request()?;
    let (_, proof) = identity.vouch(&proof(&token.secret, &csr));
    let enrol = Enrol { secret: token.secret.clone(), csr, signing_key: identity.public(), proof };
    let client = Client::new(hub, Trusted::Authority { pem: &authority, client: None })?;
    let enrolled: Enrolled = client.post(ENROL_PATH, &enrol)?;
    write(&files.authority(), &enrolled.ca, 0o644)?;
    if let Some(line) = &enrolled.pack_key {
        write(&files.pack_keys(), &format!("{line}\n"), 0o644)?;
    }
    let record =
        Record { hub: hub.to_owned(), issued_ms: clock::now_ms(), not_after_ms: enrolled.not_after_ms };
    files.put_client(&enrolled.certificate, &key, &record)?;
    let lines = snippet(&enrolled, &files, data_dir);
    write(&files.folder.join("agent.toml"), &lines, 0o644)?;
    Ok(lines)
}

/// Asks for a new certificate with the present one.
///
/// # Errors
/// [`EnrolError`]; the present certificate stays.
pub fn renew(files: &Files, record: &Record) -> Result<Record, EnrolError> {
    let read = |path: PathBuf| fs::read_to_string(&path).map_err(|source| EnrolError::File { path, source });
    let (authority, present) = (read(files.authority())?, read(files.client())?);
    let (key, csr) = request()?;
    let client = Client::new(&record.hub, Trusted::Authority { pem: &authority, client: Some(&present) })?;
    let enrolled: Enrolled = client.post(RENEW_PATH, &Renew { csr })?;
    let renewed =
        Record { hub: record.hub.clone(), issued_ms: clock::now_ms(), not_after_ms: enrolled.not_after_ms };
    files.put_client(&enrolled.certificate, &key, &renewed)?;
    Ok(renewed)
}

/// A new key, and the request for its certificate. Who it is for is what the hub says.
fn request() -> Result<(KeyPair, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    let csr = params.serialize_request(&key)?.pem()?;
    Ok((key, csr))
}

/// SHA-256 of the first certificate in a PEM text.
fn fingerprint(pem: &str) -> Option<String> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
    Some(Sha256::digest(&der).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String can't fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}

fn snippet(enrolled: &Enrolled, files: &Files, data_dir: &Path) -> String {
    let mut text =
        format!("member = {:?}\nagent = {:?}\ndata_dir = {data_dir:?}\n", enrolled.member, enrolled.agent);
    if let Some(channel) = enrolled.channel.as_ref().filter(|_| enrolled.pack_key.is_some()) {
        let keys = files.pack_keys();
        let _ = write!(text, "\n[pack]\ntrusted_keys = {keys:?}\nchannel = {channel:?}\n");
    }
    match &enrolled.broker {
        Some(broker) => {
            let _ = write!(text, "\n[mqtt]\nhost = {:?}\nport = {}\n", broker.host, broker.port);
            if broker.tls {
                let (ca, client) = (files.authority(), files.client());
                let _ = write!(text, "\n[mqtt.tls]\nca = {ca:?}\ncert = {client:?}\nkey = {client:?}\n");
            }
        }
        None => text.push_str("\n# The hub didn't say where its broker is: add [mqtt] and [mqtt.tls].\n"),
    }
    text
}

/// Replaces a file at once.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), EnrolError> {
    let new = path.with_extension("new");
    let written = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    written().map_err(|source| EnrolError::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use yumen_exchange::enrol::BrokerAddress;

    #[test]
    fn the_lines_for_the_configuration_are_toml_and_name_the_files() {
        let enrolled = Enrolled {
            member: "bank-a".into(),
            agent: "gw1".into(),
            certificate: String::new(),
            ca: String::new(),
            not_after_ms: 1,
            broker: Some(BrokerAddress { host: "broker.example".into(), port: 8883, tls: true }),
            pack_key: Some("aa".into()),
            channel: Some("stable".into()),
        };
        let folder = Path::new("/var/lib/yumen");
        let text = snippet(&enrolled, &Files::new(folder), folder);
        let table: toml::Table = text.parse().unwrap();
        assert_eq!(table["mqtt"]["tls"]["cert"].as_str(), Some("/var/lib/yumen/identity/client.pem"));
        assert_eq!(table["pack"]["channel"].as_str(), Some("stable"));
        let bare = Enrolled { broker: None, pack_key: None, ..enrolled };
        let table: toml::Table = snippet(&bare, &Files::new(folder), folder).parse().unwrap();
        assert!(table.get("mqtt").is_none() && table.get("pack").is_none());
    }

    #[test]
    fn an_authority_is_known_by_its_certificate() {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
        let expected = Sha256::digest(certificate.der());
        let hex: String = expected.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(fingerprint(&certificate.pem()), Some(hex));
        assert_eq!(fingerprint("nothing"), None);
    }
}
