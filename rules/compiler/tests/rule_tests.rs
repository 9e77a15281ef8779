//! What is said when a rule's own tests fail: each `testdata/rule-tests/*.toml` with the text in the `.stderr` beside it.
//! A new case is a new pair of files; `UPDATE_GOLDEN=1 cargo test` writes the second of them.

use std::fs;
use std::path::Path;

use yumen_compiler::diagnostic::Lang;
use yumen_compiler::{Report, embedded, test};

#[test]
fn failing_tests_say_why() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/rule-tests");
    let mut wrong = Vec::new();
    let mut cases = 0;
    for entry in fs::read_dir(folder).expect("folder read") {
        let path = entry.expect("entry read").path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        cases += 1;
        let text = fs::read_to_string(&path).expect("case read");
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        let mut report = Report::of_texts([(name.as_str(), text.as_str())]);
        let summary = test::run(&mut report).expect("the case is right but for its tests");
        let shown =
            format!("{}{} texts, {} failed\n", report.render(Lang::Both), summary.texts, summary.failed);
        let golden = path.with_extension("stderr");
        if update {
            fs::write(&golden, &shown).expect("golden file written");
        } else if fs::read_to_string(&golden).unwrap_or_default() != shown {
            wrong.push(format!("{name}:\n{shown}"));
        }
    }
    assert!(cases >= 6, "the cases are gone");
    assert!(wrong.is_empty(), "not as in the .stderr file:\n{}", wrong.join("\n"));
}

#[test]
fn the_projects_own_packs_pass_their_tests() {
    let mut report = embedded::report();
    assert!(report.is_buildable(), "{}", report.render_errors(Lang::En));
    let summary = test::run(&mut report).expect("a pack");
    assert!(report.is_buildable(), "{}", report.render_errors(Lang::En));
    assert!(summary.texts > 100, "{summary:?}");
}

#[test]
fn the_same_sources_give_the_same_bytes() {
    let first = embedded::pack().expect("a pack");
    assert!(first == embedded::pack().expect("a pack"), "two builds differ");
}
