use super::*;

fn records(text: &str, map: &str) -> Vec<(u64, Result<Value, String>)> {
    let map = CdrMap::parse(map, "+08:00").unwrap();
    let mut cdr = Cdr::new(text.as_bytes(), &map, "own.csv").unwrap();
    let mut found = Vec::new();
    loop {
        let mut batch = Batch::default();
        if !cdr.record(&mut batch).unwrap() {
            return found;
        }
        let record = &batch.records[0];
        let read = match &record.defect {
            Some(defect) => Err(defect.to_string()),
            None => Ok(serde_json::from_slice(&batch.bytes[record.range.clone()]).unwrap()),
        };
        found.push((record.line, read));
    }
}

/// 2026-01-05 01:30:00 UTC.
const START_MS: u64 = 1_767_576_600_000;

#[test]
fn asterisk_and_freeswitch_say_the_same() {
    let asterisk = r#""","13900000001","95500","from-trunk","""Own Name"" <13900000001>","SIP/a","SIP/b","Dial","SIP/b","2026-01-05 09:30:00","2026-01-05 09:30:08","2026-01-05 09:30:39",39,31,"ANSWERED","DOCUMENTATION","1","""#;
    let freeswitch = r#""Own Name","13900000001","95500","default","2026-01-05 09:30:00","2026-01-05 09:30:08","2026-01-05 09:30:39","39","31","NORMAL_CLEARING","uuid","","","PCMU","PCMU""#;
    for (text, map) in [(asterisk, "asterisk"), (freeswitch, "freeswitch")] {
        let found = records(text, map);
        let record = found[0].1.as_ref().unwrap();
        assert_eq!(found[0].0, 1);
        for (key, value) in [
            ("time", Value::from(START_MS)),
            ("caller", "13900000001".into()),
            ("callee", "95500".into()),
            ("outcome", "answered".into()),
            ("ring_ms", 8000.into()),
            ("duration_ms", 31_000.into()),
            ("display_name", "Own Name".into()),
        ] {
            assert_eq!(record[key], value, "{map} {key}");
        }
    }
}

#[test]
fn what_was_not_answered() {
    let row = |answer: &str, outcome: &str| format!("x,y,z,c,2026-01-05 09:30:00,{answer},,12,0,{outcome}");
    for (answer, outcome, expected) in [
        ("", "ORIGINATOR_CANCEL", "cancelled"),
        ("", "NO_ANSWER", "no-answer"),
        ("", "USER_BUSY", "no-answer"),
        ("0000-00-00 00:00:00", "NO_USER_RESPONSE", "no-answer"),
        ("2026-01-05 09:30:05", "NORMAL_CLEARING", "answered"),
    ] {
        let found = records(&row(answer, outcome), "freeswitch");
        assert_eq!(found[0].1.as_ref().unwrap()["outcome"], expected, "{outcome}");
    }
    let found = records(&row("", "NO_ANSWER"), "freeswitch");
    assert_eq!(found[0].1.as_ref().unwrap()["ring_ms"], 12_000);
}

#[test]
fn rows_come_in_the_order_of_their_beginnings() {
    let text = "A,B,When,Talk\n1,9,2026-01-05 09:30:20,1\n2,9,1767576600,1\n\n3,9,2026-01-05T01:30:10Z,1\n";
    let found = records(text, "caller=a,callee=b,start=when,duration=talk");
    let callers: Vec<_> =
        found.iter().map(|(line, record)| (*line, record.as_ref().unwrap()["caller"].clone())).collect();
    assert_eq!(callers, [(3, "2".into()), (5, "3".into()), (2, "1".into())]);
}

#[test]
fn a_bad_row_is_named_by_file_line_and_column() {
    let text = "1,9,2026-01-05 09:30:00,x\n1,9,yesterday,5\n1,9\n1,9,2026-01-05 09:30:00,5\n1,\"9";
    let found = records(text, "caller=1,callee=2,start=3,duration=4");
    let defects: Vec<_> = found.iter().filter_map(|(_, record)| record.clone().err()).collect();
    for expected in [
        "own.csv:1: column 4 (duration): `x` isn't a number of seconds",
        "own.csv:2: column 3 (start): `yesterday` isn't a time",
        "own.csv:3: column 3 (start) isn't there: the row has 2",
        "own.csv:5: quoted field is never closed",
    ] {
        assert!(defects.iter().any(|defect| defect == expected), "{expected}: {defects:?}");
    }
    assert_eq!(found.iter().filter(|(_, record)| record.is_ok()).count(), 1);
    assert!(matches!(
        Cdr::new(&b"a,b\n"[..], &CdrMap::parse("caller=a,callee=b,start=c", "+00:00").unwrap(), "f"),
        Err(ScreenError::NoSuchColumn(name)) if name == "c"
    ));
}

proptest::proptest! {
    #[test]
    fn any_rows_are_read_or_refused(text in "[0-9a-z,\"\n:+ -]{0,300}") {
        for map in ["asterisk", "freeswitch", "caller=1,callee=2,start=3,answered=4,total=5,outcome=6"] {
            records(&text, map);
        }
    }
}
