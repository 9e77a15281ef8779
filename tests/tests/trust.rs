//! Members don't trust one another: what one says in another's name, or reads of another, is refused, by Debian's Mosquitto
//! with the generated rules, by the embedded broker's door, and by the hub whatever the broker let through; and packs that
//! the hub didn't sign are refused by the agents, and shown at the hub.

use anyhow::{Context, Result, ensure};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, PubAckReason, PublishProperties};
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
use rumqttc::{TlsConfiguration, Transport};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::time::timeout;
use yumen_agent::identity::Identity;
use yumen_exchange::sighting::{Envelope, Indicator, PackRef, RuleHit, Sighting};
use yumen_exchange::status::Status;
use yumen_exchange::topic::Name;
use yumen_tests::program::{self, Program, eventually, free_port};
use yumen_tests::site::{Ports, Site};

const LIMIT: Duration = Duration::from_secs(20);
/// Longer than a message takes, for what must not come.
const SILENCE: Duration = Duration::from_millis(1500);

const RULES: &str = r#"
[[rule]]
id       = "fraud/safe-account"
typology = "fraud"
title    = "安全账户"
channel  = ["sms"]
score    = 90
ladder   = "enforce"
match.safe = { any = ["安全账户"] }
when = "safe"
hit  = ["请把钱转到安全账户保管"]
miss = ["请把钱存好"]
"#;

/// A hub with HTTPS, and members `bank-a` and `bank-b` with an agent `gw1` each.
struct Bench {
    site: Site,
    dir: tempfile::TempDir,
    hub: Option<Program>,
    tls_port: u16,
    /// Of a program that may read everything.
    token: String,
}

impl Bench {
    /// Everything but the hub itself: `broker` are the lines of `hub.toml` about it.
    fn prepare(broker: impl FnOnce(&Site, u16) -> String) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let site = Site { dir: dir.path().to_owned(), ports: Ports::free()? };
        let rules = dir.path().join("rules");
        std::fs::create_dir(&rules)?;
        std::fs::write(rules.join("fraud.toml"), RULES)?;
        site.build_pack(&rules, 1)?;
        let tls_port = free_port()?;
        let file = |name: &str| dir.path().join(name);
        let config = format!(
            "data_dir = {data:?}\n[http]\nbind = \"127.0.0.1:{http}\"\n[http.tls]\ncert = {cert:?}\nkey = {key:?}\n\
             [enrol]\nbroker = {{ host = \"localhost\", port = {tls_port}, tls = true }}\n\
             [share]\nrules = [{rules:?}]\nsigning_key = {pack_key:?}\n{broker}",
            data = file("hub"),
            http = site.ports.console,
            cert = file("server/server.pem"),
            key = file("server/server.key"),
            pack_key = file("dev.key"),
            broker = broker(&site, tls_port),
        );
        std::fs::write(file("hub.toml"), config)?;
        let server = file("server").display().to_string();
        site.hub_command(&["ca", "server", "localhost", "127.0.0.1", "--out", &server])?;
        let own = file("own").display().to_string();
        site.hub_command(&["ca", "server", "yumen-hub", "--out", &own])?;
        site.hub_command(&["ca", "crl"])?;
        let token = site.hub_command(&["token", "add", "test", "--role", "administrator"])?.trim().to_owned();
        Ok(Self { site, dir, hub: None, tls_port, token })
    }

    fn start_hub(&mut self) -> Result<()> {
        let mut command = Command::new(program::path("yumen-hub")?);
        command.arg("run").arg("--config").arg(self.path("hub.toml"));
        let mut hub = Program::start("yumen-hub", &mut command, &self.path("hub.log"))?;
        hub.wait_until(|| self.get("/readyz").is_ok())?;
        self.hub = Some(hub);
        for member in ["bank-a", "bank-b"] {
            self.site.enrol(&self.url(), member, "gw1", &self.agent_dir(member))?;
        }
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn agent_dir(&self, member: &str) -> PathBuf {
        self.path(&format!("{member}-gw1"))
    }

    fn url(&self) -> String {
        format!("https://localhost:{}", self.site.ports.console)
    }

    fn get(&self, path: &str) -> Result<Value> {
        use ureq::tls::{Certificate, RootCerts, TlsConfig};
        let ca = std::fs::read(self.path("server/ca.pem"))?;
        let roots = RootCerts::new_with_certs(&[Certificate::from_pem(&ca)?]);
        let provider = std::sync::Arc::new(rumqttc::tokio_rustls::rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder().root_certs(roots).unversioned_rustls_crypto_provider(provider).build();
        let agent = ureq::Agent::new_with_config(ureq::Agent::config_builder().tls_config(tls).build());
        let request = agent.get(format!("{}{path}", self.url()));
        let mut answer = request.header("authorization", format!("Bearer {}", self.token)).call()?;
        Ok(answer.body_mut().read_json()?)
    }

    fn refusals(&self, list: &str, member: &str, reason: &str) -> Result<u64> {
        let all = self.get("/api/v1/refusals")?;
        let rows = all[list].as_array().context("no list")?;
        let of = |row: &&Value| row["member"] == member && row["reason"] == reason;
        Ok(rows.iter().filter(of).filter_map(|row| row["count"].as_u64()).sum())
    }

    /// Indicators of what stands in the hub's table.
    fn seen(&self) -> Result<Vec<String>> {
        let page = self.get("/api/v1/sightings?limit=500")?;
        let rows = page["sightings"].as_array().context("no sightings")?;
        let value = |row: &Value| row["data"]["indicators"][0]["value"].as_str().map(str::to_owned);
        Ok(rows.iter().filter_map(value).collect())
    }

    fn sees(&self, value: &str) -> Result<bool> {
        Ok(self.seen()?.iter().any(|seen| seen == value))
    }

    fn identity(&self, member: &str) -> Result<Identity> {
        Ok(Identity::load(&Identity::file(&self.agent_dir(member)))?)
    }

    /// A client at the TLS port with a member's certificate, or the hub's.
    async fn client(&self, member: Option<&str>, id: &str) -> Result<Client> {
        let (ca, chain, key) = match member {
            Some(member) => {
                let folder = self.agent_dir(member).join("identity");
                (folder.join("hub-ca.pem"), folder.join("client.pem"), folder.join("client.pem"))
            }
            None => (self.path("own/ca.pem"), self.path("own/server.pem"), self.path("own/server.key")),
        };
        let tls = yumen_hub::ingest::tls(&ca, Some((&chain, &key)))?;
        let mut options = MqttOptions::new(id, "localhost", self.tls_port);
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls)));
        Client::connect(options).await
    }

    fn mosquitto(&self) -> Result<Program> {
        let acl = program::done(Command::new(program::path("yumen-hub")?).args(["broker", "acl"]))?;
        std::fs::write(self.path("acl"), acl)?;
        let config = format!(
            "per_listener_settings false\nlistener {port} 127.0.0.1\ncafile {dir}/server/ca.pem\n\
             certfile {dir}/server/server.pem\nkeyfile {dir}/server/server.key\ncrlfile {dir}/hub/ca/crl.pem\n\
             require_certificate true\nuse_identity_as_username true\nallow_anonymous false\nacl_file {dir}/acl\n\
             max_inflight_messages 500\nuser root\n",
            port = self.tls_port,
            dir = self.dir.path().display(),
        );
        std::fs::write(self.path("mosquitto.conf"), config)?;
        let mut command = Command::new("mosquitto");
        command.arg("-c").arg(self.path("mosquitto.conf"));
        let mut broker = Program::start("mosquitto", &mut command, &self.path("mosquitto.log"))?;
        broker.wait_until(|| std::net::TcpStream::connect(("127.0.0.1", self.tls_port)).is_ok())?;
        Ok(broker)
    }
}

struct Client {
    client: AsyncClient,
    events: EventLoop,
}

impl Client {
    async fn connect(mut options: MqttOptions) -> Result<Self> {
        options.set_max_packet_size(Some(16 << 20));
        let (client, mut events) = AsyncClient::new(options, 64);
        let connected = async {
            while !matches!(events.poll().await?, Event::Incoming(Packet::ConnAck(_))) {}
            Ok::<_, anyhow::Error>(())
        };
        timeout(LIMIT, connected).await??;
        Ok(Self { client, events })
    }

    /// Publishes, and gives whether the broker took it: not where it refuses, nor where it cuts the connection.
    async fn publish(
        &mut self,
        topic: &str,
        payload: Vec<u8>,
        signature: Vec<(String, String)>,
    ) -> Result<bool> {
        let retain = topic.ends_with("/status") || topic.contains("/pack/") || topic.ends_with("/retract");
        let properties = PublishProperties { user_properties: signature, ..PublishProperties::default() };
        self.client.publish_with_properties(topic, QoS::AtLeastOnce, retain, payload, properties).await?;
        let answered = async {
            loop {
                match self.events.poll().await {
                    Ok(Event::Incoming(Packet::PubAck(puback))) => {
                        return matches!(
                            puback.reason,
                            PubAckReason::Success | PubAckReason::NoMatchingSubscribers
                        );
                    }
                    Ok(_) => {}
                    Err(_) => return false,
                }
            }
        };
        Ok(timeout(LIMIT, answered).await?)
    }

    /// Subscribes, and gives the topics of what comes until nothing does; none where the connection is cut.
    async fn hears(&mut self, filters: &[&str]) -> Result<Option<Vec<String>>> {
        for filter in filters {
            self.client.subscribe(*filter, QoS::AtLeastOnce).await?;
        }
        let mut topics = Vec::new();
        loop {
            match timeout(SILENCE, self.events.poll()).await {
                Ok(Ok(Event::Incoming(Packet::Publish(publish)))) => {
                    topics.push(String::from_utf8_lossy(&publish.topic).into_owned());
                }
                Ok(Ok(_)) => {}
                Ok(Err(_)) => return Ok(None),
                Err(_) => return Ok(Some(topics)),
            }
        }
    }

    /// Whether the connection ends within the limit.
    async fn is_cut(&mut self) -> bool {
        let cut = async { while self.events.poll().await.is_ok() {} };
        timeout(LIMIT, cut).await.is_ok()
    }
}

/// A sighting of an agent about a made-up number.
fn sighting(member: &str, value: &str) -> Result<Vec<u8>> {
    let data = Sighting {
        channel: "sms".into(),
        door: "smpp".into(),
        direction: "submit".into(),
        listener: "smpp".into(),
        verdict: "reject".into(),
        typology: "fraud".into(),
        score: 90,
        pack: PackRef { name: "yumen".into(), serial: 1 },
        rules: vec![RuleHit { id: "fraud/safe-account".into(), score: 90, spans: Vec::new() }],
        lists: Vec::new(),
        indicators: vec![Indicator {
            kind: "number".into(),
            value: value.into(),
            origin: "originator".into(),
        }],
        victim: None,
        destinations: 1,
        template: None,
        appeal: None,
        text_chars: 20,
        segments: (1, 1),
    };
    let (member, agent): (Name, Name) = (member.parse()?, "gw1".parse()?);
    let envelope = Envelope::new(uuid::Uuid::now_v7(), &member, &agent, 1_764_000_000_000, data);
    Ok(serde_json::to_vec(&envelope)?)
}

fn topic(member: &str, kind: &str) -> String {
    format!("yumen/v1/{member}/gw1/{kind}")
}

fn client_id(member: &str) -> String {
    format!("yumen-{member}.gw1")
}

#[tokio::test(flavor = "multi_thread")]
async fn at_mosquitto_a_certificate_opens_its_own_topics_only_until_it_is_revoked() -> Result<()> {
    let mut bench = Bench::prepare(|site, port| {
        let own = site.dir.join("own");
        format!(
            "[mqtt]\nhost = \"localhost\"\nport = {port}\n[mqtt.tls]\nca = {:?}\ncert = {:?}\nkey = {:?}\n",
            own.join("ca.pem"),
            own.join("server.pem"),
            own.join("server.key")
        )
    })?;
    let mut broker = bench.mosquitto()?;
    bench.start_hub()?;
    eventually(LIMIT, "the hub is subscribed", || {
        Ok(bench.get("/readyz").is_ok_and(|ready| ready["subscribed"] == true))
    })?;

    // Each in its own name.
    for member in ["bank-a", "bank-b"] {
        let mut own = bench.client(Some(member), &client_id(member)).await?;
        let (topic, payload) = (topic(member, "sighting"), sighting(member, &format!("own-{member}"))?);
        let signature = bench.identity(member)?.seal(&topic, &payload);
        ensure!(own.publish(&topic, payload, signature).await?, "{member}: {}", broker_log(&bench));
        eventually(LIMIT, member, || bench.sees(&format!("own-{member}")))?;
    }

    // In another's, and in the hub's.
    let identity = bench.identity("bank-b")?;
    for forbidden in [
        topic("bank-a", "sighting"),
        topic("bank-a", "status"),
        topic("bank-a", "ack"),
        topic("bank-b", "ack"),
        "yumen/v1/bank-b/gw2/sighting".to_owned(),
        "yumen/v1/retract".to_owned(),
        "yumen/v1/pack/stable".to_owned(),
    ] {
        let mut other = bench.client(Some("bank-b"), &client_id("bank-b")).await?;
        let payload = sighting("bank-a", "forged")?;
        let signature = identity.seal(&forbidden, &payload);
        ensure!(!other.publish(&forbidden, payload, signature).await?, "{forbidden} was taken");
    }
    // What the hub publishes, it may; and that is all that a member hears beside its own, whatever it subscribes to.
    let mut hears = bench.client(Some("bank-b"), &client_id("bank-b")).await?;
    let heard = hears.hears(&[
        "#",
        "yumen/v1/bank-a/gw1/ack",
        "yumen/v1/+/+/sighting",
        "$share/g/yumen/v1/+/+/status",
    ]);
    let (heard, ()) = tokio::join!(heard, async {
        // Meanwhile the other member says something, and is answered.
        if let Ok(mut own) = bench.client(Some("bank-a"), &client_id("bank-a")).await {
            let topic = topic("bank-a", "sighting");
            let payload = sighting("bank-a", "private").unwrap_or_default();
            let signature = bench.identity("bank-a").map(|identity| identity.seal(&topic, &payload));
            let _sent = own.publish(&topic, payload, signature.unwrap_or_default()).await;
        }
    });
    let heard = heard?.context("cut")?;
    ensure!(heard.iter().any(|topic| topic == "yumen/v1/pack/stable"), "{heard:?}");
    ensure!(heard.iter().any(|topic| topic == "yumen/v1/retract"), "{heard:?}");
    ensure!(!heard.iter().any(|topic| topic.contains("bank-a")), "{heard:?}");
    eventually(LIMIT, "it did say it", || bench.sees("private"))?;
    ensure!(!bench.sees("forged")?);
    ensure!(
        bench.refusals("messages", "bank-a", "signature")? == 0,
        "the broker stopped it before the hub had to"
    );

    // Renewed, and still welcome.
    let folder = bench.agent_dir("bank-a");
    let before = std::fs::read(folder.join("identity/client.pem"))?;
    program::done(
        Command::new(program::path("yumen")?).args(["enrol", "--renew"]).arg("--data-dir").arg(&folder),
    )?;
    ensure!(before != std::fs::read(folder.join("identity/client.pem"))?);
    let mut open = bench.client(Some("bank-a"), &client_id("bank-a")).await?;

    // Revoked: the hub takes nothing more on the connection that stands, and the broker no new one.
    bench.site.hub_command(&["agent", "revoke", "bank-a", "gw1"])?;
    let (topic, payload) = (topic("bank-a", "sighting"), sighting("bank-a", "revoked")?);
    let signature = bench.identity("bank-a")?.seal(&topic, &payload);
    tokio::time::sleep(Duration::from_millis(250)).await;
    ensure!(open.publish(&topic, payload, signature).await?, "Mosquitto keeps connections that stand");
    eventually(LIMIT, "the hub refuses it", || Ok(bench.refusals("messages", "bank-a", "revoked")? == 1))?;
    ensure!(!bench.sees("revoked")?);
    let renewed = Command::new(program::path("yumen")?)
        .args(["enrol", "--renew"])
        .arg("--data-dir")
        .arg(&folder)
        .output()?;
    ensure!(!renewed.status.success(), "a revoked certificate isn't renewed");
    drop(open);
    broker.kill()?;
    let _broker = bench.mosquitto()?;
    ensure!(bench.client(Some("bank-a"), &client_id("bank-a")).await.is_err(), "the list is in force");
    bench.client(Some("bank-b"), &client_id("bank-b")).await?;

    let verified = bench.site.hub_command(&["audit", "verify"])?;
    ensure!(verified.contains("unbroken"), "{verified}");
    let log = bench.site.hub_command(&["audit", "export"])?;
    for action in
        ["started", "member-added", "agent-invited", "agent-enrolled", "certificate-renewed", "agent-revoked"]
    {
        ensure!(log.contains(&format!("\"action\":\"{action}\"")), "{action}: {log}");
    }
    Ok(())
}

fn broker_log(bench: &Bench) -> String {
    std::fs::read_to_string(bench.path("mosquitto.log")).unwrap_or_default()
}

fn embedded(site: &Site, port: u16) -> String {
    format!(
        "[broker]\nbind = \"127.0.0.1:{}\"\n[broker.tls]\nbind = \"127.0.0.1:{port}\"\ncert = {:?}\nkey = {:?}\n",
        site.ports.mqtt,
        site.dir.join("server/server.pem"),
        site.dir.join("server/server.key"),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_embedded_brokers_door_likewise() -> Result<()> {
    let mut bench = Bench::prepare(embedded)?;
    bench.start_hub()?;
    let mut own = bench.client(Some("bank-a"), &client_id("bank-a")).await?;
    let (topic_a, payload) = (topic("bank-a", "sighting"), sighting("bank-a", "own")?);
    let signature = bench.identity("bank-a")?.seal(&topic_a, &payload);
    ensure!(own.publish(&topic_a, payload, signature).await?, "{}", bench.hub_log());
    eventually(LIMIT, "it arrives", || bench.sees("own"))?;
    let heard = own.hears(&["yumen/v1/retract", "yumen/v1/pack/stable", "yumen/v1/bank-a/gw1/ack"]).await?;
    ensure!(heard.context("cut")?.iter().any(|topic| topic == "yumen/v1/pack/stable"));

    for forbidden in
        [topic_a.clone(), topic("bank-b", "ack"), "yumen/v1/retract".into(), "yumen/v1/pack/stable".into()]
    {
        let mut other = bench.client(Some("bank-b"), &client_id("bank-b")).await?;
        ensure!(!other.publish(&forbidden, b"forged".to_vec(), Vec::new()).await?, "{forbidden} was taken");
    }
    for filter in ["#", "yumen/v1/+/+/sighting", "yumen/v1/bank-a/gw1/ack"] {
        let mut other = bench.client(Some("bank-b"), &client_id("bank-b")).await?;
        ensure!(other.hears(&[filter]).await?.is_none(), "{filter} was taken");
    }
    // Under another's name of a session, which would end that one.
    ensure!(bench.client(Some("bank-b"), &client_id("bank-a")).await.is_err());
    // The hub's own certificate names no agent.
    ensure!(bench.client(None, "yumen-hub").await.is_err());
    // Nobody's.
    let tls = yumen_hub::ingest::tls(&bench.path("own/ca.pem"), None)?;
    let mut options = MqttOptions::new("yumen-bank-a.gw1", "localhost", bench.tls_port);
    options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls)));
    ensure!(Client::connect(options).await.is_err());
    eventually(
        LIMIT,
        "it is listed",
        || Ok(bench.refusals("messages", "bank-b", "topic-not-allowed")? >= 7),
    )?;

    let revoked = Instant::now();
    bench.site.hub_command(&["agent", "revoke", "bank-a", "gw1"])?;
    ensure!(own.is_cut().await, "the connection stands");
    println!("revoke to the cut: {:?}", revoked.elapsed());
    ensure!(bench.client(Some("bank-a"), &client_id("bank-a")).await.is_err());
    bench.client(Some("bank-b"), &client_id("bank-b")).await?;
    Ok(())
}

impl Bench {
    fn hub_log(&self) -> String {
        self.hub.as_ref().map(Program::log).unwrap_or_default()
    }

    async fn plain(&self, id: &str) -> Result<Client> {
        Client::connect(MqttOptions::new(id, "127.0.0.1", self.site.ports.mqtt)).await
    }
}

/// Topic, payload and user properties of a message.
type Said<'a> = (&'a str, Vec<u8>, Vec<(String, String)>);

/// The embedded broker on loopback lets everything through: the hub is all there is.
#[tokio::test(flavor = "multi_thread")]
async fn the_hub_believes_signatures_and_not_the_broker() -> Result<()> {
    let mut bench = Bench::prepare(embedded)?;
    bench.start_hub()?;
    let mut anybody = bench.plain("anybody").await?;
    let (a, b) = (bench.identity("bank-a")?, bench.identity("bank-b")?);
    let topic_a = topic("bank-a", "sighting");
    let good = sighting("bank-a", "good")?;
    let changed = String::from_utf8(sighting("bank-a", "before")?)?;
    let of_b = sighting("bank-b", "of-b")?;
    let stranger = "yumen/v1/bank-c/gw1/sighting";
    let cases: [Said<'_>; 6] = [
        (&topic_a, good.clone(), a.seal(&topic_a, &good)),
        (&topic_a, sighting("bank-a", "unsigned")?, Vec::new()),
        (&topic_a, sighting("bank-a", "by-another")?, b.seal(&topic_a, &sighting("bank-a", "by-another")?)),
        (&topic_a, changed.replace("before", "behind").into_bytes(), a.seal(&topic_a, changed.as_bytes())),
        // What bank-b said of itself, said again in bank-a's name.
        (&topic_a, of_b.clone(), b.seal(&topic("bank-b", "sighting"), &of_b)),
        (stranger, sighting("bank-c", "stranger")?, a.seal(stranger, &sighting("bank-c", "stranger")?)),
    ];
    for (topic, payload, signature) in cases {
        ensure!(anybody.publish(topic, payload, signature).await?);
    }
    eventually(LIMIT, "all are counted", || {
        Ok(bench.refusals("messages", "bank-a", "signature")? == 3
            && bench.refusals("messages", "bank-a", "unsigned")? == 1
            && bench.refusals("messages", "bank-c", "not-enrolled")? == 1)
    })?;
    ensure!(bench.seen()? == ["good"], "{:?}", bench.seen()?);
    // The same again is one row still.
    ensure!(anybody.publish(&topic_a, good.clone(), a.seal(&topic_a, &good)).await?);

    // A status of yesterday, said again: the agent doesn't look offline for it.
    let topic_status = topic("bank-a", "status");
    let status = |online, session_ms, time_ms| Status {
        online,
        time_ms,
        session_ms,
        version: "0.1.0".into(),
        pack: None,
        spool_records: 0,
        spool_dropped: 0,
        judged: 0,
        blocked: 0,
        refused: Vec::new(),
    };
    for status in [status(false, 1_000, 1_000), status(true, 2_000, 2_100), status(false, 1_000, 1_000)] {
        let payload = serde_json::to_vec(&status)?;
        let signature = a.seal(&topic_status, &payload);
        ensure!(anybody.publish(&topic_status, payload, signature).await?);
    }
    eventually(LIMIT, "the old one is refused", || Ok(bench.refusals("messages", "bank-a", "old")? == 1))?;
    let agents = bench.get("/api/v1/agents")?;
    ensure!(agents["agents"][0]["status"]["online"] == true, "{agents}");
    ensure!(bench.seen()? == ["good"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn packs_that_the_hub_did_not_sign_are_refused_and_the_hub_shows_it() -> Result<()> {
    let mut bench = Bench::prepare(embedded)?;
    bench.start_hub()?;
    let lines = bench.site.enrol(&bench.url(), "bank-a", "gw1", &bench.agent_dir("bank-a"))?;
    // The printed lines are the configuration, with a pack to begin with and a door.
    let ports = bench.site.ports;
    let config = lines
        .replace("[pack]\n", &format!("[pack]\nfile = {:?}\n", bench.site.pack()))
        .replace("[mqtt]\n", "[mqtt]\nstatus_interval_s = 1\n")
        + &format!(
            "\n[http]\nbind = \"127.0.0.1:{}\"\n\n[[listener]]\nname = \"smpp\"\nprotocol = \"smpp\"\nbind = \"127.0.0.1:{}\"\n\
             policy = {{ ladder = \"enforce\" }}\nupstream = [{{ address = \"127.0.0.1:{}\" }}]\n",
            ports.agent, ports.smpp, ports.smsc
        );
    let _agent = bench.site.start_agent("bank-a", &config)?;
    let serial = || -> Result<u64> {
        let agents = bench.get("/api/v1/agents")?;
        Ok(agents["agents"][0]["status"]["pack"]["serial"].as_u64().unwrap_or(0))
    };
    eventually(LIMIT, "the hub's pack is in use, and the hub knows", || Ok(serial()? > 1))?;
    let used = serial()?;

    let good = std::fs::read(bench.agent_dir("bank-a").join("shared.pack"))?;
    let mut forged = good.clone();
    let middle = forged.len() / 2;
    forged[middle] ^= 1;
    let cases = [
        ("bad-signature", forged),
        ("older", std::fs::read(bench.site.pack())?),
        ("damaged", good[..good.len() - 9].to_vec()),
        ("expired", expired(&good, &bench.path("dev.key"))?),
    ];
    let mut anybody = bench.plain("anybody").await?;
    for (reason, bytes) in cases {
        ensure!(anybody.publish("yumen/v1/pack/stable", bytes, Vec::new()).await?);
        eventually(LIMIT, reason, || Ok(bench.refusals("packs", "bank-a", reason)? == 1))?;
        ensure!(serial()? == used, "{reason}: the last good one stays");
    }
    ensure!(anybody.publish("yumen/v1/retract", b"{}".to_vec(), Vec::new()).await?);
    eventually(LIMIT, "a list that nobody signed", || {
        let all = bench.get("/api/v1/refusals")?;
        Ok(all["packs"].as_array().is_some_and(|rows| rows.iter().any(|row| row["what"] == "retractions")))
    })
}

/// The same pack with the right signature, ended long ago.
fn expired(pack: &[u8], key: &Path) -> Result<Vec<u8>> {
    use yumen_compiler::sign::{parse_signing_key, sign};
    use yumen_rules::pack::Header;
    let ends = Header::new_checked(pack).map_err(|error| anyhow::anyhow!("{error:?}"))?.expires_s;
    let at = pack.windows(8).position(|window| window == ends.to_le_bytes()).context("no end")?;
    let mut bytes = pack.to_vec();
    bytes[at..at + 8].copy_from_slice(&1_000_000_000u64.to_le_bytes());
    let key = parse_signing_key(&std::fs::read_to_string(key)?)?;
    sign(&mut bytes, &key).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    Ok(bytes)
}

#[test]
fn what_would_be_open_to_others_does_not_start() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let run = |config: &str, args: &[&str]| -> Result<String> {
        let file = dir.path().join("hub.toml");
        std::fs::write(&file, format!("data_dir = {:?}\n{config}", dir.path().join("hub")))?;
        let mut command = Command::new(program::path("yumen-hub")?);
        let output = command.arg("run").args(args).arg("--config").arg(&file).output()?;
        ensure!(!output.status.success());
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let mqtt = free_port()?;
    let said = run("[broker]\nbind = \"0.0.0.0:1883\"\n", &[])?;
    ensure!(said.contains("[broker.tls]"), "{said}");
    let said = run("", &["--broker", &format!("0.0.0.0:{mqtt}")])?;
    ensure!(said.contains("[broker.tls]"), "{said}");
    let said = run("[http]\nbind = \"0.0.0.0:8470\"\n", &[])?;
    ensure!(said.contains("[http.tls]"), "{said}");
    let all = format!("0.0.0.0:{}", free_port()?);
    let said = run("", &["--http", &all])?;
    ensure!(said.contains("[http.tls]"), "{said}");
    let said = run("[http]\nbehind_tls = true\n", &["--demo", "--http", &all])?;
    ensure!(said.contains("--demo"), "{said}");
    Ok(())
}
