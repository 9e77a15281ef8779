//! `yumen rules train`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use yumen_rules::verdict::Typology;

use super::{Failure, exit, finish};
use crate::diagnostic::Lang;
use crate::report::check_paths;
use crate::train::{Labelled, Options, rule_tests, train, weights_file};

/// Train the classifier.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Labelled messages: a typology or `ham`, a tab, the text 带标签的短信：类型（或 ham）、制表符、正文
    files: Vec<PathBuf>,
    /// Where the weights go 权重文件
    #[arg(short, long)]
    output: PathBuf,
    /// The rules whose own examples are learnt from too, and whose registry knows the signatures 规则目录
    #[arg(long, default_value = "rules/packs")]
    packs: Vec<PathBuf>,
    /// Binary logarithm of the number of buckets 桶数的对数
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u8).range(8..=20))]
    bits: u8,
    /// Where shuffling begins 随机种子
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(super) fn run(args: &TrainArgs) -> ExitCode {
    finish(trained(args))
}

fn trained(args: &TrainArgs) -> Result<ExitCode, Failure> {
    let report = check_paths(&args.packs);
    if !report.is_buildable() {
        return Err(report.render_errors(Lang::Both));
    }
    let mut texts = rule_tests(&report);
    for file in &args.files {
        let content = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        for (line, number) in content.lines().zip(1..) {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let bad = || {
                format!("{}:{number}: 应为“类型⇥正文” (a typology or `ham`, a tab, the text)", file.display())
            };
            let (label, text) = line.split_once('\t').ok_or_else(bad)?;
            let typology = match label {
                "ham" => None,
                label => Some(Typology::from_id(label).ok_or_else(bad)?),
            };
            texts.push(Labelled { typology, text: text.to_owned() });
        }
    }
    let options = Options { bits: args.bits, seed: args.seed, ..Options::default() };
    let trained = train(&report, &texts, &options).map_err(|error| error.to_string())?;
    fs::write(&args.output, weights_file(&trained.section))
        .map_err(|error| format!("{}: {error}", args.output.display()))?;
    println!("{} 条 texts; 交叉验证，未见过的短信，80 分以上 held out, at 80:", texts.len());
    for one in &trained.held_out {
        let id = one.typology.id();
        println!("  {id:<17} {:>4}/{:<4} ham {}/{}", one.found, one.positives, one.wrong, one.honest);
    }
    Ok(exit(true))
}
