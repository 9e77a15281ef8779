//! How long it takes to view a message and to decode its text, in the best of many short runs.

use std::hint::black_box;
use std::time::Instant;

use yumen_wire::address::RawAddress;
use yumen_wire::frame::Framing;
use yumen_wire::smpp::{self, Body, CommandId, Header, Sm};
use yumen_wire::text::{Coding, Shifts, blank, decode, encode_gb18030, encode_gsm7, encode_ucs2};

const RUNS: u32 = 3_000;
const CALLS: u32 = 200;
const CHINESE: &str = "【测试银行】您尾号1234的账户于8月1日12:30支出人民币5,000.00元，余额12,345.67元。如非本人操作请致电95588。回T退订";
const ENGLISH: &str =
    "Your code is 123456, don't share it with anybody. Bank of Testland, call 95588 for help.";

fn main() {
    let mut wire = [0; 512];
    let length = encode_ucs2(CHINESE, &mut wire).unwrap_or(0);
    report("UCS-2", Coding::Ucs2, &wire[..length]);
    view_submit_sm(&wire[..length]);
    let length = encode_gb18030(CHINESE, &mut wire).unwrap_or(0);
    report("GB 18030", Coding::Gb18030, &wire[..length]);
    let length = encode_gsm7(ENGLISH, Shifts::default(), &mut wire).unwrap_or(0);
    report("GSM 7-bit", Coding::Gsm7, &wire[..length]);
    report("ASCII", Coding::Ascii, &wire[..length]);
    let best = best_ns(|| {
        let _ = black_box(core::str::from_utf8(black_box(CHINESE.as_bytes())));
    });
    println!("{:10} {:4} octets {best:7.1} ns", "(UTF-8 check)", CHINESE.len());
}

fn view_submit_sm(text: &[u8]) {
    let sm = Sm {
        source: RawAddress::new(5, 0, b"TESTBANK"),
        destination: RawAddress::new(1, 1, b"8613800000001"),
        data_coding: 8,
        short_message: text,
        ..Sm::default()
    };
    let mut pdu = [0; 512];
    let header = Header::request(CommandId::SUBMIT_SM, 1);
    let length = smpp::emit(&header, &Body::Sm(sm), &mut pdu).unwrap_or(0);
    let best = best_ns(|| {
        let stream = black_box(&pdu[..length]);
        let _ = black_box(Framing::SMPP.frame(stream));
        let view = smpp::Pdu::new_checked(stream).and_then(|pdu| smpp::MessageView::parse(&pdu));
        let _ = black_box(view.map(|view| view.user_data()));
    });
    println!("{:10} {length:4} octets {best:7.1} ns", "submit_sm");
}

fn report(name: &str, coding: Coding, octets: &[u8]) {
    let mut buffer = [0; 1024];
    let out = blank(&mut buffer);
    let best = best_ns(|| {
        black_box(decode(coding, black_box(octets), out));
    });
    println!(
        "{name:10} {:4} octets {best:7.1} ns {:5.2} ns an octet",
        octets.len(),
        best / octets.len() as f64
    );
}

fn best_ns(mut call: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..RUNS {
        let start = Instant::now();
        for _ in 0..CALLS {
            call();
        }
        best = best.min(start.elapsed().as_nanos() as f64 / f64::from(CALLS));
    }
    best
}
