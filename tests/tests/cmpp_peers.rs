//! CMPP 2.0 and 3.0 through the gateway, between a client and an ISMG that follow the specification: 5,000 SUBMITs each with
//! status reports (`YUMEN_TEST_SUBMITS` for both), and DELIVERs the other way.

use anyhow::{Context, Result, bail, ensure};
use futures_util::{StreamExt, TryStreamExt};
use std::net::Ipv4Addr;
use std::time::Duration;
use tempfile::TempDir;
use yumen_tests::demo::texts::{BAD, HONEST, Sample};
use yumen_tests::peer::cmpp::{ACCOUNT, Ismg, Sp};
use yumen_tests::program::Program;
use yumen_tests::site::{Ports, Site};
use yumen_tests::traffic::{
    self, Answer, Message, bad, check_answers, check_receipts, check_sightings, mixed, submits,
    submits_wanted,
};
use yumen_wire::cmpp::{Body, CommandId, Deliver, Header, Pdu, Submit, Version, emit};

#[tokio::test]
async fn submits_with_reports_through_the_gateway_in_2_0() -> Result<()> {
    submits_with_reports(Version::V2).await
}

#[tokio::test]
async fn submits_with_reports_through_the_gateway_in_3_0() -> Result<()> {
    submits_with_reports(Version::V3).await
}

#[tokio::test]
async fn delivers_through_the_gateway_in_2_0() -> Result<()> {
    delivers(Version::V2).await
}

#[tokio::test]
async fn delivers_through_the_gateway_in_3_0() -> Result<()> {
    delivers(Version::V3).await
}

async fn submits_with_reports(version: Version) -> Result<()> {
    let mut bench = Bench::start(version).await?;
    let messages = mixed(submits_wanted()? / 2);
    let mut sp = bench.connect(version).await?;
    let sent: Vec<Vec<u8>> = submits(&messages)
        .map(|(message, submit)| octets(message, submit, version, sp.next_sequence()))
        .collect::<Result<_>>()?;
    let answers: Vec<Answer> = futures_util::stream::iter(sent.iter().cloned())
        .map(|pdu| sp.request(pdu))
        .buffered(WINDOW)
        .map_ok(|answer| Answer { status: answer.result, id: format!("{:016x}", answer.msg_id.0) })
        .try_collect()
        .await?;
    let taken = check_answers(&messages, &answers, BLOCK_RESULT)?;

    let mut reports = Vec::new();
    while reports.len() < taken.iter().filter(|taken| **taken).count() {
        let pdu = next_deliver(&mut sp).await.with_context(|| format!("{} reports", reports.len()))?;
        let deliver = parsed(&pdu, version)?;
        ensure!(deliver.registered_delivery == 1, "not a report: {deliver:?}");
        let id = deliver.msg_content.get(..8).context("a short report")?;
        reports.push(yumen_tests::foreign::to_hex(id));
    }
    check_receipts(&answers, &reports)?;

    let forwarded: Vec<&Vec<u8>> =
        sent.iter().zip(&taken).filter(|(_, taken)| **taken).map(|(pdu, _)| pdu).collect();
    let arrived = bench.ismg.received();
    ensure!(
        forwarded == arrived.iter().collect::<Vec<_>>(),
        "{} PDUs were taken, {} others arrived",
        forwarded.len(),
        arrived.len()
    );
    sp.active_test().await?;
    sp.terminate().await?;
    check_sightings(&bench.site, &mut bench.agent, bad(&messages), bad(&messages))
}

/// The ISMG gets every DELIVER acknowledged; the SP sees the honest ones alone, each as it was.
async fn delivers(version: Version) -> Result<()> {
    let mut bench = Bench::start(version).await?;
    let mut sp = bench.connect(version).await?;
    let mixed = (0..).zip(HONEST.iter().chain(BAD)).map(|(number, sample)| (access_code(number), *sample));
    for (to, sample) in mixed {
        let taken = bench.ismg.deliver(sample.from, &to, sample.text).await?;
        ensure!(taken.iter().all(|taken| *taken), "not acknowledged: {sample:?}");
    }
    // Order is kept: once this one is here, none of the others can still come.
    bench.ismg.deliver(LAST.from, &access_code(9999), LAST.text).await?;
    let mut arrived = Vec::new();
    loop {
        let pdu = next_deliver(&mut sp).await?;
        let deliver = parsed(&pdu, version)?;
        let to = String::from_utf8(deliver.dest_id.to_vec())?;
        if to.trim_end_matches('\0') == access_code(9999) {
            break;
        }
        arrived.push((to.trim_end_matches('\0').to_owned(), deliver.msg_content.to_vec()));
    }
    let ucs2 = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let honest: Vec<(String, Vec<u8>)> =
        (0..).zip(HONEST).map(|(number, sample)| (access_code(number), ucs2(sample.text))).collect();
    ensure!(honest == arrived, "sent {honest:x?}, arrived {arrived:x?}");
    // Its own access codes aren't anybody's: no victim is named.
    check_sightings(&bench.site, &mut bench.agent, BAD.len(), 0)
}

/// A site whose CMPP door stands before an ISMG of one version.
struct Bench {
    site: Site,
    agent: Program,
    ismg: Ismg,
    _hub: Program,
    // Last: the programs above have their files in it.
    _dir: TempDir,
}

impl Bench {
    async fn start(version: Version) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let site = Site::prepare(dir.path(), Ports::free()?)?;
        let ismg = Ismg::start((Ipv4Addr::LOCALHOST, site.ports.ismg), version, ACCOUNT).await?;
        let hub = site.start_hub()?;
        // No verdict is ever too late: a busy machine isn't what is tested here.
        let config = site.agent_config("gateway", "").replace(
            "policy = { ladder = \"enforce\" }",
            &format!(
                "policy = {{ ladder = \"enforce\", block_status = {BLOCK_RESULT} }}\non_failure = {{ deadline_ms = 60000 }}"
            ),
        );
        let agent = site.start_agent("gateway", &config)?;
        Ok(Self { site, agent, ismg, _hub: hub, _dir: dir })
    }

    async fn connect(&self, version: Version) -> Result<Sp> {
        let sp = Sp::connect((Ipv4Addr::LOCALHOST, self.site.ports.cmpp), version, ACCOUNT).await?;
        ensure!(sp.version() == version, "the ISMG answered in {:?}", sp.version());
        Ok(sp)
    }
}

async fn next_deliver(sp: &mut Sp) -> Result<Vec<u8>> {
    let next = tokio::time::timeout(SILENCE, sp.delivered()).await;
    next.context("the gateway fell silent")?.context("the gateway closed")
}

fn octets(message: &Message, part: &traffic::Submit, version: Version, sequence_id: u32) -> Result<Vec<u8>> {
    let total = u8::try_from(message.submits.len())?;
    let number = message.submits.iter().position(|submit| submit == part).context("of another message")?;
    let mut destinations = [0; 32];
    let (destination_count, length) =
        Submit::pad_destinations(&[message.to.as_bytes()], version, &mut destinations)?;
    let submit = Submit {
        pk_total: total,
        pk_number: u8::try_from(number)? + 1,
        registered_delivery: 1,
        tp_udhi: u8::from(part.has_udh),
        msg_fmt: part.coding,
        msg_src: &ACCOUNT.id,
        fee_type: b"01",
        fee_code: b"000000",
        src_id: message.from.as_bytes(),
        destination_count,
        destinations: destinations.get(..length).context("too many destinations")?,
        msg_content: &part.user_data,
        trailer: [0; 20].get(..version.trailer_bytes()).context("a longer trailer")?,
        ..Submit::default()
    };
    let mut out = vec![0; 1024];
    let header = Header::new(CommandId::SUBMIT, sequence_id);
    let length = emit(&header, &Body::Submit(submit), version, &mut out)?;
    out.truncate(length);
    Ok(out)
}

fn parsed(pdu: &[u8], version: Version) -> Result<Deliver<'_>> {
    match Pdu::new_checked(pdu)?.parse(version)? {
        Body::Deliver(deliver) => Ok(deliver),
        other => bail!("not a DELIVER: {other:?}"),
    }
}

/// A number of the SP's own for each message.
fn access_code(number: usize) -> String {
    format!("10690000{number:04}")
}

/// One of the results that CMPP leaves to the ISMG: not the default of the gateway.
const BLOCK_RESULT: u32 = 9;
/// SUBMITs without an answer.
const WINDOW: usize = 10;
/// How long a peer waits for the next PDU.
const SILENCE: Duration = Duration::from_secs(30);
/// What is sent last.
const LAST: Sample = HONEST[0];
