//! The decision API beside a handler that only parses the same JSON: both as processes of their own, under wrk.

use super::process::{Peer, free_address};
use super::proxy::median;
use super::{BenchError, Figures};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What is needed to run it.
#[derive(Clone, Debug)]
pub struct ApiBench {
    /// This program, which becomes gateway and bare handler.
    pub program: PathBuf,
    /// A signed pack.
    pub pack: PathBuf,
    /// The keys that may sign it.
    pub trusted_keys: PathBuf,
    /// An empty folder.
    pub work_dir: PathBuf,
    /// Honest messages.
    pub texts: Vec<String>,
    /// How long each run takes.
    pub run_time: Duration,
}

impl ApiBench {
    /// Runs all of it; figures are named `api.…`.
    ///
    /// # Errors
    /// wrk isn't installed, a process can't be started, or one of them doesn't answer.
    pub async fn run(&self, mut progress: impl FnMut(&str)) -> Result<Figures, BenchError> {
        let script = self.work_dir.join("decisions.lua");
        std::fs::write(&script, self.script())?;
        let gateway = self.start_gateway().await?;
        let bare = self.start_bare().await?;
        let (mut figures, mut runs) = (Figures::new(), [Vec::new(), Vec::new()]);
        let mut cpu_us = [Vec::new(), Vec::new()];
        for round in 1..=ROUNDS {
            progress(&format!("decision API, {CONNECTIONS} connections, round {round} of {ROUNDS}"));
            for (at, peer) in [&gateway, &bare].into_iter().enumerate() {
                let before = peer.cpu_s()?;
                let (per_s, requests) = self.load(peer.address, &script)?;
                if let (Some(runs), Some(cpu_us)) = (runs.get_mut(at), cpu_us.get_mut(at)) {
                    runs.push(per_s);
                    cpu_us.push((peer.cpu_s()? - before) * 1e6 / requests.max(1.0));
                }
            }
        }
        let [api, bare_per_s] = runs.map(median);
        let [api_cpu, bare_cpu] = cpu_us.map(median);
        figures.insert("api.per_s".into(), api);
        figures.insert("api.bare_per_s".into(), bare_per_s);
        figures.insert("api.throughput_ratio".into(), api / bare_per_s);
        figures.insert("api.cpu_us".into(), api_cpu);
        figures.insert("api.bare_cpu_us".into(), bare_cpu);
        figures.insert("api.cpu_ratio".into(), bare_cpu / api_cpu);
        Ok(figures)
    }

    /// Requests a second, and requests.
    fn load(&self, address: SocketAddr, script: &Path) -> Result<(f64, f64), BenchError> {
        let mut wrk = Command::new("wrk");
        wrk.args(["-t", "1", "-c", &CONNECTIONS.to_string()]);
        wrk.args(["-d", &format!("{}s", self.run_time.as_secs().max(1))]).arg("-s").arg(script);
        let output = wrk.arg(format!("http://{address}/v1/decisions")).output();
        let output = output.map_err(|error| {
            BenchError::Peer(format!("wrk can't be started ({error}): install the package wrk"))
        })?;
        let said = String::from_utf8_lossy(&output.stdout);
        let failed = said.lines().any(|line| line.contains("Non-2xx") || line.contains("Socket errors"));
        let number = |line: Option<&str>| line.and_then(|line| line.trim().parse().ok());
        let per_s = said.lines().find_map(|line| number(line.trim().strip_prefix("Requests/sec:")));
        let requests =
            said.lines().find_map(|line| number(line.trim().split_once(" requests in").map(|of| of.0)));
        match (per_s, requests) {
            (Some(per_s), Some(requests)) if !failed && output.status.success() => Ok((per_s, requests)),
            _ => {
                Err(BenchError::Peer(format!("wrk says: {said}{}", String::from_utf8_lossy(&output.stderr))))
            }
        }
    }

    /// The questions, in turn.
    fn script(&self) -> String {
        let questions: Vec<String> = self
            .texts
            .iter()
            .map(|text| {
                let sms = serde_json::json!({"from": "10690000", "to": "13800000001", "text": text});
                format!("[==[{}]==]", serde_json::json!({ "sms": sms }))
            })
            .collect();
        format!(
            "local bodies = {{ {bodies} }}\nlocal at = 0\n\
             local headers = {{ [\"Content-Type\"] = \"application/json\", [\"Authorization\"] = \"Bearer {TOKEN}\" }}\n\
             function request()\n  at = at % #bodies + 1\n  return wrk.format(\"POST\", nil, headers, bodies[at])\nend\n",
            bodies = questions.join(", ")
        )
    }

    async fn start_gateway(&self) -> Result<Peer, BenchError> {
        let (address, http) = (free_address()?, free_address()?);
        let (config, tokens) = (self.work_dir.join("api.toml"), self.work_dir.join("tokens"));
        std::fs::write(&tokens, format!("bench {TOKEN}\n"))?;
        std::fs::write(
            &config,
            format!(
                "member = \"bench\"\nagent = \"bench\"\ndata_dir = {data:?}\n\n[log]\nlevel = \"warn\"\n\n\
                 [http]\nbind = \"{http}\"\n\n[pack]\nfile = {pack:?}\ntrusted_keys = {keys:?}\n\n\
                 [api]\nbind = \"{address}\"\ntokens = {tokens:?}\nrate_max = 10000000\n\
                 policy = {{ ladder = \"enforce\" }}\n",
                data = self.work_dir.join("api-data"),
                pack = self.pack,
                keys = self.trusted_keys,
            ),
        )?;
        let mut command = Command::new(&self.program);
        command.arg("run").arg("--config").arg(&config);
        Peer::start(command, address, &self.work_dir.join("api.log")).await
    }

    async fn start_bare(&self) -> Result<Peer, BenchError> {
        let address = free_address()?;
        let mut command = Command::new(&self.program);
        command.args(["bench-api", &address.to_string()]);
        Peer::start(command, address, &self.work_dir.join("bare.log")).await
    }
}

/// Of the bench alone.
const TOKEN: &str = "0123456789abcdef0123";
const CONNECTIONS: usize = 32;
const ROUNDS: usize = 3;
