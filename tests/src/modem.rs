//! A board in QEMU with a modem, a telephone and an agent at its serial lines.

use crate::program::{PATIENCE, Program, eventually, free_port};
use anyhow::{Context, Result, bail};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A file that `cargo xtask test` built.
///
/// # Errors
/// It didn't.
pub fn built(variable: &str) -> Result<PathBuf> {
    let path = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_file());
    path.with_context(|| {
        format!("{variable} names no file: run `cargo xtask test`, which builds the firmware")
    })
}

/// The board, running.
#[derive(Debug)]
pub struct Board {
    qemu: Program,
    /// The modem's end.
    pub modem: Line,
    /// The telephone's end.
    pub telephone: Line,
    /// The agent's end, where the test is the agent.
    pub link: Option<Line>,
}

/// How a board is started.
#[derive(Clone, Copy, Debug)]
pub struct Boot<'b> {
    /// The program.
    pub elf: &'b Path,
    /// What QEMU says.
    pub log: &'b Path,
    /// The file that keeps what the board's flash holds; made where there is none.
    pub flash: &'b Path,
    /// The port of the link's end, where an agent connects to it.
    pub link: Option<u16>,
    /// An instruction is a nanosecond: what takes how long is the same on every machine.
    pub counts_instructions: bool,
}

impl Board {
    /// Boots a program in QEMU's `mps2-an386`, in whose flash nothing stands.
    ///
    /// # Errors
    /// QEMU can't be started, or its lines can't be reached.
    pub fn boot(elf: &Path, log: &Path) -> Result<Self> {
        Self::start(Boot {
            elf,
            log,
            flash: &log.with_extension("flash"),
            link: None,
            counts_instructions: false,
        })
    }

    /// Boots it with what its flash held when the power was cut.
    ///
    /// # Errors
    /// As [`Board::boot`].
    pub fn start(boot: Boot<'_>) -> Result<Self> {
        let link = boot.link.map_or_else(free_port, Ok)?;
        let ports = [free_port()?, free_port()?, link];
        if !boot.flash.exists() {
            std::fs::File::create(boot.flash)?.set_len(FLASH_BYTES)?;
        }
        let mut command = Command::new("qemu-system-arm");
        let memory = format!(
            "memory-backend-file,id=flash,size={FLASH_BYTES},share=on,mem-path={}",
            boot.flash.display()
        );
        command.args(["-M", BOARD, "-object", &memory, "-display", "none", "-monitor", "none"]);
        command.arg("-kernel").arg(boot.elf);
        if boot.counts_instructions {
            command.args(["-icount", "shift=0"]);
        }
        for port in ports {
            command.args(["-serial", &format!("tcp:127.0.0.1:{port},server=on,wait=off")]);
        }
        let mut qemu = Program::start("qemu", &mut command, boot.log)?;
        let mut lines = Vec::new();
        let own = if boot.link.is_some() { 2 } else { 3 };
        for port in ports.into_iter().take(own) {
            eventually(PATIENCE, "a serial line of the board", || {
                if !qemu.is_running() {
                    bail!("qemu ended: {}", qemu.log());
                }
                if let Ok(stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
                    lines.push(Line::new(stream)?);
                    return Ok(true);
                }
                Ok(false)
            })?;
        }
        let mut lines = lines.into_iter();
        let (modem, telephone) = lines.next().zip(lines.next()).context("two lines")?;
        Ok(Self { qemu, modem, telephone, link: lines.next() })
    }

    /// Cuts the power.
    ///
    /// # Errors
    /// QEMU can't be waited for.
    pub fn cut_power(mut self) -> Result<()> {
        self.qemu.kill()
    }
}

/// The board's PSRAM, which stands in for flash.
const FLASH_BYTES: u64 = 16 << 20;
const BOARD: &str = "mps2-an386,memory-backend=flash";

/// One serial line.
#[derive(Debug)]
pub struct Line {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Line {
    fn new(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_millis(5)))?;
        Ok(Self { stream, received: Vec::new() })
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// The board is gone.
    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// Takes what has come.
    ///
    /// # Errors
    /// The board is gone.
    pub fn receive(&mut self) -> Result<&mut Vec<u8>> {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer) {
            Ok(0) => bail!("the line was closed"),
            Ok(length) => self.received.extend_from_slice(&buffer[..length]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(&mut self.received)
    }

    /// Waits for the next command, up to its carriage return, without it.
    ///
    /// # Errors
    /// None comes within [`PATIENCE`].
    pub fn command(&mut self) -> Result<String> {
        let started = Instant::now();
        loop {
            let received = self.receive()?;
            if let Some(end) = received.iter().position(|&byte| byte == b'\r') {
                let command: Vec<u8> = received.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&command[..end]).into_owned());
            }
            if started.elapsed() > PATIENCE {
                bail!("the board sent no command within {PATIENCE:?}");
            }
        }
    }
}
