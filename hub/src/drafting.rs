//! A rule that is written in the console: checked and tested as `yumen rules` does, replayed with and without it, and only
//! then published.
//!
//! ```text
//! text → check (diagnostics) → test (its own examples) → old pack and new pack on one corpus → difference, shown
//!                                                        shown and unchanged since → published → next pack
//! ```

use crate::limits::{DIFFERENCE_SHOWN_MAX, FINDINGS_SHOWN_MAX, REPLAY_MESSAGES_MAX};
use crate::rulebook::{Rulebook, load, path_of};
use crate::secret;
use crate::store::{ClueRow, RuleDraftRow};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use yumen_compiler::Report;
use yumen_compiler::compare::{Change, LabelChange, compare};
use yumen_compiler::corpus::{Corpus, CorpusOptions, Meaning};
use yumen_compiler::diagnostic::{Lang, Severity, render};
use yumen_compiler::eval::run;
use yumen_compiler::test::{self, TestSummary};

/// Threads of a replay: the others are for who else asks.
const THREADS: usize = 1;
/// Longest name.
const NAME_BYTES_MAX: usize = 40;

/// Something that is wrong, or could be better.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where in the draft, from 1; 0 where it is elsewhere.
    pub line: usize,
    /// Whether it stands against building.
    pub is_error: bool,
    /// With the line and a mark under the place, as in a terminal.
    pub text: String,
}

/// How a rule of the draft does on the corpus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleHits {
    /// Its id.
    pub id: String,
    /// Messages to be caught that it hits.
    pub scam: usize,
    /// Honest ones.
    pub ham: usize,
}

/// The same messages with and without the draft.
#[derive(Clone, Debug, Default)]
pub struct Difference {
    /// Messages.
    pub messages: usize,
    /// By label.
    pub labels: BTreeMap<String, LabelChange>,
    /// Newly blocked or let through; the first of them.
    pub changes: Vec<Change>,
    /// How many there are.
    pub changes_count: usize,
    /// Honest messages that would newly be blocked.
    pub ham_blocked: usize,
    /// The draft's rules.
    pub hits: Vec<RuleHits>,
}

/// What came of a check.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// How many of them stand against building.
    pub errors: usize,
    /// The tests, where they ran.
    pub tests: Option<TestSummary>,
    /// The replay, where there were no errors.
    pub difference: Option<Difference>,
}

/// What is checked against what.
pub struct Work {
    /// The rules that are published in the console, as name and text.
    pub published: Vec<(String, String)>,
    /// The draft's name.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Labelled messages beside the rules' own examples.
    pub corpus: Vec<PathBuf>,
    /// The language of the findings.
    pub lang: Lang,
}

/// Whether it can be a draft's name.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let legal = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(legal)
}

/// What stands for a draft and everything that it was shown against: publishing needs the same. Behind the colon stands how
/// many honest messages would newly be blocked.
#[must_use]
pub fn shown(published: &[RuleDraftRow], name: &str, text: &str, ham_blocked: usize) -> String {
    let others = published.iter().filter(|row| row.name != name);
    let all: String = others.map(|row| format!("{}\0{}\0", row.name, row.published)).collect();
    format!("{}:{ham_blocked}", secret::digest(&format!("{all}\0{name}\0{text}")))
}

/// How many honest messages were said to be newly blocked.
#[must_use]
pub fn ham_shown(shown: &str) -> usize {
    shown.rsplit_once(':').and_then(|(_, count)| count.parse().ok()).unwrap_or(0)
}

/// Checks, tests and replays a draft. Blocks for as long as it takes to compile all rules three times.
#[must_use]
pub fn check(rulebook: &Rulebook, work: &Work) -> Checked {
    let others: Vec<(String, String)> =
        work.published.iter().filter(|(name, _)| *name != work.name).cloned().collect();
    let with = [others, vec![(work.name.clone(), work.text.clone())]].concat();
    let mut report = rulebook.with(&with);
    let mut checked = Checked::default();
    if report.is_buildable() {
        match test::run(&mut report) {
            Ok(summary) => checked.tests = Some(summary),
            Err(error) => checked.findings.push(general(&error.to_string())),
        }
    }
    checked.findings.extend(findings(&report, &path_of(&work.name), work.lang));
    checked.errors =
        report.diagnostics.errors().max(usize::from(checked.findings.iter().any(|one| one.is_error)));
    if checked.errors == 0 {
        match difference(rulebook, work, &report) {
            Ok(difference) => checked.difference = Some(difference),
            Err(error) => {
                checked.errors = 1;
                checked.findings.push(general(&error));
            }
        }
    }
    checked
}

fn general(text: &str) -> Finding {
    Finding { line: 0, is_error: true, text: text.to_owned() }
}

/// Everything about the draft, and errors elsewhere: they are there because of it.
fn findings(report: &Report, path: &str, lang: Lang) -> Vec<Finding> {
    let sorted = report.diagnostics.sorted().into_iter();
    let findings = sorted.filter_map(|diagnostic| {
        let is_error = diagnostic.defect.severity() == Severity::Error;
        let file = diagnostic.span.and_then(|span| Some((report.sources.file(span.file)?, span)));
        let line = file.filter(|(file, _)| file.path == path).map(|(file, span)| file.position(span.start).0);
        (is_error || line.is_some()).then(|| Finding {
            line: line.unwrap_or(0),
            is_error,
            text: render(diagnostic, &report.sources, lang),
        })
    });
    findings.take(FINDINGS_SHOWN_MAX).collect()
}

fn difference(rulebook: &Rulebook, work: &Work, report: &Report) -> Result<Difference, String> {
    let said = |error: &dyn std::fmt::Display| error.to_string();
    let old = load(&rulebook.with(&work.published)).map_err(|error| said(&error))?;
    let new = load(report).map_err(|error| said(&error))?;
    let corpus = corpus(report, &work.corpus)?;
    let before = run(&old, &corpus, THREADS, |_| {}).map_err(|error| said(&error))?;
    let after = run(&new, &corpus, THREADS, |_| {}).map_err(|error| said(&error))?;
    let mut comparison = compare(&corpus, (&old, &before), (&new, &after));
    let path = path_of(&work.name);
    let is_own = |index: u32| {
        let rule = report.tree.rules.get(index as usize)?;
        let file = report.sources.file(rule.id.span.file)?;
        (file.path == path).then(|| rule.id.value.clone())
    };
    let mut hits: BTreeMap<String, RuleHits> = BTreeMap::new();
    for (record, outcome) in corpus.records.iter().zip(&after.outcomes) {
        for id in outcome.rules.iter().filter_map(|rule| is_own(*rule)) {
            let count = hits.entry(id.clone()).or_insert_with(|| RuleHits { id, ..RuleHits::default() });
            let meaning = corpus.meaning(record);
            count.scam += usize::from(meaning.is_scam());
            count.ham += usize::from(meaning == Meaning::Ham);
        }
    }
    let ham = |change: &&Change| change.blocked && Meaning::of_label(&change.label) == Meaning::Ham;
    let ham_blocked = comparison.changes.iter().filter(ham).count();
    // Honest ones first: they are what matters.
    comparison.changes.sort_by_key(|change| (!ham(&change), !change.blocked, change.line));
    let changes_count = comparison.changes.len();
    comparison.changes.truncate(DIFFERENCE_SHOWN_MAX);
    Ok(Difference {
        messages: corpus.records.len(),
        labels: comparison.labels,
        changes: comparison.changes,
        changes_count,
        ham_blocked,
        hits: hits.into_values().collect(),
    })
}

/// The rules' own examples, and the configured files.
fn corpus(report: &Report, files: &[PathBuf]) -> Result<Corpus, String> {
    let mut lines = String::new();
    let mut count = 0usize;
    let mut add = |label: &str, text: &str| {
        if count < REPLAY_MESSAGES_MAX {
            count += 1;
            let clean = |text: &str| text.replace(['\t', '\n', '\r'], " ");
            // Writing to a String can't fail.
            let _ = writeln!(lines, "{}\t{}", clean(label), clean(text));
        }
    };
    for rule in &report.tree.rules {
        let typology = rule.typology.map_or("scam", |typology| typology.id());
        rule.hits.iter().for_each(|test| add(typology, &test.text.value));
        rule.misses.iter().for_each(|test| add("ham", &test.text.value));
    }
    for file in files {
        let read = Corpus::read(file, &CorpusOptions::default()).map_err(|error| error.to_string())?;
        for record in &read.records {
            add(read.meaning(record).id(), read.text(record));
        }
    }
    Corpus::parse(lines, &CorpusOptions::default()).map_err(|error| error.to_string())
}

/// What a new rule begins with.
#[must_use]
pub fn template(name: &str, clue: Option<&ClueRow>) -> String {
    let (typology, value) = clue.map_or(("fraud", "示例词"), |clue| (&clue.typology[..], &clue.value[..]));
    let value: String = value.chars().filter(|char| !matches!(char, '"' | '\\')).collect();
    format!(
        "# ladder: shadow 只记录 records; flag 标记放行 reports; enforce 可拦截 may block\n\
         [[rule]]\nid       = \"{typology}/{name}\"\ntypology = \"{typology}\"\ntitle    = \"含可疑联系方式\"\n\
         title_en = \"Names a suspect contact\"\nchannel  = [\"sms\"]\nscore    = 80\nladder   = \"shadow\"\n\
         match.seen = {{ any = [\"{value}\"] }}\nwhen = \"seen\"\n\
         hit  = [\n    \"请联系 {value} 办理\",\n]\nmiss = [\n    \"您好，明天上午开会\",\n]\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "[[rule]]\nid = \"fraud/base\"\ntypology = \"fraud\"\ntitle = \"基础\"\nscore = 90\n\
        ladder = \"enforce\"\nmatch.safe = { any = [\"安全账户\"] }\nwhen = \"safe\"\nhit = [\"转到安全账户\"]\n\
        miss = [\"请联系客服办理积分\"]\n";

    fn work(text: &str) -> (tempfile::TempDir, Rulebook, Work) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("base.toml"), BASE).unwrap();
        let rulebook = Rulebook::read(&[dir.path().to_owned()]);
        let (name, text) = ("new".to_owned(), text.to_owned());
        let work = Work { published: Vec::new(), name, text, corpus: Vec::new(), lang: Lang::En };
        (dir, rulebook, work)
    }

    #[test]
    fn the_template_is_right_and_says_what_it_hits() {
        let (_dir, rulebook, work) = work(&template("new", None));
        let checked = check(&rulebook, &work);
        assert_eq!(checked.errors, 0, "{:?}", checked.findings);
        let difference = checked.difference.unwrap();
        assert_eq!((difference.messages, difference.changes_count), (4, 1), "as if it weren't in shadow");
        assert_eq!(difference.ham_blocked, 0);
        assert_eq!(difference.hits, [RuleHits { id: "fraud/new".into(), scam: 1, ham: 0 }]);
    }

    #[test]
    fn a_mistake_is_found_at_its_line_and_nothing_is_read_from_disk() {
        let wrong = template("new", None).replace("when = \"seen\"", "when = \"sean\"");
        let (_dir, rulebook, first) = work(&wrong);
        let checked = check(&rulebook, &first);
        assert!(checked.errors > 0 && checked.difference.is_none());
        let at = wrong.lines().position(|line| line.starts_with("when")).unwrap() + 1;
        assert!(checked.findings.iter().any(|one| one.line == at && one.text.contains("sean")));
        let outside =
            format!("{}[[list]]\nname = \"outside\"\nfile = \"/etc/hostname\"\n", template("new", None));
        let (_dir, rulebook, second) = work(&outside);
        let checked = check(&rulebook, &second);
        let refused = |one: &Finding| one.line == 20 && one.text.contains("it isn't among the sources");
        assert!(checked.errors > 0 && checked.findings.iter().any(refused), "{:?}", checked.findings);
    }

    #[test]
    fn honest_messages_that_would_be_blocked_stand_first() {
        let text = template("new", None).replace("shadow\"\n", "enforce\"\n").replace("示例词", "积分");
        let (_dir, rulebook, work) = work(&text);
        let checked = check(&rulebook, &work);
        assert_eq!(checked.errors, 0, "{:?}", checked.findings);
        let difference = checked.difference.unwrap();
        assert_eq!((difference.ham_blocked, difference.changes_count), (1, 2));
        assert!(difference.changes[0].label == "ham" && difference.changes[0].text.contains("积分"));
    }

    #[test]
    fn what_was_shown_holds_for_that_text_and_those_rules() {
        let row = |name: &str, text: &str| RuleDraftRow {
            name: name.into(),
            published: text.into(),
            ..RuleDraftRow::default()
        };
        let one = shown(&[row("a", "1")], "b", "text", 3);
        assert_eq!(ham_shown(&one), 3);
        assert_eq!(one, shown(&[row("a", "1"), row("b", "before")], "b", "text", 3));
        for other in [
            shown(&[row("a", "2")], "b", "text", 3),
            shown(&[], "b", "text", 3),
            shown(&[row("a", "1")], "b", "text ", 3),
            shown(&[row("a", "1")], "c", "text", 3),
        ] {
            assert_ne!(one, other);
        }
        assert!(
            is_name("a-1") && !is_name("") && !is_name("../a") && !is_name("A") && !is_name(&"a".repeat(41))
        );
    }
}
