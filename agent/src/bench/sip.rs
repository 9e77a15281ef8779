//! SIP redirect decisions beside Kamailio, which does a comparable thing (`kamailio.cfg`: one worker, a table, a regular
//! expression, 302), under the same load; and a flood of many times the capacity.
//!
//! CPU time of the whole process is what is compared: it hardly depends on what else the machine does.

use super::proxy::{Peer, free_address};
use super::{BenchError, Figures};
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// What is needed to run it.
#[derive(Clone, Debug)]
pub struct SipBench {
    /// This program, which becomes the redirect server.
    pub program: PathBuf,
    /// A signed pack.
    pub pack: PathBuf,
    /// The keys that may sign it.
    pub trusted_keys: PathBuf,
    /// An empty folder.
    pub work_dir: PathBuf,
    /// How long each run takes.
    pub run_time: Duration,
}

impl SipBench {
    /// Runs all of it; figures are named `sip.…`. Those beside Kamailio are left out where it isn't installed.
    ///
    /// # Errors
    /// A process can't be started, or a call isn't answered.
    pub async fn run(&self, mut progress: impl FnMut(&str)) -> Result<Figures, BenchError> {
        let mut figures = Figures::new();
        let gateway = self.start_gateway().await?;
        let kamailio = if is_installed() { Some(self.start_kamailio().await?) } else { None };
        if kamailio.is_none() {
            progress("SIP: Kamailio isn't installed, so its figures are left out");
        }
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for round in 1..=ROUNDS {
            progress(&format!("SIP, redirect decisions, round {round}"));
            ours.push(self.measure(&gateway).await?);
            if let Some(kamailio) = &kamailio {
                theirs.push(self.measure(kamailio).await?);
            }
        }
        drop(kamailio);
        let own = put(&mut figures, "sip.redirect", &ours);
        if !theirs.is_empty() {
            let their = put(&mut figures, "sip.kamailio", &theirs);
            figures.insert("sip.cpu_ratio".into(), own / their);
        }
        progress("SIP, a flood");
        self.flood(&gateway, own, &mut figures).await?;
        figures.insert("sip.flood_memory_mib".into(), gateway.resident_mib()?);
        Ok(figures)
    }

    /// Calls as fast as the window lets them, for the time of a run.
    async fn measure(&self, peer: &Peer) -> Result<Run, BenchError> {
        let (target, run_time) = (peer.address, self.run_time);
        let before = cpu_time(peer.id())?;
        let calls = on_thread(move || closed_loop(target, run_time)).await??;
        let cpu = cpu_time(peer.id())?.saturating_sub(before);
        Ok(Run { calls, cpu, seconds: run_time.as_secs_f64() })
    }

    /// A few callers ask for as much as can be sent, while others call as ever.
    async fn flood(&self, gateway: &Peer, cpu_us: f64, figures: &mut Figures) -> Result<(), BenchError> {
        let (target, run_time) = (gateway.address, self.run_time);
        let flooding = on_thread(move || flood(target, run_time));
        let honest = on_thread(move || honest(target, run_time));
        let (offered, latencies) = tokio::join!(flooding, honest);
        let (offered, mut latencies) = (offered??, latencies??);
        latencies.sort_unstable();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let (offered, sent) = (offered as f64 / run_time.as_secs_f64(), latencies.len().max(1) as f64);
        let answered: Vec<f64> =
            latencies.iter().flatten().map(|latency| latency.as_secs_f64() * 1000.0).collect();
        let capacity = 1e6 / cpu_us;
        figures.insert("sip.flood_offered_per_s".into(), offered);
        figures.insert("sip.flood_times_capacity".into(), offered / capacity);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let share = answered.len() as f64 / sent;
        figures.insert("sip.flood_honest_answered".into(), share);
        // Who has no answer counts as late, not as left out.
        let at = latencies.len() / 2;
        let mut all: Vec<f64> =
            latencies.iter().map(|of| of.map_or(f64::INFINITY, |of| of.as_secs_f64() * 1000.0)).collect();
        all.sort_by(f64::total_cmp);
        figures.insert("sip.flood_honest_p50_ms".into(), all.get(at).copied().unwrap_or(f64::NAN));
        Ok(())
    }

    async fn start_gateway(&self) -> Result<Peer, BenchError> {
        let (address, http) = (free_address()?, free_address()?);
        let config = self.work_dir.join("sip.toml");
        let text = format!(
            "member = \"bench\"\nagent = \"bench\"\ndata_dir = {data:?}\n\n[log]\nlevel = \"error\"\n\n\
             [http]\nbind = \"{http}\"\n\n[pack]\nfile = {pack:?}\ntrusted_keys = {keys:?}\n\n\
             [[sip]]\nname = \"bench\"\nbind = \"{address}\"\nnext_hops = [\"127.0.0.1:5099\"]\n\
             transactions_max = 200000\npolicy = {{ ladder = \"enforce\" }}\n",
            data = self.work_dir.join("sip"),
            pack = self.pack,
            keys = self.trusted_keys,
        );
        std::fs::write(&config, text)?;
        let mut command = Command::new(&self.program);
        command.arg("run").arg("--config").arg(&config);
        // UDP and TCP are on one port.
        Peer::start(command, address, &self.work_dir.join("sip.log")).await
    }

    async fn start_kamailio(&self) -> Result<Peer, BenchError> {
        let address = free_address()?;
        let config = self.work_dir.join("kamailio.cfg");
        std::fs::write(&config, include_str!("kamailio.cfg"))?;
        let home = self.work_dir.join("kamailio");
        std::fs::create_dir_all(&home)?;
        let mut command = Command::new("kamailio");
        command.arg("-f").arg(&config).args(["-DD", "-E", "-m", "64", "-M", "8"]);
        command.args(["-l", &format!("udp:{address}"), "-l", &format!("tcp:{address}")]);
        command.arg("-Y").arg(&home).arg("-P").arg(home.join("pid"));
        Peer::start(command, address, &self.work_dir.join("kamailio.log")).await
    }
}

/// One run.
#[derive(Clone, Copy, Debug)]
struct Run {
    calls: u64,
    cpu: Duration,
    seconds: f64,
}

/// Medians of the runs; returns the CPU time a call in microseconds.
fn put(figures: &mut Figures, name: &str, runs: &[Run]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let calls = |run: &Run| run.calls.max(1) as f64;
    let cpu_us =
        super::proxy::median(runs.iter().map(|run| run.cpu.as_secs_f64() * 1e6 / calls(run)).collect());
    figures.insert(format!("{name}_cpu_us_per_call"), cpu_us);
    figures.insert(format!("{name}_calls_per_core_s"), 1e6 / cpu_us);
    let per_s = super::proxy::median(runs.iter().map(|run| calls(run) / run.seconds).collect());
    figures.insert(format!("{name}_calls_per_s"), per_s);
    cpu_us
}

async fn on_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, BenchError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| BenchError::Peer("a generator died".to_owned()))
}

/// Keeps [`WINDOW`] calls open: each gets its answer, and its ACK. Returns how many were answered with 302.
fn closed_loop(target: SocketAddr, run_time: Duration) -> Result<u64, BenchError> {
    let mut caller = Caller::new(target)?;
    let (mut open, mut answered) = (0, 0);
    let started = Instant::now();
    let mut heard = started;
    loop {
        let sending = started.elapsed() < run_time;
        while sending && open < WINDOW {
            caller.invite(CALLERS)?;
            open += 1;
        }
        match caller.answer()? {
            Some(call) => {
                caller.ack(call)?;
                (open, answered) = (open - 1, answered + 1);
                heard = Instant::now();
            }
            // What was lost isn't sent again here.
            None if heard.elapsed() > SILENCE => open = 0,
            None => {}
        }
        if !sending && open == 0 {
            return Ok(answered);
        }
    }
}

/// Sends as fast as it can, in the names of a few callers; returns how many.
fn flood(target: SocketAddr, run_time: Duration) -> Result<u64, BenchError> {
    let mut caller = Caller::new(target)?;
    caller.socket.set_nonblocking(true)?;
    let started = Instant::now();
    let mut sent = 0;
    while started.elapsed() < run_time {
        for _ in 0..64 {
            // What the system doesn't take wasn't sent.
            sent += u64::from(caller.invite(FLOODERS).is_ok());
        }
        // Answers would fill the socket.
        while caller.socket.recv(&mut caller.input).is_ok() {}
    }
    Ok(sent)
}

/// Calls now and then, each by another caller; how long each answer took, `None` where there was none.
fn honest(target: SocketAddr, run_time: Duration) -> Result<Vec<Option<Duration>>, BenchError> {
    let mut caller = Caller::new(target)?;
    caller.next = 500_000_000;
    let started = Instant::now();
    let mut latencies = Vec::new();
    while started.elapsed() < run_time {
        let sent = Instant::now();
        let call = caller.invite(CALLERS)?;
        let answered = loop {
            match caller.answer()? {
                Some(of) if of == call => {
                    caller.ack(call)?;
                    break Some(sent.elapsed());
                }
                Some(_) => {}
                None if sent.elapsed() > SILENCE => break None,
                None => {}
            }
        };
        latencies.push(answered);
        #[expect(clippy::disallowed_methods, reason = "a thread of its own paces itself")]
        std::thread::sleep(HONEST_PAUSE);
    }
    Ok(latencies)
}

/// Writes INVITEs and reads answers, as cheaply as it can.
struct Caller {
    socket: UdpSocket,
    local: SocketAddr,
    next: u64,
    output: Vec<u8>,
    input: Vec<u8>,
}

impl Caller {
    fn new(target: SocketAddr) -> std::io::Result<Self> {
        let socket = UdpSocket::bind(("127.0.0.1", 0))?;
        socket.connect(target)?;
        socket.set_read_timeout(Some(Duration::from_millis(20)))?;
        let local = socket.local_addr()?;
        Ok(Self { socket, local, next: 0, output: Vec::new(), input: vec![0; 4096] })
    }

    /// One more call, by one of so many callers; returns its number.
    fn invite(&mut self, callers: u64) -> std::io::Result<u64> {
        let call = self.next;
        self.next += 1;
        self.write("INVITE", call, callers, BODY);
        self.socket.send(&self.output)?;
        Ok(call)
    }

    fn ack(&mut self, call: u64) -> std::io::Result<()> {
        self.write("ACK", call, CALLERS, "");
        self.socket.send(&self.output)?;
        Ok(())
    }

    fn write(&mut self, method: &str, call: u64, callers: u64, body: &str) {
        use std::io::Write as _;
        let (local, caller) = (self.local, call % callers);
        self.output.clear();
        // Writing to a Vec doesn't fail.
        let _written = write!(
            self.output,
            "{method} sip:0755{callee:08}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK{call}x{port};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:+86139{caller:08}@{local}>;tag=f{call}\r\nTo: <sip:0755{callee:08}@127.0.0.1>\r\n\
             Call-ID: {call}.{port}@127.0.0.1\r\nCSeq: 1 {method}\r\nContact: <sip:+86139{caller:08}@{local}>\r\n\
             User-Agent: bench 1.0\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\nSupported: timer, 100rel\r\n\
             Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{body}",
            callee = call.wrapping_mul(7919) % 100_000_000,
            port = local.port(),
            length = body.len(),
        );
    }

    /// The number of the call that the next final answer is for.
    fn answer(&mut self) -> Result<Option<u64>, BenchError> {
        let length = match self.socket.recv(&mut self.input) {
            Ok(length) => length,
            Err(error)
                if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let text = self.input.get(..length).unwrap_or_default();
        if !text.starts_with(b"SIP/2.0 302") {
            return Ok(None);
        }
        let mark = b"branch=z9hG4bK";
        let at = text.windows(mark.len()).position(|window| window == mark);
        let digits = at.and_then(|at| text.get(at + mark.len()..)).unwrap_or_default();
        let end = digits.iter().position(|octet| !octet.is_ascii_digit()).unwrap_or(0);
        Ok(std::str::from_utf8(digits.get(..end).unwrap_or_default()).ok().and_then(|of| of.parse().ok()))
    }
}

/// User and system time of a process and of those that it started.
fn cpu_time(process: u32) -> Result<Duration, BenchError> {
    let mut ticks = 0;
    let mut family = vec![process];
    let mut all = Vec::new();
    for entry in std::fs::read_dir("/proc")?.flatten() {
        if let Some(stat) = read_stat(&entry.path()) {
            all.push(stat);
        }
    }
    // A parent is found before its children in few enough rounds.
    for _ in 0..FAMILY_DEPTH {
        for stat in &all {
            if family.contains(&stat.parent) && !family.contains(&stat.process) {
                family.push(stat.process);
            }
        }
    }
    for stat in all.iter().filter(|stat| family.contains(&stat.process)) {
        ticks += stat.ticks;
    }
    Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_S))
}

struct Stat {
    process: u32,
    parent: u32,
    ticks: u64,
}

fn read_stat(dir: &Path) -> Option<Stat> {
    let process = dir.file_name()?.to_str()?.parse().ok()?;
    let text = std::fs::read_to_string(dir.join("stat")).ok()?;
    // The name, in brackets, may hold anything.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Stat { process, parent: u32::try_from(number(1)?).ok()?, ticks: number(11)? + number(12)? })
}

fn is_installed() -> bool {
    Command::new("kamailio").arg("-v").output().is_ok_and(|output| output.status.success())
}

const BODY: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 49170 RTP/AVP 8 0 101\r\n\
    a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";
/// Calls open at a time.
const WINDOW: u64 = 32;
const CALLERS: u64 = 50_000;
const FLOODERS: u64 = 4;
const HONEST_PAUSE: Duration = Duration::from_millis(2);
/// Longer than any answer takes that isn't lost.
const SILENCE: Duration = Duration::from_millis(500);
const ROUNDS: usize = 3;
/// `USER_HZ`: the same on every Linux that this runs on.
const TICKS_PER_S: u64 = 100;
const FAMILY_DEPTH: usize = 4;
