//! The firmware in QEMU: a modem on one serial line, the telephone on another, an agent on a third. Its verdicts are those that
//! `yumen screen` gives for the same pack and the same case file.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Command;
use yumen_firmware::link::{FRAME_BYTES_MAX, Frames, Report, acknowledgement};
use yumen_tests::modem::{Board, built};
use yumen_tests::program;
use yumen_tests::site::rules_dir;
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
    screen.arg("screen").arg(&file).args(["--json", "--from", "1", "--pack"]).arg(built("YUMEN_EDGE_PACK")?);
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
    let mut reports = Reports::default();
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

    program::eventually(program::PATIENCE, "a report of every blocked message", || {
        reports.take(&mut board)?;
        Ok(reports.rejected.len() >= blocked)
    })?;
    ensure!(reports.rejected.len() == blocked, "{} reports of {blocked}", reports.rejected.len());
    Ok(())
}

#[test]
fn a_blocked_caller_is_hung_up_on_and_an_honest_one_rings() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let mut board = Board::boot(&built("YUMEN_FIRMWARE")?, &dir.path().join("qemu.log"))?;
    set_up(&mut board)?;
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

/// The agent's end of the link: it acknowledges what it gets.
#[derive(Default)]
struct Reports {
    frames: Frames,
    rejected: BTreeSet<u16>,
}

impl Reports {
    fn take(&mut self, board: &mut Board) -> Result<()> {
        let bytes = std::mem::take(board.link.receive()?);
        let mut out = [0; FRAME_BYTES_MAX];
        for byte in bytes {
            let Some(report) = self.frames.push(byte, &mut out).and_then(Report::parse) else { continue };
            ensure!(report.serial == 1 && report.lost == 0, "{report:?}");
            if report.action >= yumen_rules::verdict::Action::Hold {
                self.rejected.insert(report.sequence);
            }
            board.link.send(&acknowledgement(report.sequence))?;
        }
        Ok(())
    }
}
