//! `yumen rules train`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use yumen_rules::verdict::Typology;

use super::{Failure, exit, finish};
use crate::diagnostic::Lang;
use crate::report::check_paths;
use crate::train::{HeldOut, Labelled, Options, rule_tests, train, weights_file};

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
    /// In how many texts a feature must be to get weights 一个特征至少要在多少条短信里出现
    #[arg(long, default_value_t = Options::default().least)]
    least: usize,
    /// How many features get weights at most 特征数上限
    #[arg(long, default_value_t = Options::default().features)]
    features: usize,
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
    let options =
        Options { least: args.least, features: args.features, seed: args.seed, ..Options::default() };
    let trained = train(&report, &texts, &options).map_err(|error| error.to_string())?;
    fs::write(&args.output, weights_file(&trained.section))
        .map_err(|error| format!("{}: {error}", args.output.display()))?;
    println!(
        "{} 条 texts; 交叉验证，未见过的短信里达到各分数的：本类、正常 held out, reaching a score: of the practice, honest",
        texts.len()
    );
    for one in &trained.held_out {
        print!("  {:<17}", one.typology.id());
        for (at, (found, wrong)) in HeldOut::AT.iter().zip(one.reached) {
            print!("  {at}: {found}/{}, {wrong}/{}", one.positives, one.honest);
        }
        println!();
    }
    Ok(exit(true))
}
