//! The loop between institutions: what enough members saw is stopped at all of them, what is retracted is released at all
//! of them, and nothing but what the hub signed is taken.
//!
//! Three members with one agent each; `YUMEN_AGENTS=10` makes it ten each.

use anyhow::{Context, Result, ensure};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use yumen_exchange::rollout::bucket;
use yumen_exchange::topic::Name;
use yumen_tests::peer::smpp::{Centre, Esme};
use yumen_tests::program::{self, Program, eventually, free_port};
use yumen_tests::site::{Ports, Site};

const MEMBERS: [&str; 3] = ["bank-a", "bank-b", "bank-c"];
/// A fictitious number of somebody who sends bad messages, and its canonical form.
const BAD: &str = "+8613900000009";
const BAD_VALUE: &str = "13900000009";
const HONEST: &str = "+8613900000001";
const VICTIM: &str = "8613800000002";
const BAD_TEXT: &str = "您的账户异常，请转到安全账户保管。";
const PLAIN_TEXT: &str = "你好，明天下午三点见。";
/// What the issue asks for at most.
const LIMIT: Duration = Duration::from_secs(10);

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

struct Gateway {
    member: String,
    agent: String,
    esme: Esme,
    site: Site,
    program: Program,
}

impl Gateway {
    async fn stops(&self, from: &str, text: &str) -> Result<bool> {
        let answers = self.esme.submit(from, VICTIM, text).await?;
        Ok(answers.iter().any(|answer| !answer.is_ok()))
    }

    async fn restart(&mut self) -> Result<()> {
        self.program.kill()?;
        let config = std::fs::read_to_string(self.site.dir.join(format!("{}.toml", self.agent)))?;
        self.program = self.site.start_agent(&self.agent, &config)?;
        self.esme = Esme::bind((Ipv4Addr::LOCALHOST, self.site.ports.smpp), "esme").await?;
        Ok(())
    }

    fn metric(&self, name: &str) -> Result<String> {
        let url = format!("http://127.0.0.1:{}/metrics", self.site.ports.agent);
        let text = ureq::get(&url).call()?.body_mut().read_to_string()?;
        Ok(text.lines().filter(|line| line.starts_with(name)).collect::<Vec<_>>().join("\n"))
    }
}

struct Federation {
    dir: tempfile::TempDir,
    hub_site: Site,
    hub: Program,
    gateways: Vec<Gateway>,
    _centre: Centre,
}

impl Federation {
    async fn start() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let rules = dir.path().join("rules");
        std::fs::create_dir(&rules)?;
        std::fs::write(rules.join("fraud.toml"), RULES)?;
        let hub_site = Site { dir: dir.path().to_owned(), ports: Ports::free()? };
        hub_site.build_pack(&rules, 1)?;
        let centre = Centre::start((Ipv4Addr::LOCALHOST, hub_site.ports.smsc)).await?;
        let hub = start_hub(&hub_site, &rules)?;
        let mut federation = Self { dir, hub_site, hub, gateways: Vec::new(), _centre: centre };
        let each = std::env::var("YUMEN_AGENTS").ok().map_or(Ok(1), |count| count.parse::<usize>())?;
        for member in MEMBERS {
            for number in 0..each {
                let gateway = federation.gateway(member, &format!("gw{number}")).await?;
                federation.gateways.push(gateway);
            }
        }
        Ok(federation)
    }

    async fn gateway(&self, member: &str, agent: &str) -> Result<Gateway> {
        let shared = &self.hub_site;
        let dir = self.dir.path().join(format!("{member}-{agent}"));
        std::fs::create_dir(&dir)?;
        let ports = Ports { smpp: free_port()?, agent: free_port()?, ..shared.ports };
        let site = Site { dir, ports };
        let config = format!(
            "member = \"{member}\"\nagent = \"{agent}\"\ndata_dir = {data:?}\n\n[http]\nbind = \"127.0.0.1:{http}\"\n\n\
             [pack]\nfile = {pack:?}\ntrusted_keys = {keys:?}\nchannel = \"stable\"\n\n\
             [mqtt]\nhost = \"127.0.0.1\"\nport = {mqtt}\nstatus_interval_s = 1\n\n\
             [[listener]]\nname = \"smpp\"\nprotocol = \"smpp\"\nbind = \"127.0.0.1:{smpp}\"\n\
             policy = {{ ladder = \"enforce\" }}\nupstream = [{{ address = \"127.0.0.1:{smsc}\" }}]\n",
            data = site.dir.join("data"),
            http = ports.agent,
            pack = shared.pack(),
            keys = shared.dir.join("dev.key.pub"),
            mqtt = ports.mqtt,
            smpp = ports.smpp,
            smsc = ports.smsc,
        );
        let program = site.start_agent(agent, &config)?;
        let esme = Esme::bind((Ipv4Addr::LOCALHOST, ports.smpp), "esme").await?;
        Ok(Gateway { member: member.to_owned(), agent: agent.to_owned(), esme, site, program })
    }

    /// Waits until every gateway stops (or passes) a harmless text from a number, and gives how long that took.
    async fn until_all(&self, from: &str, stopped: bool, since: Instant) -> Result<Duration> {
        for gateway in &self.gateways {
            while gateway.stops(from, PLAIN_TEXT).await? != stopped {
                ensure!(since.elapsed() < LIMIT * 3, "not at all gateways:\n{}", self.hub.log());
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        Ok(since.elapsed())
    }

    /// Waits until these gateways have a pack of at least this serial; gives the lowest of theirs.
    async fn until_serial(&self, these: impl Fn(usize) -> bool, least: u64) -> Result<u64> {
        let since = Instant::now();
        let mut lowest = u64::MAX;
        for (_, gateway) in self.gateways.iter().enumerate().filter(|(index, _)| these(*index)) {
            loop {
                let serial: u64 =
                    gateway.metric("yumen_pack_serial")?.split(' ').nth(1).unwrap_or("0").parse()?;
                // The configured file's own is 1.
                if serial >= least.max(2) {
                    lowest = lowest.min(serial);
                    break;
                }
                ensure!(
                    since.elapsed() < LIMIT,
                    "{} has {serial}, not {least}:\n{}",
                    gateway.member,
                    self.hub.log()
                );
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Ok(lowest)
    }

    fn post(&self, path: &str, body: &Value) -> Result<u16> {
        let url = format!("{}{path}", self.hub_site.console());
        let agent =
            ureq::Agent::new_with_config(ureq::Agent::config_builder().http_status_as_error(false).build());
        Ok(agent.post(&url).send_json(body)?.status().as_u16())
    }

    fn indicator(&self) -> Result<Option<Value>> {
        let url = format!("{}/api/v1/indicators", self.hub_site.console());
        let answer: Value = ureq::get(&url).call()?.body_mut().read_json()?;
        let rows = answer["indicators"].as_array().context("no indicators")?;
        Ok(rows.iter().find(|row| row["value"] == BAD_VALUE).cloned())
    }
}

fn start_hub(site: &Site, rules: &Path) -> Result<Program> {
    start_hub_with(site, rules, 100)
}

/// So many agents in a hundred take changed rules at first.
fn start_hub_with(site: &Site, rules: &Path, first_percent: u8) -> Result<Program> {
    let file: PathBuf = site.dir.join("hub.toml");
    let config = format!(
        "data_dir = {:?}\n[http]\nbind = \"127.0.0.1:{}\"\n[broker]\nbind = \"127.0.0.1:{}\"\n[share]\nrules = [{rules:?}]\n\
         signing_key = {:?}\nknown_good = [\"number:{}\"]\nchannels = [{{ name = \"stable\", first_percent = {first_percent} }}]\n",
        site.dir.join("hub"),
        site.ports.console,
        site.ports.mqtt,
        site.dir.join("dev.key"),
        HONEST.trim_start_matches("+86"),
    );
    std::fs::write(&file, config)?;
    let mut command = Command::new(program::path("yumen-hub")?);
    command.args(["run", "--demo"]).arg("--config").arg(&file);
    let mut hub = Program::start("yumen-hub", &mut command, &site.dir.join("hub.log"))?;
    hub.wait_http(&format!("{}/healthz", site.console()))?;
    Ok(hub)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_three_members_saw_is_stopped_at_all_and_released_at_all() -> Result<()> {
    let mut federation = Federation::start().await?;
    let each = federation.gateways.len() / MEMBERS.len();

    // Two members aren't enough, however often they see it; a known-good number isn't promoted by any number of them.
    for gateway in &federation.gateways[..2 * each] {
        ensure!(gateway.stops(BAD, BAD_TEXT).await? && gateway.stops(HONEST, BAD_TEXT).await?);
    }
    eventually(LIMIT, "two members' sightings are added up", || {
        Ok(federation.indicator()?.is_some_and(|row| row["members"] == 2))
    })?;
    for gateway in &federation.gateways {
        ensure!(!gateway.stops(BAD, PLAIN_TEXT).await?, "two members are not enough");
    }

    // The third.
    let third = &federation.gateways[2 * each];
    ensure!(third.stops(HONEST, BAD_TEXT).await?);
    let seen = Instant::now();
    ensure!(third.stops(BAD, BAD_TEXT).await?);
    let to_swap = federation.until_all(BAD, true, seen).await?;
    for gateway in &federation.gateways {
        ensure!(!gateway.stops(HONEST, PLAIN_TEXT).await?, "what is known good is never promoted");
    }
    ensure!(federation.indicator()?.context("gone")?["state"] == "enforced");

    // Back again.
    ensure!(federation.post("/api/v1/retract", &json!({ "kind": "fax", "value": "1" }))? == 422);
    let click = Instant::now();
    ensure!(federation.post("/api/v1/retract", &json!({ "kind": "number", "value": BAD_VALUE }))? == 200);
    let to_release = federation.until_all(BAD, false, click).await?;
    println!(
        "{} agents: third sighting to the last swap {to_swap:?}, retract to the last release {to_release:?}",
        federation.gateways.len()
    );
    ensure!(to_swap < LIMIT && to_release < LIMIT, "{to_swap:?} {to_release:?}");
    // The rule that found it still does, and its sightings don't bring the number back.
    ensure!(federation.gateways[0].stops(BAD, BAD_TEXT).await?);
    tokio::time::sleep(Duration::from_millis(500)).await;
    ensure!(!federation.gateways[0].stops(BAD, PLAIN_TEXT).await?);

    // A rule, while an agent is away: it has it before its first message. And across a restart of the hub, whose broker
    // forgets.
    federation.gateways[1].program.kill()?;
    ensure!(federation.post("/api/v1/retract", &json!({ "rule": "fraud/safe-account" }))? == 200);
    federation.hub.kill()?;
    federation.hub = start_hub(&federation.hub_site, &federation.dir.path().join("rules"))?;
    let since = Instant::now();
    for gateway in [&federation.gateways[0], &federation.gateways[2 * each]] {
        while gateway.stops(HONEST, BAD_TEXT).await? {
            ensure!(since.elapsed() < LIMIT, "the rule isn't released");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let returned = &mut federation.gateways[1];
    returned.restart().await?;
    while returned.stops(HONEST, BAD_TEXT).await? {
        ensure!(since.elapsed() < LIMIT * 2, "the rule isn't released at the one that was away");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // It keeps what it was told: without the hub it starts with it.
    federation.hub.kill()?;
    let returned = &mut federation.gateways[1];
    returned.restart().await?;
    ensure!(!returned.stops(HONEST, BAD_TEXT).await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_hub_did_not_sign_is_refused() -> Result<()> {
    let federation = Federation::start().await?;
    let gateway = &federation.gateways[0];
    eventually(LIMIT, "the hub's first pack is in use", || {
        Ok(!gateway.metric("yumen_pack_serial 1")?.ends_with(" 1"))
    })?;
    let serial = gateway.metric("yumen_pack_serial")?;
    let good = retained(federation.hub_site.ports.mqtt, "yumen/v1/pack/stable").await?;
    let list = retained(federation.hub_site.ports.mqtt, "yumen/v1/retract").await?;

    let mut changed = good.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    let old = std::fs::read(federation.hub_site.pack())?;
    let foreign = Site { dir: federation.dir.path().join("foreign"), ports: federation.hub_site.ports };
    std::fs::create_dir(&foreign.dir)?;
    foreign.build_pack(&federation.dir.path().join("rules"), u64::from(u32::MAX))?;
    let foreign = std::fs::read(foreign.pack())?;
    let cut = good[..good.len() - 9].to_vec();
    let cases = [("bad-signature", changed), ("older", old), ("foreign-key", foreign), ("damaged", cut)];
    for (code, bytes) in cases {
        publish(federation.hub_site.ports.mqtt, "yumen/v1/pack/stable", bytes).await?;
        eventually(LIMIT, code, || {
            Ok(gateway.metric("yumen_pack_refusals")?.contains(&format!("reason=\"{code}\"")))
        })?;
        ensure!(gateway.metric("yumen_pack_serial")? == serial, "{code}: the last good one stays");
    }
    // A list of retractions that anybody may have written releases nothing.
    let forged =
        String::from_utf8(list)?.replace("\\\"rules\\\":[]", "\\\"rules\\\":[\\\"fraud/safe-account\\\"]");
    ensure!(forged.contains("safe-account"), "{forged}");
    publish(federation.hub_site.ports.mqtt, "yumen/v1/retract", forged.into_bytes()).await?;
    eventually(LIMIT, "the agent says so", || Ok(gateway.program.log().contains("RetractionsRefused")))?;
    ensure!(gateway.stops(HONEST, BAD_TEXT).await?);
    Ok(())
}

/// Rules that stop something else.
const CHANGED: &str = "示例新词";
const CHANGED_TEXT: &str = "这里有示例新词。";

#[tokio::test(flavor = "multi_thread")]
async fn changed_rules_go_to_some_then_to_all_and_back() -> Result<()> {
    let mut federation = Federation::start().await?;
    let first = federation.until_serial(|_| true, 1).await?;
    federation.hub.kill()?;
    let rules = federation.dir.path().join("changed");
    std::fs::create_dir(&rules)?;
    std::fs::write(rules.join("fraud.toml"), RULES.replace("安全账户", CHANGED))?;
    // As many as the one that stands first, and not the one that stands last.
    let channel = Name::stable();
    let place = |gateway: &Gateway| {
        Ok::<_, anyhow::Error>(bucket(&channel, &gateway.member.parse()?, &gateway.agent.parse()?))
    };
    let places = federation.gateways.iter().map(place).collect::<Result<Vec<_>>>()?;
    let percent = places.iter().min().context("no gateways")? / 100 + 1;
    ensure!(places.iter().any(|place| *place >= percent * 100), "{places:?}");
    let early = |index: usize| places[index] < percent * 100;
    federation.hub = start_hub_with(&federation.hub_site, &rules, u8::try_from(percent)?)?;

    let second = federation.until_serial(early, first + 1).await?;
    for (index, gateway) in federation.gateways.iter().enumerate() {
        ensure!(
            gateway.stops(HONEST, CHANGED_TEXT).await? == early(index),
            "{index} of {places:?} at {percent}"
        );
    }
    // Over HTTP it is there for all, and not sent twice.
    let url = format!("{}/api/v1/packs/stable", federation.hub_site.console());
    let tag = format!("\"{second}\"");
    let mut answer = ureq::get(&url).call()?;
    ensure!(answer.headers()["etag"] == tag.as_str());
    let bytes = answer.body_mut().with_config().limit(8 << 20).read_to_vec()?;
    ensure!(bytes == retained(federation.hub_site.ports.mqtt, "yumen/v1/pack/stable").await?);
    let again = ureq::get(&url).header("If-None-Match", format!("\"1\", {tag}")).call()?;
    ensure!(again.status() == 304);
    let packs: Value = ureq::get(format!("{}/api/v1/packs", federation.hub_site.console()))
        .call()?
        .body_mut()
        .read_json()?;
    let packs = packs["channels"][0]["packs"].as_array().context("no packs")?.clone();
    ensure!(
        packs[0]["serial"] == second
            && packs[0]["percent"] == f64::from(percent)
            && packs[1]["serial"] == first
    );

    // Nobody but the hub says how far it goes.
    let word = retained(federation.hub_site.ports.mqtt, "yumen/v1/pack/stable/rollout").await?;
    let forged =
        String::from_utf8(word)?.replace(&format!("\\\"share\\\":{}", percent * 100), "\\\"share\\\":10000");
    ensure!(forged.contains(":10000"), "{forged}");
    publish(federation.hub_site.ports.mqtt, "yumen/v1/pack/stable/rollout", forged.into_bytes()).await?;
    eventually(LIMIT, "an agent says so", || {
        Ok(federation.gateways[0].program.log().contains("RolloutRefused"))
    })?;

    ensure!(federation.post("/api/v1/rollout", &json!({ "channel": "stable", "percent": 101 }))? == 422);
    ensure!(federation.post("/api/v1/rollout", &json!({ "channel": "canary", "percent": 100 }))? == 404);
    ensure!(federation.post("/api/v1/rollout", &json!({ "channel": "stable", "percent": 100 }))? == 200);
    federation.until_serial(|_| true, second).await?;

    ensure!(federation.post("/api/v1/rollback", &json!({ "channel": "stable" }))? == 200);
    federation.until_serial(|_| true, second + 1).await?;
    for gateway in &federation.gateways {
        ensure!(!gateway.stops(HONEST, CHANGED_TEXT).await? && gateway.stops(HONEST, BAD_TEXT).await?);
    }
    ensure!(
        federation.post("/api/v1/rollback", &json!({ "channel": "stable" }))? == 404,
        "nothing is left to go to"
    );
    Ok(())
}

async fn connected(port: u16, id: &str) -> Result<(AsyncClient, rumqttc::v5::EventLoop)> {
    let mut options = MqttOptions::new(id, "127.0.0.1", port);
    options.set_max_packet_size(Some(16 << 20));
    let (client, mut events) = AsyncClient::new(options, 16);
    while !matches!(events.poll().await?, Event::Incoming(Packet::ConnAck(_))) {}
    Ok((client, events))
}

async fn retained(port: u16, topic: &str) -> Result<Vec<u8>> {
    let (client, mut events) = connected(port, "reader").await?;
    client.subscribe(topic, QoS::AtLeastOnce).await?;
    let message = async {
        loop {
            if let Event::Incoming(Packet::Publish(publish)) = events.poll().await? {
                return Ok::<_, anyhow::Error>(publish.payload.to_vec());
            }
        }
    };
    tokio::time::timeout(LIMIT, message).await?
}

async fn publish(port: u16, topic: &str, payload: Vec<u8>) -> Result<()> {
    let (client, mut events) = connected(port, "forger").await?;
    client.publish(topic, QoS::AtLeastOnce, true, payload).await?;
    while !matches!(events.poll().await?, Event::Incoming(Packet::PubAck(_))) {}
    Ok(())
}
