//! `yumen run`.

use super::fail;
use crate::config::Config;
use crate::daemon::Daemon;
use crate::telemetry;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// The configuration; docs/agent.toml shows every field 配置文件
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

pub(super) fn run(args: &RunArgs) -> ExitCode {
    let config = match Config::load(&args.config) {
        Ok(config) => config,
        Err(error) => return fail(error),
    };
    if let Err(error) = telemetry::start(&config.log) {
        return fail(format!("{}: {error}", args.config.display()));
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(error),
    };
    let outcome = runtime.block_on(async { Daemon::start(&config).await?.run().await });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(format!("yumen: {error}")),
    }
}
