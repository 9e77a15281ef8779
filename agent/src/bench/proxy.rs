//! The SMPP proxy beside a plain TCP relay: both as processes of their own, between the same peers.

use super::load::{self, Load, Outcome};
use super::{BenchError, Figures, relay};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};

/// What is needed to run it.
#[derive(Clone, Debug)]
pub struct ProxyBench {
    /// This program, which becomes relay and gateway.
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

impl ProxyBench {
    /// Runs all of it; figures are named `smpp_proxy.…`.
    ///
    /// # Errors
    /// A process can't be started, or a peer fails.
    pub async fn run(&self, mut progress: impl FnMut(&str)) -> Result<Figures, BenchError> {
        let centre = TcpListener::bind(LOOPBACK).await?;
        let centre_addr = centre.local_addr()?;
        tokio::spawn(load::centre(centre));
        let relay = self.start_relay(centre_addr).await?;
        let gateway = self.start_gateway(centre_addr).await?;
        let mut figures = Figures::new();
        figures.insert("smpp_proxy.memory_idle_mib".into(), gateway.resident_mib()?);
        let mut at_ten = 0.0;
        for connections in CONNECTIONS {
            progress(&format!("SMPP, window {WINDOW}, {connections} connection(s)"));
            let (relayed, proxied) = self.throughput(&relay, &gateway, connections).await?;
            figures.insert(format!("smpp_proxy.relay_per_s_{connections}"), relayed);
            figures.insert(format!("smpp_proxy.per_s_{connections}"), proxied);
            figures.insert(format!("smpp_proxy.throughput_ratio_{connections}"), proxied / relayed);
            if connections == 10 {
                at_ten = proxied;
            }
        }
        let least =
            CONNECTIONS.iter().filter_map(|c| figures.get(&format!("smpp_proxy.throughput_ratio_{c}")));
        figures.insert("smpp_proxy.throughput_ratio".into(), least.fold(f64::INFINITY, |a, b| a.min(*b)));
        progress("SMPP, added latency at half load");
        self.latency(&relay, &gateway, at_ten / 2.0, &mut figures).await?;
        figures.insert("smpp_proxy.memory_loaded_mib".into(), gateway.resident_mib()?);
        Ok(figures)
    }

    /// Medians of messages a second through the relay and through the gateway, in turns.
    async fn throughput(
        &self,
        relay: &Peer,
        gateway: &Peer,
        connections: usize,
    ) -> Result<(f64, f64), BenchError> {
        let (mut relayed, mut proxied) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            relayed.push(self.load(relay, connections, None).await?.per_s());
            proxied.push(self.load(gateway, connections, None).await?.per_s());
        }
        Ok((median(relayed), median(proxied)))
    }

    async fn latency(
        &self,
        relay: &Peer,
        gateway: &Peer,
        pace: f64,
        figures: &mut Figures,
    ) -> Result<(), BenchError> {
        let (mut added_p50, mut added_p99) = (Vec::new(), Vec::new());
        let (mut p50, mut p99) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let relayed = self.load(relay, 10, Some(pace)).await?;
            let proxied = self.load(gateway, 10, Some(pace)).await?;
            added_p50.push(f64::from(proxied.percentile_us(0.5)) - f64::from(relayed.percentile_us(0.5)));
            added_p99.push(f64::from(proxied.percentile_us(0.99)) - f64::from(relayed.percentile_us(0.99)));
            p50.push(f64::from(proxied.percentile_us(0.5)));
            p99.push(f64::from(proxied.percentile_us(0.99)));
        }
        figures.insert("smpp_proxy.half_load_per_s".into(), pace);
        figures.insert("smpp_proxy.added_p50_us".into(), median(added_p50));
        figures.insert("smpp_proxy.added_p99_us".into(), median(added_p99));
        figures.insert("smpp_proxy.p50_us".into(), median(p50));
        figures.insert("smpp_proxy.p99_us".into(), median(p99));
        Ok(())
    }

    async fn load(
        &self,
        peer: &Peer,
        connections: usize,
        pace_per_s: Option<f64>,
    ) -> Result<Outcome, BenchError> {
        let load =
            Load { target: peer.address, connections, window: WINDOW, pace_per_s, duration: self.run_time };
        let outcome = load::run(load, &self.texts).await?;
        if outcome.refused > 0 {
            return Err(BenchError::Peer(format!("{} honest messages were refused", outcome.refused)));
        }
        Ok(outcome)
    }

    async fn start_relay(&self, upstream: SocketAddr) -> Result<Peer, BenchError> {
        let address = free_address()?;
        let mut command = Command::new(&self.program);
        command.args(["bench-relay", &address.to_string(), &upstream.to_string()]);
        Peer::start(command, address, &self.work_dir.join("relay.log")).await
    }

    async fn start_gateway(&self, upstream: SocketAddr) -> Result<Peer, BenchError> {
        let (address, http) = (free_address()?, free_address()?);
        let config = self.work_dir.join("agent.toml");
        std::fs::write(&config, self.config(address, http, upstream))?;
        let mut command = Command::new(&self.program);
        command.arg("run").arg("--config").arg(&config);
        Peer::start(command, address, &self.work_dir.join("gateway.log")).await
    }

    fn config(&self, bind: SocketAddr, http: SocketAddr, upstream: SocketAddr) -> String {
        format!(
            "member = \"bench\"\nagent = \"bench\"\ndata_dir = {data:?}\n\n[log]\nlevel = \"warn\"\n\n\
             [http]\nbind = \"{http}\"\n\n[pack]\nfile = {pack:?}\ntrusted_keys = {keys:?}\n\n\
             [[listener]]\nname = \"bench\"\nprotocol = \"smpp\"\nbind = \"{bind}\"\npolicy = {{ ladder = \"enforce\" }}\n\
             upstream = [{{ address = \"{upstream}\" }}]\n",
            data = self.work_dir.join("data"),
            pack = self.pack,
            keys = self.trusted_keys,
        )
    }
}

/// Becomes the plain relay: `yumen bench-relay BIND UPSTREAM`.
///
/// # Errors
/// `bind` can't be had.
pub async fn run_relay(bind: SocketAddr, upstream: SocketAddr) -> std::io::Result<()> {
    relay::run(TcpListener::bind(bind).await?, upstream).await;
    Ok(())
}

/// A process between the ESME and the centre.
struct Peer {
    child: Child,
    address: SocketAddr,
}

impl Peer {
    /// Starts it and waits until it takes connections.
    async fn start(mut command: Command, address: SocketAddr, log: &Path) -> Result<Self, BenchError> {
        let log_file = std::fs::File::create(log)?;
        command.stdin(Stdio::null()).stdout(log_file.try_clone()?).stderr(log_file);
        let mut peer = Self { child: command.spawn()?, address };
        let started = Instant::now();
        while TcpStream::connect(address).await.is_err() {
            let ended = peer.child.try_wait()?.is_some();
            if ended || started.elapsed() > START_TIME_MAX {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                return Err(BenchError::Peer(format!("{command:?} doesn't start:\n{said}")));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(peer)
    }

    /// Resident memory.
    fn resident_mib(&self) -> Result<f64, BenchError> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kib = status
            .lines()
            .find_map(|line| {
                line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok()
            })
            .ok_or_else(|| BenchError::Peer("no VmRSS".to_owned()))?;
        Ok(kib / 1024.0)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

fn free_address() -> std::io::Result<SocketAddr> {
    std::net::TcpListener::bind(LOOPBACK)?.local_addr()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

const LOOPBACK: (&str, u16) = ("127.0.0.1", 0);
const CONNECTIONS: [usize; 3] = [1, 10, 100];
const WINDOW: usize = 10;
const ROUNDS: usize = 3;
const START_TIME_MAX: Duration = Duration::from_secs(30);
