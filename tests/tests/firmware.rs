//! The firmware in QEMU: a modem on one serial line, the telephone on another, an agent on a third. Its verdicts are those that
//! `yumen screen` gives for the same pack and the same case file.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use yumen_link::{Endpoint, Event, Up, from_bytes};
use yumen_tests::modem::{Board, Boot, built};
use yumen_tests::program::{self, free_port};
use yumen_tests::site::{Ports, Site, rules_dir};
use yumen_wire::text::encode_ucs2;

/// Who sends the messages, as digits and as a TPDU has them.
const SENDER: &str = "+8613800000011";
const SENDER_SEMI_OCTETS: [u8; 7] = [0x68, 0x31, 0x08, 0x00, 0x00, 0x10, 0xF1];

/// How many messages; `YUMEN_TEST_SMS` asks for more.
fn wanted() -> Result<usize> {
    std::env::var("YUMEN_TEST_SMS").map_or(Ok(200), |count| count.parse().context("YUMEN_TEST_SMS"))
}

/// Texts of the project's own corpus that fit one segment, spread over all of it.
fn cases() -> Result<Vec<String>> {
    let corpus = std::fs::read_to_string(rules_dir().join("../corpus/messages.tsv"))?;
    let texts = corpus.lines().skip(1).filter_map(|line| line.rsplit('\t').next());
    let fitting: Vec<&str> =
        texts.filter(|text| !text.is_empty() && text.encode_utf16().count() <= 70).collect();
    let step = (fitting.len() / wanted()?).max(1);
    let mut cases: Vec<String> = fitting.into_iter().step_by(step).map(str::to_owned).collect();
    cases.truncate(wanted()?);
    Ok(cases)
}

/// What an enforcing gateway with this pack does with each case.
fn by_gateway(cases: &[String]) -> Result<Vec<bool>> {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("cases.tsv");
    let lines: String = cases.iter().fold(String::new(), |mut lines, text| {
        let _ = writeln!(lines, "{SENDER}\t{text}");
        lines
    });
    std::fs::write(&file, lines)?;
    let mut screen = Command::new(program::path("yumen")?);
    screen
        .arg("screen")
        .arg(&file)
        .args(["--json", "--from", "1", "--pack"])
        .arg(built("YUMEN_EDGE_PACK")?.with_file_name("twin.pack"));
    let said = program::done(&mut screen)?;
    said.lines()
        .map(|line| {
            let answer: Value = serde_json::from_str(line)?;
            Ok(answer["verdict"] == "reject")
        })
        .collect()
}

/// `+CMT` and the PDU of an SMS-DELIVER (3GPP TS 23.040 §9.2.2.1).
fn announced(text: &str) -> Result<Vec<u8>> {
    let mut body = [0; 140];
    let length = encode_ucs2(text, &mut body)?;
    let mut octets = vec![0, 0x04, 0x0D, 0x91];
    octets.extend(SENDER_SEMI_OCTETS);
    octets.extend([0, 0x08, 0x62, 0x10, 0x20, 0x30, 0x40, 0x50, 0x23, u8::try_from(length)?]);
    octets.extend_from_slice(&body[..length]);
    let mut line = format!("\r\n+CMT: ,{}\r\n", octets.len() - 1);
    octets.iter().try_for_each(|octet| write!(line, "{octet:02X}"))?;
    line.push_str("\r\n");
    Ok(line.into_bytes())
}

fn set_up(board: &mut Board) -> Result<Vec<String>> {
    let mut commands = Vec::new();
    loop {
        let command = board.modem.command()?;
        let answer = if command == "AT+CPIN?" { "\r\n+CPIN: READY\r\n\r\nOK\r\n" } else { "\r\nOK\r\n" };
        board.modem.send(answer.as_bytes())?;
        let is_last = command.starts_with("AT+CLIP");
        commands.push(command);
        if is_last {
            return Ok(commands);
        }
    }
}

#[test]
fn the_board_gives_the_gateways_verdicts() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let mut board = Board::boot(&built("YUMEN_FIRMWARE")?, &dir.path().join("qemu.log"))?;
    let commands = set_up(&mut board)?;
    ensure!(commands.contains(&"AT+CMGF=0".to_owned()), "set-up was {commands:?}");

    let cases = cases()?;
    let expected = by_gateway(&cases)?;
    ensure!(
        cases.len() == expected.len() && cases.len() > 50,
        "{} cases, {} verdicts",
        cases.len(),
        expected.len()
    );
    let blocked = expected.iter().filter(|blocked| **blocked).count();
    ensure!(blocked > 10 && blocked < cases.len(), "{blocked} of {} are blocked", cases.len());

    let mut passed = Vec::new();
    let mut reports = Reports::new();
    for text in &cases {
        board.modem.send(&announced(text)?)?;
        // It is acknowledged when it has been decided on.
        let command = board.modem.command()?;
        ensure!(command == "AT+CNMA", "{command} instead of an acknowledgement");
        board.modem.send(b"\r\nOK\r\n")?;
        reports.take(&mut board)?;
    }
    program::eventually(program::PATIENCE, "every honest message is at the telephone", || {
        let honest: usize = cases
            .iter()
            .zip(&expected)
            .filter(|(_, blocked)| !**blocked)
            .map(|(text, _)| announced(text).map_or(0, |line| line.len()))
            .sum();
        Ok(board.telephone.receive()?.len() >= honest)
    })?;
    passed.append(board.telephone.receive()?);
    let mut honest = Vec::new();
    for (text, _) in cases.iter().zip(&expected).filter(|(_, blocked)| !**blocked) {
        honest.extend(announced(text)?);
    }
    ensure!(
        passed == honest,
        "the telephone got other bytes than the honest messages as the modem gave them"
    );

    program::eventually(program::PATIENCE, "a sighting of every blocked message", || {
        reports.take(&mut board)?;
        Ok(reports.rejected.len() >= blocked)
    })?;
    ensure!(reports.rejected.len() == blocked, "{} sightings of {blocked}", reports.rejected.len());
    Ok(())
}

#[test]
fn a_blocked_caller_is_hung_up_on_and_an_honest_one_rings() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let mut board = Board::boot(&built("YUMEN_FIRMWARE")?, &dir.path().join("qemu.log"))?;
    set_up(&mut board)?;
    // The site's own list is set where its people are: over the telephone's line.
    board.telephone.send(b"AT^YUMEN=BLOCK,1700000*\r")?;
    program::eventually(program::PATIENCE, "the console's answer", || {
        Ok(String::from_utf8_lossy(board.telephone.receive()?).contains("OK"))
    })?;
    board.telephone.receive()?.clear();
    let mut honest = Vec::new();
    for turn in 0..20 {
        if turn % 2 == 0 {
            board.modem.send(b"\r\nRING\r\n\r\n+CLIP: \"17000001234\",129\r\n")?;
            let command = board.modem.command()?;
            ensure!(command == "AT+CHUP", "{command} instead of a hang-up");
            board.modem.send(b"\r\nOK\r\n\r\nNO CARRIER\r\n")?;
        } else {
            let call = b"\r\nRING\r\n\r\n+CLIP: \"13800000011\",129\r\n\r\nRING\r\n\r\nNO CARRIER\r\n";
            board.modem.send(call)?;
            honest.extend_from_slice(call);
        }
    }
    program::eventually(program::PATIENCE, "every honest call at the telephone", || {
        Ok(board.telephone.receive()?.len() >= honest.len())
    })?;
    ensure!(*board.telephone.receive()? == honest, "the telephone heard of a blocked call");
    Ok(())
}

/// A message of a full segment, by the whole pack: what a decision costs, in instructions. The aim is 500,000; this holds what is
/// reached, 1.2 million with 7,246 patterns.
#[test]
fn a_decision_takes_fewer_instructions_than_are_budgeted() -> Result<()> {
    const INSTRUCTIONS_MAX: u64 = 1_500_000;
    let dir = tempfile::tempdir()?;
    let (elf, log, flash) =
        (built("YUMEN_FIRMWARE")?, dir.path().join("qemu.log"), dir.path().join("board.flash"));
    let mut board =
        Board::start(Boot { elf: &elf, log: &log, flash: &flash, link: None, counts_instructions: true })?;
    set_up(&mut board)?;
    let mut most = 0;
    // Own texts are shorter than a segment: several of them fill one.
    let cases = cases()?;
    let full = cases.chunks(4).map(|texts| texts.concat().chars().take(70).collect::<String>());
    for text in full.filter(|text| text.encode_utf16().count() == 70).take(12) {
        deliver(&mut board, &text)?;
        board.telephone.receive()?.clear();
        board.telephone.send(b"AT^YUMEN?\r")?;
        let mut said = String::new();
        program::eventually(program::PATIENCE, "the console's answer", || {
            said = String::from_utf8_lossy(board.telephone.receive()?).into_owned();
            Ok(said.contains("\r\nOK\r\n"))
        })?;
        let took = said.rsplit_once("last decision ").and_then(|(_, rest)| rest.split(' ').next());
        let microseconds: u64 = took.context("no decision")?.parse()?;
        most = most.max(microseconds * 1_000);
    }
    println!("a decision took at most {most} instructions");
    ensure!(most > 0 && most < INSTRUCTIONS_MAX, "{most} instructions");
    Ok(())
}

/// The agent's end of the link: it acknowledges what it gets.
struct Reports {
    endpoint: Endpoint,
    rejected: BTreeSet<u64>,
}

impl Reports {
    fn new() -> Self {
        Self { endpoint: Endpoint::new(1), rejected: BTreeSet::new() }
    }

    fn take(&mut self, board: &mut Board) -> Result<()> {
        let link = board.link.as_mut().context("the test is the agent")?;
        for byte in std::mem::take(link.receive()?) {
            if let Some(Event::Message { .. }) = self.endpoint.push(byte) {
                if let Some(Up::Sighting(sighting)) = from_bytes(self.endpoint.message()) {
                    ensure!(sighting.serial == 1 && !sighting.rules.is_empty(), "{sighting:?}");
                    if sighting.action >= 2 {
                        self.rejected.insert(sighting.id);
                    }
                }
                self.endpoint.accept();
            }
        }
        while let Some(bytes) = self.endpoint.poll(0) {
            link.send(bytes)?;
        }
        Ok(())
    }
}

/// A pack for the device with one rule, signed with the key that the firmware trusts.
fn small_pack(dir: &Path, serial: u64) -> Result<std::path::PathBuf> {
    const RULE: &str = "[[rule]]\nid = \"fraud/small\"\ntypology = \"fraud\"\ntitle = \"小包\"\nscore = 90\n\
        match.a = { any = [\"甲乙丙丁\"] }\nwhen = \"a\"\nhit = [\"甲乙丙丁戊\"]\nmiss = [\"今天下雨\"]\n";
    let rules = dir.join("small.toml");
    std::fs::write(&rules, RULE)?;
    let pack = dir.join("small.pack");
    let mut build = Command::new(program::path("yumen")?);
    build.args(["rules", "build"]).arg(&rules).args(["--profile", "edge", "--flash", "64K"]);
    build.args(["--serial", &serial.to_string()]).arg("--output").arg(&pack);
    build.arg("--key").arg(built("YUMEN_EDGE_PACK")?.with_file_name("signing-key"));
    program::done(&mut build)?;
    Ok(pack)
}

/// The device behind the agent's door: sightings in the hub's table once each under its own name, over a power cut, and a pack
/// that comes down while messages flow.
#[test]
fn a_device_reports_through_the_agent_and_gets_its_packs_from_it() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let site = Site { dir: dir.path().to_owned(), ports: Ports::free()? };
    let (elf, log, flash) =
        (built("YUMEN_FIRMWARE")?, dir.path().join("qemu.log"), dir.path().join("board.flash"));
    let link = free_port()?;
    let boot = Boot { elf: &elf, log: &log, flash: &flash, link: Some(link), counts_instructions: false };
    site.build_pack(&small_rules(dir.path())?, 1)?;
    let edge_pack = dir.path().join("edge.pack");
    let device = format!(
        "\n[[device]]\nname = \"branch-12\"\naddress = \"127.0.0.1:{link}\"\nedge_pack = {edge_pack:?}\n\
         number = \"13800000099\"\n"
    );
    let _hub = site.start_hub()?;
    let _agent = site.start_agent("gw1", &site.agent_config("gw1", &device))?;
    let mut board = Board::start(boot)?;
    set_up(&mut board)?;

    let mut cases = cases()?;
    cases.truncate(60);
    let blocked = by_gateway(&cases)?.into_iter().filter(|blocked| *blocked).count();
    let (before, after) = cases.split_at(cases.len() / 2);
    for text in before {
        deliver(&mut board, text)?;
    }
    // What the agent hasn't got by now is in the flash.
    board.cut_power()?;
    let mut board = Board::start(boot)?;
    set_up(&mut board)?;
    for text in after {
        deliver(&mut board, text)?;
    }
    program::eventually(Duration::from_secs(120), "every sighting in the hub's table", || {
        Ok(of_device(&site)?.len() >= blocked)
    })?;
    let ids = of_device(&site)?;
    ensure!(ids.len() == blocked, "{} sightings of {blocked}", ids.len());

    std::fs::rename(small_pack(dir.path(), 2)?, &edge_pack)?;
    let bad = "甲乙丙丁戊";
    let mut flowing = 0;
    program::eventually(Duration::from_secs(120), "the new pack judges", || {
        flowing += 1;
        let text = format!("{bad}{flowing}");
        board.telephone.receive()?.clear();
        deliver(&mut board, &text)?;
        // Long enough that an honest message would have come through.
        (0..10).for_each(|_| program::pause());
        Ok(board.telephone.receive()?.is_empty())
    })?;
    program::eventually(Duration::from_secs(60), "its sighting in the hub's table", || {
        Ok(of_device(&site)?.len() > blocked)
    })?;
    let rows = of_device(&site)?;
    ensure!(rows.len() == blocked + 1, "{} sightings of {}", rows.len(), blocked + 1);
    let table = serde_json::to_string(&site.sightings()?)?;
    ensure!(
        !table.contains("13800000099") && !table.contains("甲乙丙丁"),
        "a number or a text left the site"
    );
    Ok(())
}

/// One rule for the gateway: the agent of this test judges nothing.
fn small_rules(dir: &Path) -> Result<std::path::PathBuf> {
    let rules = dir.join("gateway.toml");
    std::fs::write(
        &rules,
        "[[rule]]\nid = \"fraud/test\"\ntypology = \"fraud\"\ntitle = \"试\"\nscore = 90\nmatch.a = { any = [\"子丑寅卯\"] }\n\
         when = \"a\"\nhit = [\"子丑寅卯辰\"]\nmiss = [\"今天下雨\"]\n",
    )?;
    Ok(rules)
}

/// The modem hands a message over, and sees it acknowledged.
fn deliver(board: &mut Board, text: &str) -> Result<()> {
    board.modem.send(&announced(text)?)?;
    let command = board.modem.command()?;
    ensure!(command == "AT+CNMA", "{command} instead of an acknowledgement");
    board.modem.send(b"\r\nOK\r\n")
}

/// The ids of the device's sightings, each once.
fn of_device(site: &Site) -> Result<BTreeSet<String>> {
    let rows = site.sightings()?;
    let of_device: Vec<&Value> = rows.iter().filter(|row| row["agent"] == "branch-12").collect();
    let ids: BTreeSet<String> =
        of_device.iter().filter_map(|row| row["id"].as_str()).map(str::to_owned).collect();
    ensure!(ids.len() == of_device.len(), "a sighting stands in the table twice");
    Ok(ids)
}
