//! `yumen bench`, and the relay it runs as its baseline.

use super::fail;
use crate::api::run_bare;
use crate::bench::{
    self as own, ApiBench, BenchError, Figures, ProxyBench, SipBench, Writes, run_centre, run_relay,
};
use clap::{Args, ValueEnum};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
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
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// Rounds of the engine 引擎测试轮数
    #[arg(long, default_value_t = 200)]
    rounds: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Decode, fold, extract, match, decide, beside the raw matcher.
    Engine,
    /// Loading a pack of 10,000 patterns.
    Compile,
    /// The SMPP proxy beside a plain TCP relay.
    Smpp,
    /// SIP redirect decisions beside Kamailio, and a flood.
    Sip,
    /// The decision API beside a handler that only parses, under wrk.
    Api,
    /// Counting an event with a million roles of numbers tracked.
    Behaviour,
    /// Looking a number up in lists of 10 and 100 million, beside a sorted array and a hash set.
    Numbers,
}

#[derive(Debug, Args)]
pub(super) struct RelayArgs {
    bind: SocketAddr,
    upstream: SocketAddr,
}

#[derive(Debug, Args)]
pub(super) struct CentreArgs {
    bind: SocketAddr,
    #[arg(long)]
    batched: bool,
}

#[derive(Debug, Args)]
pub(super) struct BareArgs {
    bind: SocketAddr,
}

pub(super) fn run(args: &BenchArgs) -> ExitCode {
    if cfg!(debug_assertions) {
        eprintln!(
            "this is a development build; for figures that count: cargo run --release --bin yumen -- bench"
        );
    }
    let mut figures = Figures::new();
    for part in Part::value_variants() {
        if args.only.is_none_or(|only| only == *part)
            && let Err(error) = measure(*part, args, &mut figures)
        {
            return fail(error);
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

/// Adds what one part measures.
fn measure(part: Part, args: &BenchArgs, figures: &mut Figures) -> Result<(), BenchError> {
    let unusable = |error: bench::BenchError| BenchError::Peer(error.to_string());
    match part {
        Part::Behaviour => {
            eprintln!("behaviour …");
            figures.extend(own::behaviour::run());
        }
        Part::Numbers => {
            let work_dir = work_dir("numbers")?;
            figures.extend(own::numbers::run(&work_dir, |step| eprintln!("{step}"))?);
            std::fs::remove_dir_all(&work_dir)?;
        }
        Part::Engine => {
            eprintln!("engine …");
            let sample = bench::measure(args.rounds).map_err(unusable)?;
            figures.extend(sample.named().map(|(name, value)| (format!("engine.{name}"), value)));
            eprintln!("engine, with the project's own packs …");
            let own = bench::measure_own(args.rounds).map_err(unusable)?;
            figures.extend(own.named().map(|(name, value)| (format!("engine_own.{name}"), value)));
            // What the packs of the project do is what is asked for by these names.
            for name in ["ratio_with_everything", "messages_per_second"] {
                if let Some(&value) = figures.get(&format!("engine_own.{name}")) {
                    figures.insert(format!("engine.{name}"), value);
                }
            }
        }
        Part::Compile => {
            eprintln!("compile …");
            let work_dir = work_dir("compile")?;
            let measured = bench::measure_compile(&work_dir.join("databases")).map_err(unusable)?;
            figures.extend(measured.named().map(|(name, value)| (name.to_owned(), value)));
            std::fs::remove_dir_all(&work_dir)?;
        }
        Part::Smpp => figures.extend(proxy(args.seconds)?),
        Part::Sip => figures.extend(sip(args.seconds)?),
        Part::Api => figures.extend(api(args.seconds)?),
    }
    Ok(())
}

fn work_dir(part: &str) -> std::io::Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("yumen-bench-{part}-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

pub(super) fn centre(args: &CentreArgs) -> ExitCode {
    let writes = if args.batched { Writes::Batched } else { Writes::Each };
    let outcome = runtime().and_then(|runtime| runtime.block_on(run_centre(args.bind, writes)));
    outcome.map_or_else(fail, |()| ExitCode::SUCCESS)
}

pub(super) fn relay(args: &RelayArgs) -> ExitCode {
    let outcome = runtime().and_then(|runtime| runtime.block_on(run_relay(args.bind, args.upstream)));
    outcome.map_or_else(fail, |()| ExitCode::SUCCESS)
}

fn proxy(seconds: u64) -> Result<Figures, BenchError> {
    let work_dir = work_dir("smpp")?;
    let outcome = prepare(&work_dir, seconds)
        .and_then(|bench| runtime()?.block_on(bench.run(|step| eprintln!("{step} …"))));
    // What is left over there is a log and a pack; a failed run keeps them to be looked at.
    if outcome.is_ok() {
        std::fs::remove_dir_all(&work_dir)?;
    }
    outcome
}

fn sip(seconds: u64) -> Result<Figures, BenchError> {
    let work_dir = work_dir("sip")?;
    let ProxyBench { program, pack, trusted_keys, run_time, .. } = prepare(&work_dir, seconds)?;
    let bench = SipBench { program, pack, trusted_keys, work_dir: work_dir.clone(), run_time };
    let outcome = runtime()?.block_on(bench.run(|step| eprintln!("{step} …")));
    if outcome.is_ok() {
        std::fs::remove_dir_all(&work_dir)?;
    }
    outcome
}

/// Becomes the handler that the decision API is compared with.
pub(super) fn bare_api(args: &BareArgs) -> ExitCode {
    let outcome = runtime().and_then(|runtime| runtime.block_on(run_bare(args.bind)));
    outcome.map_or_else(fail, |()| ExitCode::SUCCESS)
}

fn api(seconds: u64) -> Result<Figures, BenchError> {
    let work_dir = work_dir("api")?;
    let outcome = prepare(&work_dir, seconds).and_then(|bench| {
        let ProxyBench { program, pack, trusted_keys, work_dir, texts, run_time } = bench;
        let bench = ApiBench { program, pack, trusted_keys, work_dir, texts, run_time };
        runtime()?.block_on(bench.run(|step| eprintln!("{step} …")))
    });
    // As for the proxy.
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
