//! What `lint` says: each `testdata/lints/*.toml` with the text in the `.stderr` beside it, and what labelled messages show.
//! `UPDATE_GOLDEN=1 cargo test` writes the second.

#![expect(clippy::expect_used, reason = "a test that can't read its data fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use yumen_compiler::Report;
use yumen_compiler::build::{BuildOptions, pack_bytes};
use yumen_compiler::corpus::{Corpus, CorpusOptions};
use yumen_compiler::diagnostic::{Defect, Lang};
use yumen_compiler::eval::{evaluate, run};
use yumen_compiler::lint::{lint, measured, silence};
use yumen_matcher::{LoadOptions, LoadedPack};

#[test]
fn every_case_says_what_stands_beside_it() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    let mut shown_codes = BTreeSet::new();
    for path in cases() {
        let report = linted(&path);
        shown_codes.extend(report.diagnostics.sorted().iter().map(|found| found.defect.code()));
        let shown = report.render(Lang::Both);
        let golden = path.with_extension("stderr");
        if update {
            fs::write(&golden, &shown).expect("golden file written");
        } else if fs::read_to_string(&golden).ok().as_ref() != Some(&shown) {
            wrong.push(format!("{}:\n{shown}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "not as in the .stderr file:\n{}", wrong.join("\n"));
    let by_source = Defect::CODES.iter().filter(|code| code.starts_with("W10"));
    let missing: Vec<_> = by_source.filter(|code| !shown_codes.contains(**code)).collect();
    assert!(missing.is_empty(), "no case in testdata/lints shows {missing:?}");
}

#[test]
fn messages_show_what_sources_do_not() {
    let rule = |id: &str, word: &str| {
        format!(
            "[[rule]]\nid = \"fraud/{id}\"\ntypology = \"fraud\"\ntitle = \"t\"\nscore = 50\nmatch.w = {{ any = [\"{word}\"] }}\n\
             when = \"w\"\nhit = [\"{word}\"]\nmiss = [\"你好\"]\n"
        )
    };
    let source = [
        rule("never", "从不出现"),
        rule("broad", "今天下雨"),
        rule("one", "刷单返利"),
        rule("two", "返利日结"),
    ]
    .join("\n");
    let mut report = Report::of_texts([("rules/a.toml", source.as_str())]);
    assert!(report.diagnostics.is_empty(), "{}", report.render(Lang::En));
    let content = "fraud\t刷单返利日结\n".repeat(20) + &"ham\t今天下雨\n".repeat(180);
    let corpus = Corpus::parse(content, &CorpusOptions::default()).expect("a corpus");
    let bytes = pack_bytes(&report, &BuildOptions::default()).expect("right");
    let pack = Arc::new(LoadedPack::load_untried(&bytes, &LoadOptions::ANYTHING).expect("a pack"));
    let done = run(&pack, &corpus, 2, |_| ()).expect("judged");
    measured(&mut report, &evaluate(&pack, &corpus, &done), &done);
    let mut codes: Vec<&str> = report.diagnostics.sorted().iter().map(|found| found.defect.code()).collect();
    // Whether a condition is slow is the machine's word, not this test's.
    codes.retain(|code| *code != "W113");
    assert_eq!(codes, ["W110", "W111", "W112"], "{}", report.render(Lang::En));
}

fn linted(path: &Path) -> Report {
    let text = fs::read_to_string(path).expect("case read");
    let name = path.file_name().expect("a file").to_string_lossy().into_owned();
    let mut report = Report::of_texts([(name.as_str(), text.as_str())]);
    lint(&mut report);
    silence(&mut report);
    report
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/lints");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .expect("folder read")
        .map(|entry| entry.expect("entry read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    cases.sort();
    assert!(cases.len() >= 7, "the cases are gone");
    cases
}
