//! `yumen rules suggest`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use yumen_rules::verdict::Typology;

use super::corpus::CorpusArgs;
use super::{Failure, finish, pack};
use crate::corpus::{Corpus, Meaning};
use crate::suggest::{SuggestOptions, Suggestion, suggest};

/// What to suggest from.
#[derive(Debug, Args)]
pub struct SuggestArgs {
    /// Messages that no rule caught, labelled or not (as `eval --missed` writes them) 漏拦的短信
    #[arg(long)]
    missed: PathBuf,
    /// Messages that must not be hit; of a labelled file, those labelled as honest 正常短信
    #[arg(long)]
    ham: PathBuf,
    /// The practice; by default what most labels say 类型
    #[arg(long, value_parser = typology)]
    typology: Option<Typology>,
    /// The new rule's id 规则编号
    #[arg(long)]
    id: Option<String>,
    /// Honest messages that each word may hit 每个词允许误中的条数
    #[arg(long, default_value_t = 0)]
    ham_max: usize,
    /// Write the draft here instead of standard output; a file that is there stays 输出文件
    #[arg(long, short)]
    output: Option<PathBuf>,
    #[command(flatten)]
    corpus: CorpusArgs,
}

fn typology(id: &str) -> Result<Typology, String> {
    let known = Typology::ALL.map(Typology::id).join(", ");
    Typology::from_id(id).ok_or_else(|| format!("one of {known}"))
}

pub(super) fn run(args: &SuggestArgs) -> ExitCode {
    finish(run_suggest(args))
}

fn run_suggest(args: &SuggestArgs) -> Result<ExitCode, Failure> {
    let (missed, ham) = (args.corpus.read(&args.missed)?, args.corpus.read(&args.ham)?);
    let typology = args.typology.unwrap_or_else(|| most(&missed));
    let options = SuggestOptions {
        id: args.id.clone().unwrap_or_else(|| format!("{}/draft", typology.id())),
        typology,
        ham_max: args.ham_max,
    };
    let suggestion = suggest(
        &texts(&missed, |meaning| meaning != Meaning::Ham),
        &texts(&ham, |meaning| !meaning.is_scam()),
        &options,
    );
    if suggestion.members.is_empty() {
        return Err("没有能区分的词 nothing separates these messages from the honest ones".to_owned());
    }
    say(&suggestion);
    match &args.output {
        Some(file) if file.exists() => return Err(format!("{}: 已存在 is there already", file.display())),
        Some(file) => pack::replace(file, suggestion.toml.as_bytes())?,
        None => print!("{}", suggestion.toml),
    }
    Ok(ExitCode::SUCCESS)
}

fn texts(corpus: &Corpus, wanted: impl Fn(Meaning) -> bool) -> Vec<&str> {
    let records = corpus.records.iter().filter(|record| wanted(corpus.meaning(record)));
    records.map(|record| corpus.text(record)).collect()
}

/// The practice that most messages are labelled with.
fn most(corpus: &Corpus) -> Typology {
    let mut counts: BTreeMap<Typology, usize> = BTreeMap::new();
    for record in &corpus.records {
        if let Meaning::Practice(typology) = corpus.meaning(record) {
            let count = counts.entry(typology).or_default();
            *count = count.saturating_add(1);
        }
    }
    counts.into_iter().max_by_key(|&(_, count)| count).map_or(Typology::Fraud, |(typology, _)| typology)
}

/// What it is made of, on standard error: standard output may be the draft.
fn say(suggestion: &Suggestion) {
    eprintln!("漏拦 missed   正常 ham   词 words");
    for member in &suggestion.members {
        eprintln!("{:>11} {:>10}   {}", member.missed, member.ham, member.words.join(" + "));
    }
    let Suggestion { missed, covered, ham, ham_hits, .. } = suggestion;
    eprintln!("共 together: {covered} / {missed} 漏拦 missed, {ham_hits} / {ham} 正常 ham");
}
