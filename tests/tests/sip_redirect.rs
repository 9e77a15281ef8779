//! Calls by sipp at the redirect server, over UDP, over TCP, over UDP that loses 5 % of its datagrams, and with Kamailio
//! in front: each is answered as its caller deserves, and judged once. `YUMEN_TEST_CALLS` sets how many (300 unless set).

use anyhow::{Result, ensure};
use std::time::Duration;
use yumen_tests::program::eventually;
use yumen_tests::sip::{BAD_CALLER, Callee, Door, callers, calls, kamailio, lossy};

#[test]
fn calls_over_udp() -> Result<()> {
    ask("u1", false)
}

#[test]
fn calls_over_tcp() -> Result<()> {
    ask("t1", false)
}

#[test]
fn calls_while_datagrams_are_lost() -> Result<()> {
    ask("u1", true)
}

/// Kamailio asks the redirect server, and follows its 302 to the callee.
#[test]
fn kamailio_asks_and_follows() -> Result<()> {
    let calls = calls(100)?;
    let callee_dir = tempfile::tempdir()?;
    let callee = Callee::start(callee_dir.path(), "answers.xml", "u1")?;
    let door = Door::start(&format!("next_hops = [\"127.0.0.1:{}\"]", callee.port))?;
    let (_kamailio, port) = kamailio(door.dir.path(), &format!("sip:127.0.0.1:{}", door.port))?;
    door.sipp("calls.xml", "u1", port, calls, &["-r", "100", "-key", "caller", "+8613900000001"])?;
    door.sipp("refused.xml", "u1", port, calls, &["-r", "100", "-key", "caller", BAD_CALLER])?;
    check(&door, 2 * calls, calls)?;
    eventually(Duration::from_secs(10), "every honest call arrived, once", || {
        Ok(callee.figure("TotalCallCreated")? == calls && callee.figure("SuccessfulCall(C)")? == calls)
    })
}

/// sipp fails where an answer isn't the one that its scenario awaits.
fn ask(transport: &str, loses: bool) -> Result<()> {
    let calls = calls(300)?;
    let door = Door::start("next_hops = [\"127.0.0.1:5099\"]")?;
    let csv = door.dir.path().join("callers.csv");
    callers(&csv, 302)?;
    let port = if loses { lossy(door.port)? } else { door.port };
    let csv = csv.to_string_lossy();
    door.sipp("asked.xml", transport, port, calls, &["-inf", &csv, "-r", "200"])?;
    check(&door, calls, (0..calls).filter(|call| call % 3 == 2).count() as u64)
}

/// What the gateway counted is what was called, each once.
fn check(door: &Door, calls: u64, blocked: u64) -> Result<()> {
    eventually(Duration::from_secs(10), "counted", || {
        Ok(door.counter("judged")? >= calls && door.counter("rejected")? >= blocked)
    })?;
    let (judged, rejected) = (door.counter("judged")?, door.counter("rejected")?);
    ensure!(judged == calls, "{judged} judged of {calls}");
    ensure!(rejected == blocked, "{rejected} blocked of {blocked}");
    Ok(())
}
