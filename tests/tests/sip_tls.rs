//! Calls over TLS: Kamailio at the redirect server, and on both sides of the proxy, with certificates that are checked.

use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use yumen_tests::program::{eventually, free_port};
use yumen_tests::sip::{BAD_CALLER, Callee, Certificate, Door, calls, kamailio, kamailio_tls};

const HONEST: [&str; 2] = ["caller", "+8613900000001"];

/// Kamailio asks over TLS, and follows the 302 to the callee.
#[test]
fn kamailio_asks_the_redirect_server_over_tls() -> Result<()> {
    let calls = calls(60)?;
    let dir = tempfile::tempdir()?;
    let certificates = Certificates::make(dir.path())?;
    let callee = Callee::start(dir.path(), "answers.xml", "u1")?;
    let port = free_port()?;
    let door =
        Door::start(&format!("next_hops = [\"127.0.0.1:{}\"]\n{}", callee.port, certificates.door(port)))?;
    let asks = kamailio_tls(dir.path(), &over_tls(port), &certificates.kamailio())?;
    run(&door, asks.udp, calls)?;
    arrived(&callee, calls)
}

/// sipp → Kamailio → TLS → proxy → TLS → Kamailio → sipp, every request of each dialog.
#[test]
fn kamailio_on_both_sides_of_the_proxy_over_tls() -> Result<()> {
    let calls = calls(60)?;
    let dir = tempfile::tempdir()?;
    let certificates = Certificates::make(dir.path())?;
    let callee = Callee::start(dir.path(), "answers.xml", "u1")?;
    let callee_at = format!("sip:127.0.0.1:{}", callee.port);
    let behind = kamailio_tls(dir.path(), &callee_at, &certificates.kamailio())?;
    let port = free_port()?;
    let door = Door::start(&format!(
        "mode = \"proxy\"\nnext_hops = [\"127.0.0.1:{};transport=tls\"]\n\
         proxy = {{ keepalive_s = 1, hop_timeout_ms = 3000, hop_tls = {{ ca = {:?} }} }}\n{}",
        behind.tls,
        certificates.path("ca.pem"),
        certificates.door(port),
    ))?;
    let before = kamailio_tls(dir.path(), &over_tls(port), &certificates.kamailio())?;
    run(&door, before.udp, calls)?;
    arrived(&callee, calls)?;
    eventually(Duration::from_secs(10), "every call was seen to be answered", || {
        Ok(door.counter("calls_answered")? == calls)
    })
}

/// A hop whose certificate comes from somebody else isn't spoken to: the call goes to the next one.
#[test]
fn a_hop_with_a_strange_certificate_is_passed_over() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let strange_dir = dir.path().join("strange");
    std::fs::create_dir(&strange_dir)?;
    let (certificates, strange) = (Certificates::make(dir.path())?, Certificates::make(&strange_dir)?);
    let callee = Callee::start(dir.path(), "answers.xml", "u1")?;
    let nowhere = kamailio_tls(&strange_dir, &format!("sip:127.0.0.1:{}", callee.port), &strange.kamailio())?;
    let door = Door::start(&format!(
        "mode = \"proxy\"\nnext_hops = [\"127.0.0.1:{};transport=tls\", \"127.0.0.1:{}\"]\n\
         proxy = {{ keepalive_s = 0, hop_timeout_ms = 2000, hop_tls = {{ ca = {:?} }} }}",
        nowhere.tls,
        callee.port,
        certificates.path("ca.pem"),
    ))?;
    let (_kamailio, port) = kamailio(dir.path(), &format!("sip:127.0.0.1:{}", door.port))?;
    door.sipp("calls.xml", "u1", port, 10, &["-r", "10", "-key", HONEST[0], HONEST[1]])?;
    arrived(&callee, 10)?;
    ensure!(door.counter("hop_failovers")? >= 1, "the strange hop wasn't tried");
    Ok(())
}

fn over_tls(port: u16) -> String {
    format!("sip:127.0.0.1:{port};transport=tls")
}

/// As many refused ones as honest ones.
fn run(door: &Door, port: u16, calls: u64) -> Result<()> {
    door.sipp("calls.xml", "u1", port, calls, &["-r", "50", "-key", HONEST[0], HONEST[1]])?;
    door.sipp("refused.xml", "u1", port, calls, &["-r", "50", "-key", "caller", BAD_CALLER])?;
    let (judged, rejected) = (door.counter("judged")?, door.counter("rejected")?);
    ensure!((judged, rejected) == (2 * calls, calls), "{judged} judged, {rejected} refused of {calls}");
    Ok(())
}

fn arrived(callee: &Callee, calls: u64) -> Result<()> {
    eventually(Duration::from_secs(15), "every honest call arrived, once", || {
        Ok(callee.figure("TotalCallCreated")? == calls && callee.figure("SuccessfulCall(C)")? == calls)
    })
}

/// An authority of a test's own, and a certificate for 127.0.0.1.
struct Certificates {
    dir: PathBuf,
}

impl Certificates {
    fn make(dir: &Path) -> Result<Self> {
        let script = "
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test-ca -keyout ca.key -out ca.pem
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=127.0.0.1 -keyout own.key -out own.csr
            printf 'subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n' > own.ext
            openssl x509 -req -in own.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile own.ext -out own.pem";
        let output =
            Command::new("sh").arg("-ec").arg(script).current_dir(dir).output().context("openssl")?;
        ensure!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
        Ok(Self { dir: dir.to_owned() })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Settings of a door.
    fn door(&self, port: u16) -> String {
        let (cert, key) = (self.path("own.pem"), self.path("own.key"));
        format!("tls = {{ bind = \"127.0.0.1:{port}\", files = {{ cert = {cert:?}, key = {key:?} }} }}")
    }

    fn kamailio(&self) -> Certificate {
        Certificate { ca: self.path("ca.pem"), cert: self.path("own.pem"), key: self.path("own.key") }
    }
}
