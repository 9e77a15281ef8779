//! The command line: one file a command.

mod bench;
mod config;
mod enrol;
mod generated;
mod replay;
mod rows;
mod run;
mod tap;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Yumen: an edge gateway that screens SMS in the path. 玉门：短信与呼叫路径上的网关
#[derive(Debug, Parser)]
#[command(name = "yumen", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway 运行网关
    Run(run::RunArgs),
    /// Become an agent of a member at a hub 向枢纽登记
    Enrol(enrol::EnrolArgs),
    /// Check the configuration, or print its schema 检查配置
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Check, test, build, sign and explain rules 规则：检查、测试、构建、签名、解释
    #[command(subcommand)]
    Rules(yumen_compiler::cli::RulesCommand),
    /// Number lists: make, look up, verify and compare them 号码名单：生成、查询、验证、比较
    #[command(subcommand)]
    Numbers(yumen_compiler::cli::NumbersCommand),
    /// Judge the messages of a file or of standard input 筛查文件中的短信
    Screen(yumen_compiler::cli::ScreenArgs),
    /// Judge the messages and call attempts of a capture 回放抓包文件
    Replay(replay::ReplayArgs),
    /// Judge what passes an interface, without enforcing 监听网络接口，只判定、不处置
    Tap(tap::TapArgs),
    /// Measure this machine, each figure beside its baseline 性能测试
    Bench(bench::BenchArgs),
    /// Become the plain relay that `bench` compares with
    #[command(hide = true)]
    BenchRelay(bench::RelayArgs),
    /// Become the handler that only parses, which `bench` compares the decision API with
    #[command(hide = true)]
    BenchApi(bench::BareArgs),
    /// Become the SMSC that `bench` sends to
    #[command(hide = true)]
    BenchCentre(bench::CentreArgs),
    /// Write the man pages into a folder 生成手册页
    Man {
        /// The folder
        dir: PathBuf,
    },
    /// Print the completion script for a shell 生成命令行补全脚本
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Runs a command. Exit codes: 0 done, 1 failed, 2 the command line is wrong.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Enrol(args) => enrol::run(&args),
        Command::Config(command) => config::run(command),
        Command::Rules(command) => yumen_compiler::cli::run(command),
        Command::Numbers(command) => yumen_compiler::cli::numbers(command),
        Command::Screen(args) => yumen_compiler::cli::screen(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Tap(args) => tap::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::BenchRelay(args) => bench::relay(&args),
        Command::BenchApi(args) => bench::bare_api(&args),
        Command::BenchCentre(args) => bench::centre(&args),
        Command::Man { dir } => generated::man(&dir),
        Command::Completions { shell } => generated::completions(shell),
    }
}

/// Prints an error and fails.
fn fail(error: impl std::fmt::Display) -> ExitCode {
    eprintln!("{error}");
    ExitCode::FAILURE
}
