//! Peers that nobody here wrote: smpplib of PyPI, smpp of npm, Kannel of Debian. `cargo xtask test` installs them.

use crate::program::Program;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use yumen_wire::smpp::{Body, Pdu, Sm};

/// Python with smpplib.
///
/// # Errors
/// It isn't there.
pub fn python() -> Result<PathBuf> {
    present(peers_dir()?.join("python/bin/python3"), "smpplib")
}

/// The folder of npm's packages.
///
/// # Errors
/// `smpp` isn't in it.
pub fn node_modules() -> Result<PathBuf> {
    let dir = peers_dir()?.join("node/node_modules");
    present(dir.join("smpp"), "smpp of npm")?;
    Ok(dir)
}

/// axe-core of npm, a check of pages for accessibility: its script.
///
/// # Errors
/// It isn't there.
pub fn axe() -> Result<String> {
    let script = peers_dir()?.join("node/node_modules/axe-core/axe.min.js");
    Ok(std::fs::read_to_string(present(script, "axe-core of npm")?)?)
}

/// One of Kannel's boxes.
///
/// # Errors
/// It isn't installed.
pub fn kannel(program: &str) -> Result<PathBuf> {
    present(Path::new("/usr/sbin").join(program), "Kannel")
}

/// A script of `tests/peers`.
#[must_use]
pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name)
}

/// An SMS centre on npm's `smpp`.
#[derive(Debug)]
pub struct NpmCentre {
    log: PathBuf,
    // Dropped with the centre: that ends it.
    _program: Program,
}

/// What the centre got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The id that it gave.
    pub id: String,
    /// The PDU as it came.
    pub octets: Vec<u8>,
}

impl NpmCentre {
    /// Starts it on a port of loopback; its files are in `dir`.
    ///
    /// # Errors
    /// It isn't installed, or doesn't start.
    pub fn start(dir: &Path, port: u16) -> Result<Self> {
        let log = dir.join("smsc.jsonl");
        let mut command = Command::new("node");
        command.arg(script("smsc.js")).arg(port.to_string()).arg(&log).env("NODE_PATH", node_modules()?);
        let mut program = Program::start("smsc.js", &mut command, &dir.join("smsc.log"))?;
        program.wait_until(|| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok())?;
        Ok(Self { log, _program: program })
    }

    /// Every `submit_sm` so far, in order.
    ///
    /// # Errors
    /// Its log can't be read.
    pub fn arrivals(&self) -> Result<Vec<Arrival>> {
        let log = std::fs::read_to_string(&self.log)?;
        log.lines().map(arrival).collect()
    }
}

impl Arrival {
    /// What it says.
    ///
    /// # Errors
    /// It isn't a message.
    pub fn message(&self) -> Result<Sm<'_>> {
        match Pdu::new_checked(&self.octets)?.parse()? {
            Body::Sm(sm) => Ok(sm),
            other => bail!("not a submit_sm: {other:?}"),
        }
    }
}

/// Octets from their hexadecimal digits.
///
/// # Errors
/// Anything else.
pub fn from_hex(text: &str) -> Result<Vec<u8>> {
    let octet = |at| text.get(at..at + 2).context("half an octet").map(|pair| u8::from_str_radix(pair, 16));
    (0..text.len()).step_by(2).map(|at| Ok(octet(at)??)).collect()
}

/// Hexadecimal digits of octets.
#[must_use]
pub fn to_hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn arrival(line: &str) -> Result<Arrival> {
    let value: Value = serde_json::from_str(line)?;
    let field = |name: &str| value[name].as_str().with_context(|| format!("no {name} in {line}"));
    Ok(Arrival { id: field("id")?.to_owned(), octets: from_hex(field("octets")?)? })
}

/// Where the peers from PyPI and npm are.
///
/// # Errors
/// The environment doesn't say.
pub fn peers_dir() -> Result<PathBuf> {
    let dir = std::env::var_os("YUMEN_PEERS_DIR");
    dir.map(PathBuf::from)
        .context("YUMEN_PEERS_DIR isn't set: run `cargo xtask test`, which installs the peers")
}

fn present(path: PathBuf, what: &str) -> Result<PathBuf> {
    if !path.exists() {
        bail!("{what} isn't at {}: run `cargo xtask test`, which installs it", path.display());
    }
    Ok(path)
}
