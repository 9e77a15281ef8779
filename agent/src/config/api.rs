//! `[api]`: the HTTP decision API.

use super::{OnFailure, Policy, Problem, ServerTls};
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

/// Everything wrong with it.
pub(super) fn problems(api: &Api, text: &str) -> Vec<Problem> {
    let start = text.find("[api]").unwrap_or(0);
    let at = |message: &str, help: &str| Problem::at(text, &(start..start + 5), message, help);
    let mut found = Vec::new();
    let known = api.tokens.is_some() || api.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
    if !api.bind.ip().is_loopback() {
        if !known {
            found.push(at(
                "api: anybody could ask, and nothing tells who does",
                "add tokens = \"FILE\", or [api.tls] with client_ca",
            ));
        }
        if api.tls.is_none() {
            found.push(at(
                "api: bind isn't an address of this machine, and there is no TLS",
                "add [api.tls] with cert and key",
            ));
        }
    }
    if api.rate_max == 0 || api.connections_max == 0 || api.on_failure.deadline_ms == 0 {
        found.push(at(
            "api: rate_max, connections_max and deadline_ms must be 1 or more",
            "see docs/agent.toml",
        ));
    }
    if api.policy.block_status.is_some() {
        found.push(at("api: block_status has no meaning here", "the answer says \"reject\" or \"drop\""));
    }
    found
}
