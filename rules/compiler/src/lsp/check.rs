//! The packs that the open files are part of, checked with what the editor has of them.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Document, text};
use crate::Report;
use crate::diagnostic::{Diagnostic, Severity};
use crate::report::check_with;

/// What was found, by the folder that a pack is made of.
#[derive(Default)]
pub(super) struct Packs {
    reports: BTreeMap<PathBuf, Report>,
}

impl Packs {
    /// Whether the pack of a file hasn't been looked at yet.
    pub(super) fn is_new(&self, path: &Path) -> bool {
        !self.reports.contains_key(&root(path))
    }

    /// Checks the packs of these documents.
    pub(super) fn check<'d>(&mut self, documents: impl Iterator<Item = &'d Document>) {
        let open: HashMap<PathBuf, String> =
            documents.map(|document| (document.path.clone(), document.text.clone())).collect();
        let roots: Vec<PathBuf> = open.keys().map(|path| root(path)).collect();
        self.reports.clear();
        for root in roots {
            let report = || check_with(std::slice::from_ref(&root), &open);
            self.reports.entry(root.clone()).or_insert_with(report);
        }
    }

    /// What was found in a file's pack.
    pub(super) fn report(&self, path: &Path) -> Option<&Report> {
        self.reports.get(&root(path))
    }

    /// The findings in a file, as the protocol has them.
    pub(super) fn diagnostics(&self, path: &Path) -> Vec<Value> {
        let Some(report) = self.report(path) else { return Vec::new() };
        let Some((id, file)) = report.sources.files().find(|(_, file)| Path::new(&file.path) == path) else {
            return Vec::new();
        };
        let found = report.diagnostics.sorted();
        let here = found.iter().filter(|diagnostic| diagnostic.span.is_some_and(|span| span.file == id));
        here.map(|diagnostic| finding(diagnostic, &file.text)).collect()
    }
}

fn finding(diagnostic: &Diagnostic, source: &str) -> Value {
    let span = diagnostic.span;
    let (start, end) = span.map_or((0, 0), |span| (span.start as usize, span.end as usize));
    let words = diagnostic.defect.words();
    let help = diagnostic.defect.advice().into_iter().chain(diagnostic.help.iter().cloned());
    let help: Vec<String> = help.map(|words| format!("\n{}\n{}", words.zh, words.en)).collect();
    json!({
        "range": text::range(source, start, end),
        "severity": if diagnostic.defect.severity() == Severity::Error { 1 } else { 2 },
        "code": diagnostic.defect.code(),
        "source": "yumen",
        "message": format!("{}\n{}{}", words.zh, words.en, help.concat()),
    })
}

/// The folder whose packs a file is built with: that of its folder's siblings where the folder names itself in a `[pack]`.
fn root(path: &Path) -> PathBuf {
    let folder = path.parent().unwrap_or(path);
    let parent = folder.parent().unwrap_or(folder);
    let siblings = || {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        entries.filter(|entry| entry.path().join("pack.toml").is_file()).take(2).count()
    };
    if folder.join("pack.toml").is_file() || siblings() > 1 {
        parent.to_path_buf()
    } else {
        folder.to_path_buf()
    }
}
