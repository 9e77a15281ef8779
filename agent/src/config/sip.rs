//! `[[sip]]`: a door for calls.

use super::doors::{client_tls, policy_of, server_tls, thresholds};
use super::place::{Report, Step, at};
use super::validate::{check_deadline, check_thresholds};
use super::{ClientTls, Config, OnFailure, Policy, Screened, ServerTls};
use crate::doors::sip::proxy::ProxyConfig;
use crate::doors::sip::{Place, SipConfig, Transport};
use schemars::JsonSchema;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use yumen_wire::event::Trunk;

/// A SIP redirect server (302 to the next hops, or a refusal), or a proxy (sent on to them, or refused).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sip {
    /// Name in logs, metrics and sightings.
    pub name: String,
    /// Where requests come in, over UDP and TCP.
    #[schemars(with = "String")]
    pub bind: SocketAddr,
    /// `redirect` or `proxy`.
    #[serde(default)]
    pub mode: Mode,
    /// What only a proxy needs.
    #[serde(default)]
    pub proxy: SipProxy,
    /// Verify callers' signatures (STIR/SHAKEN).
    pub stir: Option<SipStir>,
    /// Take datagrams.
    #[serde(default = "yes")]
    pub udp: bool,
    /// Take TCP connections.
    #[serde(default = "yes")]
    pub tcp: bool,
    /// Take TLS connections too, on an address of their own.
    pub tls: Option<SipTls>,
    /// Where allowed calls are sent on to: `host:port` or `host:port;transport=tcp`, the preferred first.
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

/// How a door stands in the way of calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Answers: 302 to the next hops, or a refusal.
    #[default]
    Redirect,
    /// Sends on, and stays in the way of the dialog.
    Proxy,
}

/// What only a proxy needs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SipProxy {
    /// Our name or address in Via and Record-Route; that of `bind` by default.
    pub advertise: Option<String>,
    /// Names in a Request-URI that stand for us: they are rewritten to the next hop.
    pub domains: Vec<String>,
    /// How next hops with `transport=tls` are connected to.
    pub hop_tls: Option<ClientTls>,
    /// How often each next hop is asked by OPTIONS whether it is there, in seconds; 0 doesn't ask.
    pub keepalive_s: u64,
    /// How long a next hop may take for its first answer before the next is tried, in milliseconds.
    pub hop_timeout_ms: u64,
    /// How long it may ring, in seconds (timer C).
    pub ring_timeout_s: u64,
}

impl Default for SipProxy {
    fn default() -> Self {
        Self {
            advertise: None,
            domains: Vec::new(),
            hop_tls: None,
            keepalive_s: 10,
            hop_timeout_ms: 4_000,
            ring_timeout_s: 200,
        }
    }
}

/// Verifying callers' signatures (RFC 8224).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SipStir {
    /// PEM file with the authorities that certificates of signers must come from.
    pub anchors: PathBuf,
    /// PEM file with the authorities of the servers that certificates are fetched from.
    #[serde(default = "system_ca")]
    pub https_ca: PathBuf,
    /// Hosts that certificates may be fetched from; empty allows all but those on private networks.
    #[serde(default)]
    pub repositories: Vec<String>,
    /// Longest a call waits for a certificate, in milliseconds.
    #[serde(default = "stir_wait_ms")]
    pub wait_ms: u64,
    /// Most seconds between signature and arrival.
    #[serde(default = "freshness_s")]
    pub freshness_s: u64,
    /// Longest a certificate is kept, in seconds.
    #[serde(default = "stir_cache_s")]
    pub cache_s: u64,
    /// Refuse a call whose signature is wrong with 403, 436, 437 or 438; otherwise it is only a signal.
    #[serde(default)]
    pub reject: bool,
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
        self.sip.iter().map(|sip| door(sip.get_ref(), &self.data_dir)).collect()
    }
}

fn door(sip: &Sip, data_dir: &std::path::Path) -> SipConfig {
    let proxy = || ProxyConfig {
        advertise: sip.proxy.advertise.clone(),
        domains: sip.proxy.domains.clone(),
        hop_tls: sip.proxy.hop_tls.as_ref().map(client_tls),
        keepalive: (sip.proxy.keepalive_s > 0).then(|| Duration::from_secs(sip.proxy.keepalive_s)),
        hop_timeout: Duration::from_millis(sip.proxy.hop_timeout_ms),
        ring_timeout: Duration::from_secs(sip.proxy.ring_timeout_s),
        dialog_key: data_dir.join("sip-dialogs.key"),
    };
    SipConfig {
        name: sip.name.clone(),
        bind: sip.bind,
        stir: sip.stir.as_ref().map(|stir| crate::stir::Settings {
            anchors: stir.anchors.clone(),
            https_ca: stir.https_ca.clone(),
            repositories: stir.repositories.clone(),
            wait: Duration::from_millis(stir.wait_ms),
            freshness_s: stir.freshness_s,
            cache: Duration::from_secs(stir.cache_s),
            reject: stir.reject,
        }),
        proxy: (sip.mode == Mode::Proxy).then(proxy),
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
    let mut binds: Vec<SocketAddr> =
        config.listeners.iter().map(|listener| *listener.get_ref().bind.get_ref()).collect();
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
        addresses(sip, at, &mut binds, report);
        if sip.mode == Mode::Proxy {
            proxy(sip, at, report);
        }
        files(sip, at, report);
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

/// Where the door is, and where calls go.
fn addresses(sip: &Sip, at: usize, binds: &mut Vec<SocketAddr>, report: &mut Report<'_>) {
    let name = &sip.name;
    let own = [
        (Some(sip.bind), &at!["sip", at, "bind"][..]),
        (sip.tls.as_ref().map(|tls| tls.bind), &at!["sip", at, "tls", "bind"]),
    ];
    for (bind, place) in own {
        let Some(bind) = bind.filter(|bind| bind.port() != 0) else { continue };
        if binds.contains(&bind) {
            let message = format!("sip '{name}': {bind} is taken by another door");
            report.add(place, message, "give each door an address of its own");
        }
        binds.push(bind);
    }
    if sip.next_hops.is_empty() || sip.next_hops.len() > HOPS_MAX {
        let message = format!("sip '{name}': next_hops must name 1 to {HOPS_MAX}");
        report.add(&at!["sip", at, "next_hops"], message, "for example [\"10.0.0.5:5060\"]");
    }
    for (number, hop) in sip.next_hops.iter().enumerate() {
        let place = at!["sip", at, "next_hops", number];
        let Some(hop_place) = Place::parse(hop) else {
            let help = "host:port, or host:port;transport=tcp (udp, tcp, tls)";
            report.add(&place, format!("sip '{name}': '{hop}' isn't a next hop"), help);
            continue;
        };
        if hop_place.literal == Some(sip.bind) {
            let message = format!("sip '{name}': the next hop '{hop}' is this door");
            report.add(&place, message, "calls would go round in a ring");
        }
        if sip.mode == Mode::Redirect {
            continue;
        }
        if hop_place.transport == Transport::Udp && !sip.udp {
            let message = format!("sip '{name}': '{hop}' needs datagrams, and udp is off");
            report.add(&place, message, "udp = true, or ;transport=tcp");
        }
        if hop_place.transport == Transport::Tls && sip.proxy.hop_tls.is_none() {
            let message = format!("sip '{name}': '{hop}' needs TLS, and there is no hop_tls");
            report.add(&place, message, "[sip.proxy.hop_tls] with ca");
        }
    }
}

/// What only a proxy needs.
fn proxy(sip: &Sip, at: usize, report: &mut Report<'_>) {
    let (name, proxy) = (&sip.name, &sip.proxy);
    if sip.bind.ip().is_unspecified() && proxy.advertise.is_none() {
        let message = format!("sip '{name}': {} isn't an address that others can answer to", sip.bind);
        let help = "bind to one address, or name it: proxy.advertise = \"sbc.example.com\"";
        report.add(&at!["sip", at, "bind"], message, help);
    }
    let is_host = |host: &String| Place::parse(&format!("{host}:5060")).is_some();
    if let Some(host) = proxy.advertise.as_ref().filter(|host| !is_host(host)) {
        let message = format!("sip '{name}': '{host}' isn't a host");
        report.add(&at!["sip", at, "proxy", "advertise"], message, "a name or an address, without port");
    }
    for (number, host) in proxy.domains.iter().enumerate().filter(|(_, host)| !is_host(host)) {
        let message = format!("sip '{name}': '{host}' isn't a host");
        report.add(
            &at!["sip", at, "proxy", "domains", number],
            message,
            "a name or an address, without port",
        );
    }
    for (field, value) in [("hop_timeout_ms", proxy.hop_timeout_ms), ("ring_timeout_s", proxy.ring_timeout_s)]
    {
        if value == 0 {
            report.add(&at!["sip", at, "proxy", field], format!("sip '{name}': {field} is 0"), "1 or more");
        }
    }
    if proxy.hop_tls.as_ref().is_some_and(|tls| tls.cert.is_some() != tls.key.is_some()) {
        let message = format!("sip '{name}': hop_tls has a certificate or a key, but not both");
        report.add(&at!["sip", at, "proxy", "hop_tls"], message, "give both cert and key, or neither");
    }
}

/// Files of TLS and of signatures, and how long a call waits for a certificate.
fn files(sip: &Sip, at: usize, report: &mut Report<'_>) {
    let name = &sip.name;
    let mut check = |path: &[Step<'_>], file: &PathBuf| {
        if file.to_str().is_none_or(str::is_empty) || file.is_dir() {
            report.add(path, format!("sip '{name}': '{}' isn't a file", file.display()), "a PEM file");
        }
    };
    if let Some(tls) = &sip.tls {
        check(&at!["sip", at, "tls", "files", "cert"], &tls.files.cert);
        check(&at!["sip", at, "tls", "files", "key"], &tls.files.key);
        if let Some(ca) = &tls.files.client_ca {
            check(&at!["sip", at, "tls", "files", "client_ca"], ca);
        }
    }
    if let Some(tls) = &sip.proxy.hop_tls {
        check(&at!["sip", at, "proxy", "hop_tls", "ca"], &tls.ca);
    }
    let Some(stir) = &sip.stir else { return };
    check(&at!["sip", at, "stir", "anchors"], &stir.anchors);
    check(&at!["sip", at, "stir", "https_ca"], &stir.https_ca);
    if !(1..=10_000).contains(&stir.wait_ms) {
        let message = format!("sip '{name}': wait_ms must be 1 to 10000");
        report.add(&at!["sip", at, "stir", "wait_ms"], message, "no caller waits for longer; 1000");
    }
    if stir.freshness_s == 0 {
        report.add(&at!["sip", at, "stir", "freshness_s"], format!("sip '{name}': freshness_s is 0"), "60");
    }
}

fn is_uri(uri: &str) -> bool {
    uri.contains(':') && uri.bytes().all(|octet| octet.is_ascii_graphic() && !b"<>\"".contains(&octet))
}

/// As many as a call can be tried at.
const HOPS_MAX: usize = 64;

fn system_ca() -> PathBuf {
    "/etc/ssl/certs/ca-certificates.crt".into()
}

fn stir_wait_ms() -> u64 {
    1_000
}

fn freshness_s() -> u64 {
    60
}

fn stir_cache_s() -> u64 {
    86_400
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
