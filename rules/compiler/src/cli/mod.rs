//! `yumen rules …` and `yumen screen`: the command line of the rules, mounted by the agent's binary.
//!
//! Exit codes: 0 done; 1 the sources, tests, pack or input are wrong, or something couldn't be read or written; 2 the
//! command line itself is wrong (by clap).

mod check;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};

use crate::Report;
use crate::diagnostic::Lang;

/// Check, test, build, sign and explain rules 规则：检查、测试、构建、签名、解释
#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// Check rule sources and say what is wrong, where 检查规则源文件
    Check(check::CheckArgs),
}

/// Runs a command.
#[must_use]
pub fn run(command: RulesCommand) -> ExitCode {
    match command {
        RulesCommand::Check(args) => check::run(&args),
    }
}

/// Where rules come from, and how findings are shown.
#[derive(Debug, Args)]
struct Sources {
    /// Folders or files of rules, together one pack 规则目录或文件
    #[arg(default_value = "rules/packs")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    shown: Shown,
}

/// How findings are shown.
#[derive(Clone, Copy, Debug, Args)]
struct Shown {
    /// Language of what is shown 输出语言
    #[arg(long, value_enum, default_value_t = LangArg::Both)]
    lang: LangArg,
    /// Findings as JSON, one object a line 以 JSON 输出
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LangArg {
    /// 中文
    Zh,
    /// English
    En,
    /// 中文, then English
    Both,
}

impl From<LangArg> for Lang {
    fn from(lang: LangArg) -> Self {
        match lang {
            LangArg::Zh => Self::Zh,
            LangArg::En => Self::En,
            LangArg::Both => Self::Both,
        }
    }
}

impl Shown {
    /// Shows findings on standard error, or as JSON on standard output.
    fn show(self, report: &Report) {
        if self.json {
            print!("{}", report.json());
        } else {
            eprint!("{}", report.render(self.lang.into()));
        }
    }

    /// A line in the languages that are shown.
    fn line(self, zh: &str, en: &str) -> String {
        match self.lang {
            LangArg::Zh => zh.to_owned(),
            LangArg::En => en.to_owned(),
            LangArg::Both => format!("{zh}\n{en}"),
        }
    }
}

/// Success or failure as an exit code.
fn exit(success: bool) -> ExitCode {
    if success { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
