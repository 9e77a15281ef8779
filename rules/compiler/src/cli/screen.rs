//! `yumen screen`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use yumen_rules::policy::Policy;

use super::lists::ListArgs;
use super::{Failure, LangArg, Shown, finish, pack};
use crate::screen::{
    CdrMap, Column, EngineJudge, Format, Options, Output, OverTime, ScreenError, looks_like_records_over_time,
};

/// What to screen.
#[derive(Debug, Args)]
pub struct ScreenArgs {
    /// TSV, CSV or JSON lines; standard input where it is left out or `-` 输入文件
    file: Option<PathBuf>,
    /// A pack or a folder of rules; by default the project's own 规则包或规则目录
    #[arg(long)]
    pack: Option<PathBuf>,
    /// An object a line, in the order of the input 以 JSON 逐行输出
    #[arg(long)]
    json: bool,
    /// How the input is written; by default the extension tells 输入格式
    #[arg(long, value_enum)]
    format: Option<FormatArg>,
    /// The text's column, by number from 1 or by name (for JSON lines, the key) 正文列
    #[arg(long)]
    column: Option<String>,
    /// The originator's column 发送方列
    #[arg(long)]
    from: Option<String>,
    /// The destination's column 接收方列
    #[arg(long)]
    to: Option<String>,
    /// A column to count by 统计用的标签列
    #[arg(long)]
    label: Option<String>,
    /// Whether the first record names the columns; by default it is looked at 首行是否为列名
    #[arg(long)]
    header: Option<bool>,
    /// Whether to count how numbers behave, by the records' times in their order; by default for records of calls
    /// 按时间累计号码行为
    #[arg(long)]
    over_time: Option<bool>,
    /// The file holds call records in CSV: asterisk (Master.csv), freeswitch (mod_cdr_csv), or role=column,… with caller, callee,
    /// start and, where known, answered, ended, duration, total, outcome, name, user_agent 话单列的对应关系
    #[arg(long, conflicts_with_all = ["format", "column", "from", "to", "label", "header"])]
    map: Option<String>,
    /// The zone of times that don't say theirs, with --map 话单时间的时区
    #[arg(long, default_value = "+08:00", allow_hyphen_values = true, requires = "map")]
    zone: String,
    #[command(flatten)]
    numbers: ListArgs,
    /// Worker threads; by default one a processor 线程数
    #[arg(long)]
    threads: Option<usize>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatArg {
    /// Tab-separated
    Tsv,
    /// Comma-separated
    Csv,
    /// An object a line
    Jsonl,
}

/// Runs `yumen screen`.
#[must_use]
pub fn screen(args: &ScreenArgs) -> ExitCode {
    finish(run(args))
}

fn run(args: &ScreenArgs) -> Result<ExitCode, Failure> {
    let file = args.file.as_deref().filter(|file| *file != Path::new("-"));
    let options = options(args, file)?;
    let mut input: Box<dyn BufRead + Send> = match file {
        Some(path) => {
            let opened = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Box::new(BufReader::with_capacity(INPUT_BUFFER_BYTES, opened))
        }
        None => Box::new(BufReader::with_capacity(INPUT_BUFFER_BYTES, io::stdin())),
    };
    let loaded = pack::load(args.pack.as_deref(), Shown { lang: LangArg::Both, json: false })?;
    let is_cdr = options.cdr.is_some();
    let looks = || {
        let head = input.fill_buf().map_err(|error| error.to_string())?;
        Ok(is_cdr || looks_like_records_over_time(head))
    };
    let over_time = args.over_time.map_or_else(looks, Ok::<_, Failure>)?;
    let policy = Policy::enforcing();
    let judges = match over_time {
        true => EngineJudge::over_time(&loaded, policy).map(|judge| vec![judge]),
        false => EngineJudge::several(&loaded, policy, options.threads),
    };
    let lists = args.numbers.open()?;
    let judges: Vec<EngineJudge> = judges
        .map_err(|error| error.to_string())?
        .into_iter()
        .map(|judge| judge.with_lists(lists.clone()))
        .collect();

    let started = Instant::now();
    let mut progress = Progress { shown: io::stderr().is_terminal(), last: started, started };
    let output = BufWriter::new(io::stdout().lock());
    let screened = crate::screen::screen(&options, judges, input, output, |records| progress.at(records));
    progress.end();
    match screened {
        Ok(summary) => {
            let (records, seconds) = (summary.total.records, started.elapsed().as_secs_f64());
            if args.json && args.label.is_none() {
                return Ok(ExitCode::SUCCESS);
            }
            if over_time {
                eprint!("{}", OverTime(&summary));
            } else {
                eprint!("{summary}");
            }
            eprintln!("{:.1} s, {:.0} messages a second", seconds, per_second(records, seconds));
            Ok(ExitCode::SUCCESS)
        }
        // Whoever reads the output has seen enough.
        Err(ScreenError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error.to_string()),
    }
}

fn options(args: &ScreenArgs, file: Option<&Path>) -> Result<Options, Failure> {
    let column = |name: &Option<String>| name.as_deref().map(Column::parse);
    let map = args.map.as_deref().map(|map| CdrMap::parse(map, &args.zone)).transpose();
    let name = file.map_or_else(|| "-".to_owned(), |file| file.display().to_string());
    let cdr = map.map_err(|error| error.to_string())?.map(|map| (map, name));
    Ok(Options {
        format: match args.format {
            _ if cdr.is_some() => Format::JsonLines,
            Some(FormatArg::Tsv) => Format::Tsv,
            Some(FormatArg::Csv) => Format::Csv,
            Some(FormatArg::Jsonl) => Format::JsonLines,
            None => file.map_or(Format::Tsv, Format::of_path),
        },
        text: column(&args.column),
        from: column(&args.from),
        to: column(&args.to),
        label: column(&args.label),
        header: args.header,
        cdr,
        threads: args
            .threads
            .unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from))
            .max(1),
        output: if args.json { Output::JsonLines } else { Output::Table },
    })
}

const INPUT_BUFFER_BYTES: usize = 1 << 18;

/// How far it is, on a terminal.
struct Progress {
    shown: bool,
    last: Instant,
    started: Instant,
}

impl Progress {
    fn at(&mut self, records: u64) {
        if self.shown && self.last.elapsed() >= Duration::from_millis(500) {
            self.last = Instant::now();
            let rate = per_second(records, self.started.elapsed().as_secs_f64());
            eprint!("\r{records} messages, {rate:.0} a second ");
        }
    }

    fn end(&self) {
        if self.shown && self.last > self.started {
            eprint!("\r\x1b[K");
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown without decimals")]
fn per_second(records: u64, seconds: f64) -> f64 {
    records as f64 / seconds.max(1e-9)
}
