//! `yumen tap`.

use super::fail;
use super::rows::Output;
use crate::clock;
use crate::replay::Replay;
use crate::tap::Tap;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use yumen_capture::{Dissector, Packet};

#[derive(Debug, Args)]
pub(super) struct TapArgs {
    /// The interface that is listened to; needs CAP_NET_RAW 要监听的网络接口（需要 CAP_NET_RAW 权限）
    #[arg(long)]
    interface: String,
    /// A pack or a folder of rules; by default the project's own 规则包或规则目录
    #[arg(long)]
    pack: Option<PathBuf>,
    /// One JSON object a message or attempt 以 JSON 逐行输出
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &TapArgs) -> ExitCode {
    tap(args).map_or_else(fail, |()| ExitCode::SUCCESS)
}

fn tap(args: &TapArgs) -> Result<(), String> {
    // What can't be had is said before the rules are built.
    let mut tap = Tap::open(&args.interface).map_err(|error| error.to_string())?;
    let pack = yumen_compiler::cli::load_pack(args.pack.as_deref())?;
    let mut replay = Replay::new(pack).map_err(|error| error.to_string())?;
    let stop = on_signal().map_err(|error| error.to_string())?;
    let mut dissector = Dissector::new();
    let mut output = Output::new(args.json);
    let mut number = 0;
    eprintln!("listening on {}; Ctrl-C ends it 正在监听，按 Ctrl-C 结束", args.interface);
    let ended = loop {
        if stop.load(Ordering::Relaxed) || output.has_failed() {
            break Ok(());
        }
        match tap.receive() {
            Ok(Some(arrival)) => {
                number += 1;
                let time_us = clock::now_us();
                let packet = Packet { number, time_us, link: arrival.link, data: arrival.data };
                dissector.packet(&packet, |item| {
                    replay.item(&item, &mut |row| output.row(row));
                    // Whoever watches sees it as it passes.
                    output.flush();
                });
            }
            Ok(None) => replay.overdue(clock::now_us(), &mut |row| output.row(row)),
            Err(error) => break Err(format!("{}: {error}", args.interface)),
        }
    };
    replay.end(&mut |row| output.row(row));
    let counted = output.finish()?;
    let (counters, dropped) = (dissector.counters(), tap.dropped().0);
    eprintln!(
        "{} packets, {dropped} dropped by the system, {} connections forgotten; {counted}",
        counters.packets, counters.forgotten
    );
    ended
}

/// Set by SIGINT and SIGTERM.
fn on_signal() -> std::io::Result<Arc<AtomicBool>> {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = Arc::new(AtomicBool::new(false));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut interrupt, mut terminate) = {
        let _entered = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    let told = Arc::clone(&stop);
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        told.store(true, Ordering::Relaxed);
    })?;
    Ok(stop)
}
