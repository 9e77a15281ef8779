//! A stream of SGIP PDUs: framed, viewed, parsed, answered. What parses is emitted as it came.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yumen_wire::frame::{Frame, Framing};
use yumen_wire::sgip::{MessageView, Pdu, emit, emit_response, result};
use yumen_wire::text::{Coding, blank, decode_segment};

fuzz_target!(|stream: &[u8]| {
    let mut out = vec![0; stream.len() + 64];
    let mut buffer = [0; 256];
    let text = blank(&mut buffer);
    let mut rest = stream;
    while let Ok(Frame::Whole(length)) = Framing::SGIP.frame(rest) {
        let (octets, behind) = rest.split_at(length);
        rest = behind;
        let pdu = Pdu::new_checked(octets).unwrap();
        if let Ok(body) = pdu.parse() {
            let length = emit(&pdu.header(), &body, &mut out).unwrap();
            assert_eq!(out[..length], *octets);
        }
        if let Ok(view) = MessageView::parse(&pdu) {
            decode_segment(Coding::from_cmpp(view.message_coding), &view.user_data().parts(), text);
            let _ = view.concatenation();
            assert_eq!(view.destinations().count(), usize::from(view.destination().1));
        }
        emit_response(&pdu.header(), result::BUSY, &mut out).unwrap();
    }
});
