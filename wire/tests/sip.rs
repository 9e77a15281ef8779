//! SIP requests as the project writes them: regular ones, odd ones that are right, and wrong ones with their status.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic in a test is a failed test"
)]

use yumen_wire::event::{Attestation, Trunk, Verstat};
use yumen_wire::sip::{
    CallTexts, Defect, Identity, Message, Name, Request, Response, Source, StartLine, StreamFrame, Values,
    Via, call_event, frame_stream,
};

const INVITE: &str = "INVITE sip:075500000001@gw.example.com SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKa1;rport\r\n\
    Max-Forwards: 70\r\n\
    From: \"Bank \\\"A\\\"\" <sip:+8613800000001@sbc.example.com;user=phone>;tag=f1\r\n\
    To: <sip:075500000001@gw.example.com>\r\n\
    Call-ID: 1@192.0.2.1\r\n\
    CSeq: 1 INVITE\r\n\
    P-Asserted-Identity: <sip:+8613800000002;verstat=TN-Validation-Passed@sbc.example.com>\r\n\
    Attestation-Info: A\r\n\
    Diversion: <tel:+8675500000009>;reason=unconditional\r\n\
    User-Agent: PBX 1\r\n\
    Content-Length: 4\r\n\r\nv=0\n";

fn check(text: &str) -> Result<(), Defect> {
    Request::check(&Message::new_checked(text.as_bytes())?).map(drop)
}

#[test]
fn an_invite_becomes_a_call_attempt() {
    let message = Message::new_checked(INVITE.as_bytes()).unwrap();
    let request = Request::check(&message).unwrap();
    assert_eq!(request.from.tag(), Some(&b"f1"[..]));
    assert_eq!(request.via.branch(), Some(&b"z9hG4bKa1"[..]));
    assert!(request.via.asks_rport());
    let mut texts = CallTexts::default();
    let trusted = Source { trunk: Trunk::Domestic, trusted: true };
    let event = call_event(&message, &request, trusted, 7, &mut texts);
    assert_eq!(event.originator.digits, "+8613800000001");
    assert_eq!(event.destination.digits, "075500000001");
    assert_eq!(event.call.asserted.digits, "+8613800000002");
    assert_eq!(event.call.diverted_from.digits, "+8675500000009");
    assert_eq!(event.call.display_name, "Bank \"A\"");
    assert_eq!(event.call.user_agent, "PBX 1");
    assert_eq!(event.call.verstat, Verstat::Passed);
    assert_eq!(event.call.attestation, Some(Attestation::Full));
    assert!(!event.call.private);
    let mut texts = CallTexts::default();
    let stranger = call_event(&message, &request, Source::default(), 7, &mut texts);
    assert_eq!((stranger.call.verstat, stranger.call.attestation), (Verstat::Absent, None));
    assert!(stranger.call.asserted.is_absent(), "nobody believes what a stranger asserts");
}

#[test]
fn an_anonymous_caller_is_the_one_who_is_asserted() {
    let text = INVITE.replace(
        "\"Bank \\\"A\\\"\" <sip:+8613800000001@sbc.example.com;user=phone>",
        "<sip:anonymous@anonymous.invalid>",
    );
    let message = Message::new_checked(text.as_bytes()).unwrap();
    let request = Request::check(&message).unwrap();
    let mut texts = CallTexts::default();
    let event = call_event(&message, &request, Source { trunk: Trunk::Own, trusted: true }, 0, &mut texts);
    assert_eq!(event.originator.digits, "+8613800000002");
    assert!(event.call.private);
}

#[test]
fn folds_compact_names_and_odd_spacing_are_read() {
    let text = "INVITE tel:+86-755-0000-0001;phone-context=x SIP/2.0\r\nv:  SIP  / 2.0\r\n /UDP\r\n   192.0.2.2 ;\r\n  branch = z9hG4bKb2 , SIP/2.0/TCP [2001:db8::1]:5070;branch=z9hG4bKc3\r\n\
        f: caller<sip:%31%32@example.com>;\r\n\ttag = x1\r\nTO :\r\n sip:075500000001@example.com ; tag = y\r\ni: abc\r\ncseq: 0009\r\n INVITE\r\nMAX-forwards: 0068\r\nl: 0\r\nSubject:\r\n\r\n";
    let message = Message::new_checked(text.as_bytes()).unwrap();
    let request = Request::check(&message).unwrap();
    assert_eq!((request.cseq, request.max_forwards), (9, Some(68)));
    assert_eq!(request.via.branch(), Some(&b"z9hG4bKb2"[..]));
    let value = message.header(Name::Via).unwrap().value;
    let second = Via::parse_first(&value[request.via.length + 1..]).unwrap();
    assert_eq!((second.host, second.port), (&b"[2001:db8::1]"[..], Some(5070)));
    let mut texts = CallTexts::default();
    let event = call_event(&message, &request, Source::default(), 0, &mut texts);
    assert_eq!(event.originator.digits, "12");
    assert_eq!(event.destination.digits, "+86-755-0000-0001");
    assert_eq!(request.to.tag(), Some(&b"y"[..]));
}

#[test]
fn what_a_server_must_refuse_has_its_status() {
    let cases = [
        (
            INVITE.replace("INVITE sip:075500000001@gw.example.com SIP", "INVITE <sip:1@gw.example.com> SIP"),
            400,
        ),
        (
            INVITE.replace("INVITE sip:075500000001@gw.example.com SIP", "INVITE  sip:1@gw.example.com SIP"),
            400,
        ),
        (INVITE.replace("gw.example.com SIP/2.0\r\n", "gw.example.com; lr SIP/2.0\r\n"), 400),
        (INVITE.replace("gw.example.com SIP/2.0\r\n", "gw.example.com SIP/2.0  \r\n"), 400),
        (INVITE.replace("gw.example.com SIP/2.0\r\n", "gw.example.com?Route=x SIP/2.0\r\n"), 400),
        (INVITE.replace("gw.example.com SIP/2.0\r\n", "gw.example.com SIP/7.0\r\n"), 505),
        (INVITE.replace("INVITE sip:075500000001@gw.example.com", "INVITE soap.beep://192.0.2.1:3002"), 416),
        (INVITE.replace("CSeq: 1 INVITE", "CSeq: 1 BYE"), 400),
        (INVITE.replace("CSeq: 1 INVITE", "CSeq: 36893488147419103232 INVITE"), 400),
        (INVITE.replace("Max-Forwards: 70", "Max-Forwards: 300"), 400),
        (INVITE.replace("Content-Length: 4", "Content-Length: -4"), 400),
        (INVITE.replace("Content-Length: 4", "Content-Length: 9999"), 400),
        (INVITE.replace("Content-Length: 4", "Content-Length: 4\r\nl: 4"), 400),
        (INVITE.replace("To: <sip:075500000001@gw.example.com>", "To: \"open <sip:1@example.com>"), 400),
        (INVITE.replace("To: <sip:075500000001@gw.example.com>", "To: \"x, y\" < sip:1@example.com >"), 400),
        (INVITE.replace("To: <sip:075500000001@gw.example.com>", "To: Bell, A <sip:1@example.com>"), 400),
        (INVITE.replace("User-Agent: PBX 1", "Contact: sip:1@example.com?Route=x"), 400),
        (INVITE.replace(";branch=z9hG4bKa1;rport", ";;branch=z9hG4bKa1"), 400),
        (INVITE.replace("Call-ID: 1@192.0.2.1\r\n", ""), 400),
        (INVITE.replace("User-Agent: PBX 1", "No colon here"), 400),
    ];
    for (text, status) in cases {
        assert_eq!(check(&text).map_err(Defect::status), Err(status), "{text}");
    }
    assert_eq!(check(INVITE), Ok(()));
}

#[test]
fn values_are_cut_at_commas_that_are_no_part_of_them() {
    let values = |text: &'static str| -> Vec<String> {
        Values::new(text.as_bytes()).map(|value| String::from_utf8(value.to_vec()).unwrap()).collect()
    };
    assert_eq!(
        values("<sip:a;lr>, \"x, \\\", y\" <sip:b,c@d> ,\r\n e"),
        ["<sip:a;lr>", "\"x, \\\", y\" <sip:b,c@d>", "e"]
    );
    assert_eq!(values(""), [""]);
    assert_eq!(values("a,"), ["a", ""]);
}

#[test]
fn an_identity_is_three_parts_and_where_its_certificate_lies() {
    let value = b"eyJh.eyJi.c2ln;info=<https://cr.example.com/a;b.pem> ; alg=ES256;ppt=\"shaken\"";
    let identity = Identity::parse(value).unwrap();
    assert_eq!((identity.signed, identity.signature), (&b"eyJh.eyJi"[..], &b"c2ln"[..]));
    assert_eq!((identity.header, identity.payload), (&b"eyJh"[..], &b"eyJi"[..]));
    assert_eq!(identity.info, Some(&b"https://cr.example.com/a;b.pem"[..]));
    assert_eq!((identity.alg, identity.ppt), (Some(&b"ES256"[..]), Some(&b"shaken"[..])));
    assert!(!identity.is_compact());
    assert!(Identity::parse(b"..c2ln;info=<https://x>").unwrap().is_compact());
    for wrong in
        ["", "a", "a.b", "a.b.", "a.b.c.d", "a.b.c;info=<x", "a.b.c x", "a.b.c;info=<x>;info=<y>", "a b.c.d"]
    {
        assert_eq!(Identity::parse(wrong.as_bytes()), None, "{wrong}");
    }
    assert_eq!(
        Identity::values(b"a.b.c;info=<x,y>, garbage").map(|of| of.is_some()).collect::<Vec<_>>(),
        [true, false]
    );
}

#[test]
fn a_response_names_its_hop_and_what_it_answers() {
    let text = "SIP/2.0 180 Ringing\r\nv: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa , SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKb\r\n\
        To: <sip:a@b>;tag=1\r\nCSeq: 7 INVITE\r\nl: 2\r\n\r\nxyz";
    let message = Message::new_checked(text.as_bytes()).unwrap();
    let response = Response::check(&message).unwrap();
    assert_eq!((response.status, response.cseq, response.method), (180, 7, &b"INVITE"[..]));
    assert_eq!((response.via.branch(), response.to), (Some(&b"z9hG4bKa"[..]), &b"<sip:a@b>;tag=1"[..]));
    let wrong = |from: &str, to: &str| {
        let text = text.replace(from, to);
        Response::check(&Message::new_checked(text.as_bytes()).unwrap()).map(drop)
    };
    assert_eq!(wrong("l: 2", "l: 4"), Err(Defect::ContentLength));
    assert_eq!(wrong("CSeq: 7 INVITE", "CSeq: INVITE"), Err(Defect::Malformed(Name::CSeq)));
    assert_eq!(wrong("v:", "x:"), Err(Defect::Missing(Name::Via)));
    assert_eq!(wrong("SIP/2.0 180 Ringing", "INVITE sip:a@b SIP/2.0"), Err(Defect::StartLine));
}

#[test]
fn statuses_are_three_digits() {
    let start = |text: &'static [u8]| Message::new_checked(text).map(|message| message.start());
    assert_eq!(start(b"SIP/2.0 200 \r\n\r\n"), Ok(StartLine::Response { status: 200, reason: b"" }));
    assert_eq!(start(b"SIP/2.0 4294967301 no\r\n\r\n"), Err(Defect::Unreadable));
    assert_eq!(start(b"SIP/2.0 200 OK\r\nVia: x\r\n"), Err(Defect::Unreadable));
}

#[test]
fn a_stream_is_cut_by_content_length() {
    let stream = format!("\r\n\r\n{INVITE}{INVITE}");
    let octets = stream.as_bytes();
    assert_eq!(frame_stream(octets, 4096), Ok(StreamFrame::Keepalive(4)));
    for cut in 4..4 + INVITE.len() {
        assert_eq!(frame_stream(&octets[4..cut], 4096), Ok(StreamFrame::NeedMore), "{cut}");
    }
    assert_eq!(frame_stream(&octets[4..], 4096), Ok(StreamFrame::Whole(INVITE.len())));
    assert_eq!(frame_stream(&octets[4..], 64), Err(Defect::ContentLength));
    assert_eq!(frame_stream(&[b'x'; 100], 64), Err(Defect::Unreadable));
}

/// A hundred thousand broken INVITEs: none may panic, and every line that is found lies where it says.
#[test]
fn mutated_requests() {
    let count = std::env::var("YUMEN_MUTATIONS").map_or(20_000, |value| value.parse().unwrap());
    let mut state = 1u64;
    let mut random = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % limit.max(1)
    };
    for _ in 0..count {
        let mut octets = INVITE.as_bytes().to_vec();
        for _ in 0..=random(6) {
            let at = random(octets.len());
            match random(4) {
                0 => octets[at] = u8::try_from(random(256)).unwrap(),
                1 => octets[at] = b" \t\r\n\";<>,:@=?/%[]"[random(17)],
                2 => octets.truncate(at.max(1)),
                _ => drop(
                    octets.splice(at..at, INVITE.as_bytes()[random(200)..][..random(40)].iter().copied()),
                ),
            }
        }
        let _ = frame_stream(&octets, 4096);
        let Ok(message) = Message::new_checked(&octets) else { continue };
        let lines: usize = message.headers().map(|header| header.line.len()).sum();
        assert!(lines + message.body().len() < octets.len());
        if let Ok(request) = Request::check(&message) {
            let mut texts = CallTexts::default();
            let _ =
                call_event(&message, &request, Source { trunk: Trunk::Own, trusted: true }, 0, &mut texts);
        }
    }
}
