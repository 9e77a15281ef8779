//! The command line.

mod bench;
mod care;
mod follow;
mod platforms;
mod trust;

use crate::config::{Config, EXAMPLE, LogFormat};
use crate::hub;
use clap::{CommandFactory, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

/// The sharing hub: takes sightings from agents, keeps them, shows them. 线索共享中心
#[derive(Debug, Parser)]
#[command(name = "yumen-hub", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the hub 运行
    Run(Run),
    /// List sightings, or follow them as they come in 查看或跟踪线索
    Sightings(follow::Sightings),
    /// Look for what is wrong: files, database, broker, keys 检查运行环境
    Doctor(care::Doctor),
    /// Copy the database of a running hub into a new file 在线备份数据库
    Backup(care::Backup),
    /// Write a STIX bundle, a MISP feed or a table for other platforms 导出给其他平台
    Export(platforms::Export),
    /// Take a list of another platform as clues 导入其他平台的名单作为线索
    Import(platforms::Import),
    /// Measure ingest, or the console's questions to a large table 性能测试
    Bench(bench::Bench),
    /// The load of the measurement, in a process of its own
    #[command(hide = true)]
    BenchLoad(bench::Load),
    /// Institutions 机构
    #[command(subcommand)]
    Member(trust::MemberCommand),
    /// Enrol, revoke and list agents 网关的登记与吊销
    #[command(subcommand)]
    Agent(trust::AgentCommand),
    /// People who log in 用户
    #[command(subcommand)]
    User(trust::UserCommand),
    /// Tokens of programs that use the API 程序令牌
    #[command(subcommand)]
    Token(trust::TokenCommand),
    /// The audit log 审计日志
    #[command(subcommand)]
    Audit(trust::AuditCommand),
    /// The members' certificate authority 证书机构
    #[command(subcommand)]
    Ca(trust::CaCommand),
    /// Access rules for an external broker 外部代理的访问规则
    #[command(subcommand)]
    Broker(trust::BrokerCommand),
    /// Check the configuration, or print an example 检查配置
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Write the man pages into a folder 生成手册页
    #[command(hide = true)]
    Man {
        /// The folder
        dir: PathBuf,
    },
    /// Print the completion script for a shell 生成命令行补全脚本
    #[command(hide = true)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, clap::Args)]
struct Run {
    /// The configuration; every field has a default
    #[arg(long)]
    config: Option<PathBuf>,
    /// Where the database is kept, in place of the configuration's
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Where the console listens, in place of the configuration's
    #[arg(long)]
    http: Option<SocketAddr>,
    /// Where the embedded broker listens, in place of the configuration's
    #[arg(long)]
    broker: Option<SocketAddr>,
    /// Ask nobody who they are: for a demonstration on this machine only 演示：不要求登录
    #[arg(long)]
    demo: bool,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Say whether a file is right, and where it isn't 检查配置文件
    Check {
        /// The file
        file: PathBuf,
    },
    /// Print an example with every field 输出包含全部字段的示例
    Example,
}

/// Runs a command. Exit codes: 0 done, 1 failed, 2 the command line is wrong.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    match cli.command {
        Command::Run(options) => start(options),
        Command::Sightings(options) => follow::run(&options),
        Command::Doctor(options) => care::doctor(&options),
        Command::Backup(options) => care::backup(&options),
        Command::Export(options) => platforms::export(&options),
        Command::Import(options) => platforms::take(&options),
        Command::Bench(options) => bench::run(&options),
        Command::BenchLoad(options) => bench::load(&options),
        Command::Member(command) => trust::member(command),
        Command::Agent(command) => trust::agent(command),
        Command::User(command) => trust::user(command),
        Command::Token(command) => trust::token(command),
        Command::Audit(command) => trust::audit(command),
        Command::Ca(command) => trust::ca(command),
        Command::Broker(command) => trust::broker(&command),
        Command::Config(ConfigCommand::Check { file }) => match Config::load(&file) {
            Ok(_) => {
                println!("{}: ok 配置正确", file.display());
                ExitCode::SUCCESS
            }
            Err(error) => fail(error),
        },
        Command::Config(ConfigCommand::Example) => {
            print!("{EXAMPLE}");
            ExitCode::SUCCESS
        }
        Command::Man { dir } => man(&dir),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "yumen-hub", &mut std::io::stdout());
            ExitCode::SUCCESS
        }
    }
}

fn fail(error: impl std::fmt::Display) -> ExitCode {
    eprintln!("{error}");
    ExitCode::FAILURE
}

fn man(dir: &Path) -> ExitCode {
    let written = std::fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(Cli::command(), dir));
    written.map_or_else(|error| fail(format!("{}: {error}", dir.display())), |()| ExitCode::SUCCESS)
}

fn start(options: Run) -> ExitCode {
    let mut config = match options.config.as_deref().map(Config::load) {
        None => Config::default(),
        Some(Ok(config)) => config,
        Some(Err(error)) => return fail(error),
    };
    config.data_dir = options.data_dir.unwrap_or(config.data_dir);
    config.http.bind = options.http.unwrap_or(config.http.bind);
    config.broker.bind = options.broker.unwrap_or(config.broker.bind);
    if let Err(message) = config.check() {
        return fail(format!("error: {message}"));
    }
    if let Err(error) = log(&config) {
        return fail(format!("log.level '{}': {error}", config.log.level));
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(error),
    };
    let ended = runtime.block_on(async {
        let (to_hub, stop) = watch::channel(false);
        tokio::spawn(signals(to_hub));
        hub::run(config, options.demo, stop).await
    });
    // The embedded broker's threads have no end of their own.
    runtime.shutdown_background();
    ended.map_or_else(|error| fail(format!("error: {error}")), |()| ExitCode::SUCCESS)
}

/// Waits for SIGTERM or SIGINT.
async fn signals(stop: watch::Sender<bool>) {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("signals can't be received: end the hub with SIGKILL");
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("ending");
    let _ = stop.send(true);
}

fn log(config: &Config) -> Result<(), tracing_subscriber::filter::ParseError> {
    // The broker's own crate takes every client that goes for an error; its own failures show as lost connections.
    let filter = EnvFilter::try_new(format!("rumqttd=off,rumqttc=error,{}", config.log.level))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start, as tests do in one process, keeps the first.
    let _started = match config.log.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    Ok(())
}
