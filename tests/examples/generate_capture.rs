//! `generate_capture FILE MEGABYTES`: a capture of SMPP and SIP with numbers and texts of its own, to see how `yumen replay` does with a long one.

use anyhow::{Context, Result};
use std::fs::File;
use std::io::Write as _;
use yumen_tests::pcap::{Pcap, flag};
use yumen_wire::address::RawAddress;
use yumen_wire::smpp::{Bind, Body, CommandId, Header, Sm, emit};

const TEXTS: [&str; 5] = [
    "【某某快递】您的包裹已到小区南门驿站，取件码3-2-1087，请于今日20点前领取。",
    "妈，我今晚加班，别等我吃饭了，记得把降压药吃了，明天早上我去接您。",
    "逾期不还就爆通讯录",
    "周六老同学聚会改到六点半，还是上次那家火锅店，你开车来吗？",
    "【某某银行】您尾号0000的账户10月12日09:30支出人民币58.00元，余额2,318.40元。",
];
/// Messages of one connection.
const MESSAGES: u32 = 200;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(path), Some(megabytes)) = (args.next(), args.next()) else {
        anyhow::bail!("generate_capture FILE MEGABYTES");
    };
    let wanted = megabytes.parse::<u64>().context("a number of megabytes")? << 20;
    let mut file = File::create(&path).with_context(|| path.clone())?;
    let (mut pcap, mut written, mut round) = (Pcap::default(), 0_u64, 0_u32);
    while written < wanted {
        conversation(&mut pcap, round)?;
        call(&mut pcap, round);
        let bytes = pcap.drain();
        written += bytes.len() as u64;
        file.write_all(&bytes)?;
        round += 1;
    }
    println!("{path}: {written} bytes, {} messages, {round} calls", u64::from(round) * u64::from(MESSAGES));
    Ok(())
}

fn conversation(pcap: &mut Pcap, round: u32) -> Result<()> {
    let mut sequence = round.wrapping_mul(100_003);
    pcap.tcp(false, 2775, sequence.wrapping_sub(1), flag::SYN, &[]);
    let bind = Bind { system_id: b"own", interface_version: 0x34, ..Bind::default() };
    let mut send = |header: Header, body: Body<'_>| -> Result<()> {
        let mut octets = [0; 512];
        let length = emit(&header, &body, &mut octets)?;
        pcap.tcp(false, 2775, sequence, flag::DATA, octets.get(..length).unwrap_or_default());
        sequence = sequence.wrapping_add(u32::try_from(length)?);
        Ok(())
    };
    send(Header::request(CommandId::BIND_TRANSCEIVER, 1), Body::Bind(bind))?;
    for number in 0..MESSAGES {
        let to = format!("86139{:08}", (round.wrapping_mul(MESSAGES) + number) % 100_000_000);
        let text = TEXTS.iter().cycle().nth(number as usize % TEXTS.len()).copied().unwrap_or_default();
        let ucs2: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let sm = Sm {
            source: RawAddress::new(0, 1, b"10690000"),
            destination: RawAddress::new(1, 1, to.as_bytes()),
            data_coding: 8,
            short_message: &ucs2,
            ..Sm::default()
        };
        send(Header::request(CommandId::SUBMIT_SM, number + 2), Body::Sm(sm))?;
    }
    send(Header::request(CommandId::UNBIND, MESSAGES + 2), Body::EMPTY)
}

fn call(pcap: &mut Pcap, round: u32) {
    let message = |first: &str, cseq: &str, tag: &str| {
        format!(
            "{first}\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{round}\r\nMax-Forwards: 70\r\n\
             From: <sip:+86138{round:08}@192.0.2.1>;tag=1\r\nTo: <sip:+8613900000002@192.0.2.2>{tag}\r\n\
             Call-ID: {round}@192.0.2.1\r\nCSeq: {cseq}\r\nContent-Length: 0\r\n\r\n"
        )
    };
    pcap.udp(false, 5060, message("INVITE sip:+8613900000002@192.0.2.2 SIP/2.0", "1 INVITE", "").as_bytes());
    pcap.udp(true, 5060, message("SIP/2.0 200 OK", "1 INVITE", ";tag=2").as_bytes());
    pcap.udp(false, 5060, message("BYE sip:+8613900000002@192.0.2.2 SIP/2.0", "2 BYE", ";tag=2").as_bytes());
}
