//! `yumen tap` on loopback, while npm's SMPP centre and sipp talk there. Needs CAP_NET_RAW, as an operator does.

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use yumen_tests::foreign::NpmCentre;
use yumen_tests::peer::smpp::Esme;
use yumen_tests::program::{PATIENCE, Program, eventually, free_port, path};

/// Numbers of this test alone: others talk on loopback, too.
const VICTIM: &str = "8613900007701";
const FRIEND: &str = "8613900007702";
const CALLEE: &str = "95577";

#[test]
fn what_passes_loopback_is_judged() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let (smsc, callee) = (free_port()?, free_port()?);
    let _centre = NpmCentre::start(dir.path(), smsc)?;
    let _callee = sipp(dir.path(), "uas", &["-sn", "uas", "-p", &callee.to_string()])?;
    let mut tap = Program::start(
        "yumen tap",
        Command::new(path("yumen")?)
            .args(["tap", "--interface", "lo", "--json"])
            .env("XDG_CACHE_HOME", dir.path()),
        &dir.path().join("tap.log"),
    )?;
    eventually(PATIENCE, "the tap listens", || {
        let log = tap.log();
        ensure!(!log.contains("CAP_NET_RAW"), "this test must run with CAP_NET_RAW (as root): {log}");
        Ok(log.contains("listening"))
    })?;

    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let esme = Esme::bind(("127.0.0.1", smsc), "own").await?;
        let sent = esme.submit("10690000", VICTIM, "逾期不还就爆通讯录").await?;
        let honest = esme.submit("10690000", FRIEND, "今晚一起吃饭吗").await?;
        ensure!(sent.iter().chain(&honest).all(|answer| answer.is_ok()), "the tap is in nobody's way");
        esme.unbind().await?;
        Ok(())
    })?;
    let target = format!("127.0.0.1:{callee}");
    let mut calls =
        sipp(dir.path(), "uac", &["-sn", "uac", "-s", CALLEE, "-m", "5", "-r", "50", "-d", "50", &target])?;
    ensure!(calls.wait()?.success(), "sipp's calls failed: {}", calls.log());

    let rows = || -> Result<Vec<Value>> {
        let log = tap.log();
        let lines = log.lines().filter(|line| line.starts_with('{'));
        // The last line may still be written.
        Ok(lines.filter_map(|line| serde_json::from_str(line).ok()).collect())
    };
    let to = |number: &str| -> Result<Vec<Value>> {
        Ok(rows()?.into_iter().filter(|row| row["to"] == number).collect())
    };
    eventually(PATIENCE, "all of it is shown", || {
        Ok(to(VICTIM)?.len() == 1 && to(FRIEND)?.len() == 1 && to(CALLEE)?.len() == 5)
    })
    .with_context(|| format!("{:?}", rows()))?;
    let (victim, friend) = (to(VICTIM)?, to(FRIEND)?);
    ensure!(victim[0]["verdict"] == "reject" && victim[0]["text"] == "逾期不还就爆通讯录", "{victim:?}");
    ensure!(friend[0]["verdict"] == "allow" && friend[0]["protocol"] == "smpp", "{friend:?}");

    tap.signal(Signal::INT)?;
    let status = tap.wait()?;
    ensure!(status.success(), "{status}: {}", tap.log());
    let log = tap.log();
    let summary = log.lines().last().context("no summary")?;
    ensure!(summary.contains("dropped by the system") && summary.contains("blocked"), "{summary}");
    Ok(())
}

#[test]
fn what_cannot_be_listened_to_is_said() -> Result<()> {
    let mut command = Command::new(path("yumen")?);
    let output = command.args(["tap", "--interface", "no-such-if"]).output()?;
    let said = String::from_utf8(output.stderr)?;
    ensure!(!output.status.success() && said.contains("no-such-if"), "{said}");
    Ok(())
}

fn sipp(dir: &Path, name: &str, args: &[&str]) -> Result<Program> {
    let mut command = Command::new("sipp");
    command.current_dir(dir).args(["-i", "127.0.0.1", "-nostdin", "-timeout", "60"]).args(args);
    Program::start("sipp", &mut command, &dir.join(format!("sipp-{name}.log")))
}
