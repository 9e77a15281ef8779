//! `[behaviour]`: how numbers' behaviour is counted, kept and shared.

use super::place::{Report, at};
use super::{ClientTls, Config};
use crate::behaviour::{keep, share};
use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use yumen_behaviour::Behaviour as Counters;

/// How numbers' behaviour is counted, kept and shared.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Behaviour {
    /// Memory of the counters in MiB, taken at start: 5,600 roles of numbers (caller, callee, pair, prefix, campaign) each.
    pub memory_mib: usize,
    /// Where the snapshot is kept; `behaviour.snapshot` in `data_dir` by default.
    pub snapshot: Option<PathBuf>,
    /// How often it is written, in seconds: what a power cut may lose.
    pub snapshot_every_s: u64,
    /// Counters shared with the site's other gateways.
    pub share: Option<Share>,
}

/// Counters shared with the site's other gateways, through Redis or Valkey.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// `host:port`; several for a cluster.
    pub nodes: Vec<String>,
    /// Whether the nodes are a cluster.
    #[serde(default)]
    pub cluster: bool,
    /// File with 32 bytes or more that all gateways of the site have: numbers are told apart by what is made of it.
    pub secret_file: PathBuf,
    /// The stream's key, the same for all gateways of the site.
    #[serde(default = "stream")]
    pub stream: String,
    /// User name, where it asks for one.
    pub username: Option<String>,
    /// File with the password, nothing else in it.
    pub password_file: Option<PathBuf>,
    /// TLS; plain TCP is accepted to loopback only.
    pub tls: Option<ClientTls>,
    /// How long what was told stays there for gateways that were away, in seconds.
    #[serde(default = "keep_s")]
    pub keep_s: u64,
}

fn stream() -> String {
    "yumen:behaviour".to_owned()
}
fn keep_s() -> u64 {
    600
}

impl Default for Behaviour {
    fn default() -> Self {
        Self { memory_mib: 48, snapshot: None, snapshot_every_s: 60, share: None }
    }
}

/// Smallest and largest memory of the counters.
const MEMORY_MIB: std::ops::RangeInclusive<usize> = 1..=65_536;
/// Shortest secret of a site.
const SECRET_BYTES_MIN: usize = 32;

/// Notes everything wrong with it.
pub(super) fn check(behaviour: &Behaviour, report: &mut Report<'_>) {
    if !MEMORY_MIB.contains(&behaviour.memory_mib) {
        report.add(
            &at!["behaviour", "memory_mib"],
            "behaviour: memory_mib is from 1 to 65536",
            "48 by default",
        );
    }
    if behaviour.snapshot_every_s == 0 {
        report.add(&at!["behaviour", "snapshot_every_s"], "behaviour: snapshot_every_s is 0", "1 or more");
    }
    let Some(share) = &behaviour.share else { return };
    let place = |field: &'static str| at!["behaviour", "share", field];
    if share.nodes.is_empty() || share.nodes.len() > 1 && !share.cluster {
        report.add(
            &place("nodes"),
            "behaviour.share: one node, or cluster = true",
            "nodes = [\"127.0.0.1:6379\"]",
        );
    }
    for node in &share.nodes {
        let Some((host, _)) = host_and_port(node) else {
            report.add(
                &place("nodes"),
                format!("behaviour.share: '{node}' isn't host:port"),
                "for example \"10.0.0.8:6379\"",
            );
            continue;
        };
        let local = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if share.tls.is_none() && !local {
            report.add(
                &place("nodes"),
                format!("behaviour.share: '{node}' isn't this machine, and there is no TLS"),
                "add [behaviour.share.tls] with ca",
            );
        }
    }
    if share.username.is_some() && share.password_file.is_none() {
        report.add(
            &place("username"),
            "behaviour.share: username without password_file",
            "add password_file",
        );
    }
    if share.keep_s == 0 {
        report.add(&place("keep_s"), "behaviour.share: keep_s is 0", "1 or more; 600 by default");
    }
}

fn host_and_port(node: &str) -> Option<(String, u16)> {
    let (host, port) = node.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty()).then_some((host.to_owned(), port.parse().ok()?))
}

impl Config {
    /// How the counters are kept.
    ///
    /// # Errors
    /// The site's secret can't be read, or is too short.
    pub fn behaviour_options(&self) -> io::Result<keep::Options> {
        let behaviour = &self.behaviour;
        let secret = match &behaviour.share {
            Some(share) => Some(secret(share)?),
            None => None,
        };
        Ok(keep::Options {
            numbers: Counters::numbers_in(behaviour.memory_mib << 20),
            snapshot: behaviour.snapshot.clone().unwrap_or_else(|| self.data_dir.join("behaviour.snapshot")),
            every: Duration::from_secs(behaviour.snapshot_every_s),
            secret,
            sharing: behaviour.share.is_some(),
        })
    }

    /// Where the other gateways are found, where there are any.
    ///
    /// # Errors
    /// A file that it names can't be read.
    pub fn share_options(&self) -> io::Result<Option<share::Options>> {
        let Some(share) = &self.behaviour.share else { return Ok(None) };
        let login = match &share.password_file {
            Some(file) => {
                let password = std::fs::read_to_string(file)?.trim_end_matches(['\r', '\n']).to_owned();
                Some((share.username.clone(), password))
            }
            None => None,
        };
        let tls = match &share.tls {
            Some(tls) => {
                let client = match tls.cert.as_ref().zip(tls.key.as_ref()) {
                    Some((cert, key)) => Some((std::fs::read(cert)?, std::fs::read(key)?)),
                    None => None,
                };
                Some(share::Tls { ca: std::fs::read(&tls.ca)?, client })
            }
            None => None,
        };
        Ok(Some(share::Options {
            nodes: share.nodes.iter().filter_map(|node| host_and_port(node)).collect(),
            cluster: share.cluster,
            stream: share.stream.clone(),
            login,
            tls,
            keep: Duration::from_secs(share.keep_s),
        }))
    }
}

fn secret(share: &Share) -> io::Result<u64> {
    let bytes = std::fs::read(&share.secret_file)?;
    if bytes.len() < SECRET_BYTES_MIN {
        let said = format!("{}: {SECRET_BYTES_MIN} bytes or more", share.secret_file.display());
        return Err(io::Error::new(io::ErrorKind::InvalidData, said));
    }
    let digest = Sha256::new().chain_update(b"yumen behaviour").chain_update(&bytes).finalize();
    let (first, _) = digest.split_first_chunk::<8>().ok_or(io::ErrorKind::InvalidData)?;
    Ok(u64::from_le_bytes(*first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_host_and_port() {
        assert_eq!(host_and_port("10.0.0.8:6379"), Some(("10.0.0.8".to_owned(), 6379)));
        assert_eq!(host_and_port("[::1]:6379"), Some(("::1".to_owned(), 6379)));
        assert_eq!((host_and_port("redis"), host_and_port(":1"), host_and_port("a:b")), (None, None, None));
    }

    #[test]
    fn a_site_s_secret_is_long_enough() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secret");
        let share = Share {
            nodes: Vec::new(),
            cluster: false,
            secret_file: file.clone(),
            stream: stream(),
            username: None,
            password_file: None,
            tls: None,
            keep_s: 1,
        };
        std::fs::write(&file, [7; 31]).unwrap();
        assert!(secret(&share).is_err());
        std::fs::write(&file, [7; 32]).unwrap();
        assert_eq!(secret(&share).unwrap(), secret(&share).unwrap());
    }
}
