//! rusmppc through the gateway to the centre of npm's `smpp`: half of the submits of [`submits_wanted`].

use anyhow::{Context, Result, bail, ensure};
use futures_util::StreamExt;
use rusmpp::pdus::{BindTransceiver, DeliverSmResp, SubmitSm};
use rusmpp::types::{COctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, Npi, RegisteredDelivery, Ton};
use rusmpp::{Command, Pdu};
use rusmppc::{ConnectionBuilder, Event};
use std::collections::HashMap;
use std::time::Duration;
use yumen_tests::bench::{BLOCK_STATUS, Bench, Fields};
use yumen_tests::traffic::{
    Answer, Message, Submit, bad, check_answers, check_receipts, check_sightings, mixed, submits,
    submits_wanted,
};

#[tokio::test]
async fn rusmppc_through_the_gateway() -> Result<()> {
    let mut bench = Bench::start()?;
    let messages = mixed(submits_wanted()? * 5 / 10);
    let (answers, receipts) = rusmppc(bench.site.ports.smpp, &messages).await?;
    let taken = check_answers(&messages, &answers, BLOCK_STATUS)?;
    check_receipts(&answers, &receipts)?;

    let sent: Vec<Fields> = submits(&messages)
        .zip(&taken)
        .filter(|(_, taken)| **taken)
        .map(|((message, submit), _)| Fields::sent(message, submit))
        .collect();
    bench.check_arrivals(&sent)?;
    let ids: Vec<String> = bench.centre.arrivals()?.into_iter().map(|arrival| arrival.id).collect();
    let given: Vec<String> =
        answers.iter().filter(|answer| answer.status == 0).map(|answer| answer.id.clone()).collect();
    ensure!(ids == given, "the ids that the centre gave aren't those that the client got");
    check_sightings(&bench.site, &mut bench.agent, bad(&messages), bad(&messages))
}

/// Sends all parts with ten in flight, and waits for a receipt for each that was taken.
async fn rusmppc(port: u16, messages: &[Message]) -> Result<(Vec<Answer>, Vec<String>)> {
    let (client, mut events) = ConnectionBuilder::new()
        .response_timeout(SILENCE)
        .connect(format!("smpp://127.0.0.1:{port}"))
        .await?;
    let bind = BindTransceiver::builder()
        .system_id(COctetString::from_slice(b"rusmppc\0")?)
        .password(COctetString::from_slice(b"secret\0")?)
        .build();
    client.bind_transceiver(bind).await?;

    let mut parts = submits(messages).enumerate();
    let mut answers = vec![None; submits(messages).count()];
    let (mut open, mut receipts) = (HashMap::new(), Vec::new());
    loop {
        while open.len() < WINDOW
            && let Some((at, (message, submit))) = parts.next()
        {
            let sequence = client.no_wait().submit_sm(submit_sm(message, submit)?).await?;
            open.insert(sequence, at);
        }
        let taken = answers.iter().flatten().filter(|answer: &&Answer| answer.status == 0).count();
        if open.is_empty() && receipts.len() >= taken {
            break;
        }
        let event = tokio::time::timeout(SILENCE, events.next()).await;
        let Event::Incoming(command) = event.context("the gateway fell silent")?.context("closed")? else {
            bail!("rusmppc failed");
        };
        match command.pdu() {
            Some(Pdu::DeliverSm(receipt)) => {
                let text = String::from_utf8_lossy(receipt.short_message().as_ref()).into_owned();
                let id = text.strip_prefix("id:").and_then(|rest| rest.split(' ').next());
                receipts.push(id.with_context(|| format!("not a receipt: {text}"))?.to_owned());
                client.deliver_sm_resp(command.sequence_number(), DeliverSmResp::default()).await?;
            }
            _ => {
                let at = open.remove(&command.sequence_number());
                let at = at.with_context(|| format!("nobody waits for {command:?}"))?;
                answers[at] = Some(answered(&command));
            }
        }
    }
    client.unbind().await.context("unbind")?;
    match client.close().await {
        // The centre closes behind its unbind_resp, and may have been faster.
        Ok(()) | Err(rusmppc::error::Error::ConnectionClosed) => {}
        Err(error) => return Err(error).context("close"),
    }
    Ok((answers.into_iter().flatten().collect(), receipts))
}

fn submit_sm(message: &Message, submit: &Submit) -> Result<SubmitSm> {
    let address = |text: &str| COctetString::from_vec(format!("{text}\0").into_bytes());
    Ok(SubmitSm::builder()
        .source_addr(address(message.from)?)
        .dest_addr_ton(Ton::International)
        .dest_addr_npi(Npi::Isdn)
        .destination_addr(address(&message.to)?)
        .esm_class(EsmClass::from(submit.esm_class()))
        .registered_delivery(RegisteredDelivery::from(1))
        .data_coding(DataCoding::from(submit.coding))
        .short_message(OctetString::from_vec(submit.user_data.clone())?)
        .build())
}

fn answered(command: &Command) -> Answer {
    let id = match command.pdu() {
        Some(Pdu::SubmitSmResp(response)) => response.message_id().to_string(),
        _ => String::new(),
    };
    Answer { status: u32::from(command.status()), id }
}

/// Submits without an answer.
const WINDOW: usize = 10;
/// How long a peer waits for the next PDU.
const SILENCE: Duration = Duration::from_secs(30);
