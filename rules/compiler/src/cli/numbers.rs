//! `yumen numbers …`: number lists for gateways.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, Subcommand, ValueEnum};
use yumen_matcher::{Keyring, LoadedNumbers, NumbersOptions as LoadOptions, Residence, Trust};
use yumen_rules::number::{CANONICAL_LEN_MAX, classify};
use yumen_rules::numbers::{Listed, canonical};

use super::{Failure, finish, keys, pack};
use crate::limits::NUMBERS_CHANGES_SHOWN;
use crate::numbers::{Change, Duplicates, NumbersBuildError, NumbersOptions, build, changes};
use crate::sign::emit_public_key;

/// `yumen numbers …`
#[derive(Debug, Subcommand)]
pub enum NumbersCommand {
    /// Make a signed list of lines `number,score[,typology]` 由文本生成号码名单
    Build(BuildArgs),
    /// Say what a list is 名单概况
    Info(FileArgs),
    /// Say what a list says of numbers 查询号码
    Lookup(LookupArgs),
    /// Say whether a gateway with this keyring would take a list 验证名单
    Verify(VerifyArgs),
    /// Say what another list newly says 比较两份名单
    Diff(DiffArgs),
}

/// What to build.
#[derive(Debug, Args)]
pub struct BuildArgs {
    /// Files of lines; `-` is standard input 输入文件
    #[arg(required = true)]
    inputs: Vec<PathBuf>,
    /// The list's file 输出文件
    #[arg(long, short)]
    output: PathBuf,
    /// The list's name, as conditions have it 名单名
    #[arg(long)]
    name: String,
    /// Serial, which must rise; by default the seconds since 1970 序列号
    #[arg(long)]
    serial: Option<u64>,
    /// Days until gateways refuse it 有效天数
    #[arg(long, default_value_t = 30)]
    days: u64,
    /// The signing key's file; by default a development key, made on demand 签名密钥文件
    #[arg(long, conflicts_with = "unsigned")]
    key: Option<PathBuf>,
    /// Leave it unsigned: no gateway takes it so 不签名
    #[arg(long)]
    unsigned: bool,
    /// Memory for sorting in MiB; the rest goes to disk beside the output 排序所用内存
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    memory_mib: u32,
    /// What counts where lines differ about one number 同一号码多行不同时以何为准
    #[arg(long, value_enum, default_value_t = DuplicatesArg::Highest)]
    duplicates: DuplicatesArg,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DuplicatesArg {
    /// The highest score.
    Highest,
    /// The last line.
    Last,
    /// It is an error.
    Refuse,
}

/// A list.
#[derive(Debug, Args)]
pub struct FileArgs {
    /// The list 名单文件
    list: PathBuf,
}

/// What to look up.
#[derive(Debug, Args)]
pub struct LookupArgs {
    /// The list 名单文件
    list: PathBuf,
    /// Numbers in any dialect; without any, one a line from standard input 号码
    numbers: Vec<String>,
}

/// What to verify.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The list 名单文件
    list: PathBuf,
    /// Public keys, one a line; by default the development key's 公钥文件
    #[arg(long)]
    keyring: Option<PathBuf>,
}

/// What to compare.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The old list 旧名单
    old: PathBuf,
    /// The new list 新名单
    new: PathBuf,
    /// Changes that are shown; all of them are counted 显示多少条
    #[arg(long, default_value_t = NUMBERS_CHANGES_SHOWN)]
    show: usize,
}

/// Runs a command.
#[must_use]
pub fn numbers(command: NumbersCommand) -> ExitCode {
    finish(match command {
        NumbersCommand::Build(args) => run_build(&args),
        NumbersCommand::Info(args) => info(&args.list),
        NumbersCommand::Lookup(args) => lookup(&args),
        NumbersCommand::Verify(args) => verify(&args),
        NumbersCommand::Diff(args) => diff(&args),
    })
}

fn run_build(args: &BuildArgs) -> Result<ExitCode, Failure> {
    let key = match args.unsigned {
        true => None,
        false => Some(keys::key_for_build(args.key.as_deref())?),
    };
    let now_s = pack::now_s();
    let options = NumbersOptions {
        name: args.name.clone(),
        serial: args.serial.unwrap_or(now_s),
        created_s: now_s,
        expires_s: now_s.saturating_add(args.days.saturating_mul(86_400)),
        key: key.as_ref(),
        memory_bytes: usize::try_from(args.memory_mib).unwrap_or(1) << 20,
        duplicates: match args.duplicates {
            DuplicatesArg::Highest => Duplicates::Highest,
            DuplicatesArg::Last => Duplicates::Last,
            DuplicatesArg::Refuse => Duplicates::Refuse,
        },
    };
    let started = Instant::now();
    let made = build(&args.inputs, &args.output, &options).map_err(|error| shown(&error))?;
    let signer = key.as_ref().map_or_else(|| "未签名 unsigned".to_owned(), emit_public_key);
    println!(
        "{}: {} 个号码 numbers, {} 个号段 ranges, {} 行重复 duplicates, {} 字节 bytes ({:.2} 字节/号码 each), 序列号 serial {}, {signer}, {:.1} s",
        args.output.display(),
        made.numbers,
        made.ranges,
        made.duplicates,
        made.bytes,
        made.bytes_per_number(),
        options.serial,
        started.elapsed().as_secs_f32(),
    );
    Ok(ExitCode::SUCCESS)
}

/// Wrong lines one by one, each with its place.
fn shown(error: &NumbersBuildError) -> Failure {
    let NumbersBuildError::Lines(errors, more) = error else { return error.to_string() };
    let mut lines: Vec<String> = errors
        .iter()
        .map(|error| {
            let (zh, en) = error.defect.words();
            format!("{}:{}: {zh} · {en}", error.file, error.line)
        })
        .collect();
    if *more > 0 {
        lines.push(format!("… 另有 {more} 行 and {more} more"));
    }
    lines.join("\n")
}

fn open(path: &Path) -> Result<LoadedNumbers, Failure> {
    LoadedNumbers::open(path, &LoadOptions::ANYTHING).map_err(|error| format!("{}: {error}", path.display()))
}

fn info(path: &Path) -> Result<ExitCode, Failure> {
    let list = open(path)?;
    println!("{}", described(&list));
    let set = list.set();
    println!("{} 个号码 numbers, {} 个号段 ranges", set.len(), set.ranges().count());
    let mut counts = vec![0u64; usize::from(list.header().palette)];
    for (_, value) in set.entries() {
        if let Some(count) = counts.get_mut(usize::from(value)) {
            *count += 1;
        }
    }
    for (listed, count) in set.palette().zip(counts).filter(|(_, count)| *count > 0) {
        println!("{count:>12}  {}", said(Some(listed)));
    }
    Ok(ExitCode::SUCCESS)
}

fn described(list: &LoadedNumbers) -> String {
    let header = list.header();
    let key = data_encoding::HEXLOWER.encode(&header.key_id);
    let signer = if header.key_id == [0; 8] { "未签名 unsigned" } else { key.as_str() };
    format!(
        "{} · serial {} · {} – {} · {} 字节 bytes · {signer}",
        header.name(),
        header.serial,
        pack::date(header.created_s),
        pack::date(header.expires_s),
        header.total_len
    )
}

fn said(listed: Option<Listed>) -> String {
    match listed {
        None => "不在名单 not listed".to_owned(),
        Some(Listed { score, typology: None }) => score.to_string(),
        Some(Listed { score, typology: Some(typology) }) => format!("{score} {}", typology.id()),
    }
}

/// Succeeds if all numbers are in the list.
fn lookup(args: &LookupArgs) -> Result<ExitCode, Failure> {
    let list = open(&args.list)?;
    let set = list.set();
    let mut all = true;
    let mut answer = |number: &str| {
        let mut buffer = [0; CANONICAL_LEN_MAX];
        let canonical = classify(number, &mut buffer).map_or("", |number| number.canonical);
        let listed = set.lookup(canonical);
        all &= listed.is_some();
        println!("{canonical}\t{}", said(listed));
    };
    if args.numbers.is_empty() {
        for line in io::stdin().lines() {
            answer(&line.map_err(|error| error.to_string())?);
        }
    } else {
        args.numbers.iter().for_each(|number| answer(number));
    }
    Ok(super::exit(all))
}

fn verify(args: &VerifyArgs) -> Result<ExitCode, Failure> {
    let file = args.keyring.clone().unwrap_or_else(|| keys::public_file(Path::new(keys::DEVELOPMENT_KEY)));
    let text = String::from_utf8(pack::read(&file)?).unwrap_or_default();
    let keyring = Keyring::parse(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    let options = LoadOptions {
        trust: Trust::Keyring(&keyring),
        now_s: Some(pack::now_s()),
        last_serial: None,
        name: None,
        residence: Residence::Map,
    };
    let list = LoadedNumbers::open(&args.list, &options)
        .map_err(|refusal| format!("{}: 拒绝 refused: {refusal}", args.list.display()))?;
    println!("{}: 有效 valid", args.list.display());
    println!("{}", described(&list));
    Ok(ExitCode::SUCCESS)
}

fn diff(args: &DiffArgs) -> Result<ExitCode, Failure> {
    let (old, new) = (open(&args.old)?, open(&args.new)?);
    let (mut added, mut removed, mut changed) = (0u64, 0u64, 0u64);
    let mut out = io::stdout().lock();
    for (change, nth) in changes(&old.set(), &new.set()).zip(0usize..) {
        let (sign, count) = match (change.old, change.new) {
            (None, _) => ('+', &mut added),
            (_, None) => ('-', &mut removed),
            _ => ('~', &mut changed),
        };
        *count += 1;
        if nth < args.show {
            writeln!(out, "{sign} {}", change_line(&change)).map_err(|error| error.to_string())?;
        }
    }
    let all = added + removed + changed;
    if all > args.show as u64 {
        println!("…");
    }
    println!("新增 added {added}, 删除 removed {removed}, 改动 changed {changed}");
    Ok(ExitCode::SUCCESS)
}

fn change_line(change: &Change) -> String {
    let number = |key| {
        let mut buffer = [0; CANONICAL_LEN_MAX];
        canonical(key, &mut buffer).map_or_else(|| "?".to_owned(), str::to_owned)
    };
    let numbers = if change.first == change.last {
        number(change.first)
    } else {
        format!("{}..{}", number(change.first), number(change.last))
    };
    match (change.old, change.new) {
        (Some(old), Some(new)) => format!("{numbers}\t{} → {}", said(Some(old)), said(Some(new))),
        (old, new) => format!("{numbers}\t{}", said(old.or(new))),
    }
}
