//! A run over sources: what was read, what it makes, what is wrong with it.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use crate::check::check;
use crate::diagnostic::{Defect, Diagnostic, Diagnostics, Lang, Severity, json_lines, render};
use crate::draft::PackDraft;
use crate::source::map::source_paths;
use crate::source::tree::Tree;
use crate::source::{FileId, SourceMap, read_module};

/// What a run found.
#[derive(Debug, Default)]
pub struct Report {
    /// The files.
    pub sources: SourceMap,
    /// What they say.
    pub tree: Tree,
    /// What they make; only to be built where there are no errors.
    pub draft: PackDraft,
    /// What is wrong.
    pub diagnostics: Diagnostics,
}

/// Reads and checks folders or files as one pack.
#[must_use]
pub fn check_paths(paths: &[PathBuf]) -> Report {
    check_with(paths, &HashMap::new())
}

/// The same, with the texts that an editor holds of some of the files in place of what is on disk.
#[must_use]
pub(crate) fn check_with(paths: &[PathBuf], open: &HashMap<PathBuf, String>) -> Report {
    let mut report = Report::default();
    for path in paths {
        match source_paths(path) {
            Ok(files) => files.iter().for_each(|file| report.read(file, open.get(file))),
            Err(error) => report.unreadable(path, &error.to_string()),
        }
    }
    if report.diagnostics.is_empty() && report.sources.files().next().is_none() {
        let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        report.diagnostics.push(Diagnostic::general(Defect::NoSources { paths: paths.join(", ") }));
    }
    report.check();
    report
}

impl Report {
    /// Checks texts that are already in memory, given as path and content. Those whose path doesn't end in `.toml` are the
    /// files that `[[list]]`s name; nothing is read from disk.
    #[must_use]
    pub fn of_texts<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let is_source = |path: &str| Path::new(path).extension().is_some_and(|extension| extension == "toml");
        let (sources, lists): (Vec<_>, Vec<_>) = texts.into_iter().partition(|(path, _)| is_source(path));
        let mut report = Self { sources: SourceMap::closed(lists), ..Self::default() };
        for (path, text) in sources {
            if let Err(error) = report.sources.add(path, text.to_owned()) {
                report.unreadable(Path::new(path), &error.to_string());
            }
        }
        report.check();
        report
    }

    /// The findings as text.
    #[must_use]
    pub fn render(&self, lang: Lang) -> String {
        self.render_from(Severity::Warning, lang)
    }

    /// The errors as text.
    #[must_use]
    pub fn render_errors(&self, lang: Lang) -> String {
        self.render_from(Severity::Error, lang)
    }

    fn render_from(&self, least: Severity, lang: Lang) -> String {
        let sorted = self.diagnostics.sorted().into_iter();
        let wanted = sorted.filter(|diagnostic| diagnostic.defect.severity() >= least);
        wanted.map(|diagnostic| render(diagnostic, &self.sources, lang) + "\n").collect()
    }

    /// The findings as JSON, one object a line.
    #[must_use]
    pub fn json(&self) -> String {
        json_lines(&self.diagnostics, &self.sources)
    }

    /// Whether nothing stands against building.
    #[must_use]
    pub const fn is_buildable(&self) -> bool {
        self.diagnostics.errors() == 0
    }

    fn read(&mut self, file: &Path, open: Option<&String>) {
        let read = match open {
            Some(text) => self.sources.add(&file.display().to_string(), text.clone()),
            None => self.sources.read(file),
        };
        if let Err(error) = read {
            self.unreadable(file, &error.to_string());
        }
    }

    fn unreadable(&mut self, path: &Path, reason: &str) {
        let defect = Defect::Unreadable { path: path.display().to_string(), reason: reason.to_owned() };
        self.diagnostics.push(Diagnostic::general(defect));
    }

    fn check(&mut self) {
        let mut folders: BTreeMap<PathBuf, Vec<FileId>> = BTreeMap::new();
        for (id, file) in self.sources.files() {
            folders.entry(file.folder.clone()).or_default().push(id);
        }
        for files in folders.values() {
            read_module(&mut self.sources, files, &mut self.tree, &mut self.diagnostics);
        }
        self.draft = check(&self.tree, &mut self.diagnostics);
        self.diagnostics.without_consequences();
    }
}
