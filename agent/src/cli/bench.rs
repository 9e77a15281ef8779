//! `yumen bench`, and the relay it runs as its baseline.

use super::fail;
use crate::bench::{BenchError, Figures, ProxyBench, run_relay};
use clap::{Args, ValueEnum};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use yumen_compiler::{bench, embedded, sign};

#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    /// One JSON object with all figures 以 JSON 输出
    #[arg(long)]
    json: bool,
    /// Only a part of it 只测一部分
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// Seconds of each run of the proxy 每次代理测试的秒数
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Rounds of the engine 引擎测试轮数
    #[arg(long, default_value_t = 200)]
    rounds: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Decode, fold, extract, match, decide, beside the raw matcher.
    Engine,
    /// The SMPP proxy beside a plain TCP relay.
    Smpp,
}

#[derive(Debug, Args)]
pub(super) struct RelayArgs {
    bind: SocketAddr,
    upstream: SocketAddr,
}

pub(super) fn run(args: &BenchArgs) -> ExitCode {
    if cfg!(debug_assertions) {
        eprintln!(
            "this is a development build; for figures that count: cargo run --release --bin yumen -- bench"
        );
    }
    let mut figures = Figures::new();
    if args.only != Some(Part::Smpp) {
        eprintln!("engine …");
        match bench::measure(args.rounds) {
            Ok(measured) => figures.extend(measured.named().map(|(name, value)| (name.to_owned(), value))),
            Err(error) => return fail(error),
        }
    }
    if args.only != Some(Part::Engine) {
        match proxy(args.seconds) {
            Ok(measured) => figures.extend(measured),
            Err(error) => return fail(error),
        }
    }
    if args.json {
        match serde_json::to_string(&figures) {
            Ok(text) => println!("{text}"),
            Err(error) => return fail(error),
        }
    } else {
        for (name, value) in figures {
            println!("{name:<36} {value:>14.3}");
        }
    }
    ExitCode::SUCCESS
}

pub(super) fn relay(args: &RelayArgs) -> ExitCode {
    let outcome = runtime().and_then(|runtime| runtime.block_on(run_relay(args.bind, args.upstream)));
    outcome.map_or_else(fail, |()| ExitCode::SUCCESS)
}

fn proxy(seconds: u64) -> Result<Figures, BenchError> {
    let work_dir = std::env::temp_dir().join(format!("yumen-bench-{}", std::process::id()));
    std::fs::create_dir_all(&work_dir)?;
    let outcome = prepare(&work_dir, seconds)
        .and_then(|bench| runtime()?.block_on(bench.run(|step| eprintln!("{step} …"))));
    // What is left over there is a log and a pack; a failed run keeps them to be looked at.
    if outcome.is_ok() {
        std::fs::remove_dir_all(&work_dir)?;
    }
    outcome
}

/// The project's own packs, signed with a key that nobody else trusts.
fn prepare(work_dir: &Path, seconds: u64) -> Result<ProxyBench, BenchError> {
    let key = sign::signing_key(&[7; 32]);
    let unusable = |error: String| BenchError::Peer(format!("the embedded packs can't be used: {error}"));
    let mut bytes = embedded::pack().map_err(|error| unusable(error.to_string()))?;
    sign::sign(&mut bytes, &key).map_err(|error| unusable(error.to_string()))?;
    let (pack, trusted_keys) = (work_dir.join("bench.pack"), work_dir.join("trusted-keys"));
    std::fs::write(&pack, bytes)?;
    std::fs::write(&trusted_keys, sign::emit_public_key(&key) + "\n")?;
    Ok(ProxyBench {
        program: std::env::current_exe()?,
        pack,
        trusted_keys,
        work_dir: work_dir.to_owned(),
        // What fits one part.
        texts: TEXTS.map(str::to_owned).to_vec(),
        run_time: Duration::from_secs(seconds),
    })
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// Honest messages of usual length, none longer than one part.
const TEXTS: [&str; 4] = [
    "【某某银行】您尾号0000的账户10月12日09:30支出人民币58.00元，余额2,318.40元，如非本人操作请联系客服。",
    "妈，我今晚加班，别等我吃饭了，记得把降压药吃了，明天早上我去接您。",
    "【某某快递】您的包裹已到小区南门驿站，取件码3-2-1087，请于今日20点前领取。",
    "周六老同学聚会改到六点半，还是上次那家火锅店，你开车来吗？停车场在后面。",
];
