//! A stream of SIP messages: framed, viewed, checked, and made call attempts; Identity headers read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yumen_wire::event::Trunk;
use yumen_wire::sip::{
    CallTexts, Identity, Message, Request, Response, Source, StreamFrame, Values, call_event, frame_stream,
};

fuzz_target!(|stream: &[u8]| {
    let mut rest = stream;
    loop {
        match frame_stream(rest, 65_535) {
            Ok(StreamFrame::Keepalive(length)) => rest = &rest[length..],
            Ok(StreamFrame::Whole(length)) => {
                let (octets, behind) = rest.split_at(length);
                rest = behind;
                let message = Message::new_checked(octets);
                let Ok(message) = message else { continue };
                for header in message.headers() {
                    let values = Values::new(header.value).map(<[u8]>::len).sum::<usize>();
                    assert!(values <= header.value.len());
                    Identity::values(header.value).for_each(drop);
                }
                if let Ok(response) = Response::check(&message) {
                    assert!((100..700).contains(&response.status));
                }
                if let Ok(request) = Request::check(&message) {
                    let mut texts = CallTexts::default();
                    let source = Source { trunk: Trunk::Own, trusted: true };
                    let event = call_event(&message, &request, source, 0, &mut texts);
                    assert!(event.text.is_empty());
                }
            }
            Ok(StreamFrame::NeedMore) | Err(_) => return,
        }
    }
});
