//! A flood at both doors for calls: a few callers send as fast as a thread can, others call as ever. Honest calls are answered all the while,
//! memory stays where it is, and afterwards everything is as before. `YUMEN_TEST_FLOOD_S` sets how long (3 seconds unless set); how
//! fast honest callers are answered is printed, and measured by `yumen bench --only sip`.

use anyhow::{Context, Result, ensure};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use yumen_tests::sip::Door;

/// Resident memory of an agent with its pack, and all that a flood may add.
const MEMORY_MIB_MAX: u64 = 256;
/// Of the honest calls, so many percent at least are answered while the flood lasts, each within [`PATIENCE`].
const ANSWERED_PERCENT_MIN: usize = 90;
/// A caller's own timers send again after 500 ms; sockets overflow, so that a datagram may be lost.
const PATIENCE: Duration = Duration::from_secs(4);
const FLOODERS: u64 = 4;

#[test]
fn honest_calls_pass_the_redirect_server_while_others_flood_it() -> Result<()> {
    let mut door = Door::start("next_hops = [\"127.0.0.1:5099\"]\ntransactions_max = 20000")?;
    flooded(&mut door)
}

#[test]
fn honest_calls_pass_the_proxy_while_others_flood_it() -> Result<()> {
    let hop = Hop::start()?;
    let mut door = Door::start(&format!(
        "mode = \"proxy\"\nnext_hops = [\"{}\"]\ntransactions_max = 20000\nproxy = {{ keepalive_s = 0 }}",
        hop.address
    ))?;
    flooded(&mut door)
}

fn flooded(door: &mut Door) -> Result<()> {
    let target = SocketAddr::from(([127, 0, 0, 1], door.port));
    let lasts = Duration::from_secs(match std::env::var("YUMEN_TEST_FLOOD_S") {
        Ok(seconds) => seconds.parse().context("YUMEN_TEST_FLOOD_S")?,
        Err(_) => 3,
    });
    // What is made at the first call is there before.
    honest(target, Duration::from_millis(200), 0)?;
    let before = resident_mib(door)?;
    let flood = thread::spawn(move || flood(target, lasts));
    let mut latencies = honest(target, lasts, 1_000_000)?;
    let offered = flood.join().map_err(|_| anyhow::anyhow!("the flooder died"))??;
    let after = resident_mib(door)?;
    ensure!(door.agent.is_running(), "the agent died");
    let judged = door.counter("judged")?;
    let answered = latencies.iter().filter(|latency| latency.is_some()).count();
    latencies.sort_by_key(|latency| latency.unwrap_or(Duration::MAX));
    println!(
        "{offered} offered, {judged} judged ({:.1} times); {answered} of {} honest calls answered, half within {:?}; {before} → {after} MiB",
        offered as f64 / judged.max(1) as f64,
        latencies.len(),
        latencies[latencies.len() / 2]
    );
    ensure!(offered > 2 * judged, "{offered} offered, {judged} judged: that was no flood");
    ensure!(answered * 100 >= latencies.len() * ANSWERED_PERCENT_MIN, "{answered} of {}", latencies.len());
    ensure!(after < MEMORY_MIB_MAX, "{after} MiB after the flood, {before} before");
    // Everybody is served again, those who flooded too.
    let calm = Instant::now();
    loop {
        let latencies = honest(target, Duration::from_millis(300), 2_000_000)?;
        if latencies.len() >= 5 && latencies.iter().all(Option::is_some) {
            return Ok(());
        }
        ensure!(calm.elapsed() < Duration::from_secs(30), "calls are still lost after the flood");
    }
}

/// Sends as fast as it can, in the names of a few callers; returns how many.
fn flood(target: SocketAddr, lasts: Duration) -> Result<u64> {
    let mut caller = Caller::new(target)?;
    caller.socket.set_nonblocking(true)?;
    let began = Instant::now();
    let mut sent = 0;
    while began.elapsed() < lasts {
        for _ in 0..64 {
            let text = caller.write("INVITE", sent, 90_000_000 + sent % FLOODERS);
            // What the system doesn't take wasn't sent.
            sent += u64::from(caller.socket.send(text.as_bytes()).is_ok());
        }
        while caller.socket.recv(&mut caller.input).is_ok() {}
    }
    Ok(sent)
}

/// Calls one after the other, each by another caller; how long each final answer took. A call that isn't answered is asked again as a caller's
/// timer A does.
fn honest(target: SocketAddr, lasts: Duration, first: u64) -> Result<Vec<Option<Duration>>> {
    let mut caller = Caller::new(target)?;
    caller.socket.set_read_timeout(Some(Duration::from_millis(500)))?;
    let began = Instant::now();
    let mut latencies = Vec::new();
    let mut call = first;
    while began.elapsed() < lasts {
        call += 1;
        let invite = caller.write("INVITE", call, call);
        let sent = Instant::now();
        let mut answered = None;
        caller.socket.send(invite.as_bytes())?;
        while answered.is_none() && sent.elapsed() < PATIENCE {
            match caller.socket.recv(&mut caller.input) {
                Ok(length) => {
                    let text = String::from_utf8_lossy(&caller.input[..length]);
                    let own = text.contains(&format!("Call-ID: {call}."));
                    // 503 is no service.
                    let is_final = text.starts_with("SIP/2.0 302") || text.starts_with("SIP/2.0 486");
                    answered = (own && is_final).then(|| sent.elapsed());
                }
                Err(_) => drop(caller.socket.send(invite.as_bytes())?),
            }
        }
        let ack = caller.write("ACK", call, call);
        caller.socket.send(ack.as_bytes())?;
        latencies.push(answered);
        #[expect(clippy::disallowed_methods, reason = "a thread of its own paces itself")]
        thread::sleep(Duration::from_millis(5));
    }
    Ok(latencies)
}

struct Caller {
    socket: UdpSocket,
    local: SocketAddr,
    input: Vec<u8>,
}

impl Caller {
    fn new(target: SocketAddr) -> Result<Self> {
        let socket = UdpSocket::bind(("127.0.0.1", 0))?;
        socket.connect(target)?;
        let local = socket.local_addr()?;
        Ok(Self { socket, local, input: vec![0; 65_535] })
    }

    fn write(&self, method: &str, call: u64, caller: u64) -> String {
        let (local, port) = (self.local, self.local.port());
        format!(
            "{method} sip:07550000{callee:04}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK{call}x{port};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:+86139{caller:08}@{local}>;tag=f{call}\r\nTo: <sip:07550000{callee:04}@127.0.0.1>\r\n\
             Call-ID: {call}.{port}@127.0.0.1\r\nCSeq: 1 {method}\r\nContact: <sip:+86139{caller:08}@{local}>\r\nContent-Length: 0\r\n\r\n",
            callee = call % 10_000,
        )
    }
}

/// Behind the proxy: everybody is busy. It ends with the value.
struct Hop {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
}

impl Hop {
    fn start() -> Result<Self> {
        let socket = UdpSocket::bind(("127.0.0.1", 0))?;
        socket.set_read_timeout(Some(Duration::from_millis(200)))?;
        let (address, stop) = (socket.local_addr()?, Arc::new(AtomicBool::new(false)));
        let stopped = stop.clone();
        thread::spawn(move || {
            let mut input = vec![0; 65_535];
            while !stopped.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut input) else { continue };
                let text = String::from_utf8_lossy(&input[..length]);
                if !text.starts_with("INVITE ") {
                    continue;
                }
                let copied = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
                let head: String = text
                    .lines()
                    .filter(|line| copied.iter().any(|name| line.starts_with(name)))
                    .map(|line| {
                        if line.starts_with("To:") {
                            format!("{line};tag=b\r\n")
                        } else {
                            format!("{line}\r\n")
                        }
                    })
                    .collect();
                let answer = format!("SIP/2.0 486 Busy Here\r\n{head}Content-Length: 0\r\n\r\n");
                // Sent again by the proxy, should it be lost.
                let _sent = socket.send_to(answer.as_bytes(), from);
            }
        });
        Ok(Self { address, stop })
    }
}

impl Drop for Hop {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn resident_mib(door: &Door) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", door.agent.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? / 1024)
}
