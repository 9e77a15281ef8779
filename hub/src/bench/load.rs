//! Agents that send as fast as they are acknowledged.

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use uuid::Uuid;
use yumen_exchange::ack::Ack;
use yumen_exchange::sighting::{Envelope, Indicator, PackRef, RuleHit, Sighting};
use yumen_exchange::topic::{self, Name};

/// Different indicators, and members that see them.
const INDICATORS: u64 = 1_000_000;
const MEMBERS: u16 = 8;
/// What the last acknowledgements may take.
const LAST: Duration = Duration::from_secs(30);

/// What the load is.
#[derive(Clone, Copy, Debug)]
pub struct LoadOptions {
    /// Where the broker listens on this machine.
    pub port: u16,
    /// How long.
    pub duration: Duration,
    /// Agents.
    pub agents: u16,
    /// Sightings that each has on their way.
    pub window: u32,
}

/// Why it ended early.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The connection.
    #[error(transparent)]
    Connection(#[from] Box<rumqttc::v5::ConnectionError>),
    /// A request didn't fit.
    #[error(transparent)]
    Client(#[from] Box<rumqttc::v5::ClientError>),
    /// A sighting couldn't be written.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// A name that can't be one.
    #[error(transparent)]
    Name(#[from] topic::NameError),
    /// Not everything was acknowledged.
    #[error("{0} sightings weren't acknowledged")]
    Left(u32),
    /// A task panicked.
    #[error(transparent)]
    Join(#[from] tokio::task::JoinError),
}

/// Runs it to its end; every sighting is acknowledged then.
///
/// # Errors
/// [`LoadError`].
pub async fn run(options: LoadOptions) -> Result<(), LoadError> {
    let agents: Vec<_> = (0..options.agents).map(|number| tokio::spawn(agent(options, number))).collect();
    for agent in agents {
        agent.await??;
    }
    Ok(())
}

async fn agent(options: LoadOptions, number: u16) -> Result<(), LoadError> {
    let member: Name = format!("member-{}", number % MEMBERS).parse()?;
    let name: Name = format!("gw{number}").parse()?;
    let mut mqtt = MqttOptions::new(format!("load-{number}"), "127.0.0.1", options.port);
    mqtt.set_outgoing_inflight_upper_limit(1000).set_max_packet_size(Some(1 << 20));
    let (client, mut events) =
        AsyncClient::new(mqtt, usize::try_from(options.window).unwrap_or(usize::MAX).saturating_add(16));
    client.try_subscribe(topic::ack(&member, &name), QoS::AtMostOnce).map_err(Box::new)?;
    let topic = topic::sighting(&member, &name);
    let (mut random, mut on_their_way) = (Random(u64::from(number) + 1), 0);
    let until = Instant::now() + options.duration;
    loop {
        while on_their_way < options.window && Instant::now() < until {
            let envelope = envelope(&member, &name, random.next() % INDICATORS);
            let payload = serde_json::to_vec(&envelope)?;
            client.try_publish(topic.as_str(), QoS::AtLeastOnce, false, payload).map_err(Box::new)?;
            on_their_way += 1;
        }
        if on_their_way == 0 {
            return Ok(());
        }
        let Ok(event) = timeout(LAST, events.poll()).await else { return Err(LoadError::Left(on_their_way)) };
        if let Event::Incoming(Packet::Publish(publish)) = event.map_err(Box::new)? {
            let ack: Ack = serde_json::from_slice(&publish.payload)?;
            on_their_way = on_their_way.saturating_sub(u32::try_from(ack.len()).unwrap_or(u32::MAX));
        }
    }
}

fn envelope(member: &Name, agent: &Name, indicator: u64) -> Envelope {
    let data = sighting(format!("n{indicator}.example.com"));
    Envelope::new(Uuid::now_v7(), member, agent, crate::clock::now_ms(), data)
}

/// One as agents send them, with one contact.
pub(super) fn sighting(domain: String) -> Sighting {
    Sighting {
        channel: "sms".into(),
        door: "smpp".into(),
        direction: "submit".into(),
        listener: "sms".into(),
        verdict: "reject".into(),
        typology: "fraud".into(),
        score: 90,
        pack: PackRef { name: "yumen".into(), serial: 3 },
        rules: vec![RuleHit { id: "fraud/bench".into(), score: 90, spans: vec![(0, 4), (9, 12)] }],
        lists: Vec::new(),
        indicators: vec![Indicator { kind: "domain".into(), value: domain, origin: "text".into() }],
        victim: Some("v1:bench:0123456789abcdef0123456789abcdef".into()),
        destinations: 1,
        template: None,
        appeal: None,
        text_chars: 40,
        segments: (1, 1),
    }
}

/// Marsaglia's xorshift64: the same load every time.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) const fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
