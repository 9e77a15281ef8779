//! `yumen-demo`: what `cargo xtask up` becomes.

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;
use yumen_tests::demo::{stream::Sender, up};
use yumen_tests::peer::{cmpp, smpp};
use yumen_tests::site::Ports;
use yumen_wire::cmpp::Version;

/// A demonstration of Yumen on this machine. 玉门演示
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Added to every port 端口偏移
    #[arg(long, global = true, default_value_t = 0)]
    port_offset: u16,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run hub, agent, centre, ISMG and traffic until Ctrl-C 运行全部
    Up {
        /// Keys, pack, database and logs 数据目录
        #[arg(long, default_value = ".yumen/demo")]
        dir: PathBuf,
        /// Messages a second 每秒短信数
        #[arg(long, default_value_t = 8)]
        per_s: u32,
    },
    /// Send one message through the gateway 发送一条短信
    Send {
        /// The text 正文
        text: String,
        /// Who sends 发送方
        #[arg(long, default_value = "17000000000")]
        from: String,
        /// Who receives 接收方
        #[arg(long, default_value = "8613900000001")]
        to: String,
        /// Which door 协议
        #[arg(long, value_enum, default_value_t = Door::Smpp)]
        door: Door,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Door {
    Smpp,
    Cmpp,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("yumen-demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<()> {
    let ports = Ports::usual(cli.port_offset);
    match cli.command {
        Command::Up { dir, per_s } => up::run(&dir, ports, per_s).await,
        Command::Send { text, from, to, door } => {
            let sender = match door {
                Door::Smpp => Sender::Smpp(smpp::Esme::bind(("127.0.0.1", ports.smpp), "demo").await?),
                Door::Cmpp => Sender::Cmpp(
                    cmpp::Sp::connect(("127.0.0.1", ports.cmpp), Version::V3, cmpp::ACCOUNT).await?,
                ),
            };
            let answer = sender.send(&from, &to, &text).await?;
            if answer.passed {
                println!("passed 已放行");
            } else {
                println!(
                    "refused 已拦截: status {} (0x{:08X}) {}",
                    answer.status,
                    answer.status,
                    answer.name.unwrap_or("")
                );
            }
            Ok(())
        }
    }
}
