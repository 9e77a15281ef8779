//! sipp on both sides of the proxy, over UDP, over TCP, across both, over UDP that loses 5 % of its datagrams on both
//! sides, and with Kamailio before and behind it: calls are set up and hung up, refused, cancelled, none is lost and none
//! arrives twice. `YUMEN_TEST_CALLS` sets how many (200 unless set).

use anyhow::{Result, ensure};
use std::time::Duration;
use yumen_tests::program::{eventually, free_port};
use yumen_tests::sip::{BAD_CALLER, Callee, Door, calls, kamailio, lossy};

const HONEST: [&str; 2] = ["caller", "+8613900000001"];

#[test]
fn calls_over_udp() -> Result<()> {
    set_up("u1", "u1", false)
}

#[test]
fn calls_over_tcp() -> Result<()> {
    set_up("t1", "t1", false)
}

#[test]
fn calls_from_tcp_to_udp() -> Result<()> {
    set_up("t1", "u1", false)
}

#[test]
fn calls_while_datagrams_are_lost_on_both_sides() -> Result<()> {
    set_up("u1", "u1", true)
}

/// sipp, Kamailio, the proxy, Kamailio, sipp.
#[test]
fn kamailio_on_both_sides() -> Result<()> {
    let calls = calls(100)?;
    let dir = tempfile::tempdir()?;
    let callee = Callee::start(dir.path(), "answers.xml", "u1")?;
    let (_behind, behind) = kamailio(dir.path(), &format!("sip:127.0.0.1:{}", callee.port))?;
    let door = proxy(&format!("\"127.0.0.1:{behind}\""), 1)?;
    let (_before, before) = kamailio(dir.path(), &format!("sip:127.0.0.1:{}", door.port))?;
    run(&door, "u1", before, calls)?;
    check(&door, &callee, calls)
}

/// The first hop isn't there, over UDP and over TCP: calls go to the second, and after two of them at once.
#[test]
fn a_lost_hop_is_passed_over() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let callee = Callee::start(dir.path(), "answers.xml", "u1")?;
    let (_third, third) = kamailio(dir.path(), &format!("sip:127.0.0.1:{}", callee.port))?;
    let (silent, closed) = (free_port()?, free_port()?);
    let hops = format!("\"127.0.0.1:{closed};transport=tcp\", \"127.0.0.1:{silent}\", \"127.0.0.1:{third}\"");
    let door = proxy(&hops, 1)?;
    door.sipp("calls.xml", "u1", door.port, 20, &["-r", "20", "-key", HONEST[0], HONEST[1]])?;
    ensure!(door.counter("hop_failovers")? >= 1, "no fail-over was counted");
    eventually(Duration::from_secs(20), "both hops are known to be lost", || {
        Ok(door.counter("hops_lost")? == 2)
    })?;
    let before = door.counter("hop_failovers")?;
    door.sipp("calls.xml", "u1", door.port, 20, &["-r", "20", "-key", HONEST[0], HONEST[1]])?;
    ensure!(door.counter("hop_failovers")? == before, "calls still try hops that are lost");
    check(&door, &callee, 40)
}

#[test]
fn cancelled_while_it_rings() -> Result<()> {
    cancelled("rings.xml", "cancels.xml")
}

#[test]
fn cancelled_before_it_rings() -> Result<()> {
    cancelled("rings-late.xml", "cancels-early.xml")
}

fn cancelled(callee: &str, caller: &str) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let callee = Callee::start(dir.path(), callee, "u1")?;
    let door = proxy(&format!("\"127.0.0.1:{}\"", callee.port), 0)?;
    door.sipp(caller, "u1", door.port, 30, &["-r", "30", "-key", HONEST[0], HONEST[1]])?;
    eventually(Duration::from_secs(10), "every call was cancelled there too", || {
        Ok(callee.figure("SuccessfulCall(C)")? == 30 && door.counter("calls_cancelled")? == 30)
    })
}

fn set_up(caller: &str, callee_over: &str, loses: bool) -> Result<()> {
    let calls = calls(200)?;
    let dir = tempfile::tempdir()?;
    let callee = Callee::start(dir.path(), "answers.xml", callee_over)?;
    let hop = if loses { lossy(callee.port)? } else { callee.port };
    let over = if callee_over == "t1" { ";transport=tcp" } else { "" };
    let door = proxy(&format!("\"127.0.0.1:{hop}{over}\""), 0)?;
    let port = if loses { lossy(door.port)? } else { door.port };
    run(&door, caller, port, calls)?;
    check(&door, &callee, calls)
}

/// sipp takes a question whether it is there for a call: only Kamailio is asked.
fn proxy(hops: &str, keepalive_s: u32) -> Result<Door> {
    Door::start(&format!(
        "mode = \"proxy\"\nnext_hops = [{hops}]\nproxy = {{ keepalive_s = {keepalive_s}, hop_timeout_ms = 3000 }}"
    ))
}

/// As many refused ones as honest ones.
fn run(door: &Door, transport: &str, port: u16, calls: u64) -> Result<()> {
    let rate = std::env::var("YUMEN_TEST_RATE").unwrap_or_else(|_| "100".to_owned());
    door.sipp("calls.xml", transport, port, calls, &["-r", &rate, "-key", HONEST[0], HONEST[1]])?;
    door.sipp("refused.xml", transport, port, calls, &["-r", &rate, "-key", "caller", BAD_CALLER])?;
    ensure!(door.counter("rejected")? == calls, "{} refused of {calls}", door.counter("rejected")?);
    ensure!(door.counter("judged")? == 2 * calls, "{} judged of {}", door.counter("judged")?, 2 * calls);
    Ok(())
}

/// Every honest call arrived, once, and was counted once.
fn check(door: &Door, callee: &Callee, calls: u64) -> Result<()> {
    let figures = || -> Result<_> {
        Ok((
            callee.figure("TotalCallCreated")?,
            callee.figure("SuccessfulCall(C)")?,
            callee.figure("FailedCall(C)")?,
            door.counter("calls_answered")?,
        ))
    };
    let arrived = eventually(Duration::from_secs(15), "every call arrived", || {
        Ok(figures()? == (calls, calls, 0, calls))
    });
    ensure!(arrived.is_ok(), "created, succeeded, failed, answered: {:?} of {calls}", figures()?);
    Ok(())
}
