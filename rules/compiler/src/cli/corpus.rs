//! What `eval`, `diff` and others have in common: the corpus, the threads, how far it is.

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use clap::Args;
use yumen_matcher::LoadedPack;

use super::Failure;
use crate::corpus::{Corpus, CorpusOptions, Meaning};
use crate::eval::{Run, run};
use crate::screen::Column;

/// How a labelled file is read.
#[derive(Clone, Debug, Args)]
pub(super) struct CorpusArgs {
    /// The label's column, by number from 1 or by name 标签列
    #[arg(long)]
    label_column: Option<String>,
    /// The variant's column 变体列
    #[arg(long)]
    variant_column: Option<String>,
    /// The text's column 正文列
    #[arg(long)]
    text_column: Option<String>,
    /// What a label means: LABEL=TYPOLOGY, LABEL=scam, LABEL=ham or LABEL=unknown; can be repeated 标签含义
    #[arg(long, value_name = "LABEL=MEANING", value_parser = meaning)]
    map: Vec<(String, Meaning)>,
    /// Threads; by default one a processor 线程数
    #[arg(long)]
    threads: Option<usize>,
}

fn meaning(text: &str) -> Result<(String, Meaning), String> {
    let (label, word) = text.rsplit_once('=').ok_or("LABEL=MEANING is expected")?;
    let meaning =
        Meaning::from_id(word).ok_or_else(|| format!("{word}: not a typology, scam, ham or unknown"))?;
    Ok((label.to_owned(), meaning))
}

impl CorpusArgs {
    pub(super) fn read(&self, file: &Path) -> Result<Corpus, Failure> {
        let column = |name: &Option<String>| name.as_deref().map(Column::parse);
        let options = CorpusOptions {
            label: column(&self.label_column),
            variant: column(&self.variant_column),
            text: column(&self.text_column),
            meanings: self.map.clone(),
        };
        Corpus::read(file, &options).map_err(|error| error.to_string())
    }

    pub(super) fn threads(&self) -> usize {
        self.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from))
    }

    pub(super) fn run(&self, pack: &Arc<LoadedPack>, corpus: &Corpus) -> Result<Run, Failure> {
        let threads = self.threads();
        let (all, shown) = (corpus.records.len().max(1), AtomicUsize::new(0));
        let on_terminal = io::stderr().is_terminal();
        let done = run(pack, corpus, threads, |records| {
            let percent = records.saturating_mul(100) / all;
            if on_terminal && shown.swap(percent, Ordering::Relaxed) != percent {
                eprint!("\r{percent:>3} %  {records}/{all} ");
            }
        });
        if on_terminal {
            eprint!("\r\x1b[K");
        }
        done.map_err(|error| error.to_string())
    }
}
