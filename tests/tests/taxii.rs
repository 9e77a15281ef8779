//! The hub and other platforms: taxii2-client, stix2, stix2-validator and PyMISP of PyPI against its TAXII server, bundles and
//! feed; lists that come in become clues, and none that is known good.

use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::process::Command;
use yumen_exchange::check;
use yumen_hub::store::{Address, SharedRow, Store};
use yumen_tests::foreign::{peers_dir, script};
use yumen_tests::program::{self, Program};
use yumen_tests::site::{Ports, Site};

const ENFORCED: usize = 23;
const OBSERVED: usize = 40;
const GOLDEN: &str = include_str!("../../exchange/tests/golden/sighting_of_a_rejected_message.json");
const NOW_MS: u64 = 1_764_000_000_000;

/// Fills a hub's table: sightings of two members in batches of different instants, and indicators in every state.
async fn fill(dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    let store = Store::open(&Address::file(&dir.join("hub.sqlite"))?).await?;
    let golden: serde_json::Value = serde_json::from_str(GOLDEN)?;
    for batch in 0..4 {
        let mut received = Vec::new();
        for n in 0..OBSERVED / 4 {
            for member in ["bank-a", "bank-b"] {
                let mut event = golden.clone();
                event["id"] = uuid::Uuid::now_v7().to_string().into();
                event["source"] = format!("/{member}/gw1").into();
                event["data"]["rules"] = serde_json::json!([{ "id": "fraud/x", "score": 90, "spans": [] }]);
                let (kind, value) = match n % 3 {
                    0 => ("number", format!("139000{:05}", batch * 100 + n)),
                    1 => ("domain", format!("d{batch}-{n}.example")),
                    _ => ("wechat", format!("it's \\ {batch}_{n}")),
                };
                event["data"]["indicators"] =
                    serde_json::json!([{ "kind": kind, "value": value, "origin": "text" }]);
                let topic = format!("yumen/v1/{member}/gw1/sighting");
                let checked = check::sighting(&topic, event.to_string().as_bytes());
                received.push(checked.map_err(|defect| anyhow::anyhow!("{defect}"))?);
            }
        }
        store.commit(&received, &[], NOW_MS + batch as u64 * 1000).await?;
    }
    let kinds = ["number", "sender-id", "url", "domain", "wechat", "qq", "telegram", "email", "bank-account"];
    let row = |n: usize| SharedRow {
        kind: kinds[n % kinds.len()].to_owned(),
        value: format!("1390000{n:04}"),
        typology: if n.is_multiple_of(2) { "fraud" } else { "debt-collection" }.to_owned(),
    };
    let rows: Vec<SharedRow> = (0..ENFORCED).map(row).collect();
    store.share(&rows, "enforced", NOW_MS).await?;
    store.share(&[row(3)], "retracted", NOW_MS + 5000).await?;
    store.share(&[row(4)], "expired", NOW_MS + 6000).await?;
    store.close().await;
    Ok(())
}

async fn start(dir: &Path) -> Result<(Site, Program)> {
    let site = Site { dir: dir.to_owned(), ports: Ports::free()? };
    fill(&dir.join("hub")).await?;
    let config = format!(
        "data_dir = {:?}\n[http]\nbind = \"127.0.0.1:{}\"\n[broker]\nbind = \"127.0.0.1:{}\"\n[platforms]\nidentity = \"Test hub\"\n",
        dir.join("hub"),
        site.ports.console,
        site.ports.mqtt,
    );
    let file = dir.join("hub.toml");
    std::fs::write(&file, config)?;
    site.hub_command(&["member", "add", "bank-a"])?;
    for (name, role) in [("regulator", "regulator"), ("bank", "member-analyst"), ("analyst", "hub-analyst")] {
        let mut args = vec!["token", "add", name, "--role", role];
        if role == "member-analyst" {
            args.extend(["--member", "bank-a"]);
        }
        std::fs::write(dir.join(format!("{name}.token")), site.hub_command(&args)?)?;
    }
    let mut command = Command::new(program::path("yumen-hub")?);
    command.arg("run").arg("--config").arg(&file);
    let mut hub = Program::start("yumen-hub", &mut command, &dir.join("hub.log"))?;
    hub.wait_http(&format!("{}/healthz", site.console()))?;
    Ok((site, hub))
}

#[tokio::test(flavor = "multi_thread")]
async fn other_platforms_read_and_write() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let (site, hub) = start(dir.path()).await?;
    let python = peers_dir()?.join("platforms/bin/python3");
    ensure!(python.exists(), "{} isn't there: run `cargo xtask test`", python.display());
    let mut peers = Command::new(python);
    peers.arg(script("platforms.py")).arg(site.console());
    peers.args([ENFORCED.to_string(), OBSERVED.to_string()]).arg(dir.path());
    let said = program::done(&mut peers).with_context(|| hub.log())?;
    println!("{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_out_and_come_in_as_clues() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let (site, _hub) = start(dir.path()).await?;
    let path = |name: &str| dir.path().join(name).display().to_string();

    // What one hub gives another takes: as a bundle, as a feed, as a table. Retracted and expired ones aren't taken.
    let other = Site { dir: dir.path().join("other"), ports: site.ports };
    std::fs::create_dir(&other.dir)?;
    let lists = [("stix", "bundle.json"), ("misp", "feed"), ("csv", "table.csv")];
    let mut answers = Vec::new();
    for (format, name) in lists {
        site.hub_command(&["export", "--format", format, &path(name)])?;
        answers.push(other.hub_command(&["import", "--origin", format, &path(name)])?);
    }
    // Of the nine kinds, a number is no domain, link or address; six are left, in 14 rows that are enforced.
    let counts: Vec<&str> = answers.iter().filter_map(|answer| answer.split(" new").next()).collect();
    ensure!(counts == ["14", "0", "0"], "{answers:?}");

    // Lists of good ones are refused, whatever their form.
    let ranking = "1,example.com\n2,example.org\n";
    let domains = "domain\n10086.cn\n10010.com\n10000.cn\nevil.example\n";
    let warninglist = r#"{"name":"x","version":1,"list":["evil.example"],"matching_attributes":["domain"]}"#;
    for (name, text) in [("ranking.csv", ranking), ("domains.csv", domains), ("list.json", warninglist)] {
        std::fs::write(dir.path().join(name), text)?;
        let refused = site.hub_command(&["import", "--origin", "x", &path(name)]);
        ensure!(refused.is_err(), "{name} was taken: {refused:?}");
    }

    // Over HTTP, an analyst only.
    let post = |token: &str, query: &str, kind: &str, body: &str| -> Result<(u16, serde_json::Value)> {
        let token = std::fs::read_to_string(dir.path().join(format!("{token}.token")))?;
        let agent =
            ureq::Agent::new_with_config(ureq::Agent::config_builder().http_status_as_error(false).build());
        let mut answer = agent
            .post(format!("{}/api/v1/import{query}", site.console()))
            .header("Authorization", format!("Bearer {}", token.trim()))
            .header("Content-Type", kind)
            .send(body)?;
        Ok((answer.status().as_u16(), answer.body_mut().read_json()?))
    };
    let table = "kind,value,typology\ndomain,new.evil.example,stock-tips\nnumber,+86 139 0000 0077,\ndomain,localhost,\n";
    let (status, said) = post("analyst", "?origin=a-list&typology=credit-repair", "text/csv", table)?;
    ensure!(
        status == 200 && said["new"] == 2 && said["skipped"][0]["what"] == "localhost",
        "{status} {said}"
    );
    let (status, said) = post("analyst", "?origin=a-list", "text/csv", table)?;
    ensure!(status == 200 && said["new"] == 0 && said["known"] == 2, "{status} {said}");
    ensure!(post("regulator", "", "text/csv", table)?.0 == 403);
    ensure!(post("analyst", "", "text/csv", domains)?.0 == 409);
    ensure!(post("analyst", "?x=y", "text/csv", table)?.0 == 400);
    ensure!(post("analyst", "", "application/json", "{")?.0 == 422);
    ensure!(post("analyst", "", "text/plain", table)?.0 == 415);
    Ok(())
}
