//! The table of sections and fields is what the reader takes.

use yumen_compiler::Report;
use yumen_compiler::grammar::*;

/// What the reader says a place's fields are, when it meets one that it doesn't know.
fn read_fields(source: &str) -> Vec<String> {
    let report = Report::of_texts([("a/a.toml", source)]);
    let found = report.diagnostics.sorted();
    let unknown = found.iter().find(|diagnostic| diagnostic.defect.code() == "E005");
    let help = unknown.and_then(|diagnostic| {
        diagnostic.help.iter().find_map(|words| words.en.strip_prefix("its fields: "))
    });
    help.unwrap_or_default().split(", ").map(str::to_owned).collect()
}

fn names(fields: &[Field]) -> Vec<String> {
    let mut names: Vec<String> = fields.iter().map(|field| field.name.to_owned()).collect();
    names.sort();
    names
}

fn check(source: &str, fields: &[Field]) {
    let mut read = read_fields(source);
    read.sort();
    assert_eq!(read, names(fields), "{source}");
}

#[test]
fn the_table_is_what_the_reader_takes() {
    for section in SECTIONS {
        let (open, close) = if section.many { ("[[", "]]") } else { ("[", "]") };
        check(&format!("{open}{}{close}\nzzz = 1\n", section.name), section.fields);
    }
    check("[[rule]]\nmatch.a = { zzz = 1 }\n", MATCH);
    check("[[rule]]\nredress = { zzz = 1 }\n", SENTENCES);
    check("[[rule]]\nhit = [{ zzz = 1, text = \"\" }]\n", TEXT_TEST);
    check("[[rule]]\nhit = [{ zzz = 1, events = [] }]\n", SEQUENCE_TEST);
    check("[[scenario]]\nevents = [{ zzz = 1 }]\n", EVENT);
    let unknown = Report::of_texts([("a/a.toml", "[[zzz]]\n")]);
    let help = unknown.json();
    for section in SECTIONS.iter().filter(|section| section.name != "classifier") {
        assert!(help.contains(&format!("[{}]", section.name)), "{}: {help}", section.name);
    }
}

#[test]
fn words_are_those_the_reader_takes() {
    fn word_fields(fields: &[Field]) -> impl Iterator<Item = (&Field, Words)> {
        fields.iter().filter_map(|field| match field.shape {
            Shape::Word(words) | Shape::WordList(words) => Some((field, words)),
            _ => None,
        })
    }
    let place = |name: &str, value: &str| format!("[[{name}]]\n{value}\n");
    for section in SECTIONS.iter().filter(|section| section.many) {
        for (field, words) in word_fields(section.fields) {
            let source = place(section.name, &format!("{} = \"zzz\"", field.name));
            let report = Report::of_texts([("a/a.toml", source.as_str())]);
            let allowed = report.json();
            assert!(allowed.contains("E008"), "{source}: {allowed}");
            for word in words.all() {
                let source = place(section.name, &format!("{} = \"{word}\"", field.name));
                let report = Report::of_texts([("a/a.toml", source.as_str())]);
                assert!(!report.json().contains("E008"), "{source}");
            }
        }
    }
    for (field, words) in word_fields(EVENT) {
        for (word, right) in words.all().into_iter().map(|word| (word, true)).chain([("zzz", false)]) {
            let source = format!("[[scenario]]\nevents = [{{ {} = \"{word}\" }}]\n", field.name);
            let report = Report::of_texts([("a/a.toml", source.as_str())]);
            assert_eq!(report.json().contains("E008"), !right, "{source}");
        }
    }
}
