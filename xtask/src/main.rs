//! The project's own commands. `cargo xtask` lists them.

mod deb;
mod firmware;
mod fold_table;
mod fuzz;
mod machine;
mod peers;

use anyhow::{Context, Result, bail};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const USAGE: &str = "\
cargo xtask <command>

  up [-- ARGS]     build and run everything on this machine: hub, agent, a demonstration SMSC and ISMG, live traffic
                   本机一键运行：枢纽、网关、演示短信中心和实时短信流
  test [-- ARGS]   install the peers that the tests need, then run every test (ARGS go to cargo test)
                   安装测试所需的对端程序，并运行全部测试
  deb              Debian packages of gateway, hub and rules; --check tries them in a clean Debian 12
                   生成 Debian 软件包；--check 在全新的 Debian 12 中验证
  fuzz [TARGET…] [--seconds 60] [--jobs 1]
                   run the fuzz targets, all or those named, each for so long
                   运行模糊测试目标（全部或指定的），每个运行指定的秒数
  firmware         build the guard for a modem (QEMU's mps2-an386) with its pack, and hold it against its budget; --json
                   prints what it takes and what fits which flash
                   构建调制解调器上的固件及其规则包，并核对容量预算；--json 输出各部分大小及各种闪存容量可容纳的规则
  fold-table       make the tables of folding anew from their lists; --check only compares
                   按清单重新生成折叠字表；--check 只作比较
  setup            only install or name what building needs
                   只安装（或指出）构建所需的软件
";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_default();
    let rest: Vec<String> = args.skip_while(|arg| arg == "--").collect();
    let outcome = match command.as_str() {
        "up" => up(&rest),
        "test" => test(&rest),
        "firmware" => firmware_with_its_pack(&rest),
        "deb" => deb::main(&rest),
        "fuzz" => fuzz::run(&rest),
        "fold-table" => fold_table::run(&rest),
        "setup" => machine::prepare_build(),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(if command.is_empty() || command == "help" { 0 } else { 2 });
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask {command}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Builds all programs, then becomes the demonstration.
fn up(args: &[String]) -> Result<()> {
    machine::prepare_build()?;
    build_programs()?;
    let programs = programs_dir();
    let error = Command::new(programs.join("yumen-demo")).arg("up").args(args).exec();
    Err(error).with_context(|| format!("cannot start {}/yumen-demo", programs.display()))
}

/// Every test of the workspace, the end-to-end ones included.
fn test(args: &[String]) -> Result<()> {
    machine::prepare_build()?;
    let peers = peers::prepare()?;
    // The programs with the same features of their dependencies as the tests, so that nothing is compiled twice.
    let mut build = cargo();
    build.args(["build", "--workspace", "--locked", "--bins", "--tests"]);
    run(build)?;
    let firmware = firmware::build(&programs_dir().join("yumen"))?;
    let mut cargo = cargo();
    cargo.args(["test", "--workspace", "--locked"]).args(args);
    cargo.env("YUMEN_BIN_DIR", programs_dir()).env("YUMEN_PEERS_DIR", peers);
    cargo.env("YUMEN_FIRMWARE", firmware.elf).env("YUMEN_EDGE_PACK", firmware.pack);
    run(cargo)
}

/// The firmware, with a pack that this project's own `yumen` makes.
fn firmware_with_its_pack(args: &[String]) -> Result<()> {
    machine::prepare_build()?;
    build_programs()?;
    let yumen = programs_dir().join("yumen");
    let firmware = firmware::build(&yumen)?;
    if args.iter().any(|arg| arg == "--json") {
        firmware::print_json(&yumen, &firmware)?;
    }
    Ok(())
}

fn build_programs() -> Result<()> {
    let mut cargo = cargo();
    cargo.args(["build", "--locked", "--bins", "-p", "yumen-agent", "-p", "yumen-hub", "-p", "yumen-tests"]);
    run(cargo)
}

fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Runs a command with this terminal, and fails where it fails.
fn run(mut command: Command) -> Result<()> {
    let shown = format!("{command:?}");
    let status = command.status().with_context(|| format!("cannot start {shown}"))?;
    if !status.success() {
        bail!("{shown} ended with {status}");
    }
    Ok(())
}

/// The workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// Where cargo puts what it builds.
fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

fn programs_dir() -> PathBuf {
    target_dir().join("debug")
}
