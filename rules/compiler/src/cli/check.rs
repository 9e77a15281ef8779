//! `yumen rules check`.

use std::process::ExitCode;

use clap::Args;

use super::{Shown, Sources, exit};
use crate::{Report, check_paths};

/// What to check.
#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    sources: Sources,
    /// Warnings count as errors 警告也算错误
    #[arg(long)]
    strict: bool,
}

pub(super) fn run(args: &CheckArgs) -> ExitCode {
    let report = check_paths(&args.sources.paths);
    let shown = args.sources.shown;
    shown.show(&report);
    totals(&report, shown);
    exit(report.is_buildable() && !(args.strict && report.diagnostics.warnings() > 0))
}

/// Says how much there is, and how much is wrong.
pub(super) fn totals(report: &Report, shown: Shown) {
    let draft = &report.draft;
    let (rules, patterns, senders) = (draft.rules.len(), draft.patterns.len(), draft.senders.len());
    let (errors, warnings) = (report.diagnostics.errors(), report.diagnostics.warnings());
    shown.say(
        &format!("{rules} 条规则，{patterns} 个模式，{senders} 个机构；{errors} 个错误，{warnings} 个警告"),
        &format!("{rules} rules, {patterns} patterns, {senders} organisations; {errors} errors, {warnings} warnings"),
    );
}
