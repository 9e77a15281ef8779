//! A capture of the test's own, as Yumen reads it and as tshark does: every field the same.

use anyhow::{Result, ensure};
use std::path::Path;
use yumen_tests::compare::{Table, compare, installed};
use yumen_tests::pcap::{Pcap, flag};
use yumen_wire::address::RawAddress;
use yumen_wire::smpp::{
    Bind, BindResp, Body, CommandId, CommandStatus, DataSm, Destination, Destinations, EsmClass, Header,
    MessageResp, Sm, SubmitMulti, SubmitMultiResp, Tag, Tlv, Tlvs, Unsuccessful, UnsuccessfulSmes, emit,
};

const SMPP: u16 = 2775;
const SIP: u16 = 5060;

#[test]
fn every_field_is_what_tshark_reads() -> Result<()> {
    println!("{}", installed()?);
    let mut pcap = Pcap::default();
    smpp(&mut pcap)?;
    sip(&mut pcap);
    map(&mut pcap);
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("own.pcap");
    std::fs::write(&file, pcap.bytes())?;
    let mut table = Table::default();
    compare(&file, &mut table)?;
    ensure!(table.differences.is_empty(), "{table}");
    // Every protocol took part, and what matters most of each.
    for (field, frames) in [
        ("smpp.source_addr", 5),
        ("smpp.message", 3),
        ("smpp.message_payload", 2),
        ("smpp.sar_total_segments", 1),
        ("smpp.receipted_message_id", 1),
        ("smpp.dl_name", 1),
        ("smpp.error_status_code", 1),
        ("sip.from.user", 6),
        ("sip.pai.user", 1),
        ("sip.Via.branch", 6),
        ("sip.auth.nonce", 2),
        ("sip.reason_cause_q850", 1),
        ("tcap.otid", 3),
        ("tcap.application_context_name", 3),
        ("gsm_map.sm.sm_RP_UI", 2),
        ("gsm_sms.sms_text", 2),
        ("gsm_sms.udh.mm.msg_id", 1),
        ("gsm_map.sm.msisdn", 2),
    ] {
        let row = table.rows.get(field);
        let equal = row.map_or(0, |row| row.equal);
        ensure!(row.is_some_and(|row| row.frames() >= frames) && equal >= 1, "{field}: {row:?}\n{table}");
    }
    Ok(())
}

/// Both sides of a connection, PDU by PDU.
fn smpp(pcap: &mut Pcap) -> Result<()> {
    let mut next = [1000_u32, 5000];
    pcap.tcp(false, SMPP, 999, flag::SYN, &[]);
    pcap.tcp(true, SMPP, 4999, flag::SYN_ACK, &[]);
    let mut send = |back: bool, pieces: &[&[u8]]| {
        for piece in pieces {
            let sequence = &mut next[usize::from(back)];
            pcap.tcp(back, SMPP, *sequence, flag::DATA, piece);
            *sequence += u32::try_from(piece.len()).unwrap_or(0);
        }
    };
    for (back, pdu) in pdus()? {
        // Every third one comes in two segments: behind the header, by which tshark knows the protocol.
        if pdu.len() % 3 == 0 && pdu.len() > 20 {
            let (head, tail) = pdu.split_at(20);
            send(back, &[head, tail]);
        } else {
            send(back, &[&pdu]);
        }
    }
    Ok(())
}

fn pdu(header: Header, body: &Body<'_>) -> Result<Vec<u8>> {
    let mut octets = vec![0; 1024];
    let length = emit(&header, body, &mut octets)?;
    octets.truncate(length);
    Ok(octets)
}

fn pdus() -> Result<Vec<(bool, Vec<u8>)>> {
    let own = RawAddress::new(0, 1, b"10690000");
    let other = RawAddress::new(1, 1, b"8613900000001");
    let ucs2: Vec<u8> = "【某某】您的包裹".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let with_header = [&[5, 0, 3, 7, 2, 1][..], &ucs2].concat();
    let sm = Sm { source: own, destination: other, registered_delivery: 1, ..Sm::default() };
    let request = Header::request;
    let answer = |id: CommandId, number, status| request(id, number).response(status);
    let ok = CommandStatus::ESME_ROK;

    let (mut tlvs0, mut tlvs1, mut tlvs2, mut tlvs3) = ([0; 32], [0; 128], [0; 128], [0; 128]);
    let version = Tlvs::build(&[Tlv::new(Tag::SC_INTERFACE_VERSION, &[0x34])], &mut tlvs0)?;
    let sar = Tlvs::build(
        &[
            Tlv::new(Tag::SAR_MSG_REF_NUM, &[0, 9]),
            Tlv::new(Tag::SAR_TOTAL_SEGMENTS, &[2]),
            Tlv::new(Tag::SAR_SEGMENT_SEQNUM, &[1]),
            Tlv::new(Tag::MESSAGE_PAYLOAD, b"own payload"),
        ],
        &mut tlvs1,
    )?;
    let receipt = Tlvs::build(
        &[
            Tlv::new(Tag::RECEIPTED_MESSAGE_ID, b"0a1b2c\0"),
            Tlv::new(Tag::MESSAGE_STATE, &[2]),
            Tlv::new(Tag::NETWORK_ERROR_CODE, &[3, 0, 0]),
        ],
        &mut tlvs2,
    )?;
    let ports = Tlvs::build(
        &[
            Tlv::new(Tag::USER_MESSAGE_REFERENCE, &[1, 2]),
            Tlv::new(Tag::SOURCE_PORT, &[0x23, 0xF0]),
            Tlv::new(Tag::DESTINATION_PORT, &[0x0B, 0x84]),
            Tlv::new(Tag::MESSAGE_PAYLOAD, &ucs2),
        ],
        &mut tlvs3,
    )?;
    let (mut to, mut failed) = ([0; 128], [0; 64]);
    let many = [Destination::Address(other), Destination::List(b"own-list")];
    let destinations = Destinations::build(&many, &mut to)?;
    let unsuccessful = UnsuccessfulSmes::build(
        &[Unsuccessful { destination: other, status: CommandStatus(0x0B) }],
        &mut failed,
    )?;

    let bind = Bind { system_id: b"own", interface_version: 0x34, address_range: b"1069", ..Bind::default() };
    let (id, submit) = (CommandId::BIND_TRANSCEIVER, CommandId::SUBMIT_SM);
    Ok(vec![
        (false, pdu(request(id, 1), &Body::Bind(bind))?),
        (
            true,
            pdu(answer(id, 1, ok), &Body::BindResp(BindResp { system_id: Some(b"centre"), tlvs: version }))?,
        ),
        (
            false,
            pdu(
                request(submit, 2),
                &Body::Sm(Sm {
                    esm_class: EsmClass(EsmClass::UDHI),
                    data_coding: 8,
                    short_message: &with_header,
                    validity_period: b"000001000000000R",
                    ..sm
                }),
            )?,
        ),
        (true, pdu(answer(submit, 2, ok), &Body::MessageResp(MessageResp::new(b"0a1b2c")))?),
        (false, pdu(request(submit, 3), &Body::Sm(Sm { tlvs: sar, ..sm }))?),
        (true, pdu(answer(submit, 3, CommandStatus(0x45)), &Body::EMPTY)?),
        (
            true,
            pdu(
                request(CommandId::DELIVER_SM, 4),
                &Body::Sm(Sm {
                    source: other,
                    destination: own,
                    esm_class: EsmClass(EsmClass::DELIVERY_RECEIPT),
                    short_message: b"id:0a1b2c stat:DELIVRD",
                    tlvs: receipt,
                    ..Sm::default()
                }),
            )?,
        ),
        (false, pdu(answer(CommandId::DELIVER_SM, 4, ok), &Body::MessageResp(MessageResp::new(b"")))?),
        (
            false,
            pdu(
                request(CommandId::SUBMIT_MULTI, 5),
                &Body::SubmitMulti(SubmitMulti { destinations, sm: Sm { short_message: b"to many", ..sm } }),
            )?,
        ),
        (
            true,
            pdu(
                answer(CommandId::SUBMIT_MULTI, 5, ok),
                &Body::SubmitMultiResp(SubmitMultiResp {
                    message_id: Some(b"0a1b2d"),
                    unsuccessful,
                    ..SubmitMultiResp::default()
                }),
            )?,
        ),
        (
            false,
            pdu(
                request(CommandId::DATA_SM, 6),
                &Body::DataSm(DataSm {
                    source: own,
                    destination: other,
                    data_coding: 8,
                    tlvs: ports,
                    ..DataSm::default()
                }),
            )?,
        ),
        (true, pdu(answer(CommandId::DATA_SM, 6, ok), &Body::MessageResp(MessageResp::new(b"0a1b2e")))?),
        (false, pdu(request(CommandId::ENQUIRE_LINK, 7), &Body::EMPTY)?),
        (true, pdu(answer(CommandId::ENQUIRE_LINK, 7, ok), &Body::EMPTY)?),
        (false, pdu(request(CommandId::UNBIND, 8), &Body::EMPTY)?),
    ])
}

fn sip(pcap: &mut Pcap) {
    let datagrams = [
        (
            false,
            "INVITE sip:+8613900000002@192.0.2.2:5060;user=phone SIP/2.0\r\n\
             Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKone;rport\r\n\
             Via: SIP/2.0/TCP host.example.invalid;branch=z9hG4bKtwo;received=192.0.2.9\r\n\
             Max-Forwards: 70\r\n\
             Route: <sip:192.0.2.2:5060;lr>\r\n\
             From: \"Own, Caller\" <sip:+8613900000003@192.0.2.1>;tag=one\r\n\
             To: <sip:+8613900000002@192.0.2.2>\r\n\
             Call-ID: one@192.0.2.1\r\nCSeq: 1 INVITE\r\n\
             Contact: <sip:+8613900000003@192.0.2.1:5060>\r\n\
             P-Asserted-Identity: <sip:+8613900000003@example.invalid>\r\n\
             User-Agent: own\r\nX-Own: something\r\nSubject: a line\r\n  that goes on\r\n\
             Content-Length: 0\r\n\r\n",
        ),
        (
            true,
            "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKone;received=192.0.2.1;rport=5060\r\n\
             From: \"Own, Caller\" <sip:+8613900000003@192.0.2.1>;tag=one\r\n\
             To: <sip:+8613900000002@192.0.2.2>;tag=two\r\nCall-ID: one@192.0.2.1\r\nCSeq: 1 INVITE\r\n\
             WWW-Authenticate: Digest realm=\"own\",nonce=\"abc=\",algorithm=MD5,stale=false\r\nContent-Length: 0\r\n\r\n",
        ),
        (
            false,
            "INVITE sip:+8613900000002@192.0.2.2 SIP/2.0\r\nv: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKthree\r\n\
             f: <sip:+8613900000003@192.0.2.1>;tag=one\r\nt: <sip:+8613900000002@192.0.2.2>\r\n\
             i: one@192.0.2.1\r\nCSeq: 2 INVITE\r\nm: <sip:192.0.2.1>\r\nMax-Forwards: 70\r\n\
             Authorization: Digest username=\"own\",realm=\"own\",nonce=\"abc=\",uri=\"sip:192.0.2.2\",response=\"00ff\"\r\n\
             l: 0\r\n\r\n",
        ),
        (
            true,
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKthree\r\nRecord-Route: <sip:192.0.2.5;lr>\r\n\
             From: <sip:+8613900000003@192.0.2.1>;tag=one\r\nTo: <sip:+8613900000002@192.0.2.2>;tag=two\r\n\
             Call-ID: one@192.0.2.1\r\nCSeq: 2 INVITE\r\nContact: <sip:192.0.2.2:5062>\r\nServer: own\r\nContent-Length: 0\r\n\r\n",
        ),
        (
            false,
            "BYE sip:192.0.2.2:5062 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKfour\r\n\
             From: <sip:+8613900000003@192.0.2.1>;tag=one\r\nTo: <sip:+8613900000002@192.0.2.2>;tag=two\r\n\
             Call-ID: one@192.0.2.1\r\nCSeq: 3 BYE\r\nMax-Forwards: 70\r\nReason: Q.850;cause=16;text=\"over\"\r\n\
             Content-Length: 0\r\n\r\n",
        ),
    ];
    for (back, datagram) in datagrams {
        pcap.udp(back, SIP, datagram.as_bytes());
    }
    let stream = "OPTIONS sip:192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKfive\r\n\
                  From: <sip:+8613900000004@192.0.2.1>;tag=three\r\nTo: <sip:192.0.2.2>\r\nCall-ID: two@192.0.2.1\r\n\
                  CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
    pcap.tcp(false, SIP, 99, flag::SYN, &[]);
    let (head, tail) = stream.as_bytes().split_at(70);
    pcap.tcp(false, SIP, 100, flag::DATA, head);
    pcap.tcp(false, SIP, 170, flag::DATA, tail);
}

/// A tag, a length below 128 or in one more octet, and a value.
fn ber(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(value.len()).unwrap_or(u8::MAX);
    let head = if length < 128 { vec![tag, length] } else { vec![tag, 0x81, length] };
    [head.as_slice(), value].concat()
}

/// TCAP begin with a dialogue of that application context and one invoke.
fn begin(id: u8, context: &[u8], operation: u8, argument: &[u8]) -> Vec<u8> {
    let syntax = ber(0x06, &[0x00, 0x11, 0x86, 0x05, 0x01, 0x01, 0x01]);
    let request = ber(0x60, &[ber(0x80, &[0x07, 0x80]), ber(0xA1, &ber(0x06, context))].concat());
    let dialogue = ber(0x6B, &ber(0x28, &[syntax, ber(0xA0, &request)].concat()));
    let invoke = [ber(0x02, &[1]), ber(0x02, &[operation]), ber(0x30, argument)].concat();
    let components = ber(0x6C, &ber(0xA1, &invoke));
    ber(0x62, &[ber(0x48, &[0, 0, 0, id]), dialogue, components].concat())
}

/// M3UA with SCCP unitdata between two subsystems (Q.713 §4.10).
fn transfer(tcap: &[u8]) -> Vec<u8> {
    let party = |subsystem: u8| [&[0x12, subsystem, 0, 0x11, 4][..], &[0x68, 0x31, 0, 0, 0]].concat();
    let (called, calling) = (party(8), party(6));
    let mut sccp = vec![0x09, 0x80, 3, 13, 23];
    for part in [&called[..], &calling] {
        sccp.push(u8::try_from(part.len()).unwrap_or(0));
        sccp.extend(part);
    }
    sccp.push(u8::try_from(tcap.len()).unwrap_or(0));
    sccp.extend(tcap);
    let mut data = vec![0, 0, 0, 1, 0, 0, 0, 2, 3, 2, 0, 0];
    data.extend(sccp);
    let length = u16::try_from(4 + data.len()).unwrap_or(0);
    let mut parameter = [&[0x02, 0x10][..], &length.to_be_bytes(), &data].concat();
    parameter.resize(parameter.len().next_multiple_of(4), 0);
    let whole = u32::try_from(8 + parameter.len()).unwrap_or(0);
    [&[1, 0, 1, 1][..], &whole.to_be_bytes(), &parameter].concat()
}

fn map(pcap: &mut Pcap) {
    const CENTRE: [u8; 7] = [0x91, 0x68, 0x31, 0x00, 0x00, 0x10, 0xF0];
    const NUMBER: [u8; 8] = [0x91, 0x68, 0x31, 0x09, 0x00, 0x00, 0x10, 0xF2];
    const IMSI: [u8; 8] = [0x64, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xF1];
    // A question where a number's subscriber is.
    let asked = [ber(0x80, &NUMBER), ber(0x81, &[1]), ber(0x82, &CENTRE)].concat();
    pcap.m3ua(false, 1, &transfer(&begin(1, &[4, 0, 0, 1, 0, 20, 3], 45, &asked)));
    // One part of a message to a subscriber, in UCS-2.
    let deliver = [
        &[0x44, 0x0D, 0x91, 0x68, 0x31, 0x09, 0x00, 0x00, 0x10, 0xF3, 0x00, 0x08][..],
        &[0x62, 0x11, 0x52, 0x21, 0x03, 0x00, 0x23, 10, 5, 0, 3, 0x2A, 2, 1, 0x4F, 0x60, 0x59, 0x7D],
    ]
    .concat();
    let delivered = [ber(0x80, &IMSI), ber(0x84, &CENTRE), ber(0x04, &deliver)].concat();
    pcap.m3ua(false, 2, &transfer(&begin(2, &[4, 0, 0, 1, 0, 25, 3], 44, &delivered)));
    // A message of a subscriber, in seven bits: "hello".
    let submit = [
        &[0x11, 0x09, 0x0D, 0x91, 0x68, 0x31, 0x09, 0x00, 0x00, 0x10, 0xF3, 0x00, 0x00, 0xAA, 0x05][..],
        &[0xE8, 0x32, 0x9B, 0xFD, 0x06],
    ]
    .concat();
    let submitted = [ber(0x84, &CENTRE), ber(0x82, &NUMBER), ber(0x04, &submit)].concat();
    pcap.m3ua(true, 3, &transfer(&begin(3, &[4, 0, 0, 1, 0, 21, 3], 46, &submitted)));
}
