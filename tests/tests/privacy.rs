//! What leaves a site: a subscriber to everything on the broker sees no text of any message and no victim's number.

use anyhow::{Context, Result, ensure};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use serde_json::Value;
use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};
use yumen_tests::demo::texts::{BAD, BAD_LONG, HONEST, Sample};
use yumen_tests::peer::cmpp::{ACCOUNT, Ismg, Sp};
use yumen_tests::peer::smpp::{Centre, Esme};
use yumen_tests::site::{Ports, Site};
use yumen_wire::cmpp::Version;

#[tokio::test]
async fn no_text_and_no_victim_leaves_the_site() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let site = Site::prepare(dir.path(), Ports::free()?)?;
    let here = Ipv4Addr::LOCALHOST;
    let _centre = Centre::start((here, site.ports.smsc)).await?;
    let ismg = Ismg::start((here, site.ports.ismg), Version::V3, ACCOUNT).await?;
    let _hub = site.start_hub()?;
    let mut spy = Spy::subscribe(site.ports.mqtt).await?;
    let _agent = site.start_agent("gateway", &site.agent_config("gateway", ""))?;

    // Each text through each door, to a victim of its own, whose number is written in two ways.
    let esme = Esme::bind((here, site.ports.smpp), "spied").await?;
    let sp = Sp::connect((here, site.ports.cmpp), Version::V3, ACCOUNT).await?;
    let texts: Vec<Sample> = BAD.iter().chain([&BAD_LONG]).chain(HONEST).copied().collect();
    for (number, sample) in texts.iter().enumerate() {
        esme.submit(sample.from, &format!("86{}", victim(number)), sample.text).await?;
        sp.submit(sample.from, &victim(number), sample.text).await?;
    }
    // And one towards a subscriber of the site, by DELIVER.
    ismg.deliver(BAD[0].from, &victim(texts.len()), BAD[0].text).await?;

    let expected = 2 * (BAD.len() + 1) + 1;
    let heard = spy.hear(expected).await?;
    let bad: Vec<&str> = texts.iter().map(|sample| sample.text).collect();
    for message in &heard {
        check(message, &bad, texts.len() + 1).with_context(|| format!("in {message:?}"))?;
    }
    let victims: HashSet<String> = heard.iter().filter_map(pseudonym).collect();
    ensure!(
        victims.len() == BAD.len() + 2,
        "{} pseudonyms for {} victims: {victims:?}",
        victims.len(),
        BAD.len() + 2
    );
    Ok(())
}

#[test]
fn a_leak_is_found() {
    let victims = 3;
    let leak = |payload: &str| {
        let message = Heard { topic: "yumen/v1/a/b/sighting".into(), payload: payload.as_bytes().to_vec() };
        check(&message, &[BAD[0].text], victims).is_err()
    };
    let piece: String = BAD[0].text.chars().skip(7).take(6).collect();
    let escaped: String = piece.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    assert!(leak(&format!(r#"{{"data":{{"text":"{piece}"}}}}"#)));
    assert!(leak(&format!(r#"{{"data":{{"text":"{escaped}"}}}}"#)));
    assert!(leak(&format!("not JSON: {piece}")));
    assert!(leak(&format!(r#"{{"data":{{"victim":"+86{}"}}}}"#, victim(2))));
    assert!(leak(r#"{"data":{"victim":"13a"}}"#));
    assert!(!leak(&format!(
        r#"{{"data":{{"victim":"v1:1:00112233445566778899aabbccddeeff","indicators":[{{"value":"{piece}"}}]}}}}"#
    )));
}

/// A message on the broker.
#[derive(Debug)]
struct Heard {
    topic: String,
    payload: Vec<u8>,
}

/// Subscribed to everything.
struct Spy {
    // Kept, so that the connection stays.
    _client: AsyncClient,
    events: rumqttc::v5::EventLoop,
}

impl Spy {
    async fn subscribe(port: u16) -> Result<Self> {
        let options = MqttOptions::new("spy", "127.0.0.1", port);
        let (client, mut events) = AsyncClient::new(options, 16);
        client.subscribe("#", QoS::AtLeastOnce).await?;
        while !matches!(events.poll().await?, Event::Incoming(Packet::SubAck(_))) {}
        Ok(Self { _client: client, events })
    }

    /// Everything until so many sightings, and three seconds more: a status comes in that time.
    async fn hear(&mut self, sightings: usize) -> Result<Vec<Heard>> {
        let (mut heard, mut enough): (Vec<Heard>, Option<Instant>) = (Vec::new(), None);
        let started = Instant::now();
        loop {
            let count = heard.iter().filter(|message| message.topic.ends_with("/sighting")).count();
            let until = if count < sightings {
                started + PATIENCE
            } else {
                enough.get_or_insert_with(Instant::now).to_owned() + STATUS
            };
            match tokio::time::timeout_at(until.into(), self.events.poll()).await {
                Ok(event) => {
                    if let Event::Incoming(Packet::Publish(publish)) = event? {
                        let topic = String::from_utf8(publish.topic.to_vec())?;
                        heard.push(Heard { topic, payload: publish.payload.to_vec() });
                    }
                }
                Err(_) => {
                    ensure!(count == sightings, "{count} sightings of {sightings}");
                    return Ok(heard);
                }
            }
        }
    }
}

/// No piece of a text outside the values of indicators, no victim's number anywhere, and a pseudonym in every sighting.
fn check(message: &Heard, texts: &[&str], victims: usize) -> Result<()> {
    let raw = String::from_utf8_lossy(&message.payload).into_owned();
    let (plain, rest) = match serde_json::from_slice::<Value>(&message.payload) {
        Ok(mut value) => {
            // Written anew, so that no escape hides anything.
            let plain = value.to_string();
            if let Some(indicators) = value.pointer_mut("/data/indicators").and_then(Value::as_array_mut) {
                indicators.iter_mut().for_each(|indicator| indicator["value"] = Value::Null);
            }
            (plain, value.to_string())
        }
        Err(_) => (raw.clone(), raw.clone()),
    };
    for victim in (0..victims).map(victim) {
        for text in [&raw, &plain, &message.topic] {
            ensure!(!text.contains(&victim), "the number {victim}");
        }
    }
    for piece in texts.iter().flat_map(|text| pieces(text)) {
        ensure!(!rest.contains(&piece) && !message.topic.contains(&piece), "the piece {piece:?}");
    }
    if message.topic.ends_with("/sighting") {
        pseudonym(message).context("no pseudonym")?;
    }
    Ok(())
}

/// Every six characters on end, save those of digits and Latin letters alone: an id or a rule's name may hold such.
fn pieces(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars.windows(6).filter(|piece| !piece.iter().all(char::is_ascii)).map(String::from_iter).collect()
}

/// The victim of a sighting: `v1`, the key's epoch, 32 hexadecimal digits.
fn pseudonym(message: &Heard) -> Option<String> {
    let value: Value = serde_json::from_slice(&message.payload).ok()?;
    let victim = value.pointer("/data/victim")?.as_str()?;
    let parts: Vec<&str> = victim.split(':').collect();
    let digest = parts.last()?;
    let is_digest = digest.len() == 32 && digest.chars().all(|digit| digit.is_ascii_hexdigit());
    (parts.len() == 3 && is_digest).then(|| victim.to_owned())
}

fn victim(number: usize) -> String {
    format!("{}", 13_911_110_000_usize + number)
}

/// How long all sightings may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// A site's agents give a status every two seconds.
const STATUS: Duration = Duration::from_secs(3);
