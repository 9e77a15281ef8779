//! `yumen`: the gateway's command line.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    yumen_agent::cli::run(yumen_agent::cli::Cli::parse())
}
