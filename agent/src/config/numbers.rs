//! `[[number_list]]`: lists of numbers with a score, kept in files of their own.

use super::Config;
use super::place::{Report, at};
use crate::limits::NUMBER_LISTS_MAX;
use crate::numbers::Source;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;
use yumen_rules::numbers::is_name;

/// A list of numbers with a score, made by `yumen numbers build`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NumberList {
    /// Its name, as conditions and the file itself have it: 1 to 48 of a-z, 0-9, `-` and `_`.
    pub name: String,
    /// The signed list. It must be replaced by a new file under its name (rename), never be written into.
    pub file: PathBuf,
    /// Public keys that may sign it, one a line; those of the pack by default.
    pub trusted_keys: Option<PathBuf>,
    /// Where its bytes are while it is in use.
    #[serde(default)]
    pub residence: Residence,
    /// How often the file is looked at, in seconds; 0 leaves it to SIGHUP.
    #[serde(default = "watch_s")]
    pub watch_s: u64,
}

/// Where a list's bytes are while it is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Residence {
    /// In the page cache, shared with other processes; under pressure parts of it are dropped and read again.
    #[default]
    Map,
    /// In the page cache, kept there (mlock): needs as high a limit of locked memory.
    Lock,
    /// In the process's own memory: for files that may be changed in their place.
    Copy,
}

const fn watch_s() -> u64 {
    10
}

/// Notes everything wrong with them.
pub(super) fn check(lists: &[NumberList], report: &mut Report<'_>) {
    let mut names = HashSet::new();
    for (index, list) in lists.iter().enumerate() {
        let place = at!["number_list", index, "name"];
        if !is_name(&list.name) {
            report.add(
                &place,
                format!("number_list: '{}' is no name", list.name),
                "1 to 48 of a-z, 0-9, - and _",
            );
        } else if !names.insert(list.name.as_str()) {
            report.add(
                &place,
                format!("number_list: the name '{}' is taken", list.name),
                "give each list a name of its own",
            );
        }
    }
    if lists.len() > NUMBER_LISTS_MAX {
        report.add(
            &at!["number_list", NUMBER_LISTS_MAX],
            format!("more than {NUMBER_LISTS_MAX} number lists"),
            "join some of them: an entry can name its typology",
        );
    }
}

impl Config {
    /// Where the number lists come from.
    pub(crate) fn number_list_sources(&self) -> Vec<Source> {
        let source = |list: &NumberList| Source {
            name: list.name.clone(),
            file: list.file.clone(),
            trusted_keys: list.trusted_keys.clone().unwrap_or_else(|| self.pack.trusted_keys.clone()),
            residence: match list.residence {
                Residence::Map => yumen_matcher::Residence::Map,
                Residence::Lock => yumen_matcher::Residence::Lock,
                Residence::Copy => yumen_matcher::Residence::Copy,
            },
            watch: (list.watch_s > 0).then(|| Duration::from_secs(list.watch_s)),
        };
        self.number_lists.iter().map(source).collect()
    }
}
