//! `yumen rules explain`.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use yumen_matcher::Worker;
use yumen_rules::engine::Site;
use yumen_rules::policy::Policy;
use yumen_wire::event::{Address, Event};

use super::lists::ListArgs;
use super::{Failure, Shown, finish, pack};
use crate::explain::{explain, json, render};
use crate::limits::SCREEN_RECORD_BYTES_MAX;

/// What to explain.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The message; standard input where it is left out 短信正文
    text: Option<String>,
    /// A pack or a folder of rules; by default the project's own 规则包或规则目录
    #[arg(long)]
    pack: Option<PathBuf>,
    /// Who sends it 发送方号码
    #[arg(long, default_value = "")]
    from: String,
    /// Who receives it 接收方号码
    #[arg(long, default_value = "")]
    to: String,
    /// Show this rule whatever came of it 指定要看的规则
    #[arg(long)]
    rule: Option<String>,
    #[command(flatten)]
    numbers: ListArgs,
    #[command(flatten)]
    shown: Shown,
}

pub(super) fn run(args: &ExplainArgs) -> ExitCode {
    finish(run_explain(args))
}

fn run_explain(args: &ExplainArgs) -> Result<ExitCode, Failure> {
    let text = match &args.text {
        Some(text) => text.clone(),
        None => read_input()?,
    };
    let loaded = pack::load(args.pack.as_deref(), args.shown)?;
    let mut worker = Worker::new(loaded).map_err(|error| error.to_string())?;
    let event = Event {
        originator: Address::new(&args.from),
        destination: Address::new(&args.to),
        ..Event::text_only(&text)
    };
    let lists = args.numbers.open()?;
    let site = Site { lists: lists.as_ref(), ..Site::DEFAULT };
    let explanation = explain(&mut worker, &site, &event, &Policy::enforcing(), args.rule.as_deref())
        .map_err(|error| error.to_string())?;
    if args.shown.json {
        println!("{}", json(&explanation));
    } else {
        print!("{}", render(&explanation, args.shown.lang.into()));
    }
    Ok(ExitCode::SUCCESS)
}

fn read_input() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let limit = SCREEN_RECORD_BYTES_MAX as u64;
    std::io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned())
}
