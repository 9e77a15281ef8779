//! `cargo xtask up`: everything on this machine, until Ctrl-C.

use super::stream::{self, Sender, Tally};
use crate::peer::{cmpp, smpp};
use crate::program::Program;
use crate::site::{Ports, Site};
use anyhow::{Context, Result, bail};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use yumen_wire::cmpp::Version;

/// Runs it. `dir` keeps keys, pack, database and logs.
///
/// # Errors
/// A port is taken, or a program doesn't start; the message says which.
pub async fn run(dir: &Path, ports: Ports, per_s: u32) -> Result<()> {
    let mut end = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    check_ports(&ports)?;
    println!("building the rule pack 正在编译规则包 …");
    let site = Site::prepare(dir, ports)?;
    println!("starting hub and agent 正在启动枢纽与网关 …");
    let hub = site.start_hub()?;
    site.enrol(&site.console(), "demo-bank", "gw1", &dir.join("gw1")).context("enrol the agent")?;
    let smsc = smpp::Centre::start_forgetful(("127.0.0.1", ports.smsc)).await?;
    let ismg = cmpp::Ismg::start_forgetful(("127.0.0.1", ports.ismg), Version::V3, cmpp::ACCOUNT).await?;
    let agent = site.start_agent("gw1", &site.agent_config("gw1", ""))?;
    let tally = Arc::new(Tally::default());
    let esme =
        smpp::Esme::bind(("127.0.0.1", ports.smpp), "demo").await.context("bind through the gateway")?;
    let sp = cmpp::Sp::connect(("127.0.0.1", ports.cmpp), Version::V3, cmpp::ACCOUNT)
        .await
        .context("connect through the gateway")?;
    banner(&site);
    let mut programs = [agent, hub];
    let outcome = tokio::select! {
        _ = end.0.recv() => Ok(()),
        _ = end.1.recv() => Ok(()),
        outcome = stream::run(Sender::Smpp(esme), per_s.div_ceil(2), &tally) => outcome.context("the SMPP stream"),
        outcome = stream::run(Sender::Cmpp(sp), per_s.div_ceil(2), &tally) => outcome.context("the CMPP stream"),
        outcome = report(&tally, &mut programs) => outcome,
    };
    println!("\nstopping 正在停止 …");
    // The agent first: what it still has for the hub goes out.
    for program in &mut programs {
        if program.is_running() {
            program.terminate()?;
        }
    }
    drop((smsc, ismg));
    println!("stopped 已停止");
    outcome
}

/// Names every port that another program has.
fn check_ports(ports: &Ports) -> Result<()> {
    let taken: Vec<String> = ports
        .named()
        .into_iter()
        .filter(|(_, port)| TcpListener::bind(("127.0.0.1", *port)).is_err())
        .map(|(what, port)| format!("  {port}  {what}"))
        .collect();
    if !taken.is_empty() {
        bail!(
            "these ports are taken by another program 以下端口已被占用:\n{}\nstop it, or move all ports 请停止该程序，或整体移动端口:\n\n    cargo xtask up -- --port-offset 10000\n",
            taken.join("\n")
        );
    }
    Ok(())
}

fn banner(site: &Site) {
    let Ports { smpp, cmpp, agent, .. } = site.ports;
    println!(
        "\nYumen 玉门 is up 已启动\n\n  \
         console 控制台            {console}\n  \
         SMPP 3.4 / CMPP doors     127.0.0.1:{smpp}   127.0.0.1:{cmpp}\n  \
         metrics 指标              http://127.0.0.1:{agent}/metrics\n  \
         files and logs 文件与日志 {dir}\n\n\
         send your own message through the gateway 让自己的短信通过网关:\n\n    \
         cargo run -q --bin yumen-demo -- send '专业征信修复，逾期记录包洗白，不成功不收费，加微信 zx0000'\n\n\
         Ctrl-C ends everything 按 Ctrl-C 结束\n",
        console = site.console(),
        dir = site.dir.display(),
    );
}

/// One line every ten seconds; fails where a program ends by itself.
async fn report(tally: &Tally, programs: &mut [Program]) -> Result<()> {
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    for second in 0_u64.. {
        tick.tick().await;
        if let Some(program) =
            programs.iter_mut().find_map(|program| (!program.is_running()).then_some(&*program))
        {
            bail!("a program ended by itself:\n{}", program.log());
        }
        if second % 10 == 9 {
            let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
            println!(
                "honest passed 正常放行 {:>6}   bad blocked 违规拦截 {:>6}   honest refused 误拦 {}   bad missed 漏过 {}",
                count(&tally.passed),
                count(&tally.blocked),
                count(&tally.refused),
                count(&tally.missed),
            );
        }
    }
    Ok(())
}
