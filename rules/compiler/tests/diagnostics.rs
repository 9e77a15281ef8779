//! What is said about wrong sources: each `testdata/diagnostics/*.toml` with the text in the `.stderr` beside it.
//! A new case is a new pair of files; `UPDATE_GOLDEN=1 cargo test` writes the second of them.

#![expect(clippy::expect_used, reason = "a test that can't read its data fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use yumen_compiler::Report;
use yumen_compiler::diagnostic::{Defect, Lang};

/// Defects that no file by itself can have: they need a folder, the engine, or a second source.
const ELSEWHERE: [&str; 15] = [
    "E002", "E003", "E009", "E060", "E061", "E062", "E063", "E064", "E070", "E065", "E066", "E067", "E068",
    "E069", "E071",
];
/// What `lint` finds has its cases in `testdata/lints` (`tests/lints.rs`).
const LINTS: &str = "W1";

#[test]
fn every_case_says_what_stands_beside_it() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    for path in cases() {
        let shown = report(&path).render(Lang::Both);
        let golden = path.with_extension("stderr");
        if update {
            fs::write(&golden, &shown).expect("golden file written");
        } else if fs::read_to_string(&golden).unwrap_or_default() != shown {
            wrong.push(format!("{}:\n{shown}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "not as in the .stderr file:\n{}", wrong.join("\n"));
}

#[test]
fn every_defect_has_a_case() {
    let shown: BTreeSet<String> = cases()
        .iter()
        .flat_map(|path| {
            report(path).diagnostics.sorted().iter().map(|d| d.defect.code().to_owned()).collect::<Vec<_>>()
        })
        .collect();
    let missing: Vec<&&str> = Defect::CODES
        .iter()
        .filter(|code| !shown.contains(**code) && !ELSEWHERE.contains(code) && !code.starts_with(LINTS))
        .collect();
    assert!(missing.is_empty(), "no case in testdata/diagnostics shows {missing:?}");
}

#[test]
fn json_has_one_object_a_finding() {
    for path in cases() {
        let report = report(&path);
        let lines: Vec<serde_json::Value> = report
            .json()
            .lines()
            .map(|line| serde_json::from_str(line).expect("each line is an object"))
            .collect();
        assert_eq!(lines.len(), report.diagnostics.sorted().len());
        assert!(lines.iter().all(|line| line["code"].is_string() && line["message"]["zh"].is_string()));
    }
}

fn report(path: &Path) -> Report {
    let text = fs::read_to_string(path).expect("case read");
    let name = path.file_name().expect("a file").to_string_lossy().into_owned();
    Report::of_texts([(name.as_str(), text.as_str())])
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/diagnostics");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .expect("folder read")
        .map(|entry| entry.expect("entry read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    cases.sort();
    assert!(cases.len() > 20, "the cases are gone");
    cases
}
