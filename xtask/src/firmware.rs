//! `cargo xtask firmware`: a pack for the device, the program that runs on it, and whether both fit.

use crate::machine::{Need, file, install, program};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Debian's compiler brings the core library's source, which rustup's doesn't have where no target can be added.
const NEEDS: &[Need] = &[
    Need {
        what: "a Rust compiler with the core library's source",
        package: "rustc-web",
        present: debian_rustc,
    },
    Need { what: "its cargo", package: "cargo-web", present: || file("/usr/bin/cargo") },
    Need { what: "the core library's source", package: "rust-web-src", present: core_source },
    Need {
        what: "a linker for Arm",
        package: "binutils-arm-none-eabi",
        present: || program("arm-none-eabi-ld"),
    },
    Need { what: "QEMU for Arm boards", package: "qemu-system-arm", present: || program("qemu-system-arm") },
];

const TARGET: &str = "thumbv7em-none-eabihf";
const BOARD: &str = "mps2-an386";
/// What the pack may take of the flash; the rest is the program and its tables.
const PACK_FLASH: &str = "480K";

/// What was built.
pub(crate) struct Firmware {
    /// The program, for QEMU or a debugger.
    pub(crate) elf: PathBuf,
    /// The pack that is linked in.
    pub(crate) pack: PathBuf,
}

/// Builds both; `yumen` makes the pack. Fails where the budget is exceeded.
pub(crate) fn build(yumen: &Path) -> Result<Firmware> {
    install(NEEDS)?;
    let dir = crate::target_dir().join("firmware");
    std::fs::create_dir_all(&dir)?;
    let (pack, key) = build_pack(yumen, &dir)?;
    let mut cargo = Command::new("/usr/bin/cargo");
    cargo.current_dir(crate::root());
    cargo.args(["build", "--locked", "--release", "-Zbuild-std=core", "--target", TARGET]);
    cargo.args(["--package", "yumen-firmware", "--features", BOARD, "--bin", BOARD]);
    cargo.env("CARGO_TARGET_DIR", &dir).env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
    cargo.env("CARGO_TARGET_THUMBV7EM_NONE_EABIHF_LINKER", "arm-none-eabi-ld");
    cargo.env("RUSTFLAGS", "-C linker-flavor=ld -C link-arg=-Tlink.x");
    cargo.env("YUMEN_EDGE_PACK", &pack).env("YUMEN_EDGE_KEY", &key);
    // Cargo was started by rustup's: its choice of a toolchain isn't ours.
    for name in ["RUSTUP_TOOLCHAIN", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "CARGO"] {
        cargo.env_remove(name);
    }
    crate::run(cargo)?;
    let elf = dir.join(TARGET).join("release").join(BOARD);
    Budget::read()?.check(&elf, &pack)?;
    Ok(Firmware { elf, pack })
}

/// Flash that a pack may have, of which the figures say what fits.
const FLASHES: [&str; 3] = ["256K", "512K", "1024K"];

/// Prints what the firmware takes, and which rules fit how much flash, as one JSON object.
pub(crate) fn print_json(yumen: &Path, firmware: &Firmware) -> Result<()> {
    let sections = sections(&firmware.elf)?;
    let budget = Budget::read()?;
    let parts: Vec<String> = sections.iter().map(|(name, bytes)| format!("{name:?}:{bytes}")).collect();
    let pack = std::fs::metadata(&firmware.pack)?.len();
    let fits: Vec<String> = FLASHES.iter().map(|flash| fit(yumen, flash)).collect::<Result<_>>()?;
    println!(
        "{{\"board\":{BOARD:?},\"sections\":{{{}}},\"pack\":{pack},\"budget\":{{\"flash\":{},\"ram\":{},\"stack\":{}}},\"packs\":[{}]}}",
        parts.join(","),
        budget.flash,
        budget.ram,
        budget.stack,
        fits.join(",")
    );
    Ok(())
}

/// What `yumen rules build` says of a pack for so much flash: its numbers, in the order of its sentence.
fn fit(yumen: &Path, flash: &str) -> Result<String> {
    let file = crate::target_dir().join("firmware").join(format!("fit-{flash}.pack"));
    let mut rules = Command::new(yumen);
    rules.current_dir(crate::root()).args(["rules", "build", "rules/packs", "--unsigned"]);
    rules.args(["--profile", "edge", "--flash", flash, "--output"]).arg(&file);
    let output = rules.output()?;
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let line = said.lines().find(|line| line.contains("for a device: "));
    let line = line.with_context(|| format!("yumen rules build --flash {flash}: {said}"))?;
    let names = [
        "rules",
        "of_rules",
        "patterns",
        "automaton",
        "nodes",
        "expressions",
        "always",
        "blocked",
        "texts",
        "gateway",
    ];
    let numbers = line.split(|char: char| !char.is_ascii_digit()).filter(|digits| !digits.is_empty());
    let named: Vec<String> =
        names.iter().zip(numbers).map(|(name, number)| format!("{name:?}:{number}")).collect();
    Ok(format!("{{\"flash\":{flash:?},{}}}", named.join(",")))
}

/// The sections of a program that take flash or memory, with their bytes.
fn sections(elf: &Path) -> Result<Vec<(String, u64)>> {
    const NAMES: [&str; 6] = [".vector_table", ".text", ".rodata", ".data", ".bss", ".uninit"];
    let output = Command::new("arm-none-eabi-size").args(["-A", "-d"]).arg(elf).output()?;
    let sizes = String::from_utf8_lossy(&output.stdout);
    let rows = sizes.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (name, bytes) = (words.next()?, words.next()?.parse().ok()?);
        NAMES.contains(&name).then(|| (name.to_owned(), bytes))
    });
    Ok(rows.collect())
}

/// The pack, signed with a key of this machine, and the public half in its 32 bytes.
fn build_pack(yumen: &Path, dir: &Path) -> Result<(PathBuf, PathBuf)> {
    let (pack, secret, public) = (dir.join("edge.pack"), dir.join("signing-key"), dir.join("public-key"));
    if !secret.exists() {
        let mut keygen = Command::new(yumen);
        keygen.args(["rules", "keygen"]).arg(&secret);
        crate::run(keygen)?;
    }
    let mut rules = Command::new(yumen);
    rules.current_dir(crate::root());
    rules.args([
        "rules",
        "build",
        "rules/packs",
        "--profile",
        "edge",
        "--flash",
        PACK_FLASH,
        "--serial",
        "1",
    ]);
    rules.arg("--output").arg(&pack).arg("--key").arg(&secret).arg("--twin").arg(dir.join("twin.pack"));
    crate::run(rules)?;
    let hexadecimal = std::fs::read_to_string(secret.with_extension("pub"))?;
    let digits: Vec<u32> = hexadecimal.chars().filter_map(|char| char.to_digit(16)).take(64).collect();
    let octets: Vec<u8> =
        digits.chunks_exact(2).filter_map(|pair| u8::try_from(pair[0] << 4 | pair[1]).ok()).collect();
    if octets.len() != 32 {
        bail!("{} holds no public key", secret.with_extension("pub").display());
    }
    std::fs::write(&public, octets)?;
    Ok((pack, public))
}

/// `firmware/budget.toml`, in bytes.
struct Budget {
    flash: u64,
    ram: u64,
    stack: u64,
}

impl Budget {
    fn read() -> Result<Self> {
        let path = crate::root().join("firmware/budget.toml");
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let value = |name: &str| {
            text.lines()
                .filter_map(|line| line.split_once('='))
                .find(|(key, _)| key.trim() == name)
                .and_then(|(_, value)| value.trim().parse().ok())
                .with_context(|| format!("{}: {name} is missing", path.display()))
        };
        Ok(Self { flash: value("flash")?, ram: value("ram")?, stack: value("stack")? })
    }

    /// Prints what is used, and fails where it is too much.
    fn check(&self, elf: &Path, pack: &Path) -> Result<()> {
        let sections = sections(elf)?;
        let section =
            |name: &str| sections.iter().find(|(known, _)| known == name).map_or(0, |(_, bytes)| *bytes);
        let pack = std::fs::metadata(pack)?.len();
        let flash = section(".vector_table") + section(".text") + section(".rodata") + section(".data");
        let ram = section(".data") + section(".bss") + section(".uninit");
        println!(
            "firmware {BOARD}: flash {flash} of {} bytes (pack {pack}, program and tables {}); RAM {ram} and {} of stack of {}",
            self.flash,
            flash.saturating_sub(pack),
            self.stack,
            self.ram
        );
        if flash > self.flash || ram + self.stack > self.ram {
            bail!("firmware/budget.toml is exceeded");
        }
        Ok(())
    }
}

fn debian_rustc() -> bool {
    file("/usr/bin/rustc") && core_source()
}

fn core_source() -> bool {
    Command::new("/usr/bin/rustc").args(["--print", "sysroot"]).output().is_ok_and(|output| {
        let root = String::from_utf8_lossy(&output.stdout);
        Path::new(root.trim()).join("lib/rustlib/src/rust/library/core/Cargo.toml").exists()
    })
}
