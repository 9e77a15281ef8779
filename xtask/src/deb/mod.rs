//! `cargo xtask deb`: Debian packages of the gateway, the hub and the rule sources.
//!
//! ```text
//! programs ─┬─ what they print themselves (man pages, completions, the signed pack) ─┐
//!           └─ stripped ──────────────────────────────────────────────────────────────┴─► tree ─► dpkg-deb
//! ```
//!
//! `dpkg-deb` on a tree of our own: half of what the packages hold has to be made by the programs first, so that a tool
//! that reads lists of files would want the same tree, and dpkg is on every machine that this is for. What the
//! programs link is asked of `dpkg-shlibdeps`.

mod config;
mod tree;
mod trial;

use crate::machine::{Need, install, program};
use crate::{cargo, root, run, target_dir};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::Command;
use tree::Tree;

/// What packages are made with, beside what building needs.
const NEEDS: &[Need] = &[
    Need { what: "dpkg-shlibdeps", package: "dpkg-dev", present: || program("dpkg-shlibdeps") },
    Need { what: "strip", package: "binutils", present: || program("strip") },
];

/// The gateway's pack is refused after so many days; a newer package brings a newer one.
const PACK_DAYS: &str = "400";

const USAGE: &str = "\
cargo xtask deb [--profile dev|release] [--no-build] [--key FILE] [--out DIR] [--check]

  --profile   which build is packaged (default release) 构建类型
  --no-build  package what stands in target/ already 不重新构建
  --key FILE  signs the gateway's pack, and is what the gateway trusts (default: this machine's development key) 签名密钥
  --out DIR   where the packages are put (default target/debian) 输出目录
  --check     install, run, reconfigure and purge them in a clean Debian 12 (needs root) 在全新的 Debian 12 中验证
";

/// What was asked for.
struct Options {
    profile: String,
    build: bool,
    key: Option<PathBuf>,
    out: PathBuf,
    check: bool,
}

/// Makes the packages, and tries them where that is asked for.
pub(crate) fn main(args: &[String]) -> Result<()> {
    let options = parse(args)?;
    crate::machine::prepare_build()?;
    install(NEEDS)?;
    if options.build {
        let mut build = cargo();
        build.args(["build", "--locked", "--bins", "-p", "yumen-agent", "-p", "yumen-hub", "--profile"]);
        run({
            build.arg(&options.profile);
            build
        })?;
    }
    let folder = if options.profile == "dev" { "debug" } else { &options.profile };
    let programs = target_dir().join(folder);
    let work = target_dir().join("deb");
    std::fs::create_dir_all(&options.out)?;
    let maker =
        Maker { programs, work: work.clone(), out: options.out, key: options.key, arch: architecture()? };
    let packages = [maker.agent()?, maker.hub()?, maker.rules()?];
    for package in &packages {
        println!("{}", package.display());
    }
    if options.check {
        trial::trial(&packages, &work)?;
    }
    Ok(())
}

fn parse(args: &[String]) -> Result<Options> {
    let mut options = Options {
        profile: "release".to_owned(),
        build: true,
        key: None,
        out: target_dir().join("debian"),
        check: false,
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} wants a value\n\n{USAGE}"));
        match arg.as_str() {
            "--profile" => options.profile.clone_from(value()?),
            "--key" => options.key = Some(std::path::absolute(value()?)?),
            "--out" => options.out = std::path::absolute(value()?)?,
            "--no-build" => options.build = false,
            "--check" => options.check = true,
            _ => bail!("{USAGE}"),
        }
    }
    Ok(options)
}

/// Debian's name of this machine's architecture.
fn architecture() -> Result<String> {
    let output =
        Command::new("dpkg").arg("--print-architecture").output().context("dpkg can't be started")?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Where things are taken from and put.
struct Maker {
    programs: PathBuf,
    work: PathBuf,
    out: PathBuf,
    key: Option<PathBuf>,
    arch: String,
}

impl Maker {
    fn agent(&self) -> Result<PathBuf> {
        let mut tree = self.service("yumen", "yumen")?;
        let (pack, public) = self.pack()?;
        tree.file(&pack, "usr/share/yumen/yumen.pack")?;
        tree.conffile("etc/yumen/agent.toml", &config::agent(&read("docs/agent.toml")?)?)?;
        let keys = format!(
            "# Whoever holds one of these keys decides what this gateway enforces: one public key a line.\n\
             # The key of the pack in /usr/share/yumen/yumen.pack:\n{}\n",
            public.trim()
        );
        tree.conffile("etc/yumen/trusted-keys", &keys)?;
        self.checked(&tree, "yumen", "etc/yumen/agent.toml")?;
        tree.documents(&[
            "agent.toml",
            "operation",
            "rules",
            "api",
            "sip",
            "behaviour",
            "captures",
            "packaging",
        ])?;
        tree.folder(&root().join("docs/recipes"), "usr/share/doc/yumen/examples")?;
        tree.close("yumen", &self.arch, &self.out)
    }

    fn hub(&self) -> Result<PathBuf> {
        let mut tree = self.service("yumen-hub", "yumen-hub")?;
        tree.conffile("etc/yumen-hub/hub.toml", &config::hub(&read("docs/hub.toml")?)?)?;
        self.checked(&tree, "yumen-hub", "etc/yumen-hub/hub.toml")?;
        tree.documents(&["hub.toml", "operation", "trust", "cluster", "packaging"])?;
        tree.close("yumen-hub", &self.arch, &self.out)
    }

    fn rules(&self) -> Result<PathBuf> {
        let tree = Tree::new(&self.work, "yumen-rules")?;
        tree.folder(&root().join("rules/packs"), "usr/share/yumen/packs")?;
        tree.documents(&["rules"])?;
        tree.close("yumen-rules", "all", &self.out)
    }

    /// What both services have: the program, its unit and its scripts, and what it prints of itself.
    fn service(&self, package: &str, binary: &str) -> Result<Tree> {
        let mut tree = Tree::new(&self.work, package)?;
        let program = self.programs.join(binary);
        let man = self.work.join(format!("{package}.man"));
        if man.exists() {
            std::fs::remove_dir_all(&man)?;
        }
        let mut pages = Command::new(&program);
        pages.arg("man").arg(&man);
        run(pages)?;
        tree.man(&man)?;
        for (shell, path) in [
            ("bash", format!("usr/share/bash-completion/completions/{binary}")),
            ("zsh", format!("usr/share/zsh/vendor-completions/_{binary}")),
            ("fish", format!("usr/share/fish/vendor_completions.d/{binary}.fish")),
        ] {
            let script = output(Command::new(&program).args(["completions", shell]))?;
            tree.text(&path, &script)?;
        }
        tree.program(&program, &format!("usr/bin/{binary}"))?;
        let unit = format!("{package}.service");
        tree.file(
            &root().join("xtask/packaging").join(package).join(&unit),
            &format!("lib/systemd/system/{unit}"),
        )?;
        tree.scripts(package)?;
        Ok(tree)
    }

    /// The gateway's pack, and the public key of who signed it.
    fn pack(&self) -> Result<(PathBuf, String)> {
        let pack = self.work.join("yumen.pack");
        let key = self.key.clone().unwrap_or_else(|| root().join(".yumen/dev-key"));
        if self.key.is_none() {
            println!(
                "the pack is signed by this machine's development key; --key FILE signs with yours \
                 规则包由本机开发密钥签名"
            );
        }
        let mut build = Command::new(self.programs.join("yumen"));
        build.current_dir(root()).args(["rules", "build", "rules/packs", "--days", PACK_DAYS, "--output"]);
        build.arg(&pack);
        if self.key.is_some() {
            build.arg("--key").arg(&key);
        }
        run(build)?;
        let mut public = key.into_os_string();
        public.push(".pub");
        let public = PathBuf::from(public);
        let text = std::fs::read_to_string(&public).with_context(|| public.display().to_string())?;
        Ok((pack, text))
    }

    /// The program itself must take the configuration that comes with it.
    fn checked(&self, tree: &Tree, binary: &str, path: &str) -> Result<()> {
        let mut check = Command::new(self.programs.join(binary));
        check.args(["config", "check"]).arg(tree.path(path));
        run(check)
    }
}

fn read(path: &str) -> Result<String> {
    std::fs::read_to_string(root().join(path)).with_context(|| path.to_owned())
}

/// What a command prints.
fn output(command: &mut Command) -> Result<String> {
    let shown = format!("{command:?}");
    let output = command.output().with_context(|| format!("cannot start {shown}"))?;
    if !output.status.success() {
        bail!("{shown} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The same with `input` on its standard input, as bytes.
fn compressed(bytes: &[u8]) -> Result<Vec<u8>> {
    use std::io::Write;
    use std::process::Stdio;
    let mut gzip = Command::new("gzip")
        .args(["-9n"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("gzip")?;
    let mut input = gzip.stdin.take().context("gzip's input")?;
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&bytes));
    let output = gzip.wait_with_output()?;
    match writer.join() {
        Ok(Ok(())) if output.status.success() => Ok(output.stdout),
        _ => bail!("gzip ended with {}", output.status),
    }
}
