//! Man pages and shell completion, from the command line's own definition.

use super::{Cli, fail};
use clap::CommandFactory;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn man(dir: &Path) -> ExitCode {
    let written = std::fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(Cli::command(), dir));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(format!("{}: {error}", dir.display())),
    }
}

pub(super) fn completions(shell: clap_complete::Shell) -> ExitCode {
    clap_complete::generate(shell, &mut Cli::command(), "yumen", &mut std::io::stdout());
    ExitCode::SUCCESS
}
