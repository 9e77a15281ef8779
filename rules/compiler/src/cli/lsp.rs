//! `yumen rules lsp` and `yumen rules schema`: for editors.

use std::process::ExitCode;

use clap::Args;
use lsp_server::Connection;

use super::{Failure, finish};
use crate::{lsp, schema};

/// How to serve.
#[derive(Debug, Args)]
pub struct LspArgs {
    /// Over standard input and output, as every editor can; there is no other way 通过标准输入输出
    #[arg(long)]
    stdio: bool,
}

pub(super) fn run(args: &LspArgs) -> ExitCode {
    let _ = args.stdio;
    finish(serve())
}

fn serve() -> Result<ExitCode, Failure> {
    let (connection, threads) = Connection::stdio();
    lsp::serve(&connection).map_err(|error| error.to_string())?;
    // Its writing thread ends with the last sender.
    drop(connection);
    threads.join().map_err(|error| error.to_string())?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn print_schema() -> ExitCode {
    println!("{:#}", schema::schema());
    ExitCode::SUCCESS
}
