//! `yumen rules eval`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::corpus::CorpusArgs;
use super::{Failure, Shown, finish, pack};
use crate::eval::{evaluate, html, json, render};

/// What to evaluate.
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// Labelled messages: label, perhaps variant, text, separated by tabs 带标签的短信文件
    file: PathBuf,
    /// A pack or a folder of rules; by default the project's own 规则包或规则目录
    #[arg(long)]
    pack: Option<PathBuf>,
    #[command(flatten)]
    corpus: CorpusArgs,
    /// Write a page with charts 输出图表网页
    #[arg(long, value_name = "OUT")]
    html: Option<PathBuf>,
    /// Write the messages that should have been blocked, with their labels 输出漏拦的短信
    #[arg(long, value_name = "OUT")]
    missed: Option<PathBuf>,
    /// How many honest messages that would be blocked are shown 显示误拦短信的条数
    #[arg(long, default_value_t = 20)]
    texts: usize,
    #[command(flatten)]
    shown: Shown,
}

pub(super) fn run(args: &EvalArgs) -> ExitCode {
    finish(run_eval(args))
}

fn run_eval(args: &EvalArgs) -> Result<ExitCode, Failure> {
    let corpus = args.corpus.read(&args.file)?;
    let pack = pack::load(args.pack.as_deref(), args.shown)?;
    let run = args.corpus.run(&pack, &corpus)?;
    let evaluation = evaluate(&pack, &corpus, &run);
    if let Some(file) = &args.html {
        pack::replace(file, html(&evaluation).as_bytes())?;
    }
    if let Some(file) = &args.missed {
        let lines = evaluation.missed.iter().map(|missed| format!("{}\t{}\n", missed.label, missed.text));
        pack::replace(file, lines.collect::<String>().as_bytes())?;
    }
    if args.shown.json {
        println!("{}", json(&evaluation));
    } else {
        print!("{}", render(&evaluation, args.texts));
    }
    Ok(ExitCode::SUCCESS)
}
