//! `--numbers FILE`: number lists to try things with, by the names that they have. Whose they are and how old doesn't matter here:
//! nothing is enforced with them.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use yumen_matcher::{LoadedNumbers, NumbersOptions};
use yumen_rules::engine::NumberLists;
use yumen_rules::numbers::Listed;

use super::Failure;

/// Number lists on the command line.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// A number list that conditions may ask; again for each more 号码名单文件
    #[arg(long = "numbers", value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl ListArgs {
    pub(super) fn open(&self) -> Result<Arc<OpenLists>, Failure> {
        let open = |path: &PathBuf| {
            LoadedNumbers::open(path, &NumbersOptions::ANYTHING)
                .map_err(|error| format!("{}: {error}", path.display()))
        };
        let lists = self.files.iter().map(open).collect::<Result<Vec<_>, Failure>>()?;
        Ok(Arc::new(OpenLists(lists)))
    }
}

/// Lists by their names.
#[derive(Debug)]
pub(super) struct OpenLists(Vec<LoadedNumbers>);

impl NumberLists for OpenLists {
    fn listed(&self, list: &str, canonical: &str) -> Option<Listed> {
        self.0.iter().find(|known| known.header().name() == list)?.set().lookup(canonical)
    }
}
