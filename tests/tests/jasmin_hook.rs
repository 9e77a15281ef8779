//! The recipe for Jasmin of PyPI, run by Jasmin's own interceptor, against a running agent.

use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use yumen_tests::foreign::{python, script, to_hex};
use yumen_tests::program::free_port;
use yumen_tests::site::{Ports, Site};
use yumen_wire::address::RawAddress;
use yumen_wire::smpp::{Body, CommandId, EsmClass, Header, Sm, emit};

const TOKEN: &str = "0123456789abcdef0123";
const BAD: &str = "逾期不还就爆通讯录";
/// ESME_RSUBMITFAIL, and HTTP's refusal.
const REFUSED: &str = "69 403";
const PASSES: &str = "passes";

#[test]
fn jasmin_refuses_what_is_blocked() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let site = Site::prepare(dir.path(), Ports::free()?)?;
    let (tokens, api) = (dir.path().join("tokens"), free_port()?);
    std::fs::write(&tokens, format!("jasmin {TOKEN}\n"))?;
    let config = site.agent_config(
        "gateway",
        &format!(
            "\n[api]\nbind = \"127.0.0.1:{api}\"\ntokens = {tokens:?}\npolicy = {{ ladder = \"enforce\" }}\n\
             on_failure = {{ deadline_ms = 60000 }}\n"
        ),
    );
    let mut agent = site.start_agent("gateway", &config)?;
    let mut jasmin = Jasmin::start(api)?;
    for (submit, expected) in [
        (submit(&[], "今晚一起吃饭吗")?, PASSES),
        (submit(&[], BAD)?, REFUSED),
        // A header isn't part of the text.
        (submit(&[5, 0, 3, 7, 2, 1], BAD)?, REFUSED),
    ] {
        let answer = jasmin.intercept(&submit)?;
        ensure!(answer == expected, "{answer} for {submit:x?}");
    }
    agent.terminate()?;
    ensure!(jasmin.intercept(&submit(&[], BAD)?)? == PASSES, "without Yumen messages go on");
    Ok(())
}

/// A submit_sm in UCS-2 (SMPP 3.4 §4.4.1).
fn submit(header: &[u8], text: &str) -> Result<Vec<u8>> {
    let mut data = header.to_vec();
    data.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
    let sm = Sm {
        source: RawAddress::new(0, 1, b"10690000"),
        destination: RawAddress::new(1, 1, b"8613900000001"),
        esm_class: EsmClass(if header.is_empty() { 0 } else { EsmClass::UDHI }),
        data_coding: 8,
        short_message: &data,
        ..Sm::default()
    };
    let mut octets = vec![0; 512];
    let length = emit(&Header::request(CommandId::SUBMIT_SM, 1), &Body::Sm(sm), &mut octets)?;
    octets.truncate(length);
    Ok(octets)
}

/// Jasmin's interceptor; it ends with its input.
struct Jasmin {
    child: Child,
}

impl Jasmin {
    fn start(api: u16) -> Result<Self> {
        let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/recipes/jasmin.py");
        let child = Command::new(python()?)
            .arg(script("jasmin_interceptor.py"))
            .arg(recipe)
            .env("YUMEN_URL", format!("http://127.0.0.1:{api}/v1/decisions"))
            .env("YUMEN_TOKEN", TOKEN)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start Jasmin's interceptor")?;
        Ok(Self { child })
    }

    fn intercept(&mut self, submit: &[u8]) -> Result<String> {
        let input = self.child.stdin.as_mut().context("no input")?;
        writeln!(input, "{}", to_hex(submit))?;
        let mut line = String::new();
        // It answers line by line, so nothing is left in a buffer.
        BufReader::new(self.child.stdout.as_mut().context("no output")?).read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }
}

impl Drop for Jasmin {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}
