//! `/metrics` of what counts with plain atomics: doors, multi-part table, spool, link.

use crate::behaviour::share;
use crate::doors::Doors;
use crate::enforce::Cause;
use crate::mqtt;
use crate::pipeline::Pipeline;
use crate::spool::Spool;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What is counted outside the registry, read when somebody asks.
pub struct Counted {
    /// The listeners.
    pub doors: Arc<Doors>,
    /// What they share.
    pub pipeline: Arc<Pipeline>,
    /// The sightings on disk.
    pub spool: Spool,
    /// The way to the hub, where there is one.
    pub link: Option<Box<dyn Fn() -> mqtt::Stats + Send + Sync>>,
    /// The way to the site's other gateways, where there is one.
    pub share: Option<Arc<share::Counters>>,
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counted").finish_non_exhaustive()
    }
}

impl Counted {
    /// Messages judged, and messages blocked, over all listeners.
    #[must_use]
    pub fn totals(doors: &Doors) -> (u64, u64) {
        doors.counters().fold((0, 0), |(judged, blocked), (_, counters)| {
            let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
            (
                judged + count(&counters.judged),
                blocked
                    + count(&counters.rejected)
                    + count(&counters.dropped)
                    + count(&counters.parts_stopped),
            )
        })
    }
}

impl Collector for Counted {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        self.encode_doors(&mut encoder)?;
        self.encode_table(&mut encoder)?;
        self.encode_spool(&mut encoder)?;
        self.encode_behaviour(&mut encoder)?;
        let Some(link) = &self.link else { return Ok(()) };
        let stats = link();
        gauge(
            &mut encoder,
            "yumen_hub_connected",
            "1 while a session with the broker stands",
            u64::from(stats.connected),
        )?;
        counter(&mut encoder, "yumen_hub_published", "Sightings sent, again ones included", stats.published)?;
        counter(&mut encoder, "yumen_hub_resent", "Sightings sent again", stats.resent)?;
        counter(&mut encoder, "yumen_hub_acknowledged", "Sightings acknowledged", stats.acknowledged)?;
        counter(&mut encoder, "yumen_hub_refused", "Sightings that the hub refused for good", stats.refused)?;
        counter(&mut encoder, "yumen_hub_failures", "Connections lost and attempts failed", stats.failures)
    }
}

impl Counted {
    fn encode_doors(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        // One family a counter, one line a listener: the names are the same for every listener.
        let listeners: Vec<_> = self
            .doors
            .counters()
            .map(|(name, counters)| (name, counters.named().collect::<Vec<_>>()))
            .collect();
        let names = listeners.first().map_or(0, |(_, counters)| counters.len());
        for at in 0..names {
            let Some((metric, _)) = listeners.first().and_then(|(_, counters)| counters.get(at)) else {
                continue;
            };
            let open = *metric == "connections_open";
            let kind = if open { MetricType::Gauge } else { MetricType::Counter };
            let name = format!("yumen_listener_{metric}");
            let mut family =
                encoder.encode_descriptor(&name, "See agent/src/doors/counters.rs", None, kind)?;
            for (listener, counters) in &listeners {
                let value = counters.get(at).map_or(0, |(_, value)| *value);
                let labels = [("listener", *listener)];
                let sample = family.encode_family(&labels)?;
                if open {
                    ConstGauge::new(signed(value)).encode(sample)?
                } else {
                    ConstCounter::new(value).encode(sample)?
                }
            }
        }
        let mut family = encoder.encode_descriptor(
            "yumen_listener_undecided",
            "Messages without a decision, by cause",
            None,
            MetricType::Counter,
        )?;
        for (listener, counters) in self.doors.counters() {
            for (cause, count) in Cause::ALL.iter().zip(&counters.undecided) {
                let labels = [("listener", listener), ("cause", cause.name())];
                let sample = family.encode_family(&labels)?;
                ConstCounter::new(count.load(Ordering::Relaxed)).encode(sample)?;
            }
        }
        Ok(())
    }

    fn encode_table(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let table = self.pipeline.table();
        let counters = table.counters();
        gauge(
            encoder,
            "yumen_multipart_messages",
            "Multi-part messages remembered",
            table.messages() as u64,
        )?;
        gauge(encoder, "yumen_multipart_bytes", "Bytes they take", table.bytes() as u64)?;
        for (name, help, count) in [
            ("yumen_multipart_parts", "Parts seen", &counters.parts),
            ("yumen_multipart_duplicates", "Parts seen again", &counters.duplicates),
            ("yumen_multipart_conflicts", "Parts seen again with another text", &counters.conflicts),
            ("yumen_multipart_completed", "Messages completed", &counters.completed),
            ("yumen_multipart_expired", "Messages whose parts didn't all come in time", &counters.expired),
            ("yumen_multipart_evicted", "Messages that made room for others", &counters.evicted),
            ("yumen_multipart_refused", "Parts that found no room", &counters.refused),
        ] {
            counter(encoder, name, help, count.load(Ordering::Relaxed))?;
        }
        Ok(())
    }

    fn encode_behaviour(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let stats = self.pipeline.behaviour().stats();
        gauge(encoder, "yumen_behaviour_tracked", "Roles of numbers that are tracked", stats.tracked)?;
        gauge(encoder, "yumen_behaviour_bytes", "Bytes that the counters take", stats.bytes)?;
        counter(encoder, "yumen_behaviour_evicted", "Roles forgotten for others", stats.evicted)?;
        let Some(share) = &self.share else { return Ok(()) };
        let shared = share.stats();
        let connected = u64::from(shared.connected);
        gauge(encoder, "yumen_behaviour_share_connected", "1 while Redis answers", connected)?;
        gauge(encoder, "yumen_behaviour_share_waiting", "Deltas that wait to be sent", stats.waiting)?;
        for (name, help, count) in [
            ("yumen_behaviour_share_batches", "Batches of deltas that Redis took", shared.batches_sent),
            ("yumen_behaviour_share_received", "Deltas of other gateways that were counted", stats.received),
            ("yumen_behaviour_share_dropped", "Deltas that found no room to wait", stats.dropped),
            (
                "yumen_behaviour_share_malformed",
                "Entries of the stream that weren't batches",
                shared.malformed,
            ),
            ("yumen_behaviour_share_failures", "Connections lost and attempts failed", shared.failures),
        ] {
            counter(encoder, name, help, count)?;
        }
        Ok(())
    }

    fn encode_spool(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let stats = self.spool.stats();
        gauge(encoder, "yumen_spool_records", "Sightings that wait to be acknowledged", stats.records)?;
        gauge(encoder, "yumen_spool_bytes", "Bytes of the spool's segments", stats.bytes)?;
        counter(encoder, "yumen_spool_appended", "Sightings written", stats.appended)?;
        counter(
            encoder,
            "yumen_spool_dropped_full",
            "Sightings dropped because the spool was full",
            stats.dropped_full,
        )?;
        counter(
            encoder,
            "yumen_spool_dropped_disk",
            "Sightings dropped because the disk failed",
            stats.dropped_disk,
        )?;
        counter(encoder, "yumen_spool_lost", "Sightings that rotted on the disk", stats.lost)?;
        counter(encoder, "yumen_spool_sync_failures", "Failed syncs", stats.sync_failures)
    }
}

fn counter(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    let metric = ConstCounter::new(value);
    metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    let metric = ConstGauge::new(signed(value));
    metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
