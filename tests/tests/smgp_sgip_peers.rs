//! SMGP and SGIP through the gateway, between clients and servers that follow the specifications: honest messages arrive
//! byte for byte, bad ones don't, and each of those is one sighting. 2,500 PDUs each way and protocol; `YUMEN_TEST_SUBMITS`
//! is for all four.

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, TryStreamExt};
use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::time::Duration;
use tempfile::TempDir;
use yumen_tests::peer::{sgip, smgp};
use yumen_tests::program::{Program, eventually, free_port};
use yumen_tests::site::{Ports, Site};
use yumen_tests::traffic::{self, Answer, Message, bad, check_answers, mixed, submits, submits_wanted};
use yumen_wire::sgip as sgip_wire;
use yumen_wire::smgp as smgp_wire;

/// Statuses of the sites' own, within what each protocol has.
const SMGP_BLOCK: u8 = 140;
const SGIP_BLOCK: u8 = 6;
/// Requests without an answer.
const WINDOW: usize = 10;

#[tokio::test]
async fn smgp_both_ways() -> Result<()> {
    let bench = Bench::start(&[("smgp", "smgp", SMGP_BLOCK)])?;
    let (door, upstream) = bench.ends[0];
    let smgw = smgp::Smgw::start((Ipv4Addr::LOCALHOST, upstream)).await?;
    let sp = smgp::Sp::connect((Ipv4Addr::LOCALHOST, door)).await?;
    let messages = mixed(submits_wanted()? / 4);

    let sent: Vec<Vec<u8>> = submits(&messages)
        .map(|(message, part)| smgp_submit(message, part, sp.next_sequence()))
        .collect::<Result<_>>()?;
    let answers: Vec<Answer> = futures_util::stream::iter(sent.iter().cloned())
        .map(|pdu| sp.submit(pdu))
        .buffered(WINDOW)
        .map_ok(|answer| Answer { status: answer.status, id: format!("{:?}", answer.msg_id) })
        .try_collect()
        .await?;
    check_answers(&messages, &answers, u32::from(SMGP_BLOCK))?;
    check_arrivals(&messages, &sent, &smgw.received())?;

    let sent: Vec<Vec<u8>> = (1_000_000..)
        .zip(submits(&messages))
        .map(|(number, (message, part))| smgp_deliver(message, part, number))
        .collect::<Result<_>>()?;
    let answers: Vec<u32> = futures_util::stream::iter(sent.iter().cloned())
        .map(|pdu| smgw.deliver(pdu))
        .buffered(WINDOW)
        .map_ok(|answer| answer.status)
        .try_collect()
        .await?;
    ensure!(answers.iter().all(|status| *status == 0), "a Deliver wasn't acknowledged");
    check_arrivals(&messages, &sent, &sp.received())?;
    sp.leave().await?;
    bench.check_sightings("smgp", 2 * bad(&messages))
}

#[tokio::test]
async fn sgip_a_connection_each_way() -> Result<()> {
    let bench = Bench::start(&[("sgip-mt", "sgip", SGIP_BLOCK), ("sgip-mo", "sgip", SGIP_BLOCK)])?;
    let [(mt, smg), (mo, sp)] = bench.ends[..] else { anyhow::bail!("two listeners") };
    let smg = sgip::Server::start((Ipv4Addr::LOCALHOST, smg)).await?;
    let sp = sgip::Server::start((Ipv4Addr::LOCALHOST, sp)).await?;
    let messages = mixed(submits_wanted()? / 4);

    let client = sgip::Client::bind((Ipv4Addr::LOCALHOST, mt), 1, 3_025_000_001).await?;
    let sent: Vec<Vec<u8>> = submits(&messages)
        .map(|(message, part)| sgip_submit(message, part, client.next_sequence()))
        .collect::<Result<_>>()?;
    let answers = sgip_send(&client, &sent).await?;
    let as_answers: Vec<Answer> =
        answers.iter().map(|result| Answer { status: u32::from(*result), id: String::new() }).collect();
    check_answers(&messages, &as_answers, u32::from(SGIP_BLOCK))?;
    check_arrivals(&messages, &sent, &smg.received())?;
    // A client that missed an answer sends again: it is answered again, and nothing is reported twice.
    let (at, refused) =
        answers.iter().enumerate().rfind(|(_, result)| **result != 0).context("none refused")?;
    let again = client.request(sent.get(at).context("no such PDU")?.clone()).await?;
    ensure!(again == *refused, "answered {again} instead of {refused}");
    client.unbind().await?;

    let client = sgip::Client::bind((Ipv4Addr::LOCALHOST, mo), 2, 100_001).await?;
    let sent: Vec<Vec<u8>> = submits(&messages)
        .map(|(message, part)| sgip_deliver(message, part, client.next_sequence()))
        .collect::<Result<_>>()?;
    let answers = sgip_send(&client, &sent).await?;
    ensure!(answers.iter().all(|result| *result == 0), "a Deliver wasn't acknowledged");
    check_arrivals(&messages, &sent, &sp.received())?;
    client.unbind().await?;
    bench.check_sightings("sgip", 2 * bad(&messages))
}

async fn sgip_send(client: &sgip::Client, sent: &[Vec<u8>]) -> Result<Vec<u8>> {
    let answers = futures_util::stream::iter(sent.iter().cloned()).map(|pdu| client.request(pdu));
    Ok(answers.buffered(WINDOW).try_collect().await?)
}

/// Every honest PDU arrived as it was sent and in order; of a bad message at most the parts before the last did.
fn check_arrivals(messages: &[Message], sent: &[Vec<u8>], arrived: &[Vec<u8>]) -> Result<()> {
    let (mut sent, mut arrived) = (sent.iter(), arrived.iter().peekable());
    for message in messages {
        let mut passed = 0;
        for _ in &message.submits {
            let pdu = sent.next().context("fewer PDUs than parts")?;
            if arrived.next_if(|arrived| *arrived == pdu).is_some() {
                passed += 1;
            } else {
                ensure!(message.is_bad, "an honest message didn't arrive as it was sent: {message:?}");
            }
        }
        ensure!(!message.is_bad || passed < message.submits.len(), "a bad message arrived: {message:?}");
    }
    ensure!(arrived.next().is_none(), "something arrived that wasn't sent");
    Ok(())
}

/// A site with listeners of the test's own.
struct Bench {
    site: Site,
    _agent: Program,
    /// Where each listener listens, and where its upstream is.
    ends: Vec<(u16, u16)>,
    _hub: Program,
    // Last: the programs above have their files in it.
    _dir: TempDir,
}

impl Bench {
    fn start(listeners: &[(&str, &str, u8)]) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let site = Site::prepare(dir.path(), Ports::free()?)?;
        let hub = site.start_hub()?;
        let (mut extra, mut ends) = (String::new(), Vec::new());
        for (name, protocol, block) in listeners {
            let (bind, upstream) = (free_port()?, free_port()?);
            // No verdict is ever too late: a busy machine isn't what is tested here.
            extra += &format!(
                "\n[[listener]]\nname = \"{name}\"\nprotocol = \"{protocol}\"\nbind = \"127.0.0.1:{bind}\"\n\
                 policy = {{ ladder = \"enforce\", block_status = {block} }}\non_failure = {{ deadline_ms = 60000 }}\n\
                 upstream = [{{ address = \"127.0.0.1:{upstream}\" }}]\n"
            );
            ends.push((bind, upstream));
        }
        let agent = site.start_agent("gateway", &site.agent_config("gateway", &extra))?;
        Ok(Self { site, _agent: agent, ends, _hub: hub, _dir: dir })
    }

    fn check_sightings(mut self, door: &str, count: usize) -> Result<()> {
        let site = self.site.clone();
        eventually(Duration::from_secs(120), "every blocked message is in the hub's table", || {
            Ok(site.sightings()?.len() >= count)
        })?;
        // The agent drains its spool before it ends: after that no more can come.
        self._agent.terminate()?;
        let sightings = site.sightings()?;
        let ids: HashSet<&str> = sightings.iter().filter_map(|row| row["id"].as_str()).collect();
        let of_door = sightings.iter().filter(|row| row["data"]["door"] == door).count();
        let rejected = sightings.iter().filter(|row| row["data"]["verdict"] == "reject").count();
        ensure!(
            [sightings.len(), ids.len(), of_door, rejected] == [count; 4],
            "{count} blocked: {} sightings, {} ids, {of_door} of {door}, {rejected} of verdict reject",
            sightings.len(),
            ids.len()
        );
        Ok(())
    }
}

fn emitted<E: std::error::Error + Send + Sync + 'static>(
    emit: impl FnOnce(&mut [u8]) -> Result<usize, E>,
) -> Result<Vec<u8>> {
    let mut out = vec![0; 1024];
    let length = emit(&mut out)?;
    out.truncate(length);
    Ok(out)
}

fn number(digits: &str) -> [u8; 21] {
    let mut field = [0; 21];
    for (place, digit) in field.iter_mut().zip(digits.bytes()) {
        *place = digit;
    }
    field
}

/// Every second PDU ends in a bare tag, as a peer in the field does.
fn tlvs(part: &traffic::Submit, sequence: u32) -> &'static [u8] {
    match (part.has_udh, sequence.is_multiple_of(2)) {
        (true, true) => &[0, 2, 0, 1, 1, 0, 1],
        (true, false) => &[0, 2, 0, 1, 1],
        (false, true) => &[0, 1],
        (false, false) => &[],
    }
}

fn smgp_submit(message: &Message, part: &traffic::Submit, sequence: u32) -> Result<Vec<u8>> {
    use smgp_wire::{Body, CommandId, Header, Submit, Tlvs, Version, emit};
    let destination = number(&message.to);
    let submit = Submit {
        msg_type: 6,
        need_report: 1,
        service_id: b"HELP",
        fee_type: b"00",
        fee_code: b"000000",
        fixed_fee: b"000000",
        msg_format: part.coding,
        src_term_id: message.from.as_bytes(),
        destination_count: 1,
        destinations: &destination,
        msg_content: &part.user_data,
        tlvs: Tlvs::new(tlvs(part, sequence)),
        ..Submit::default()
    };
    emitted(|out| emit(&Header::new(CommandId::SUBMIT, sequence), &Body::Submit(submit), Version::V3, out))
}

fn smgp_deliver(message: &Message, part: &traffic::Submit, sequence: u32) -> Result<Vec<u8>> {
    use smgp_wire::{Body, CommandId, Deliver, Header, MsgId, Tlvs, Version, emit};
    let [a, b, c, d] = sequence.to_be_bytes();
    let deliver = Deliver {
        // No BCD: ids are any octets.
        msg_id: MsgId([0x64, 0x95, 0xC3, 0x6A, 0xFF, 0xEA, a, b, c, d]),
        msg_format: part.coding,
        recv_time: b"20261124020000",
        src_term_id: message.from.as_bytes(),
        dest_term_id: message.to.as_bytes(),
        msg_content: &part.user_data,
        tlvs: Tlvs::new(tlvs(part, sequence)),
        ..Deliver::default()
    };
    emitted(|out| emit(&Header::new(CommandId::DELIVER, sequence), &Body::Deliver(deliver), Version::V3, out))
}

fn sgip_submit(message: &Message, part: &traffic::Submit, sequence: sgip_wire::Sequence) -> Result<Vec<u8>> {
    use sgip_wire::{Body, CommandId, Header, Submit, emit};
    let user = number(&format!("86{}", message.to));
    let submit = Submit {
        sp_number: message.from.as_bytes(),
        user_count: 1,
        user_numbers: &user,
        corp_id: b"12345",
        service_type: b"HELP",
        fee_type: 1,
        report_flag: 1,
        tp_udhi: u8::from(part.has_udh),
        message_coding: part.coding,
        message_content: &part.user_data,
        trailer: b"reserve!",
        ..Submit::default()
    };
    emitted(|out| emit(&Header::new(CommandId::SUBMIT, sequence), &Body::Submit(submit), out))
}

fn sgip_deliver(message: &Message, part: &traffic::Submit, sequence: sgip_wire::Sequence) -> Result<Vec<u8>> {
    use sgip_wire::{Body, CommandId, Deliver, Header, emit};
    let deliver = Deliver {
        user_number: message.from.as_bytes(),
        sp_number: message.to.as_bytes(),
        tp_udhi: u8::from(part.has_udh),
        message_coding: part.coding,
        message_content: &part.user_data,
        trailer: &[0; 8],
        ..Deliver::default()
    };
    emitted(|out| emit(&Header::new(CommandId::DELIVER, sequence), &Body::Deliver(deliver), out))
}
