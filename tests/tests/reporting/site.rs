//! The programs between which sightings travel, and how their tables are compared with the senders' logs.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::HashSet;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use yumen_tests::program::{self, Program, eventually, free_port};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

pub(crate) struct Site {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) http: u16,
    pub(crate) mqtt: u16,
    pub(crate) tls: Option<PathBuf>,
    pub(crate) hub_config: String,
}

impl Site {
    pub(crate) fn new() -> Result<Self> {
        let (http, mqtt) = (free_port()?, free_port()?);
        let dir = tempfile::tempdir()?;
        let hub_config =
            format!("[http]\nbind = \"127.0.0.1:{http}\"\n[broker]\nbind = \"127.0.0.1:{mqtt}\"\n");
        Ok(Self { dir, http, mqtt, tls: None, hub_config })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.http)
    }

    pub(crate) fn start_hub(&self) -> Result<Program> {
        std::fs::write(self.path("hub.toml"), &self.hub_config)?;
        let mut command = Command::new(program::path("yumen-hub")?);
        command
            .args(["run", "--demo"])
            .arg("--config")
            .arg(self.path("hub.toml"))
            .arg("--data-dir")
            .arg(self.path("hub"));
        let mut hub = Program::start("yumen-hub", &mut command, &self.path("hub.log"))?;
        hub.wait_http(&self.url("/healthz"))?;
        Ok(hub)
    }

    pub(crate) fn start_agent(&self) -> Result<Program> {
        self.start_agent_of("bank-a")
    }

    /// One that may be started again after it was killed.
    pub(crate) fn start_agent_of(&self, member: &str) -> Result<Program> {
        let dir = self.path(member);
        std::fs::create_dir_all(&dir)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--exact", "agent::agent_process", "--nocapture"]);
        command
            .env("YUMEN_TEST_AGENT_DIR", &dir)
            .env("YUMEN_TEST_AGENT_MEMBER", member)
            .env("YUMEN_TEST_AGENT_PORT", self.mqtt.to_string());
        if let Some(tls) = &self.tls {
            command.env("YUMEN_TEST_AGENT_TLS", tls);
        }
        Program::start("agent", &mut command, &self.path("agent.log"))
    }

    pub(crate) fn start_mosquitto(&self, listener: &str) -> Result<Program> {
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

    pub(crate) fn accepted(&self) -> HashSet<String> {
        let logs = ["bank-a", "bank-b"].map(|member| self.path(member).join("accepted"));
        let texts = logs.map(|log| std::fs::read_to_string(log).unwrap_or_default());
        // A line that was cut off by a kill names no sighting.
        let lines = texts.iter().flat_map(|text| text.lines()).filter(|line| line.len() == 36);
        lines.map(str::to_owned).collect()
    }

    pub(crate) fn get(&self, path: &str) -> Result<Value> {
        Ok(ureq::get(self.url(path)).call().context("GET")?.body_mut().read_json()?)
    }

    /// All ids in the table, as the API gives them, page by page.
    pub(crate) fn table(&self) -> Result<Vec<String>> {
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

    pub(crate) fn health(&self) -> Result<String> {
        let answer = self.get("/api/v1/agents")?;
        Ok(answer["agents"][0]["health"].as_str().unwrap_or_default().to_owned())
    }

    /// Lets the traffic go on until `count` more sightings were accepted.
    pub(crate) fn accept_more(&self, count: usize) -> Result<()> {
        let start = self.accepted().len();
        eventually(MINUTE, "sightings are accepted", || Ok(self.accepted().len() >= start + count))
    }

    /// Lets so many more sightings arrive in the table.
    pub(crate) fn arrive_more(&self, count: usize) -> Result<()> {
        let start = self.table()?.len();
        eventually(MINUTE, "sightings arrive", || Ok(self.table()?.len() >= start + count))
    }

    /// Ends the traffic, waits until the spools are empty.
    pub(crate) fn finish(&self, agents: &mut [&mut Program]) -> Result<()> {
        std::fs::write(self.path("stop"), "")?;
        for agent in agents {
            eventually(3 * MINUTE, "the spool is empty", || Ok(!agent.is_running()))?;
            let status = agent.wait()?;
            ensure!(status.success(), "the agent failed: {}", agent.log());
        }
        Ok(())
    }

    /// Ends the traffic, and compares.
    pub(crate) fn check(&self, agent: &mut Program, agent_kills: usize) -> Result<usize> {
        self.finish(&mut [agent])?;
        self.compare(&self.table()?, agent_kills)
    }

    /// The table must hold what the senders wrote down, once each.
    pub(crate) fn compare(&self, table: &[String], agent_kills: usize) -> Result<usize> {
        let accepted = self.accepted();
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
