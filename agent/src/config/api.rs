//! `[api]`: the HTTP decision API.

use super::place::{Report, at};
use super::validate::check_deadline;
use super::{OnFailure, Policy, ServerTls};
use schemars::JsonSchema;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The HTTP decision API, for platforms that ask instead of letting the gateway stand in their path.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Where it listens. Without TLS, and without tokens, only an address of this machine is taken.
    #[schemars(with = "String")]
    pub bind: SocketAddr,
    /// TLS; with `client_ca` a client must show a certificate, which also says who it is.
    pub tls: Option<ServerTls>,
    /// File with the tokens: one `name token` a line, `#` starts a comment. Read again on SIGHUP.
    pub tokens: Option<PathBuf>,
    /// Most decisions a second for each token or certificate; one that asks for more is answered 429.
    #[serde(default = "rate_max")]
    pub rate_max: u32,
    /// Most connections at a time; one more is closed at once.
    #[serde(default = "connections_max")]
    pub connections_max: usize,
    /// How long an answer may be kept and used again, in seconds.
    #[serde(default = "answer_ttl_s")]
    pub answer_ttl_s: u64,
    /// From a score to what is answered.
    #[serde(default)]
    pub policy: Policy,
    /// What is answered when no decision is to be had.
    #[serde(default)]
    pub on_failure: OnFailure,
}

fn rate_max() -> u32 {
    2_000
}
fn connections_max() -> usize {
    1_000
}
fn answer_ttl_s() -> u64 {
    300
}

/// Notes everything wrong with it, but for what every policy is held to.
pub(super) fn check(api: &Api, report: &mut Report<'_>) {
    let place = |field: &'static str| at!["api", field];
    let is_known = api.tokens.is_some() || api.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
    if !api.bind.ip().is_loopback() {
        if !is_known {
            report.add(
                &place("bind"),
                "api: anybody could ask, and nothing tells who does",
                "add tokens = \"FILE\", or [api.tls] with client_ca",
            );
        }
        if api.tls.is_none() {
            report.add(
                &place("bind"),
                "api: bind isn't an address of this machine, and there is no TLS",
                "add [api.tls] with cert and key",
            );
        }
    }
    if api.rate_max == 0 {
        report.add(&place("rate_max"), "api: rate_max is 0", "1 or more");
    }
    if api.connections_max == 0 {
        report.add(&place("connections_max"), "api: connections_max is 0", "1 or more");
    }
    check_deadline("api", &api.on_failure, &at!["api", "on_failure"], report);
    if api.policy.block_status.is_some() {
        report.add(
            &at!["api", "policy", "block_status"],
            "api: block_status has no meaning here",
            "the answer says \"reject\" or \"drop\"",
        );
    }
}
