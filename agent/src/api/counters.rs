//! What the API counts, for `/metrics`.

use super::Shared;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the API counts. They only rise.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Connections accepted.
    pub(super) connections: AtomicU64,
    /// Connections closed at once because `connections_max` was reached.
    pub(super) connections_refused: AtomicU64,
    /// TLS handshakes that failed.
    pub(super) tls_failures: AtomicU64,
    /// Requests to decide or to learn.
    pub(super) requests: AtomicU64,
    /// Requests without a valid token.
    pub(super) unauthorized: AtomicU64,
    /// Requests above the rate.
    pub(super) rate_limited: AtomicU64,
    /// Requests that couldn't be read.
    pub(super) malformed: AtomicU64,
    /// Outcomes learned.
    pub(super) outcomes: AtomicU64,
    /// Complaints among them.
    pub(super) complaints: AtomicU64,
}

impl Counters {
    pub(super) fn add(&self, counter: impl Fn(&Self) -> &AtomicU64) {
        counter(self).fetch_add(1, Ordering::Relaxed);
    }

    fn named(&self) -> [(&'static str, &'static str, &AtomicU64); 9] {
        [
            ("connections", "Connections accepted", &self.connections),
            ("connections_refused", "Connections above connections_max", &self.connections_refused),
            ("tls_failures", "TLS handshakes that failed", &self.tls_failures),
            ("requests", "Requests to decide or to learn", &self.requests),
            ("unauthorized", "Requests without a valid token", &self.unauthorized),
            ("rate_limited", "Requests above the rate", &self.rate_limited),
            ("malformed", "Requests that couldn't be read", &self.malformed),
            ("outcomes", "Outcomes learned", &self.outcomes),
            ("complaints", "Complaints learned", &self.complaints),
        ]
    }
}

/// Reads the counters when somebody asks.
#[derive(Debug)]
pub(super) struct Metrics(pub(super) Arc<Shared>);

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let decisions =
            self.0.gate.counters.named().map(|(name, value)| (format!("yumen_api_decisions_{name}"), value));
        let wanted = ["judged", "flagged", "shadowed", "rejected", "dropped", "deferred", "reports_lost"];
        for (name, value) in decisions.filter(|(name, _)| wanted.iter().any(|wanted| name.ends_with(wanted)))
        {
            counter(&mut encoder, &name, "Decisions of the API, see agent/src/doors/counters.rs", value)?;
        }
        for (name, help, value) in self.0.counters.named() {
            counter(&mut encoder, &format!("yumen_api_{name}"), help, value.load(Ordering::Relaxed))?;
        }
        Ok(())
    }
}

fn counter(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    let metric = ConstCounter::new(value);
    metric.encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)
}
