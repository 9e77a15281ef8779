//! `yumen screen --map`: call records as Asterisk and FreeSWITCH write them, with a bombing among honest calls, judged over time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use serde_json::Value;
use std::process::{Command, Output};

/// Seconds after 09:00, caller, callee, seconds it rang and talked, how it ended.
type Call = (u32, String, &'static str, u32, u32, Ended);

#[derive(Clone, Copy, PartialEq)]
enum Ended {
    Answered,
    Cancelled,
    Unanswered,
}

const VICTIM: &str = "13900000001";

/// Thirty virtual numbers ring one person within five minutes, while a family calls as families do.
fn calls() -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    for nth in 0..30 {
        calls.push((60 + nth * 10, format!("1700000{nth:04}"), VICTIM, 3, 0, Ended::Cancelled));
    }
    for nth in 0..5 {
        let ended = if nth == 4 { Ended::Answered } else { Ended::Unanswered };
        calls.push((
            nth * 120,
            "13700000002".to_owned(),
            "13900000003",
            35,
            if nth == 4 { 90 } else { 0 },
            ended,
        ));
    }
    calls.sort_by_key(|call| call.0);
    calls
}

fn clock(seconds: u32) -> String {
    format!("2026-01-05 {:02}:{:02}:{:02}", 9 + seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// `Master.csv`: accountcode, src, dst, dcontext, clid, channel, dstchannel, lastapp, lastdata, start, answer, end, duration, billsec,
/// disposition, amaflags, uniqueid, userfield.
fn asterisk((at, from, to, ring, talk, ended): &Call) -> String {
    let (end, answered) = (at + ring + talk, *ended == Ended::Answered);
    let answer = if answered { clock(at + ring) } else { String::new() };
    let disposition = if answered { "ANSWERED" } else { "NO ANSWER" };
    format!(
        "\"\",\"{from}\",\"{to}\",\"from-trunk\",\"\"\"\"\" <{from}>\",\"PJSIP/a\",\"PJSIP/b\",\"Dial\",\"PJSIP/b\",\"{}\",\"{answer}\",\"{}\",{},{talk},\"{disposition}\",\"DOCUMENTATION\",\"{at}.1\",\"\"",
        clock(*at),
        clock(end),
        ring + talk,
    )
}

/// `mod_cdr_csv`: caller id name and number, destination, context, start, answer, end, duration, billsec, hangup cause, uuid, …
fn freeswitch((at, from, to, ring, talk, ended): &Call) -> String {
    let (answer, cause) = match ended {
        Ended::Answered => (clock(at + ring), "NORMAL_CLEARING"),
        Ended::Cancelled => (String::new(), "ORIGINATOR_CANCEL"),
        Ended::Unanswered => (String::new(), "NO_ANSWER"),
    };
    format!(
        "\"\",\"{from}\",\"{to}\",\"public\",\"{}\",\"{answer}\",\"{}\",\"{}\",\"{talk}\",\"{cause}\",\"u-{at}\",\"\",\"\",\"PCMA\",\"PCMA\"",
        clock(*at),
        clock(at + ring + talk),
        ring + talk,
    )
}

fn screen(map: &str, text: &str) -> Vec<Value> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("records.csv");
    std::fs::write(&file, text).unwrap();
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_yumen"))
        .args(["screen", "--json", "--map", map])
        .arg(&file)
        .output()
        .unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    stdout
        .split(|&octet| octet == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

#[test]
fn a_bombing_is_found_in_the_records_of_both_switches() {
    let calls = calls();
    for (map, row) in [("asterisk", asterisk as fn(&Call) -> String), ("freeswitch", freeswitch)] {
        let text: String = calls.iter().map(|call| row(call) + "\n").collect();
        let verdicts = screen(map, &text);
        assert_eq!(verdicts.len(), calls.len(), "{map}");
        let blocked = |nth: usize| verdicts[nth]["verdict"] == "reject";
        let attacks: Vec<usize> = (0..calls.len()).filter(|&nth| calls[nth].2 == VICTIM).collect();
        let caught = attacks.iter().filter(|&&nth| blocked(nth)).count();
        assert!(caught >= attacks.len() * 8 / 10, "{map}: {caught} of {}", attacks.len());
        let first = attacks.iter().position(|&nth| blocked(nth)).unwrap();
        assert!(first < attacks.len() / 5, "{map}: caught first at {first}");
        assert!((0..calls.len()).all(|nth| calls[nth].2 == VICTIM || !blocked(nth)), "{map}: an honest call");
        // Each answer names the line of the file.
        assert!(verdicts.iter().zip(1..).all(|(verdict, line)| verdict["line"] == line), "{map}");
    }
}

#[test]
fn a_row_that_cannot_be_read_is_named_and_the_others_are_judged() {
    let calls = calls();
    let mut rows: Vec<String> = calls.iter().map(asterisk).collect();
    rows.insert(3, "\"\",\"13700000002\",\"13900000003\"".to_owned());
    let verdicts = screen("asterisk", &rows.join("\n"));
    assert_eq!(verdicts.len(), calls.len() + 1);
    let bad: Vec<&Value> = verdicts.iter().filter(|verdict| verdict["error"].is_string()).collect();
    assert_eq!(bad.len(), 1, "{bad:?}");
    assert_eq!(bad[0]["line"], 4);
}
