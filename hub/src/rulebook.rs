//! The rules that the hub knows, as sources in memory: what the rule editor checks against, what reports are looked at with,
//! what people are told.
//!
//! ```text
//! folders of the configuration, or the project's own ─┐
//! rules that were published in the console ───────────┼→ Report (checked, nothing read from disk any more) → pack in memory
//! the one that is being written ──────────────────────┘
//! ```

use crate::share::{is_shared, shared_redress};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use yumen_compiler::build::{BuildError, BuildOptions, pack_bytes};
use yumen_compiler::draft::RedressTexts;
use yumen_compiler::source::map::source_paths;
use yumen_compiler::{Report, embedded};
use yumen_matcher::{LoadOptions, LoadedPack};
use yumen_rules::language::Language;
use yumen_rules::verdict::Typology;

/// Largest list beside the sources, in bytes.
const LIST_BYTES_MAX: u64 = 16 << 20;

/// Sources by path, and what was made of them.
#[derive(Default)]
pub struct Rulebook {
    texts: Vec<(String, String)>,
    pack: Mutex<Option<Arc<LoadedPack>>>,
    sentences: OnceLock<Sentences>,
}

/// What people are told, by rule and by practice.
#[derive(Default)]
struct Sentences {
    rules: HashMap<String, RedressTexts>,
    typologies: HashMap<Typology, RedressTexts>,
}

/// The folder that rules of the console are in, for diagnostics and so that they share no `[defaults]` with others.
pub const CONSOLE: &str = "console";

impl Rulebook {
    /// Of folders; the project's own where there are none. A file that can't be read is said and left out.
    #[must_use]
    pub fn read(folders: &[PathBuf]) -> Self {
        let mut texts = Vec::new();
        if folders.is_empty() {
            let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
            texts.extend(embedded::files().iter().map(owned));
        }
        for folder in folders {
            match source_paths(folder) {
                Ok(paths) => paths.iter().for_each(|path| add(&mut texts, path)),
                Err(error) => {
                    tracing::warn!(folder = %folder.display(), %error, "rules can't be read");
                }
            }
        }
        Self { texts, ..Self::default() }
    }

    /// Checks them with others, given as name and text.
    #[must_use]
    pub fn with(&self, more: &[(String, String)]) -> Report {
        let own = self.texts.iter().map(|(path, text)| (path.clone(), text.clone()));
        let more = more.iter().map(|(name, text)| (path_of(name), text.clone()));
        let all: Vec<(String, String)> = own.chain(more).collect();
        Report::of_texts(all.iter().map(|(path, text)| (&path[..], &text[..])))
    }

    /// A pack of the folders' rules to look at texts with; made once. Blocks while it is made.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn pack(&self) -> Result<Arc<LoadedPack>, BuildError> {
        let mut made = self.pack.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pack) = &*made {
            return Ok(Arc::clone(pack));
        }
        let pack = load(&self.with(&[]))?;
        *made = Some(Arc::clone(&pack));
        Ok(pack)
    }

    /// What a person is told whom a rule blocked. Blocks while the rules are read for the first time.
    #[must_use]
    pub fn redress(&self, rule: Option<&str>, typology: &str, language: Language) -> String {
        let sentences = self.sentences.get_or_init(|| {
            let draft = self.with(&[]).draft;
            let rules = draft.rules.into_iter().filter(|rule| !rule.redress.is_empty());
            Sentences {
                rules: rules.map(|rule| (rule.id, rule.redress)).collect(),
                typologies: draft.redress.into_iter().collect(),
            }
        });
        if rule.is_some_and(is_shared) {
            return shared_redress(language).to_owned();
        }
        let of_rule = rule.and_then(|rule| sentences.rules.get(rule));
        let of_typology = Typology::from_id(typology).and_then(|id| sentences.typologies.get(&id));
        let texts = [of_rule, of_typology].into_iter().flatten();
        let mut texts = texts.filter_map(|texts| texts.0.get(language as usize));
        texts.find(|text| !text.is_empty()).map_or_else(|| language.redress().to_owned(), Clone::clone)
    }
}

/// Loads what a report makes.
///
/// # Errors
/// [`BuildError`].
pub fn load(report: &Report) -> Result<Arc<LoadedPack>, BuildError> {
    let bytes = pack_bytes(report, &BuildOptions::default())?;
    Ok(Arc::new(LoadedPack::load_untried(&bytes, &LoadOptions::ANYTHING)?))
}

/// Where a rule of the console stands among the sources.
#[must_use]
pub fn path_of(name: &str) -> String {
    format!("{CONSOLE}/{name}.toml")
}

fn add(texts: &mut Vec<(String, String)>, path: &Path) {
    let Some(folder) = path.parent() else { return };
    let mut take = |path: &Path| match std::fs::read_to_string(path) {
        Ok(text) => texts.push((path.display().to_string(), text)),
        Err(error) => tracing::warn!(path = %path.display(), %error, "a rule source can't be read"),
    };
    take(path);
    // The lists beside it, once for each folder: with its first source.
    let is_first = !texts.iter().rev().skip(1).any(|(other, _)| Path::new(other).parent() == Some(folder));
    if !is_first {
        return;
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let other = entry.path();
        let is_list = other.extension().is_some_and(|extension| extension == "txt");
        if is_list && entry.metadata().is_ok_and(|data| data.is_file() && data.len() <= LIST_BYTES_MAX) {
            match std::fs::read_to_string(&other) {
                Ok(text) => texts.push((other.display().to_string(), text)),
                Err(error) => tracing::warn!(path = %other.display(), %error, "a list can't be read"),
            }
        }
    }
}
