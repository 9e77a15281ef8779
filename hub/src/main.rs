//! `yumen-hub`: the hub's command line.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    yumen_hub::cli::run(yumen_hub::cli::Cli::parse())
}
