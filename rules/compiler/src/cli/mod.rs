//! `yumen rules …` and `yumen screen`: the command line of the rules, mounted by the agent's binary.
//!
//! Exit codes: 0 done; 1 the sources, tests, pack or input are wrong, or something couldn't be read or written; 2 the
//! command line itself is wrong (by clap).

mod build;
mod check;
mod corpus;
mod diff;
mod evade;
mod eval;
mod explain;
mod fmt;
mod keys;
mod lint;
mod lists;
mod lsp;
mod new;
mod numbers;
mod pack;
mod profile;
mod screen;
mod suggest;
mod test;
mod train;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};

use crate::Report;
use crate::diagnostic::Lang;

pub use numbers::{NumbersCommand, numbers};
pub use screen::{ScreenArgs, screen};

/// `yumen rules …`
#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// Check rule sources and say what is wrong, where 检查规则源文件
    Check(check::CheckArgs),
    /// Check, and run every rule's hit and miss texts 检查并运行每条规则的 hit、miss 例句
    Test(test::TestArgs),
    /// Check, test, and build a pack, signed unless told otherwise 检查、测试并生成规则包
    Build(build::BuildArgs),
    /// Sign a pack that was built elsewhere 给规则包签名
    Sign(keys::SignArgs),
    /// Say whether a gateway with this keyring would take a pack 验证规则包
    Verify(verify::VerifyArgs),
    /// Say why a message is judged as it is 解释一条短信的判定
    Explain(explain::ExplainArgs),
    /// Say what a pack does on labelled messages, by label, practice and rule 在带标签的短信上评估规则
    Eval(eval::EvalArgs),
    /// Say what disguise does to recall, with folding and without 评测规避手法下的召回
    Evade(evade::EvadeArgs),
    /// Say what another pack would newly block and let through 比较两个规则包
    Diff(diff::DiffArgs),
    /// Write rule files one way; comments stay 整理规则文件的格式
    Fmt(fmt::FmtArgs),
    /// Print the JSON schema of rule files, for editors 输出规则文件的 JSON Schema
    Schema,
    /// Serve an editor: underlines, completion, explanations, formatting 编辑器的语言服务
    Lsp(lsp::LspArgs),
    /// Say what is right and still not wise 规则体检
    Lint(lint::LintArgs),
    /// Say which rules' conditions take longest 找出最慢的规则
    Profile(profile::ProfileArgs),
    /// Start a new rule 新建规则
    New(new::NewArgs),
    /// Draft a rule from messages that were missed 由漏拦的短信起草规则
    Suggest(suggest::SuggestArgs),
    /// Train the classifier from labelled messages 用带标签的短信训练分类器
    Train(train::TrainArgs),
    /// Make a signing key 生成签名密钥
    Keygen(keys::KeygenArgs),
}

/// A pack to try things with, as `--pack` names it: a file, a folder of sources, or the project's own. Whose it is and how
/// old doesn't matter: nothing may be enforced with it.
///
/// # Errors
/// What is wrong with it, in words for people.
pub fn load_pack(
    source: Option<&std::path::Path>,
) -> Result<std::sync::Arc<yumen_matcher::LoadedPack>, String> {
    pack::load(source, Shown { lang: LangArg::Both, json: false })
}

/// Runs a command.
#[must_use]
pub fn run(command: RulesCommand) -> ExitCode {
    match command {
        RulesCommand::Check(args) => check::run(&args),
        RulesCommand::Test(args) => test::run(&args),
        RulesCommand::Build(args) => build::run(&args),
        RulesCommand::Sign(args) => keys::sign(&args),
        RulesCommand::Verify(args) => verify::run(&args),
        RulesCommand::Explain(args) => explain::run(&args),
        RulesCommand::Eval(args) => eval::run(&args),
        RulesCommand::Evade(args) => evade::run(&args),
        RulesCommand::Diff(args) => diff::run(&args),
        RulesCommand::Fmt(args) => fmt::run(&args),
        RulesCommand::Schema => lsp::print_schema(),
        RulesCommand::Lsp(args) => lsp::run(&args),
        RulesCommand::Lint(args) => lint::run(&args),
        RulesCommand::Profile(args) => profile::run(&args),
        RulesCommand::New(args) => new::run(&args),
        RulesCommand::Suggest(args) => suggest::run(&args),
        RulesCommand::Train(args) => train::run(&args),
        RulesCommand::Keygen(args) => keys::keygen(&args),
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
    /// As JSON on standard output 以 JSON 输出
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

    /// Shows a line for people; nothing where programs read.
    fn say(self, zh: &str, en: &str) {
        if !self.json {
            println!("{}", self.words(zh, en));
        }
    }

    /// Words in the languages that are shown.
    fn words(self, zh: &str, en: &str) -> String {
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

/// Why a command failed, in words for people.
type Failure = String;

/// Prints what failed.
fn finish(result: Result<ExitCode, Failure>) -> ExitCode {
    result.unwrap_or_else(|failure| {
        eprintln!("{failure}");
        ExitCode::FAILURE
    })
}
