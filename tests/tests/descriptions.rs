//! The hub's own descriptions: AsyncAPI's parser of npm reads the one, and every message between a real agent and a real hub is
//! as it says; schemathesis of PyPI makes requests of the other, and every answer is as it says.

use anyhow::{Context, Result, ensure};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use serde_json::json;
use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;
use yumen_tests::foreign::{peers_dir, script};
use yumen_tests::program::{self, Program, free_port};
use yumen_tests::site::{Ports, Site};

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

/// A hub that shares packs, in a folder with a pack and its key.
fn start(site: &Site) -> Result<Program> {
    let rules = site.dir.join("rules");
    std::fs::create_dir(&rules)?;
    std::fs::write(rules.join("fraud.toml"), RULES)?;
    site.build_pack(&rules, 1)?;
    let file = site.dir.join("hub.toml");
    let config = format!(
        "data_dir = {:?}\n[http]\nbind = \"127.0.0.1:{}\"\n[broker]\nbind = \"127.0.0.1:{}\"\n\
         [share]\nrules = [{rules:?}]\nsigning_key = {:?}\n",
        site.dir.join("hub"),
        site.ports.console,
        site.ports.mqtt,
        site.dir.join("dev.key"),
    );
    std::fs::write(&file, config)?;
    let mut command = Command::new(program::path("yumen-hub")?);
    command.arg("run").arg("--config").arg(&file);
    let mut hub = Program::start("yumen-hub", &mut command, &site.dir.join("hub.log"))?;
    hub.wait_http(&format!("{}/healthz", site.console()))?;
    Ok(hub)
}

/// Messages under `yumen/v1`, until each kind has come.
async fn messages(port: u16, meanwhile: impl AsyncFnOnce() -> Result<()>) -> Result<Vec<serde_json::Value>> {
    let mut options = MqttOptions::new("reader", "127.0.0.1", port);
    options.set_max_packet_size(Some(16 << 20));
    let (client, mut events) = AsyncClient::new(options, 16);
    while !matches!(events.poll().await?, Event::Incoming(Packet::ConnAck(_))) {}
    client.subscribe("yumen/v1/#", QoS::AtLeastOnce).await?;
    while !matches!(events.poll().await?, Event::Incoming(Packet::SubAck(_))) {}
    let kinds = ["sighting", "status", "ack", "retract", "rollout", "stable"];
    let mut wanted: BTreeSet<&str> = kinds.into_iter().collect();
    let reading = tokio::spawn(async move {
        let mut all = Vec::new();
        while !wanted.is_empty() {
            let Event::Incoming(Packet::Publish(publish)) = events.poll().await? else { continue };
            let topic = String::from_utf8(publish.topic.to_vec())?;
            wanted.remove(topic.rsplit('/').next().unwrap_or_default());
            let properties = publish.properties.map(|properties| properties.user_properties);
            let headers: serde_json::Map<_, _> =
                properties.into_iter().flatten().map(|(key, value)| (key, json!(value))).collect();
            let payload = String::from_utf8_lossy(&publish.payload).into_owned();
            all.push(json!({ "topic": topic, "payload": payload, "headers": headers }));
        }
        Ok::<_, anyhow::Error>(all)
    });
    meanwhile().await?;
    let all = tokio::time::timeout(Duration::from_secs(60), reading).await;
    all.context("not every kind of message came")??
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_over_mqtt_is_as_described() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let site = Site { dir: dir.path().to_owned(), ports: Ports::free()? };
    let hub = start(&site)?;
    let description = dir.path().join("asyncapi.json");
    let mut served = ureq::get(format!("{}/api/v1/asyncapi.json", site.console())).call()?;
    std::fs::write(&description, served.body_mut().read_to_string()?)?;
    let mut parser = Command::new("node");
    parser.env("NODE_PATH", peers_dir()?.join("node/node_modules"));
    println!("{}", program::done(parser.arg(script("asyncapi.js")).arg(&description))?);

    let api = free_port()?;
    let extra = format!(
        "\n[api]\nbind = \"127.0.0.1:{api}\"\npolicy = {{ ladder = \"enforce\" }}\non_failure = {{ deadline_ms = 60000 }}\n"
    );
    let config = site.agent_config("gateway", &extra);
    let all = messages(site.ports.mqtt, async || {
        let _agent = site.start_agent("gateway", &config)?;
        let question =
            json!({ "sms": { "from": "+8613900000009", "to": "95500", "text": "请转到安全账户。" } });
        let mut answer = ureq::post(format!("http://127.0.0.1:{api}/v1/decisions")).send_json(&question)?;
        let verdict: serde_json::Value = answer.body_mut().read_json()?;
        ensure!(verdict["verdict"] == "reject", "{verdict}");
        tokio::time::sleep(Duration::from_secs(5)).await;
        Ok(())
    })
    .await
    .with_context(|| hub.log())?;
    let lines: Vec<String> = all.iter().map(ToString::to_string).collect();
    let file = dir.path().join("messages");
    std::fs::write(&file, lines.join("\n"))?;
    let python = peers_dir()?.join("platforms/bin/python3");
    let mut check = Command::new(python);
    println!("{}", program::done(check.arg(script("asyncapi.py")).arg(&description).arg(&file))?);
    Ok(())
}

/// `YUMEN_TEST_EXAMPLES` (10) is how many requests are made of each operation.
#[tokio::test(flavor = "multi_thread")]
async fn the_hub_answers_as_its_description_says() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let site = Site { dir: dir.path().to_owned(), ports: Ports::free()? };
    let hub = start(&site)?;
    let token = site.hub_command(&["token", "add", "tester", "--role", "administrator"])?;
    let examples = std::env::var("YUMEN_TEST_EXAMPLES").unwrap_or_else(|_| "10".to_owned());
    let program = peers_dir()?.join("python/bin/schemathesis");
    ensure!(program.exists(), "schemathesis isn't at {}: run `cargo xtask test`", program.display());
    let mut command = Command::new(program);
    command.current_dir(dir.path()).args(["run", "--no-color", "--phases", "examples,fuzzing"]);
    let checks =
        "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
    command.args(["--checks", checks, "--workers", "1", "--generation-deterministic"]);
    // It has no end.
    command.args(["--exclude-path", "/api/v1/sightings/stream"]);
    command.args(["--max-examples", &examples, "--header"]);
    command.arg(format!("Authorization: Bearer {}", token.trim()));
    let output = command
        .arg(format!("{}/api/v1/openapi.json", site.console()))
        .output()
        .context("cannot start schemathesis")?;
    ensure!(
        output.status.success(),
        "schemathesis found failures:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        hub.log()
    );
    Ok(())
}
