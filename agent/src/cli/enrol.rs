//! `yumen enrol`.

use super::fail;
use crate::enrol::{Files, enrol, renew};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use yumen_exchange::enrol::Token;

#[derive(Debug, Args)]
pub(super) struct EnrolArgs {
    /// The hub's address 枢纽地址
    #[arg(long, value_name = "URL", required_unless_present = "renew")]
    hub: Option<String>,
    /// What `yumen-hub agent invite` printed; - reads it from standard input 邀请码
    #[arg(long, required_unless_present = "renew")]
    token: Option<String>,
    /// Where keys and certificates are kept: the agent's data_dir 数据目录
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    /// Renew the certificate now; the running agent does so by itself 立即续期
    #[arg(long, conflicts_with_all = ["hub", "token"])]
    renew: bool,
}

pub(super) fn run(args: &EnrolArgs) -> ExitCode {
    if args.renew {
        return again(args);
    }
    let (Some(hub), Some(token)) = (&args.hub, &args.token) else {
        return fail("--hub and --token are needed");
    };
    let mut text = token.clone();
    if text == "-" {
        text.clear();
        if let Err(error) = std::io::stdin().read_line(&mut text) {
            return fail(format!("standard input: {error}"));
        }
    }
    let token: Token = match text.parse() {
        Ok(token) => token,
        Err(error) => return fail(format!("yumen enrol: {error}")),
    };
    match enrol(hub, &token, &args.data_dir) {
        Ok(lines) => {
            eprintln!("enrolled 登记成功; put this into agent.toml 请写入 agent.toml:");
            print!("{lines}");
            ExitCode::SUCCESS
        }
        Err(error) => fail(format!("yumen enrol: {error}")),
    }
}

fn again(args: &EnrolArgs) -> ExitCode {
    let files = Files::new(&args.data_dir);
    let renewed = match files.record() {
        Ok(Some(record)) => renew(&files, &record),
        Ok(None) => return fail("yumen enrol: this agent isn't enrolled"),
        Err(error) => Err(error),
    };
    match renewed {
        Ok(record) => {
            println!("renewed 已续期, not_after_ms {}", record.not_after_ms);
            ExitCode::SUCCESS
        }
        Err(error) => fail(format!("yumen enrol: {error}")),
    }
}
