//! The tree that becomes a package.

use super::{compressed, output};
use crate::{root, run};
use anyhow::{Context, Result, bail};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What dpkg runs.
const SCRIPTS: [&str; 3] = ["postinst", "prerm", "postrm"];

/// A package under construction: a folder that holds what will be installed, and what dpkg is told.
pub(super) struct Tree {
    package: String,
    dir: PathBuf,
    conffiles: Vec<String>,
    programs: Vec<PathBuf>,
}

impl Tree {
    /// An empty one.
    pub(super) fn new(work: &Path, package: &str) -> Result<Self> {
        let dir = work.join(package);
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        fs::create_dir_all(dir.join("DEBIAN"))?;
        let tree = Self { package: package.to_owned(), dir, conffiles: Vec::new(), programs: Vec::new() };
        let doc = format!("usr/share/doc/{package}");
        tree.text(&format!("{doc}/copyright"), &copyright()?)?;
        let changes = output(Command::new("git").current_dir(root()).args(["log", "-1", "--format=%aD"]))
            .unwrap_or_default();
        let date = if changes.trim().is_empty() { output(Command::new("date").arg("-R"))? } else { changes };
        let log = format!(
            "{package} ({}) stable; urgency=medium\n\n  * See README.md and docs/ of this version.\n\n -- {}  {}\n",
            env!("CARGO_PKG_VERSION"),
            maintainer(),
            date.trim()
        );
        tree.bytes(&format!("{doc}/changelog.gz"), &compressed(log.as_bytes())?)?;
        Ok(tree)
    }

    /// Where a path of the package stands.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.dir.join(path)
    }

    pub(super) fn text(&self, path: &str, text: &str) -> Result<()> {
        self.bytes(path, text.as_bytes())
    }

    fn bytes(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let to = self.path(path);
        fs::create_dir_all(to.parent().context("a file needs a folder")?)?;
        fs::write(&to, bytes).with_context(|| to.display().to_string())
    }

    pub(super) fn file(&self, from: &Path, path: &str) -> Result<()> {
        self.bytes(path, &fs::read(from).with_context(|| from.display().to_string())?)
    }

    /// Everything in a folder, and in those in it.
    pub(super) fn folder(&self, from: &Path, path: &str) -> Result<()> {
        for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
            let entry = entry?;
            let name = entry.file_name().into_string().ok().context("a file's name isn't Unicode")?;
            let path = format!("{path}/{name}");
            if entry.file_type()?.is_dir() {
                self.folder(&entry.path(), &path)?;
            } else {
                self.file(&entry.path(), &path)?;
            }
        }
        Ok(())
    }

    /// A file that its administrator changes, and that an upgrade leaves as they did.
    pub(super) fn conffile(&mut self, path: &str, text: &str) -> Result<()> {
        self.conffiles.push(format!("/{path}"));
        self.text(path, text)
    }

    /// A program, without what only a debugger reads.
    pub(super) fn program(&mut self, from: &Path, path: &str) -> Result<()> {
        self.file(from, path)?;
        let to = self.path(path);
        let mut strip = Command::new("strip");
        strip.args(["--strip-unneeded", "--remove-section=.comment", "--remove-section=.note"]).arg(&to);
        run(strip)?;
        fs::set_permissions(&to, fs::Permissions::from_mode(0o755))?;
        self.programs.push(to);
        Ok(())
    }

    pub(super) fn man(&self, from: &Path) -> Result<()> {
        for page in fs::read_dir(from)? {
            let page = page?;
            let name = page.file_name().into_string().ok().context("a page's name isn't Unicode")?;
            self.bytes(&format!("usr/share/man/man1/{name}.gz"), &compressed(&fs::read(page.path())?)?)?;
        }
        Ok(())
    }

    /// The scripts that all services share.
    pub(super) fn scripts(&self, package: &str) -> Result<()> {
        for name in SCRIPTS {
            let template = super::read(&format!("xtask/packaging/{name}"))?;
            let path = format!("DEBIAN/{name}");
            self.text(&path, &template.replace("@NAME@", package))?;
            fs::set_permissions(self.path(&path), fs::Permissions::from_mode(0o755))?;
        }
        Ok(())
    }

    /// Pages of `docs/`, in both languages, and examples of configuration.
    pub(super) fn documents(&self, names: &[&str]) -> Result<()> {
        let doc = format!("usr/share/doc/{}", self.package);
        for name in names {
            if name.ends_with(".toml") {
                self.file(&root().join("docs").join(name), &format!("{doc}/examples/{name}"))?;
                continue;
            }
            for file in [format!("{name}.md"), format!("{name}.zh-CN.md")] {
                let from = root().join("docs").join(&file);
                self.file(&from, &format!("{doc}/{file}"))?;
            }
        }
        Ok(())
    }

    /// Writes the package.
    pub(super) fn close(self, package: &str, arch: &str, out: &Path) -> Result<PathBuf> {
        let installed = size(&self.dir)?.div_ceil(1024);
        let control = super::read(&format!("xtask/packaging/{package}/control"))?
            .replace("@VERSION@", env!("CARGO_PKG_VERSION"))
            .replace("@ARCH@", arch)
            .replace("@MAINTAINER@", &maintainer())
            .replace("@SIZE@", &installed.to_string())
            .replace("@SHLIBS@", &self.libraries()?);
        self.text("DEBIAN/control", &control)?;
        self.text("DEBIAN/md5sums", &self.sums()?)?;
        if !self.conffiles.is_empty() {
            self.text("DEBIAN/conffiles", &(self.conffiles.join("\n") + "\n"))?;
        }
        self.modes(&self.dir)?;
        let to = out.join(format!("{package}_{}_{arch}.deb", env!("CARGO_PKG_VERSION")));
        let mut pack = Command::new("dpkg-deb");
        pack.args(["--root-owner-group", "--uniform-compression", "-Zxz", "--build"]).arg(&self.dir).arg(&to);
        run({
            pack.stdout(std::process::Stdio::null());
            pack
        })?;
        Ok(to)
    }

    /// What the programs link, as dependencies; empty without programs.
    fn libraries(&self) -> Result<String> {
        if self.programs.is_empty() {
            return Ok(String::new());
        }
        // It wants to stand where a source package is unpacked.
        let home = self.dir.with_extension("shlibs");
        fs::create_dir_all(home.join("debian"))?;
        fs::write(
            home.join("debian/control"),
            format!("Source: {0}\n\nPackage: {0}\nArchitecture: any\n", self.package),
        )?;
        let mut ask = Command::new("dpkg-shlibdeps");
        ask.current_dir(&home).arg("-O");
        ask.args(self.programs.iter().map(|program| format!("-e{}", program.display())));
        let answer = output(&mut ask)?;
        let line = answer.lines().find_map(|line| line.strip_prefix("shlibs:Depends="));
        match line {
            Some(line) if !line.is_empty() => Ok(line.to_owned()),
            _ => bail!("dpkg-shlibdeps names no library: {answer}"),
        }
    }

    fn sums(&self) -> Result<String> {
        let mut find = Command::new("find");
        find.current_dir(&self.dir).args([".", "-path", "./DEBIAN", "-prune", "-o", "-type", "f", "-print0"]);
        let list = output(&mut find)?;
        let mut paths: Vec<&str> = list.split_terminator('\0').collect();
        paths.sort_unstable();
        let sums = output(Command::new("md5sum").current_dir(&self.dir).args(paths))?;
        Ok(sums.replace("  ./", "  "))
    }

    /// Everybody may read all of it; a umask of this machine must not show.
    fn modes(&self, dir: &Path) -> Result<()> {
        fs::set_permissions(dir, fs::Permissions::from_mode(0o755))?;
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            if path.is_dir() {
                self.modes(&path)?;
                continue;
            }
            let is_script = SCRIPTS.iter().any(|name| path.ends_with(format!("DEBIAN/{name}")));
            let mode = if is_script || self.programs.contains(&path) { 0o755 } else { 0o644 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        }
        Ok(())
    }
}

/// Bytes of all files.
fn size(dir: &Path) -> Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        sum += if entry.file_type()?.is_dir() { size(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(sum)
}

/// As Debian's own tools take it.
fn maintainer() -> String {
    let word = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    format!(
        "{} <{}>",
        word("DEBFULLNAME", "Yumen maintainers"),
        word("DEBEMAIL", "yumen@localhost.localdomain")
    )
}

fn copyright() -> Result<String> {
    let licence = super::read("LICENSE")?;
    let first = licence.lines().find(|line| line.contains("Apache License")).map_or("", str::trim);
    Ok(format!(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: yumen\n\n\
         Files: *\nCopyright: the Yumen authors\nLicense: Apache-2.0\n {first}, Version 2.0. On Debian systems the full \
         text is in\n /usr/share/common-licenses/Apache-2.0.\n"
    ))
}
