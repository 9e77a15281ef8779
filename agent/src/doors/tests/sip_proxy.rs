//! The proxy without sockets: what it sends on, what it answers itself, what it sends again when.

use super::sip::{BAD_CALLER, CallerJudge, HONEST, config};
use super::{Reports, empty_pack};
use crate::behaviour::Behaviour;
use crate::doors::session::Now;
use crate::doors::sip::proxy::{Destination, Local, Outputs, Proxy, ProxyConfig};
use crate::doors::sip::{Flow, Transport};
use crate::enforce::Policy;
use crate::pipeline::{Gate, Pipeline};
use crate::reassembly::{Table, TableLimits};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use yumen_rules::behave::{Behaviour as _, Measure, Query, Subject};
use yumen_rules::policy::Policy as Thresholds;
use yumen_wire::event::{Address, Channel, Event};

struct Bench {
    proxy: Proxy,
    gate: Arc<Gate>,
    behaviour: Arc<Behaviour>,
    now: Now,
    caller: Flow,
    hop: Flow,
}

/// A message that left: where to, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sent {
    to: String,
    text: String,
    branch: u64,
}

impl Bench {
    fn new() -> Self {
        Self::with(100, None)
    }

    fn with(transactions_max: usize, keepalive: Option<Duration>) -> Self {
        let policy = Policy { deadline: Duration::from_secs(36_000), ..Policy::default() };
        let config = config(policy, transactions_max);
        let settings = ProxyConfig {
            advertise: None,
            domains: vec!["bank.example.com".to_owned()],
            hop_tls: None,
            keepalive,
            hop_timeout: Duration::from_secs(4),
            ring_timeout: Duration::from_secs(200),
            dialog_key: "unused".into(),
        };
        let behaviour = Arc::new(Behaviour::new(1024));
        let judge = Arc::new(CallerJudge(empty_pack()));
        let pipeline = Pipeline::new(judge, Arc::new(Reports::default()), Table::new(TableLimits::default()))
            .with_behaviour(behaviour.clone());
        let gate = Arc::new(Gate::with_policy("calls", 0, policy, Thresholds::default(), Arc::new(pipeline)));
        let local = Local::new(([192, 0, 2, 1], 5060).into(), None, None, &settings.domains, &[7; 64]);
        let instant = Instant::now();
        let flow = |address: [u8; 4], port| Flow {
            address: SocketAddr::from((address, port)),
            transport: Transport::Udp,
            connection: 0,
        };
        Self {
            proxy: Proxy::new(&config, settings, local, gate.clone(), instant),
            gate,
            behaviour,
            now: Now { instant, time_ms: 1_800_000_000_000 },
            caller: flow([192, 0, 2, 9], 5999),
            hop: flow([192, 0, 2, 5], 5060),
        }
    }

    fn take(&mut self, flow: Flow, text: &str) -> Vec<Sent> {
        let mut out = Outputs::default();
        self.proxy.handle(text.as_bytes(), flow, self.now, &mut out);
        sent(&out)
    }

    fn caller_sends(&mut self, text: &str) -> Vec<Sent> {
        self.take(self.caller, text)
    }

    fn hop_sends(&mut self, text: &str) -> Vec<Sent> {
        self.take(self.hop, text)
    }

    fn pass(&mut self, time: Duration) -> Vec<Sent> {
        self.now.instant += time;
        self.now.time_ms += u64::try_from(time.as_millis()).unwrap();
        let mut out = Outputs::default();
        self.proxy.handle_timeout(self.now, &mut out);
        sent(&out)
    }

    fn unreachable(&mut self, branch: u64) -> Vec<Sent> {
        let mut out = Outputs::default();
        self.proxy.unreachable(branch, self.now, &mut out);
        sent(&out)
    }

    /// An INVITE that is sent on: what the hop got.
    fn call(&mut self, id: &str) -> String {
        let sent = self.caller_sends(&invite(id, HONEST));
        assert_eq!(sent.len(), 2, "{sent:?}");
        assert!(sent[0].text.starts_with("SIP/2.0 100 Trying\r\n"), "{sent:?}");
        assert_eq!(sent[0].to, "192.0.2.9:5999");
        sent[1].text.clone()
    }

    fn measure(&self, measure: Measure) -> i64 {
        let event = Event {
            channel: Channel::Call,
            originator: Address::new(HONEST),
            destination: Address::new("075500000001"),
            time_ms: self.now.time_ms,
            ..Event::text_only("")
        };
        self.behaviour.measure(&event, Query { subject: Subject::Caller, measure, window_s: 3600 })
    }
}

fn sent(out: &Outputs) -> Vec<Sent> {
    out.iter()
        .map(|(to, octets)| {
            let (to, branch) = match to {
                Destination::Back(flow) => (flow.address.to_string(), 0),
                Destination::To { place, branch } => (place.host_port(), *branch),
            };
            Sent { to, text: String::from_utf8_lossy(octets).into_owned(), branch }
        })
        .collect()
}

/// What no proxy may touch.
const BODY: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns= \t odd \0 body\r\n";

fn request(method: &str, id: &str, caller: &str, extra: &str, to_tag: &str, uri: &str, body: &str) -> String {
    format!(
        "{method} {uri} SIP/2.0\r\nv : SIP/2.0/UDP 192.0.2.9:5062;branch=z9hG4bK{id};rport\r\n\
         Max-Forwards: 70\r\nX-Odd :  kept ; as=\"it, is\"\r\n  and folded\r\nf: <sip:{caller}@sbc.example.com>;tag=f{id}\r\n\
         To: <sip:075500000001@bank.example.com>{to_tag}\r\nCall-ID: {id}@192.0.2.9\r\nCSeq: 1 {cseq}\r\n{extra}\
         Content-Length: {length}\r\n\r\n{body}",
        cseq = method,
        length = body.len(),
    )
}

const OURS: &str = "sip:075500000001@bank.example.com;user=phone";

fn invite(id: &str, caller: &str) -> String {
    request("INVITE", id, caller, "", "", OURS, BODY)
}

fn of_invite(method: &str, id: &str, to_tag: &str) -> String {
    request(method, id, HONEST, "", to_tag, OURS, "")
}

/// The hop's response to what it got.
fn response(got: &str, status: &str, extra: &str) -> String {
    let copied = got.split("\r\n").filter(|line| {
        let name = line.split(':').next().unwrap().trim();
        ["Via", "v", "Record-Route", "f", "From", "Call-ID", "CSeq"].contains(&name)
    });
    let copied: Vec<&str> = copied.collect();
    format!(
        "SIP/2.0 {status}\r\n{}\r\nTo: <sip:075500000001@bank.example.com>;tag=t1\r\n{extra}Content-Length: 0\r\n\r\n",
        copied.join("\r\n")
    )
}

fn line<'a>(text: &'a str, start: &str) -> &'a str {
    text.split("\r\n").find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no {start} in {text}"))
}

fn statuses(sent: &[Sent]) -> Vec<String> {
    sent.iter().map(|sent| sent.text.split("\r\n").next().unwrap().to_owned()).collect()
}

#[test]
fn what_is_sent_on_is_what_came_but_for_what_a_proxy_writes() {
    let mut bench = Bench::new();
    let got = bench.call("a");
    let mut lines = got.split("\r\n");
    assert_eq!(lines.next(), Some("INVITE sip:075500000001@192.0.2.5:5060;user=phone SIP/2.0"));
    assert!(lines.next().unwrap().starts_with("Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK"));
    assert!(
        lines.next().unwrap().starts_with("Record-Route: <sip:") && got.contains("@192.0.2.1:5060;lr>\r\n")
    );
    let rest: Vec<&str> = lines.collect();
    let expected = invite("a", HONEST)
        .replace(
            "v : SIP/2.0/UDP 192.0.2.9:5062;branch=z9hG4bKa;rport",
            "Via: SIP/2.0/UDP 192.0.2.9:5062;branch=z9hG4bKa;rport=5999;received=192.0.2.9",
        )
        .replace("Max-Forwards: 70", "Max-Forwards: 69");
    assert_eq!(rest.join("\r\n"), expected.split_once("\r\n").unwrap().1);
}

#[test]
fn a_call_is_set_up_talked_and_hung_up() {
    let mut bench = Bench::new();
    let got = bench.call("a");
    let ringing = bench.hop_sends(&response(&got, "180 Ringing", "X-Far: 1\r\n"));
    assert_eq!(statuses(&ringing), ["SIP/2.0 180 Ringing"]);
    assert!(!ringing[0].text.contains("192.0.2.1:5060;branch"), "our Via is gone: {}", ringing[0].text);
    assert!(
        ringing[0].text.contains("branch=z9hG4bKa;rport=5999") && ringing[0].text.contains("X-Far: 1\r\n")
    );
    bench.pass(Duration::from_secs(5));
    let answered = bench.hop_sends(&response(&got, "200 OK", "Contact: <sip:pbx@192.0.2.5:5080>\r\n"));
    assert_eq!(statuses(&answered), ["SIP/2.0 200 OK"]);
    // Sent again by the answerer until the ACK is there: so it is sent on again.
    assert_eq!(bench.hop_sends(&response(&got, "200 OK", "")).len(), 1);
    assert!(bench.caller_sends(&invite("a", HONEST)).is_empty(), "the INVITE that comes again is absorbed");
    let route = line(&got, "Record-Route: ").replace("Record-Route", "Route") + "\r\n";
    let ack = request("ACK", "ack", HONEST, &route, ";tag=t1", "sip:pbx@192.0.2.5:5080", "")
        .replace(
            "f: <sip:+8613800000001@sbc.example.com>;tag=fack",
            "f: <sip:+8613800000001@sbc.example.com>;tag=fa",
        )
        .replace("Call-ID: ack@", "Call-ID: a@");
    let acked = bench.caller_sends(&ack);
    assert_eq!(acked[0].to, "192.0.2.5:5080", "to the Contact");
    assert!(acked[0].text.starts_with("ACK sip:pbx@192.0.2.5:5080 SIP/2.0\r\n"));
    assert!(!acked[0].text.contains("Route:"), "{}", acked[0].text);
    bench.pass(Duration::from_secs(60));
    let bye = ack.replace("ACK", "BYE").replace("z9hG4bKack", "z9hG4bKbye");
    let hung_up = bench.caller_sends(&bye);
    assert_eq!(statuses(&hung_up), ["BYE sip:pbx@192.0.2.5:5080 SIP/2.0"], "no 100, no new judgement");
    assert_eq!(bench.hop_sends(&response(&hung_up[0].text, "200 OK", "")).len(), 1);
    assert_eq!(bench.gate.counters.judged.load(Ordering::Relaxed), 1);
    let measures = [Measure::Attempts, Measure::Answered, Measure::Concurrent, Measure::ShortCalls];
    assert_eq!(measures.map(|measure| bench.measure(measure)), [1, 1, 0, 0]);
    bench.pass(Duration::from_secs(40));
    bench.pass(Duration::from_secs(40));
    assert_eq!(bench.proxy.load(), (0, 0), "nothing is left");
}

#[test]
fn a_blocked_call_is_told_why_and_never_sent_on() {
    let mut bench = Bench::new();
    let sent = bench.caller_sends(&invite("a", BAD_CALLER));
    assert_eq!(statuses(&sent), ["SIP/2.0 608 Rejected"]);
    assert!(sent[0].text.contains("Call-Info: <https://example.com/redress.jws>;purpose=jwscard\r\n"));
    assert_eq!(bench.caller_sends(&invite("a", BAD_CALLER)), sent);
    assert_eq!(bench.pass(Duration::from_millis(500)), sent, "timer G");
    assert!(bench.caller_sends(&of_invite("ACK", "a", ";tag=x")).is_empty());
    assert!(bench.pass(Duration::from_secs(4)).is_empty());
    assert_eq!(bench.gate.counters.judged.load(Ordering::Relaxed), 1);
    bench.pass(Duration::from_secs(2));
    assert_eq!(bench.proxy.load(), (0, 0));
}

#[test]
fn cancel_before_anything_came_back_waits_for_it() {
    let mut bench = Bench::new();
    let got = bench.call("a");
    assert_eq!(statuses(&bench.caller_sends(&of_invite("CANCEL", "a", ""))), ["SIP/2.0 200 OK"]);
    let cancel = bench.hop_sends(&response(&got, "180 Ringing", ""));
    let said: Vec<String> = statuses(&cancel);
    assert!(
        said.iter().any(|line| line == "CANCEL sip:075500000001@192.0.2.5:5060;user=phone SIP/2.0"),
        "{said:?}"
    );
    let cancel = cancel.iter().find(|sent| sent.text.starts_with("CANCEL")).unwrap();
    assert_eq!(line(&cancel.text, "Via: "), line(&got, "Via: "), "the INVITE's branch");
    assert!(cancel.text.contains("CSeq: 1 CANCEL\r\n"));
    // Until its answer it is sent again.
    assert_eq!(
        statuses(&bench.pass(Duration::from_millis(500))),
        ["CANCEL sip:075500000001@192.0.2.5:5060;user=phone SIP/2.0"]
    );
    let ok = response(&got, "200 OK", "").replace("CSeq: 1 INVITE", "CSeq: 1 CANCEL");
    assert!(bench.hop_sends(&ok).is_empty());
    assert!(bench.pass(Duration::from_secs(2)).is_empty());
    let over = bench.hop_sends(&response(&got, "487 Request Terminated", ""));
    assert_eq!(
        statuses(&over),
        ["ACK sip:075500000001@192.0.2.5:5060;user=phone SIP/2.0", "SIP/2.0 487 Request Terminated"]
    );
    assert_eq!(bench.gate.counters.calls_cancelled.load(Ordering::Relaxed), 1);
}

#[test]
fn cancel_of_what_is_silent_ends_with_487() {
    let mut bench = Bench::new();
    bench.call("a");
    bench.caller_sends(&of_invite("CANCEL", "a", ""));
    let said: Vec<String> = (0..40).flat_map(|_| statuses(&bench.pass(Duration::from_secs(1)))).collect();
    assert!(said.iter().any(|line| line == "SIP/2.0 487 Request Terminated"), "{said:?}");
    assert!(!said.iter().any(|line| line.contains("192.0.2.6")), "no other hop is tried");
}

#[test]
fn cancel_while_it_rings_that_is_never_answered_ends_too() {
    let mut bench = Bench::new();
    let got = bench.call("a");
    bench.hop_sends(&response(&got, "180 Ringing", ""));
    let said = bench.caller_sends(&of_invite("CANCEL", "a", ""));
    assert_eq!(said.len(), 2);
    let said: Vec<String> = (0..70).flat_map(|_| statuses(&bench.pass(Duration::from_secs(1)))).collect();
    assert!(said.iter().any(|line| line == "SIP/2.0 487 Request Terminated"), "{said:?}");
    assert!(!said.iter().any(|line| line.contains("192.0.2.6")), "{said:?}");
}

#[test]
fn cancel_that_comes_too_late_changes_nothing() {
    let mut bench = Bench::new();
    let got = bench.call("a");
    bench.hop_sends(&response(&got, "200 OK", ""));
    assert_eq!(statuses(&bench.caller_sends(&of_invite("CANCEL", "a", ""))), ["SIP/2.0 200 OK"]);
    bench.caller_sends(&invite("b", BAD_CALLER));
    assert_eq!(statuses(&bench.caller_sends(&of_invite("CANCEL", "b", ""))), ["SIP/2.0 200 OK"]);
    assert_eq!(
        statuses(&bench.caller_sends(&of_invite("CANCEL", "unknown", ""))),
        ["SIP/2.0 481 Call/Transaction Does Not Exist"]
    );
}

#[test]
fn an_invite_without_answer_is_sent_again_then_goes_to_the_next_hop() {
    let mut bench = Bench::new();
    let got = bench.call("a");
    // Timer A: 0.5, 1.5, 3.5 s.
    let mut times = Vec::new();
    for tick in 1..=39 {
        for sent in bench.pass(Duration::from_millis(100)) {
            assert_eq!((sent.to.as_str(), sent.text.as_str()), ("192.0.2.5:5060", got.as_str()));
            times.push(tick);
        }
    }
    assert_eq!(times, [5, 15, 35]);
    let second = bench.pass(Duration::from_millis(100));
    assert_eq!(second[0].to, "192.0.2.6:5070");
    assert!(second[0].text.starts_with("INVITE sip:075500000001@192.0.2.6:5070;user=phone SIP/2.0"));
    // The first hop wakes up too late: it is told, and the caller hears nothing of it.
    let late = bench.hop_sends(&response(&got, "180 Ringing", ""));
    assert_eq!(statuses(&late), ["CANCEL sip:075500000001@192.0.2.5:5060;user=phone SIP/2.0"]);
    let gone = bench.hop_sends(&response(&got, "487 Request Terminated", ""));
    assert_eq!(statuses(&gone), ["ACK sip:075500000001@192.0.2.5:5060;user=phone SIP/2.0"]);
    let answered = bench.hop_sends(&response(&second[0].text, "200 OK", ""));
    assert_eq!(statuses(&answered), ["SIP/2.0 200 OK"]);
    assert_eq!(bench.gate.counters.hop_failovers.load(Ordering::Relaxed), 1);
}

#[test]
fn hops_that_are_busy_or_out_of_reach_pass_the_call_on() {
    let mut bench = Bench::new();
    let got = bench.call("a");
    let second = bench.hop_sends(&response(&got, "503 Service Unavailable", ""));
    assert_eq!(second[0].text.lines().next(), Some("ACK sip:075500000001@192.0.2.5:5060;user=phone SIP/2.0"));
    assert_eq!(second[1].to, "192.0.2.6:5070");
    let last = bench.unreachable(second[1].branch);
    assert_eq!(statuses(&last), ["SIP/2.0 503 Service Unavailable"]);
    // A refusal that is no failure of the hop is the answer.
    let got = bench.call("b");
    let busy = bench.hop_sends(&response(&got, "486 Busy Here", "X: 1\r\n"));
    assert_eq!(
        statuses(&busy),
        ["ACK sip:075500000001@192.0.2.5:5060;user=phone SIP/2.0", "SIP/2.0 486 Busy Here"]
    );
    assert_eq!(
        bench.hop_sends(&response(&got, "486 Busy Here", "X: 1\r\n")).len(),
        1,
        "the ACK again, nothing else"
    );
    // Both failed twice: the first that is there again comes first.
    let got = bench.call("c");
    bench.hop_sends(&response(&got, "503 Service Unavailable", ""));
    assert_eq!(bench.gate.counters.hops_lost.load(Ordering::Relaxed), 0);
}

#[test]
fn nobody_answers_at_all() {
    let mut bench = Bench::new();
    bench.call("a");
    let said: Vec<String> = (0..45).flat_map(|_| statuses(&bench.pass(Duration::from_secs(1)))).collect();
    assert!(said.iter().any(|line| line == "SIP/2.0 408 Request Timeout"), "{said:?}");
    (0..80).for_each(|_| drop(bench.pass(Duration::from_secs(1))));
    assert_eq!(bench.proxy.load(), (0, 0));
}

#[test]
fn other_requests_are_sent_on_and_sent_again() {
    let mut bench = Bench::new();
    for method in ["REGISTER", "OPTIONS", "SUBSCRIBE", "MESSAGE", "PUBLISH"] {
        let text = request(method, method, HONEST, "", "", OURS, "");
        let got = bench.caller_sends(&text);
        assert_eq!(got.len(), 1, "{method}: {got:?}");
        assert_eq!(got[0].text.contains("Record-Route"), method == "SUBSCRIBE");
        assert_eq!(bench.pass(Duration::from_millis(500)), got, "timer E");
        assert!(bench.caller_sends(&text).is_empty(), "nothing to say yet");
        let back = bench.hop_sends(&response(
            &got[0].text,
            "401 Unauthorized",
            "WWW-Authenticate: Digest realm=\"x\", nonce=\"y\"\r\n",
        ));
        assert!(back[0].text.contains("WWW-Authenticate: Digest realm=\"x\", nonce=\"y\"\r\n"));
        assert_eq!(bench.caller_sends(&text), back, "timer J");
        bench.pass(Duration::from_secs(33));
    }
    assert_eq!(bench.proxy.load(), (0, 0));
    // RFC 4320: nobody waits for a 408.
    bench.caller_sends(&request("REGISTER", "z", HONEST, "", "", OURS, ""));
    let said: Vec<String> = (0..80).flat_map(|_| statuses(&bench.pass(Duration::from_secs(1)))).collect();
    assert!(!said.iter().any(|line| line.starts_with("SIP/2.0")), "{said:?}");
}

#[test]
fn what_a_proxy_must_refuse() {
    let mut bench = Bench::new();
    let zero = invite("a", HONEST).replace("Max-Forwards: 70", "Max-Forwards: 0");
    assert_eq!(statuses(&bench.caller_sends(&zero)), ["SIP/2.0 483 Too Many Hops"]);
    let needs = request("INVITE", "b", HONEST, "Proxy-Require: foo, bar\r\n", "", OURS, "");
    let refused = bench.caller_sends(&needs);
    assert_eq!(statuses(&refused), ["SIP/2.0 420 Bad Extension"]);
    assert!(refused[0].text.contains("Unsupported: foo, bar\r\n"));
    let tag = refused[0].text.split("tag=").nth(2).unwrap().split("\r\n").next().unwrap().to_owned();
    assert!(bench.caller_sends(&of_invite("ACK", "b", &format!(";tag={tag}"))).is_empty());
    let strange = request("BYE", "c", HONEST, "", ";tag=x", "sip:anybody@198.51.100.1", "");
    assert_eq!(statuses(&bench.caller_sends(&strange)), ["SIP/2.0 481 Call/Transaction Does Not Exist"]);
    let forged = request(
        "BYE",
        "d",
        HONEST,
        "Route: <sip:0011223344556677@192.0.2.1:5060;lr>\r\n",
        ";tag=x",
        "sip:anybody@198.51.100.1",
        "",
    );
    assert_eq!(statuses(&bench.caller_sends(&forged)), ["SIP/2.0 481 Call/Transaction Does Not Exist"]);
    // A hop sends the call back as it came.
    let got = bench.call("e");
    let back = got.replace("INVITE sip:075500000001@192.0.2.5:5060;user=phone", &format!("INVITE {OURS}"));
    let back = back.replacen("Via:", "Via: SIP/2.0/UDP 192.0.2.5;branch=z9hG4bKhop\r\nVia:", 1);
    assert_eq!(statuses(&bench.hop_sends(&back)), ["SIP/2.0 482 Loop Detected"]);
}

#[test]
fn a_challenge_passes_and_the_call_counts_once() {
    let mut bench = Bench::new();
    let got = bench.call("a");
    let asked = bench.hop_sends(&response(
        &got,
        "407 Proxy Authentication Required",
        "Proxy-Authenticate: Digest realm=\"pbx\"\r\n",
    ));
    assert!(asked[1].text.contains("Proxy-Authenticate: Digest realm=\"pbx\"\r\n"));
    let again =
        request("INVITE", "a", HONEST, "Proxy-Authorization: Digest username=\"x\"\r\n", "", OURS, BODY)
            .replace("z9hG4bKa", "z9hG4bKa2")
            .replace("CSeq: 1", "CSeq: 2");
    let got = bench.caller_sends(&again);
    assert!(got[1].text.contains("Proxy-Authorization: Digest username=\"x\"\r\n"), "{got:?}");
    bench.hop_sends(&response(&got[1].text, "200 OK", ""));
    assert_eq!(bench.gate.counters.judged.load(Ordering::Relaxed), 1);
    assert_eq!([Measure::Attempts, Measure::Answered].map(|of| bench.measure(of)), [1, 1]);
    let third = again.replace("z9hG4bKa2", "z9hG4bKa3").replace("CSeq: 2", "CSeq: 3");
    bench.caller_sends(&third);
    assert_eq!(bench.gate.counters.judged.load(Ordering::Relaxed), 2, "a password frees one call, not all");
}

#[test]
fn a_full_table_puts_off_and_makes_room_of_what_is_over() {
    let mut bench = Bench::with(2, None);
    let got = bench.call("a");
    bench.call("b");
    assert_eq!(statuses(&bench.caller_sends(&invite("c", HONEST))), ["SIP/2.0 503 Service Unavailable"]);
    bench.hop_sends(&response(&got, "200 OK", ""));
    bench.call("d");
    assert_eq!(bench.proxy.load().0, 2);
}

#[test]
fn sides_that_differ_come_back_each_their_way() {
    let mut bench = Bench::new();
    bench.caller = Flow { transport: Transport::Tcp, connection: 3, ..bench.caller };
    let got = bench.call("a");
    let records: Vec<&str> = got.split("\r\n").filter(|line| line.starts_with("Record-Route")).collect();
    assert_eq!(records.len(), 2);
    assert!(
        records[0].ends_with("@192.0.2.1:5060;lr>")
            && records[1].ends_with("@192.0.2.1:5060;transport=tcp;lr>")
    );
    let back = bench.hop_sends(&response(&got, "486 Busy Here", ""));
    assert_eq!(back.len(), 2);
    assert!(bench.caller_sends(&of_invite("ACK", "a", ";tag=t1")).is_empty());
    // The answerer hangs up by the route that it learnt: both of ours go.
    let got = bench.call("b");
    bench.hop_sends(&response(&got, "200 OK", ""));
    let route = got.split("\r\n").filter(|line| line.starts_with("Record-Route"));
    let route: String = route.map(|line| line.replace("Record-Route", "Route") + "\r\n").collect();
    let bye = format!(
        "BYE sip:me@192.0.2.9:5062;transport=tcp SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.5:5060;branch=z9hG4bKx\r\n{route}\
         From: <sip:x@y>;tag=t1\r\nTo: <sip:z@y>;tag=fb\r\nCall-ID: b@192.0.2.9\r\nCSeq: 1 BYE\r\nMax-Forwards: 9\r\n\r\n"
    );
    let sent = bench.hop_sends(&bye);
    assert_eq!(sent[0].to, "192.0.2.9:5062");
    assert!(!sent[0].text.contains("Route:"), "{}", sent[0].text);
    assert!(sent[0].text.contains("Content-Length: 0\r\n"), "a stream needs one");
}

#[test]
fn a_strict_router_is_understood() {
    let mut bench = Bench::new();
    let got = bench.call("a");
    bench.hop_sends(&response(&got, "200 OK", ""));
    let ours = line(&got, "Record-Route: <").trim_start_matches("Record-Route: <").trim_end_matches('>');
    // It put our Record-Route into the Request-URI, and the target to the end of Route (RFC 3261 §16.4).
    let bye = request("BYE", "b", HONEST, "Route: <sip:far@192.0.2.77:5070>\r\n", ";tag=t1", ours, "")
        .replace("tag=fb", "tag=fa")
        .replace("Call-ID: b@", "Call-ID: a@");
    let sent = bench.caller_sends(&bye);
    assert_eq!(sent[0].to, "192.0.2.77:5070");
    assert!(
        sent[0].text.starts_with("BYE sip:far@192.0.2.77:5070 SIP/2.0\r\n")
            && !sent[0].text.contains("Route:")
    );
    // And one that comes next gets the target where it looks for it (§16.6 step 6).
    let routes = format!("Route: <{ours}>, <sip:strict@192.0.2.88>\r\n");
    let info = request("INFO", "c", HONEST, &routes, ";tag=t1", "sip:far@192.0.2.77:5070", "")
        .replace("tag=fc", "tag=fa")
        .replace("Call-ID: c@", "Call-ID: a@");
    let sent = bench.caller_sends(&info);
    assert_eq!(sent[0].to, "192.0.2.88:5060");
    assert!(sent[0].text.starts_with("INFO sip:strict@192.0.2.88 SIP/2.0\r\n"));
    assert!(sent[0].text.contains("Route: <sip:far@192.0.2.77:5070>\r\n"), "{}", sent[0].text);
}

#[test]
fn next_hops_are_asked_whether_they_are_there() {
    let mut bench = Bench::with(100, Some(Duration::from_secs(10)));
    let asked = bench.pass(Duration::ZERO);
    assert_eq!(
        statuses(&asked),
        ["OPTIONS sip:192.0.2.5:5060 SIP/2.0", "OPTIONS sip:192.0.2.6:5070 SIP/2.0"]
    );
    assert!(bench.hop_sends(&response(&asked[1].text, "404 Not Found", "")).is_empty());
    for _ in 0..40 {
        for sent in bench.pass(Duration::from_millis(500)) {
            if sent.to == "192.0.2.6:5070" {
                bench.hop_sends(&response(&sent.text, "200 OK", ""));
            }
        }
    }
    assert_eq!(bench.gate.counters.hops_lost.load(Ordering::Relaxed), 1);
    let sent = bench.caller_sends(&invite("a", HONEST));
    assert_eq!(sent[1].to, "192.0.2.6:5070", "the first is passed over");
    for _ in 0..40 {
        for sent in bench.pass(Duration::from_millis(500)) {
            if sent.text.starts_with("OPTIONS") {
                bench.hop_sends(&response(&sent.text, "200 OK", ""));
            }
        }
    }
    assert_eq!(bench.gate.counters.hops_back.load(Ordering::Relaxed), 1);
    let sent = bench.caller_sends(&invite("b", HONEST));
    assert_eq!(sent[1].to, "192.0.2.5:5060");
}

/// Whatever comes, nothing panics, nothing goes anywhere but to the parties, and in the end nothing is left.
#[test]
fn broken_messages_do_no_harm() {
    let mut bench = Bench::new();
    let count = std::env::var("YUMEN_MUTATIONS").map_or(20_000, |value| value.parse().unwrap());
    let mut state = 11u64;
    let mut random = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % limit
    };
    let mut got = vec![bench.call("seed")];
    for number in 0..count {
        let id = (number % 40).to_string();
        let mut octets = if random(2) == 0 {
            let method = ["INVITE", "ACK", "CANCEL", "OPTIONS", "BYE", "MESSAGE"][random(6)];
            let route = line(&got[random(got.len())], "Via")
                .replace("Via: SIP/2.0/UDP ", "Route: <sip:0011223344556677@")
                + ">\r\n";
            request(method, &id, HONEST, &route, ["", ";tag=t1"][random(2)], OURS, BODY)
        } else {
            let status = ["100 T", "180 R", "200 OK", "302 M", "407 P", "486 B", "503 S", "608 R"][random(8)];
            response(&got[random(got.len())], status, "")
        }
        .into_bytes();
        for _ in 0..random(4) {
            let at = random(octets.len());
            match random(3) {
                0 => octets[at] = u8::try_from(random(256)).unwrap(),
                1 => octets[at] = b" \t\r\n\";<>,:@=?/%[]"[random(17)],
                _ => octets.truncate(at.max(1)),
            }
        }
        let mut out = Outputs::default();
        bench.proxy.handle(&octets, bench.caller, bench.now, &mut out);
        for (to, sent) in out.iter() {
            if let Destination::Back(flow) = to {
                assert_eq!(flow.address.ip(), bench.caller.address.ip(), "answers go to who asked");
            } else if sent.starts_with(b"INVITE")
                && got.len() < 64
                && let Ok(text) = String::from_utf8(sent.to_vec())
            {
                got.push(text);
            }
        }
        bench.now.instant += Duration::from_millis(3);
        bench.proxy.handle_timeout(bench.now, &mut out);
        let (transactions, bytes) = bench.proxy.load();
        assert!(transactions <= 100 && bytes < 100 * 8_192, "{transactions} {bytes}");
    }
    (0..400).for_each(|_| drop(bench.pass(Duration::from_secs(1))));
    assert_eq!(bench.proxy.load(), (0, 0));
}

#[tokio::test]
async fn a_call_waits_for_its_certificate_but_not_for_long() {
    use super::sip::{identity, stir};
    let dir = tempfile::tempdir().unwrap();
    let mut bench = Bench::new();
    bench.now.time_ms = 0;
    bench.proxy = bench.proxy.with_stir(Some(stir(dir.path())));
    let signed = |id: &str, caller: &str| request("INVITE", id, HONEST, &identity(caller), "", OURS, BODY);
    let own = HONEST.trim_start_matches('+');
    let waits = bench.caller_sends(&signed("a", own));
    assert_eq!(statuses(&waits), ["SIP/2.0 100 Trying"]);
    assert!(bench.caller_sends(&signed("a", own)).is_empty(), "it comes again while it waits");
    bench.caller_sends(&signed("b", own));
    let gone = bench.caller_sends(&of_invite("CANCEL", "b", ""));
    assert_eq!(statuses(&gone), ["SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"]);
    let wrong = bench.caller_sends(&signed("c", "8613800000009"));
    assert_eq!(statuses(&wrong), ["SIP/2.0 438 Invalid Identity Header"]);
    let sent = bench.pass(Duration::from_millis(100));
    assert_eq!(sent.last().unwrap().to, "192.0.2.5:5060", "{sent:?}");
    assert!(sent.last().unwrap().text.contains("Identity: "), "it is passed on");
}
