//! Checks rule sources: `cargo run -p yumen-compiler --example rules -- rules/packs`.

use std::path::PathBuf;
use std::process::ExitCode;

use yumen_compiler::check_paths;
use yumen_compiler::diagnostic::Lang;

fn main() -> ExitCode {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let report = check_paths(&paths);
    eprint!("{}", report.render(Lang::Both));
    println!(
        "{} rules, {} patterns, {} errors, {} warnings",
        report.draft.rules.len(),
        report.draft.patterns.len(),
        report.diagnostics.errors(),
        report.diagnostics.warnings()
    );
    if report.is_buildable() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
