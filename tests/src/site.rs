//! A whole site on this machine: a signed pack, a hub with its embedded broker, an agent with two doors.

use crate::program::{self, Program, free_port};
use anyhow::{Context, Result};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Ports of a site; all on loopback.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// Where SMPP clients connect.
    pub smpp: u16,
    /// Where the SMPP centre is.
    pub smsc: u16,
    /// Where CMPP clients connect.
    pub cmpp: u16,
    /// Where the ISMG is.
    pub ismg: u16,
    /// The hub's console.
    pub console: u16,
    /// The hub's broker.
    pub mqtt: u16,
    /// The agent's health and metrics.
    pub agent: u16,
}

impl Ports {
    /// The usual ones, moved by `offset`.
    #[must_use]
    pub const fn usual(offset: u16) -> Self {
        Self {
            smpp: 2775 + offset,
            smsc: 2776 + offset,
            cmpp: 7890 + offset,
            ismg: 7891 + offset,
            console: 8470 + offset,
            mqtt: 1883 + offset,
            agent: 9464 + offset,
        }
    }

    /// Free ones.
    ///
    /// # Errors
    /// The system has none.
    pub fn free() -> Result<Self> {
        Ok(Self {
            smpp: free_port()?,
            smsc: free_port()?,
            cmpp: free_port()?,
            ismg: free_port()?,
            console: free_port()?,
            mqtt: free_port()?,
            agent: free_port()?,
        })
    }

    /// Each with what it is for.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, u16); 7] {
        [
            ("SMPP door 网关 SMPP 端口", self.smpp),
            ("demonstration SMSC 演示短信中心", self.smsc),
            ("CMPP door 网关 CMPP 端口", self.cmpp),
            ("demonstration ISMG 演示 ISMG", self.ismg),
            ("console 控制台", self.console),
            ("MQTT broker 消息代理", self.mqtt),
            ("agent health and metrics 网关健康与指标", self.agent),
        ]
    }
}

/// The folder of a site, and where everything in it is.
#[derive(Clone, Debug)]
pub struct Site {
    /// All of the site's files.
    pub dir: PathBuf,
    /// Its ports.
    pub ports: Ports,
}

impl Site {
    /// Makes the folder, the signing key and the pack of the repository's rules.
    ///
    /// # Errors
    /// A file can't be written, or the rules don't build.
    pub fn prepare(dir: &Path, ports: Ports) -> Result<Self> {
        let site = Self { dir: dir.to_owned(), ports };
        std::fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
        site.build_pack(&rules_dir(), 1)?;
        Ok(site)
    }

    /// The pack's file.
    #[must_use]
    pub fn pack(&self) -> PathBuf {
        self.dir.join("yumen.pack")
    }

    /// Builds `rules` into the site's pack, signed with the site's own key. The serial only rises.
    ///
    /// # Errors
    /// The rules don't build; the message holds the diagnostics.
    pub fn build_pack(&self, rules: &Path, serial: u64) -> Result<()> {
        let key = self.dir.join("dev.key");
        if !key.exists() {
            program::done(Command::new(program::path("yumen")?).args(["rules", "keygen"]).arg(&key))?;
        }
        // Beside the pack, then moved: a running agent never sees half of it.
        let new = self.dir.join("yumen.pack.new");
        let mut build = Command::new(program::path("yumen")?);
        build.args(["rules", "build"]).arg(rules).arg("--key").arg(&key).arg("--output").arg(&new);
        program::done(build.args(["--serial", &serial.to_string()]))?;
        std::fs::rename(&new, self.pack())?;
        Ok(())
    }

    /// `agent.toml` with both doors enforcing, and `extra` at its end.
    #[must_use]
    pub fn agent_config(&self, name: &str, extra: &str) -> String {
        let Ports { smpp, smsc, cmpp, ismg, mqtt, agent, .. } = self.ports;
        let mut text = format!(
            "member = \"demo-bank\"\nagent = \"{name}\"\ndata_dir = {data:?}\nown_numbers = [\"95500\"]\n\n\
             [http]\nbind = \"127.0.0.1:{agent}\"\n\n[pack]\nfile = {pack:?}\ntrusted_keys = {keys:?}\nwatch_s = 1\n\n\
             [mqtt]\nhost = \"127.0.0.1\"\nport = {mqtt}\nstatus_interval_s = 2\n",
            data = self.dir.join(name),
            pack = self.pack(),
            keys = self.dir.join("dev.key.pub"),
        );
        for (protocol, bind, upstream) in [("smpp", smpp, smsc), ("cmpp", cmpp, ismg)] {
            // Writing to a String doesn't fail.
            let _written = write!(
                text,
                "\n[[listener]]\nname = \"{protocol}\"\nprotocol = \"{protocol}\"\nbind = \"127.0.0.1:{bind}\"\n\
                 policy = {{ ladder = \"enforce\" }}\nupstream = [{{ address = \"127.0.0.1:{upstream}\" }}]\n"
            );
        }
        text + extra
    }

    /// Starts the hub and waits until it answers.
    ///
    /// # Errors
    /// It doesn't start.
    pub fn start_hub(&self) -> Result<Program> {
        let mut command = Command::new(program::path("yumen-hub")?);
        command.args(["run", "--demo"]).arg("--data-dir").arg(self.dir.join("hub"));
        command.args(["--http", &format!("127.0.0.1:{}", self.ports.console)]);
        command.args(["--broker", &format!("127.0.0.1:{}", self.ports.mqtt)]);
        let mut hub = Program::start("yumen-hub", &mut command, &self.dir.join("hub.log"))?;
        hub.wait_http(&format!("{}/healthz", self.console()))?;
        Ok(hub)
    }

    /// Runs `yumen-hub` with these arguments beside the site's hub, and gives what it prints.
    ///
    /// # Errors
    /// It fails; the message holds what it said.
    pub fn hub_command(&self, args: &[&str]) -> Result<String> {
        let config = self.dir.join("hub.toml");
        let mut command = Command::new(program::path("yumen-hub")?);
        command.args(args);
        if config.exists() {
            command.arg("--config").arg(config);
        } else {
            command.arg("--data-dir").arg(self.dir.join("hub"));
        }
        program::done(&mut command)
    }

    /// Enrols an agent at a hub, with its keys in `data_dir`; gives the lines for its configuration. One that is enrolled
    /// stays as it is.
    ///
    /// # Errors
    /// The hub or the agent's program refuses.
    pub fn enrol(&self, hub: &str, member: &str, agent: &str, data_dir: &Path) -> Result<String> {
        let lines = data_dir.join("identity/agent.toml");
        if lines.exists() {
            return Ok(std::fs::read_to_string(lines)?);
        }
        let members = self.hub_command(&["member", "list"])?;
        if !members.lines().any(|known| known == member) {
            self.hub_command(&["member", "add", member])?;
        }
        let token = self.hub_command(&["agent", "invite", member, agent])?;
        let mut enrol = Command::new(program::path("yumen")?);
        enrol.args(["enrol", "--hub", hub, "--token", token.trim()]).arg("--data-dir").arg(data_dir);
        program::done(&mut enrol)
    }

    /// Starts an agent with a configuration and waits until it is ready.
    ///
    /// # Errors
    /// It doesn't start.
    pub fn start_agent(&self, name: &str, config: &str) -> Result<Program> {
        let file = self.dir.join(format!("{name}.toml"));
        std::fs::write(&file, config)?;
        let mut command = Command::new(program::path("yumen")?);
        command.arg("run").arg("--config").arg(&file);
        let mut agent = Program::start("yumen", &mut command, &self.dir.join(format!("{name}.log")))?;
        agent.wait_http(&format!("http://127.0.0.1:{}/readyz", self.ports.agent))?;
        Ok(agent)
    }

    /// The console's address.
    #[must_use]
    pub fn console(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.console)
    }

    /// All sightings in the hub's table, in pages, newest first or oldest first as the hub gives them.
    ///
    /// # Errors
    /// The hub doesn't answer.
    pub fn sightings(&self) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        let mut url = format!("{}/api/v1/sightings?limit=500", self.console());
        loop {
            let page: Value = ureq::get(&url).call()?.body_mut().with_config().limit(64 << 20).read_json()?;
            let rows = page["sightings"].as_array().cloned().unwrap_or_default();
            all.extend(rows);
            match page["next"].as_str() {
                Some(next) => url = format!("{}/api/v1/sightings?limit=500&before={next}", self.console()),
                None => return Ok(all),
            }
        }
    }
}

/// The repository's rules.
#[must_use]
pub fn rules_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/packs")
}
