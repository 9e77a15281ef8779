//! A stream of SMGP PDUs of either version: framed, viewed, parsed, answered. What parses is emitted as it came.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yumen_wire::frame::{Frame, Framing};
use yumen_wire::smgp::{MessageView, MsgId, Pdu, Version, emit, emit_response};
use yumen_wire::text::{Coding, blank, decode_segment};

fuzz_target!(|stream: &[u8]| {
    let mut out = vec![0; stream.len() + 64];
    let mut buffer = [0; 256];
    let text = blank(&mut buffer);
    let mut rest = stream;
    while let Ok(Frame::Whole(length)) = Framing::SMGP.frame(rest) {
        let (octets, behind) = rest.split_at(length);
        rest = behind;
        let pdu = Pdu::new_checked(octets).unwrap();
        for version in [Version::V1, Version::V3] {
            if let Ok(body) = pdu.parse(version) {
                let length = emit(&pdu.header(), &body, version, &mut out).unwrap();
                assert_eq!(out[..length], *octets);
            }
            if let Ok(view) = MessageView::parse(&pdu, version) {
                decode_segment(Coding::from_cmpp(view.msg_format), &view.user_data().parts(), text);
                let _ = (view.concatenation(), view.report());
                assert_eq!(view.destinations().count(), usize::from(view.destination().1));
            }
            emit_response(&pdu, version, 1, MsgId::default(), &mut out).unwrap();
        }
    }
});
