//! `[[sip]]`: a door for calls.

use super::doors::{policy_of, server_tls, thresholds};
use super::place::{Report, at};
use super::validate::{check_deadline, check_thresholds};
use super::{Config, OnFailure, Policy, Screened, ServerTls};
use crate::doors::sip::SipConfig;
use schemars::JsonSchema;
use serde::Deserialize;
use std::net::SocketAddr;
use std::time::Duration;
use yumen_wire::event::Trunk;

/// A SIP redirect server: 302 to the next hops, or a refusal.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sip {
    /// Name in logs, metrics and sightings.
    pub name: String,
    /// Where requests come in, over UDP and TCP.
    #[schemars(with = "String")]
    pub bind: SocketAddr,
    /// Take datagrams.
    #[serde(default = "yes")]
    pub udp: bool,
    /// Take TCP connections.
    #[serde(default = "yes")]
    pub tcp: bool,
    /// Take TLS connections too, on an address of their own.
    pub tls: Option<SipTls>,
    /// Where allowed calls are sent on to: `host:port`, the preferred first.
    pub next_hops: Vec<String>,
    /// How a blocked call is answered.
    #[serde(default)]
    pub block_with: BlockStatus,
    /// URI of the signed card that tells a blocked caller whom to turn to (RFC 8688).
    pub redress: Option<String>,
    /// Where its calls come from.
    #[serde(default)]
    pub trunk: TrunkSide,
    /// Believe what the peer says of a caller: P-Asserted-Identity, verstat.
    #[serde(default)]
    pub trusted: bool,
    /// Most transactions remembered.
    #[serde(default = "transactions_max")]
    pub transactions_max: usize,
    /// Most TCP and TLS connections at a time.
    #[serde(default = "connections_max")]
    pub connections_max: usize,
    /// How long a drain waits for ACKs after SIGTERM, in milliseconds.
    #[serde(default = "drain_timeout_ms")]
    pub drain_timeout_ms: u64,
    /// From a score to what is done.
    #[serde(default)]
    pub policy: Policy,
    /// What is done when no decision is to be had.
    #[serde(default)]
    pub on_failure: OnFailure,
}

/// TLS connections.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SipTls {
    /// Where they come in; 5061 by custom.
    #[schemars(with = "String")]
    pub bind: SocketAddr,
    /// Our certificate and key.
    pub files: ServerTls,
}

/// How a blocked call is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum BlockStatus {
    /// 603 Decline.
    #[serde(rename = "603")]
    Decline,
    /// 607 Unwanted (RFC 8197).
    #[serde(rename = "607")]
    Unwanted,
    /// 608 Rejected (RFC 8688).
    #[default]
    #[serde(rename = "608")]
    Rejected,
}

/// Where calls come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TrunkSide {
    /// Not said.
    #[default]
    Unknown,
    /// The institution's own side.
    Own,
    /// Another operator of the country.
    Domestic,
    /// From abroad.
    International,
}

impl Config {
    /// The doors for calls, in the order of the file.
    #[must_use]
    pub fn calls(&self) -> Vec<SipConfig> {
        self.sip.iter().map(|sip| door(sip.get_ref())).collect()
    }
}

fn door(sip: &Sip) -> SipConfig {
    SipConfig {
        name: sip.name.clone(),
        bind: sip.bind,
        udp: sip.udp,
        tcp: sip.tcp,
        tls: sip.tls.as_ref().map(|tls| (tls.bind, server_tls(&tls.files))),
        next_hops: sip.next_hops.clone(),
        block_status: match sip.block_with {
            BlockStatus::Decline => 603,
            BlockStatus::Unwanted => 607,
            BlockStatus::Rejected => 608,
        },
        redress: sip.redress.clone(),
        trunk: match sip.trunk {
            TrunkSide::Unknown => Trunk::Unknown,
            TrunkSide::Own => Trunk::Own,
            TrunkSide::Domestic => Trunk::Domestic,
            TrunkSide::International => Trunk::International,
        },
        trusted: sip.trusted,
        transactions_max: sip.transactions_max,
        connections_max: sip.connections_max,
        drain_timeout: Duration::from_millis(sip.drain_timeout_ms),
        thresholds: thresholds(&sip.policy),
        policy: policy_of(&sip.on_failure, &[Screened::Submit]),
    }
}

/// Notes what is wrong with the doors for calls.
pub(super) fn problems(config: &Config, report: &mut Report<'_>) {
    for (at, spanned) in config.sip.iter().enumerate() {
        let sip = spanned.get_ref();
        let name = &sip.name;
        let place = |field: &'static str| at!["sip", at, field];
        let taken = config.listeners.iter().filter(|other| other.get_ref().name == *name).count()
            + config.sip.iter().filter(|other| other.get_ref().name == *name).count();
        if name.is_empty() || name.len() > 64 || taken > 1 {
            report.add(
                &place("name"),
                format!("a name must be unique and have 1 to 64 bytes: '{name}'"),
                "name it for what calls it",
            );
        }
        if sip.next_hops.is_empty() {
            report.add(
                &place("next_hops"),
                format!("sip '{name}': next_hops is empty"),
                "for example [\"10.0.0.5:5060\"]",
            );
        }
        for (number, hop) in sip.next_hops.iter().enumerate().filter(|(_, hop)| !is_hop(hop)) {
            report.add(
                &at!["sip", at, "next_hops", number],
                format!("sip '{name}': '{hop}' isn't host:port"),
                "for example \"10.0.0.5:5060\"",
            );
        }
        if !sip.redress.as_deref().is_none_or(is_uri) {
            report.add(
                &place("redress"),
                format!("sip '{name}': redress isn't a URI"),
                "https://example.com/redress.jws",
            );
        }
        if !sip.udp && !sip.tcp && sip.tls.is_none() {
            report.add(
                &place("udp"),
                format!("sip '{name}' takes neither udp nor tcp nor tls"),
                "leave one of them on",
            );
        }
        for (field, value) in
            [("transactions_max", sip.transactions_max), ("connections_max", sip.connections_max)]
        {
            if value == 0 {
                report.add(&place(field), format!("sip '{name}': {field} is 0"), "1 or more");
            }
        }
        let who = format!("sip '{name}'");
        check_deadline(&who, &sip.on_failure, &at!["sip", at, "on_failure"], report);
        check_thresholds(&who, &sip.policy, &at!["sip", at, "policy"], report);
        if sip.policy.block_status.is_some() {
            report.add(
                &at!["sip", at, "policy", "block_status"],
                format!("sip '{name}': block_status is for messages"),
                "block_with = \"608\"",
            );
        }
    }
}

fn is_hop(hop: &str) -> bool {
    hop.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
        && !hop.contains(|char: char| char.is_whitespace() || "<>;,?\"".contains(char))
}

fn is_uri(uri: &str) -> bool {
    uri.contains(':') && uri.bytes().all(|octet| octet.is_ascii_graphic() && !b"<>\"".contains(&octet))
}

fn yes() -> bool {
    true
}

fn transactions_max() -> usize {
    100_000
}

fn connections_max() -> usize {
    1_000
}

fn drain_timeout_ms() -> u64 {
    10_000
}
