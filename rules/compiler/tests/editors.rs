//! What editors are given: a schema that takes every rule file of the project and refuses what `check` refuses, and a format.

#![expect(clippy::expect_used, reason = "a test that can't read its data fails")]

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;
use yumen_compiler::{check_paths, embedded, format::format, schema::schema};

/// A file as JSON, as an editor that knows TOML by schema sees it.
fn as_json(source: &str) -> Value {
    let table: toml::Table = source.parse().expect("TOML");
    serde_json::to_value(table).expect("JSON")
}

/// A validator that has nothing to do with how the schema is made.
struct Validator {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Validator {
    fn new() -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("rules.json", schema()).expect("a name");
        let index = compiler.compile("rules.json", &mut schemas).expect("a schema");
        Self { schemas, index }
    }

    fn validate(&self, source: &str) -> Result<(), String> {
        self.schemas.validate(&as_json(source), self.index).map_err(|error| error.to_string())
    }
}

fn sources() -> impl Iterator<Item = (&'static str, &'static str)> {
    embedded::files().iter().copied().filter(|(path, _)| path.ends_with(".toml"))
}

#[test]
fn every_rule_file_of_the_project_is_valid_by_the_schema() {
    let validator = Validator::new();
    let mut files = 0;
    for (path, source) in sources() {
        if let Err(error) = validator.validate(source) {
            panic!("{path}: {error}");
        }
        files += 1;
    }
    assert!(files > 20, "the packs are gone");
}

#[test]
fn the_schema_refuses_what_check_refuses() {
    let validator = Validator::new();
    const RULE: &str = "[[rule]]\nid = \"a/b\"\ntypology = \"fraud\"\ntitle = \"t\"\nscore = 7\nwhen = \"w\"\nmatch.w = { any = [\"词语\"] }\nhit = \"词语\"\n";
    assert!(validator.validate(RULE).is_ok());
    for (right, wrong) in [
        ("score = 7", "score = 101"),
        ("score = 7", "score = \"7\""),
        ("score = 7\n", ""),
        ("typology = \"fraud\"", "typology = \"frauds\""),
        ("title =", "titel ="),
        ("[[rule]]", "[[ruel]]"),
        ("[[rule]]", "[rule]"),
        ("any =", "anny ="),
        ("match.w", "match.W"),
        ("hit = \"词语\"", "hit = [{ txt = \"词语\" }]"),
        ("hit = \"词语\"", "hit = [{ text = \"词语\" }]\nladder = \"block\""),
    ] {
        let source = RULE.replace(right, wrong);
        assert!(validator.validate(&source).is_err(), "{source}");
        let file = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
        std::fs::write(file.path(), &source).expect("written");
        assert!(!check_paths(&[file.path().to_path_buf()]).is_buildable(), "{source}");
    }
}

#[test]
fn formatting_a_file_again_changes_nothing_and_it_says_the_same() {
    for (path, source) in sources() {
        let once = format(source).unwrap_or_else(|error| panic!("{path}: {error}"));
        let again = format(&once).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(once, again, "{path}");
        assert_eq!(as_json(&once), as_json(source), "{path}");
        let comments = |text: &str| text.lines().filter(|line| line.trim_start().starts_with('#')).count();
        assert_eq!(comments(&once), comments(source), "{path}: comments were lost");
    }
}

const UNTIDY: &str = "# Head.\n\n\n\n[[rule]]   # behind\nwhen=\"a&&b\"\n# above the id\nid  =  'x/y'\ntitle=\"t\"\nscore=7\nmatch.a={any=[\"一\" ,\"二\",],need=1}\nmatch.b = { any = [\n  # why\n  \"三\", # tail\n  \"四\" ] }\nhit=[\"h\"]\n\n\n[[group]]\nany=[\"x\"]\nid=\"g\"";
const TIDY: &str = "# Head.\n\n[[rule]] # behind\n# above the id\nid = 'x/y'\ntitle = \"t\"\nscore = 7\nmatch.a = { need = 1, any = [\"一\", \"二\"] }\nmatch.b = { any = [\n  # why\n  \"三\", # tail\n  \"四\",\n] }\nwhen = \"a&&b\"\nhit = [\"h\"]\n\n[[group]]\nid = \"g\"\nany = [\"x\"]\n";

#[test]
fn a_file_is_written_one_way_and_keeps_its_comments() {
    let once = format(UNTIDY).expect("TOML");
    assert_eq!(once, TIDY, "\n{once}");
    assert_eq!(format(&once).expect("TOML"), once);
}

#[test]
fn what_is_no_toml_is_left_alone() {
    assert!(format("id = [").is_err());
}

#[test]
fn long_arrays_have_a_line_a_value() {
    let word = "贷款".repeat(12);
    let source = format!("[[group]]\nid = \"g\"\nany = [{}]\n", vec![format!("\"{word}\""); 5].join(", "));
    let formatted = format(&source).expect("TOML");
    assert_eq!(formatted.lines().count(), 9, "{formatted}");
    assert_eq!(format(&formatted).expect("TOML"), formatted);
}
