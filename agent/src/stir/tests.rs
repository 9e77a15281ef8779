//! Signatures made here, with certificates made here: those that hold, and each way in which one doesn't.

use super::certificate::Chain;
use super::*;
use data_encoding::BASE64URL_NOPAD;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256,
    SigningKey,
};
use rustls::pki_types::CertificateDer;
use yumen_wire::event::{Attestation, Verstat};

const NOW_S: u64 = 1_800_000_000;
const X5U: &str = "https://cr.example.com/a.pem";
const CALLER: &str = "+8613800000001";
const CALLEE: &str = "075500000001";

/// An authority, a signer's certificate by it, and its key.
struct Signer {
    anchor: CertificateDer<'static>,
    pem: String,
    key: KeyPair,
}

impl Signer {
    fn new(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let ca_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let mut ca = CertificateParams::default();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_cert = ca.self_signed(&ca_key).unwrap();
        let issuer = Issuer::new(ca, ca_key);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let mut leaf = CertificateParams::default();
        change(&mut leaf);
        let leaf = leaf.signed_by(&key, &issuer).unwrap();
        Self { anchor: ca_cert.der().clone(), pem: leaf.pem(), key }
    }

    fn verifier(&self) -> Verifier {
        let anchor = webpki::anchor_from_trusted_cert(&self.anchor).unwrap().to_owned();
        let mut verifier = Verifier::new(vec![anchor], &settings());
        verifier.learnt(X5U, self.pem.as_bytes(), None, NOW_S * 1000);
        verifier
    }

    fn sign(&self, head: &str, payload: &str) -> String {
        let signed = format!("{}.{}", encode(head), encode(payload));
        let signature = self.signature(&signed);
        format!("{signed}.{signature}")
    }

    /// `r` and `s` out of the certificate world's form.
    fn signature(&self, signed: &str) -> String {
        let der = self.key.sign(signed.as_bytes()).unwrap();
        let mut at = 2;
        let mut fixed = Vec::new();
        for _ in 0..2 {
            let length = usize::from(der[at + 1]);
            let number = &der[at + 2..at + 2 + length];
            let number = &number[number.iter().take_while(|octet| **octet == 0).count()..];
            fixed.extend(std::iter::repeat_n(0, 32 - number.len()));
            fixed.extend_from_slice(number);
            at += 2 + length;
        }
        BASE64URL_NOPAD.encode(&fixed)
    }
}

fn settings() -> Settings {
    Settings {
        anchors: "unused".into(),
        https_ca: "unused".into(),
        repositories: Vec::new(),
        wait: Duration::from_millis(100),
        freshness_s: 60,
        cache: Duration::from_secs(3600),
        reject: true,
    }
}

fn encode(text: &str) -> String {
    BASE64URL_NOPAD.encode(text.as_bytes())
}

const HEAD: &str = r#"{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"https://cr.example.com/a.pem"}"#;

fn payload(attest: &str) -> String {
    format!(
        r#"{{"attest":"{attest}","dest":{{"tn":["8675500000001"]}},"iat":{NOW_S},"orig":{{"tn":"8613800000001"}},"origid":"x"}}"#
    )
}

fn with_params(token: &str) -> String {
    format!("{token};info=<{X5U}>;alg=ES256;ppt=\"shaken\"")
}

fn claim<'a>(identities: &'a [&'a [u8]]) -> Claim<'a> {
    Claim { identities, caller: CALLER, callee: CALLEE, date_s: None }
}

fn check_of(verifier: &mut Verifier, identity: &str) -> Check {
    verifier.check(&claim(&[identity.as_bytes()]), NOW_S * 1000)
}

fn found(verifier: &mut Verifier, identity: &str) -> Finding {
    match check_of(verifier, identity) {
        Check::Done(finding) => finding,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_signature_that_holds_says_how_far_it_is_vouched_for() {
    let signer = Signer::new(|_| {});
    let mut verifier = signer.verifier();
    for (letter, attestation) in
        [("A", Attestation::Full), ("B", Attestation::Partial), ("C", Attestation::Gateway)]
    {
        let identity = with_params(&signer.sign(HEAD, &payload(letter)));
        let expected = Finding { verstat: Verstat::Passed, attestation: Some(attestation), defect: None };
        assert_eq!(found(&mut verifier, &identity), expected);
    }
    // Numbers are compared whatever dialect they are written in.
    let identity = with_params(&signer.sign(HEAD, &payload("A")));
    for (caller, callee) in [("13800000001", "+8675500000001"), ("0086-138-0000-0001", "8675500000001")] {
        let headers = [identity.as_bytes()];
        let check = verifier.check(&Claim { caller, callee, ..claim(&headers) }, NOW_S * 1000);
        assert!(matches!(check, Check::Done(Finding { verstat: Verstat::Passed, .. })), "{caller} {check:?}");
    }
}

#[test]
fn the_compact_form_is_written_out_and_verified() {
    let signer = Signer::new(|_| {});
    let mut verifier = signer.verifier();
    let head = format!(r#"{{"alg":"ES256","typ":"passport","x5u":"{X5U}"}}"#);
    let payload =
        format!(r#"{{"dest":{{"tn":["8675500000001"]}},"iat":{NOW_S},"orig":{{"tn":"8613800000001"}}}}"#);
    let signature = signer.signature(&format!("{}.{}", encode(&head), encode(&payload)));
    let identity = format!("..{signature};info=<{X5U}>;alg=ES256");
    let headers = [identity.as_bytes()];
    let claim = Claim { callee: "+8675500000001", date_s: Some(NOW_S), ..claim(&headers) };
    let expected = Finding { verstat: Verstat::Passed, attestation: None, defect: None };
    assert_eq!(verifier.check(&claim, NOW_S * 1000), Check::Done(expected));
    let undated = verifier.check(&Claim { date_s: None, ..claim }, NOW_S * 1000);
    assert!(matches!(undated, Check::Done(Finding { defect: Some(Defect::Stale), .. })));
    let other = verifier.check(&Claim { caller: "+8613800000009", ..claim }, NOW_S * 1000);
    assert!(matches!(other, Check::Done(Finding { defect: Some(Defect::Header), .. })));
}

#[test]
fn what_is_wrong_has_its_status() {
    let signer = Signer::new(|_| {});
    let mut verifier = signer.verifier();
    let good = payload("A");
    let change = |from: &str, to: &str| with_params(&signer.sign(HEAD, &good.replace(from, to)));
    let stranger = Signer::new(|_| {});
    let whole = with_params(&signer.sign(HEAD, &good));
    let cases = [
        ("garbage", "aaaa.bbbb.cccc;info=<https://cr.example.com/a.pem>".to_owned(), Defect::Header),
        ("no token", "garbage".to_owned(), Defect::Header),
        ("garbage without a place", "aaaa.bbbb.cccc".to_owned(), Defect::Header),
        ("no info", signer.sign(HEAD, &good), Defect::Info),
        ("another place", whole.replace("info=<https://cr.", "info=<https://xy."), Defect::Info),
        (
            "plain http",
            {
                let token = signer.sign(&HEAD.replace("https", "http"), &good);
                format!("{token};info=<{}>", X5U.replace("https", "http"))
            },
            Defect::Info,
        ),
        ("another algorithm", whole.replace("alg=ES256", "alg=RS256"), Defect::Credential),
        (
            "another algorithm inside",
            with_params(&signer.sign(&HEAD.replace("ES256", "none"), &good)),
            Defect::Credential,
        ),
        (
            "another type",
            with_params(&signer.sign(&HEAD.replace("passport\"", "jwt\""), &good)),
            Defect::Header,
        ),
        (
            "another extension",
            with_params(&signer.sign(&HEAD.replace("\"ppt\":\"shaken\",", ""), &good)),
            Defect::Header,
        ),
        ("too old", change(&NOW_S.to_string(), &(NOW_S - 61).to_string()), Defect::Stale),
        ("of tomorrow", change(&NOW_S.to_string(), &(NOW_S + 61).to_string()), Defect::Stale),
        ("no time", change(&format!("\"iat\":{NOW_S},"), ""), Defect::Stale),
        ("no attestation", change("\"attest\":\"A\",", ""), Defect::Header),
        ("attestation Z", change("\"A\"", "\"Z\""), Defect::Header),
        ("no origid", change(",\"origid\":\"x\"", ""), Defect::Header),
        ("no caller", change("{\"tn\":\"8613800000001\"}", "{}"), Defect::Header),
        ("another caller", change("8613800000001", "8613800000002"), Defect::Header),
        ("another callee", change("8675500000001", "8675500000002"), Defect::Header),
        ("another's key", with_params(&stranger.sign(HEAD, &good)), Defect::Header),
        ("cut", whole.replace(";info", "A;info"), Defect::Header),
    ];
    for (what, identity, defect) in cases {
        let finding = found(&mut verifier, &identity);
        assert_eq!((finding.verstat, finding.defect), (Verstat::Failed, Some(defect)), "{what}: {identity}");
    }
    let statuses = [Defect::Stale, Defect::Info, Defect::Credential, Defect::Header].map(Defect::status);
    assert_eq!(statuses.map(|status| &status[..3]), ["403", "436", "437", "438"]);
}

#[test]
fn a_certificate_must_come_from_an_authority_be_valid_and_cover_the_number() {
    let good = payload("A");
    let strange = Signer::new(|_| {});
    let signer = Signer::new(|_| {});
    let mut verifier = strange.verifier();
    verifier.learnt(X5U, signer.pem.as_bytes(), None, NOW_S * 1000);
    let identity = with_params(&signer.sign(HEAD, &good));
    assert_eq!(found(&mut verifier, &identity).defect, Some(Defect::Credential), "an unknown authority");
    let expired = Signer::new(|leaf| leaf.not_after = rcgen::date_time_ymd(2026, 1, 1));
    let identity = with_params(&expired.sign(HEAD, &good));
    assert_eq!(found(&mut expired.verifier(), &identity).defect, Some(Defect::Credential), "expired");
    let authority = Signer::new(|leaf| leaf.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let identity = with_params(&authority.sign(HEAD, &good));
    assert_eq!(
        found(&mut authority.verifier(), &identity).defect,
        Some(Defect::Credential),
        "an authority itself"
    );
    // TNAuthList: a provider's code, one number, a range, or others.
    let one = |number: &str| tlv(0xA2, &tlv(0x16, number.as_bytes()));
    let range = |start: &str, count: u8| {
        tlv(0xA1, &tlv(0x30, &[tlv(0x16, start.as_bytes()), vec![0x02, 0x01, count]].concat()))
    };
    let cases = [
        (tlv(0xA0, &tlv(0x16, b"1234")), true),
        (one("8613800000001"), true),
        (one("8613800000002"), false),
        ([one("8613800000002"), range("8613800000000", 2)].concat(), true),
        (range("8613800000000", 1), false),
        (range("8613800000002", 100), false),
        (range("138", 100), false),
    ];
    for (entries, covers) in cases {
        let signer = Signer::new(|leaf| {
            let oid = [1, 3, 6, 1, 5, 5, 7, 1, 26];
            leaf.custom_extensions = vec![CustomExtension::from_oid_content(&oid, tlv(0x30, &entries))];
        });
        let identity = with_params(&signer.sign(HEAD, &good));
        let defect = found(&mut signer.verifier(), &identity).defect;
        assert_eq!(defect, (!covers).then_some(Defect::Credential), "{entries:02x?}");
    }
}

fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    [&[tag, u8::try_from(value.len()).unwrap()], value].concat()
}

#[test]
fn a_certificate_is_asked_for_once_kept_for_a_while_and_asked_for_again() {
    let signer = Signer::new(|_| {});
    let anchor = webpki::anchor_from_trusted_cert(&signer.anchor).unwrap().to_owned();
    let mut verifier = Verifier::new(vec![anchor], &settings());
    let identity = |now_s: u64| {
        with_params(&signer.sign(HEAD, &payload("A").replace(&NOW_S.to_string(), &now_s.to_string())))
    };
    let at = |verifier: &mut Verifier, now_s: u64| {
        let identity = identity(now_s);
        verifier.check(&claim(&[identity.as_bytes()]), now_s * 1000)
    };
    assert_eq!(at(&mut verifier, NOW_S), Check::Ask(X5U.to_owned()));
    assert_eq!(at(&mut verifier, NOW_S + 1), Check::Waits);
    verifier.failed(X5U, (NOW_S + 2) * 1000);
    let unfound = Finding { defect: Some(Defect::Info), ..Finding::UNKNOWN };
    assert_eq!(at(&mut verifier, NOW_S + 3), Check::Done(unfound), "no validation, not a failed one");
    assert_eq!(at(&mut verifier, NOW_S + 40), Check::Ask(X5U.to_owned()));
    verifier.learnt(X5U, signer.pem.as_bytes(), Some(Duration::from_secs(100)), (NOW_S + 40) * 1000);
    assert!(matches!(at(&mut verifier, NOW_S + 139), Check::Done(Finding { verstat: Verstat::Passed, .. })));
    assert_eq!(at(&mut verifier, NOW_S + 141), Check::Ask(X5U.to_owned()));
    verifier.learnt(X5U, b"-----BEGIN NOTHING-----", None, (NOW_S + 141) * 1000);
    assert_eq!(at(&mut verifier, NOW_S + 142), Check::Done(unfound));
}

#[test]
fn who_asks_for_many_places_fills_no_memory() {
    let signer = Signer::new(|_| {});
    let mut verifier = signer.verifier();
    let mut asked = 0;
    for number in 0..crate::limits::STIR_CERTIFICATES_MAX + 100 {
        let place = format!("https://cr.example.com/{number}.pem");
        let token = signer.sign(&HEAD.replace(X5U, &place), &payload("A"));
        asked += usize::from(matches!(
            check_of(&mut verifier, &format!("{token};info=<{place}>;alg=ES256")),
            Check::Ask(_)
        ));
    }
    assert_eq!(asked, crate::limits::STIR_CERTIFICATES_MAX - 1);
}

#[test]
fn other_signatures_are_passed_over() {
    let signer = Signer::new(|_| {});
    let mut verifier = signer.verifier();
    let div = with_params(&signer.sign(HEAD, &payload("A"))).replace("ppt=\"shaken\"", "ppt=div");
    assert_eq!(found(&mut verifier, &div), Finding::UNKNOWN);
    let shaken = with_params(&signer.sign(HEAD, &payload("A")));
    assert_eq!(found(&mut verifier, &format!("{div}, {shaken}")).verstat, Verstat::Passed);
}

#[test]
fn mutated_signatures_and_certificates_do_no_harm() {
    let signer = Signer::new(|_| {});
    let mut verifier = signer.verifier();
    let identity = with_params(&signer.sign(HEAD, &payload("A"))).into_bytes();
    let pem = signer.pem.clone().into_bytes();
    let count = std::env::var("YUMEN_MUTATIONS").map_or(2_000, |value| value.parse().unwrap());
    let mut state = 3u64;
    let mut random = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % limit
    };
    for _ in 0..count {
        let mut identity = identity.clone();
        let at = random(identity.len());
        let before = identity[at];
        identity[at] = u8::try_from(random(256)).unwrap();
        let check = verifier.check(&claim(&[&identity]), NOW_S * 1000);
        let harmless = at >= identity.len() - 24 || identity[at].eq_ignore_ascii_case(&before);
        assert!(harmless || !matches!(check, Check::Done(Finding { verstat: Verstat::Passed, .. })), "{at}");
        let mut pem = pem.clone();
        let at = random(pem.len());
        pem[at] = u8::try_from(random(256)).unwrap();
        if let Some(chain) = Chain::read(&pem) {
            let _covers = chain.covers("8613800000001");
            let _trusted = chain.is_trusted(&[], NOW_S);
        }
    }
}

/// A server of certificates on loopback, over TLS; it answers so many requests.
async fn repository(pem: String, requests: usize, dir: &std::path::Path) -> (std::path::PathBuf, u16) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let certificate =
        CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let (cert_file, key_file) = (dir.join("server.pem"), dir.join("server.key"));
    std::fs::write(&cert_file, certificate.pem()).unwrap();
    std::fs::write(&key_file, key.serialize_pem()).unwrap();
    let tls = crate::doors::config::ServerTls { cert: cert_file.clone(), key: key_file, client_ca: None };
    let acceptor = crate::doors::tls::acceptor(&tls).unwrap();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        for _ in 0..requests {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            assert!(head.starts_with(b"GET /a.pem HTTP/1.1\r\n"));
            let answer = format!(
                "HTTP/1.1 200 OK\r\nCache-Control: max-age=120\r\nContent-Length: {}\r\n\r\n{pem}",
                pem.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (cert_file, port)
}

#[tokio::test]
async fn a_certificate_is_fetched_over_https() {
    let dir = tempfile::tempdir().unwrap();
    let signer = Signer::new(|_| {});
    let anchors = dir.path().join("anchors.pem");
    let pem = |der: &[u8]| {
        let text = data_encoding::BASE64.encode(der);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    };
    std::fs::write(&anchors, pem(&signer.anchor)).unwrap();
    let (https_ca, port) = repository(signer.pem.clone(), 1, dir.path()).await;
    let now_ms = crate::clock::now_ms();
    let place = format!("https://localhost:{port}/a.pem");
    let payload = payload("A").replace(&NOW_S.to_string(), &(now_ms / 1000).to_string());
    let identity = signer.sign(&HEAD.replace(X5U, &place), &payload);
    let identity = format!("{identity};info=<{place}>;alg=ES256;ppt=shaken");
    let headers = [identity.as_bytes()];
    let start = |repositories: &[&str]| {
        let repositories = repositories.iter().map(|host| (*host).to_owned()).collect();
        Stir::new(Settings {
            anchors: anchors.clone(),
            https_ca: https_ca.clone(),
            repositories,
            ..settings()
        })
        .unwrap()
    };
    let stir = start(&["localhost"]);
    let mut changes = stir.changes();
    assert_eq!(stir.check(&claim(&headers), now_ms, false), None, "it waits");
    assert_eq!(stir.check(&claim(&headers), now_ms, true), Some(Finding::UNKNOWN), "its time is up");
    tokio::time::timeout(Duration::from_secs(20), changes.changed()).await.unwrap().unwrap();
    let found = stir.check(&claim(&headers), now_ms, false).unwrap();
    assert_eq!((found.verstat, found.attestation), (Verstat::Passed, Some(Attestation::Full)));
    // Nobody listed this machine: nobody knocks at it.
    let stir = start(&[]);
    let mut changes = stir.changes();
    assert_eq!(stir.check(&claim(&headers), now_ms, false), None);
    tokio::time::timeout(Duration::from_secs(20), changes.changed()).await.unwrap().unwrap();
    let found = stir.check(&claim(&headers), now_ms, false).unwrap();
    assert_eq!((found.verstat, found.defect), (Verstat::NotValidated, Some(Defect::Info)));
}
