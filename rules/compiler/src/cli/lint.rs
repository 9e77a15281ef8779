//! `yumen rules lint`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::corpus::CorpusArgs;
use super::{Failure, Shown, Sources, check, exit, finish, pack};
use crate::check_paths;
use crate::eval::evaluate;
use crate::lint::{lint, measured, silence};

/// What to look over.
#[derive(Debug, Args)]
pub struct LintArgs {
    #[command(flatten)]
    sources: Sources,
    /// Labelled messages: says also what never hits, is too broad, hits together or is slow 带标签的短信文件
    #[arg(long = "corpus", value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    corpus: CorpusArgs,
}

/// Exit code 0 where nothing was found, 1 where anything was.
pub(super) fn run(args: &LintArgs) -> ExitCode {
    finish(run_lint(args))
}

fn run_lint(args: &LintArgs) -> Result<ExitCode, Failure> {
    let shown: Shown = args.sources.shown;
    let mut report = check_paths(&args.sources.paths);
    lint(&mut report);
    if let (Some(file), true) = (&args.file, report.is_buildable()) {
        let corpus = args.corpus.read(file)?;
        let pack = pack::of_report(&report, shown)?;
        let run = args.corpus.run(&pack, &corpus)?;
        measured(&mut report, &evaluate(&pack, &corpus, &run), &run);
    }
    silence(&mut report);
    shown.show(&report);
    check::totals(&report, shown);
    Ok(exit(report.diagnostics.is_empty()))
}
