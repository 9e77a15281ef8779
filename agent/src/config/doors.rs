//! From `agent.toml` to what the doors, the link to the hub and the spool ask for.

use super::{
    AcknowledgeBy, Balance, BlockAction, ClientTls, Config, DefaultAlphabet, Fail, LadderStep, Listener,
    OnFailure, Policy, Protocol, Screened, ServerTls, Upstream,
};
use crate::api;
use crate::doors::config as doors;
use crate::enforce;
use crate::mqtt;
use crate::spool;
use std::time::Duration;
use yumen_rules::policy::{Policy as Thresholds, TypologyPolicy};
use yumen_rules::verdict::{Action, Ladder, Typology};
use yumen_wire::text::Coding;

/// Why the link to the hub can't be made from its settings.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// TLS files.
    #[error("mqtt.tls: {0}")]
    Tls(#[from] mqtt::TlsError),
    /// The password file.
    #[error("mqtt.password_file: {0}")]
    Password(#[from] std::io::Error),
}

impl Config {
    /// The doors, in the order of the file.
    #[must_use]
    pub fn doors(&self) -> Vec<doors::ListenerConfig> {
        self.listeners.iter().map(|listener| door(listener.get_ref())).collect()
    }

    /// The decision API, where one is configured.
    #[must_use]
    pub fn api_options(&self) -> Option<api::Options> {
        let api = self.api.as_ref()?;
        Some(api::Options {
            bind: api.bind,
            tls: api.tls.as_ref().map(server_tls),
            tokens: api.tokens.clone(),
            rate_max: api.rate_max,
            connections_max: api.connections_max,
            answer_ttl: Duration::from_secs(api.answer_ttl_s),
            head_timeout: crate::limits::API_HEAD_TIMEOUT,
            body_timeout: crate::limits::API_BODY_TIMEOUT,
            data_dir: self.data_dir.clone(),
            thresholds: thresholds(&api.policy),
            policy: enforce::Policy {
                deadline: Duration::from_millis(api.on_failure.deadline_ms),
                failures: failures(&api.on_failure),
                ..enforce::Policy::default()
            },
        })
    }

    /// The spool.
    #[must_use]
    pub fn spool_options(&self) -> spool::Options {
        spool::Options {
            bytes_max: self.spool.bytes_max,
            sync_interval: Duration::from_millis(self.spool.sync_interval_ms),
            ..spool::Options::new(self.data_dir.join("spool"))
        }
    }

    /// File of the key that signs what is said to the hub.
    #[must_use]
    pub fn signing_key(&self) -> std::path::PathBuf {
        let configured = self.mqtt.as_ref().and_then(|link| link.signing_key.clone());
        configured.unwrap_or_else(|| crate::identity::Identity::file(&self.data_dir))
    }

    /// The link to the hub, where one is configured.
    ///
    /// # Errors
    /// A file that it names can't be used.
    pub fn link_options(&self) -> Result<Option<mqtt::Options>, LinkError> {
        let Some(link) = &self.mqtt else { return Ok(None) };
        let tls = match &link.tls {
            Some(tls) => {
                let client = tls.cert.as_deref().zip(tls.key.as_deref());
                Some(mqtt::Tls::load(&tls.ca, client, tls.server_name.as_deref())?)
            }
            None => None,
        };
        let password = match &link.password_file {
            Some(file) => std::fs::read_to_string(file)?.trim_end_matches(['\r', '\n']).to_owned(),
            None => String::new(),
        };
        Ok(Some(mqtt::Options {
            tls,
            login: link.username.clone().map(|name| (name, password)),
            rate_max: link.rate_max,
            inflight_max: link.inflight_max,
            status_interval: Duration::from_secs(link.status_interval_s),
            acknowledge: match link.acknowledge {
                AcknowledgeBy::Hub => mqtt::Acknowledge::Hub,
                AcknowledgeBy::Broker => mqtt::Acknowledge::Broker,
            },
            ..mqtt::Options::new(self.member.clone(), self.agent.clone(), link.host.clone(), link.port)
        }))
    }
}

fn door(listener: &Listener) -> doors::ListenerConfig {
    doors::ListenerConfig {
        name: listener.name.clone(),
        protocol: match listener.protocol {
            Protocol::Smpp => doors::ProtocolKind::Smpp,
            Protocol::Cmpp => doors::ProtocolKind::Cmpp,
            Protocol::Smgp => doors::ProtocolKind::Smgp,
            Protocol::Sgip => doors::ProtocolKind::Sgip,
        },
        bind: *listener.bind.get_ref(),
        tls: listener.tls.as_ref().map(server_tls),
        upstreams: listener.upstreams.iter().map(upstream).collect(),
        balance: match listener.balance {
            Balance::Failover => doors::Balance::Failover,
            Balance::RoundRobin => doors::Balance::RoundRobin,
        },
        connections_max: listener.connections_max,
        pdu_bytes_max: listener.pdu_bytes_max,
        connect_timeout: Duration::from_millis(listener.connect_timeout_ms),
        drain_timeout: Duration::from_millis(listener.drain_timeout_ms),
        default_alphabet: match listener.default_alphabet {
            DefaultAlphabet::Gsm7 => Coding::Gsm7,
            DefaultAlphabet::Gsm7Packed => Coding::Gsm7Packed,
            DefaultAlphabet::Latin1 => Coding::Latin1,
            DefaultAlphabet::Ascii => Coding::Ascii,
            DefaultAlphabet::Utf8 => Coding::Utf8,
        },
        reject_status: listener.policy.block_status,
        thresholds: thresholds(&listener.policy),
        policy: enforcement(listener),
    }
}

pub(super) fn server_tls(tls: &ServerTls) -> doors::ServerTls {
    doors::ServerTls { cert: tls.cert.clone(), key: tls.key.clone(), client_ca: tls.client_ca.clone() }
}

fn upstream(upstream: &Upstream) -> doors::Upstream {
    doors::Upstream { address: upstream.address.clone(), tls: upstream.tls.as_ref().map(client_tls) }
}

pub(super) fn client_tls(tls: &ClientTls) -> doors::ClientTls {
    doors::ClientTls {
        ca: tls.ca.clone(),
        identity: tls.cert.clone().zip(tls.key.clone()),
        server_name: tls.server_name.clone(),
    }
}

pub(super) fn thresholds(policy: &Policy) -> Thresholds {
    let step = |typology: Typology| policy.typology.get(typology.id()).copied().unwrap_or(policy.ladder);
    Thresholds {
        typologies: Typology::ALL.map(|typology| TypologyPolicy {
            ladder: ladder(step(typology)),
            flag_at: policy.flag_at,
            reject_at: policy.reject_at,
        }),
        block: match policy.action {
            BlockAction::Reject => Action::Reject,
            BlockAction::Drop => Action::Drop,
        },
        ..Thresholds::default()
    }
}

const fn ladder(step: LadderStep) -> Ladder {
    match step {
        LadderStep::Shadow => Ladder::Shadow,
        LadderStep::Flag => Ladder::Flag,
        LadderStep::Enforce => Ladder::Enforce,
    }
}

fn enforcement(listener: &Listener) -> enforce::Policy {
    policy_of(&listener.on_failure, &listener.screen)
}

pub(super) fn policy_of(failure: &OnFailure, screen: &[Screened]) -> enforce::Policy {
    enforce::Policy {
        judge_submit: screen.contains(&Screened::Submit),
        judge_deliver: screen.contains(&Screened::Deliver),
        blocking: enforce::Blocking::AsJudged,
        deadline: Duration::from_millis(failure.deadline_ms),
        failures: failures(failure),
    }
}

const fn failures(failure: &OnFailure) -> enforce::Failures {
    enforce::Failures {
        late: mode(failure.late),
        no_pack: mode(failure.no_pack),
        memory_short: mode(failure.memory),
        undecodable: mode(failure.undecodable),
        malformed: mode(failure.malformed),
        engine: mode(failure.engine),
    }
}

const fn mode(fail: Fail) -> enforce::OnFailure {
    match fail {
        Fail::Open => enforce::OnFailure::Open,
        Fail::Closed => enforce::OnFailure::Closed,
    }
}
