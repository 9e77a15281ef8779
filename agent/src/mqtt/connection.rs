//! One connection, from its first byte to its last.

use super::pace::Pace;
use super::window::{Outgoing, Window};
use super::{Acknowledge, Counts, Down, FactSource, Options, RESEND_MAX};
use crate::limits::MQTT_READ_BYTES_MAX;
use crate::spool::Spool;
use bytes::Bytes;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    ConnAck, Filter, LastWill, LastWillProperties, Packet, PubAck, PubAckReason, Publish, PublishProperties,
    SubscribeReasonCode,
};
use rumqttc::v5::{AsyncClient, ClientError, ConnectionError, Event, EventLoop, MqttOptions};
use rumqttc::{Outgoing as Wire, TlsConfiguration, Transport};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use yumen_exchange::ack::Ack;
use yumen_exchange::limits::{DOWN_PACKET_BYTES_MAX, SIGHTING_BYTES_MAX};
use yumen_exchange::sighting::EVENT_CONTENT_TYPE;
use yumen_exchange::status::Status;
use yumen_exchange::{check, topic};

const KEEP_ALIVE: Duration = Duration::from_secs(15);
const CONNECT_TIMEOUT_S: u64 = 10;
/// How long the last words may take.
const FAREWELL: Duration = Duration::from_secs(2);
/// How often it is looked whether something is to be sent again.
const RESEND_TICK: Duration = Duration::from_millis(500);
/// Events between the socket's task and this one.
const EVENTS_MAX: usize = 256;
/// Requests beside sightings: statuses and the subscription.
const REQUESTS_SPARE: usize = 16;
/// A packet's topic and properties beside its payload, in bytes.
const PACKET_OVERHEAD: usize = 512;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    #[error(transparent)]
    Connection(#[from] Box<ConnectionError>),
    #[error("the broker takes packets of {0} bytes, and sightings may have {SIGHTING_BYTES_MAX}")]
    PacketsTooSmall(u32),
    #[error("the broker refuses the subscription to acknowledgements: {0:?}")]
    SubscriptionRefused(SubscribeReasonCode),
    #[error("the broker refuses a message: {0:?}")]
    PublishRefused(PubAckReason),
    #[error("the spool can't be read: {0}")]
    Spool(#[from] io::Error),
    #[error("the connection's own queue is full or closed")]
    Queue,
}

impl From<ClientError> for Ended {
    fn from(_: ClientError) -> Self {
        Self::Queue
    }
}

/// Ends the socket's task with the connection.
struct Poller(JoinHandle<()>);

impl Drop for Poller {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A connection and what is on its way on it.
pub(super) struct Connection<'a> {
    options: &'a Options,
    spool: &'a Spool,
    facts: &'a FactSource,
    down: Option<&'a dyn Down>,
    counts: &'a Counts,
    /// When this connection began, in milliseconds since the Unix epoch.
    session_ms: u64,
    client: AsyncClient,
    events: mpsc::Receiver<Result<Event, ConnectionError>>,
    _poller: Poller,
    window: Window,
    pace: Pace,
    /// Publishes handed over, in order, until the client says under which packet id each went out; `None` for a status.
    unnumbered: VecDeque<Option<u64>>,
    /// Sequence by packet id, until its PUBACK.
    numbered: HashMap<u16, Option<u64>>,
    /// Sightings may be sent.
    open: bool,
    /// The spool had nothing more when it was last asked.
    drained: bool,
    /// When the pace allows the next one.
    resume_at: Option<Instant>,
}

impl<'a> Connection<'a> {
    pub(super) fn new(
        options: &'a Options,
        spool: &'a Spool,
        facts: &'a FactSource,
        down: Option<&'a dyn Down>,
        counts: &'a Counts,
    ) -> Self {
        let session_ms = crate::clock::now_ms();
        let (client, event_loop) = AsyncClient::new(
            mqtt_options(options, status(spool, facts, session_ms, false)),
            usize::from(options.inflight_max) + REQUESTS_SPARE,
        );
        let (to_connection, events) = mpsc::channel(EVENTS_MAX);
        let poller = Poller(tokio::spawn(poll(event_loop, to_connection)));
        Self {
            options,
            spool,
            facts,
            down,
            counts,
            session_ms,
            client,
            events,
            _poller: poller,
            window: Window::new(spool.first_pending(), options.resend_after, RESEND_MAX),
            pace: Pace::new(options.rate_max, Instant::now()),
            unnumbered: VecDeque::new(),
            numbered: HashMap::new(),
            open: false,
            drained: false,
            resume_at: None,
        }
    }

    /// Runs until the connection fails, or `stop` turns true and all is said.
    pub(super) async fn run(&mut self, stop: &mut watch::Receiver<bool>) -> Result<(), Ended> {
        let mut status_tick = interval(self.options.status_interval.max(Duration::from_millis(100)));
        let mut resend_tick = interval(RESEND_TICK);
        for tick in [&mut status_tick, &mut resend_tick] {
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        loop {
            self.send().await?;
            let resume_at = self.resume_at.unwrap_or_else(Instant::now);
            tokio::select! {
                event = self.events.recv() => self.handle(event)?,
                () = self.spool.appended(), if self.open && self.drained => self.drained = false,
                () = sleep_until(resume_at), if self.resume_at.is_some() => self.resume_at = None,
                _ = status_tick.tick(), if self.open => self.say_status(true)?,
                _ = resend_tick.tick(), if self.open && self.options.acknowledge == Acknowledge::Hub => {
                    self.window.resend(Instant::now());
                }
                () = stopped(stop) => return self.farewell().await,
            }
        }
    }

    fn handle(&mut self, event: Option<Result<Event, ConnectionError>>) -> Result<(), Ended> {
        match event.ok_or(Ended::Queue)?.map_err(Box::new)? {
            Event::Incoming(Packet::ConnAck(connack)) => self.connected(&connack),
            Event::Incoming(Packet::SubAck(suback)) => {
                for code in suback.return_codes {
                    if !matches!(code, SubscribeReasonCode::Success(_)) {
                        return Err(Ended::SubscriptionRefused(code));
                    }
                }
                self.opened()
            }
            Event::Incoming(Packet::PubAck(puback)) => self.broker_acknowledged(&puback),
            Event::Incoming(Packet::Publish(publish)) => {
                self.received(&publish);
                Ok(())
            }
            Event::Outgoing(Wire::Publish(pkid)) => {
                if let Some(sequence) = self.unnumbered.pop_front() {
                    self.numbered.insert(pkid, sequence);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn connected(&mut self, connack: &ConnAck) -> Result<(), Ended> {
        // A publish above the broker's limit would end every connection anew; nothing is sent to such a broker.
        let limit = connack.properties.as_ref().and_then(|properties| properties.max_packet_size);
        let needed = SIGHTING_BYTES_MAX + PACKET_OVERHEAD;
        if let Some(limit) = limit.filter(|&limit| usize::try_from(limit).is_ok_and(|limit| limit < needed)) {
            return Err(Ended::PacketsTooSmall(limit));
        }
        // Retractions first: what was wrong is released before anything else happens.
        let mut topics = Vec::new();
        if let Some(down) = self.down {
            // Word of the rollout before the pack that it is about.
            let channel = down.channel();
            topics.extend([topic::RETRACT.to_owned(), topic::rollout(channel), topic::pack(channel)]);
        }
        if self.options.acknowledge == Acknowledge::Hub {
            topics.push(topic::ack(&self.options.member, &self.options.agent));
        }
        if topics.is_empty() {
            return self.opened();
        }
        let filters = topics.into_iter().map(|topic| Filter::new(topic, QoS::AtLeastOnce));
        Ok(self.client.try_subscribe_many(filters)?)
    }

    fn received(&mut self, publish: &Publish) {
        let Some(down) = self.down else { return self.hub_acknowledged(publish) };
        if publish.topic == topic::RETRACT {
            down.retract(&publish.payload);
        } else if publish.topic == topic::pack(down.channel()) {
            down.pack(publish.payload.clone());
        } else if publish.topic == topic::rollout(down.channel()) {
            down.rollout(&publish.payload);
        } else {
            self.hub_acknowledged(publish);
        }
    }

    /// The session stands, and acknowledgements will be heard.
    fn opened(&mut self) -> Result<(), Ended> {
        if self.open {
            return Ok(());
        }
        self.open = true;
        self.counts.connected.store(true, Ordering::Relaxed);
        add(&self.counts.connections, 1);
        let waiting = self.spool.stats().records;
        tracing::info!(
            host = self.options.host,
            port = self.options.port,
            waiting,
            "connected to the broker"
        );
        self.say_status(true)
    }

    fn broker_acknowledged(&mut self, puback: &PubAck) -> Result<(), Ended> {
        let sequence = self.numbered.remove(&puback.pkid).flatten();
        if !matches!(puback.reason, PubAckReason::Success | PubAckReason::NoMatchingSubscribers) {
            return Err(Ended::PublishRefused(puback.reason));
        }
        if self.options.acknowledge == Acknowledge::Broker
            && let Some(sequence) = sequence
            && self.window.acknowledge_sequence(sequence)
        {
            add(&self.counts.acknowledged, 1);
            self.advance();
        }
        Ok(())
    }

    fn hub_acknowledged(&mut self, publish: &Publish) {
        let Ok(ack) = serde_json::from_slice::<Ack>(&publish.payload) else {
            tracing::warn!("an acknowledgement can't be read");
            return;
        };
        for id in ack.committed {
            if self.window.acknowledge(id) {
                add(&self.counts.acknowledged, 1);
            }
        }
        for refusal in ack.refused {
            if self.window.acknowledge(refusal.id) {
                add(&self.counts.refused, 1);
                tracing::error!(id = %refusal.id, reason = refusal.reason, "the hub refused a sighting for good");
            }
        }
        self.advance();
    }

    fn advance(&mut self) {
        if let Some(through) = self.window.advance() {
            self.spool.acknowledge(through);
        }
    }

    /// Fills the window from the spool, and sends as much as pace and limits allow.
    async fn send(&mut self) -> Result<(), Ended> {
        if !self.open {
            return Ok(());
        }
        self.fill().await?;
        let inflight_max = usize::from(self.options.inflight_max.max(1));
        while self.resume_at.is_none()
            && self.unnumbered.len() + self.numbered.len() < inflight_max
            && self.window.has_waiting()
        {
            let now = Instant::now();
            if let Err(at) = self.pace.take(now) {
                self.resume_at = Some(at);
                break;
            }
            let Some(outgoing) = self.window.send(now) else { break };
            self.publish(outgoing)?;
        }
        Ok(())
    }

    async fn fill(&mut self) -> Result<(), Ended> {
        while !self.drained
            && let Some((from, count)) = self.window.room()
        {
            let spool = self.spool.clone();
            // After an outage this is a cold read from a disk, which may take its time.
            let read = tokio::task::spawn_blocking(move || spool.read(from, count, MQTT_READ_BYTES_MAX));
            let records = read.await.map_err(io::Error::other)??;
            self.drained = records.is_empty();
            for record in records {
                let (sequence, id) = (record.sequence, check::id(&record.payload));
                if !self.window.push(record, id) {
                    tracing::error!(sequence, "a record of the spool isn't a sighting, and is dropped");
                    add(&self.counts.refused, 1);
                }
            }
            self.advance();
        }
        Ok(())
    }

    fn publish(&mut self, outgoing: Outgoing) -> Result<(), Ended> {
        let topic = topic::sighting(&self.options.member, &self.options.agent);
        let properties = PublishProperties {
            content_type: Some(EVENT_CONTENT_TYPE.to_owned()),
            // So that the hub can refuse by id what it can't read.
            correlation_data: Some(Bytes::copy_from_slice(outgoing.id.as_bytes())),
            user_properties: self.options.seal(&topic, &outgoing.payload),
            ..PublishProperties::default()
        };
        self.client.try_publish_with_properties(
            topic,
            QoS::AtLeastOnce,
            false,
            outgoing.payload,
            properties,
        )?;
        self.unnumbered.push_back(Some(outgoing.sequence));
        add(&self.counts.published, 1);
        add(&self.counts.resent, u64::from(outgoing.again));
        Ok(())
    }

    fn say_status(&mut self, online: bool) -> Result<(), Ended> {
        let topic = topic::status(&self.options.member, &self.options.agent);
        let payload = status(self.spool, self.facts, self.session_ms, online);
        let properties = PublishProperties {
            user_properties: self.options.seal(&topic, &payload),
            ..PublishProperties::default()
        };
        self.client.try_publish_with_properties(topic, QoS::AtLeastOnce, true, payload, properties)?;
        self.unnumbered.push_back(None);
        Ok(())
    }

    /// Says that this agent goes, waits for what is in flight, and disconnects, so that the last will isn't sent.
    async fn farewell(&mut self) -> Result<(), Ended> {
        if !self.open {
            return Ok(());
        }
        self.say_status(false)?;
        let said = timeout(FAREWELL, async {
            while !(self.unnumbered.is_empty() && self.numbered.is_empty()) {
                let event = self.events.recv().await;
                self.handle(event)?;
            }
            Ok::<_, Ended>(())
        });
        // The last word is worth waiting for, but a broker that is gone ends it too.
        let _ = said.await;
        if self.client.try_disconnect().is_ok() {
            let gone = async { while matches!(self.events.recv().await, Some(Ok(_))) {} };
            let _ = timeout(FAREWELL / 2, gone).await;
        }
        tracing::info!("disconnected from the broker");
        Ok(())
    }
}

/// Runs the socket. Its futures aren't dropped half way for another event, as a select over them would.
async fn poll(mut event_loop: EventLoop, events: mpsc::Sender<Result<Event, ConnectionError>>) {
    loop {
        let event = event_loop.poll().await;
        let failed = event.is_err();
        if events.send(event).await.is_err() || failed {
            return;
        }
    }
}

/// Completes when the link is to end; one that was dropped is.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

fn mqtt_options(options: &Options, will: Vec<u8>) -> MqttOptions {
    let status_topic = topic::status(&options.member, &options.agent);
    let will_properties = LastWillProperties {
        delay_interval: None,
        payload_format_indicator: None,
        message_expiry_interval: None,
        content_type: None,
        response_topic: None,
        correlation_data: None,
        user_properties: options.seal(&status_topic, &will),
    };
    let id = topic::client_id(&options.member, &options.agent);
    let mut mqtt = MqttOptions::new(id, &options.host, options.port);
    mqtt.set_keep_alive(KEEP_ALIVE)
        .set_clean_start(true)
        .set_connection_timeout(CONNECT_TIMEOUT_S)
        .set_outgoing_inflight_upper_limit(options.inflight_max.max(1))
        .set_max_packet_size(u32::try_from(DOWN_PACKET_BYTES_MAX).ok())
        .set_last_will(LastWill::new(status_topic, will, QoS::AtLeastOnce, true, Some(will_properties)));
    if let Some((user, password)) = &options.login {
        mqtt.set_credentials(user, password);
    }
    if let Some(tls) = &options.tls {
        mqtt.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls.current())));
    }
    mqtt
}

/// The status as it goes over the wire.
fn status(spool: &Spool, facts: &FactSource, session_ms: u64, online: bool) -> Vec<u8> {
    let (facts, spool) = (facts(), spool.stats());
    let status = Status {
        online,
        // A clock that was set back makes no status older than its own connection.
        time_ms: crate::clock::now_ms().max(session_ms),
        session_ms,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pack: facts.pack,
        spool_records: spool.records,
        spool_dropped: spool.dropped(),
        judged: facts.judged,
        blocked: facts.blocked,
        refused: facts.refused,
    };
    // A struct of numbers and short texts always serialises.
    serde_json::to_vec(&status).unwrap_or_default()
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
