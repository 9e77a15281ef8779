//! The redirect server without sockets: what it answers, and what it sends again when.

use super::{NoPack, Reports, empty_pack};
use crate::doors::session::Now;
use crate::doors::sip::{Answers, Peer, Redirect, SipConfig};
use crate::enforce::{Failures, OnFailure, Policy};
use crate::pipeline::{Gate, Judge, Judged, Pipeline, Unjudged};
use crate::reassembly::{Table, TableLimits};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use yumen_rules::engine::{Fired, Judgement};
use yumen_rules::pack::Layout;
use yumen_rules::policy::Policy as Thresholds;
use yumen_rules::verdict::Ladder;
use yumen_wire::event::{Event, Trunk};

/// Rejects one caller.
pub(super) struct CallerJudge(pub(super) Vec<u8>);

impl Judge for CallerJudge {
    fn judge(&self, event: &Event<'_>, then: &mut dyn FnMut(Judged<'_>)) -> Result<(), Unjudged> {
        let layout = Layout::new_checked(&self.0).unwrap();
        let all = [Fired { rule: 0, score: 90, ladder: Ladder::Enforce, ..Fired::EMPTY }];
        let mut judgement = Judgement::NOTHING;
        if event.originator.digits == "+8613800000666" {
            judgement.fired = &all;
        }
        then(Judged { judgement: &judgement, pack: layout.pack(&self.0) });
        Ok(())
    }
}

/// A redirect server with two next hops.
pub(super) fn config(policy: Policy, transactions_max: usize) -> SipConfig {
    SipConfig {
        name: "calls".to_owned(),
        bind: ([127, 0, 0, 1], 0).into(),
        udp: true,
        tcp: true,
        tls: None,
        proxy: None,
        stir: None,
        next_hops: vec!["192.0.2.5:5060".to_owned(), "192.0.2.6:5070".to_owned()],
        block_status: 608,
        redress: Some("https://example.com/redress.jws".to_owned()),
        trunk: Trunk::Domestic,
        trusted: true,
        transactions_max,
        connections_max: 1,
        drain_timeout: Duration::from_secs(1),
        thresholds: Thresholds::default(),
        policy,
    }
}

struct Bench {
    server: Redirect,
    gate: Arc<Gate>,
    now: Now,
    peer: Peer,
}

impl Bench {
    fn new(judge: Arc<dyn Judge>, failures: Failures, transactions_max: usize) -> Self {
        let policy = Policy { failures, deadline: Duration::from_secs(3600), ..Policy::default() };
        let config = config(policy, transactions_max);
        let reports = Arc::new(Reports::default());
        let pipeline = Arc::new(Pipeline::new(judge, reports, Table::new(TableLimits::default())));
        let gate = Arc::new(Gate::with_policy("calls", 0, policy, Thresholds::default(), pipeline));
        let instant = Instant::now();
        Self {
            server: Redirect::new(config, gate.clone(), instant),
            gate,
            now: Now { instant, time_ms: 0 },
            peer: Peer { address: SocketAddr::from(([192, 0, 2, 9], 5999)), over_stream: false },
        }
    }

    fn judging() -> Self {
        Self::new(Arc::new(CallerJudge(empty_pack())), Failures::default(), 100)
    }

    fn send(&mut self, text: &str) -> Vec<(SocketAddr, String)> {
        let mut out = Answers::default();
        self.server.handle(text.as_bytes(), self.peer, self.now, &mut out);
        texts(&out)
    }

    /// Moves the clock, and returns what is sent because of that.
    fn pass(&mut self, time: Duration) -> Vec<(SocketAddr, String)> {
        self.now.instant += time;
        let mut out = Answers::default();
        self.server.handle_timeout(self.now.instant, &mut out);
        texts(&out)
    }

    fn judged(&self) -> u64 {
        self.gate.counters.judged.load(std::sync::atomic::Ordering::Relaxed)
    }
}

fn texts(out: &Answers) -> Vec<(SocketAddr, String)> {
    out.iter().map(|(to, octets)| (to, String::from_utf8(octets.to_vec()).unwrap())).collect()
}

fn request(method: &str, branch: &str, caller: &str) -> String {
    let cseq = if method == "ACK" || method == "CANCEL" { method } else { method.split(' ').next().unwrap() };
    format!(
        "{method} sip:075500000001@gw.example.com;user=phone SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bK{branch};rport, SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKfar\r\n\
         v: SIP/2.0/UDP 192.0.2.78;branch=z9hG4bKfarther\r\nMax-Forwards: 70\r\n\
         From: <sip:{caller}@sbc.example.com>;tag=f1\r\nTo: <sip:075500000001@gw.example.com>\r\n\
         Call-ID: {branch}@192.0.2.1\r\nCSeq: 1 {cseq}\r\nContent-Length: 0\r\n\r\n"
    )
}

pub(super) const HONEST: &str = "+8613800000001";
pub(super) const BAD_CALLER: &str = "+8613800000666";

#[test]
fn an_allowed_call_is_sent_on_and_a_blocked_one_told_why() {
    let mut bench = Bench::judging();
    let sent = bench.send(&request("INVITE", "a", HONEST));
    assert_eq!(sent.len(), 1);
    let (to, text) = &sent[0];
    assert_eq!(*to, bench.peer.address, "rport: where it came from");
    assert!(text.starts_with("SIP/2.0 302 Moved Temporarily\r\n"), "{text}");
    assert!(text.contains("Contact: <sip:075500000001@192.0.2.5:5060;user=phone>;q=1.000\r\n"), "{text}");
    assert!(text.contains("Contact: <sip:075500000001@192.0.2.6:5070;user=phone>;q=0.900\r\n"), "{text}");
    assert!(
        text.contains("Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKa;rport=5999;received=192.0.2.9, SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKfar\r\nVia: SIP/2.0/UDP 192.0.2.78"),
        "{text}"
    );
    assert!(text.contains("To: <sip:075500000001@gw.example.com>;tag="), "{text}");
    let blocked = bench.send(&request("INVITE", "b", BAD_CALLER)).remove(0).1;
    assert!(blocked.starts_with("SIP/2.0 608 Rejected\r\n"), "{blocked}");
    assert!(
        blocked.contains("Call-Info: <https://example.com/redress.jws>;purpose=jwscard\r\n"),
        "{blocked}"
    );
    assert!(!blocked.contains("Contact"), "{blocked}");
}

#[test]
fn a_request_that_comes_again_is_judged_once_and_answered_alike() {
    let mut bench = Bench::judging();
    let first = bench.send(&request("INVITE", "a", BAD_CALLER));
    assert_eq!(bench.send(&request("INVITE", "a", BAD_CALLER)), first);
    assert_eq!(bench.judged(), 1);
    assert!(bench.send(&request("ACK", "a", BAD_CALLER)).is_empty());
    assert!(bench.send(&request("INVITE", "a", BAD_CALLER)).is_empty(), "a late copy of what is over");
    assert!(bench.pass(Duration::from_secs(40)).is_empty());
    assert_eq!(bench.server.transactions(), 0);
    assert_eq!(bench.judged(), 1);
}

#[test]
fn an_answer_is_sent_again_until_its_ack() {
    let mut bench = Bench::judging();
    let first = bench.send(&request("INVITE", "a", HONEST));
    // Timer G: 0.5, 1.5, 3.5, 7.5, 11.5 s, … until timer H at 32 s.
    assert!(bench.pass(Duration::from_millis(499)).is_empty());
    assert_eq!(bench.pass(Duration::from_millis(1)), first);
    assert!(bench.pass(Duration::from_millis(999)).is_empty());
    assert_eq!(bench.pass(Duration::from_millis(1)), first);
    assert_eq!(bench.pass(Duration::from_secs(2)), first);
    assert_eq!(bench.pass(Duration::from_secs(4)), first);
    bench.send(&request("ACK", "a", HONEST));
    assert!(bench.pass(Duration::from_secs(4)).is_empty());
    assert_eq!(bench.server.transactions(), 1, "an ACK may come again for T4");
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.server.transactions(), 0);
    bench.send(&request("INVITE", "unacknowledged", HONEST));
    let again: usize = (0..40).map(|_| bench.pass(Duration::from_secs(1)).len()).sum();
    assert!((7..=11).contains(&again), "{again}");
    assert_eq!(bench.server.transactions(), 0);
}

#[test]
fn over_a_stream_nothing_is_sent_again() {
    let mut bench = Bench::judging();
    bench.peer.over_stream = true;
    bench.send(&request("INVITE", "a", HONEST));
    assert!(bench.pass(Duration::from_secs(31)).is_empty());
    bench.send(&request("ACK", "a", HONEST));
    assert_eq!(bench.server.transactions(), 0);
}

#[test]
fn other_requests_have_their_answers() {
    let mut bench = Bench::judging();
    let status =
        |sent: Vec<(SocketAddr, String)>| sent.first().map_or(0, |(_, text)| text[8..11].parse().unwrap());
    assert_eq!(status(bench.send(&request("OPTIONS", "o", HONEST))), 200);
    assert_eq!(status(bench.send(&request("BYE", "p", HONEST))), 481);
    assert_eq!(status(bench.send(&request("REGISTER", "q", HONEST))), 405);
    assert_eq!(status(bench.send(&request("CANCEL", "r", HONEST))), 481);
    bench.send(&request("INVITE", "s", HONEST));
    assert_eq!(status(bench.send(&request("CANCEL", "s", HONEST))), 200);
    let within = request("INVITE", "t", HONEST).replace("gw.example.com>\r\n", "gw.example.com>;tag=x\r\n");
    assert_eq!(status(bench.send(&within)), 481);
    let broken = request("INVITE", "u", HONEST).replace("CSeq: 1", "CSeq: -1");
    assert_eq!(status(bench.send(&broken)), 400);
    let version = request("INVITE", "v", HONEST).replace("SIP/2.0\r\nVia", "SIP/3.0\r\nVia");
    assert_eq!(status(bench.send(&version)), 505);
    assert_eq!(status(bench.send("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n\r\n")), 0);
    assert_eq!(status(bench.send("hello\r\n\r\n")), 0);
}

#[test]
fn a_full_table_is_decided_by_the_policy_and_makes_room_of_what_is_over() {
    for (mode, status) in [(OnFailure::Open, "302"), (OnFailure::Closed, "503")] {
        let failures = Failures { memory_short: mode, ..Failures::default() };
        let mut bench = Bench::new(Arc::new(CallerJudge(empty_pack())), failures, 2);
        for branch in ["a", "b"] {
            bench.send(&request("INVITE", branch, BAD_CALLER));
        }
        assert_eq!(&bench.send(&request("INVITE", "c", BAD_CALLER))[0].1[8..11], status);
        assert_eq!(bench.server.transactions(), 2);
        bench.send(&request("ACK", "a", BAD_CALLER));
        assert_eq!(&bench.send(&request("INVITE", "d", BAD_CALLER))[0].1[8..11], "608");
        assert_eq!(bench.server.transactions(), 2);
    }
}

#[test]
fn without_a_pack_the_policy_decides() {
    for (mode, status) in [(OnFailure::Open, "302"), (OnFailure::Closed, "503")] {
        let mut bench = Bench::new(Arc::new(NoPack), Failures::all(mode), 10);
        let text = bench.send(&request("INVITE", "a", HONEST)).remove(0).1;
        assert_eq!(&text[8..11], status);
        assert_eq!(text.contains("Retry-After"), status == "503");
    }
}

#[test]
fn under_pressure_a_caller_who_asks_for_much_is_put_off_and_others_are_not() {
    let mut bench = Bench::new(Arc::new(CallerJudge(empty_pack())), Failures::default(), 100_000);
    let flood = |bench: &mut Bench, from: usize| {
        let mut put_off = 0;
        for call in from..from + 2000 {
            let sent = bench.send(&request("INVITE", &format!("f{call}"), HONEST));
            // Most who are put off aren't told.
            put_off += usize::from(sent.first().is_none_or(|(_, text)| text.starts_with("SIP/2.0 503")));
        }
        put_off
    };
    assert_eq!(flood(&mut bench, 0), 0, "no pressure, no shedding");
    bench.now.instant += Duration::from_secs(2);
    bench.server.press(bench.now.instant);
    assert!(flood(&mut bench, 10_000) > 1900);
    for call in 0..100 {
        let text = bench
            .send(&request("INVITE", &format!("h{call}"), &format!("+86139000001{call:02}")))
            .remove(0)
            .1;
        assert!(text.starts_with("SIP/2.0 302"), "{text}");
    }
    bench.now.instant += Duration::from_secs(2);
    assert_eq!(flood(&mut bench, 20_000), 0, "the pressure is over");
}

#[test]
fn broken_requests_do_no_harm() {
    let mut bench = Bench::judging();
    let count = std::env::var("YUMEN_MUTATIONS").map_or(20_000, |value| value.parse().unwrap());
    let mut state = 7u64;
    let mut random = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % limit
    };
    for number in 0..count {
        let method = ["INVITE", "ACK", "CANCEL", "OPTIONS", "BYE"][random(5)];
        let mut octets = request(method, &(number % 50).to_string(), HONEST).into_bytes();
        for _ in 0..=random(5) {
            let at = random(octets.len());
            match random(3) {
                0 => octets[at] = u8::try_from(random(256)).unwrap(),
                1 => octets[at] = b" \t\r\n\";<>,:@=?/%[]"[random(17)],
                _ => octets.truncate(at.max(1)),
            }
        }
        let mut out = Answers::default();
        bench.server.handle(&octets, bench.peer, bench.now, &mut out);
        for (to, answer) in out.iter() {
            assert_eq!(to.ip(), bench.peer.address.ip(), "never to another host");
            assert!(answer.starts_with(b"SIP/2.0 ") && answer.ends_with(b"\r\n\r\n"));
        }
        bench.now.instant += Duration::from_millis(1);
        bench.server.handle_timeout(bench.now.instant, &mut out);
        assert!(bench.server.transactions() <= 100);
    }
}

/// Verifies by an authority that nobody has a certificate of, fetched from nowhere.
pub(super) fn stir(dir: &std::path::Path) -> Arc<crate::stir::Stir> {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let file = dir.join("authority.pem");
    std::fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
    crate::stir::Stir::new(crate::stir::Settings {
        anchors: file.clone(),
        https_ca: file,
        repositories: vec!["another.invalid".to_owned()],
        wait: Duration::from_millis(100),
        freshness_s: 60,
        cache: Duration::from_secs(60),
        reject: true,
    })
    .unwrap()
}

/// A header that says what the request says, at 0 of the clock; its certificate lies nowhere.
pub(super) fn identity(caller: &str) -> String {
    let encode = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    let head = r#"{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"https://cr.invalid/a.pem"}"#;
    let payload = format!(
        r#"{{"attest":"A","dest":{{"tn":["8675500000001"]}},"iat":0,"orig":{{"tn":"{caller}"}},"origid":"x"}}"#
    );
    let signature = data_encoding::BASE64URL_NOPAD.encode(&[1; 64]);
    format!(
        "Identity: {}.{}.{signature};info=<https://cr.invalid/a.pem>;alg=ES256\r\n",
        encode(head),
        encode(&payload)
    )
}

#[tokio::test]
async fn a_call_waits_for_its_certificate_but_not_for_long() {
    let dir = tempfile::tempdir().unwrap();
    let mut bench = Bench::judging();
    bench.server = bench.server.with_stir(Some(stir(dir.path())));
    let signed = |branch: &str, caller: &str| {
        request("INVITE", branch, HONEST).replace("Max-Forwards", &(identity(caller) + "Max-Forwards"))
    };
    let own = HONEST.trim_start_matches('+');
    let sent = bench.send(&signed("a", own));
    assert!(sent[0].1.starts_with("SIP/2.0 100 Trying\r\n"), "{sent:?}");
    assert!(bench.send(&signed("a", own)).is_empty(), "it comes again while it waits");
    let sent = bench.send(&signed("b", own));
    assert!(sent[0].1.starts_with("SIP/2.0 100 Trying\r\n"));
    let sent = bench.send(&request("CANCEL", "b", HONEST));
    assert_eq!(sent.iter().map(|(_, text)| &text[8..11]).collect::<Vec<_>>(), ["200", "487"]);
    assert_eq!(bench.judged(), 0);
    // What is wrong by itself waits for nothing.
    assert!(
        bench.send(&signed("c", "8613800000009"))[0].1.starts_with("SIP/2.0 438 Invalid Identity Header\r\n")
    );
    let mut out = Answers::default();
    bench.now.instant = bench.server.poll_waiting().unwrap();
    bench.server.resume(None, bench.now, &mut out);
    let sent = texts(&out);
    assert_eq!(sent.len(), 1);
    assert!(sent[0].1.starts_with("SIP/2.0 302"), "not validated is not refused: {sent:?}");
    assert_eq!(bench.server.poll_waiting(), None);
}
