//! A stream of SMPP PDUs: framed, viewed, parsed, answered. What parses is emitted as it came.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yumen_wire::frame::{Frame, Framing};
use yumen_wire::smpp::{CommandStatus, MessageView, Pdu, emit, emit_response};
use yumen_wire::text::{Coding, blank, decode_segment};

fuzz_target!(|stream: &[u8]| {
    let mut out = vec![0; stream.len() + 64];
    let mut buffer = [0; 256];
    let text = blank(&mut buffer);
    let mut rest = stream;
    while let Ok(Frame::Whole(length)) = Framing::SMPP.frame(rest) {
        let (octets, behind) = rest.split_at(length);
        rest = behind;
        let pdu = Pdu::new_checked(octets).unwrap();
        if let Ok(body) = pdu.parse() {
            let length = emit(&pdu.header(), &body, &mut out).unwrap();
            assert_eq!(out[..length], *octets);
        }
        if let Ok(view) = MessageView::parse(&pdu) {
            let coding = Coding::from_smpp(view.data_coding.unwrap_or(0), Coding::Gsm7);
            for user_data in view.texts() {
                decode_segment(coding, &user_data.parts(), text);
            }
            let _ = (view.concatenation(), view.destination(), view.is_report());
            assert!(view.destinations.into_iter().count() <= 255);
        }
        emit_response(&pdu.header(), CommandStatus::ESME_RSUBMITFAIL, b"", &mut out).unwrap();
    }
});
