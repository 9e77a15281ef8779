//! Whole doors on loopback, between peers that know nothing of a gateway.

use super::smpp::{pdu, sm};
use super::*;
use crate::doors::Doors;
use crate::doors::config::{ClientTls, ServerTls};
use crate::enforce::{Failures, OnFailure};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use yumen_tests::peer::cmpp::{ACCOUNT, Ismg, Sp};
use yumen_tests::peer::smpp::{Centre, Esme};
use yumen_wire::cmpp::Version;
use yumen_wire::smpp::{Body, CommandId, CommandStatus, Header};

const PATIENCE: Duration = Duration::from_secs(20);

/// Starts a door in front of `upstreams`.
async fn door(
    protocol: ProtocolKind,
    upstreams: &[SocketAddr],
    change: impl FnOnce(&mut ListenerConfig),
) -> Open {
    let mut config = config(protocol, Policy::default());
    config.upstreams =
        upstreams.iter().map(|address| Upstream { address: address.to_string(), tls: None }).collect();
    change(&mut config);
    let reports = Arc::new(Reports::default());
    let pipeline = Arc::new(Pipeline::new(
        Arc::new(WordJudge::new()),
        reports.clone(),
        Table::new(TableLimits::default()),
    ));
    let doors = Doors::start(vec![config], &pipeline).await.unwrap();
    let address = doors.local_addrs().next().unwrap();
    Open { doors, address, reports }
}

struct Open {
    doors: Doors,
    address: SocketAddr,
    reports: Arc<Reports>,
}

impl Open {
    fn count(&self, name: &str) -> u64 {
        let (_, counters) = self.doors.counters().next().unwrap();
        counters.named().find(|(of, _)| *of == name).unwrap().1
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn smpp_honest_messages_arrive_and_bad_ones_do_not() {
    let centre = Centre::start("127.0.0.1:0").await.unwrap();
    let door = door(ProtocolKind::Smpp, &[centre.local_addr()], |_| {}).await;
    let mut esme = Esme::bind(door.address, "esme").await.unwrap();
    let long = format!("{}坏{}", "一句很长的好话。".repeat(20), "消息".repeat(40));
    for number in 0..200 {
        let honest =
            esme.submit("106900000001", "8613800000001", &format!("第{number}条好消息")).await.unwrap();
        assert!(honest.iter().all(|answer| answer.is_ok()));
        let bad = esme.submit("106900000001", "8613800000001", &format!("第{number}条{BAD}")).await.unwrap();
        assert_eq!(bad[0].status, CommandStatus::ESME_RSUBMITFAIL);
    }
    let parts = esme.submit("106900000001", "8613800000001", &long).await.unwrap();
    assert!(parts.first().unwrap().is_ok() && !parts.last().unwrap().is_ok(), "{parts:?}");
    for _ in 0..200 {
        timeout(PATIENCE, esme.delivered()).await.unwrap().unwrap();
    }
    assert_eq!(centre.deliver("8613800000001", "10690001", "收到，谢谢").await.unwrap(), [true]);
    assert_eq!(centre.deliver("8613800000001", "10690001", BAD).await.unwrap(), [true], "acknowledged");
    esme.enquire_link().await.unwrap();
    let taken = parts.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(centre.count(), 200 + taken as u64);
    assert_eq!(door.reports.actions().len(), 202);
    esme.unbind().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cmpp_of_both_versions_arrives_byte_for_byte() {
    for version in [Version::V2, Version::V3] {
        let ismg = Ismg::start("127.0.0.1:0", version, ACCOUNT).await.unwrap();
        let door = door(ProtocolKind::Cmpp, &[ismg.local_addr()], |_| {}).await;
        let mut sp = Sp::connect(door.address, version, ACCOUNT).await.unwrap();
        let mut sent = Vec::new();
        for sequence in 1000..1100 {
            let honest = super::cmpp::submit(version, sequence, "好消息");
            assert!(sp.request(honest.clone()).await.unwrap().is_ok());
            sent.push(honest);
            let bad = super::cmpp::submit(version, sequence + 5000, BAD);
            assert_eq!(sp.request(bad).await.unwrap().result, crate::doors::cmpp::REJECT_RESULT);
        }
        assert_eq!(ismg.received(), sent);
        assert!(sp.submit("10690001", "13800000001", "要报告的消息").await.unwrap()[0].is_ok());
        timeout(PATIENCE, sp.delivered()).await.unwrap().unwrap();
        assert_eq!(ismg.deliver("13800000001", "10690001", BAD).await.unwrap(), [true]);
        assert_eq!(ismg.deliver("13800000001", "10690001", "好的").await.unwrap(), [true]);
        sp.active_test().await.unwrap();
        sp.terminate().await.unwrap();
    }
}

/// A listener whose connections the test plays itself.
async fn silent_centre() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

#[tokio::test]
async fn a_half_close_is_passed_on_behind_what_came_before() {
    let (listener, address) = silent_centre().await;
    let door = door(ProtocolKind::Smpp, &[address], |_| {}).await;
    let mut client = TcpStream::connect(door.address).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let submit = sm(CommandId::SUBMIT_SM, 1, "好消息");
    client.write_all(&submit).await.unwrap();
    client.shutdown().await.unwrap();
    let mut arrived = Vec::new();
    timeout(PATIENCE, server.read_to_end(&mut arrived)).await.unwrap().unwrap();
    assert_eq!(arrived, submit);
    let response =
        pdu(Header::request(CommandId::SUBMIT_SM, 1).response(CommandStatus::ESME_ROK), &Body::EMPTY);
    server.write_all(&response).await.unwrap();
    drop(server);
    let mut answered = Vec::new();
    timeout(PATIENCE, client.read_to_end(&mut answered)).await.unwrap().unwrap();
    assert_eq!(answered, response);
}

#[tokio::test]
async fn a_slow_reader_holds_its_sender_up_and_loses_nothing() {
    let (listener, address) = silent_centre().await;
    let door = door(ProtocolKind::Smpp, &[address], |_| {}).await;
    let mut client = TcpStream::connect(door.address).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let submits: Vec<u8> =
        (0..200).flat_map(|sequence| sm(CommandId::SUBMIT_SM, sequence, &"好".repeat(70))).collect();
    let mut sent = Vec::new();
    // Until nothing moves for a while: the sockets' own buffers are full, and the gateway's are.
    loop {
        let at = sent.len() % submits.len();
        match timeout(Duration::from_millis(500), client.write(&submits[at..])).await {
            Ok(written) => sent.extend_from_slice(&submits[at..at + written.unwrap()]),
            Err(_) => break,
        }
        assert!(sent.len() < 64 << 20, "nothing holds the sender up");
    }
    let reading = tokio::spawn(async move {
        let mut arrived = Vec::new();
        server.read_to_end(&mut arrived).await.unwrap();
        arrived
    });
    let whole = sent.len().next_multiple_of(submits.len());
    client.write_all(&submits[sent.len() % submits.len()..][..whole - sent.len()]).await.unwrap();
    sent.resize(whole, 0);
    client.shutdown().await.unwrap();
    let arrived = timeout(PATIENCE, reading).await.unwrap().unwrap();
    assert_eq!(arrived.len(), whole);
    assert!(arrived.chunks(submits.len()).all(|round| round == submits), "bytes changed");
}

#[tokio::test]
async fn an_incomplete_pdu_at_the_end_goes_on_unless_the_policy_is_closed() {
    for (failures, passes) in
        [(Failures::all(OnFailure::Open), true), (Failures::all(OnFailure::Closed), false)]
    {
        let (listener, address) = silent_centre().await;
        let door = door(ProtocolKind::Smpp, &[address], |config| config.policy.failures = failures).await;
        let mut client = TcpStream::connect(door.address).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        let bind = pdu(Header::request(CommandId::ENQUIRE_LINK, 1), &Body::EMPTY);
        let submit = sm(CommandId::SUBMIT_SM, 2, "好消息");
        let cut = &submit[..submit.len() - 3];
        client.write_all(&[&bind, cut].concat()).await.unwrap();
        client.shutdown().await.unwrap();
        let mut arrived = Vec::new();
        timeout(PATIENCE, server.read_to_end(&mut arrived)).await.unwrap().unwrap();
        assert_eq!(arrived, if passes { [&bind, cut].concat() } else { bind });
        assert_eq!(door.count("truncated_bytes"), cut.len() as u64);
    }
}

#[tokio::test]
async fn a_frame_error_is_told_to_its_sender_and_both_sides_are_closed() {
    let (listener, address) = silent_centre().await;
    let door = door(ProtocolKind::Smpp, &[address], |_| {}).await;
    let mut client = TcpStream::connect(door.address).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let submit = sm(CommandId::SUBMIT_SM, 1, "好消息");
    client.write_all(&[submit.clone(), vec![0xFF; 64]].concat()).await.unwrap();
    let (mut arrived, mut answered) = (Vec::new(), Vec::new());
    timeout(PATIENCE, server.read_to_end(&mut arrived)).await.unwrap().unwrap();
    timeout(PATIENCE, client.read_to_end(&mut answered)).await.unwrap().unwrap();
    assert_eq!(arrived, submit);
    assert_eq!(answered.len(), 16);
    assert_eq!(door.count("frame_errors"), 1);
}

#[tokio::test]
async fn a_dead_upstream_is_passed_over_and_the_living_take_turns() {
    let (dead, dead_address) = silent_centre().await;
    drop(dead);
    let centre = Centre::start("127.0.0.1:0").await.unwrap();
    let failover = door(ProtocolKind::Smpp, &[dead_address, centre.local_addr()], |_| {}).await;
    Esme::bind(failover.address, "esme").await.unwrap().unbind().await.unwrap();

    let (first, first_address) = silent_centre().await;
    let (second, second_address) = silent_centre().await;
    let turns = door(ProtocolKind::Smpp, &[first_address, second_address], |config| {
        config.balance = Balance::RoundRobin;
    })
    .await;
    let mut clients = Vec::new();
    for listener in [&first, &second, &first, &second] {
        clients.push(TcpStream::connect(turns.address).await.unwrap());
        timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    }

    let nobody = door(ProtocolKind::Smpp, &[dead_address], |_| {}).await;
    let mut client = TcpStream::connect(nobody.address).await.unwrap();
    let mut nothing = Vec::new();
    assert_eq!(timeout(PATIENCE, client.read_to_end(&mut nothing)).await.unwrap().unwrap_or(0), 0);
    assert_eq!(nobody.count("upstream_failures"), 1);
}

#[tokio::test]
async fn one_connection_too_many_is_closed_at_once() {
    let (listener, address) = silent_centre().await;
    let door = door(ProtocolKind::Smpp, &[address], |config| config.connections_max = 1).await;
    let first = TcpStream::connect(door.address).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    let mut second = TcpStream::connect(door.address).await.unwrap();
    let mut nothing = Vec::new();
    assert_eq!(timeout(PATIENCE, second.read_to_end(&mut nothing)).await.unwrap().unwrap_or(0), 0);
    assert_eq!(door.count("connections_refused"), 1);
    drop((first, server));
    // The place is free again.
    let began = Instant::now();
    while door.count("connections_open") > 0 && began.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let _third = TcpStream::connect(door.address).await.unwrap();
    timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_drain_waits_for_the_answer_and_then_closes() {
    let (listener, address) = silent_centre().await;
    let door = door(ProtocolKind::Smpp, &[address], |config| config.drain_timeout = PATIENCE).await;
    let mut client = TcpStream::connect(door.address).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let submit = sm(CommandId::SUBMIT_SM, 1, "好消息");
    client.write_all(&submit).await.unwrap();
    let mut arrived = vec![0; submit.len()];
    server.read_exact(&mut arrived).await.unwrap();
    let address = door.address;
    let draining = tokio::spawn(async move { door.doors.drain().await });
    let began = Instant::now();
    while TcpStream::connect(address).await.is_ok() && began.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!draining.is_finished(), "an answer is outstanding");
    let response =
        pdu(Header::request(CommandId::SUBMIT_SM, 1).response(CommandStatus::ESME_ROK), &Body::EMPTY);
    server.write_all(&response).await.unwrap();
    let mut answered = Vec::new();
    timeout(PATIENCE, client.read_to_end(&mut answered)).await.unwrap().unwrap();
    assert_eq!(answered, response);
    drop((client, server));
    timeout(PATIENCE, draining).await.unwrap().unwrap();
}

/// An authority, and a certificate of it for `127.0.0.1`, as PEM files.
struct Certificates {
    folder: tempfile::TempDir,
}

impl Certificates {
    fn new() -> Self {
        use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
        let folder = tempfile::tempdir().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate().unwrap();
        let authority_certificate = authority.self_signed(&authority_key).unwrap();
        let issuer = Issuer::new(authority, authority_key);
        let leaf_key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()])
            .unwrap()
            .signed_by(&leaf_key, &issuer)
            .unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority_certificate.pem()).unwrap();
        std::fs::write(folder.path().join("cert.pem"), leaf.pem()).unwrap();
        std::fs::write(folder.path().join("key.pem"), leaf_key.serialize_pem()).unwrap();
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        Path::new(self.folder.path()).join(name)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_on_either_side_with_client_certificates() {
    let files = Certificates::new();
    let centre = Centre::start("127.0.0.1:0").await.unwrap();
    let to_server = ServerTls {
        cert: files.file("cert.pem"),
        key: files.file("key.pem"),
        client_ca: Some(files.file("ca.pem")),
    };
    // plain → door with TLS upstream → door with TLS clients → plain centre.
    let inner = door(ProtocolKind::Smpp, &[centre.local_addr()], |config| config.tls = Some(to_server)).await;
    let identity = Some((files.file("cert.pem"), files.file("key.pem")));
    let with_identity = |identity| ClientTls { ca: files.file("ca.pem"), identity, server_name: None };
    let outer = door(ProtocolKind::Smpp, &[inner.address], |config| {
        config.upstreams[0].tls = Some(with_identity(identity));
    })
    .await;
    let esme = Esme::bind(outer.address, "esme").await.unwrap();
    for _ in 0..50 {
        assert!(esme.submit("1069", "8613800000001", "好消息").await.unwrap()[0].is_ok());
        assert!(!esme.submit("1069", "8613800000001", BAD).await.unwrap()[0].is_ok());
    }
    esme.unbind().await.unwrap();
    assert_eq!(centre.count(), 50);

    let nameless = door(ProtocolKind::Smpp, &[inner.address], |config| {
        config.upstreams[0].tls = Some(with_identity(None));
    })
    .await;
    assert!(Esme::bind(nameless.address, "esme").await.is_err(), "the inner door wants a certificate");
    let began = Instant::now();
    while inner.count("tls_failures") == 0 && began.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(inner.count("tls_failures"), 1);
}
