//! The reference for rule authors is right: its examples build and pass, and it names everything there is.

#![expect(clippy::expect_used, reason = "a test that can't read its data fails")]

use std::fs;
use std::path::Path;

use yumen_compiler::diagnostic::Lang;
use yumen_compiler::{Report, test};
use yumen_rules::pack::OrganisationKind;
use yumen_rules::signal::{Field, Protected};
use yumen_rules::verdict::Typology;

const PAGES: [&str; 2] = ["rules.md", "rules.zh-CN.md"];

#[test]
fn examples_build_and_pass_their_tests() {
    for page in PAGES {
        let text = page_text(page);
        let examples: Vec<(String, &str)> =
            examples(&text).zip(1..).map(|(text, n)| (format!("{page}/{n}.toml"), text)).collect();
        assert!(examples.len() >= 6, "{page}: the examples are gone");
        let mut report = Report::of_texts(examples.iter().map(|(path, text)| (path.as_str(), *text)));
        assert!(report.diagnostics.is_empty(), "{}", report.render(Lang::En));
        let summary = test::run(&mut report).expect("a pack");
        assert_eq!(summary.failed, 0, "{}", report.render(Lang::En));
    }
}

#[test]
fn everything_a_condition_can_ask_is_named() {
    for page in PAGES {
        let text = page_text(page);
        let fields = Field::ALL.iter().map(|field| field.name());
        let kinds = OrganisationKind::ALL.iter().map(|kind| kind.id());
        let words = fields
            .chain(kinds)
            .chain(Typology::ALL.map(Typology::id))
            .chain(Protected::ALL.map(Protected::id));
        for word in words.chain(["sender.kind", "signature.kind"]) {
            assert!(text.contains(&format!("`{word}`")), "{page} doesn't name `{word}`");
        }
    }
}

fn page_text(page: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page))
        .expect("page read")
}

/// The blocks between "```toml" and "```".
fn examples(text: &str) -> impl Iterator<Item = &str> {
    text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next())
}
