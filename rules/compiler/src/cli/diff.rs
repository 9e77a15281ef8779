//! `yumen rules diff`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::corpus::CorpusArgs;
use super::{Failure, Shown, finish, pack};
use crate::compare::{Comparison, compare};

/// What to compare.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The old pack, or its folder of rules 旧规则包或目录
    old: PathBuf,
    /// The new one 新规则包或目录
    new: PathBuf,
    /// Messages, labelled or not, separated by tabs 短信文件
    file: PathBuf,
    #[command(flatten)]
    corpus: CorpusArgs,
    /// How many messages are shown of each kind 每类显示的短信条数
    #[arg(long, default_value_t = 50)]
    texts: usize,
    /// Fail where a honest message would newly be blocked 新误拦时以失败退出
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    shown: Shown,
}

pub(super) fn run(args: &DiffArgs) -> ExitCode {
    finish(run_diff(args))
}

fn run_diff(args: &DiffArgs) -> Result<ExitCode, Failure> {
    let corpus = args.corpus.read(&args.file)?;
    let old = pack::load(Some(&args.old), args.shown)?;
    let new = pack::load(Some(&args.new), args.shown)?;
    let (before, after) = (args.corpus.run(&old, &corpus)?, args.corpus.run(&new, &corpus)?);
    let comparison = compare(&corpus, (&old, &before), (&new, &after));
    if args.shown.json {
        println!("{}", comparison.json());
    } else {
        print(&comparison, args.texts);
    }
    let is_ham = |label: &str| {
        corpus.labels.iter().any(|(name, meaning)| name == label && *meaning == crate::corpus::Meaning::Ham)
    };
    let worse = comparison.changes.iter().any(|change| change.blocked && is_ham(&change.label));
    Ok(super::exit(!(args.strict && worse)))
}

fn print(comparison: &Comparison, texts: usize) {
    for (blocked, words) in [(true, "新拦截 newly blocked"), (false, "新放行 newly let through")] {
        let changes: Vec<_> = comparison.changes.iter().filter(|change| change.blocked == blocked).collect();
        println!("{words}: {}", changes.len());
        for change in changes.iter().take(texts) {
            let text: String = change.text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            println!(
                "  {}: {} {} {}\n     {text}",
                change.line,
                change.label,
                change.score,
                change.rules.join(" ")
            );
        }
        if changes.len() > texts {
            println!("  … {} more 条未显示 (--texts)", changes.len().saturating_sub(texts));
        }
    }
    println!("\n标签 label: messages, blocked old → new (+ newly blocked, − newly let through)");
    for (label, row) in &comparison.labels {
        let label = if label.is_empty() { "–" } else { label };
        println!("  {label}: {}, {} → {} (+{} −{})", row.records, row.old, row.new, row.blocked, row.allowed);
    }
    println!("\n{:.0} → {:.0} ns a message 每条", comparison.ns.0, comparison.ns.1);
}
