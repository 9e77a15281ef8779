//! PDUs that went wrong on their way: random, truncated, bit-flipped, spliced. None may panic or hang, and whatever
//! parses is emitted as it came.
//!
//! `YUMEN_MUTATIONS` sets how many a protocol gets (20,000 unless set). A failure prints its seed; `YUMEN_SEED` runs
//! that one alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic in a test is a failed test"
)]

mod corpus;

use std::panic::{AssertUnwindSafe, catch_unwind};

use yumen_wire::frame::{Frame, Framing};
use yumen_wire::limits::ADDRESS_TEXT_BYTES_MAX;
use yumen_wire::sigtran::map::{ForwardSm, RoutingInfoArgument, RoutingInfoResult};
use yumen_wire::sigtran::mtp3::{parse_m2pa, parse_m2ua, parse_m3ua};
use yumen_wire::sigtran::{sccp, tcap};
use yumen_wire::text::{Coding, Decoder, blank, decode_segment};
use yumen_wire::tpdu::{ToCentre, ToMobile, parse_to_centre, parse_to_mobile};
use yumen_wire::udh::UserData;
use yumen_wire::{cmpp, sgip, smgp, smpp};

const MUTATIONS: u64 = 20_000;

#[test]
fn mutated_smpp_pdus() {
    run("smpp", Framing::SMPP, |octets, out, text| {
        let Ok(pdu) = smpp::Pdu::new_checked(octets) else { return };
        if let Ok(body) = pdu.parse() {
            let length = smpp::emit(&pdu.header(), &body, out).unwrap();
            assert_eq!(out[..length], *octets);
        }
        if let Ok(view) = smpp::MessageView::parse(&pdu) {
            for user_data in view.texts() {
                decode(user_data, Coding::from_smpp(view.data_coding.unwrap_or(0), Coding::Gsm7Packed), text);
            }
            let _ = (view.concatenation(), view.destination(), view.is_report());
            assert!(view.destinations.into_iter().count() <= 255);
        }
        smpp::emit_response(&pdu.header(), smpp::CommandStatus::ESME_RSUBMITFAIL, b"", out).unwrap();
    });
}

#[test]
fn mutated_cmpp_pdus() {
    run("cmpp", Framing::CMPP, |octets, out, text| {
        let Ok(pdu) = cmpp::Pdu::new_checked(octets) else { return };
        for version in [cmpp::Version::V2, cmpp::Version::V3] {
            if let Ok(body) = pdu.parse(version) {
                let length = cmpp::emit(&pdu.header(), &body, version, out).unwrap();
                assert_eq!(out[..length], *octets);
            }
            if let Ok(view) = cmpp::MessageView::parse(&pdu, version) {
                decode(view.user_data(), Coding::from_cmpp(view.msg_fmt), text);
                let _ = (view.concatenation(), view.destination(), view.report());
                assert_eq!(view.destinations().count(), usize::from(view.destination().1));
            }
            cmpp::emit_response(&pdu, version, cmpp::result::OTHER, cmpp::MsgId(1), out).unwrap();
        }
    });
}

#[test]
fn mutated_smgp_pdus() {
    run("smgp", Framing::SMGP, |octets, out, text| {
        let Ok(pdu) = smgp::Pdu::new_checked(octets) else { return };
        for version in [smgp::Version::V1, smgp::Version::V3] {
            if let Ok(body) = pdu.parse(version) {
                let length = smgp::emit(&pdu.header(), &body, version, out).unwrap();
                assert_eq!(out[..length], *octets);
            }
            if let Ok(view) = smgp::MessageView::parse(&pdu, version) {
                decode(view.user_data(), Coding::from_cmpp(view.msg_format), text);
                let _ = (view.concatenation(), view.report());
                assert_eq!(view.destinations().count(), usize::from(view.destination().1));
            }
            smgp::emit_response(&pdu, version, 1, smgp::MsgId::default(), out).unwrap();
        }
    });
}

#[test]
fn mutated_sgip_pdus() {
    run("sgip", Framing::SGIP, |octets, out, text| {
        let Ok(pdu) = sgip::Pdu::new_checked(octets) else { return };
        if let Ok(body) = pdu.parse() {
            let length = sgip::emit(&pdu.header(), &body, out).unwrap();
            assert_eq!(out[..length], *octets);
        }
        if let Ok(view) = sgip::MessageView::parse(&pdu) {
            decode(view.user_data(), Coding::from_cmpp(view.message_coding), text);
            let _ = view.concatenation();
            assert_eq!(view.destinations().count(), usize::from(view.destination().1));
        }
        sgip::emit_response(&pdu.header(), sgip::result::BUSY, out).unwrap();
    });
}

#[test]
fn mutated_tpdus() {
    // A deliver in seven bits, one in UCS-2 with a header, a submit with a relative validity.
    let samples = [
        "040d91683108000010f100006210203040502305e8329bfd06",
        "440d91683109000010f30008621152210300230a0500032a02014f60597d",
        "51070581 0160f900 08aa0a05 00032a02 014f6059 7d",
    ]
    .map(octets);
    unframed("tpdu", &samples, |octets, text| {
        let mut scratch = [0; ADDRESS_TEXT_BYTES_MAX];
        if let Ok(ToMobile::Deliver(deliver)) = parse_to_mobile(octets) {
            let _ = deliver.originator.raw(&mut scratch);
            assert!(deliver.user_data.octets.len() <= octets.len());
            deliver.user_data.decode(text);
        }
        if let Ok(ToCentre::Submit(submit)) = parse_to_centre(octets) {
            let _ = submit.destination.raw(&mut scratch);
            submit.user_data.decode(text);
        }
    });
}

#[test]
fn mutated_sigtran_messages() {
    // M3UA with an SCCP unitdata that carries an mt-ForwardSM; the same without M3UA; the TCAP message alone.
    let tcap = "621c6c1aa11802010102012c30108003640 0f1840491683 1f00403040091".replace(' ', "");
    let sccp =
        format!("0980030d17 0a1208001104683100 0000 0a1206001104683100 0000 1e{tcap}").replace(' ', "");
    let m3ua = format!("0100010100000054 0210004a 00000001 00000002 03020000 {sccp} 0000").replace(' ', "");
    let samples = [octets(&m3ua), octets(&sccp), octets(&tcap)];
    unframed("sigtran", &samples, |octets, text| {
        for transfer in [parse_m3ua(octets), parse_m2ua(octets), parse_m2pa(octets)] {
            if let Ok(Some(transfer)) = transfer {
                read_sccp(transfer.payload, text);
            }
        }
        read_sccp(octets, text);
        read_tcap(octets, text);
    });
}

fn read_sccp(octets: &[u8], text: &mut str) {
    if let Ok(Some(message)) = sccp::Message::parse(octets) {
        let mut scratch = [0; ADDRESS_TEXT_BYTES_MAX];
        let _ = message.called.digits(&mut scratch);
        let _ = message.calling.digits(&mut scratch);
        read_tcap(message.data, text);
    }
}

fn read_tcap(octets: &[u8], text: &mut str) {
    let Ok(message) = tcap::Message::parse(octets) else { return };
    assert!(message.components().count() <= octets.len());
    for component in message.components() {
        let _ = (RoutingInfoArgument::of(&component), RoutingInfoResult::of(&component));
        if let Some(forward) = ForwardSm::of(&component) {
            let mut scratch = [0; ADDRESS_TEXT_BYTES_MAX];
            let _ = forward.destination.digits(&mut scratch);
            let _ = forward.originator.digits(&mut scratch);
            if let Ok(ToMobile::Deliver(deliver)) = parse_to_mobile(forward.tpdu) {
                deliver.user_data.decode(text);
            }
        }
    }
}

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let value = |digit: &u8| char::from(*digit).to_digit(16).unwrap();
    digits.chunks(2).map(|pair| u8::try_from(value(&pair[0]) << 4 | value(&pair[1])).unwrap()).collect()
}

/// Hands mutated samples of something without a length of its own to `check`.
fn unframed(protocol: &str, samples: &[Vec<u8>], check: impl Fn(&[u8], &mut str)) {
    let mut buffer = vec![0; 1024];
    let text = blank(&mut buffer);
    for seed in seeds() {
        let octets = mutate(samples, &mut Random(seed));
        let ran = catch_unwind(AssertUnwindSafe(|| check(&octets, text)));
        assert!(ran.is_ok(), "{protocol}: YUMEN_SEED={seed} {octets:02x?}");
    }
}

fn decode(user_data: UserData<'_>, coding: Coding, text: &mut str) {
    let parts = user_data.parts();
    let whole = decode_segment(coding, &parts, text);
    assert!(text.is_char_boundary(whole.written));
    let mut decoder = Decoder::new(coding);
    decoder.feed(&parts, text);
    decoder.flush(text);
}

/// Mutates samples of `protocol`, frames what came of them, and hands every PDU to `check` with room for what it emits
/// and for text.
fn run(protocol: &str, framing: Framing, check: impl Fn(&[u8], &mut [u8], &mut str)) {
    let samples: Vec<_> = corpus::samples(protocol).into_iter().map(|sample| sample.octets).collect();
    let mut out = vec![0; framing.pdu_bytes_max()];
    let mut buffer = vec![0; 512];
    let text = blank(&mut buffer);
    for seed in seeds() {
        let stream = with_length(mutate(&samples, &mut Random(seed)), seed);
        let ran = catch_unwind(AssertUnwindSafe(|| {
            let mut rest = &stream[..];
            while let Ok(Frame::Whole(length)) = framing.frame(rest) {
                let (pdu, behind) = rest.split_at(length);
                check(pdu, &mut out, text);
                rest = behind;
            }
        }));
        assert!(ran.is_ok(), "{protocol}: YUMEN_SEED={seed} {stream:02x?}");
    }
}

fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().expect(name));
    match number("YUMEN_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("YUMEN_MUTATIONS").unwrap_or(MUTATIONS),
    }
}

/// Puts a length field right in three of four, so that the defect lies further in.
fn with_length(mut octets: Vec<u8>, seed: u64) -> Vec<u8> {
    if !seed.is_multiple_of(4) && octets.len() >= 4 {
        let length = u32::try_from(octets.len()).unwrap();
        octets[..4].copy_from_slice(&length.to_be_bytes());
    }
    octets
}

/// Octets that went wrong.
fn mutate(samples: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut octets = samples[random.below(samples.len())].clone();
    match random.below(6) {
        0 => octets.iter_mut().skip(random.below(17)).for_each(|octet| *octet = random.octet()),
        1 => octets.truncate(random.below(octets.len() + 1)),
        2 => (0..=random.below(8)).for_each(|_| random.flip(&mut octets)),
        3 => {
            let other = &samples[random.below(samples.len())];
            octets.truncate(random.below(octets.len() + 1));
            octets.extend_from_slice(&other[random.below(other.len())..]);
        }
        4 => {
            let at = random.below(octets.len() + 1);
            let inserted: Vec<u8> = (0..random.below(40)).map(|_| random.octet()).collect();
            octets.splice(at..at, inserted);
        }
        _ => {
            let at = random.below(octets.len());
            octets[at] = [0, 1, 0x7F, 0x80, 0xFE, 0xFF][random.below(6)];
        }
    }
    octets
}

/// SplitMix64: the same numbers for the same seed everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    fn octet(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    fn flip(&mut self, octets: &mut [u8]) {
        let at = self.below(octets.len());
        if let Some(octet) = octets.get_mut(at) {
            *octet ^= 1 << self.below(8);
        }
    }
}
