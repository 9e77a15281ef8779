//! The evasion benchmark counts what it says, folding earns its keep, and no disguise makes an honest message one to block.

#![expect(clippy::expect_used, reason = "a test that can't build its pack fails")]

use std::path::Path;
use std::sync::Arc;

use yumen_compiler::corpus::{Corpus, CorpusOptions};
use yumen_compiler::diagnostic::Lang;
use yumen_compiler::embedded;
use yumen_compiler::evade::{Benchmark, Kind, Row, benchmark, json, markdown, render};
use yumen_matcher::{LoadOptions, LoadedPack};

fn run(corpus: &str, kinds: &[Kind]) -> Benchmark {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(corpus);
    let corpus = Corpus::read(&file, &CorpusOptions::default()).expect("read");
    let bytes = embedded::pack().expect("a pack");
    let pack = Arc::new(LoadedPack::load_untried(&bytes, &LoadOptions::ANYTHING).expect("a pack"));
    benchmark(&pack, &corpus, kinds, 2, |_, _| ()).expect("judged")
}

fn row(benchmark: &Benchmark, kind: Kind) -> Row {
    *benchmark.rows.iter().find(|row| row.kind == kind).expect("asked for")
}

#[test]
fn folding_undoes_what_a_table_can_undo() {
    let found = run("held-out.zh.tsv", Kind::ALL);
    let plain = row(&found, Kind::Plain);
    assert!(plain.scam > 40 && plain.blocked * 10 >= plain.scam * 9, "{plain:?}");
    for kind in
        [Kind::Split, Kind::Traditional, Kind::ZeroWidth, Kind::Spaces, Kind::Punctuation, Kind::Emoji]
    {
        let row = row(&found, kind);
        assert!(row.blocked * 4 >= row.scam * 3, "most are caught: {row:?}");
        assert!(row.blocked > row.blocked_as_sent, "folding is worth something: {row:?}");
    }
    let blocked_ham: usize = found.rows.iter().map(|row| row.ham_blocked).sum();
    let ham: usize = found.rows.iter().map(|row| row.ham).sum();
    // Honest people don't disguise their messages: a few in a hundred are what a pack may cost here.
    assert!(blocked_ham * 50 <= ham, "{blocked_ham} of {ham} disguised honest messages are blocked");
    assert!(render(&found).contains("zero-width") && markdown(&found, Lang::Zh).contains("拆字"));
    assert_eq!(json(&found)["kinds"].as_array().map(Vec::len), Some(Kind::ALL.len()));
}

#[test]
fn english_letters_in_fancy_dress_are_read() {
    let kinds = [Kind::Plain, Kind::Fullwidth, Kind::Circled, Kind::Bold, Kind::ZeroWidth];
    let found = run("held-out.en.tsv", &kinds);
    let plain = row(&found, Kind::Plain);
    assert!(plain.scam > 50 && plain.blocked * 5 >= plain.scam * 4, "{plain:?}");
    for kind in &kinds[1..] {
        let row = row(&found, *kind);
        assert!(row.blocked * 10 >= row.blocked_plain * 9, "{row:?}");
        assert!(row.blocked_as_sent * 2 < row.blocked, "{row:?}");
        assert_eq!(row.ham_blocked, 0, "{row:?}");
    }
}
