//! `yumen rules test`.

use std::process::ExitCode;

use clap::Args;

use super::{Shown, Sources, check, exit};
use crate::check_paths;
use crate::diagnostic::{Defect, Diagnostic};
use crate::test::{self, TestSummary};

/// What to test.
#[derive(Debug, Args)]
pub struct TestArgs {
    #[command(flatten)]
    sources: Sources,
}

pub(super) fn run(args: &TestArgs) -> ExitCode {
    let mut report = check_paths(&args.sources.paths);
    let shown = args.sources.shown;
    let mut summary = None;
    if report.is_buildable() {
        match test::run(&mut report) {
            Ok(done) => summary = Some(done),
            Err(error) => {
                report.diagnostics.push(Diagnostic::general(Defect::NotBuilt { reason: error.to_string() }));
            }
        }
    }
    shown.show(&report);
    check::totals(&report, shown);
    if let Some(summary) = summary {
        tested(&summary, shown);
    }
    exit(report.is_buildable())
}

/// Says what the tests did.
pub(super) fn tested(summary: &TestSummary, shown: Shown) {
    let TestSummary { texts, sequences, failed, hits_blocked, hits } = summary;
    shown.say(
        &format!("{texts} 条例句、{sequences} 段序列，{failed} 条不通过；{hits} 条 hit 中 {hits_blocked} 条会被执行中的网关拦截"),
        &format!("{texts} texts and {sequences} sequences, {failed} failed; of {hits} hits an enforcing gateway blocks {hits_blocked}"),
    );
}
