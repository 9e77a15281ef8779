//! `cargo xtask fuzz`: the targets of `fuzz/`, on the stable compiler.
//!
//! libFuzzer needs its input's way through the program counted. LLVM's pass that counts is in every rustc; only the
//! sanitizers beside it want a nightly one. What is lost without them is little here: the readers under test are Rust
//! without `unsafe`, where a read past the end is a panic.

use crate::machine::{Need, install, program};
use anyhow::{Context, Result, bail};
use data_encoding::HEXLOWER_PERMISSIVE;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

const NEEDS: &[Need] =
    &[Need { what: "C++ compiler, for libFuzzer", package: "g++", present: || program("c++") }];

/// What `cargo fuzz` gives to the compiler, without a sanitizer.
const FLAGS: &str = "--cfg fuzzing -Cdebug-assertions -Coverflow-checks -Ccodegen-units=4 \
    -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// The longest input, in octets: several PDUs, and no more time on one than finding needs.
const INPUT_OCTETS_MAX: &str = "-max_len=8192";
/// An input that takes longer, in seconds, is a hang.
const HANG: &str = "-timeout=20";
/// More resident memory than this, in MiB, is growth.
const GROWTH: &str = "-rss_limit_mb=1024";

/// What was asked for.
struct Asked {
    targets: Vec<String>,
    seconds: u64,
    jobs: usize,
}

impl Asked {
    fn parse(args: &[String]) -> Result<Self> {
        let mut asked = Self { targets: Vec::new(), seconds: 60, jobs: 1 };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().with_context(|| format!("{arg} wants a number"));
            match arg.as_str() {
                "--seconds" => asked.seconds = value()?.parse().context("--seconds")?,
                "--jobs" => asked.jobs = value()?.parse::<usize>().context("--jobs")?.clamp(1, 64),
                target if !target.starts_with('-') => asked.targets.push(target.to_owned()),
                other => {
                    bail!("{other} is not an option: cargo xtask fuzz [TARGET…] [--seconds 60] [--jobs 1]")
                }
            }
        }
        Ok(asked)
    }
}

/// Builds the targets, gives each the project's own messages to start from, and runs them.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let asked = Asked::parse(args)?;
    install(NEEDS)?;
    let dir = crate::root().join("fuzz");
    let all = targets(&dir)?;
    if let Some(unknown) = asked.targets.iter().find(|target| !all.contains(target)) {
        bail!("{unknown} is none of the targets: {}", all.join(", "));
    }
    let chosen = if asked.targets.is_empty() { all } else { asked.targets };
    let programs = build(&dir, &chosen)?;
    seed(&dir)?;

    let waiting = Mutex::new(chosen);
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let work = || -> Result<Vec<String>> {
        let mut found = Vec::new();
        while let Some(target) = next() {
            println!("{target}: {} s …", asked.seconds);
            let outcome = Outcome::of(&dir, &programs, &target, asked.seconds)?;
            println!("{}", outcome.line);
            found.extend(outcome.found.then_some(target));
        }
        Ok(found)
    };
    let found: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..asked.jobs).map(|_| scope.spawn(work)).collect();
        let ended =
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| bail!("a worker panicked")));
        ended.collect::<Result<Vec<_>>>()
    })?
    .concat();
    if !found.is_empty() {
        bail!("findings in {}: see fuzz/artifacts/ and fuzz/README.md", found.join(", "));
    }
    Ok(())
}

/// The names of all targets, as they stand in `fuzz/fuzz_targets`.
fn targets(dir: &Path) -> Result<Vec<String>> {
    let mut names: Vec<String> = std::fs::read_dir(dir.join("fuzz_targets"))?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".rs").map(str::to_owned))
        .collect();
    names.sort();
    Ok(names)
}

/// Builds, and gives the folder of the programs. Naming the target keeps the flags from build scripts and macros.
fn build(dir: &Path, targets: &[String]) -> Result<PathBuf> {
    let output = Command::new("rustc").args(["-vV"]).current_dir(dir).output().context("rustc")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    let mut cargo = crate::cargo();
    cargo.current_dir(dir).args(["build", "--release", "--locked", "--target", host]);
    for target in targets {
        cargo.args(["--bin", target]);
    }
    cargo.env("RUSTFLAGS", FLAGS).env("CARGO_TARGET_DIR", dir.join("target"));
    crate::run(cargo)?;
    Ok(dir.join("target").join(host).join("release"))
}

/// The PDUs of `wire/testdata`, in octets: the sessions' streams have two octets before them (`common/session.rs`).
fn seed(dir: &Path) -> Result<()> {
    for protocol in ["smpp", "cmpp", "smgp", "sgip"] {
        let (plain, session) =
            (dir.join("corpus").join(protocol), dir.join(format!("corpus/{protocol}_session")));
        std::fs::create_dir_all(&plain)?;
        std::fs::create_dir_all(&session)?;
        for entry in std::fs::read_dir(crate::root().join("wire/testdata").join(protocol))? {
            let path = entry?.path();
            let Some(name) = path.file_stem() else { continue };
            let text = std::fs::read_to_string(&path)?;
            let digits: String = text.lines().filter(|line| !line.starts_with('#')).collect();
            let digits: String = digits.split_whitespace().collect();
            let octets =
                HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).with_context(|| path.display().to_string())?;
            std::fs::write(plain.join(name), &octets)?;
            std::fs::write(session.join(name), [&[0, 7], octets.as_slice()].concat())?;
        }
    }
    Ok(())
}

/// How a target ended.
struct Outcome {
    found: bool,
    line: String,
}

impl Outcome {
    /// Runs a target to its end.
    fn of(dir: &Path, programs: &Path, target: &str, seconds: u64) -> Result<Self> {
        let (corpus, artifacts) = (dir.join("corpus").join(target), dir.join("artifacts").join(target));
        std::fs::create_dir_all(&corpus)?;
        std::fs::create_dir_all(&artifacts)?;
        let path = dir.join("artifacts").join(format!("{target}.log"));
        let status = Command::new(programs.join(target))
            .args([INPUT_OCTETS_MAX, HANG, GROWTH, "-print_final_stats=1"])
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .arg(&corpus)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&path).with_context(|| path.display().to_string())?)
            .status()
            .with_context(|| target.to_owned())?;
        let found = !status.success();
        let log = std::fs::read(&path)?;
        let log = String::from_utf8_lossy(&log);
        let stat = |name: &str| {
            let line = log.lines().find_map(|line| line.strip_prefix("stat::")?.strip_prefix(name));
            line.map_or("?", |line| line.trim_start_matches(':').trim()).to_owned()
        };
        let line = format!(
            "{target}: {} executions, {} inputs kept, {} MiB at most{}",
            stat("number_of_executed_units"),
            stat("new_units_added"),
            stat("peak_rss_mb"),
            if found { format!(", A FINDING: {}", path.display()) } else { String::new() }
        );
        Ok(Self { found, line })
    }
}
