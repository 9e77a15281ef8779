//! Sightings from an agent's spool to the hub's table, while everything between them is killed.
//!
//! The agent is a process of its own, so that it can be killed too: this test binary, run again for [`agent_process`],
//! with the agent's real spool and MQTT link. It writes down each id after the spool took it; what is written down must
//! be in the table, once.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::HashSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;
use yumen_agent::mqtt::{Acknowledge, Facts, Link, Options, Tls};
use yumen_agent::spool::{self, Spool};
use yumen_exchange::sighting::{Envelope, Indicator, PackRef, RuleHit, Sighting};
use yumen_exchange::topic::Name;
use yumen_tests::program::{self, Program, eventually, free_port};

const MINUTE: Duration = Duration::from_secs(60);

// The agent's side.

/// Not a test by itself: the agent of the tests below, run as another process. Without its environment it does nothing.
#[test]
fn agent_process() -> Result<()> {
    let Some(dir) = std::env::var_os("YUMEN_TEST_AGENT_DIR").map(PathBuf::from) else { return Ok(()) };
    let port: u16 = std::env::var("YUMEN_TEST_AGENT_PORT")?.parse()?;
    let tls = std::env::var_os("YUMEN_TEST_AGENT_TLS").map(PathBuf::from);
    tokio::runtime::Runtime::new()?.block_on(agent(&dir, port, tls.as_deref()))
}

async fn agent(dir: &Path, port: u16, tls: Option<&Path>) -> Result<()> {
    let (member, agent): (Name, Name) = ("bank-a".parse()?, "gw1".parse()?);
    let spool_options = spool::Options { segment_bytes: 64 * 1024, ..spool::Options::new(dir.join("spool")) };
    let (spool, _) = Spool::open(spool_options)?;
    let mut options = Options::new(member.clone(), agent.clone(), "localhost", port);
    options.backoff = (Duration::from_millis(50), Duration::from_millis(500));
    options.resend_after = Duration::from_secs(1);
    options.status_interval = Duration::from_millis(500);
    options.acknowledge = Acknowledge::Hub;
    if let Some(tls) = tls {
        let (cert, key) = (tls.join("agent.pem"), tls.join("agent.key"));
        options.tls = Some(Tls::load(&tls.join("ca.pem"), Some((&cert, &key)), None)?);
    }
    let facts = Facts { pack: Some(PackRef { name: "yumen".into(), serial: 3 }), judged: 9, blocked: 4 };
    let link = Link::start(options, spool.clone(), Arc::new(move || facts.clone()));
    let mut accepted = File::options().create(true).append(true).open(dir.join("accepted"))?;
    let mut number = 0;
    while !dir.join("stop").exists() {
        for _ in 0..10 {
            number += 1;
            let id = Uuid::now_v7();
            let envelope = Envelope::new(id, &member, &agent, 1_763_920_920_123, sighting(number));
            spool.append(&serde_json::to_vec(&envelope)?)?;
            writeln!(accepted, "{id}")?;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    while spool.stats().records > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    link.stop().await;
    Ok(())
}

fn sighting(number: u32) -> Sighting {
    Sighting {
        channel: "sms".into(),
        door: "smpp".into(),
        direction: "submit".into(),
        listener: "sms".into(),
        verdict: "reject".into(),
        typology: "fraud".into(),
        score: 90,
        pack: PackRef { name: "yumen".into(), serial: 3 },
        rules: vec![RuleHit { id: "fraud/test".into(), score: 90, spans: vec![(0, 4)] }],
        indicators: vec![Indicator {
            kind: "domain".into(),
            value: format!("n{number}.example.com"),
            origin: "text".into(),
        }],
        victim: None,
        destinations: 1,
        template: None,
        text_chars: 40,
        segments: (1, 1),
    }
}

// The site.

struct Site {
    dir: tempfile::TempDir,
    http: u16,
    mqtt: u16,
    tls: Option<PathBuf>,
    hub_config: String,
}

impl Site {
    fn new() -> Result<Self> {
        let (http, mqtt) = (free_port()?, free_port()?);
        let dir = tempfile::tempdir()?;
        let hub_config =
            format!("[http]\nbind = \"127.0.0.1:{http}\"\n[broker]\nbind = \"127.0.0.1:{mqtt}\"\n");
        Ok(Self { dir, http, mqtt, tls: None, hub_config })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.http)
    }

    fn start_hub(&self) -> Result<Program> {
        std::fs::write(self.path("hub.toml"), &self.hub_config)?;
        let mut command = Command::new(program::path("yumen-hub")?);
        command.arg("run").arg("--config").arg(self.path("hub.toml")).arg("--data-dir").arg(self.path("hub"));
        let mut hub = Program::start("yumen-hub", &mut command, &self.path("hub.log"))?;
        hub.wait_http(&self.url("/healthz"))?;
        Ok(hub)
    }

    fn start_agent(&self) -> Result<Program> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--exact", "agent_process", "--nocapture"]);
        command
            .env("YUMEN_TEST_AGENT_DIR", self.dir.path())
            .env("YUMEN_TEST_AGENT_PORT", self.mqtt.to_string());
        if let Some(tls) = &self.tls {
            command.env("YUMEN_TEST_AGENT_TLS", tls);
        }
        Program::start("agent", &mut command, &self.path("agent.log"))
    }

    fn start_mosquitto(&self, listener: &str) -> Result<Program> {
        let dir = self.path("mosquitto");
        std::fs::create_dir_all(&dir)?;
        let config = format!(
            "per_listener_settings false\n{listener}\npersistence true\npersistence_location {}/\n\
             autosave_interval 1\nmax_inflight_messages 500\nmax_queued_messages 100000\nuser root\n",
            dir.display()
        );
        std::fs::write(self.path("mosquitto.conf"), config)?;
        let mut command = Command::new("mosquitto");
        command.arg("-c").arg(self.path("mosquitto.conf"));
        let mut broker = Program::start("mosquitto", &mut command, &self.path("mosquitto.log"))?;
        let port = self.mqtt;
        broker.wait_until(|| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        Ok(broker)
    }

    fn accepted(&self) -> HashSet<String> {
        // A line that was cut off by a kill names no sighting.
        let text = std::fs::read_to_string(self.path("accepted")).unwrap_or_default();
        text.lines().filter(|line| line.len() == 36).map(str::to_owned).collect()
    }

    fn get(&self, path: &str) -> Result<Value> {
        Ok(ureq::get(self.url(path)).call().context("GET")?.body_mut().read_json()?)
    }

    /// All ids in the table, as the API gives them, page by page.
    fn table(&self) -> Result<Vec<String>> {
        let mut ids = Vec::new();
        let mut before = String::new();
        loop {
            let page = self.get(&format!("/api/v1/sightings?limit=500&before={before}"))?;
            let rows = page["sightings"].as_array().context("no sightings")?;
            ids.extend(rows.iter().filter_map(|row| row["id"].as_str()).map(str::to_owned));
            let Some(next) = page["next"].as_str() else { return Ok(ids) };
            before = next.to_owned();
        }
    }

    fn health(&self) -> Result<String> {
        let answer = self.get("/api/v1/agents")?;
        Ok(answer["agents"][0]["health"].as_str().unwrap_or_default().to_owned())
    }

    /// Lets the traffic go on until `count` more sightings were accepted.
    fn accept_more(&self, count: usize) -> Result<()> {
        let start = self.accepted().len();
        eventually(MINUTE, "sightings are accepted", || Ok(self.accepted().len() >= start + count))
    }

    /// Lets so many more sightings arrive in the table.
    fn arrive_more(&self, count: usize) -> Result<()> {
        let start = self.table()?.len();
        eventually(MINUTE, "sightings arrive", || Ok(self.table()?.len() >= start + count))
    }

    /// Ends the traffic, waits until the spool is empty, and compares.
    fn check(&self, agent: &mut Program, agent_kills: usize) -> Result<usize> {
        std::fs::write(self.path("stop"), "")?;
        eventually(3 * MINUTE, "the spool is empty", || Ok(!agent.is_running()))?;
        let status = agent.wait()?;
        ensure!(status.success(), "the agent failed: {}", agent.log());
        let (accepted, table) = (self.accepted(), self.table()?);
        let distinct: HashSet<String> = table.iter().cloned().collect();
        ensure!(distinct.len() == table.len(), "{} rows are doubled", table.len() - distinct.len());
        let lost = accepted.difference(&distinct).count();
        ensure!(lost == 0, "{lost} of {} sightings are lost", accepted.len());
        // Killed between the spool and the note of it: at most one each time.
        let unnoted = distinct.difference(&accepted).count();
        ensure!(unnoted <= agent_kills, "{unnoted} rows that nobody sent");
        Ok(table.len())
    }
}

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
