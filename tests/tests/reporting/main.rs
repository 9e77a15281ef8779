//! Sightings from an agent's spool to the hub's table, while everything between them is killed.
//!
//! The agent is a process of its own, so that it can be killed too: this test binary, run again for
//! [`agent::agent_process`], with the agent's real spool and MQTT link. It writes down each id after the spool took it;
//! what is written down must be in the table, once.

mod agent;
mod cluster;
mod site;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use site::{MINUTE, Site};
use std::collections::HashSet;
use std::path::Path;
use std::process::Command;
use yumen_tests::program::{self, Program, eventually};

#[test]
fn nothing_is_lost_when_the_hub_with_its_broker_and_the_agent_are_killed() -> Result<()> {
    let site = Site::new()?;
    let mut hub = site.start_hub()?;
    let mut agent = site.start_agent()?;
    for _ in 0..3 {
        site.arrive_more(300)?;
        hub.kill()?;
        site.accept_more(200)?;
        hub = site.start_hub()?;
    }
    site.arrive_more(100)?;
    agent.kill()?;
    eventually(MINUTE, "the last will says that the agent is gone", || Ok(site.health()? == "offline"))?;
    agent = site.start_agent()?;
    eventually(MINUTE, "the agent is back", || Ok(site.health()? == "online"))?;
    let count = site.check(&mut agent, 1)?;
    assert!(count > 1000, "{count}");
    eventually(MINUTE, "it says good-bye", || Ok(site.health()? == "offline"))?;
    assert!(hub.terminate()?.success(), "{}", hub.log());
    Ok(())
}

#[test]
fn nothing_is_lost_when_an_external_broker_the_hub_and_the_agent_are_killed() -> Result<()> {
    let mut site = Site::new()?;
    site.hub_config = format!(
        "[http]\nbind = \"127.0.0.1:{}\"\n[mqtt]\nhost = \"localhost\"\nport = {}\n",
        site.http, site.mqtt
    );
    let listener = format!("listener {} 127.0.0.1\nallow_anonymous true", site.mqtt);
    let mut broker = site.start_mosquitto(&listener)?;
    let mut hub = site.start_hub()?;
    let mut agent = site.start_agent()?;
    for _ in 0..2 {
        site.arrive_more(200)?;
        broker.kill()?;
        site.accept_more(200)?;
        broker = site.start_mosquitto(&listener)?;
        site.arrive_more(200)?;
        hub.kill()?;
        site.accept_more(200)?;
        hub = site.start_hub()?;
        site.arrive_more(200)?;
        agent.kill()?;
        agent = site.start_agent()?;
    }
    let count = site.check(&mut agent, 2)?;
    assert!(count > 1000, "{count}");
    assert!(hub.terminate()?.success() && broker.is_running());
    Ok(())
}

#[test]
fn a_broker_that_is_away_costs_nothing_and_is_found_again() -> Result<()> {
    let site = Site::new()?;
    let mut agent = site.start_agent()?;
    site.accept_more(1500)?;
    let mut hub = site.start_hub()?;
    site.check(&mut agent, 0)?;
    assert!(hub.terminate()?.success());
    Ok(())
}

#[test]
fn tls_with_client_certificates_works_and_strangers_are_kept_out() -> Result<()> {
    let mut site = Site::new()?;
    let tls = site.path("tls");
    make_certificates(&tls)?;
    let file = |name: &str| tls.join(name).display().to_string();
    let listener = format!(
        "listener {} 127.0.0.1\nallow_anonymous true\nrequire_certificate true\ncafile {}\ncertfile {}\nkeyfile {}",
        site.mqtt,
        file("ca.pem"),
        file("broker.pem"),
        file("broker.key")
    );
    site.hub_config = format!(
        "[http]\nbind = \"127.0.0.1:{}\"\n[mqtt]\nhost = \"localhost\"\nport = {}\n[mqtt.tls]\nca = \"{}\"\ncert = \"{}\"\nkey = \"{}\"\n",
        site.http,
        site.mqtt,
        file("ca.pem"),
        file("hub.pem"),
        file("hub.key")
    );
    let _broker = site.start_mosquitto(&listener)?;
    let _hub = site.start_hub()?;
    // Without a certificate nothing gets through.
    let mut stranger = site.start_agent()?;
    site.accept_more(200)?;
    assert_eq!(site.table()?.len(), 0);
    stranger.kill()?;
    site.tls = Some(tls);
    let mut agent = site.start_agent()?;
    let count = site.check(&mut agent, 1)?;
    assert!(count >= 200, "what was spooled before is there too: {count}");
    Ok(())
}

fn make_certificates(dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    let script = r#"
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test-ca -keyout ca.key -out ca.pem
        for name in broker hub agent; do
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=$name -keyout $name.key -out $name.csr
            printf 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n' > $name.ext
            openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile $name.ext -out $name.pem
        done"#;
    let output = Command::new("sh").arg("-ec").arg(script).current_dir(dir).output().context("openssl")?;
    ensure!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

#[test]
fn a_taken_port_and_a_taken_directory_are_named() -> Result<()> {
    let site = Site::new()?;
    let refused = |args: &[&str]| -> Result<String> {
        let output = Command::new(program::path("yumen-hub")?).arg("run").args(args).output()?;
        ensure!(!output.status.success());
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    let other = site.path("other").display().to_string();
    let said = refused(&["--data-dir", &other, "--http", &address])?;
    assert!(said.contains(&format!("the console can't listen on {address}")), "{said}");
    let said = refused(&["--data-dir", &other, "--http", "127.0.0.1:0", "--broker", &address])?;
    assert!(said.contains(&format!("the embedded broker can't listen on {address}")), "{said}");
    let _hub = site.start_hub()?;
    let own = site.path("hub").display().to_string();
    let said = refused(&["--data-dir", &own, "--http", "127.0.0.1:0"])?;
    assert!(said.contains("is in use by another hub"), "{said}");
    Ok(())
}

#[test]
fn the_followed_list_shows_each_sighting_once_across_a_restart_of_the_hub() -> Result<()> {
    let site = Site::new()?;
    let mut hub = site.start_hub()?;
    let mut agent = site.start_agent()?;
    site.arrive_more(50)?;
    let mut command = Command::new(program::path("yumen-hub")?);
    command
        .args(["sightings", "--follow", "--json", "--last", "500", "--http"])
        .arg(format!("127.0.0.1:{}", site.http));
    let follower = Program::start("follower", &mut command, &site.path("followed"))?;
    site.arrive_more(100)?;
    hub.kill()?;
    let _hub = site.start_hub()?;
    site.arrive_more(100)?;
    site.check(&mut agent, 0)?;
    let shown = || -> Vec<String> {
        let log = follower.log();
        let values = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        values.filter_map(|value| value["id"].as_str().map(str::to_owned)).collect()
    };
    let table: HashSet<String> = site.table()?.into_iter().collect();
    eventually(MINUTE, "all are shown", || Ok(shown().iter().cloned().collect::<HashSet<_>>() == table))?;
    assert_eq!(shown().len(), table.len());
    Ok(())
}
