//! The SMPP proxy beside a plain TCP relay, between the same peers. Centre, relay and gateway are processes of their own.

use super::load::{self, Load, Outcome};
use super::peers::{self, Writes};
pub(super) use super::process::{Peer, free_address};
use super::{BenchError, Figures, relay};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tokio::net::TcpListener;

/// What is needed to run it.
#[derive(Clone, Debug)]
pub struct ProxyBench {
    /// This program, which becomes centre, relay and gateway.
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
        let mut figures = Figures::new();
        let pair = self.start(Writes::Each).await?;
        figures.insert("smpp_proxy.memory_idle_mib".into(), pair.gateway.resident_mib()?);
        self.throughputs(&pair, "smpp_proxy", &mut progress, &mut figures).await?;
        let at_ten = figures.get("smpp_proxy.per_s_10").copied().unwrap_or_default();
        progress("SMPP, added latency at half load");
        self.latency(&pair, at_ten / 2.0, &mut figures).await?;
        figures.insert("smpp_proxy.memory_loaded_mib".into(), pair.gateway.resident_mib()?);
        drop(pair);
        let pair = self.start(Writes::Batched).await?;
        self.throughputs(&pair, "smpp_proxy_batched", &mut progress, &mut figures).await?;
        Ok(figures)
    }

    async fn throughputs(
        &self,
        pair: &Pair,
        prefix: &str,
        progress: &mut impl FnMut(&str),
        figures: &mut Figures,
    ) -> Result<(), BenchError> {
        let mut least = f64::INFINITY;
        for connections in CONNECTIONS {
            progress(&format!("{prefix}, window {WINDOW}, {connections} connection(s)"));
            let rounds = self.rounds(pair, connections, None).await?;
            let of = |figure: fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
            let mut named = |name: &str, value| {
                figures.insert(format!("{prefix}.{name}_{connections}"), value);
            };
            let ratio = of(|round| round.proxied.per_s() / round.relayed.per_s());
            least = least.min(ratio);
            named("relay_per_s", of(|round| round.relayed.per_s()));
            named("per_s", of(|round| round.proxied.per_s()));
            named("throughput_ratio", ratio);
            named("cpu_us_per_message", of(|round| round.proxied_cpu_us));
            named("relay_cpu_us_per_message", of(|round| round.relayed_cpu_us));
        }
        figures.insert(format!("{prefix}.throughput_ratio"), least);
        for name in ["cpu_us_per_message", "relay_cpu_us_per_message"] {
            if let Some(&at_ten) = figures.get(&format!("{prefix}.{name}_10")) {
                figures.insert(format!("{prefix}.{name}"), at_ten);
            }
        }
        Ok(())
    }

    /// The same load through the relay and through the gateway, in turns.
    async fn rounds(
        &self,
        pair: &Pair,
        connections: usize,
        pace_per_s: Option<f64>,
    ) -> Result<Vec<Round>, BenchError> {
        let mut rounds = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            let (relayed, relayed_cpu_us) =
                self.load(&pair.relay, connections, pace_per_s, pair.writes).await?;
            let (proxied, proxied_cpu_us) =
                self.load(&pair.gateway, connections, pace_per_s, pair.writes).await?;
            rounds.push(Round { relayed, relayed_cpu_us, proxied, proxied_cpu_us });
        }
        Ok(rounds)
    }

    async fn latency(&self, pair: &Pair, pace: f64, figures: &mut Figures) -> Result<(), BenchError> {
        let rounds = self.rounds(pair, 10, Some(pace)).await?;
        let mut named = |name: &str, figure: &dyn Fn(&Round) -> f64| {
            figures.insert(format!("smpp_proxy.{name}"), median(rounds.iter().map(figure).collect()));
        };
        named("half_load_per_s", &|round| round.proxied.per_s());
        for (percentile, share) in [("p50", 0.5), ("p99", 0.99)] {
            named(&format!("relay_{percentile}_us"), &|round| round.relayed.percentile_us(share));
            named(&format!("{percentile}_us"), &|round| round.proxied.percentile_us(share));
            named(&format!("added_{percentile}_us"), &|round| {
                round.proxied.percentile_us(share) - round.relayed.percentile_us(share)
            });
        }
        Ok(())
    }

    /// What came of a load, and the processor's time that `through` took a message, in microseconds.
    async fn load(
        &self,
        through: &Peer,
        connections: usize,
        pace_per_s: Option<f64>,
        writes: Writes,
    ) -> Result<(Outcome, f64), BenchError> {
        let (target, duration) = (through.address, self.run_time);
        let load = Load { target, connections, window: WINDOW, pace_per_s, duration, writes };
        let before = through.cpu_s()?;
        let outcome = load::run(load, &self.texts).await?;
        let cpu_us = (through.cpu_s()? - before) * 1e6;
        if outcome.refused > 0 {
            return Err(BenchError::Peer(format!("{} honest messages were refused", outcome.refused)));
        }
        let per_message = cpu_us / outcome.answered().max(1.0);
        Ok((outcome, per_message))
    }

    async fn start(&self, writes: Writes) -> Result<Pair, BenchError> {
        let address = free_address()?;
        let mut command = Command::new(&self.program);
        command.args(["bench-centre", &address.to_string()]);
        if writes == Writes::Batched {
            command.arg("--batched");
        }
        let centre = Peer::start(command, address, &self.work_dir.join("centre.log")).await?;
        let relay = self.start_relay(centre.address).await?;
        let gateway = self.start_gateway(centre.address).await?;
        Ok(Pair { relay, gateway, writes, _centre: centre })
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

/// Becomes the centre: `yumen bench-centre BIND`.
///
/// # Errors
/// `bind` can't be had.
pub async fn run_centre(bind: SocketAddr, writes: Writes) -> std::io::Result<()> {
    peers::centre(TcpListener::bind(bind).await?, writes).await;
    Ok(())
}

/// Relay and gateway before the same centre.
struct Pair {
    relay: Peer,
    gateway: Peer,
    writes: Writes,
    _centre: Peer,
}

/// One load through both.
struct Round {
    relayed: Outcome,
    relayed_cpu_us: f64,
    proxied: Outcome,
    proxied_cpu_us: f64,
}

pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

const CONNECTIONS: [usize; 3] = [1, 10, 100];
const WINDOW: usize = 10;
const ROUNDS: usize = 5;
