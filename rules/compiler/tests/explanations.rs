//! What is said about why a message is judged as it is: each `testdata/explanations/*.txt` (first line the message, or
//! `from <number>: <message>`) judged with the rules beside it, with the text in the `.stdout`. A new case is a new pair of
//! files; `UPDATE_GOLDEN=1 cargo test` writes the second of them.

#![expect(clippy::expect_used, reason = "a test that can't read its data fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use yumen_compiler::build::{BuildOptions, pack_bytes};
use yumen_compiler::check_paths;
use yumen_compiler::diagnostic::Lang;
use yumen_compiler::explain::{explain, json, render};
use yumen_matcher::{LoadOptions, LoadedPack, Worker};
use yumen_rules::engine::Site;
use yumen_rules::policy::Policy;
use yumen_wire::event::{Address, Event};

#[test]
fn explanations_are_as_written_beside_them() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut worker = worker();
    let mut wrong = Vec::new();
    for path in cases() {
        let case = fs::read_to_string(&path).expect("case read");
        let shown = explained(&mut worker, case.trim_end());
        let golden = path.with_extension("stdout");
        if update {
            fs::write(&golden, &shown).expect("golden file written");
        } else if fs::read_to_string(&golden).unwrap_or_default() != shown {
            wrong.push(format!("{}:\n{shown}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "not as in the .stdout file:\n{}", wrong.join("\n"));
}

fn explained(worker: &mut Worker, case: &str) -> String {
    let (from, text) =
        case.strip_prefix("from ").and_then(|rest| rest.split_once(": ")).unwrap_or(("", case));
    let event = Event { originator: Address::new(from), ..Event::text_only(text) };
    let explanation = explain(worker, &Site::DEFAULT, &event, &Policy::enforcing(), None).expect("judged");
    // A tree is right when it comes out as the engine's own walk did.
    let outcomes = explanation.rules.iter().map(|rule| &rule.outcome);
    for outcome in outcomes.chain(&explanation.suppressions).chain(&explanation.protections) {
        let tree = outcome.tree.as_ref().expect("every condition of a source has a tree");
        assert_eq!(tree.holds(), outcome.held, "{}: {tree:?}", outcome.id);
    }
    let object = json(&explanation);
    assert_eq!(object["text"], text);
    assert_eq!(object["verdict"]["action"], explanation.verdict.action.name());
    render(&explanation, Lang::Both)
}

fn worker() -> Worker {
    let report = check_paths(&[folder()]);
    assert!(report.is_buildable(), "{}", report.render(Lang::En));
    let bytes = pack_bytes(&report, &BuildOptions::default()).expect("a pack");
    let loaded = LoadedPack::load(&bytes, &LoadOptions::ANYTHING).expect("its own tests pass");
    Worker::new(Arc::new(loaded)).expect("memory")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/explanations")
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = fs::read_dir(folder())
        .expect("folder read")
        .map(|entry| entry.expect("entry read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    cases.sort();
    assert!(cases.len() >= 5, "the cases are gone");
    cases
}
