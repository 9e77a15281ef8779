//! An agent with a door for calls that knows one bad caller, sipp and Kamailio around it, and a relay that loses datagrams.

use crate::foreign::script;
use crate::program::{Program, free_port};
use crate::site::{Ports, Site};
use anyhow::{Context, Result, ensure};
use std::fmt::Write as _;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How many calls a test makes: `YUMEN_TEST_CALLS`, or so many.
///
/// # Errors
/// The variable isn't a number.
pub fn calls(usual: u64) -> Result<u64> {
    match std::env::var("YUMEN_TEST_CALLS") {
        Ok(count) => count.parse().context("YUMEN_TEST_CALLS"),
        Err(_) => Ok(usual),
    }
}

/// An agent with a door for calls, and one caller that it blocks.
#[derive(Debug)]
pub struct Door {
    /// Its files and ports.
    pub site: Site,
    /// It runs as long as this is there.
    pub agent: Program,
    /// Where it takes calls.
    pub port: u16,
    /// Everything is in it.
    pub dir: tempfile::TempDir,
}

impl Door {
    /// Starts it; `settings` are lines of `[[sip]]`, next hops included.
    ///
    /// # Errors
    /// The agent doesn't start.
    pub fn start(settings: &str) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let rules = dir.path().join("rules/calls");
        std::fs::create_dir_all(&rules)?;
        std::fs::write(rules.join("pack.toml"), PACK)?;
        std::fs::write(rules.join("rules.toml"), RULES)?;
        let site = Site { dir: dir.path().to_owned(), ports: Ports::free()? };
        site.build_pack(&dir.path().join("rules"), 1)?;
        let port = free_port()?;
        let door = format!(
            "\n[[sip]]\nname = \"calls\"\nbind = \"127.0.0.1:{port}\"\n\
             redress = \"https://example.com/redress.jws\"\npolicy = {{ ladder = \"enforce\" }}\n\
             on_failure = {{ deadline_ms = 60000 }}\n{settings}\n"
        );
        let agent = site.start_agent("gateway", &site.agent_config("gateway", &door))?;
        Ok(Self { site, agent, port, dir })
    }

    /// What the door counted.
    ///
    /// # Errors
    /// The agent doesn't answer, or counts nothing of that name.
    pub fn counter(&self, name: &str) -> Result<u64> {
        let url = format!("http://127.0.0.1:{}/metrics", self.site.ports.agent);
        let text = ureq::get(&url).call()?.body_mut().read_to_string()?;
        let start = format!("yumen_listener_{name}_total{{listener=\"calls\"}} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&start)).context(start.clone())?;
        Ok(value.parse()?)
    }

    /// sipp with a scenario of `peers/sip`, towards `port`.
    ///
    /// # Errors
    /// A call didn't go as the scenario says.
    pub fn sipp(&self, scenario: &str, transport: &str, port: u16, calls: u64, more: &[&str]) -> Result<()> {
        let dir = self.dir.path();
        let mut sipp = Command::new("sipp");
        sipp.current_dir(dir).arg(format!("127.0.0.1:{port}"));
        sipp.arg("-sf").arg(script("sip").join(scenario));
        sipp.args(["-i", "127.0.0.1", "-t", transport, "-nostdin", "-timeout", "3000s", "-trace_err"]);
        sipp.args(["-p", &free_port()?.to_string(), "-m", &calls.to_string()]).args(more);
        let mut program = Program::start("sipp", &mut sipp, &dir.join("sipp.log"))?;
        let status = program.wait_for(std::time::Duration::from_secs(3000))?;
        ensure!(status.success(), "sipp ended with {status}:\n{}", errors(dir));
        Ok(())
    }
}

/// A callee by sipp, with a scenario of `peers/sip`; it ends with the value.
#[derive(Debug)]
pub struct Callee {
    /// Where it takes calls.
    pub port: u16,
    stat: std::path::PathBuf,
    _program: Program,
}

impl Callee {
    /// Starts it in a folder.
    ///
    /// # Errors
    /// It doesn't start.
    pub fn start(dir: &Path, scenario: &str, transport: &str) -> Result<Self> {
        let port = free_port()?;
        let stat = dir.join(format!("callee-{port}.csv"));
        let mut sipp = Command::new("sipp");
        sipp.current_dir(dir).arg("-sf").arg(script("sip").join(scenario));
        sipp.args(["-i", "127.0.0.1", "-t", transport, "-nostdin", "-p", &port.to_string()]);
        sipp.arg("-trace_stat").arg("-stf").arg(&stat).args(["-fd", "1"]);
        let mut program = Program::start("sipp", &mut sipp, &dir.join(format!("callee-{port}.log")))?;
        program.wait_until(|| stat.exists())?;
        Ok(Self { port, stat, _program: program })
    }

    /// A figure of its statistics, as of a second ago.
    ///
    /// # Errors
    /// It keeps none of that name.
    pub fn figure(&self, name: &str) -> Result<u64> {
        let text = std::fs::read_to_string(&self.stat)?;
        let at = text.lines().next().and_then(|line| line.split(';').position(|column| column == name));
        let value = text.lines().last().and_then(|line| line.split(';').nth(at?));
        value.and_then(|value| value.parse().ok()).with_context(|| format!("no {name}"))
    }
}

/// Kamailio with `peers/sip/kamailio.cfg`: everything that begins goes to `next`.
///
/// # Errors
/// It isn't installed, or doesn't start.
pub fn kamailio(dir: &Path, next: &str) -> Result<(Program, u16)> {
    let kamailio = start_kamailio(dir, next, None)?;
    Ok((kamailio.program, kamailio.udp))
}

/// A Kamailio and its ports.
#[derive(Debug)]
pub struct Kamailio {
    /// It runs as long as this is there.
    pub program: Program,
    /// Where it takes UDP and TCP.
    pub udp: u16,
    /// Where it takes TLS; 0 where it doesn't.
    pub tls: u16,
}

/// What a Kamailio shows, and whom it believes.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The authority of its peers.
    pub ca: PathBuf,
    /// Its certificate.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// As [`kamailio`], and over TLS too; peers that show a certificate show a good one.
///
/// # Errors
/// It isn't installed, or doesn't start.
pub fn kamailio_tls(dir: &Path, next: &str, certificate: &Certificate) -> Result<Kamailio> {
    start_kamailio(dir, next, Some(certificate))
}

fn start_kamailio(dir: &Path, next: &str, certificate: Option<&Certificate>) -> Result<Kamailio> {
    let port = free_port()?;
    let mut tls = 0;
    let home = dir.join(format!("kamailio-{port}"));
    std::fs::create_dir_all(&home)?;
    let mut command = Command::new("kamailio");
    command.arg("-f").arg(script("sip/kamailio.cfg")).args(["-DD", "-E", "-m", "64", "-M", "8"]);
    command.args(["-l", &format!("udp:127.0.0.1:{port}"), "-l", &format!("tcp:127.0.0.1:{port}")]);
    command.arg("-Y").arg(&home).arg("-P").arg(home.join("pid"));
    command.args(["-A", &format!("NEXT=\"{next}\"")]);
    if let Some(Certificate { ca, cert, key }) = certificate {
        tls = free_port()?;
        command.args(["-A", "WITH_TLS", "-l", &format!("tls:127.0.0.1:{tls}")]);
        for (name, file) in [("CA", ca), ("CERT", cert), ("KEY", key)] {
            command.args(["-A", &format!("{name}=\"{}\"", file.display())]);
        }
    }
    let mut program = Program::start("kamailio", &mut command, &home.join("log"))?;
    program.wait_until(|| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok())?;
    Ok(Kamailio { program, udp: port, tls })
}

/// Writes the callers of sipp's `-inf`: every third is the bad one, with the status that it gets.
///
/// # Errors
/// The file can't be written.
pub fn callers(file: &Path, honest: u16) -> Result<()> {
    let mut lines = String::from("SEQUENTIAL\n");
    for call in 0..300 {
        let (caller, status) = if call % 3 == 2 {
            (BAD_CALLER.to_owned(), 608)
        } else {
            (format!("+8613900000{call:03}"), honest)
        };
        // Writing to a String doesn't fail.
        let _written = writeln!(lines, "{caller};{status};");
    }
    Ok(std::fs::write(file, lines)?)
}

fn errors(dir: &Path) -> String {
    let files = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let logs = files.filter(|file| file.file_name().to_string_lossy().contains("errors"));
    logs.filter_map(|file| std::fs::read_to_string(file.path()).ok())
        .map(|text| text.chars().take(3000).collect::<String>())
        .collect()
}

/// A relay of datagrams between one client and `port` that loses every twentieth. It ends with the test's process.
///
/// # Errors
/// The system has no ports.
pub fn lossy(port: u16) -> Result<u16> {
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
            if number % 20 != 7 {
                // Refused while the other side isn't there yet: lost like any other.
                let _sent = back.send(&buffer[..length]);
            }
        }
    });
    std::thread::spawn(move || {
        let mut buffer = [0; 65_535];
        let mut number: u32 = 0;
        loop {
            let Ok(length) = back_in.recv(&mut buffer) else { continue };
            number += 1;
            let Some(client) = client.get() else { continue };
            if number % 20 != 13 && front_out.send_to(&buffer[..length], client).is_err() {
                return;
            }
        }
    });
    Ok(own)
}

/// The caller that the door blocks.
pub const BAD_CALLER: &str = "+8613800000666";

const PACK: &str = "[pack]\nname = \"calls\"\ntitle = \"电话\"\ntitle_en = \"Calls\"\n\n\
    [defaults]\ntypology = \"fraud\"\nladder = \"enforce\"\nchannel = [\"call\"]\n";

/// A rule is tested by texts, so that it has one; the caller's number is what calls are blocked by.
const RULES: &str = "[[rule]]\nid = \"calls/known\"\ntitle = \"已知号码\"\ntitle_en = \"A known number\"\nscore = 95\n\
    channel = [\"sms\", \"call\"]\nmatch.named = { any = [\"已知号码来电\"] }\n\
    when = 'named || sender.number == \"13800000666\"'\nhit = [\"已知号码来电\"]\nmiss = [\"来电提醒\"]\n";
