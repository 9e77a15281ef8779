//! Debian's PostgreSQL, a server of the test's own: made, started, killed.

use crate::program::{Program, free_port};
use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The server doesn't run as root; Debian makes this user for it.
const USER: &str = "postgres";
/// The database's own user, who needs no password here.
const OWNER: &str = "yumen";

/// A server on a port of this machine.
#[derive(Debug)]
pub struct Postgres {
    program: Option<Program>,
    port: u16,
    bin: PathBuf,
    /// Who it runs as, where this process is root.
    other: Option<(u32, u32)>,
    settings: Vec<String>,
    dir: TempDir,
}

impl Postgres {
    /// Makes a cluster and starts its server; `settings` are `name=value`.
    ///
    /// # Errors
    /// PostgreSQL isn't installed, or doesn't start.
    pub fn start(settings: &[&str]) -> Result<Self> {
        let dir = TempDir::with_prefix("yumen-postgres-")?;
        Self::start_in(dir, settings)
    }

    /// The same in a folder that is there already: on a small disk, say.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_in(dir: TempDir, settings: &[&str]) -> Result<Self> {
        let other = if id(&["-u"])? == 0 { Some((id(&["-u", USER])?, id(&["-g", USER])?)) } else { None };
        if let Some((user, group)) = other {
            chown(dir.path(), Some(user), Some(group))?;
        }
        let settings = settings.iter().map(ToString::to_string).collect();
        let mut server = Self { program: None, port: free_port()?, bin: bin()?, other, settings, dir };
        let mut make = server.command("initdb");
        make.args(["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "--username", OWNER]);
        crate::program::done(make.arg("--pgdata").arg(server.data()))?;
        server.restart()?;
        Ok(server)
    }

    /// Starts it again.
    ///
    /// # Errors
    /// It doesn't start.
    pub fn restart(&mut self) -> Result<()> {
        self.program = None;
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string(), "-h", "127.0.0.1"]);
        command.arg("-k").arg(self.dir.path());
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        let mut program = Program::start("postgres", &mut command, &self.log())?;
        let port = self.port.to_string();
        program.wait_until(|| {
            let mut ask = self.command("pg_isready");
            ask.args(["-q", "-h", "127.0.0.1", "-p", &port]).status().is_ok_and(|status| status.success())
        })?;
        self.program = Some(program);
        Ok(())
    }

    /// SIGKILL for the whole of it, as when the machine's memory runs out.
    ///
    /// # Errors
    /// It isn't running.
    pub fn kill(&mut self) -> Result<()> {
        let mut program = self.program.take().context("the server isn't running")?;
        program.kill()
    }

    /// A database of this name, made; gives its address.
    ///
    /// # Errors
    /// It can't be made.
    pub fn database(&self, name: &str) -> Result<String> {
        let port = self.port.to_string();
        let mut make = self.command("createdb");
        crate::program::done(make.args(["-h", "127.0.0.1", "-p", &port, "-U", OWNER, name]))?;
        Ok(format!("postgres://{OWNER}@127.0.0.1:{port}/{name}"))
    }

    /// What `psql` prints for a statement: rows as lines, columns parted by `|`.
    ///
    /// # Errors
    /// The statement fails.
    pub fn query(&self, database: &str, statement: &str) -> Result<String> {
        let port = self.port.to_string();
        let mut ask = self.command("psql");
        ask.args(["-h", "127.0.0.1", "-p", &port, "-U", OWNER, "-qAt", "-c", statement, database]);
        crate::program::done(&mut ask)
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.bin.join(name));
        // The folder of whoever called may be closed to the other user.
        command.current_dir(self.dir.path());
        if let Some((user, group)) = self.other {
            command.uid(user).gid(group);
        }
        command
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("postgres.log")
    }
}

/// An immediate shutdown: a server that is only killed leaves its shared memory behind.
impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(program) = &mut self.program
            && program.signal(Signal::QUIT).is_ok()
        {
            let _ended = program.wait();
        }
    }
}

/// The programs of the newest version that is installed.
fn bin() -> Result<PathBuf> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|dirs| dirs.filter_map(|dir| Some(dir.ok()?.path().join("bin"))).collect())
        .unwrap_or_default();
    versions.retain(|bin: &PathBuf| bin.join("initdb").is_file());
    versions.sort_by_key(|bin| version(bin));
    versions.pop().context("PostgreSQL isn't installed: run `cargo xtask test`")
}

fn version(bin: &Path) -> Option<u32> {
    bin.parent()?.file_name()?.to_str()?.parse().ok()
}

fn id(args: &[&str]) -> Result<u32> {
    let output = Command::new("id").args(args).output()?;
    if !output.status.success() {
        bail!("id {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse()?)
}
