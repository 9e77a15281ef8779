//! Keeps the certificate fresh while the agent runs.

use super::{Files, Record, renew};
use crate::clock;
use crate::mqtt::Tls;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How often it is looked whether it is time.
const LOOK: Duration = Duration::from_secs(3600);

/// A task that renews; ends when dropped.
#[derive(Debug)]
pub struct Renewal(tokio::task::JoinHandle<()>);

impl Renewal {
    /// Starts it, where this agent was enrolled over HTTPS; the connections made from then on show the new certificate.
    /// Needs a tokio runtime.
    #[must_use]
    pub fn start(files: Files, tls: Tls) -> Option<Self> {
        match files.record() {
            Ok(Some(record)) if record.hub.starts_with("https://") => {
                Some(Self(tokio::spawn(run(files, record, tls))))
            }
            Ok(_) => None,
            Err(error) => {
                tracing::error!(%error, "CertificateUnrenewed: the certificate isn't going to be renewed");
                None
            }
        }
    }
}

impl Drop for Renewal {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Record {
    /// Whether a third of the lifetime, or less, is left.
    #[must_use]
    pub const fn is_due(&self, now_ms: u64) -> bool {
        let lifetime = self.not_after_ms.saturating_sub(self.issued_ms);
        now_ms >= self.not_after_ms.saturating_sub(lifetime / 3)
    }
}

async fn run(files: Files, mut record: Record, tls: Tls) {
    let mut tick = interval(LOOK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if !record.is_due(clock::now_ms()) {
            continue;
        }
        let (own, present) = (files.clone(), record.clone());
        match tokio::task::spawn_blocking(move || renew(&own, &present)).await {
            Ok(Ok(renewed)) => {
                record = renewed;
                match tls.reload() {
                    Ok(()) => tracing::info!(not_after_ms = record.not_after_ms, "CertificateRenewed"),
                    Err(error) => {
                        tracing::error!(%error, "CertificateUnread: the new certificate can't be used")
                    }
                }
            }
            Ok(Err(error)) => {
                let left_h = record.not_after_ms.saturating_sub(clock::now_ms()) / 3_600_000;
                tracing::error!(%error, left_h, "CertificateUnrenewed: it is tried again in an hour");
            }
            // A panic there was said; the next look tries again.
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_due_when_a_third_is_left() {
        let record = Record { hub: String::new(), issued_ms: 1_000, not_after_ms: 4_000 };
        assert!(!record.is_due(2_999) && record.is_due(3_000) && record.is_due(9_000));
    }
}
