//! The packages in a clean Debian 12. systemd runs there as it does on a machine, in namespaces of its own (a network
//! without a way out included), so that the units are tried as they are; what is tried is in `xtask/packaging/trial.sh`.
//!
//! ```text
//! debootstrap (kept) → copy → apt fetches what the packages need → boot → trial.sh
//! ```

use super::output;
use crate::machine::{Need, install, program};
use crate::{root, run};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const NEEDS: &[Need] = &[
    Need { what: "debootstrap", package: "debootstrap", present: || program("debootstrap") },
    Need { what: "unshare and nsenter", package: "util-linux", present: || program("nsenter") },
    Need { what: "ip", package: "iproute2", present: || program("ip") },
];

const SUITE: &str = "bookworm";
const MIRROR: &str = "http://deb.debian.org/debian";

/// Becomes process 1 of the machine: its file systems are mounted, then systemd takes over.
const BOOT: &str = r#"
set -e
R=$1
ip link set lo up
mount --make-rprivate /
mount --bind "$R" "$R"
mount -t proc proc "$R/proc"
mount -t sysfs sysfs "$R/sys"
mount -t tmpfs -o mode=755 tmpfs "$R/dev"
for n in null zero full random urandom tty; do touch "$R/dev/$n"; mount --bind "/dev/$n" "$R/dev/$n"; done
mkdir "$R/dev/pts" "$R/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$R/dev/pts"
ln -s pts/ptmx "$R/dev/ptmx"
touch "$R/dev/console"
ln -s /proc/self/fd "$R/dev/fd"
mount -t tmpfs -o mode=755 tmpfs "$R/run"
mount -t tmpfs tmpfs "$R/tmp"
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t cgroup2 cgroup2 "$R/sys/fs/cgroup"
else
    mount -t tmpfs -o mode=755 tmpfs "$R/sys/fs/cgroup"
    mkdir "$R/sys/fs/cgroup/systemd"
    mount -t cgroup -o none,name=systemd cgroup "$R/sys/fs/cgroup/systemd"
fi
# The services' own namespaces want a root that is one, and not a folder of another.
cd "$R"
pivot_root . mnt
exec chroot . sh -c 'umount -l /mnt
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --show-status=no'
"#;

/// Waits until process 1 has started what it starts; without a console it calls itself degraded.
const AWAIT: &str = r#"
for _ in $(seq 200); do
    state=$(systemctl is-system-running 2>/dev/null || true)
    case "$state" in running | degraded) exit 0 ;; esac
    sleep 0.3
done
echo "systemd is '$state'" >&2
exit 1
"#;

/// Tries the packages; says what it finds.
pub(super) fn trial(packages: &[PathBuf], work: &Path) -> Result<()> {
    let is_root = output(Command::new("id").arg("-u"))?.trim() == "0";
    ensure!(is_root, "--check mounts file systems and makes namespaces: run it as root");
    install(NEEDS)?;
    let home = prepare(packages, work)?;
    let machine = Machine::boot(&home)?;
    machine.run(&["bash", "-c", AWAIT])?;
    machine.run(&["bash", "/root/debs/trial.sh", "/root/debs"])?;
    drop(machine);
    Ok(fs::remove_dir_all(&home)?)
}

/// A copy of a fresh Debian, with the packages and what apt has to fetch for them.
fn prepare(packages: &[PathBuf], work: &Path) -> Result<PathBuf> {
    let base = work.join(format!("{SUITE}-base"));
    let stamp = work.join(format!("{SUITE}-base.done"));
    if !stamp.exists() {
        println!("debootstrap {SUITE} …");
        if base.exists() {
            fs::remove_dir_all(&base)?;
        }
        let mut make = Command::new("debootstrap");
        make.args(["--variant=minbase", "--include=systemd,systemd-sysv,dbus", SUITE]).arg(&base).arg(MIRROR);
        make.stdout(Stdio::null());
        run(make)?;
        fs::write(stamp, "")?;
    }
    let home = work.join("trial");
    if home.exists() {
        fs::remove_dir_all(&home)?;
    }
    let mut copy = Command::new("cp");
    copy.args(["-a", "--reflink=auto"]).arg(&base).arg(&home);
    run(copy)?;
    let debs = home.join("root/debs");
    fs::create_dir_all(&debs)?;
    for package in packages {
        fs::copy(package, debs.join(package.file_name().context("a package has a name")?))?;
    }
    fs::copy(root().join("xtask/packaging/trial.sh"), debs.join("trial.sh"))?;
    fs::copy("/etc/resolv.conf", home.join("etc/resolv.conf")).context("/etc/resolv.conf")?;
    let mut fetch = Command::new("chroot");
    let line = "apt-get update -q && apt-get install -y -q --download-only /root/debs/*.deb";
    fetch.arg(&home).args(["sh", "-c", line]).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
    run(fetch)?;
    Ok(home)
}

/// A running one; it ends with this.
struct Machine {
    unshare: Child,
    /// Its process 1, seen from here.
    init: String,
}

impl Machine {
    fn boot(home: &Path) -> Result<Self> {
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup", "--fork", "--kill-child"]);
        unshare.args(["sh", "-c", BOOT, "boot"]).arg(home).stdin(Stdio::null()).stdout(Stdio::null());
        let child = unshare.spawn().context("unshare")?;
        let id = child.id();
        let mut machine = Self { unshare: child, init: String::new() };
        for _ in 0..200 {
            let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
            children.trim().clone_into(&mut machine.init);
            let exe = fs::read_link(format!("/proc/{}/exe", machine.init));
            if exe.is_ok_and(|exe| exe.ends_with("systemd")) {
                return Ok(machine);
            }
            #[expect(clippy::disallowed_methods, reason = "a command that does nothing else meanwhile")]
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        bail!("no systemd: namespaces, or mounting in them, may be forbidden here");
    }

    fn run(&self, words: &[&str]) -> Result<()> {
        let mut enter = Command::new("nsenter");
        enter.args(["-t", &self.init, "-m", "-p", "-u", "-i", "-n", "-C", "-r", "-w", "env", "-i"]);
        enter.arg("PATH=/usr/sbin:/usr/bin:/sbin:/bin").args(words).stdin(Stdio::null());
        let status = enter.status().context("nsenter")?;
        ensure!(status.success(), "in the trial, {} ended with {status}", words.join(" ").trim());
        Ok(())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Process 1 dies with it (--kill-child), and everything there with process 1.
        let _ended = self.unshare.kill().and_then(|()| self.unshare.wait());
    }
}
