//! What the machine must have: installed where we may, named where we may not.

use anyhow::{Context, Result, bail};
use std::process::{Command, Stdio};

/// Something that a Debian package brings.
pub(crate) struct Need {
    /// What it is for, in a few words.
    pub(crate) what: &'static str,
    /// Debian's package.
    pub(crate) package: &'static str,
    /// Whether it is there.
    pub(crate) present: fn() -> bool,
}

/// What building needs.
const BUILD: &[Need] = &[
    Need { what: "C compiler", package: "gcc", present: || program("cc") },
    Need { what: "C library headers", package: "libc6-dev", present: || file("/usr/include/stdlib.h") },
    Need { what: "pkg-config", package: "pkg-config", present: || program("pkg-config") },
    Need { what: "Hyperscan", package: HYPERSCAN, present: || library("libhs") },
];

/// Debian has Intel's Hyperscan for x86_64 only; elsewhere Vectorscan links, and the gate at start decides.
const HYPERSCAN: &str = if cfg!(target_arch = "x86_64") { "libhyperscan-dev" } else { "libvectorscan-dev" };

/// Installs or names what building needs.
pub(crate) fn prepare_build() -> Result<()> {
    install(BUILD)
}

/// Installs what is missing: as root or with sudo that asks no password; otherwise says what to type.
pub(crate) fn install(needs: &[Need]) -> Result<()> {
    let missing: Vec<&Need> = needs.iter().filter(|need| !(need.present)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    for need in &missing {
        println!("missing 缺少: {} (package 软件包 {})", need.what, need.package);
    }
    let line = format!("apt-get install -y --no-install-recommends {}", packages.join(" "));
    let Some(prefix) = privilege().filter(|_| program("apt-get")) else {
        bail!(
            "please install what is missing, then try again 请先安装缺少的软件再重试:\n\n    sudo {line}\n"
        );
    };
    println!("installing 正在安装: {}", packages.join(" "));
    // An old package list names versions that are gone: refresh it once, then install.
    apt(prefix, &["update", "-q"])?;
    let mut args = vec!["install", "-y", "-q", "--no-install-recommends"];
    args.extend(&packages);
    apt(prefix, &args)?;
    match missing.iter().find(|need| !(need.present)()) {
        Some(need) => bail!("{} is installed, and {} still can't be found", need.package, need.what),
        None => Ok(()),
    }
}

/// Whether a program is on the path.
pub(crate) fn program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian keeps daemons in sbin, which a user's path leaves out.
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|dir| dir.join(name).is_file())
}

pub(crate) fn file(path: &str) -> bool {
    std::path::Path::new(path).exists()
}

fn library(name: &str) -> bool {
    quiet(Command::new("pkg-config").args(["--exists", name]))
}

/// The words before `apt-get`, or nothing where we may not install.
fn privilege() -> Option<&'static [&'static str]> {
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n"));
    if root {
        Some(&[])
    } else if quiet(Command::new("sudo").args(["-n", "true"])) {
        Some(&["sudo", "-n"])
    } else {
        None
    }
}

fn apt(prefix: &[&str], args: &[&str]) -> Result<()> {
    let mut words = prefix.iter().chain(&["apt-get"]).chain(args);
    let mut command = Command::new(words.next().context("no command")?);
    command.args(words).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

fn quiet(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}
