//! `yumen`: the gateway's command line.

use clap::Parser;
use std::process::ExitCode;

/// Counts allocations, so that `yumen bench` can say how many a message takes. Judging makes none, and the others cost
/// an atomic addition.
#[global_allocator]
static ALLOCATOR: yumen_compiler::bench::CountingAllocator = yumen_compiler::bench::CountingAllocator;

fn main() -> ExitCode {
    yumen_agent::cli::run(yumen_agent::cli::Cli::parse())
}
