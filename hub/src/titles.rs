//! What rules are called, read from their sources.

use crate::limits::TITLES;
use serde::Deserialize;
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Titles by rule id.
#[derive(Clone, Debug, Default)]
pub struct Titles(HashMap<String, Title>);

/// One rule's titles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Title {
    /// Chinese.
    pub zh: String,
    /// English; may be empty.
    pub en: String,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    rule: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    id: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    title_en: String,
}

impl Titles {
    /// Reads all `.toml` files in these folders and those in them. What can't be read is said and left out: a title is a
    /// convenience.
    #[must_use]
    pub fn load(folders: &[PathBuf]) -> Self {
        let mut titles = HashMap::new();
        let mut files = 0;
        let mut queue: Vec<(PathBuf, u8)> = folders.iter().map(|folder| (folder.clone(), 0)).collect();
        while let Some((folder, depth)) = queue.pop() {
            let entries = match std::fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) => {
                    tracing::warn!(folder = %folder.display(), %error, "rule titles can't be read");
                    continue;
                }
            };
            for path in entries.flatten().map(|entry| entry.path()) {
                if path.is_dir() && depth < 3 {
                    queue.push((path, depth + 1));
                } else if path.extension().is_some_and(|extension| extension == "toml") && files < TITLES.1 {
                    files += 1;
                    read(&path, &mut titles);
                }
            }
        }
        tracing::info!(titles = titles.len(), files, "rule titles read");
        Self(titles)
    }

    /// A rule's titles.
    #[must_use]
    pub fn of(&self, id: &str) -> Option<&Title> {
        self.0.get(id)
    }
}

fn read(path: &Path, titles: &mut HashMap<String, Title>) {
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(TITLES.0).read_to_string(&mut text));
    let parsed = read.map_err(|error| error.to_string());
    let parsed =
        parsed.and_then(|_| toml::from_str::<File>(&text).map_err(|error| error.message().to_owned()));
    match parsed {
        Ok(file) => titles
            .extend(file.rule.into_iter().map(|rule| (rule.id, Title { zh: rule.title, en: rule.title_en }))),
        Err(error) => tracing::warn!(path = %path.display(), error, "rule titles can't be read"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_found_in_folders_of_folders() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("fraud")).unwrap();
        let source = "[[rule]]\nid = \"fraud/a\"\ntitle = \"冒充\"\ntitle_en = \"Poses\"\nwhen = \"x\"\n[[list]]\nid = \"l\"\n";
        std::fs::write(dir.path().join("fraud/a.toml"), source).unwrap();
        std::fs::write(dir.path().join("broken.toml"), "[[rule]\n").unwrap();
        let titles = Titles::load(&[dir.path().to_owned(), dir.path().join("none")]);
        assert_eq!(titles.of("fraud/a"), Some(&Title { zh: "冒充".into(), en: "Poses".into() }));
        assert_eq!(titles.of("fraud/b"), None);
    }
}
