//! Processes that take part: this program again, as relay, gateway or centre.

use super::BenchError;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// A process that listens.
pub(super) struct Peer {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Peer {
    /// Starts it and waits until it takes connections.
    pub(super) async fn start(
        mut command: Command,
        address: SocketAddr,
        log: &Path,
    ) -> Result<Self, BenchError> {
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

    /// The process.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory.
    pub(super) fn resident_mib(&self) -> Result<f64, BenchError> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kib = status
            .lines()
            .find_map(|line| {
                line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok()
            })
            .ok_or_else(|| BenchError::Peer("no VmRSS".to_owned()))?;
        Ok(kib / 1024.0)
    }

    /// The processor's time that it had so far, its own and the system's for it, in seconds.
    pub(super) fn cpu_s(&self) -> Result<f64, BenchError> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name, in parentheses, may hold anything; behind it `utime` and `stime` are the 12th and 13th (proc(5)).
        let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().skip(11).take(2));
        let ticks: Option<f64> =
            fields.map(|fields| fields.filter_map(|field| field.parse::<f64>().ok()).sum());
        ticks.map(|ticks| ticks / TICKS_PER_S).ok_or_else(|| BenchError::Peer("no CPU time".to_owned()))
    }
}

/// An address that nobody listens at.
pub(super) fn free_address() -> std::io::Result<SocketAddr> {
    std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

const START_TIME_MAX: Duration = Duration::from_secs(60);
/// `USER_HZ`: 100 on every Linux that this runs on.
const TICKS_PER_S: f64 = 100.0;
