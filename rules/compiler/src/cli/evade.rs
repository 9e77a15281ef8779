//! `yumen rules evade`.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::corpus::CorpusArgs;
use super::{Failure, LangArg, Shown, finish, pack};
use crate::diagnostic::Lang;
use crate::evade::{Kind, benchmark, json, markdown, render};

/// What to disguise.
#[derive(Debug, Args)]
pub struct EvadeArgs {
    /// Labelled messages: label, perhaps variant, text, separated by tabs 带标签的短信文件
    file: PathBuf,
    /// A pack or a folder of rules; by default the project's own 规则包或规则目录
    #[arg(long)]
    pack: Option<PathBuf>,
    /// Only these disguises; can be repeated 只测这些手法
    #[arg(long, value_parser = kind)]
    kind: Vec<Kind>,
    /// Write the disguised messages that are missed, though they are blocked when plain 输出因规避而漏拦的短信
    #[arg(long, value_name = "OUT")]
    missed: Option<PathBuf>,
    /// As the table of a page 输出 Markdown 表格
    #[arg(long)]
    markdown: bool,
    #[command(flatten)]
    corpus: CorpusArgs,
    #[command(flatten)]
    shown: Shown,
}

fn kind(text: &str) -> Result<Kind, String> {
    let ids = || Kind::ALL.iter().map(|kind| kind.id()).collect::<Vec<_>>().join(", ");
    Kind::ALL.iter().copied().find(|kind| kind.id() == text).ok_or_else(|| format!("one of {}", ids()))
}

pub(super) fn run(args: &EvadeArgs) -> ExitCode {
    finish(run_evade(args))
}

fn run_evade(args: &EvadeArgs) -> Result<ExitCode, Failure> {
    let corpus = args.corpus.read(&args.file)?;
    let pack = pack::load(args.pack.as_deref(), args.shown)?;
    let kinds = if args.kind.is_empty() { Kind::ALL } else { &args.kind };
    let on_terminal = io::stderr().is_terminal();
    let found = benchmark(&pack, &corpus, kinds, args.corpus.threads(), |done, all| {
        if on_terminal {
            eprint!("\r{done}/{all} ");
        }
    })
    .map_err(|error| error.to_string())?;
    if on_terminal {
        eprint!("\r\x1b[K");
    }
    if let Some(file) = &args.missed {
        // A line break inside a message would be the end of its record.
        let line = |text: &str| text.replace(['\n', '\t'], " ");
        let lines =
            found.lost.iter().map(|(kind, label, text)| format!("{label}\t{}\t{}\n", kind.id(), line(text)));
        pack::replace(file, lines.collect::<String>().as_bytes())?;
    }
    if args.shown.json {
        println!("{}", json(&found));
    } else if args.markdown {
        let lang = if matches!(args.shown.lang, LangArg::Zh) { Lang::Zh } else { Lang::En };
        print!("{}", markdown(&found, lang));
    } else {
        print!("{}", render(&found));
    }
    Ok(ExitCode::SUCCESS)
}
