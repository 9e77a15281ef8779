//! SMPP clients and a server that nobody here wrote, with the gateway between them: smpplib and Kannel against the centre of
//! npm's `smpp`; `smpp_rusmppc.rs` has the third. Together they make 10,000 submits (`YUMEN_TEST_SUBMITS`): 4 in 10 by
//! smpplib, 1 by Kannel, 5 by rusmppc.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use yumen_tests::bench::{BLOCK_STATUS, Bench};
use yumen_tests::foreign::{from_hex, kannel, python, script, to_hex};
use yumen_tests::program::{Program, eventually, free_port};
use yumen_tests::traffic::{
    Answer, Message, bad, check_answers, check_receipts, check_sightings, mixed, submits, submits_wanted,
};

#[test]
fn smpplib_through_the_gateway() -> Result<()> {
    let mut bench = Bench::start()?;
    let messages = mixed(submits_wanted()? * 4 / 10);
    let outcome = run_smpplib(&bench, &messages)?;
    let answers: Vec<Answer> = list(&outcome, "answers")?.iter().map(answer).collect::<Result<_>>()?;
    let taken = check_answers(&messages, &answers, BLOCK_STATUS)?;
    let receipts: Vec<String> = list(&outcome, "receipts")?.iter().map(string).collect::<Result<_>>()?;
    check_receipts(&answers, &receipts)?;

    // smpplib shows each PDU as it sent it: not only what it says, every octet must have come out again.
    let sent: Vec<Vec<u8>> = list(&outcome, "answers")?
        .iter()
        .zip(&taken)
        .filter(|(_, taken)| **taken)
        .map(|(answer, _)| from_hex(&string(&answer["octets"])?))
        .collect::<Result<_>>()?;
    let arrived: Vec<Vec<u8>> = bench.centre.arrivals()?.into_iter().map(|arrival| arrival.octets).collect();
    ensure!(sent == arrived, "{} PDUs were taken, {} others arrived", sent.len(), arrived.len());
    check_sightings(&bench.site, &mut bench.agent, bad(&messages), bad(&messages))
}

#[test]
fn kannel_through_the_gateway() -> Result<()> {
    let mut bench = Bench::start()?;
    let kannel = Kannel::start(bench.dir.path(), bench.site.ports.smpp)?;
    // Kannel codes texts itself: what isn't text is left out.
    let mut messages = mixed(submits_wanted()? / 10);
    messages.retain(|message| !message.text.is_empty());
    for (number, message) in messages.iter().enumerate() {
        kannel.send(number, message)?;
    }
    for (number, message) in messages.iter().enumerate() {
        eventually(PATIENCE, "reported", || Ok(is_reported(message, &kannel.kinds(number))))
            .with_context(|| format!("{:?} of {message:?}", kannel.kinds(number)))?;
        if message.is_bad && message.submits.len() == 1 {
            let refusal = kannel.refusal(number);
            ensure!(refusal.contains(&format!("{BLOCK_STATUS:08x}")), "refused with {refusal}: {message:?}");
        }
    }
    check_sightings(&bench.site, &mut bench.agent, bad(&messages), bad(&messages))?;

    let mut arrived: HashMap<String, Vec<(String, Vec<u8>)>> = HashMap::new();
    for arrival in bench.centre.arrivals()? {
        let sm = arrival.message()?;
        let user_data = without_reference(sm.esm_class.has_udh(), sm.short_message);
        let to = String::from_utf8(sm.destination.octets.to_vec())?;
        let from = String::from_utf8(sm.source.octets.to_vec())?;
        ensure!(sm.data_coding == 8, "{sm:?}");
        arrived.entry(to).or_default().push((from, user_data));
    }
    for message in &messages {
        let sent: Vec<(String, Vec<u8>)> =
            kannel_parts(message).into_iter().map(|part| (message.from.to_owned(), part)).collect();
        let came = arrived.remove(&message.to).unwrap_or_default();
        let right =
            if message.is_bad { came.len() < sent.len() && sent.starts_with(&came) } else { came == sent };
        ensure!(right, "{message:?} arrived as {came:x?}");
    }
    ensure!(arrived.is_empty(), "arrived, but never sent: {arrived:x?}");
    Ok(())
}

fn run_smpplib(bench: &Bench, messages: &[Message]) -> Result<Value> {
    let (plan, outcome) = (bench.dir.path().join("plan.jsonl"), bench.dir.path().join("outcome.json"));
    std::fs::write(&plan, smpplib_plan(messages)?)?;
    let mut command = Command::new(python()?);
    command.arg(script("esme.py")).arg(bench.site.ports.smpp.to_string()).args([&plan, &outcome]);
    let ended = command.output().context("cannot start smpplib")?;
    if !ended.status.success() {
        bail!("smpplib ended with {}:\n{}", ended.status, String::from_utf8_lossy(&ended.stderr));
    }
    Ok(serde_json::from_slice(&std::fs::read(&outcome)?)?)
}

fn smpplib_plan(messages: &[Message]) -> Result<String> {
    let mut plan = String::new();
    for (message, submit) in submits(messages) {
        let line = json!({
            "from": message.from,
            "to": message.to,
            "esm_class": submit.esm_class(),
            "data_coding": submit.coding,
            "user_data": to_hex(&submit.user_data),
        });
        writeln!(plan, "{line}")?;
    }
    Ok(plan)
}

fn list<'a>(value: &'a Value, name: &str) -> Result<&'a Vec<Value>> {
    value[name].as_array().with_context(|| format!("no {name} in the outcome"))
}

fn string(value: &Value) -> Result<String> {
    Ok(value.as_str().with_context(|| format!("{value} isn't a string"))?.to_owned())
}

fn answer(value: &Value) -> Result<Answer> {
    let status = value["status"].as_u64().with_context(|| format!("no status in {value}"))?;
    Ok(Answer { status: u32::try_from(status)?, id: string(&value["id"])? })
}

/// Kannel: two boxes, and a web server of ours that takes its delivery reports.
struct Kannel {
    sendsms: String,
    reports: Arc<Mutex<HashMap<usize, Vec<Report>>>>,
    reports_port: u16,
    _boxes: [Program; 2],
}

/// What Kannel reports of a message: a type of its own (1 delivered, 8 taken by the centre, 16 refused), and the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Report {
    kind: u8,
    answer: String,
}

impl Kannel {
    fn start(dir: &Path, smpp: u16) -> Result<Self> {
        let [admin, boxes, sendsms] = [free_port()?, free_port()?, free_port()?];
        let conf = dir.join("kannel.conf");
        std::fs::write(&conf, configuration(smpp, admin, boxes, sendsms))?;
        let start = |name: &str| {
            let mut command = Command::new(kannel(name)?);
            Program::start(name, command.args(["-v", "1"]).arg(&conf), &dir.join(format!("{name}.log")))
        };
        let status = format!("http://127.0.0.1:{admin}/status.txt?password=yumen");
        let says = |what: &str| {
            let page =
                ureq::get(&status).call().ok().and_then(|mut page| page.body_mut().read_to_string().ok());
            page.is_some_and(|page| page.contains(what))
        };
        let mut bearerbox = start("bearerbox")?;
        bearerbox.wait_until(|| says("(online"))?;
        let mut smsbox = start("smsbox")?;
        smsbox
            .wait_until(|| says("smsbox:") && TcpStream::connect((Ipv4Addr::LOCALHOST, sendsms)).is_ok())?;

        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let reports_port = listener.local_addr()?.port();
        let reports: Arc<Mutex<HashMap<usize, Vec<Report>>>> = Arc::default();
        let kept = reports.clone();
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Some((number, report)) = reported(stream) {
                    kept.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .entry(number)
                        .or_default()
                        .push(report);
                }
            }
        });
        let sendsms = format!("http://127.0.0.1:{sendsms}/cgi-bin/sendsms");
        Ok(Self { sendsms, reports, reports_port, _boxes: [bearerbox, smsbox] })
    }

    fn send(&self, number: usize, message: &Message) -> Result<()> {
        let report =
            format!("http://127.0.0.1:{}/report?number={number}&kind=%d&answer=%A", self.reports_port);
        let parameters = [
            ("username", "yumen"),
            ("password", "secret"),
            ("from", message.from),
            ("to", &message.to),
            ("coding", "2"),
            ("charset", "UTF-8"),
            ("dlr-mask", "27"),
            ("dlr-url", &report),
            ("text", message.text),
        ];
        let answer = ureq::get(&self.sendsms).query_pairs(parameters).call()?.body_mut().read_to_string()?;
        ensure!(answer.starts_with("0:"), "Kannel refused {message:?}: {answer}");
        Ok(())
    }

    /// The kinds of report of a message, in ascending order: those of one message may overtake each other.
    fn kinds(&self, number: usize) -> Vec<u8> {
        let reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kinds: Vec<u8> =
            reports.get(&number).into_iter().flatten().map(|report| report.kind).collect();
        kinds.sort_unstable();
        kinds
    }

    /// The answer in the report of a refusal.
    fn refusal(&self, number: usize) -> String {
        let reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        let refusal = reports.get(&number).into_iter().flatten().find(|report| report.kind == REFUSED);
        refusal.map(|report| report.answer.clone()).unwrap_or_default()
    }
}

/// Reads one request and answers it.
fn reported(mut stream: TcpStream) -> Option<(usize, Report)> {
    let mut line = String::new();
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    reader.read_line(&mut line).ok()?;
    let mut header = String::new();
    while reader.read_line(&mut header).ok()? > 2 {
        header.clear();
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").ok()?;
    let query = line.split([' ', '?']).nth(2)?;
    let field = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let report = Report { kind: field("kind")?.parse().ok()?, answer: field("answer")?.to_owned() };
    Some((field("number")?.parse().ok()?, report))
}

fn configuration(smpp: u16, admin: u16, boxes: u16, sendsms: u16) -> String {
    format!(
        "group = core\nadmin-port = {admin}\nadmin-password = yumen\nsmsbox-port = {boxes}\nlog-level = 1\n\
         box-allow-ip = \"127.0.0.1\"\n\n\
         group = smsc\nsmsc = smpp\nsmsc-id = gateway\nhost = 127.0.0.1\nport = {smpp}\ntransceiver-mode = true\n\
         smsc-username = kannel\nsmsc-password = secret\nsystem-type = \"\"\nmax-pending-submits = {WINDOW}\n\n\
         group = smsbox\nbearerbox-host = 127.0.0.1\nsendsms-port = {sendsms}\nlog-level = 1\n\n\
         group = sendsms-user\nusername = yumen\npassword = secret\nconcatenation = true\nmax-messages = 10\n"
    )
}

/// Whether Kannel said the last word on a message. It asks for a receipt of the first part alone, and the first part of a bad
/// long message may arrive.
fn is_reported(message: &Message, kinds: &[u8]) -> bool {
    match (message.is_bad, message.submits.len()) {
        (false, _) => kinds == [DELIVERED, TAKEN],
        (true, 1) => kinds == [REFUSED],
        (true, _) => kinds == [REFUSED] || kinds == [DELIVERED, REFUSED],
    }
}

/// The user data of each part that Kannel makes of a message, but the reference number of its own choice.
fn kannel_parts(message: &Message) -> Vec<Vec<u8>> {
    message.submits.iter().map(|submit| without_reference(submit.has_udh, &submit.user_data)).collect()
}

fn without_reference(has_udh: bool, user_data: &[u8]) -> Vec<u8> {
    let mut user_data = user_data.to_vec();
    if has_udh && let Some(reference) = user_data.get_mut(3) {
        *reference = 0;
    }
    user_data
}

/// Kannel's words for what became of a message.
const DELIVERED: u8 = 1;
/// See [`DELIVERED`].
const TAKEN: u8 = 8;
/// See [`DELIVERED`].
const REFUSED: u8 = 16;
/// Submits without an answer.
const WINDOW: usize = 10;
/// How long the last report may take.
const PATIENCE: Duration = Duration::from_secs(60);
