//! Kannel of Debian asks the decision API for each incoming message, by the recipe's own script.

use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use yumen_tests::foreign::kannel;
use yumen_tests::peer::smpp::Centre;
use yumen_tests::program::{PATIENCE, Program, eventually, free_port};
use yumen_tests::site::{Ports, Site};

const TOKEN: &str = "0123456789abcdef0123";
const BAD: &str = "逾期不还就爆通讯录";
const HONEST: &str = "今晚一起吃饭吗";

#[test]
fn kannel_hands_on_what_is_not_blocked() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let site = Site::prepare(dir.path(), Ports::free()?)?;
    let (tokens, api) = (dir.path().join("tokens"), free_port()?);
    std::fs::write(&tokens, format!("kannel {TOKEN}\n"))?;
    let config = site.agent_config(
        "gateway",
        &format!(
            "\n[api]\nbind = \"127.0.0.1:{api}\"\ntokens = {tokens:?}\npolicy = {{ ladder = \"enforce\" }}\n\
             on_failure = {{ deadline_ms = 60000 }}\n"
        ),
    );
    let mut agent = site.start_agent("gateway", &config)?;
    let service = Service::start()?;
    let hook = free_port()?;
    let _hook = start_hook(dir.path(), hook, api, service.port)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let centre = runtime.block_on(Centre::start((Ipv4Addr::LOCALHOST, 0)))?;
    let _kannel = start_kannel(dir.path(), centre.local_addr().port(), hook)?;

    let deliver = |to: &str, text: &str| -> Result<()> {
        let taken = runtime.block_on(centre.deliver("13800000001", to, text))?;
        ensure!(taken.iter().all(|taken| *taken), "Kannel refused {text}");
        Ok(())
    };
    deliver("95501", HONEST)?;
    deliver("95502", BAD)?;
    deliver("95503", HONEST)?;
    let arrived = |to: &str| Ok(service.queries().iter().any(|query| query.contains(to)));
    eventually(PATIENCE, "honest messages reach the service", || Ok(arrived("95501")? && arrived("95503")?))?;
    let queries = service.queries();
    ensure!(!arrived("95502")?, "a blocked message was handed on: {queries:?}");
    let encoded: String = HONEST.bytes().map(|octet| format!("%{octet:02X}")).collect();
    ensure!(queries.iter().all(|query| query.contains(&encoded)), "the text came through: {queries:?}");

    agent.terminate()?;
    deliver("95504", BAD)?;
    eventually(PATIENCE, "without Yumen messages go on", || arrived("95504"))
}

fn start_hook(dir: &Path, port: u16, api: u16, service: u16) -> Result<Program> {
    let script: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/recipes/kannel_hook.py");
    let mut command = Command::new("python3");
    command.arg(script).env("YUMEN_TOKEN", TOKEN);
    command.args(["--listen", &format!("127.0.0.1:{port}")]);
    command.args(["--yumen", &format!("http://127.0.0.1:{api}/v1/decisions")]);
    command.args(["--forward", &format!("http://127.0.0.1:{service}/sms")]);
    let mut hook = Program::start("kannel_hook.py", &mut command, &dir.join("hook.log"))?;
    hook.wait_until(|| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok())?;
    Ok(hook)
}

fn start_kannel(dir: &Path, smsc: u16, hook: u16) -> Result<[Program; 2]> {
    let [admin, boxes, sendsms] = [free_port()?, free_port()?, free_port()?];
    let conf = dir.join("kannel.conf");
    std::fs::write(
        &conf,
        format!(
            "group = core\nadmin-port = {admin}\nadmin-password = yumen\nsmsbox-port = {boxes}\nlog-level = 1\n\
             box-allow-ip = \"127.0.0.1\"\n\n\
             group = smsc\nsmsc = smpp\nsmsc-id = centre\nhost = 127.0.0.1\nport = {smsc}\ntransceiver-mode = true\n\
             smsc-username = kannel\nsmsc-password = secret\nsystem-type = \"\"\n\n\
             group = smsbox\nbearerbox-host = 127.0.0.1\nsendsms-port = {sendsms}\nlog-level = 1\nmo-recode = true\n\n\
             group = sms-service\nkeyword = default\ncatch-all = true\nmax-messages = 0\n\
             get-url = \"http://127.0.0.1:{hook}/?from=%p&to=%P&text=%a\"\n"
        ),
    )?;
    let start = |name: &str| {
        let mut command = Command::new(kannel(name)?);
        Program::start(name, command.args(["-v", "1"]).arg(&conf), &dir.join(format!("{name}.log")))
    };
    let status = format!("http://127.0.0.1:{admin}/status.txt?password=yumen");
    let says = |what: &str| {
        let page = ureq::get(&status).call().ok().and_then(|mut page| page.body_mut().read_to_string().ok());
        page.is_some_and(|page| page.contains(what))
    };
    let mut bearerbox = start("bearerbox")?;
    bearerbox.wait_until(|| says("(online"))?;
    let mut smsbox = start("smsbox")?;
    smsbox.wait_until(|| says("smsbox:"))?;
    Ok([bearerbox, smsbox])
}

/// The service for incoming messages; it keeps what it was asked.
struct Service {
    port: u16,
    queries: Arc<Mutex<Vec<String>>>,
}

impl Service {
    fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let queries: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&queries);
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Ok(query) = asked(stream) {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push(query);
                }
            }
        });
        Ok(Self { port, queries })
    }

    fn queries(&self) -> Vec<String> {
        self.queries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Reads one request and answers it with nothing.
fn asked(mut stream: TcpStream) -> Result<String> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
    Ok(line.split(' ').nth(1).context("no target")?.to_owned())
}
