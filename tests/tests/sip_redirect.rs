//! Calls by sipp at the redirect server, over UDP, over TCP, and over UDP that loses 5 % of its datagrams: each is answered
//! as its caller deserves, and judged once. `YUMEN_TEST_CALLS` sets how many (300 unless set).

use anyhow::{Context, Result, ensure};
use std::fmt::Write as _;
use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use yumen_tests::foreign::script;
use yumen_tests::program::{Program, eventually, free_port};
use yumen_tests::site::{Ports, Site};

#[test]
fn calls_over_udp() -> Result<()> {
    let bench = Bench::start()?;
    bench.call("u1", bench.port)?;
    bench.check()
}

#[test]
fn calls_over_tcp() -> Result<()> {
    let bench = Bench::start()?;
    bench.call("t1", bench.port)?;
    bench.check()
}

#[test]
fn calls_while_datagrams_are_lost() -> Result<()> {
    let bench = Bench::start()?;
    let relay = lossy(bench.port)?;
    bench.call("u1", relay)?;
    bench.check()
}

/// An agent with a door for calls, and one caller that it blocks.
struct Bench {
    site: Site,
    _agent: Program,
    port: u16,
    calls: u64,
    dir: tempfile::TempDir,
}

impl Bench {
    fn start() -> Result<Self> {
        let calls = match std::env::var("YUMEN_TEST_CALLS") {
            Ok(count) => count.parse().context("YUMEN_TEST_CALLS")?,
            Err(_) => 300,
        };
        let dir = tempfile::tempdir()?;
        let rules = dir.path().join("rules/calls");
        std::fs::create_dir_all(&rules)?;
        std::fs::write(rules.join("pack.toml"), PACK)?;
        std::fs::write(rules.join("rules.toml"), RULES)?;
        let site = Site { dir: dir.path().to_owned(), ports: Ports::free()? };
        site.build_pack(&dir.path().join("rules"), 1)?;
        let port = free_port()?;
        let door = format!(
            "\n[[sip]]\nname = \"calls\"\nbind = \"127.0.0.1:{port}\"\nnext_hops = [\"127.0.0.1:5099\"]\n\
             redress = \"https://example.com/redress.jws\"\npolicy = {{ ladder = \"enforce\" }}\n\
             on_failure = {{ deadline_ms = 60000 }}\n"
        );
        let agent = site.start_agent("gateway", &site.agent_config("gateway", &door))?;
        Ok(Self { site, _agent: agent, port, calls, dir })
    }

    /// Every third caller is the bad one. sipp fails where an answer isn't the one that its scenario awaits.
    fn call(&self, transport: &str, port: u16) -> Result<()> {
        let csv = self.dir.path().join("callers.csv");
        let mut lines = String::from("SEQUENTIAL\n");
        for call in 0..300 {
            let (caller, status) = if call % 3 == 2 {
                ("+8613800000666".to_owned(), 608)
            } else {
                (format!("+8613900000{call:03}"), 302)
            };
            // Writing to a String doesn't fail.
            let _written = writeln!(lines, "{caller};{status};");
        }
        std::fs::write(&csv, lines)?;
        let mut sipp = Command::new("sipp");
        sipp.current_dir(self.dir.path()).arg(format!("127.0.0.1:{port}"));
        sipp.arg("-sf").arg(script("sip/asked.xml")).arg("-inf").arg(&csv);
        sipp.args(["-i", "127.0.0.1", "-t", transport, "-nostdin", "-r", "200", "-timeout", "600s"]);
        sipp.args(["-m", &self.calls.to_string(), "-trace_err"]);
        let log = self.dir.path().join("sipp.log");
        let status = Program::start("sipp", &mut sipp, &log)?.wait()?;
        ensure!(status.success(), "sipp ended with {status}:\n{}", errors(self.dir.path()));
        Ok(())
    }

    /// What the gateway counted is what was called, each once.
    fn check(&self) -> Result<()> {
        let blocked = (0..self.calls).filter(|call| call % 3 == 2).count() as u64;
        eventually(Duration::from_secs(10), "counted", || {
            Ok(self.counter("judged")? >= self.calls && self.counter("rejected")? >= blocked)
        })?;
        ensure!(
            self.counter("judged")? == self.calls,
            "{} judged of {}",
            self.counter("judged")?,
            self.calls
        );
        ensure!(self.counter("rejected")? == blocked, "{} blocked of {blocked}", self.counter("rejected")?);
        Ok(())
    }

    fn counter(&self, name: &str) -> Result<u64> {
        let url = format!("http://127.0.0.1:{}/metrics", self.site.ports.agent);
        let text = ureq::get(&url).call()?.body_mut().read_to_string()?;
        let start = format!("yumen_listener_{name}_total{{listener=\"calls\"}} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&start)).context(start.clone())?;
        Ok(value.parse()?)
    }
}

fn errors(dir: &Path) -> String {
    let files = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let logs = files.filter(|file| file.file_name().to_string_lossy().contains("errors"));
    logs.filter_map(|file| std::fs::read_to_string(file.path()).ok())
        .map(|text| text.chars().take(3000).collect::<String>())
        .collect()
}

/// A relay of datagrams between one client and `port` that loses every twentieth. It ends with the test's process.
fn lossy(port: u16) -> Result<u16> {
    let front = UdpSocket::bind(("127.0.0.1", 0))?;
    let back = UdpSocket::bind(("127.0.0.1", 0))?;
    back.connect(("127.0.0.1", port))?;
    let own = front.local_addr()?.port();
    let (front_out, back_in) = (front.try_clone()?, back.try_clone()?);
    let client = std::sync::Arc::new(std::sync::OnceLock::new());
    let known = client.clone();
    std::thread::spawn(move || {
        let mut buffer = [0; 65_535];
        let mut number: u32 = 0;
        while let Ok((length, from)) = front.recv_from(&mut buffer) {
            known.get_or_init(|| from);
            number += 1;
            if number % 20 != 7 && back.send(&buffer[..length]).is_err() {
                return;
            }
        }
    });
    std::thread::spawn(move || {
        let mut buffer = [0; 65_535];
        let mut number: u32 = 0;
        while let Ok(length) = back_in.recv(&mut buffer) {
            number += 1;
            let Some(client) = client.get() else { continue };
            if number % 20 != 13 && front_out.send_to(&buffer[..length], client).is_err() {
                return;
            }
        }
    });
    Ok(own)
}

const PACK: &str = "[pack]\nname = \"calls\"\ntitle = \"电话\"\ntitle_en = \"Calls\"\n\n\
    [defaults]\ntypology = \"fraud\"\nladder = \"enforce\"\nchannel = [\"call\"]\n";

/// A rule is tested by texts, so that it has one; the caller's number is what calls are blocked by.
const RULES: &str = "[[rule]]\nid = \"calls/known\"\ntitle = \"已知号码\"\ntitle_en = \"A known number\"\nscore = 95\n\
    channel = [\"sms\", \"call\"]\nmatch.named = { any = [\"已知号码来电\"] }\n\
    when = 'named || sender.number == \"13800000666\"'\nhit = [\"已知号码来电\"]\nmiss = [\"来电提醒\"]\n";
