//! The decision API of a running agent: what schemathesis of PyPI makes of its description, and Kamailio of Debian asking it
//! for each INVITE of sipp.

use anyhow::{Context, Result, ensure};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;
use tempfile::TempDir;
use yumen_tests::foreign::peers_dir;
use yumen_tests::program::{Program, eventually, free_port};
use yumen_tests::site::{Ports, Site};

const TOKEN: &str = "0123456789abcdef0123";
/// Whom the test's own rule blocks, and whom nothing does.
const BLOCKED: &str = "19900000001";
const HONEST: &str = "13900000002";

/// Who may ask without TLS.
const TOKENS: &str = "tokens = \"DIR/tokens\"\n";

const RULES: &str = r#"
[pack]
name = "test"
title = "Test"

[[rule]]
id = "fraud/blocked-caller"
typology = "fraud"
title = "测试号码"
title_en = "A caller of the test"
channel = ["sms", "call"]
score = 90
ladder = "enforce"
when = 'sender.number == "19900000001"'
hit = [{ from = "19900000001", text = "x" }]
miss = [{ from = "13900000002", text = "x" }]

[[rule]]
id = "fraud/complained-about"
typology = "fraud"
title = "被投诉的号码"
title_en = "A number that is complained about"
channel = ["sms", "call"]
score = 90
ladder = "enforce"
when = 'caller.complaints("24h") >= 3 || sender.number == "19900000009"'
hit = [{ from = "19900000009", text = "x" }]
miss = [{ from = "13900000002", text = "x" }]
"#;

/// Every request that schemathesis makes of the description is answered as the description says. `YUMEN_TEST_EXAMPLES` (25) an
/// operation.
#[test]
fn the_description_is_kept() -> Result<()> {
    let bench = Bench::start()?;
    let program = peers_dir()?.join("python/bin/schemathesis");
    ensure!(program.exists(), "schemathesis isn't at {}: run `cargo xtask test`", program.display());
    let examples = std::env::var("YUMEN_TEST_EXAMPLES").unwrap_or_else(|_| "25".to_owned());
    let output = Command::new(program)
        .current_dir(bench.dir.path())
        .args(["run", "--header", &format!("Authorization: Bearer {TOKEN}"), "--max-examples", &examples])
        .args(["--no-color", "--workers", "1", "--generation-deterministic"])
        .arg(format!("http://127.0.0.1:{}/v1/openapi.json", bench.api))
        .output()
        .context("cannot start schemathesis")?;
    ensure!(
        output.status.success(),
        "schemathesis found failures:\n{}",
        String::from_utf8_lossy(&output.stdout)
    );
    Ok(())
}

#[test]
fn kamailio_asks_for_each_invite() -> Result<()> {
    let mut bench = Bench::start()?;
    let (proxy, callee) = (free_port()?, free_port()?);
    let dir = bench.dir.path().to_owned();
    let _callee = Program::start(
        "sipp",
        Command::new("sipp").current_dir(&dir).args([
            "-sn",
            "uas",
            "-i",
            "127.0.0.1",
            "-nostdin",
            "-p",
            &callee.to_string(),
        ]),
        &dir.join("uas.log"),
    )?;
    let _kamailio = start_kamailio(&dir, proxy, callee, bench.api)?;
    let call = |from: &str, calls: u32| call(&dir, proxy, from, calls);
    eventually(Duration::from_secs(20), "Kamailio relays", || Ok(call(HONEST, 1)?.status.success()))?;

    ensure!(call(HONEST, 50)?.status.success(), "honest calls were refused");
    ensure!(!call(BLOCKED, 20)?.status.success(), "blocked calls went through");
    bench.agent.terminate()?;
    ensure!(call(BLOCKED, 5)?.status.success(), "without Yumen calls don't go on");
    bench.agent = bench.site.start_agent("gateway", &bench.config)?;
    ensure!(!call(BLOCKED, 20)?.status.success(), "Yumen is back, and blocked calls go through");
    ensure!(call(HONEST, 20)?.status.success(), "Yumen is back, and honest calls don't go through");
    Ok(())
}

/// Three complaints about a number, whoever's, and its next message and call are refused.
#[test]
fn complaints_count() -> Result<()> {
    let bench = Bench::start()?;
    let post = |path: &str, body: &Value| -> Result<Option<Value>> {
        let url = format!("http://127.0.0.1:{}/v1/{path}", bench.api);
        let request = ureq::post(&url).header("Authorization", format!("Bearer {TOKEN}"));
        let mut answer = request.send_json(body)?;
        Ok(answer.body_mut().read_json().ok())
    };
    let verdict = |channel: &str| -> Result<Value> {
        let mut question = json!({ "from": "13700000005", "to": "13900000001" });
        if channel == "sms" {
            question["text"] = "x".into();
        }
        let answer = post("decisions", &json!({ channel: question }))?;
        Ok(answer.context("no answer")?["verdict"].clone())
    };
    for number in 1..=3 {
        ensure!(verdict("call")? == "allow" && verdict("sms")? == "allow", "after {} complaints", number - 1);
        let callee = format!("1390000000{number}");
        post("outcomes", &json!({ "from": "+8613700000005", "to": callee, "outcome": "complaint" }))?;
    }
    ensure!(verdict("call")? == "reject" && verdict("sms")? == "reject", "after three complaints");
    Ok(())
}

/// Over TLS, curl is known by its token, or by its certificate; without either, or with another's, it gets nothing.
#[test]
fn curl_over_tls_by_token_or_certificate() -> Result<()> {
    let dir = tempfile::tempdir()?;
    certificates(dir.path())?;
    let tls = format!("{TOKENS}\n[api.tls]\ncert = \"DIR/server.pem\"\nkey = \"DIR/server.key\"\n");
    let by_token = Bench::start_with(dir, &tls)?;
    let bearer = |token: &str| vec!["-H".to_owned(), format!("Authorization: Bearer {token}")];
    ensure!(by_token.curl("https", &bearer(TOKEN))?.contains("\"verdict\":\"reject\""), "a token is known");
    ensure!(by_token.curl("https", &bearer("0123456789abcdef0124"))?.ends_with("401"), "another isn't");
    ensure!(by_token.curl("https", &[])?.ends_with("401"), "nor is none");
    ensure!(by_token.curl("http", &bearer(TOKEN)).is_err(), "without TLS nothing is answered");

    let dir = tempfile::tempdir()?;
    certificates(dir.path())?;
    let mutual =
        "[api.tls]\ncert = \"DIR/server.pem\"\nkey = \"DIR/server.key\"\nclient_ca = \"DIR/ca.pem\"\n";
    let by_certificate = Bench::start_with(dir, mutual)?;
    let show = |name: &str| {
        let file =
            |kind: &str| by_certificate.dir.path().join(format!("{name}.{kind}")).display().to_string();
        vec!["--cert".to_owned(), file("pem"), "--key".to_owned(), file("key")]
    };
    ensure!(by_certificate.curl("https", &show("client"))?.ends_with("200"), "a certificate is known");
    for (args, why) in [
        (show("stranger"), "a certificate of another authority"),
        (show("expired"), "one that was valid once"),
        (Vec::new(), "no certificate"),
        (bearer(TOKEN), "a token where certificates are asked for"),
    ] {
        let answer = by_certificate.curl("https", &args);
        ensure!(answer.is_err(), "{why} is refused in the handshake: {answer:?}");
    }
    Ok(())
}

/// An authority (`ca`), a server's and a client's certificate of it, one that ran out, and a stranger's.
fn certificates(dir: &Path) -> Result<()> {
    let authority = |name: &str| -> Result<_> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?.pem();
        Ok((Issuer::new(params, key), certificate))
    };
    let (own, own_pem) = authority("own")?;
    let (other, _) = authority("other")?;
    std::fs::write(dir.join("ca.pem"), own_pem)?;
    for (name, issuer, has_expired) in [
        ("server", &own, false),
        ("client", &own, false),
        ("expired", &own, true),
        ("stranger", &other, false),
    ] {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        if has_expired {
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        }
        let key = KeyPair::generate()?;
        std::fs::write(dir.join(format!("{name}.pem")), params.signed_by(&key, issuer)?.pem())?;
        std::fs::write(dir.join(format!("{name}.key")), key.serialize_pem())?;
    }
    Ok(())
}

fn start_kamailio(dir: &Path, port: u16, upstream: u16, api: u16) -> Result<Program> {
    let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/recipes/kamailio.cfg");
    let mut command = Command::new("kamailio");
    command.arg("-f").arg(recipe).args(["-DD", "-E", "-m", "32", "-M", "8"]);
    command.args(["-l", &format!("udp:127.0.0.1:{port}")]);
    command.arg("-Y").arg(dir).arg("-P").arg(dir.join("kamailio.pid"));
    command.args(["-A", &format!("YUMEN_URL=\"http://127.0.0.1:{api}/v1/decisions\"")]);
    command.args(["-A", &format!("YUMEN_TOKEN=\"{TOKEN}\"")]);
    command.args(["-A", &format!("UPSTREAM=\"sip:127.0.0.1:{upstream}\"")]);
    Program::start("kamailio", &mut command, &dir.join("kamailio.log"))
}

/// sipp ends well where every call was set up.
fn call(dir: &Path, proxy: u16, from: &str, calls: u32) -> Result<Output> {
    let scenario = dir.join(format!("uac-{from}.xml"));
    std::fs::write(&scenario, SCENARIO.replace("CALLER", from))?;
    let mut sipp = Command::new("sipp");
    sipp.current_dir(dir).arg("-sf").arg(&scenario).args(["-s", "95500", "-i", "127.0.0.1", "-nostdin"]);
    sipp.args(["-m", &calls.to_string(), "-r", "50", "-timeout", "30", "-recv_timeout", "10000"]);
    sipp.arg(format!("127.0.0.1:{proxy}")).output().context("cannot start sipp")
}

const SCENARIO: &str = r#"<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="call">
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:CALLER@[local_ip]:[local_port]>;tag=[pid]t[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:CALLER@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="100" optional="true"></recv>
<recv response="180" optional="true"></recv>
<recv response="200" rrs="true"></recv>
<send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:CALLER@[local_ip]:[local_port]>;tag=[pid]t[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
<send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:CALLER@[local_ip]:[local_port]>;tag=[pid]t[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"></recv>
</scenario>
"#;

/// An agent with an API, and a pack with the test's own rule.
struct Bench {
    site: Site,
    config: String,
    agent: Program,
    api: u16,
    // Last: the programs above have their files in it.
    dir: TempDir,
}

impl Bench {
    fn start() -> Result<Self> {
        Self::start_with(tempfile::tempdir()?, TOKENS)
    }

    /// With those lines of `[api]` besides its address; the files that they name are in `dir`.
    fn start_with(dir: TempDir, lines: &str) -> Result<Self> {
        let rules = dir.path().join("rules");
        std::fs::create_dir(&rules)?;
        std::fs::write(rules.join("test.toml"), RULES)?;
        let site = Site { dir: dir.path().to_owned(), ports: Ports::free()? };
        site.build_pack(&rules, 1)?;
        let tokens = dir.path().join("tokens");
        std::fs::write(&tokens, format!("test {TOKEN}\n"))?;
        let api = free_port()?;
        let config = site.agent_config(
            "gateway",
            &format!(
                "\n[api]\nbind = \"127.0.0.1:{api}\"\nrate_max = 100000\n\
                 policy = {{ ladder = \"enforce\" }}\non_failure = {{ deadline_ms = 60000 }}\n{lines}",
                lines = lines.replace("DIR", &dir.path().display().to_string())
            ),
        );
        let agent = site.start_agent("gateway", &config)?;
        Ok(Self { site, config, agent, api, dir })
    }

    /// The answer to a question about the blocked caller, and its status behind it.
    fn curl(&self, scheme: &str, args: &[String]) -> Result<String> {
        let question = format!("{{\"call\": {{\"from\": \"{BLOCKED}\", \"to\": \"95500\"}}}}");
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--max-time", "20", "--write-out", "%{http_code}"]);
        curl.args(["--header", "Content-Type: application/json", "--data", &question]).arg("--cacert");
        curl.arg(self.dir.path().join("ca.pem")).args(args);
        let output = curl.arg(format!("{scheme}://localhost:{}/v1/decisions", self.api)).output();
        let output = output.context("cannot start curl")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "curl: {said}");
        Ok(String::from_utf8(output.stdout)?)
    }
}
