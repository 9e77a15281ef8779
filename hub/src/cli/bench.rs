//! `yumen-hub bench`, and the load that it runs.

use super::fail;
use crate::bench::{BenchError, Figures, IngestBench, LoadOptions, fill, queries, run_load};
use crate::store::{Address, Kind, Store};
use std::process::ExitCode;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(super) struct Bench {
    /// One JSON object with all figures 以 JSON 输出
    #[arg(long)]
    json: bool,
    /// Seconds that are counted, for each database 每个数据库的计数秒数
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// An empty PostgreSQL database, measured beside SQLite 空的 PostgreSQL 数据库
    #[arg(long)]
    postgres: Option<Address>,
    /// An SQLite file that is kept; without it a new one that is removed SQLite 文件
    #[arg(long)]
    sqlite: Option<std::path::PathBuf>,
    /// Agents of the load 模拟网关数
    #[arg(long, default_value_t = 16)]
    agents: u16,
    /// Sightings that each of them has on their way 每个网关在途线索数
    #[arg(long, default_value_t = 500)]
    window: u32,
    /// In place of ingest: commit so many sightings, then time the console's questions 填充后测查询
    #[arg(long)]
    fill: Option<u64>,
    /// Different indicators to fill with 不同指标数
    #[arg(long, default_value_t = 1_000_000)]
    indicators: u64,
}

#[derive(Debug, clap::Args)]
pub(super) struct Load {
    #[arg(long)]
    port: u16,
    #[arg(long)]
    seconds: u64,
    #[arg(long)]
    agents: u16,
    #[arg(long)]
    window: u32,
}

pub(super) fn run(bench: &Bench) -> ExitCode {
    if cfg!(debug_assertions) {
        eprintln!(
            "this is a development build; for figures that count: cargo run --release --bin yumen-hub -- bench"
        );
    }
    let measured = tokio::runtime::Runtime::new().map_err(BenchError::Io).and_then(|runtime| {
        let measured = runtime.block_on(measure(bench));
        // The embedded broker's threads have no end of their own.
        runtime.shutdown_background();
        measured
    });
    let figures = match measured {
        Ok(figures) => figures,
        Err(error) => return fail(error),
    };
    if bench.json {
        match serde_json::to_string(&figures) {
            Ok(text) => println!("{text}"),
            Err(error) => return fail(error),
        }
    } else {
        for (name, value) in figures {
            println!("{name:<40} {value:>16.3}");
        }
    }
    ExitCode::SUCCESS
}

async fn measure(bench: &Bench) -> Result<Figures, BenchError> {
    let mut figures = Figures::new();
    if let Some(path) = &bench.sqlite {
        figures.extend(one(bench, &Address::file(path).map_err(std::io::Error::other)?).await?);
    } else if bench.postgres.is_none() || bench.fill.is_none() {
        let dir = std::env::temp_dir().join(format!("yumen-hub-bench-{}", std::process::id()));
        std::fs::create_dir_all(&dir)?;
        let address = Address::file(&dir.join("hub.sqlite")).map_err(std::io::Error::other)?;
        let measured = one(bench, &address).await;
        std::fs::remove_dir_all(&dir)?;
        figures.extend(measured?);
    }
    if let Some(address) = &bench.postgres {
        figures.extend(one(bench, address).await?);
    }
    Ok(figures)
}

async fn one(bench: &Bench, address: &Address) -> Result<Figures, BenchError> {
    let name = match address.kind() {
        Kind::Sqlite => "sqlite",
        Kind::Postgres => "postgres",
    };
    eprintln!("{name} …");
    let store = Store::open(address).await?;
    let measured = match bench.fill {
        Some(sightings) => {
            fill(&store, sightings, bench.indicators).await?;
            queries(&store, name).await
        }
        None => {
            let duration = Duration::from_secs(bench.seconds.max(1));
            IngestBench { duration, agents: bench.agents, window: bench.window }.run(&store, name).await
        }
    };
    store.close().await;
    measured
}

pub(super) fn load(load: &Load) -> ExitCode {
    let options = LoadOptions {
        port: load.port,
        duration: Duration::from_secs(load.seconds),
        agents: load.agents,
        window: load.window,
    };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return ExitCode::FAILURE;
    };
    runtime.block_on(run_load(options)).map_or_else(fail, |()| ExitCode::SUCCESS)
}
