//! Programs under test, as processes of their own: started, watched, ended, or killed.

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long anything may take to start or to end.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Where `yumen`, `yumen-hub` and `yumen-demo` are: `YUMEN_BIN_DIR`, or beside the test's own folder.
///
/// # Errors
/// They haven't been built.
pub fn path(name: &str) -> Result<PathBuf> {
    let dir = match std::env::var_os("YUMEN_BIN_DIR") {
        Some(dir) => PathBuf::from(dir),
        None => {
            let own = std::env::current_exe().context("where am I")?;
            let dir = own.parent().unwrap_or(Path::new("."));
            if dir.ends_with("deps") { dir.parent().unwrap_or(dir).to_owned() } else { dir.to_owned() }
        }
    };
    let path = dir.join(name);
    if !path.is_file() {
        bail!("{} hasn't been built: run `cargo xtask test`", path.display());
    }
    Ok(path)
}

/// Runs a command to its end; gives what it printed.
///
/// # Errors
/// It can't be started, or fails; the message holds what it said.
pub fn done(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{command:?} ended with {}:\n{said}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A running program. It is killed when dropped.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts a command; both its outputs are appended to `log`.
    ///
    /// # Errors
    /// The log can't be opened, or the program can't be started.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        let file =
            File::options().create(true).append(true).open(log).with_context(|| log.display().to_string())?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        Ok(Self { name: name.to_owned(), child, log: log.to_owned() })
    }

    /// Waits until `ready` says so.
    ///
    /// # Errors
    /// The program ended, or [`PATIENCE`] did; the message holds the end of its log.
    pub fn wait_until(&mut self, ready: impl Fn() -> bool) -> Result<()> {
        let started = Instant::now();
        while !ready() {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status}:\n{}", self.name, self.log_tail());
            }
            if started.elapsed() > PATIENCE {
                bail!("{} isn't ready after {PATIENCE:?}:\n{}", self.name, self.log_tail());
            }
            pause();
        }
        Ok(())
    }

    /// Waits until `url` answers 200.
    ///
    /// # Errors
    /// As [`Self::wait_until`].
    pub fn wait_http(&mut self, url: &str) -> Result<()> {
        self.wait_until(|| ureq::get(url).call().is_ok())
    }

    /// Whether it runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: what no program can prepare for.
    ///
    /// # Errors
    /// The process can't be waited for.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// A signal.
    ///
    /// # Errors
    /// The process is gone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("no process id")?;
        kill_process(pid, signal).with_context(|| format!("{} can't be signalled", self.name))
    }

    /// SIGTERM, and waits for the end.
    ///
    /// # Errors
    /// It doesn't end within [`PATIENCE`].
    pub fn terminate(&mut self) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.wait()
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// It doesn't end within [`PATIENCE`].
    pub fn wait(&mut self) -> Result<ExitStatus> {
        self.wait_for(PATIENCE)
    }

    /// Waits for the end of what may take longer than anything else.
    ///
    /// # Errors
    /// It doesn't end within `limit`.
    pub fn wait_for(&mut self, limit: Duration) -> Result<ExitStatus> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if started.elapsed() > limit {
                bail!("{} doesn't end within {limit:?}:\n{}", self.name, self.log_tail());
            }
            pause();
        }
    }

    /// All that it printed.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ended = self.kill();
    }
}

/// Waits until `done` says so, and fails with `what` after `limit`.
///
/// # Errors
/// It doesn't within `limit`.
pub fn eventually(limit: Duration, what: &str, mut done: impl FnMut() -> Result<bool>) -> Result<()> {
    let started = Instant::now();
    while !done()? {
        if started.elapsed() > limit {
            bail!("after {limit:?} still not: {what}");
        }
        pause();
    }
    Ok(())
}

/// A port that was free a moment ago.
///
/// # Errors
/// The system has none.
pub fn free_port() -> Result<u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..PORTS {
        let turn = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(std::process::id().wrapping_mul(101));
        let port = u16::try_from(u32::from(PORT_FIRST) + turn % PORTS)?;
        let address = (std::net::Ipv4Addr::LOCALHOST, port);
        if std::net::TcpListener::bind(address).is_ok() && std::net::UdpSocket::bind(address).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port is free")
}

/// Below the ports that the system gives to connections: one of those could take a port between this and its use.
const PORT_FIRST: u16 = 12_000;
/// How many.
const PORTS: u32 = 20_000;

/// Waits for 20 ms.
#[expect(clippy::disallowed_methods, reason = "a test's own thread polls another process")]
pub fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}
