//! `yumen rules profile`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::corpus::CorpusArgs;
use super::{Failure, Shown, finish, pack};
use crate::eval::{Evaluation, evaluate};

/// What to profile.
#[derive(Debug, Args)]
pub struct ProfileArgs {
    /// Messages, labelled or not, separated by tabs 短信文件
    file: PathBuf,
    /// A pack or a folder of rules; by default the project's own 规则包或规则目录
    #[arg(long)]
    pack: Option<PathBuf>,
    /// How many rules are shown, the slowest first 显示的规则数
    #[arg(long, default_value_t = 20)]
    top: usize,
    #[command(flatten)]
    corpus: CorpusArgs,
    #[command(flatten)]
    shown: Shown,
}

pub(super) fn run(args: &ProfileArgs) -> ExitCode {
    finish(run_profile(args))
}

fn run_profile(args: &ProfileArgs) -> Result<ExitCode, Failure> {
    let corpus = args.corpus.read(&args.file)?;
    let pack = pack::load(args.pack.as_deref(), args.shown)?;
    let run = args.corpus.run(&pack, &corpus)?;
    let mut evaluation = evaluate(&pack, &corpus, &run);
    evaluation.rules.sort_by(|a, b| b.ns.total_cmp(&a.ns));
    evaluation.rules.truncate(args.top);
    if args.shown.json {
        println!("{}", json(&evaluation, run.timed));
        return Ok(ExitCode::SUCCESS);
    }
    println!("{:.0} ns a message 每条，条件计时 conditions timed on {}", evaluation.ns_mean, run.timed);
    println!("{:>10} {:>12} {:>10}  规则 rule", "ns/msg", "evaluations", "ns/eval");
    for rule in &evaluation.rules {
        let each = if rule.evaluations > 0.0 { rule.ns / rule.evaluations } else { 0.0 };
        println!("{:>10.2} {:>12.3} {each:>10.0}  {}", rule.ns, rule.evaluations, rule.id);
    }
    Ok(ExitCode::SUCCESS)
}

fn json(evaluation: &Evaluation, timed: u64) -> serde_json::Value {
    let rule = |rule: &crate::eval::RuleRow| serde_json::json!({ "id": rule.id, "ns_per_message": rule.ns, "evaluations_per_message": rule.evaluations });
    serde_json::json!({
        "ns_per_message": evaluation.ns_mean,
        "timed": timed,
        "rules": evaluation.rules.iter().map(rule).collect::<Vec<_>>(),
    })
}
